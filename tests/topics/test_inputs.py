"""What users pass as documents."""

import numpy as np
import pytest
from scipy import sparse

from tests.topics.planted import planted_texts
from tf_vmf._errors import ArgumentError
from tf_vmf.data.counts import names_of_columns
from tf_vmf.topics.inputs import plain_documents

pandas = pytest.importorskip("pandas")
TEXTS, LABELS = planted_texts()
COUNTS = np.array([[1, 0, 2], [0, 3, 0]], np.float32)
WORDS = ["b", "a", "c"]


@pytest.mark.parametrize("texts", [set(TEXTS), dict.fromkeys(TEXTS, 1), dict.fromkeys(TEXTS).keys(), frozenset(TEXTS)])
def test_what_has_no_order_is_no_list_of_texts(fitted, texts):
    with pytest.raises(TypeError, match="Expected a list of texts"):
        fitted.transform(texts)


def test_texts_of_all_libraries_are_texts(fitted):
    expected = fitted.transform(TEXTS[:5])
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    for texts in (
        tuple(TEXTS[:5]),
        np.array(TEXTS[:5]),
        np.array(TEXTS[:5], object),
        pandas.Series(TEXTS[:5], index=[1, 1, 2, 0, 7]),
        pandas.Series(TEXTS[:5], dtype="string"),
        pandas.Series(TEXTS[:5], dtype="category"),
        pandas.Series(TEXTS[:5]).convert_dtypes(),
        pandas.Index(TEXTS[:5]),
        polars.Series(TEXTS[:5]),
        pyarrow.array(TEXTS[:5]),
        pyarrow.chunked_array([TEXTS[:2], TEXTS[2:5]]),
    ):
        np.testing.assert_array_equal(fitted.transform(texts), expected)


def test_columns_of_counts_are_put_into_the_order_of_the_vocabulary():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    frame = pandas.DataFrame(COUNTS[:, [1, 2, 0]], columns=["a", "c", "b"], index=[5, 5])
    for given in (
        frame,
        frame.astype("Int64"),
        frame.astype(pandas.SparseDtype("float32", 0.0)),
        polars.DataFrame(frame.to_dict("list")),
        pyarrow.table(frame.to_dict("list")),
    ):
        found = plain_documents(given, WORDS)
        np.testing.assert_array_equal(found.toarray() if sparse.issparse(found) else found, COUNTS)
        assert names_of_columns(given).tolist() == ["a", "c", "b"]
    # Positions are no names.
    np.testing.assert_array_equal(plain_documents(pandas.DataFrame(COUNTS), WORDS), COUNTS)
    assert names_of_columns(pandas.DataFrame(COUNTS)) is None


@pytest.mark.parametrize(
    ("columns", "received"),
    [
        (["b", "a", "d"], "no column 'c'"),
        (["b", "a", "a"], "two columns 'a'"),
        (["b", "a"], "no column 'c'"),
        (["b", "a", "c", "d"], "a column 'd'"),
        ([1, 2, 3], "no column 'b'"),
    ],
)
def test_columns_that_are_not_the_words_are_refused(columns, received):
    with pytest.raises(ArgumentError) as caught:
        plain_documents(pandas.DataFrame(np.ones((2, len(columns))), columns=columns), WORDS)
    assert (caught.value.name, caught.value.received) == ("X", received)


def test_frames_of_counts_give_the_topics_of_the_texts(fitted):
    counts = pandas.DataFrame(fitted.vectorizer_(TEXTS[:9]).numpy(), columns=fitted.vocabulary_)
    shuffled = counts[sorted(counts.columns)]
    np.testing.assert_array_equal(fitted.transform(shuffled), fitted.transform(TEXTS[:9]))


def test_a_missing_count_is_named_with_its_place(fitted):
    counts = pandas.DataFrame(fitted.vectorizer_(TEXTS[:9]).numpy(), columns=fitted.vocabulary_).astype("Int64")
    counts.iloc[4, 2] = pandas.NA
    with pytest.raises(ArgumentError) as caught:
        fitted.transform(counts)
    assert caught.value.received == "nan in row 4, column 2"


@pytest.mark.parametrize("frame", [pandas.DataFrame({"text": TEXTS}), pandas.DataFrame({"text": TEXTS, "id": LABELS})])
def test_a_frame_of_texts_is_refused_with_the_way_to_its_column(fitted, frame):
    with pytest.raises(TypeError, match=r"frame\['text'\]"):
        fitted.transform(frame)
