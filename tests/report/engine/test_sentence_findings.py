"""Findings about sentence models are the numbers that plain recomputation gives."""

from dataclasses import replace

import numpy as np
import pytest

from tests.report.engine.sentence_models import make_corpus, make_model
from tf_vmf.report import find_sentences
from tf_vmf.report.engine import Encodings, encode_sentences, nearest_neighbors
from tf_vmf.report.engine.sentence_decoding import decode
from tf_vmf.report.sections.decodings import Interpolations, Reconstructions, find_overlap
from tf_vmf.report.sections.maps import SentenceMap
from tf_vmf.report.sections.neighbors import SentenceNeighbors
from tf_vmf.report.sections.order_of_words import OrderOfWords
from tf_vmf.report.sections.overview import SentenceOverview
from tf_vmf.report.sections.results import SentenceResults
from tf_vmf.report.sections.samples import LabelSamples, PriorSamples
from tf_vmf.report.sections.sentence_groups import SentenceGroups, cluster, group_name
from tf_vmf.text.vocabulary import UNK_ID

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
    setting = found.get(SentenceOverview).setting
    assert (setting.word_dropout, setting.reads_label, setting.reads_bag_of_words) == (0.5, False, False)
    assert not setting.order_free_encoder
    assert (
        found.get(SentenceOverview).latent.latent_dim,
        found.get(SentenceOverview).latent.description.fixed_spread,
    ) == (8, True)
    assert found.get(SentenceOverview).run.has_dropout
    assert (found.get(SentenceOverview).run.train_examples, found.get(SentenceOverview).run.test_examples) == (60, 12)
    results = found.get(SentenceResults)
    assert (results.published, results.mean_code_perplexity) == ((), None)


def test_the_nll_of_a_reconstruction_is_that_of_the_sentence_alone(found, model, corpus):
    texts = [corpus.to_text(corpus.test[row]) for row in range(12)]
    # predict gives log p(x | code) of each sentence.
    for shown in found.get(Reconstructions).reconstructions:
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

    overlap = found.get(Reconstructions).overlap
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


def test_neighbors_are_those_of_the_codes_with_their_labels(found, model, corpus):
    train, test = (encode_sentences(model, split).codes for split in (corpus.train, corpus.test))
    near = nearest_neighbors(train, test, 5)
    agreeing = [corpus.train.labels[row] == corpus.test.labels[q] for q in range(12) for row in near.rows[q]]
    assert found.get(SentenceNeighbors).agreement.precision == pytest.approx(np.mean(agreeing))
    for shown in found.get(SentenceNeighbors).neighbors:
        query = shown.query.row
        assert [other.excerpt.row for other in shown.found] == near.rows[query, :4].tolist()
        for other in shown.found:
            assert other.excerpt.text == corpus.to_text(corpus.train[other.excerpt.row])
            assert other.same_label == (corpus.train.labels[other.excerpt.row] == corpus.test.labels[query])


def sphere_codes():
    angle = np.radians([0.0, 10.0, 20.0, 170.0, 180.0, 190.0, 200.0])
    return Encodings(np.stack([np.cos(angle), np.sin(angle)], axis=-1), np.zeros(7), None, spherical=True)


def test_clusters_are_the_groups_there_are_largest_first():
    group, centers = cluster(sphere_codes(), 2)
    assert group.tolist() == [1, 1, 1, 0, 0, 0, 0]
    np.testing.assert_allclose(np.degrees(np.arctan2(centers[:, 1], centers[:, 0])) % 360, [185.0, 10.0], atol=1e-9)


def test_codes_that_coincide_are_one_group():
    codes = np.repeat(np.eye(3)[:2], [7, 4], axis=0)
    group, centers = cluster(Encodings(codes, np.ones(11), None, True), 5)
    assert np.bincount(group).tolist() == [7, 4]
    np.testing.assert_allclose(centers[group], codes, atol=1e-12)


