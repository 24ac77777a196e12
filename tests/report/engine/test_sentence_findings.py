"""Findings about sentence models are the numbers that plain recomputation gives."""

from dataclasses import replace

import numpy as np
import pytest

from tests.report.engine.sentence_models import make_corpus, make_model
from tf_vmf.report.engine import encode_sentences, find_sentences, nearest_neighbours
from tf_vmf.report.engine.sentence_decoding import decode
from tf_vmf.report.engine.sentence_examples import find_overlap
from tf_vmf.text.tokens import UNK_ID

METRICS = {"test": {"nll": 1.0, "kl": 1.0, "perplexity": 2.0}}


@pytest.fixture(scope="module")
def corpus():
    return make_corpus(np.random.default_rng(0), labels=True, sizes=(60, 10, 12))


@pytest.fixture(scope="module")
def model():
    return make_model(word_dropout=0.5, dropout=0.0)


@pytest.fixture(scope="module")
def found(model, corpus):
    return find_sentences(model, corpus, METRICS, command="command")


def test_the_setting_is_that_of_the_model(found):
    setting = found.setting
    assert (setting.word_dropout, setting.reads_label, setting.reads_bag_of_words) == (0.5, False, False)
    assert not setting.order_free_encoder
    assert (found.latent.latent_dim, found.latent.description.fixed_spread) == (8, True)
    assert found.run.has_dropout
    assert (found.run.train_examples, found.run.test_examples) == (60, 12)
    assert (found.published, found.mean_code_perplexity) == ((), None)


def test_the_nll_of_a_reconstruction_is_that_of_the_sentence_alone(found, model, corpus):
    texts = [corpus.to_text(corpus.test[row]) for row in range(12)]
    # predict gives log p(x | code) of each sentence.
    for shown in found.codes.reconstructions:
        row = texts.index(shown.sentence)
        assert shown.nll == pytest.approx(-float(model(corpus.test[row][np.newaxis])[0]), rel=1e-4)
        assert shown.tokens == corpus.test.lengths[row]


def test_overlap_counts_distinct_words_sentence_by_sentence(found, model, corpus):
    codes = encode_sentences(model, corpus.test).codes
    decoded = [set(ids.tolist()) for ids in decode(model, codes, int(corpus.train.lengths.max()))]
    order = np.random.default_rng(0).permutation(12)

    def share(row, other):
        words = set(corpus.test[row].tolist()) - set(range(UNK_ID + 1))
        return len(words & decoded[other]) / len(words)

    overlap = found.codes.overlap
    assert overlap.num_sentences == 12
    assert overlap.own == pytest.approx(np.mean([share(row, row) for row in order]))
    assert overlap.other == pytest.approx(np.mean([share(row, order[i - 1]) for i, row in enumerate(order)]))


def test_another_code_is_decoded_under_the_sentences_own_label(corpus):
    # One code for all: own and other differ in nothing but what else the decoder would be given.
    model = make_model(num_labels=2, bag_of_words_units=6)
    for variable in model.trainable_variables:
        variable.assign(variable * 6.0)  # label and bag of words count
    test = encode_sentences(model, corpus.test)
    same = replace(test, codes=np.tile(test.codes[:1], (12, 1)))
    overlap = find_overlap(model, corpus, same, seed=0, max_length=8)
    assert overlap.own == overlap.other


def test_neighbours_are_those_of_the_codes_with_their_labels(found, model, corpus):
    train, test = (encode_sentences(model, split).codes for split in (corpus.train, corpus.test))
    near = nearest_neighbours(train, test, 5)
    agreeing = [corpus.train.labels[row] == corpus.test.labels[q] for q in range(12) for row in near.rows[q]]
    assert found.codes.label_agreement.precision == pytest.approx(np.mean(agreeing))
    for shown in found.codes.neighbours:
        query = shown.query.row
        assert [other.excerpt.row for other in shown.found] == near.rows[query, :4].tolist()
        for other in shown.found:
            assert other.excerpt.text == corpus.to_text(corpus.train[other.excerpt.row])
            assert other.same_label == (corpus.train.labels[other.excerpt.row] == corpus.test.labels[query])


def test_groups_are_described_by_their_sentences(found, model, corpus):
    groups = found.codes.groups
    codes = encode_sentences(model, corpus.train).codes
    # On the sphere the nearest centre has the largest cosine; k-means has taken its own centres, before they were moved there.
    nearest = np.argmax(codes @ groups.centres.T, axis=1)
    assert np.mean(np.bincount(nearest) == [group.size for group in groups.clusters]) > 0.5
    assert sum(group.size for group in groups.clusters) == groups.num_sentences == 60
    for position, group in enumerate(groups.clusters):
        assert sum(count for _, count in group.labels) == group.size
        rows = [each.row for each in group.representatives]
        cosines = codes[rows] @ groups.centres[position]
        assert np.all(np.diff(cosines) < 1e-12)
        # The first word is the one of largest relevance, by hand, in the group's own smoothed frequencies.
        words = group.by_relevance
        scores = 0.2 * np.log(words.probabilities) + 0.8 * np.log(np.divide(words.probabilities, words.overall))
        assert group.words[0] == words.words[int(np.argmax(scores))]
    counts = np.bincount(corpus.train.tokens, minlength=41)[UNK_ID + 1 :]
    first = groups.clusters[0].by_relevance
    for word, overall in zip(first.words, first.overall, strict=True):
        assert overall == pytest.approx(counts[corpus.vocabulary.index(word) - UNK_ID - 1] / counts.sum())
    map_labels = corpus.test.labels[found.codes.code_map.rows]
    np.testing.assert_array_equal(found.codes.code_map.labels, map_labels)
    assert found.codes.code_map.beginnings[3] == corpus.to_text(corpus.test[int(found.codes.code_map.rows[3])])


def test_ends_of_an_interpolation_decode_the_codes_of_its_sentences(found, model, corpus):
    texts = [corpus.to_text(corpus.test[row]) for row in range(12)]
    codes = encode_sentences(model, corpus.test).codes
    for way in found.codes.interpolations:
        assert way.fractions == (0.0, 0.25, 0.5, 0.75, 1.0)
        rows = [texts.index(way.start), texts.index(way.end)]
        ends = decode(model, codes[rows], int(corpus.train.lengths.max()))
        assert [way.decoded[0], way.decoded[-1]] == [corpus.to_text(ids) for ids in ends]


def test_samples_of_a_label_come_with_the_words_of_its_training_sentences(found):
    comparison = found.label_samples
    assert [label.label for label in comparison.labels] == ["neg", "pos & <i>"]
    assert comparison.num_samples == 1000
    for label, group in zip(comparison.labels, (range(3, 21), range(21, 40)), strict=True):
        # Words 3 to 20 were drawn for the first label, 21 to 39 for the second.
        assert {int(word.removeprefix("word")) for word, _ in label.training_words} <= set(group)
        scores = [score for _, score in label.training_words]
        assert scores == sorted(scores, reverse=True)


def test_a_language_model_has_findings_without_codes(corpus):
    found = find_sentences(make_model("none", pooling="final"), corpus, METRICS)
    assert (found.latent, found.codes, found.label_samples) == (None, None, None)
    assert found.prior_samples.greedy == ()
    assert len(found.prior_samples.drawn) > 0


def test_a_bag_of_words_encoder_is_known_by_its_pooling(corpus):
    found = find_sentences(make_model(pooling="bow"), corpus, METRICS)
    assert found.setting.order_free_encoder
    np.testing.assert_allclose(found.codes.word_order.cosine, 1.0, atol=1e-6)
