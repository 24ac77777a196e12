"""Habits of users of data frames and scikit-learn, on ways that go past the main one."""

import datetime
import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from tests.refusals import refused
from tests.topics.conftest import small
from tests.topics.planted import planted_texts
from tf_vmf.data import load_bag_of_words
from tf_vmf.text.files import TextFiles
from tf_vmf.text.tables import Columns
from tf_vmf.topics import TopicModel
from tf_vmf.topics.report import topic_view

pandas = pytest.importorskip("pandas")
pytest.importorskip("gensim")
TEXTS, LABELS = planted_texts()
SIZE = len(TEXTS) + 1


def months(view):
    return view.times.name, view.times.values[0], view.times.values[-1]


@pytest.mark.parametrize("kind", ["Int64", "int64[pyarrow]", object])
def test_missing_years_of_a_page_are_no_dates_of_1970(fitted, kind):
    if "pyarrow" in str(kind):
        pytest.importorskip("pyarrow")
    times = pandas.Series([2000, None, 2010] * (SIZE // 3) + [None] * (SIZE % 3), dtype=kind)
    found = topic_view(fitted, times=times).times
    assert (found.name, found.values) == ("time", ("2000", "2010"))


def test_dates_of_a_page_are_read_as_those_of_the_tables(fitted):
    two_ways = ["01.03.2021", "02.04.2021"] * SIZE
    with refused("times[0]", remedy="datetime_format"):
        topic_view(fitted, times=two_ways[:SIZE])
    view = topic_view(fitted, times=two_ways[:SIZE], datetime_format="%d.%m.%Y")
    assert months(view) == ("day", "2021-03-01", "2021-04-02")
    periods = pandas.PeriodIndex(["2020-01", "2020-12"] * SIZE, freq="M")[:SIZE]
    assert months(topic_view(fitted, times=periods)) == ("month", "2020-01", "2020-12")


@pytest.mark.parametrize("argument", ["classes", "times", "titles", "texts"])
@pytest.mark.parametrize("kind", [lambda rows: set(map(str, rows)), lambda rows: dict.fromkeys(map(str, rows))])
def test_what_has_no_order_is_no_column_of_a_page(fitted, argument, kind):
    with refused(argument):
        topic_view(fitted, **{argument: kind(range(SIZE))})


def test_columns_of_a_page_are_those_of_any_frame_and_of_its_size(fitted):
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    numbers = {"id": list(range(SIZE))}
    for given in (
        numbers,
        pandas.DataFrame(numbers, index=range(SIZE)[::-1]),
        polars.DataFrame(numbers),
        pyarrow.table(numbers),
    ):
        view = topic_view(fitted, columns=given)
        assert dict(view.texts.columns)["id"] == tuple(map(str, view.texts.rows))
    for wrong in ({"id": [1, 2]}, {"id": set(range(SIZE))}):
        with refused("columns['id']"):
            topic_view(fitted, columns=wrong)


def test_labels_of_a_page_have_the_order_of_their_categories_or_numbers(fitted):
    categories = pandas.Categorical.from_codes(np.arange(SIZE) % 2, ["low", "high"])
    assert topic_view(fitted, classes=categories).classes.values == ("low", "high")
    assert topic_view(fitted, classes=[2, 10, 1] * (SIZE // 3) + [2] * (SIZE % 3)).classes.values == ("1", "2", "10")


@pytest.mark.parametrize(
    "times",
    [
        ["01 03 2021", "02 04 2021"],
        ["01. 03. 2021", "02. 04. 2021"],
        ["Mon, 01/03/2021", "Tue, 02/03/2021"],
        ["12:00 01/03/2021", "12:00 02/03/2021"],
    ],
)
def test_a_date_that_can_be_read_in_two_ways_is_refused_wherever_it_stands(fitted, times):
    with refused("times[0]", remedy="datetime_format"):
        fitted.topics_over_time(times, TEXTS[:2])


@pytest.mark.parametrize("first", ["2021-01-03", "2021/01/03", "2021.01.03", "2021-01-03 10:00", "Sun 2021-01-03"])
@pytest.mark.parametrize("second", ["13.02.2021", "Sat 13/02/2021", "13 02 2021"])
def test_a_year_in_front_is_followed_by_the_month_whatever_other_rows_write(fitted, first, second):
    found = fitted.topics_over_time([first, second], TEXTS[:2], freq="D")["time"].unique().tolist()
    assert found == [pandas.Timestamp(datetime.date(2021, 1, 3)), pandas.Timestamp(datetime.date(2021, 2, 13))]


def test_years_that_pandas_made_floats_are_years(fitted):
    found = fitted.topics_over_time([2020.0, np.nan, 2021.0], TEXTS[:3], datetime_format="%Y", freq="Y")
    assert found["time"].dt.year.unique().tolist() == [2020, 2021]


@pytest.mark.parametrize("times", [np.array([1, 2], "timedelta64[D]"), [1j, 2j]])
def test_what_is_no_point_in_time_is_refused(fitted, times):
    with refused("times[0]"):
        fitted.topics_over_time(times, TEXTS[:2])


def test_the_vocabulary_of_a_count_vectorizer_is_read_by_its_numbers():
    counter = CountVectorizer()
    counts = counter.fit_transform(TEXTS)
    by_name = small(vocabulary=counter.get_feature_names_out(), epochs=1).fit(counts)
    by_number = small(vocabulary=counter.vocabulary_, epochs=1).fit(counts)
    assert by_number.vocabulary_ == by_name.vocabulary_ == tuple(counter.get_feature_names_out())
    assert by_number.topics() == by_name.topics()
    given = {"num_topics": 3, "random_state": 0}
    again = TopicModel.from_document_model(by_name.model_, counts, vocabulary=counter.vocabulary_, **given)
    assert again.vocabulary_ == by_name.vocabulary_
    for wrong in (set(counter.vocabulary_), pandas.DataFrame({"word": counter.get_feature_names_out()})):
        with refused("vocabulary"):
            small(vocabulary=wrong, epochs=1).fit(counts)
    with refused("vocabulary[0]"):
        small(vocabulary=[word.encode() for word in counter.vocabulary_], epochs=1).fit(counts)


@pytest.mark.parametrize(
    "labels", [{"a", "b", "c"}, {"a": 1, "b": 2, "c": 3}.keys(), pandas.DataFrame({"a": ["x", "y", "z"]})]
)
def test_names_without_an_order_name_no_topics(model, labels):
    with refused("labels"):
        model.set_topic_labels(labels)


@pytest.mark.parametrize("group", [[0.0, 1.0], [False, True]])
def test_what_is_no_number_of_a_topic_is_not_merged(model, group):
    with refused("groups"):
        model.merge_topics([group])


def test_masked_numbers_are_missing_ones(fitted):
    counts = np.ma.masked_equal(fitted.vectorizer_(TEXTS[:5]).numpy(), 2.0)
    counts[0, 0] = np.ma.masked
    with refused("X", received="nan in row 0, column 0"):
        fitted.transform(counts)
    vectors = np.ma.masked_array(np.ones((len(TEXTS), 3)) + np.eye(len(TEXTS), 3), False)
    vectors[4, 1] = np.ma.masked
    with refused("embeddings", received="row 4"):
        small(epochs=1).fit(TEXTS, embeddings=vectors)


def test_a_sparse_matrix_with_an_index_outside_is_refused(fitted):
    from scipy import sparse

    wide = sparse.csr_matrix((2, len(fitted.vocabulary_)), dtype=np.float32)
    wide.indices, wide.data = np.array([10**6], np.int32), np.ones(1, np.float32)
    wide.indptr = np.array([0, 1, 1], np.int32)
    with refused("X"):
        fitted.transform(wide)


def test_a_tokenization_beside_a_tokenizer_is_refused():
    with refused("tokenization"):
        small(tokenizer=str.split, tokenization="punctuation").fit(TEXTS)


@pytest.mark.parametrize("name", ["topics.npz", "model.keras", "topic_model.json"])
def test_a_file_of_another_topic_model_is_refused(name, fitted_folder, planted_folder, tmp_path):
    import shutil

    shutil.copytree(fitted_folder, tmp_path / "mixed")
    shutil.copy(planted_folder / name, tmp_path / "mixed" / name)
    with pytest.raises(ValueError, match="is not the file that was saved"):
        TopicModel.load(tmp_path / "mixed")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x93NUMPY"])
def test_a_damaged_file_of_topics_is_named(content, tmp_path):
    from tf_vmf.topics.fitted import read_topics

    (tmp_path / "topics.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"topics\.npz is damaged"):
        read_topics(tmp_path / "topics.npz")


HALF = "moon \ud800 light"


@pytest.mark.parametrize("argument", ["classes", "titles", "times", "texts", "columns"])
def test_half_a_surrogate_pair_beside_the_texts_is_named(fitted, argument, tmp_path):
    given = ["2020"] * (SIZE - 1) + [HALF]
    name = "columns['of']" if argument == "columns" else argument
    with refused(f"{name}[{SIZE - 1}]", "half of a surrogate pair"):
        topic_view(fitted, **{argument: {"of": given} if argument == "columns" else given})


def test_half_a_surrogate_pair_in_names_is_named(fitted, model, tmp_path):
    with refused("columns", "half of a surrogate pair"):
        topic_view(fitted, columns={HALF: ["x"] * SIZE})
    for labels in ({1: HALF}, ["a", HALF, "b"]):
        with refused("labels[1]", "half of a surrogate pair"):
            model.set_topic_labels(labels)
    (tmp_path / "edits.json").write_text(json.dumps({"labels": {"0": HALF}}))
    with refused("edits", "half of a surrogate pair"):
        model.apply_edits(tmp_path / "edits.json")
    with refused("seed_words", "half of a surrogate pair"):
        small(seed_words={HALF: ["moon"]}).fit(TEXTS)
    with refused("text", "half of a surrogate pair"):
        model.report(tmp_path / "page.html", title=HALF)
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("column", ["label", "title", "other"])
def test_half_a_surrogate_pair_in_a_column_of_a_file_is_named_by_its_line(column, tmp_path):
    rows = [{"text": "moon light", column: "a"}, {"text": "moon night", column: HALF}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    columns = Columns("text", "label" if column == "label" else None)
    with pytest.raises(ValueError, match=rf"a\.jsonl, line 2.*a {'label' if column == 'label' else 'cell'} with half"):
        list(TextFiles(tmp_path / "a.jsonl", columns=columns))
    if column == "label":
        with refused("texts[1]", "a label with half of a surrogate pair"):
            load_bag_of_words(texts=["moon light", "moon night"], labels=["a", HALF], stop_words="none")
