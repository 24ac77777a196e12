import sys

import keras
import numpy as np
import pytest
from scipy import sparse

from tests.parameters import quick
from tests.refusals import refused
from tf_vmf import layers, models
from tf_vmf.data import Documents
from tf_vmf.evaluation.topics import Topic, npmi_coherence, topic_diversity, topics

TOPICS, WORDS_EACH, COMMON = 4, 6, 6
VOCABULARY = tuple(f"common{i}" for i in range(COMMON)) + tuple(
    f"topic{t}_word{i}" for t in range(TOPICS) for i in range(WORDS_EACH)
)


def planted_corpus(rng, size=600, length=40):
    """Documents of one topic each: half of the tokens are common words, half are the topic's."""
    topic = rng.integers(TOPICS, size=size)
    probabilities = np.zeros((TOPICS, len(VOCABULARY)))
    probabilities[:, :COMMON] = 0.5 / COMMON
    for t in range(TOPICS):
        start = COMMON + t * WORDS_EACH
        probabilities[t, start : start + WORDS_EACH] = 0.5 / WORDS_EACH
    counts = np.stack([rng.multinomial(length, probabilities[t]) for t in topic])
    return Documents(sparse.csr_matrix(counts.astype(np.int32)), labels=topic)


def documents(rows):
    return Documents(sparse.csr_matrix(np.array(rows, np.int32)))


def linear_model(latent, columns):
    """A model whose logits are z @ columns."""
    model = models.BagOfWordsVAE(columns.shape[1], latent, encoder_units=(4,), decoder_units=(), z_scale=1.0, seed=0)
    model.output_layer.set_weights([columns.astype(np.float32), np.zeros(columns.shape[1], np.float32)])
    return model


def planted_of(words):
    return {word.split("_")[0] for word in words}


@pytest.mark.parametrize("latent", quick(1, ["vmf", "gaussian"]))
def test_a_trained_model_gives_back_planted_topics(rng, latent):
    keras.utils.set_random_seed(1)
    corpus = planted_corpus(rng)
    layer = layers.GaussianLatent(3) if latent == "gaussian" else layers.VonMisesFisherLatent(3, concentration=30.0)
    model = models.BagOfWordsVAE(
        len(VOCABULARY), layer, encoder_units=(32, 32), decoder_units=(32,), dropout=0.0, seed=1
    )
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(corpus.counts.toarray().astype(np.float32), batch_size=100, epochs=30, verbose=0)
    codes = model.latent.code(model.posterior_parameters(corpus.counts.toarray().astype(np.float32))).numpy()
    centres = np.stack([codes[corpus.labels == t].mean(axis=0) for t in range(TOPICS)])
    found = topics(model, VOCABULARY, WORDS_EACH, codes=centres, names=[f"topic{t}" for t in range(TOPICS)])
    for topic in found:
        # Exactly the planted words: the common ones are as probable, and relevance puts them last.
        assert planted_of(topic.words) == {topic.name}
    assert topic_diversity(found, WORDS_EACH) == 1.0
    assert np.all(npmi_coherence(found, corpus, VOCABULARY, WORDS_EACH) > 0.5)


def test_directions_are_both_ends_of_every_axis_in_order():
    model = linear_model(layers.VonMisesFisherLatent(3, concentration=10.0), 5.0 * np.eye(3))
    found = topics(model, ["a", "b", "c"], num_words=1)
    assert [topic.name for topic in found] == ["+e1", "-e1", "+e2", "-e2", "+e3", "-e3"]
    assert [found[i].words[0] for i in (0, 2, 4)] == ["a", "b", "c"]
    # softmax(5, 0, 0): a unit step along the first axis.
    assert found[0].probabilities[0] == pytest.approx(np.exp(5) / (np.exp(5) + 2), rel=1e-5)


def test_a_gaussian_axis_is_decoded_at_the_typical_norm_of_the_prior():
    dim = 16
    model = linear_model(layers.GaussianLatent(dim), np.eye(dim))
    probability = topics(model, [f"w{i}" for i in range(dim)], num_words=1)[0].probabilities[0]
    # log-odds of the first word are the norm: sqrt(16), within the error of 4,096 prior samples.
    assert np.log(probability / (1 - probability) * (dim - 1)) == pytest.approx(np.sqrt(dim), abs=0.05)


