"""What the page of a topic model shows is what the model says."""

from collections import Counter

import numpy as np
import pytest

from tests.report.errors import argument_error
from tests.topics.planted import WORDS, planted_texts
from tf_vmf.topics import TopicModel
from tf_vmf.topics.report import topic_view, write_topic_report

TEXTS, LABELS = planted_texts()
TEXTS = [*TEXTS, "qwertyuiop"]
NAMES = [*(list(WORDS)[label] for label in LABELS), None]


@pytest.fixture(scope="module")
def model():
    pytest.importorskip("gensim")
    return TopicModel(3, latent_dim=5, epochs=30, stop_words="none", random_state=0).fit(TEXTS)


@pytest.fixture(scope="module")
def view(model):
    days = [f"2024-{1 + row % 9:02d}-15" for row in range(len(TEXTS))]
    return topic_view(model, classes=NAMES, times=days, texts=TEXTS, whole=True)


def test_topics_are_numbered_named_and_counted_as_by_the_model(model, view):
    assert [topic.number for topic in view.topics] == [0, 1, 2]
    assert [topic.label for topic in view.topics] == model.topic_labels()
    assert [list(topic.words) for topic in view.topics] == model.topics(10)
    assert [topic.size for topic in view.topics] == np.bincount(model.labels_[:-1], minlength=3).tolist()
    assert (view.num_texts, view.num_unknown) == (181, 1)
    assert view.texts.topic[-1] == -1
    assert 180 not in view.texts.rows
    for topic in view.topics:
        assert {int(model.labels_[row]) for row in (*topic.typical, *topic.diverse)} == {topic.number}


def test_typical_texts_are_nearest_to_the_center_and_diverse_ones_far_from_each_other(model, view):
    codes = model.embed(TEXTS[:-1])
    for topic in view.topics:
        center = codes[list(topic.typical)].mean(axis=0)
        members = np.flatnonzero(model.labels_[:-1] == topic.number)
        cosine = codes @ center / np.linalg.norm(center)
        assert cosine[list(topic.typical)].min() > np.quantile(cosine[members], 0.5)
        alike = [codes[a] @ codes[b] for a in topic.diverse for b in topic.diverse if a < b]
        typical = [codes[a] @ codes[b] for a in topic.typical for b in topic.typical if a < b]
        assert np.mean(alike) < np.mean(typical)


def test_classes_and_months_count_every_text_with_a_topic(model, view):
    assert view.classes.values == tuple(sorted(WORDS))
    for row, name in zip(view.classes.counts, view.classes.values, strict=True):
        expected = np.bincount(model.labels_[[i for i, own in enumerate(NAMES) if own == name]], minlength=3)
        np.testing.assert_array_equal(row, expected)
    assert (view.times.name, view.times.values[0], len(view.times.values)) == ("month", "2024-01", 9)
    assert view.times.counts.sum() == 180


def test_of_many_labels_the_most_frequent_are_shown_and_all_are_compared(model, tmp_path):
    from sklearn.metrics import normalized_mutual_info_score

    own = [f"own {row % 45 if row < 135 else row % 60}" for row in range(len(TEXTS))]
    view = topic_view(model, classes=own, texts=TEXTS, whole=True)
    frequent = {label for label, _ in Counter(own).most_common(40)}
    assert (len(view.classes.values), view.classes.num_values) == (40, len(set(own)))
    assert min(Counter(own)[label] for label in view.classes.values) == min(Counter(own)[label] for label in frequent)
    assert dict(view.texts.columns)["label"] == tuple(own[row] for row in view.texts.rows)
    write_topic_report(tmp_path / "page.html", model, classes=own)
    page = (tmp_path / "page.html").read_text("utf-8")
    known = model.labels_ >= 0
    expected = normalized_mutual_info_score(np.array(own)[known], model.labels_[known])
    assert f"Normalized mutual information of topics and labels: {expected:.3f}." in page
    assert f"The 40 most frequent of {len(set(own))} labels" in page
    assert "without a label" not in page


def test_the_tree_of_the_page_is_that_of_the_model(model, view):
    np.testing.assert_array_equal(view.tree, model.hierarchy().linkage)


def test_probabilities_of_words_are_those_that_the_model_decodes(model, view):
    decoded = np.exp(model._topics.log_probabilities)
    for topic in view.topics:
        for word, p in zip(topic.by_relevance.words, topic.by_relevance.probabilities, strict=True):
            assert p == pytest.approx(decoded[topic.number, model.vocabulary_.index(word)])


def test_topics_that_an_edit_hides_are_left_out(model):
    model.hidden_topics_ = (1,)
    try:
        hidden = topic_view(model)
    finally:
        model.hidden_topics_ = ()
    assert (hidden.gone, hidden.num_unknown, hidden.topics[1].size) == ((1,), 1, 0)
    assert set(hidden.texts.topic.tolist()) == {-1, 0, 2}


@pytest.mark.parametrize(
    ("times", "name", "values"),
    [
        ([2001, 2003, 2001], "time", ("2001", "2003")),
        ([20240102, 20240131], "time", ("20240102", "20240131")),
        (["2019-05-01", "2024-02-01", None], "year", ("2019", "2020", "2021", "2022", "2023", "2024")),
        (["13.02.2024", "01.03.2024"], "day", (*(f"2024-02-{day}" for day in range(13, 30)), "2024-03-01")),
        ([None, float("nan"), None], None, None),
    ],
)
def test_periods_are_those_of_the_calendar_or_the_numbers_themselves(times, name, values):
    pytest.importorskip("pandas")
    from tf_vmf.topics.groups import read_times
    from tf_vmf.topics.report import _periods

    found = _periods(read_times(times, len(times), None))
    if name is None:
        assert found is None
    else:
        assert found[0] == name
        assert tuple(found[1]) == values
        assert found[2][0] == 0


@pytest.mark.parametrize("argument", ["classes", "times", "titles", "texts", "columns"])
def test_as_many_of_everything_as_texts_are_asked_for(model, argument):
    with argument_error({"columns": "columns['source']"}.get(argument, argument), "1"):
        topic_view(model, **{argument: {"source": ["a"]} if argument == "columns" else ["a"]})


def test_times_that_can_be_read_in_two_ways_are_refused_and_a_format_reads_them(model):
    times = ["01.03.2021", *["02.03.2021"] * (len(TEXTS) - 1)]
    with argument_error("times[0]", "'01.03.2021', whose day is either number"):
        topic_view(model, times=times)
    days = topic_view(model, times=times, datetime_format="%d.%m.%Y").times
    assert days.values[0].startswith("2021-03-01")


def test_missing_titles_and_cells_are_not_shown_as_none_or_nan(model):
    size = len(TEXTS)
    columns = {"source": [float("nan"), *["mail"] * (size - 1)]}
    texts = topic_view(model, titles=["A", None, *["B"] * (size - 2)], columns=columns).texts
    assert texts.titles[:3] == ("A", "Text 1", "B")
    assert dict(texts.columns)["source"][:2] == ("", "mail")
