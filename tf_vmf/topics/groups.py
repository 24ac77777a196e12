"""The class or the time of each document: reading them from lists, arrays and columns, and putting times into periods."""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from fractions import Fraction
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError, check_unicode
from tf_vmf._optional import optional

# Two fields of one or two digits before a year, anywhere in a string: either may be the day.
_BETWEEN = r"(?:\s*[./,-]\s*|\s+)"
_NUMERIC_DATE = re.compile(rf"(?<!\d)(\d{{1,2}}){_BETWEEN}(\d{{1,2}}){_BETWEEN}(\d{{4}})(?!\d)")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)|^\s*\d{8}(?!\d)")


def read_column(name: str, values: Any, size: int, *, nested: bool = False) -> list[Any]:
    """The `size` entries of a list, a tuple, an array or a column of a data frame, by position; None where one is missing.

    Columns may be those of pandas, polars, pyarrow or numpy; an index plays no part. `nested` entries, which are only shown, may
    be lists and the like.
    """
    if hasattr(values, "columns"):
        columns = [str(column) for column in values.columns]
        raise ArgumentError(
            name,
            "a list or one column",
            f"a data frame with columns {columns}",
            f"Pass frame[{columns[:1] or ['..']}[0]].",
        )
    if isinstance(values, str | bytes | Mapping | Set | Iterator) or not isinstance(values, Iterable):
        raise ArgumentError(
            name,
            "a list, an array or a column of a data frame, one entry per document",
            f"{type(values).__name__}: {values!r:.60}",
        )
    if getattr(values, "ndim", 1) != 1:
        raise ArgumentError(name, "one entry per document", f"an array of shape {np.asarray(values).shape}")
    entries = values.to_pylist() if hasattr(values, "to_pylist") else list(values)
    if len(entries) != size:
        raise ArgumentError(name, f"an entry for each of the {size} documents", f"{len(entries)}")
    for row, entry in enumerate(entries):
        several = isinstance(entry, Mapping | Set | list | tuple | bytes) or int(getattr(entry, "ndim", 0))
        if several and not nested:
            raise ArgumentError(f"{name}[{row}]", "a single value", repr(entry)[:60])
        check_unicode(entry, f"{name}[{row}]")
    return [None if _is_missing(entry) else entry for entry in entries]


def in_order(values: Iterable[Any], categories: Any = None) -> list[Any]:
    """The distinct values: in the order of the categories, or sorted, as strings where they cannot be compared."""
    distinct = dict.fromkeys(values)
    if categories is not None:
        return [category for category in categories if category in distinct]
    try:
        return sorted(distinct)
    except TypeError:
        return sorted(distinct, key=str)


def read_times(times: Any, size: int, datetime_format: str | None) -> Any:
    """The time of each document as a pandas series of numbers, dates or periods; missing ones stay missing.

    Dates may be strings, `datetime`, numpy, pandas, polars and pyarrow ones, with or without a time zone. `datetime_format`, as
    "%d.%m.%Y", says how strings and numbers are read as dates.
    """
    import pandas

    entries = read_column("times", times, size)
    present = [(row, entry) for row, entry in enumerate(entries) if entry is not None]
    kinds = {_kind(row, entry) for row, entry in present}
    if len(kinds) > 1:
        first = {_kind(row, entry): (row, entry) for row, entry in reversed(present)}
        shown = " and ".join(
            f"{entry!r} (row {row})" for row, entry in sorted(first.values(), key=lambda each: each[0])
        )
        raise ArgumentError("times", "times of one kind: numbers, dates or strings", shown)
    kind = kinds.pop() if kinds else "number"
    if kind == "period":
        frequencies = {entry.freqstr for _, entry in present}
        if len(frequencies) > 1:
            raise ArgumentError("times", "periods of one length", ", ".join(sorted(frequencies)))
        return pandas.Series(pandas.PeriodIndex(entries, freq=frequencies.pop()))
    if kind == "number" and datetime_format is None:
        return pandas.Series([None if entry is None else _plain(entry) for entry in entries], dtype=object)
    if kind == "number":
        plain = [None if entry is None else _plain(entry) for entry in entries]
        entries = [None if each is None else str(int(each) if each == int(each) else each) for each in plain]
        present, kind = [(row, entry) for row, entry in enumerate(entries) if entry is not None], "string"
    day_first = _day_first(present) if kind == "string" and datetime_format is None else False
    return _dates(entries, datetime_format if kind == "string" else None, day_first)


def periods(times: Any, freq: str | None, bins: int | None) -> list[Any]:
    """The start of the period of each time: a calendar period, one of `bins` of equal length, or without both the time itself.

    `freq` is the calendar period of pandas, as "D", "W", "M", "Q", "Y". A time at the edge of two bins belongs to the later one,
    the last time to the last bin.
    """
    import pandas

    if freq is not None and bins is not None:
        raise ArgumentError("bins", "None where `freq` is given", str(bins))
    numeric = times.dtype == object
    if freq is not None and numeric and times.notna().any():
        raise ArgumentError(
            "freq",
            "None, as the times are numbers",
            repr(freq),
            "datetime_format='%Y' reads them as years; `bins` groups numbers.",
        )
    if isinstance(times.dtype, pandas.PeriodDtype):
        times = times.dt.start_time
    if freq is not None and not numeric:
        zone = times.dt.tz
        try:
            starts = times.dt.tz_localize(None).dt.to_period(freq).dt.start_time
        except (ValueError, KeyError, TypeError) as error:
            raise ArgumentError(
                "freq", "a calendar period as 'D', 'W', 'M', 'Q' or 'Y'", repr(freq), f"{error}"
            ) from None
        if zone is not None:
            starts = starts.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
        return _present(starts)
    if bins is None or not times.notna().any():
        return _present(times)
    first, last = times.dropna().min(), times.dropna().max()
    if first == last:
        return [None if entry is None else first for entry in _present(times)]
    return [None if entry is None else _start_of_bin(entry, first, last, bins) for entry in _present(times)]


