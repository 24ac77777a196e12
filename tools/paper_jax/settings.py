"""The settings behind docs/PAPER.md, in the programs that train them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Setting:
    """One model.

    Attributes:
        latent: none, gaussian, vmf or uniform_norm_vmf.
        seed: Seed of its weights and of its order of batches.
        latent_dim: d of a Gaussian, at most that of its program; None for that of its program, as every spherical code has.
        concentration: Fixed, or where a learned one starts.
        minimum: The lower bound of a learned concentration; None for a fixed one.
        trained_on: mean_loss (the bound) or mean_code (the decoder reads the mean of three samples; not a bound).
        dropout: Rate for embeddings and the output of the LSTM.
        epochs: Epochs of its learning-rate schedule; None for those of its program.
        is_tested: Whether it is computed on test.
        is_importance_weighted: Whether its IW-500 bound on test is computed.
    """

    latent: str
    seed: int = 0
    latent_dim: int | None = None
    concentration: float = 14.0
    minimum: float | None = None
    trained_on: str = "mean_loss"
    dropout: float = 0.5
    epochs: int | None = None
    is_tested: bool = True
    is_importance_weighted: bool = False

    def __post_init__(self) -> None:
        if self.latent_dim is not None and self.latent != "gaussian":
            raise ValueError(
                f"Argument `latent_dim`: expected None with latent={self.latent!r}. Received: {self.latent_dim}."
            )


@dataclass(frozen=True)
class Program:
    """Settings that are trained together.

    Attributes:
        name: Names its file of results.
        decoder: standard (reads the previous word) or inputless.
        latent_dim: Width of the arrays of all its models; a Gaussian of fewer dimensions leaves the others at zero.
        epochs: Epochs, unless a setting has fewer.
        settings: The models.
    """

    name: str
    decoder: str
    latent_dim: int
    epochs: int
    settings: tuple[Setting, ...]

    def record(self, setting: Setting) -> dict[str, Any]:
        """The setting as results/paper/ptb.json names it."""
        has_code = setting.latent != "none"
        found: dict[str, Any] = {
            "setting": self.decoder,
            "latent": setting.latent,
            "trained_on": setting.trained_on,
            "seed": setting.seed,
            "latent_dim": (setting.latent_dim or self.latent_dim) if has_code else None,
            "dropout": setting.dropout,
            "epochs": setting.epochs or self.epochs,
        }
        if setting.latent in ("vmf", "uniform_norm_vmf"):
            start, minimum = f"{setting.concentration:g}", setting.minimum
            found["concentration"] = (
                setting.concentration if minimum is None else f"learned from {start}, at least {minimum:g}"
            )
        return found


def _seeds(setting: Setting, seeds: Sequence[int] = SEEDS) -> tuple[Setting, ...]:
    return tuple(replace(setting, seed=seed) for seed in seeds)


def _vmf(concentration: float, minimum: float | None = None, **options: Any) -> Setting:
    """A vMF trained by the mean of three."""
    return Setting("vmf", concentration=concentration, minimum=minimum, trained_on="mean_code", **options)


def _gaussian(**options: Any) -> Setting:
    """A Gaussian trained by the mean of three."""
    return Setting("gaussian", trained_on="mean_code", **options)


_STANDARD = Program(
    "standard",
    "standard",
    latent_dim=8,
    epochs=6,
    settings=(
        *_seeds(Setting("none", dropout=0.4)),
        *_seeds(Setting("gaussian", dropout=0.4, is_importance_weighted=True)),
        *_seeds(Setting("vmf", dropout=0.4, is_importance_weighted=True)),
        Setting("uniform_norm_vmf", dropout=0.4),
        *_seeds(_vmf(14, dropout=0.4, is_importance_weighted=True)),
        *_seeds(_gaussian(dropout=0.4, is_importance_weighted=True)),
        _vmf(35, dropout=0.4),
        Setting("uniform_norm_vmf", trained_on="mean_code", dropout=0.4),
    ),
)

_INPUTLESS = Program(
    "inputless",
    "inputless",
    latent_dim=16,
    epochs=5,
    settings=(
        *_seeds(Setting("none")),
        *_seeds(Setting("gaussian", is_importance_weighted=True)),
        *_seeds(Setting("vmf", concentration=50, minimum=15, is_importance_weighted=True)),
        Setting("uniform_norm_vmf", concentration=50, minimum=15),
    ),
)

_MEAN_CODE = Program(
    "inputless_mean_code",
    "inputless",
    latent_dim=50,
    epochs=12,
    settings=(
        *_seeds(_vmf(80, is_importance_weighted=True)),
        *_seeds(_gaussian(latent_dim=16, is_importance_weighted=True)),
        _vmf(40),
        _vmf(120),
        _vmf(200),
        _vmf(80, dropout=0.65),
        _vmf(120, dropout=0.65),
        _vmf(100, 15),
        _vmf(160),
        _vmf(200, 15),
        _vmf(80, epochs=6),
        _gaussian(latent_dim=16, epochs=6),
        _vmf(200, dropout=0.65),
        _vmf(80, dropout=0.35),
        _gaussian(),
        Setting("uniform_norm_vmf", concentration=80, trained_on="mean_code"),
        _gaussian(latent_dim=16, dropout=0.65),
    ),
)

# Of the next three programs the best vMF and the best Gaussian on validation data were computed on test, after the choice, and
# trained with two more seeds.
_CHOSEN_GAUSSIAN = _gaussian(epochs=20, is_importance_weighted=True)
_CHOSEN_VMF = _vmf(200, 30, is_importance_weighted=True)


def _ranked(*settings: Setting) -> tuple[Setting, ...]:
    """Settings that are ranked on validation data: the chosen ones alone are computed on test."""
    return tuple(
        each if each in (_CHOSEN_VMF, _CHOSEN_GAUSSIAN) else replace(each, is_tested=False) for each in settings
    )


_D50 = Program(
    "d50",
    "inputless",
    latent_dim=50,
    epochs=20,
    settings=_ranked(
        _vmf(20, epochs=12), _vmf(30, epochs=12), _vmf(30, epochs=20), _vmf(100, 15, epochs=20), _CHOSEN_GAUSSIAN
    ),
)

_D100 = Program(
    "d100",
    "inputless",
    latent_dim=100,
    epochs=12,
    settings=_ranked(_vmf(40), _vmf(60), _vmf(80), _vmf(120), _vmf(100, 15), _CHOSEN_VMF, _gaussian()),
)

_D200 = Program(
    "d200",
    "inputless",
    latent_dim=200,
    epochs=12,
    settings=_ranked(
        _vmf(60), _vmf(80), _vmf(120), _vmf(200), replace(_CHOSEN_VMF, is_importance_weighted=False), _gaussian()
    ),
)

# By what the decoder reads: the vMF and the Gaussian of seed 0.
CHOSEN = (_CHOSEN_VMF, _CHOSEN_GAUSSIAN)

PROGRAMS = (
    _STANDARD,
    _INPUTLESS,
    _MEAN_CODE,
    _D50,
    Program("d50_seeds", "inputless", 50, 20, _seeds(_CHOSEN_GAUSSIAN, SEEDS[1:])),
    _D100,
    Program("d100_seeds", "inputless", 100, 12, _seeds(_CHOSEN_VMF, SEEDS[1:])),
    _D200,
)
