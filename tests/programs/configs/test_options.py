"""Configurations check what they are given."""

import dataclasses
import math

import numpy as np
import pytest

from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs import Config, DocumentConfig, PrepareConfig, SentenceConfig
from tf_vmf.programs.configs.options import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example(Config):
    """Examples."""

    units: tuple[int, ...] = option((4, 5), "Widths.", minimum=1)
    kappa: float | str = option(1.5, "Concentration.", minimum=0.0, words=("learned",))
    rate: float | None = option(None, "Rate.", minimum=0.0, maximum=1.0)
    kind: str = option("a", "Kind.", choices=("a", "b"))
    flag: bool = option(False, "Flag.")
    folder: str | None = option(None, "Folder.", identity=False)


def test_values_become_plain_python_objects(tmp_path):
    made = Example(units=[np.int64(3)], kappa=np.float32(2.0), rate=1, folder=tmp_path)
    assert made.as_dict() == {
        "units": [3],
        "kappa": 2.0,
        "rate": 1.0,
        "kind": "a",
        "flag": False,
        "folder": str(tmp_path),
    }
    assert [type(value) for value in (made.units[0], made.kappa, made.rate)] == [int, float, float]
    assert "folder" not in made.identity()
    assert Example(kappa="learned").kappa == "learned"


@pytest.mark.parametrize(
    ("options", "name", "expected"),
    [
        ({"units": (0,)}, "units", "an integer >= 1"),
        ({"units": "45"}, "units", "a list"),
        ({"units": (1.5,)}, "units", "an integer"),
        ({"kappa": "lerned"}, "kappa", "a number >= 0, or 'learned'"),
        ({"kappa": float("nan")}, "kappa", "a number"),
        ({"kappa": float("inf")}, "kappa", "a number"),
        ({"kappa": True}, "kappa", "a number"),
        ({"kappa": None}, "kappa", "a number"),
        ({"rate": 1.01}, "rate", "a number >= 0 and <= 1"),
        ({"kind": "c"}, "kind", "one of a, b"),
        ({"flag": 1}, "flag", "True or False"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_expected(options, name, expected):
    with pytest.raises(ArgumentError) as raised:
        Example(**options)
    assert raised.value.name == name
    assert raised.value.expected.startswith(expected)
    ((_, value),) = options.items()
    assert raised.value.received in (repr(value), repr(value[0] if isinstance(value, tuple) else value))


def test_a_misspelt_option_is_an_error_that_names_the_closest():
    with pytest.raises(TypeError, match=r"no option 'unit'\. Did you mean 'units'"):
        Example(unit=(3,))


@pytest.mark.parametrize(
    ("config", "options", "name"),
    [
        (DocumentConfig, {}, "corpus"),
        (DocumentConfig, {"corpus": "a", "train_files": ("b",)}, "corpus"),
        (DocumentConfig, {"corpus": "a", "latent": "none"}, "latent"),
        (DocumentConfig, {"corpus": "a", "encoder_units": ()}, "encoder_units"),
        (DocumentConfig, {"corpus": "a", "kl_schedule": "cyclical"}, "kl_schedule"),
        (DocumentConfig, {"corpus": "a", "optimizer": "adamw"}, "weight_decay"),
        (DocumentConfig, {"corpus": "a", "gradient_clip_norm": 0}, "gradient_clip_norm"),
        (
            DocumentConfig,
            {"corpus": "a", "learning_rate_schedule": "linear", "learning_rate_patience": 2},
            "learning_rate_patience",
        ),
        (SentenceConfig, {"corpus": "a", "word_dropout": 1.5}, "word_dropout"),
        (PrepareConfig, {"corpus": "a", "kind": "documents", "output": "b"}, "train_files"),
    ],
)
def test_options_that_do_not_go_together_are_refused(config, options, name):
    with pytest.raises(ArgumentError) as raised:
        config(**options)
    assert raised.value.name == name


def test_the_loader_gets_what_was_set_and_falsy_numbers_too():
    config = SentenceConfig(train_files=("a.tsv",), label_column=0, validation_size=50, test_size=0.2, split_seed=3)
    assert config.loader_arguments() == {
        "train_files": ("a.tsv",),
        "label_column": 0,
        "validation_size": 50,
        "test_size": 0.2,
        "seed": 3,
    }
    assert isinstance(config.loader_arguments()["validation_size"], int)


@pytest.mark.parametrize(
    ("examples", "epochs", "batch_size"),
    [(1, 2000, 1), (240, 200, 24), (1000, 200, 100), (2000, 200, 200), (6684, 60, 200), (100_000, 60, 200)],
)
def test_little_text_gets_small_batches_and_enough_steps(examples, epochs, batch_size):
    budget = DocumentConfig(corpus="wikipedia").budget(examples)
    assert (budget.epochs, budget.batch_size) == (epochs, batch_size)
    assert budget.epochs * math.ceil(examples / budget.batch_size) >= 2000


def test_what_is_given_of_a_budget_is_taken_as_it_is():
    budget = DocumentConfig(corpus="wikipedia", epochs=3, batch_size=64).budget(100)
    assert (budget.epochs, budget.batch_size) == (3, 64)
    assert DocumentConfig(corpus="wikipedia", batch_size=50).budget(100).epochs == 1000
    sentences = SentenceConfig(corpus="wikipedia").budget(100)
    assert (sentences.epochs, sentences.batch_size) == (10, 32)