def _start_of_bin(time: Any, first: Any, last: Any, bins: int) -> Any:
    if isinstance(time, numbers.Real):
        position = Fraction(time - first) / Fraction(last - first) * bins
        # 0.3 is less than three tenths: a billionth of a period is no difference.
        number = min(int(position + Fraction(1, 10**9)), bins - 1)
        return first + (last - first) * number / bins
    number = min(int((time - first) * bins // (last - first)), bins - 1)
    return first + (last - first) * number / bins


def _present(times: Any) -> list[Any]:
    import pandas

    return [None if pandas.isna(time) else time for time in times]


def _kind(row: int, entry: Any) -> str:
    import pandas

    if isinstance(entry, pandas.Period):
        return "period"
    if isinstance(entry, str):
        return "string"
    if isinstance(entry, bool) or type(entry).__name__ == "bool":
        raise ArgumentError(f"times[{row}]", "a number or a date", repr(entry))
    is_number = isinstance(entry, numbers.Real) or hasattr(entry, "as_integer_ratio")
    if is_number and not isinstance(entry, np.timedelta64):  # which numpy calls an integer
        return "number"
    if hasattr(entry, "year") or type(entry).__name__ == "datetime64":
        return "date"
    raise ArgumentError(f"times[{row}]", "a number or a date", f"{type(entry).__name__}: {entry!r:.60}")


def _plain(entry: Any) -> int | float:
    """A number of Python, if it is finite."""
    if isinstance(entry, numbers.Integral):
        return int(entry)
    number = float(entry)
    if number in (float("inf"), float("-inf")):
        raise ArgumentError(
            "times", "finite numbers", str(number), "Replace infinite times by None, which leaves them out."
        )
    return number


def _day_first(present: list[tuple[int, str]]) -> bool:
    """True if dates such as 13.03.2021 begin with the day, as all of them tell together; an ArgumentError if they do not tell."""
    day, month, open_ = None, None, None
    for row, text in present:
        if text.strip() and not _YEAR.search(text):
            raise ArgumentError(
                f"times[{row}]",
                "a date with a year of four digits",
                repr(text),
                "`datetime_format` says how to read others.",
            )
        if not (match := _NUMERIC_DATE.search(text)):
            continue
        first, second = int(match[1]), int(match[2])
        if first > 12:
            day = day or (row, text)
        elif second > 12:
            month = month or (row, text)
        elif first != second:
            open_ = open_ or (row, text)
    if day and month:
        shown = f"{day[1]!r} (row {day[0]}) and {month[1]!r} (row {month[0]})"
        raise ArgumentError("times", "dates in one order", shown, "`datetime_format` says how to read them.")
    if open_ and not day and not month:
        raise ArgumentError(
            f"times[{open_[0]}]",
            "dates that can be read in one way",
            f"{open_[1]!r}, whose day is either number",
            "Pass `datetime_format`, as '%d.%m.%Y' or '%m/%d/%Y'.",
        )
    return day is not None


def _dates(entries: list[Any], datetime_format: str | None, day_first: bool) -> Any:
    import pandas

    # With the year in front no reader mistakes day and month, in whatever order other rows write them.
    order = r"\3-\2-\1" if day_first else r"\3-\1-\2"
    column = pandas.Series(
        [
            entry if not isinstance(entry, str)
            else (entry.strip() if datetime_format else _NUMERIC_DATE.sub(order, entry.strip())) or None
            for entry in entries
        ],
        dtype=object,
    )  # fmt: skip
    options = {}
    if any(isinstance(entry, str) for entry in column):
        options = {"format": datetime_format or ("ISO8601" if _all_iso(column) else "mixed")}
    try:
        return pandas.Series(pandas.to_datetime(column, **options))
    except (TypeError, ValueError) as error:
        message = str(error)
    try:  # offsets that differ, as those of summer and winter, or dates with and without one
        return pandas.Series(pandas.to_datetime(column, utc=True, **options))
    except (TypeError, ValueError):
        pass
    read = pandas.to_datetime(column, errors="coerce", utc=True, **options)
    wrong = [
        row
        for row, (entry, time) in enumerate(zip(column, read, strict=True))
        if entry is not None and pandas.isna(time)
    ]
    where = f"times[{wrong[0]}]" if wrong else "times"
    received = repr(entries[wrong[0]]) if wrong else message
    expected = f"a date in the format {datetime_format!r}" if datetime_format else "a number or a date"
    raise ArgumentError(
        where, expected, received, "" if datetime_format else "`datetime_format` says how to read others."
    )


def _all_iso(entries: Iterable[Any]) -> bool:
    return all(re.match(r"\s*(\d{4}($|-|\d{4})|$)", entry) for entry in entries if isinstance(entry, str))


def _is_missing(entry: Any) -> bool:
    """Whether an entry is None or one of the missing values of numpy and pandas."""
    if entry is None:
        return True
    if isinstance(entry, str):
        return False
    with optional("topics", "Tables of topics"):
        import pandas
    return pandas.api.types.is_scalar(entry) and bool(pandas.isna(entry))
