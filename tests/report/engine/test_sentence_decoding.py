import numpy as np
import pytest
import tensorflow as tf

from tests.report.engine.sentence_models import make_model, make_sentences
from tests.report.errors import argument_error
from tf_vmf.data import Sentences
from tf_vmf.report.engine import encode_sentences, interpolate_sentences
from tf_vmf.report.engine.sentence_decoding import conditions, decode, sentence_tensors


def test_sentences_become_a_padded_batch_in_order():
    sentences = Sentences.from_lists([[5, 6, 7], [8]], labels=[1, 0])
    np.testing.assert_array_equal(sentence_tensors(sentences.without_labels()), [[5, 6, 7, 1], [8, 1, 0, 0]])
    x = sentence_tensors(sentences)
    np.testing.assert_array_equal(x["tokens"], [[5, 6, 7, 1], [8, 1, 0, 0]])
    np.testing.assert_array_equal(x["labels"], [1, 0])


@pytest.mark.parametrize("latent", ["vmf", "gaussian", "learned"])
def test_codes_are_in_the_order_of_the_sentences_not_of_their_lengths(rng, latent):
    model, sentences = make_model(latent), make_sentences(rng, 9)
    found = encode_sentences(model, sentences, batch_size=4)
    for row in range(9):
        posterior = model.encode(sentences[row][np.newaxis])
        mean = posterior.mean() if latent == "gaussian" else posterior.mean_direction
        np.testing.assert_allclose(found.codes[row], np.ravel(mean), atol=1e-5)
    assert (found.concentration is None) == (latent == "gaussian")


@pytest.mark.parametrize("latent", ["vmf", "gaussian"])
def test_a_way_leads_from_what_one_sentence_decodes_to_to_what_the_other_does(rng, latent):
    model = make_model(latent, hidden_units=24)
    # A decoder that leans on its code.
    for variable in model.trainable_variables:
        variable.assign(variable * 4.0)
    two = make_sentences(rng, 2, shortest=4)
    path = interpolate_sentences(model, two, 5, max_length=12)
    assert path.shape[0] == 5
    codes = encode_sentences(model, two).codes
    ends = decode(model, codes, 12)
    for found, expected in zip(path[[0, -1]], ends, strict=True):
        np.testing.assert_array_equal(found[: len(expected)], expected[: len(found)])
    if latent == "vmf":
        middle = decode(model, ((codes[0] + codes[1]) / np.linalg.norm(codes[0] + codes[1]))[np.newaxis], 12)[0]
    else:
        middle = decode(model, codes.mean(axis=0, keepdims=True), 12)[0]
    np.testing.assert_array_equal(path[2][: len(middle)], middle[: path.shape[1]])


def test_a_way_needs_two_ends(rng):
    with argument_error("sentences", "3"):
        interpolate_sentences(make_model(), make_sentences(rng, 3))


def test_unknown_words_are_written_only_on_request(rng):
    model = make_model()
    model.output_bias.assign(100.0 * tf.one_hot(2, model.vocabulary_size))
    codes = encode_sentences(model, make_sentences(rng, 3)).codes
    assert not np.any(decode(model, codes, 6) == 2)
    assert np.all(decode(model, codes, 6, allow_unknown=True) == 2)


def test_a_conditional_model_is_given_what_belongs_to_the_sentence(rng):
    sentences = make_sentences(rng, 4, labels=True)
    x = sentence_tensors(sentences)
    assert conditions(make_model(), x) == {}
    given = conditions(make_model(num_labels=2, bag_of_words_units=3), x)
    np.testing.assert_array_equal(given["labels"], sentences.labels)
    np.testing.assert_array_equal(given["bag_of_words"], x["tokens"])
    path = interpolate_sentences(make_model(num_labels=2, bag_of_words_units=3), sentences.take(np.arange(2)), 3)
    assert path.shape[0] == 3
