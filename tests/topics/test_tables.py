"""Tables and the page of a topic model."""

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.topics.planted import planted_texts
from tf_vmf._errors import ArgumentError
from tf_vmf.evaluation import topic_coherence
from tf_vmf.topics.tables import share_interval, topics_by

pandas = pytest.importorskip("pandas")
pytest.importorskip("gensim")
TEXTS, LABELS = planted_texts()
ALL = ["", *TEXTS]


def test_topic_info_has_sizes_shares_words_and_coherences(fitted):
    info = fitted.topic_info(4)
    assert list(info.columns) == [
        "topic", "label", "size", "share", "words", "c_npmi", "representative_documents",
    ]  # fmt: skip
    assert info["size"].sum() == len(TEXTS)
    assert info["share"].sum() == pytest.approx(1.0)
    assert info["words"].tolist() == fitted.topics(4)
    sequences = [[word for word in text.split() if word in fitted.vocabulary_] for text in ALL]
    np.testing.assert_allclose(info["c_npmi"], topic_coherence(fitted.topics(10), sequences), atol=1e-9)
    for topic, rows in enumerate(info["representative_documents"]):
        assert len(rows) == 3
        assert (fitted.labels_[rows] == topic).all()
        assert 0 not in rows  # the empty text


def test_a_training_text_without_a_known_word_has_no_topic(fitted):
    assert fitted.labels_[0] == -1
    np.testing.assert_array_equal(fitted.labels_[1:], fitted.transform(TEXTS).argmax(axis=1))


def test_document_info_names_the_most_probable_topic_and_none_for_a_text_without_a_known_word(model):
    model.set_topic_labels({0: "largest"})
    info = model.document_info([TEXTS[0], "", "unheard"])
    proportions = model.transform([TEXTS[0], ""])
    assert list(info.columns) == ["text", "topic", "topic_label", "probability", "known_tokens"]
    assert info["text"].tolist() == [TEXTS[0], "", "unheard"]
    assert info["topic"].tolist() == [proportions[0].argmax(), -1, -1]
    assert info["probability"][0] == pytest.approx(proportions[0].max())
    assert info["probability"][1:].isna().all()
    assert info["topic_label"].tolist() == [model.topic_labels()[info["topic"][0]], "no known word", "no known word"]
    assert info["known_tokens"].tolist() == [12, 0, 0]


def test_document_info_keeps_the_columns_of_the_user(fitted):
    index = pandas.MultiIndex.from_tuples([("a", 1), ("a", 1), ("b", 2)])  # repeated, too
    frame = pandas.DataFrame({"id": [7, 8, 9], "label": ["x", "y", None], "body": TEXTS[:3]}, index=index)
    info = fitted.document_info(frame["body"], columns=frame)
    assert list(info.columns) == ["id", "label", "body", "topic", "topic_label", "probability", "known_tokens"]
    pandas.testing.assert_frame_equal(info[["id", "label", "body"]], frame)
    np.testing.assert_array_equal(info["topic"], fitted.labels_[1:4])
    assert list(frame.columns) == ["id", "label", "body"]
    polars = pytest.importorskip("polars")
    other = fitted.document_info(polars.Series(TEXTS[:2]), columns=polars.DataFrame({"id": [7, 8]}))
    assert other["id"].tolist() == [7, 8]
    for wrong in (frame[:2], frame.rename(columns={"id": "topic"})):
        with pytest.raises(ArgumentError) as caught:
            fitted.document_info(TEXTS[:3], columns=wrong)
        assert caught.value.name == "columns"
    counts = fitted.vectorizer_(TEXTS[:2]).numpy()
    assert list(fitted.document_info(counts).columns) == ["topic", "topic_label", "probability", "known_tokens"]


def test_shares_per_class_are_the_mean_proportions_of_the_class(fitted):
    classes = ["none", *LABELS.astype(str)]
    table = fitted.topics_per_class(classes)
    assert "none" not in set(table["class"])  # its one document has no known word
    shares = table.pivot(index="class", columns="topic", values="share")
    proportions = fitted.transform(ALL)
    for name in shares.index:
        mine = np.array(classes) == name
        np.testing.assert_allclose(shares.loc[name], proportions[mine].mean(axis=0), rtol=1e-6)
    matrix = fitted.topics_per_class(classes, matrix=True)
    assert matrix.index.tolist() == ["0", "1", "2"]
    assert matrix.columns.tolist() == [0, 1, 2]
    np.testing.assert_allclose(matrix, shares)
    with pytest.raises(ArgumentError) as caught:
        fitted.topics_per_class(["a", "b"])
    assert caught.value.received == "2"


