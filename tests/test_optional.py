"""The hint for a missing extra."""

import sys

import pytest

from tf_vmf._optional import optional


def test_a_missing_module_is_named_with_the_extra_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2.sandbox", None)
    hint = r"Reports need jinja2.*pip install 'tf-vmf\[demo\]'"
    with pytest.raises(ModuleNotFoundError, match=hint) as caught, optional("demo", "Reports"):
        import jinja2.sandbox  # noqa: F401
    assert caught.value.name == "jinja2"


def test_other_errors_pass():
    with pytest.raises(ValueError, match="another"), optional("demo", "Reports"):
        raise ValueError("another")
