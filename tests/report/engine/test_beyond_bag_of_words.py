import numpy as np
import pytest

from tests.report.engine.sentence_models import SIZE, make_model, make_sentences
from tf_vmf.data import Sentences
from tf_vmf.report.engine.word_order import beyond_bag_of_words, mean_embeddings, prediction_distance


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def test_mean_embeddings_are_means_over_words_and_the_end():
    table = np.array([[0.0, 0], [1, 10], [2, 20], [3, 30], [5, 50]])
    sentences = Sentences.from_lists([[3, 4], [2]])
    np.testing.assert_allclose(mean_embeddings(table, sentences), [[3.0, 30.0], [1.5, 15.0]])


def test_codes_that_are_a_function_of_the_inputs_are_predicted(rng):
    inputs = rng.normal(size=(1500, 4))
    codes = unit(inputs @ rng.normal(size=(4, 6)))
    found = prediction_distance(inputs[:1000], codes[:1000], inputs[1000:], codes[1000:], hidden_units=64)
    assert found.distance < 0.02
    assert found.constant_distance > 0.8
    assert found.share < 0.03
    assert found.num_sentences == 500


def test_codes_independent_of_the_inputs_are_at_right_angles_to_their_predictions(rng):
    # Uniform on the sphere: whatever the prediction, the cosine has mean 0 and variance 1/d.
    inputs, codes = rng.normal(size=(1200, 4)), unit(rng.normal(size=(1200, 20)))
    found = prediction_distance(inputs[:800], codes[:800], inputs[800:], codes[800:], hidden_units=16)
    expected_error = np.sqrt(1 / 20 / 400)
    assert found.standard_error == pytest.approx(expected_error, rel=0.15)
    assert found.constant_standard_error == pytest.approx(expected_error, rel=0.15)
    assert abs(found.distance - 1.0) < 4 * expected_error
    assert abs(found.constant_distance - 1.0) < 4 * expected_error


def test_a_constant_code_is_predicted_by_anything(rng):
    codes = np.tile([[0.6, 0.8]], (50, 1))
    found = prediction_distance(rng.normal(size=(50, 3)), codes, rng.normal(size=(10, 3)), codes[:10])
    assert found.distance == pytest.approx(0.0, abs=1e-9)
    assert found.constant_distance == pytest.approx(0.0, abs=1e-12)


def test_of_a_bag_of_words_encoder_next_to_nothing_is_left(rng):
    train, test = make_sentences(rng, 600, longest=6), make_sentences(rng, 100, longest=6)
    found = beyond_bag_of_words(make_model(pooling="bow"), train, test, hidden_units=48)
    assert found.distance < 0.05
    assert found.share < 0.15


def test_where_sentences_differ_in_order_alone_all_of_an_lstm_code_is_left(rng):
    # Orders of the same five words have one mean embedding: the network can do no better than the mean code.
    orders = np.array([rng.permutation(np.arange(3, 8)) for _ in range(300)])
    train, test = Sentences.from_lists(orders[:200]), Sentences.from_lists(orders[200:])
    model = make_model()
    model.embedding.embeddings.assign(rng.normal(size=(SIZE, 12)))
    found = beyond_bag_of_words(model, train, test, hidden_units=16)
    assert found.constant_distance > 1e-3
    assert found.share == pytest.approx(1.0, abs=0.05)


def test_one_output_dimension_of_a_gaussian_is_enough(rng):
    inputs = rng.normal(size=(60, 2))
    found = prediction_distance(inputs, inputs[:, :1], inputs, inputs[:, :1])
    assert 0.0 <= found.distance < 0.3