def test_documents_are_joined_by_position_whatever_the_index_and_the_output(model):
    """An index of the user's, and pandas as the output of `transform`, move no document."""
    classes = pandas.Series(np.where(LABELS == 0, "a", "b"), index=np.arange(len(LABELS))[::-1])
    expected = model.topics_per_class(classes.to_numpy(), TEXTS)
    times = pandas.Series(2000 + LABELS, index=[3] * len(LABELS), dtype="Int64")
    over_time = model.topics_over_time(times.to_numpy(int), TEXTS)
    assert expected["documents"].sum() == pytest.approx(len(TEXTS))
    model.set_output(transform="pandas")
    texts = pandas.Series(TEXTS, index=[f"id {row}" for row in range(len(TEXTS))])
    assert list(model.transform(texts).columns) == ["topicmodel0", "topicmodel1", "topicmodel2"]
    pandas.testing.assert_frame_equal(model.topics_per_class(classes, texts), expected)
    pandas.testing.assert_frame_equal(model.topics_over_time(times, texts), over_time, check_dtype=False)
    info = model.document_info(texts)
    np.testing.assert_array_equal(info["topic"], model.labels_[1:])


def test_classes_of_a_categorical_column_keep_their_order(fitted):
    classes = pandas.Series(pandas.Categorical.from_codes(LABELS, ["small", "large", "middle"]))
    assert fitted.topics_per_class(classes, TEXTS)["class"].unique().tolist() == ["small", "large", "middle"]


def test_documents_without_a_class_or_a_topic_are_left_out():
    proportions = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [np.nan, np.nan]])
    table = topics_by("class", ["a", None, "a", "a"], proportions, ["x", "y"])
    assert table["documents"].tolist() == [1.0, 1.0]
    assert table["share"].tolist() == [0.5, 0.5]


def test_intervals_of_shares_are_those_of_wilson():
    low, high = share_interval(np.array([0.0, 3.0, 10.0]), 10)
    for successes, *found in zip((0, 3, 10), low, high, strict=True):
        expected = binomtest(successes, 10).proportion_ci(0.95, "wilson")
        np.testing.assert_allclose(found, [expected.low, expected.high], atol=1e-6)


def test_times_are_put_into_periods_with_the_words_of_the_topic_there(fitted):
    dates = ["2020-01-01", "2020-01-02", "2020-01-10", "2020-01-11"]
    table = fitted.topics_over_time(dates, TEXTS[:4], bins=2)
    assert table["time"].unique().tolist() == [pandas.Timestamp("2020-01-01"), pandas.Timestamp("2020-01-06")]
    assert table.groupby("time")["documents"].sum().tolist() == pytest.approx([2.0, 2.0])
    years = fitted.topics_over_time([2001, 2003, 2001, 2003, 2003], [*TEXTS[:4], "unheard"])
    assert years["time"].unique().tolist() == [2001, 2003]
    assert years.groupby("time")["documents"].sum().tolist() == pytest.approx([2.0, 2.0])
    assert fitted.topics_over_time([5, 5], TEXTS[:2], bins=3)["time"].unique().tolist() == [5]
    months = fitted.topics_over_time(pandas.PeriodIndex(["2020-01"] * 2, freq="M"), TEXTS[:2])
    assert months["time"].unique().tolist() == [pandas.Timestamp("2020-01-01")]
    for row in months.itertuples():
        if row.documents > 0.9:
            held = {word for text in TEXTS[:2] for word in text.split()}
            assert row.words
            assert set(row.words) <= held


def test_hidden_topics_have_no_row_and_keep_their_documents(model):
    labels = model.labels_.copy()
    model.hidden_topics_ = (1,)
    assert model.topic_info()["topic"].tolist() == [0, 2]
    np.testing.assert_array_equal(model.labels_, labels)


def test_the_page_shows_labels_words_documents_and_the_window(fitted, tmp_path):
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    fitted.report(tmp_path / "report.html", ["none", *LABELS.astype(str)], title="Planted")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<h1>Planted" in page
    for rows in fitted.topic_info()["representative_documents"]:
        assert ALL[rows[0]] in page
    with pytest.raises(ValueError, match="Received: 1"):
        fitted.report(tmp_path / "other.html", ["a"])


def test_every_word_of_a_text_has_the_topic_that_explains_it(fitted):
    text = "orbit bread rocket oven unheard bread moon"
    found = fitted.topic_words(text)
    assert found["word"].tolist() == ["orbit", "bread", "rocket", "oven", "bread", "moon"]
    space, food = (fitted.find_topics(words)[0][0] for words in (["moon", "orbit"], ["bread", "oven"]))
    assert found["topic"].tolist() == [space, food, space, food, food, space]
    assert (found["weight"] > 0.5).all()
    assert fitted.topic_words("unheard").empty
    with pytest.raises(ArgumentError) as caught:
        fitted.topic_words([text])
    assert caught.value.name == "text"
