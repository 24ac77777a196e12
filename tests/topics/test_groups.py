"""Classes and times of documents: what counts as one, and how times are read."""

import datetime
from decimal import Decimal

import numpy as np
import pytest

from tf_vmf._errors import ArgumentError
from tf_vmf.topics.groups import in_order, periods, read_column, read_times

pandas = pytest.importorskip("pandas")


def read(times, freq=None, bins=None, datetime_format=None):
    return periods(read_times(times, len(times), datetime_format), freq, bins)


def refused(call, *arguments, **named):
    with pytest.raises(ArgumentError) as caught:
        call(*arguments, **named)
    return caught.value


def test_columns_are_read_by_position_and_missing_entries_are_none():
    expected = ["a", None, "b"]
    for values in (
        ["a", None, "b"],
        ("a", float("nan"), "b"),
        np.array(["a", None, "b"], object),
        pandas.Series(["a", None, "b"], index=[7, 7, 1]),
        pandas.Series(["a", pandas.NA, "b"], dtype="string"),
        pandas.Series(["a", None, "b"], dtype="category"),
        pandas.Categorical(["a", None, "b"]),
        pandas.Index(["a", None, "b"]),
    ):
        assert read_column("classes", values, 3) == expected
    numbers = pandas.Series([1, None, 3], dtype="Int64")
    assert read_column("classes", numbers, 3) == [1, None, 3]
    assert read_column("classes", pandas.to_datetime(pandas.Series(["2020-01-01", None])), 2)[1] is None


def test_columns_of_polars_and_pyarrow_are_columns():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    assert read_column("classes", polars.Series(["a", None]), 2) == ["a", None]
    assert read_column("classes", pyarrow.array([1, None]), 2) == [1, None]
    assert read_column("classes", pyarrow.chunked_array([[1], [None]]), 2) == [1, None]
    assert read(pandas.Series([2000, None], dtype="int64[pyarrow]")) == [2000, None]
    assert read(pyarrow.array([2000, None])) == [2000, None]
    dates = polars.Series([datetime.date(2020, 1, 31), None])
    assert read(dates, freq="M") == [pandas.Timestamp("2020-01-01"), None]


@pytest.mark.parametrize(
    "values",
    [
        "abc",
        b"abc",
        {"a", "b", "c"},
        {"a": 1, "b": 2, "c": 3},
        iter(["a", "b", "c"]),
        5,
        pandas.DataFrame({"label": ["a", "b", "c"]}),
        np.array([["a"], ["b"], ["c"]]),
        pandas.DataFrame({"label": ["a", "b", "c"], "other": [1, 2, 3]}),
    ],
)
def test_what_has_no_order_or_no_single_entries_is_no_column(values):
    assert refused(read_column, "classes", values, 3).name == "classes"


@pytest.mark.parametrize("entry", [["a"], {"a"}, {"a": 1}, ("a", "b"), b"a", np.array([1, 2])])
def test_an_entry_that_is_no_single_value_is_named_by_its_row(entry):
    assert refused(read_column, "classes", ["a", entry], 2).name == "classes[1]"


def test_the_number_of_entries_must_be_that_of_the_documents():
    error = refused(read_column, "classes", ["a", "b"], 3)
    assert (error.expected, error.received) == ("an entry for each of the 3 documents", "2")


def test_groups_are_sorted_or_in_the_order_of_their_categories():
    assert in_order(["b", "a", "b"]) == ["a", "b"]
    assert in_order(["b", "a"], ["c", "b", "a"]) == ["b", "a"]
    assert in_order([1, "a"]) == [1, "a"]


@pytest.mark.parametrize(
    "times",
    [
        [2000, 2001, None],
        [2000.0, 2001.0, float("nan")],
        [Decimal(2000), Decimal(2001), None],
        pandas.Series([2000, 2001, None], dtype="Int64"),
        pandas.Series([2000, 2001, None]).convert_dtypes(),
        np.array([2000, 2001, np.nan]),
    ],
)
def test_numbers_stay_numbers(times):
    assert read(times) == [2000, 2001, None]


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_infinite_times_are_refused(infinite):
    assert refused(read, [1.0, infinite], bins=2).name == "times"


def test_times_of_several_kinds_are_refused_with_their_rows():
    error = refused(read, [2000, "2001-01-01"])
    assert "2000 (row 0)" in error.received
    assert "'2001-01-01' (row 1)" in error.received
    assert refused(read, [True, False]).name == "times[0]"


