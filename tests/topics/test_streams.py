"""Topics of texts that do not fit into memory, and of texts that come later."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import normalized_mutual_info_score

from tests.topics.conftest import small
from tests.topics.planted import planted_texts
from tf_vmf.data import load_bag_of_words, prepare_documents
from tf_vmf.topics import TopicModel, fitting
from tf_vmf.topics.documents import CountedDocuments, nonempty
from tf_vmf.topics.mixture import TopicSums

TEXTS, LABELS = planted_texts()
LATER, LATER_LABELS = planted_texts(90, seed=1)


@pytest.fixture(scope="module")
def in_memory(planted_folder):
    """A model of `TEXTS`, which no test may change."""
    return TopicModel.load(planted_folder)


@pytest.fixture
def changing(planted_folder):
    """The same model, which a test may change."""
    return TopicModel.load(planted_folder)


def test_a_stream_gives_the_topics_of_the_same_texts_in_memory(in_memory):
    batches = (TEXTS[start : start + 50] for start in range(0, len(TEXTS), 50))
    streamed = small().fit(batches)
    assert streamed.vocabulary_ == in_memory.vocabulary_
    assert normalized_mutual_info_score(streamed.labels_, in_memory.labels_) > 0.98
    assert [set(words) for words in streamed.topics(5)] == [set(words) for words in in_memory.topics(5)]
    np.testing.assert_allclose(streamed.transform(iter(TEXTS[:5])), streamed.transform(TEXTS[:5]))
    assert streamed.topic_info()["representative_documents"].map(len).eq(3).all()


def test_a_prepared_corpus_is_read_from_its_files(tmp_path):
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    prepare_documents(
        tmp_path / "prepared", str(tmp_path / "texts.txt"), stop_words="none", validation_size=1, test_size=1
    )
    corpus = load_bag_of_words("prepared", data_dir=tmp_path / "prepared")
    model = small().fit(corpus)
    assert len(model.labels_) == len(corpus.train) == len(TEXTS) - 2
    np.testing.assert_array_equal(model.transform(corpus.train.counts).argmax(axis=1), model.labels_)
    found = model.transform(TEXTS).argmax(axis=1)
    assert normalized_mutual_info_score(found, LABELS) > 0.95
    with pytest.raises(ValueError, match="`tokenization`: expected 'words'"):
        small(tokenization="whitespace").fit(corpus)
    with pytest.raises(ValueError, match="`vocabulary`: expected None"):
        small(vocabulary=["moon"]).fit(corpus)


def test_a_stream_is_read_once_so_that_its_vectors_are_an_array():
    with pytest.raises(ValueError, match="`embeddings`: expected an array"):
        small().fit(iter(TEXTS), embeddings=len)


def test_later_texts_count_in_the_topics_that_they_belong_to(changing):
    before, words = changing.topic_info(), changing._topics.mixture.sums.words.sum()
    changing.set_topic_labels({0: "first"})
    assert changing.partial_fit([*LATER, "qwertyuiop"]) is changing
    new = changing.labels_[len(TEXTS) :]
    assert normalized_mutual_info_score(new[:-1], LATER_LABELS) > 0.95
    assert new[-1] == -1
    after = changing.topic_info()
    assert after["size"].sum() == before["size"].sum() + len(LATER)
    assert after["label"][0] == "first"
    # Every known word of the later texts counts once more.
    known = changing.known_tokens(LATER).sum()
    np.testing.assert_allclose(changing._topics.mixture.sums.words.sum(), words + known)
    assert len(changing._texts) == len(changing.labels_)


def test_later_texts_move_the_shares_of_the_topics(changing, tmp_path):
    space = [text for text, label in zip(LATER, LATER_LABELS, strict=True) if label == 0]
    topic = changing.transform(space).argmax(axis=1)[0]
    before = changing.topic_info()["share"][topic]
    changing.partial_fit(iter(space * 5))
    share = changing.topic_info()["share"][topic]
    expected = (before * len(TEXTS) + 5 * len(space)) / (len(TEXTS) + 5 * len(space))
    assert share == pytest.approx(expected, abs=0.05)
    changing.save(tmp_path / "model")
    again = TopicModel.load(tmp_path / "model").partial_fit(LATER[:3])
    assert len(again.labels_) == len(changing.labels_) + 3


def test_the_first_partial_fit_is_a_fit():
    model = small(epochs=1).partial_fit(TEXTS)
    assert len(model.labels_) == len(TEXTS)


def test_a_sample_finds_the_topics_of_more_texts_and_all_texts_count(rng, monkeypatch):
    labels = rng.integers(3, size=600)
    words = np.kron(np.eye(3), np.ones(10)) * 0.09 + 0.1 / 30
    counts = sparse.csr_matrix(np.stack([rng.multinomial(8, words[label] / words[label].sum()) for label in labels]))
    codes = np.eye(4)[labels] + 0.3 * rng.normal(size=(600, 4))
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    parts = codes, np.full(600, 20.0), counts, 3
    whole = fitting.fit_topics(*parts)
    monkeypatch.setattr(fitting, "LARGEST", 200)
    monkeypatch.setattr(fitting, "_BLOCK", 70)
    sampled = fitting.fit_topics(*parts)
    assert sampled.sums.words.sum() == pytest.approx(counts.sum())
    assert sampled.sums.sizes.sum() == pytest.approx(600)
    np.testing.assert_allclose(np.sort(sampled.weights), np.sort(whole.weights), atol=0.02)
    found = sampled.proportions(counts).argmax(axis=1)
    assert normalized_mutual_info_score(found, whole.proportions(counts).argmax(axis=1)) > 0.95


def test_sums_add_up_and_are_taken_by_topic(rng):
    first, second = (TopicSums(*(rng.random(shape) for shape in ((3, 7), 3, (3, 4)))) for _ in range(2))
    both = (first + second).take(np.array([2, 0]))
    np.testing.assert_allclose(both.words, (first.words + second.words)[[2, 0]])
    np.testing.assert_allclose(both.codes, (first.codes + second.codes)[[2, 0]])
    assert both.vectors is None


def test_documents_go_on_and_empty_rows_are_left_out():
    first = CountedDocuments(sparse.csr_matrix([[2.0, 0.0], [0.0, 0.0]]), np.array([0, 0]), np.array([0, 2, 2]))
    second = CountedDocuments(sparse.csr_matrix([[1.0, 1.0]]), np.array([1, 0]), np.array([0, 2]))
    both = first.extended(second)
    assert both.sequences(["a", "b"]) == [["a", "a"], [], ["b", "a"]]
    assert both.take(np.array([2, 0])).sequences(["a", "b"]) == [["b", "a"], ["a", "a"]]
    assert both.counts.toarray().tolist() == [[2, 0], [0, 0], [1, 1]]
    kept = nonempty(both.counts)
    assert kept.toarray().tolist() == [[2, 0], [1, 1]]
    assert np.shares_memory(kept.data, both.counts.data)