def test_relevance_is_lift_at_weight_zero_and_probability_at_weight_one():
    # Word 0 is likely everywhere, word 1 rare but only here.
    columns = np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    model = linear_model(layers.VonMisesFisherLatent(2, concentration=10.0), columns)
    model.output_layer.bias.assign([4.0, 0.0, 0.0])
    code = np.array([[1.0, 0.0]])
    names = ["everywhere", "here", "other"]
    assert topics(model, names, 1, codes=code, relevance_weight=1.0)[0].words == ("everywhere",)
    assert topics(model, names, 1, codes=code, relevance_weight=0.0)[0].words == ("here",)


def test_coherence_equals_npmi_worked_out_by_hand():
    # a in documents 0 1 2, b in 0 1, c in 3, of five; counts above one do not matter.
    corpus = documents([[2, 1, 0], [1, 7, 0], [1, 0, 0], [0, 0, 3], [0, 0, 0]])
    ab = np.log((2 / 5) / (3 / 5 * 2 / 5)) / -np.log(2 / 5)
    assert npmi_coherence([["a", "b"]], corpus, list("abc")) == pytest.approx([ab], rel=1e-9)
    # A pair that never meets: 1e-12 in place of p(a, b), as in gensim.
    ac, bc = (np.log(1e-12 / (p * 1 / 5)) / -np.log(1e-12) for p in (3 / 5, 2 / 5))
    assert npmi_coherence([["c", "a", "b"]], corpus, list("abc")) == pytest.approx([(ab + ac + bc) / 3], rel=1e-9)


def test_coherence_equals_gensims_c_npmi_with_the_document_as_window(rng):
    from gensim.corpora import Dictionary
    from gensim.models.coherencemodel import CoherenceModel

    corpus = planted_corpus(rng, size=200, length=12)
    chosen = [list(rng.choice(VOCABULARY, 5, replace=False)) for _ in range(10)]
    texts = [[VOCABULARY[w] for w in row.indices] for row in corpus.counts]
    reference = CoherenceModel(
        topics=chosen,
        texts=texts,
        dictionary=Dictionary([VOCABULARY]),
        coherence="c_npmi",
        window_size=100,
        processes=1,
    )
    expected = reference.get_coherence_per_topic()
    np.testing.assert_allclose(npmi_coherence(chosen, corpus, VOCABULARY, 5), expected, rtol=1e-12)


def test_words_that_always_meet_have_npmi_one_and_unseen_words_count_as_zero():
    corpus = documents([[1, 1, 0], [1, 1, 0], [0, 0, 0]])
    assert npmi_coherence([["a", "b"]], corpus, list("abc")) == pytest.approx([1.0], abs=1e-9)
    assert npmi_coherence([["a", "b", "c"]], corpus, list("abc")) == pytest.approx([1 / 3], abs=1e-9)
    assert npmi_coherence([["a", "c"]], corpus, list("abc")) == pytest.approx([0.0])


def test_diversity_is_the_share_of_distinct_words():
    assert topic_diversity([["a", "b", "c"], ["a", "d", "e"]], num_words=3) == pytest.approx(5 / 6)
    assert topic_diversity([["a", "b"]] * 4, num_words=2) == pytest.approx(1 / 4)
    assert topic_diversity([Topic("t", ("a", "b", "c"), (0.5, 0.3, 0.2)), ["a", "d"]], num_words=1) == 0.5


def test_wrong_arguments_are_named():
    model = linear_model(layers.VonMisesFisherLatent(2, concentration=10.0), np.ones((2, 3)))
    with refused("vocabulary", "2", "3 words"):
        topics(model, ["a", "b"])
    with refused("num_words", "4", "from 1 to 3"):
        topics(model, ["a", "b", "c"], num_words=4)
    with refused("relevance_weight", "2"):
        topics(model, ["a", "b", "c"], 1, relevance_weight=2)
    with refused("topics", "a topic of 2", "25 words", "num_words=25"):
        topic_diversity([["a", "b"]])
    with refused("topics", "'x'"):
        npmi_coherence([["a", "x"]], documents([[1, 1]]), list("ab"))


def test_npmi_needs_no_gensim(monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim", None)
    assert npmi_coherence([["a", "b"]], documents([[1, 1], [0, 0]]), list("ab")) == pytest.approx([1.0], abs=1e-9)


def test_a_pair_that_every_document_holds_says_nothing():
    assert npmi_coherence([["a", "b"]], documents([[1, 2], [3, 1]]), list("ab")) == pytest.approx([0.0])