@pytest.mark.parametrize(
    "times",
    [
        ["2021-03-01", "2021-04-30", None],
        ["2021-03-01T10:00:00", "20210430", ""],
        ["1 March 2021", "Apr 30, 2021", None],
        ["01.03.2021", "30.04.2021", None],  # the second names the order
        ["03/01/2021", "04/30/2021", None],
        [datetime.date(2021, 3, 1), datetime.datetime(2021, 4, 30, 1), None],
        np.array(["2021-03-01", "2021-04-30", "NaT"], "datetime64[D]"),
        pandas.Series(pandas.to_datetime(["2021-03-01", "2021-04-30", None])),
        pandas.Series(pandas.PeriodIndex(["2021-03", "2021-04", None], freq="M")),
        [pandas.Period("2021-03-01", "D"), pandas.Period("2021-04-30", "D"), pandas.NaT],
    ],
)
def test_dates_of_all_kinds_fall_into_calendar_months(times):
    expected = [pandas.Timestamp("2021-03-01"), pandas.Timestamp("2021-04-01"), None]
    assert read(times, freq="M") == expected


def test_years_as_strings_are_years_and_with_a_format_numbers_are_dates():
    assert read(["2001", "2003"], freq="Y") == [pandas.Timestamp("2001-01-01"), pandas.Timestamp("2003-01-01")]
    assert read([2001, None], freq="Y", datetime_format="%Y") == [pandas.Timestamp("2001-01-01"), None]
    assert read([20210301], datetime_format="%Y%m%d") == [pandas.Timestamp("2021-03-01")]
    assert read(["01.03.2021"], datetime_format="%d.%m.%Y") == [pandas.Timestamp("2021-03-01")]
    assert read(["01.03.2021"], datetime_format="%m.%d.%Y") == [pandas.Timestamp("2021-01-03")]


@pytest.mark.parametrize("text", ["01.03.2021", "3/4/2021", "01-02-2020 10:00", "1.2.2021"])
def test_dates_that_can_be_read_in_two_ways_are_refused(text):
    error = refused(read, ["05.05.2021", text])
    assert error.name == "times[1]"
    assert "datetime_format" in error.remedy


def test_dates_in_two_orders_are_refused():
    error = refused(read, ["13.03.2021", "03.13.2021"])
    assert "(row 0)" in error.received
    assert "(row 1)" in error.received


@pytest.mark.parametrize("text", ["yesterday", "10", "10:30", "Monday", "01.03.21", "2021-13-01"])
def test_what_names_no_date_is_refused_with_its_row(text):
    assert refused(read, ["2021-03-01", text]).name == "times[1]"
    error = refused(read, ["2021", text], datetime_format="%Y")
    assert error.name == "times[1]"


def test_time_zones_are_kept_and_offsets_that_differ_become_utc():
    zoned = pandas.Series(pandas.to_datetime(["2021-03-28 01:30", "2021-10-31 23:30"])).dt.tz_localize("Europe/Berlin")
    found = read(zoned, freq="D")
    assert found == [
        pandas.Timestamp("2021-03-28", tz="Europe/Berlin"),
        pandas.Timestamp("2021-10-31", tz="Europe/Berlin"),
    ]
    offsets = ["2021-03-01T00:30:00+01:00", "2021-07-01T00:30:00+02:00"]
    assert read(offsets, freq="M") == [
        pandas.Timestamp("2021-02-01", tz="UTC"),
        pandas.Timestamp("2021-06-01", tz="UTC"),
    ]


def test_bins_are_of_equal_length_and_an_edge_belongs_to_the_later_one():
    assert read([1.0, None, 3.0], bins=2) == [1.0, None, 2.0]
    # 0.3 // 0.1 is 2.
    assert read([0.0, 0.1, 0.2, 0.3, 0.4], bins=4) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.3])
    tenths = [0.1 * i for i in range(11)]
    assert np.unique(np.round(read(tenths, bins=10), 9)).tolist() == pytest.approx([0.1 * i for i in range(10)])
    assert read([2000, 2005, 2010], bins=2) == [2000, 2005, 2005]
    dates = ["2020-01-01", "2020-01-06", "2020-01-11", None]
    later = pandas.Timestamp("2020-01-06")
    assert read(dates, bins=2) == [pandas.Timestamp("2020-01-01"), later, later, None]
    assert read([5, 5], bins=3) == [5, 5]
    assert read([None, None], bins=3) == [None, None]


def test_calendar_periods_go_with_dates_alone():
    assert refused(read, [2000, 2001], freq="Y").name == "freq"
    assert refused(read, ["2021-03-01"], freq="fortnight").name == "freq"
    assert refused(read, ["2021-03-01"], freq="M", bins=2).name == "bins"
