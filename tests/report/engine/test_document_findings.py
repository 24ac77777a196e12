"""Findings about document models are the numbers that plain recomputation gives."""

import math

import numpy as np
import pytest

from tests.report.engine.document_models import HISTORY, METRICS, VOCABULARY, make_corpus, make_model
from tf_vmf.evaluation.topics import prior_word_probabilities
from tf_vmf.layers import SphereProductLatent
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.report import DocumentContext, find_documents
from tf_vmf.report.engine import Encodings, encode, nearest_neighbors
from tf_vmf.report.engine.run import use_of_code
from tf_vmf.report.sections.axes import Axes
from tf_vmf.report.sections.labels import LabelPath, LabelWords
from tf_vmf.report.sections.maps import DocumentMap
from tf_vmf.report.sections.neighbors import DocumentNeighbors
from tf_vmf.report.sections.overview import DocumentOverview
from tf_vmf.report.sections.results import DocumentResults
from tf_vmf.report.sections.topics import Topics
from tf_vmf.report.sections.use_of_code import UseOfCode


@pytest.fixture(scope="module")
def corpus():
    return make_corpus(np.random.default_rng(0))


@pytest.fixture(scope="module")
def model():
    return make_model("sphere")


@pytest.fixture(scope="module")
def word_probabilities(model):
    return prior_word_probabilities(model)


def grouped(labels, seed=0):
    """Codes around one axis per label."""
    codes = np.eye(3)[labels] + 0.05 * np.random.default_rng(seed).normal(size=(len(labels), 3))
    codes /= np.linalg.norm(codes, axis=-1, keepdims=True)
    return Encodings(codes, np.ones(len(codes)), None, spherical=True)


def context(model, corpus, train):
    """A context in which training documents have these codes."""
    found = DocumentContext(model, corpus, run=None)
    found.__dict__["train"] = train  # where a cached property is kept
    return found


def words_by_relevance(model, code, word_probabilities, weight, number):
    log_p = model.decode(code[np.newaxis].astype(np.float32)).numpy()[0].astype(np.float64)
    scores = weight * log_p + (1 - weight) * (log_p - np.log(word_probabilities))
    return tuple(VOCABULARY[word] for word in sorted(range(len(log_p)), key=lambda word: -scores[word])[:number])


def test_axes_are_both_ends_of_each_dimension_most_coherent_first(corpus, model, word_probabilities):
    found = Axes.find(DocumentContext(model, corpus, run=None))
    assert {axis.name for axis in found.axes} == {f"{sign}e{i}" for sign in "+-" for i in (1, 2, 3)}
    npmi = [axis.npmi for axis in found.axes]
    assert npmi == sorted(npmi, reverse=True)
    third = next(axis for axis in found.axes if axis.name == "-e3")
    assert third.words == words_by_relevance(model, np.array([0.0, 0.0, -1.0]), word_probabilities, 0.3, 10)


def test_words_of_a_label_are_those_at_its_mean_direction(model, corpus, word_probabilities):
    train = grouped(corpus.train.labels)
    found = LabelWords.find(context(model, corpus, train)).labels
    assert [label.label for label in found] == list(corpus.label_names)
    for label, words in enumerate(found):
        mean = train.codes[corpus.train.labels == label].mean(axis=0)
        assert words.size == int(np.sum(corpus.train.labels == label))
        assert words.words == words_by_relevance(model, mean / np.linalg.norm(mean), word_probabilities, 0.6, 10)


def test_a_way_joins_the_labels_of_smallest_cosine_that_are_not_opposite(model, corpus, word_probabilities):
    # Label 0 at 0, label 1 at 180 (opposite), label 2 at 100 degrees.
    angles = np.radians([0.0, 180.0, 100.0])[corpus.train.labels]
    codes = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=-1)
    path = LabelPath.find(context(model, corpus, Encodings(codes, np.ones(150), None, spherical=True)))
    assert {path.start, path.end} == {corpus.label_names[0], corpus.label_names[2]}
    assert path.cosine == pytest.approx(math.cos(math.radians(100.0)))
    middle = np.array([math.cos(math.radians(50.0)), math.sin(math.radians(50.0)), 0.0])
    assert path.words[2] == words_by_relevance(model, middle, word_probabilities, 0.6, 10)


def test_words_and_ways_of_labels_are_those_of_codes_on_every_sphere_of_a_product(corpus):
    latent = SphereProductLatent(4, part_dim=2, concentration=20.0, seed=1)
    model = BagOfWordsVAE(len(VOCABULARY), latent, encoder_units=(8,), decoder_units=(8,), seed=0)
    model.build_for(corpus.train.counts[:1])
    word_probabilities = prior_word_probabilities(model)
    # A label's codes lie around one angle per circle, so that their mean is inside of both.
    around = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 1.0]])[corpus.train.labels]
    angles = around + 0.3 * np.random.default_rng(0).normal(size=around.shape)
    codes = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    encodings = Encodings(codes.reshape(-1, 4), np.ones(150), None, spherical=False)

    def center(label):
        mean = codes[corpus.train.labels == label].mean(axis=0)
        return (mean / np.linalg.norm(mean, axis=-1, keepdims=True)).reshape(4)

    for label, found in enumerate(LabelWords.find(context(model, corpus, encodings)).labels):
        assert found.words == words_by_relevance(model, center(label), word_probabilities, 0.6, 10)
    path = LabelPath.find(context(model, corpus, encodings))
    for label, words in ((path.start, path.words[0]), (path.end, path.words[-1])):
        code = center(corpus.label_names.index(label))
        assert words == words_by_relevance(model, code, word_probabilities, 0.6, 10)


