"""Flags are made from configurations, which are the one place of names, defaults and bounds."""

import dataclasses

import pytest
from absl import flags

from flags.from_config import define, read
from flags.help import help_text
from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs import (
    Config,
    DocumentConfig,
    ExportConfig,
    PrepareConfig,
    SentenceConfig,
    ServeConfig,
)
from tf_vmf.programs.configs.options import option, with_default

CONFIGS = (DocumentConfig, SentenceConfig, PrepareConfig, ExportConfig, ServeConfig)


def parsed(config, *arguments):
    values = define([config])
    values(["program", *arguments])
    return read(config, values)


@pytest.mark.parametrize("config", CONFIGS)
def test_every_option_is_a_flag_with_its_default_and_stands_in_the_help(config):
    values, text = define([config]), help_text("program", "What it does.", [config])
    values(["program"])
    for field in dataclasses.fields(config):
        default = None if field.default is dataclasses.MISSING else field.default
        value = values[field.name].value
        expected = list(map(str, default)) if isinstance(default, tuple) else default
        assert value == expected or float(value) == expected
        assert f"--{field.name}" in text or f"--[no]{field.name}" in text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Changed(DocumentConfig):
    """Changed."""

    latent_dim: int = with_default(DocumentConfig, "latent_dim", 7)


def test_a_default_that_is_changed_in_the_configuration_is_that_of_the_flag_the_help_and_the_run():
    assert parsed(Changed, "--corpus=a").latent_dim == Changed(corpus="a").latent_dim == 7
    line = next(part for part in help_text("program", "", [Changed]).split("\n  --") if part.startswith("latent_dim"))
    assert "(default: 7)" in " ".join(line.split())


def test_a_command_line_and_python_give_equal_configurations():
    command = [
        *("--train_files=a.txt,b=c.txt", "--encoder_units=300,200", "--decoder_units=", "--concentration=learned"),
        *("--nounigram_bias", "--learning_rate=0.1", "--validation_size=0.2", "--kl_warmup_steps=5"),
    ]
    assert parsed(DocumentConfig, *command) == DocumentConfig(
        train_files=("a.txt", "b=c.txt"),
        encoder_units=(300, 200),
        decoder_units=(),
        concentration="learned",
        unigram_bias=False,
        learning_rate=0.1,
        validation_size=0.2,
        kl_warmup_steps=5,
    )
    assert parsed(DocumentConfig, "--corpus=a", "--concentration=12.5").concentration == 12.5


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "lerned", ""])
def test_a_wrong_concentration_is_refused_with_what_is_allowed(value):
    with pytest.raises(ArgumentError, match="a number >= 0, or 'learned'"):
        parsed(DocumentConfig, "--corpus=a", f"--concentration={value}")


@pytest.mark.parametrize(
    ("argument", "error", "message"),
    [
        ("--encoder_units=a,b", ArgumentError, "integers separated by commas"),
        ("--epochs=two", ArgumentError, "`epochs`: expected an integer >= 1. Received: 'two'"),
        ("--epoch=2", flags.UnrecognizedFlagError, "Did you mean: epochs"),
        ("--latent_dim=0", ArgumentError, ">= 1"),
    ],
)
def test_a_wrong_flag_is_refused(argument, error, message):
    with pytest.raises(error, match=message):
        parsed(DocumentConfig, "--corpus=a", argument)


def test_a_flag_that_must_be_given_is_named():
    with pytest.raises(ArgumentError, match="`model`: expected a value"):
        parsed(ExportConfig, "--output=x")


def test_two_programs_have_flags_of_their_own():
    first, second = define([DocumentConfig]), define([SentenceConfig])
    first(["program", "--latent_dim=3"])
    second(["program"])
    assert (first.latent_dim, second.latent_dim) == (3, 8)


def test_options_of_every_type_are_read():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Example(Config):
        """Examples."""

        names: tuple[str, ...] = option((), "Names.")
        yes: bool = option(True, "Yes.")
        number: float | None = option(None, "Number.")
        text: str | None = option(None, "Text.")

    values = define([Example])
    values(["program", "--names=a,b", "--noyes", "--number=2", "--text=x"])
    kinds = {"names": ("a", "b"), "yes": False, "number": 2.0, "text": "x"}
    assert {name: getattr(values, name) for name in kinds} == {**kinds, "names": ["a", "b"]}
