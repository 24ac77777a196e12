"""Tables and the page of a topic model."""

import numpy as np
import pytest

from tests.topics.planted import planted_texts
from tests.topics.test_topic_model import small
from tf_vmf.evaluation import topic_coherence

pandas = pytest.importorskip("pandas")
pytest.importorskip("gensim")
TEXTS, LABELS = planted_texts()


@pytest.fixture(scope="module")
def model():
    return small().fit(["", *TEXTS])


def test_topic_info_has_sizes_shares_words_and_coherences(model):
    info = model.topic_info(4)
    assert list(info.columns) == [
        "topic", "label", "size", "share", "words", "c_npmi", "representative_documents",
    ]  # fmt: skip
    assert info["size"].sum() == len(TEXTS)
    assert info["share"].sum() == pytest.approx(1.0)
    assert info["words"].tolist() == model.topics(4)
    sequences = [[word for word in text.split() if word in model.vocabulary_] for text in ["", *TEXTS]]
    np.testing.assert_allclose(info["c_npmi"], topic_coherence(model.topics(10), sequences), atol=1e-9)
    for topic, rows in enumerate(info["representative_documents"]):
        assert len(rows) == 3
        assert (model.labels_[rows] == topic).all()
        assert 0 not in rows  # the empty text


def test_document_info_names_the_most_probable_topic(model):
    model.set_topic_labels({0: "largest"})
    info = model.document_info([TEXTS[0], ""])
    proportions = model.transform([TEXTS[0], ""])
    assert info["text"].tolist() == [TEXTS[0], ""]
    np.testing.assert_array_equal(info["topic"], proportions.argmax(axis=1))
    np.testing.assert_allclose(info["probability"], proportions.max(axis=1))
    assert info["label"].tolist() == [model.topic_labels()[topic] for topic in info["topic"]]
    assert info["known_tokens"].tolist() == [12, 0]


def test_shares_per_class_are_the_mean_proportions_of_the_class(model):
    classes = ["none", *LABELS.astype(str)]
    table = model.topics_per_class(classes).pivot(index="class", columns="topic", values="share")
    proportions = model.transform(["", *TEXTS])
    for name in table.index:
        mine = np.array(classes) == name
        np.testing.assert_allclose(table.loc[name], proportions[mine].mean(axis=0), rtol=1e-6)
    with pytest.raises(ValueError, match="Received: 2"):
        model.topics_per_class(["a", "b"])


def test_times_are_put_into_periods_of_equal_length(model):
    dates = ["2020-01-01", "2020-01-02", "2020-01-10", "2020-01-11"]
    table = model.topics_over_time(dates, TEXTS[:4], bins=2)
    assert table["time"].unique().tolist() == [pandas.Timestamp("2020-01-01"), pandas.Timestamp("2020-01-06")]
    assert table.groupby("time")["documents"].sum().tolist() == pytest.approx([2.0, 2.0])
    years = model.topics_over_time([2001, 2003, 2001, 2003], TEXTS[:4])
    assert years["time"].unique().tolist() == [2001, 2003]
    assert model.topics_over_time([5, 5], TEXTS[:2], bins=3)["time"].unique().tolist() == [5]


def test_the_page_shows_labels_words_documents_and_the_window(model, tmp_path):
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    model.report(tmp_path / "report.html", ["none", *LABELS.astype(str)], title="Planted")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<h1>Planted" in page
    assert "windows of 10 words" in page
    assert ("The words were chosen by this coherence" in page) == model.coherent_words
    for words in model.topics(10):
        assert ", ".join(words) in page
    for rows in model.topic_info()["representative_documents"]:
        assert ["", *TEXTS][rows[0]] in page
    with pytest.raises(ValueError, match="Received: 1"):
        model.report(tmp_path / "other.html", ["a"])