def test_opposite_labels_alone_are_joined_by_no_way(model, corpus, word_probabilities):
    codes = np.where(corpus.train.labels[:, np.newaxis] == 0, [[1.0, 0, 0]], [[-1.0, 0, 0]])
    # Labels 1 and 2 have one center: the only pair that can be joined.
    path = LabelPath.find(context(model, corpus, Encodings(codes, np.ones(150), None, spherical=True)))
    assert {path.start, path.end} == set(corpus.label_names[1:])
    two = corpus.train.take(np.flatnonzero(corpus.train.labels < 2))
    pair = type(corpus)(corpus.name, corpus.vocabulary, two, corpus.valid, corpus.test, corpus.label_names)
    codes = np.where(two.labels[:, np.newaxis] == 0, [[1.0, 0, 0]], [[-1.0, 0, 0]])
    assert LabelPath.find(context(model, pair, Encodings(codes, np.ones(len(two)), None, spherical=True))) is None


def test_all_findings_are_those_of_the_model_and_its_corpus(model, corpus):
    findings = find_documents(model, corpus, METRICS, HISTORY, {"latent_dim": 3}, "command")
    run, latent = findings.get(DocumentOverview).run, findings.get(DocumentOverview).latent
    near_by = findings.get(DocumentNeighbors)
    code_map, use = findings.get(DocumentMap).code_map, findings.get(UseOfCode).use
    assert (run.train_examples, run.valid_examples, run.test_examples) == (150, 20, 40)
    assert run.train_tokens == int(corpus.train.counts.sum())
    assert (run.has_dropout, run.command) == (model.dropout > 0, "command")
    assert (latent.kind, latent.description.spread) == (
        "VonMisesFisherLatent",
        model.latent.describe().spread,
    )
    assert findings.get(DocumentResults).published == ()
    train, test = (encode(model, [split.counts.toarray().astype(np.float32)]) for split in (corpus.train, corpus.test))
    np.testing.assert_allclose(code_map.points, test.codes[code_map.rows], atol=1e-6)
    np.testing.assert_array_equal(code_map.labels, corpus.test.labels[code_map.rows])
    # Each point has its neighbors on the map.
    cosines = test.codes @ test.codes.T
    for i, others in enumerate(code_map.neighbors):
        expected = np.argsort(-np.where(np.arange(40) == i, -2.0, cosines[i]))[:5]
        np.testing.assert_allclose(cosines[i, others], cosines[i, expected], atol=1e-6)
        assert i not in others
    assert code_map.titles[7] == corpus.test.titles[code_map.rows[7]]
    near = nearest_neighbors(train.codes, test.codes, k=5)
    agreeing = [corpus.train.labels[row] == corpus.test.labels[q] for q in range(40) for row in near.rows[q]]
    assert near_by.agreement.precision == pytest.approx(np.mean(agreeing))
    for shown in near_by.neighbors:
        assert [other.excerpt.row for other in shown.found] == near.rows[shown.query.row, :3].tolist()
        for other in shown.found:
            same = corpus.train.labels[other.excerpt.row] == corpus.test.labels[shown.query.row]
            assert other.same_label == same
            assert other.cosine == pytest.approx(train.codes[other.excerpt.row] @ test.codes[shown.query.row], abs=1e-6)
    assert len({shown.query.label for shown in near_by.neighbors}) == 3  # one document of each label
    assert use.constant_kl
    assert use.concentration is None


def test_without_labels_and_texts_there_are_words_alone(model):
    corpus = make_corpus(np.random.default_rng(1), labels=False, texts=False)
    found = find_documents(model, corpus, METRICS)
    assert found.get(LabelWords) is None
    assert found.get(LabelPath) is None
    assert found.get(Topics) is None
    assert found.get(DocumentNeighbors).agreement is None
    assert found.get(DocumentNeighbors).neighbors[0].found[0].same_label is None
    excerpt = found.get(DocumentNeighbors).neighbors[0].query
    assert excerpt.text == ""
    # The word of largest count times log of inverse document frequency.
    counts = corpus.test.counts.toarray()
    weights = counts[excerpt.row] * np.log(len(counts) / np.maximum((counts > 0).sum(axis=0), 1))
    assert excerpt.words[0] == VOCABULARY[int(np.argmax(weights))]


@pytest.mark.parametrize(("spherical", "scale"), [(True, 3), (False, 1)])
def test_variances_of_the_code_are_relative_to_the_prior(rng, spherical, scale):
    codes = rng.normal(size=(50, 3)) * [1.0, 5.0, 1e-3]
    kl, lengths = rng.normal(size=50), rng.integers(1, 9, size=50)
    use = use_of_code(Encodings(codes, kl, np.full(50, 3.0), spherical, np.sqrt(scale)), lengths)
    np.testing.assert_allclose(use.variances, scale * np.sort(codes.var(axis=0))[::-1])
    assert use.active_units == 2
    assert use.concentration is None  # one value for all


def test_rank_correlation_of_kl_and_length_is_one_where_one_orders_the_other():
    lengths = np.array([1, 2, 3, 4])
    use = lambda kl: use_of_code(Encodings(np.eye(4), np.asarray(kl), np.arange(4.0), True), lengths)  # noqa: E731
    assert use([1.0, 4.0, 9.0, 16.0]).length_correlation == pytest.approx(1.0)
    assert use([4.0, 3.0, 2.0, 1.0]).length_correlation == pytest.approx(-1.0)
    constant = use([2.0, 2.0, 2.0, 2.0])
    assert constant.constant_kl
    assert math.isnan(constant.length_correlation)
    np.testing.assert_array_equal(constant.concentration, np.arange(4.0))