def test_groups_are_described_by_their_sentences(found, model, corpus):
    groups = found.get(SentenceGroups)
    view, codes = groups.view, encode_sentences(model, corpus.train).codes
    # On the sphere the nearest center has the largest cosine; k-means has taken its own centers, before they were moved there.
    nearest = np.argmax(codes @ groups.centers.T, axis=1)
    sizes = [group.size for group in view.topics]
    assert sizes == sorted(sizes, reverse=True)
    assert np.mean(np.bincount(nearest) == sizes) > 0.5
    assert sum(sizes) == view.num_texts == 60
    np.testing.assert_array_equal(view.classes.counts.sum(axis=1), np.bincount(corpus.train.labels))
    for position, group in enumerate(view.topics):
        cosines = codes[list(group.typical)] @ groups.centers[position]
        assert np.all(np.diff(cosines) < 1e-6)
        # The first word is the one of largest relevance, by hand, in the group's own smoothed frequencies.
        words = group.by_relevance
        scores = 0.2 * np.log(words.probabilities) + 0.8 * np.log(np.divide(words.probabilities, words.overall))
        assert group.words[0] == words.words[int(np.argmax(scores))]
    counts = np.bincount(corpus.train.tokens, minlength=41)[UNK_ID + 1 :]
    first = view.topics[0].by_relevance
    for word, overall in zip(first.words, first.overall, strict=True):
        assert overall == pytest.approx(counts[corpus.vocabulary.index(word) - UNK_ID - 1] / counts.sum())


def test_the_map_shows_test_sentences_with_their_labels(found, corpus):
    shown = found.get(SentenceMap).code_map
    np.testing.assert_array_equal(shown.labels, corpus.test.labels[shown.rows])
    assert shown.beginnings[3] == corpus.to_text(corpus.test[int(shown.rows[3])])


def test_ends_of_an_interpolation_decode_the_codes_of_its_sentences(found, model, corpus):
    texts = [corpus.to_text(corpus.test[row]) for row in range(12)]
    codes = encode_sentences(model, corpus.test).codes
    for way in found.get(Interpolations).interpolations:
        assert way.fractions == (0.0, 0.25, 0.5, 0.75, 1.0)
        rows = [texts.index(way.start), texts.index(way.end)]
        ends = decode(model, codes[rows], int(corpus.train.lengths.max()))
        assert [way.decoded[0], way.decoded[-1]] == [corpus.to_text(ids) for ids in ends]


def test_samples_of_a_label_come_with_the_words_of_its_training_sentences(found):
    comparison = found.get(LabelSamples)
    assert [label.label for label in comparison.labels] == ["neg", "pos & <i>"]
    assert comparison.num_samples == 1000
    for label, group in zip(comparison.labels, (range(3, 21), range(21, 40)), strict=True):
        # Words 3 to 20 were drawn for the first label, 21 to 39 for the second.
        assert {int(word.removeprefix("word")) for word, _ in label.training_words} <= set(group)
        scores = [score for _, score in label.training_words]
        assert scores == sorted(scores, reverse=True)


def test_a_language_model_has_findings_without_codes(corpus):
    found = find_sentences(make_model("none", pooling="final"), corpus, METRICS)
    assert found.get(SentenceOverview).latent is None
    for section in (Reconstructions, SentenceGroups, SentenceMap, OrderOfWords, LabelSamples):
        assert found.get(section) is None
    assert found.get(PriorSamples).greedy == ()
    assert len(found.get(PriorSamples).drawn) > 0


def test_a_bag_of_words_encoder_is_known_by_its_pooling(corpus):
    found = find_sentences(make_model(pooling="bow"), corpus, METRICS)
    assert found.get(SentenceOverview).setting.order_free_encoder
    np.testing.assert_allclose(found.get(OrderOfWords).word_order.cosine, 1.0, atol=1e-6)


def test_a_group_is_named_by_words_and_not_by_punctuation():
    assert group_name([",", "your", ".", "act", "'s", "film"]) == "your, act, 's"
    assert group_name([",", "."]) == ",, ."
