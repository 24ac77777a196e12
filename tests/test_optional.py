"""The hint for a missing extra."""

import sys

import pytest

from tf_vmf._optional import missing, note_missing, optional


def test_a_missing_module_is_named_with_the_extra_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2.sandbox", None)
    hint = r"Reports need jinja2.*pip install 'tf-vmf\[demo\]'"
    with pytest.raises(ModuleNotFoundError, match=hint) as caught, optional("demo", "Reports"):
        import jinja2.sandbox  # noqa: F401
    assert caught.value.name == "jinja2"


def test_other_errors_pass():
    with pytest.raises(ValueError, match="another"), optional("demo", "Reports"):
        raise ValueError("another")


def test_what_is_missing_can_be_told_at_the_start():
    assert missing("demo", "Reports", "json", "csv") is None
    hint = missing("demo", "Reports", "json", "no_such_module", "csv")
    assert hint == "Reports need no_such_module, which is not installed: pip install 'tf-vmf[demo]'"


def test_a_result_that_needs_a_missing_module_is_replaced_by_a_note(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jinja2.sandbox", None)
    with note_missing("report.html"), optional("demo", "Reports"):
        import jinja2.sandbox  # noqa: F401
    note = "report.html was not written. Reports need jinja2, which is not installed: pip install 'tf-vmf[demo]'\n"
    assert capsys.readouterr().out == note
    with pytest.raises(ValueError, match="another"), note_missing("report.html"):
        raise ValueError("another")
