"""Findings survive the way to JSON and back."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tests.report import findings as made
from tests.report.engine.sweep_runs import write_runs
from tf_vmf._errors import ArgumentError
from tf_vmf.report import DOCUMENT_SECTIONS, SENTENCE_SECTIONS, Findings, SweepFindings, find_sweep, sweep_points
from tf_vmf.report.engine.serialization import from_json, to_json


@dataclass(frozen=True, eq=False)
class Inner:
    name: str
    value: float | None


@dataclass(frozen=True, eq=False)
class Everything:
    array: np.ndarray
    integers: np.ndarray
    flags: np.ndarray
    missing: np.ndarray | None
    number: float
    count: int
    pair: tuple[str, int]
    inner: tuple[Inner, ...]
    mapping: Mapping[str, tuple[float, ...]]
    anything: Mapping[str, Any]


EVERYTHING = Everything(
    array=np.array([[1.0, np.nan], [np.inf, -np.inf]]),
    integers=np.array([3, 4]),
    flags=np.array([True, False]),
    missing=None,
    number=float("nan"),
    count=3,
    pair=("größer", 2),
    inner=(Inner("a", None), Inner("b", 0.1)),
    mapping={"x": (1.0, float("nan"))},
    anything={"text": "t", "list": [1, None]},
)


def assert_same(a, b):
    """Equality that goes into dataclasses, and in which nan equals nan."""
    assert type(a) is type(b)
    if dataclasses.is_dataclass(a):
        for field in (each for each in dataclasses.fields(a) if each.metadata.get("json", True)):
            assert_same(getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, tuple | list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, Mapping):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    else:
        assert a == b or (a != a and b != b)


def test_every_kind_of_value_comes_back_as_it_was():
    assert_same(from_json(to_json(EVERYTHING), Everything), EVERYTHING)


def test_the_text_is_json_of_the_standard_without_nan():
    content = json.loads(to_json(EVERYTHING), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert content["findings"] == "Everything"
    assert content["array"] == [[1.0, None], ["inf", "-inf"]]
    assert content["number"] is None
    assert content["inner"][1] == {"name": "b", "value": 0.1}


@pytest.mark.parametrize(
    ("findings", "sections"),
    [
        (made.document_findings(), DOCUMENT_SECTIONS),
        (made.sentence_findings(label_samples=made.label_comparison()), SENTENCE_SECTIONS),
        (made.sentence_findings(latent=None), SENTENCE_SECTIONS),
    ],
)
def test_findings_of_models_come_back_as_they_were(findings, sections):
    assert_same(Findings.from_json(findings.to_json(), sections), findings)
    first = findings.records[0]
    assert_same(Findings.from_json(findings.to_json(), [type(first)]).records, (first,))


def test_findings_of_a_sweep_come_back_as_they_were(tmp_path):
    findings = find_sweep(sweep_points(write_runs(tmp_path)), command="c", failures=["f"])
    assert_same(from_json(to_json(findings), SweepFindings), findings)


def test_findings_of_another_class_are_refused(tmp_path):
    sweep = to_json(find_sweep(sweep_points(write_runs(tmp_path))))
    with pytest.raises(ArgumentError) as of_class:
        from_json(sweep, Everything)
    assert (of_class.value.name, of_class.value.expected, of_class.value.received) == (
        "text",
        "Everything as JSON",
        "'SweepFindings'",
    )
    with pytest.raises(ArgumentError) as of_report:
        Findings.from_json(sweep, DOCUMENT_SECTIONS)
    assert (of_report.value.name, of_report.value.received) == ("text", "'SweepFindings'")


def test_what_json_has_no_place_for_is_refused():
    with pytest.raises(TypeError, match="Received: set"):
        to_json(dataclasses.replace(EVERYTHING, anything={"x": {1}}))
