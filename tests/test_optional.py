"""The hint for a missing extra."""

import configparser
import sys
from pathlib import Path

import pytest

from tf_vmf._optional import EXTRAS, missing, note_missing, optional

ROOT = Path(__file__).resolve().parents[1]


def test_a_missing_module_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2.sandbox", None)
    hint = r"Reports need jinja2.*pip install 'jinja2>=3\.1'"
    with pytest.raises(ModuleNotFoundError, match=hint) as caught, optional("demo", "Reports"):
        import jinja2.sandbox  # noqa: F401
    assert caught.value.name == "jinja2"


def test_other_errors_pass():
    with pytest.raises(ValueError, match="another"), optional("demo", "Reports"):
        raise ValueError("another")


def test_what_is_missing_can_be_told_at_the_start():
    assert missing("demo", "Reports", "json", "csv") is None
    hint = missing("demo", "Reports", "json", "no_such_module", "csv")
    assert hint == "Reports need no_such_module, which is not installed: pip install 'no_such_module'"


def test_a_result_that_needs_a_missing_module_is_replaced_by_a_note(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jinja2.sandbox", None)
    with note_missing("report.html"), optional("demo", "Reports"):
        import jinja2.sandbox  # noqa: F401
    note = "report.html was not written. Reports need jinja2, which is not installed: pip install 'jinja2>=3.1'\n"
    assert capsys.readouterr().out == note
    with pytest.raises(ValueError, match="another"), note_missing("report.html"):
        raise ValueError("another")


def test_the_advice_names_the_requirements_of_setup_cfg():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    for extra, modules in EXTRAS.items():
        lines = config["options.extras_require"][extra].splitlines()
        wanted = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        assert sorted(modules.values()) == sorted(wanted), extra
        assert [name.replace("_", "-") for name in modules] == [value.split(">=")[0] for value in modules.values()]
