"""What a newcomer may pass by mistake is refused by name, or does what the documentation says."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from tests.topics.conftest import small
from tests.topics.planted import planted_texts
from tests.topics.test_topic_model import PLANTED
from tf_vmf.topics import TopicModel
from tf_vmf.topics.fitted import merged_numbers

TEXTS, LABELS = planted_texts()


@pytest.fixture(scope="module")
def model(planted_folder):
    return TopicModel.load(planted_folder)


@pytest.mark.parametrize(
    ("documents", "error", "message"),
    [
        ([], ValueError, "Received: none"),
        (None, TypeError, "NoneType"),
        ((row for row in [*TEXTS, 3]), ValueError, r"\[180\] = 3"),
        ([["moon", "orbit"], ["bread"]], TypeError, "Join the words"),
        ([TEXTS[0]], ValueError, "no stop word"),
        ([*TEXTS, None], TypeError, r"documents\[180\] of type NoneType"),
    ],
)
def test_what_is_no_list_of_texts_is_refused_before_training(documents, error, message):
    with pytest.raises(error, match=message):
        small().fit(documents)


def test_one_document_has_no_topics():
    with pytest.raises(ValueError, match=r"two in all\. Received: 1 of 1"):
        small(1, min_df=1).fit(TEXTS[:1])


@pytest.mark.parametrize(
    ("documents", "error"),
    [
        (np.array([["moon"], ["orbit"]]), ValueError),
        ([b"moon"], TypeError),
        (np.ones(len(PLANTED)), ValueError),
        ([["moon", "orbit"], ["bread"]], TypeError),
    ],
)
def test_what_is_neither_texts_nor_counts_is_refused(model, documents, error):
    with pytest.raises(error, match=r"[Ee]xpected"):
        model.transform(documents)


def test_a_data_frame_is_refused_with_the_way_to_its_column(model):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": TEXTS})
    for call in (small().fit, model.transform):
        with pytest.raises((TypeError, ValueError), match=r"frame\['text'\]"):
            call(frame)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_counts_that_are_no_numbers_are_refused(odd):
    counts = np.ones((5, 2))
    counts[3, 1] = odd
    with pytest.raises(ValueError, match="finite and >= 0"):
        small(vocabulary=["moon", "orbit"]).fit(counts)


def test_small_weights_as_those_of_tf_idf_are_known_words():
    counts = CountVectorizer(vocabulary=PLANTED).fit_transform(TEXTS)
    weights = TfidfTransformer(norm="l1").fit_transform(counts)
    fitted = small(epochs=3, vocabulary=PLANTED).fit(weights)
    assert len(np.unique(fitted.labels_)) > 1
    np.testing.assert_array_equal(fitted.known_tokens(weights[:3]), [1, 1, 1])
    assert np.isfinite(fitted.score(weights))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"relevance_weight": "high"}, "relevance_weight"),
        ({"mode_concentration": float("inf")}, "mode_concentration"),
        ({"verbose": "auto"}, "verbose"),
        ({"seed_words": "moon"}, "seed_words"),
        ({"seed_words": {"space": "moon"}}, "seed_words"),
        ({"seed_words": [[]]}, "seed_words"),
        ({"seed_words": [["moons"]]}, "`seed_words`.*Similar words: moon"),
        ({"seed_words": [["unused"]], "vocabulary": [*PLANTED, "unused"]}, "`seed_words`: expected words of the doc"),
        ({"vocabulary": "moon"}, "vocabulary"),
        ({"vocabulary": []}, "vocabulary"),
    ],
)
def test_parameters_are_refused_by_name_before_training(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(**arguments).fit(TEXTS)


def test_words_that_the_tokenizer_never_writes_are_named_and_few_words_have_a_table():
    pytest.importorskip("pandas")
    pytest.importorskip("gensim")
    with pytest.warns(UserWarning, match="1 of 3 words.*'Moon'"):
        fitted = small(2, epochs=1, vocabulary=["Moon", "bread", "goal"]).fit(TEXTS)
    info = fitted.topic_info()
    assert [(sorted(words[:2]), words[2]) for words in info["words"]] == [(["bread", "goal"], "Moon")] * 2
    # The two words that occur are in different texts: p(a, b) is the 1e-12 that gensim adds.
    bread, goal = (np.mean([word in text.split() for text in TEXTS]) for word in ("bread", "goal"))
    np.testing.assert_allclose(info["c_npmi"], np.log(1e-12 / (bread * goal)) / -np.log(1e-12), rtol=1e-6)


def test_more_topics_than_distinct_documents_are_announced():
    with pytest.warns(UserWarning, match="1 distinct codes"):
        assert small(2, epochs=1).fit(TEXTS[:1] * 20).num_topics_ == 2


def test_methods_refuse_odd_arguments_by_name(model):
    for number in (0, 2.5, 1000):
        with pytest.raises(ValueError, match="`num_words`"):
            model.topics(number)
    with pytest.raises(ValueError, match="`words`"):
        model.find_topics([])
    with pytest.raises(ValueError, match="`num_topics`"):
        model.find_topics("moon", -1)
    with pytest.raises(ValueError, match="`labels`"):
        model.set_topic_labels("abc")
    for groups in ([0, 1], [[0, 1.5]]):
        with pytest.raises(ValueError, match="`groups`"):
            merged_numbers(3, groups)


def test_a_label_can_be_taken_away(model):
    words = model.topic_labels()
    model.set_topic_labels({0: "space", 1: "food"}).set_topic_labels([None, "food", None])
    assert model.topic_labels() == [words[0], "food", words[2]]
    model.set_topic_labels({1: None})
    assert model.topic_labels() == words


def test_every_method_of_an_unfitted_model_says_so():
    from sklearn.exceptions import NotFittedError

    calls = [
        lambda m: m.topics(), lambda m: m.topic_labels(), lambda m: m.find_topics("moon"), lambda m: m.embed(TEXTS),
        lambda m: m.topic_info(), lambda m: m.document_info(TEXTS), lambda m: m.score(TEXTS), lambda m: m.outliers(),
        lambda m: m.merge_topics([[0, 1]]), lambda m: m.set_topic_labels({0: "a"}), lambda m: m.update_words(),
        lambda m: m.topics_per_class(LABELS), lambda m: m.topics_over_time(LABELS), lambda m: m.known_tokens(TEXTS),
        lambda m: m.report("report.html"), lambda m: m.save("folder"), lambda m: m.export("folder"),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(NotFittedError):
            call(TopicModel())


def test_the_page_leaves_documents_without_a_class_out(model, tmp_path):
    pandas = pytest.importorskip("pandas")
    for module in ("gensim", "jinja2", "matplotlib"):
        pytest.importorskip(module)
    classes = [None if row < 30 else f"class {label}" for row, label in enumerate(LABELS)]
    for given in (classes, pandas.Series(classes, dtype="string")):  # whose missing value is pandas.NA
        model.report(tmp_path / "report.html", given)
        page = (tmp_path / "report.html").read_text("utf-8")
        assert "30 texts without a label are left out" in page
        assert ">None<" not in page
    model.report(tmp_path / "report.html", [None] * len(LABELS))
    assert "without a label" not in (tmp_path / "report.html").read_text("utf-8")
