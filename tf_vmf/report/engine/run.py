"""Records that the reports of all models share: the run, its latent variable, and the use of the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tf_vmf.layers.latent_contract import LatentDescription
from tf_vmf.layers.latent_layer import LatentLayer
from tf_vmf.measures import ACTIVE_VARIANCE
from tf_vmf.report.engine.encodings import Encodings

# KLs and concentrations that differ by less are one value: what rounding leaves.
_CONSTANT = 1e-3


@dataclass(frozen=True, eq=False)
class Run:
    """The record of a run and the sizes of its corpus.

    Attributes:
        corpus: Name of the corpus.
        train_examples, valid_examples, test_examples: Documents or sentences of each split.
        train_tokens: Tokens of the training split.
        vocabulary_size: Distinct words or token types.
        has_dropout: Whether training drops activations or words.
        metrics: The content of `metrics.json`.
        history: A row per epoch, as in `history.csv`.
        config: The content of `config.json`.
        command: The command that repeats the run, or None.
    """

    corpus: str
    train_examples: int
    valid_examples: int
    test_examples: int
    train_tokens: int
    vocabulary_size: int
    has_dropout: bool
    metrics: Mapping[str, Any]
    history: tuple[Mapping[str, Any], ...]
    config: Mapping[str, Any]
    command: str | None


@dataclass(frozen=True, eq=False)
class Latent:
    """The latent variable."""

    kind: str  # name of its layer's class, such as "VonMisesFisherLatent"
    latent_dim: int  # its dimension
    description: LatentDescription  # what the layer says about its codes


@dataclass(frozen=True, eq=False)
class CodeUse:
    """The use of the latent space by the codes of the test split."""

    # variance of each dimension of the mean codes over examples, largest first, shape (d,), relative to the prior's: 1 is that of
    # codes drawn from the prior, or from the fixed prior in the place of which another one was learned
    variances: np.ndarray
    active_units: int  # dimensions with a variance above `tf_vmf.measures.ACTIVE_VARIANCE`
    kl: np.ndarray  # KL of each example in nats, shape (n,)
    constant_kl: bool  # whether all examples have the same KL
    concentration: np.ndarray | None  # concentration of each example, shape (n,), where they differ; otherwise None
    length_correlation: float  # spearman's rank correlation of KL and length; nan where either is constant


def describe_run(
    corpus: Any,
    examples: str,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    config: Mapping[str, Any] | None,
    command: str | None,
    *,
    has_dropout: bool,
) -> Run:
    """The record of a run on a corpus whose statistics count "documents" or "sentences" (`examples`)."""
    train = corpus.statistics["train"]
    return Run(
        corpus=corpus.name,
        train_examples=int(train[examples]),
        valid_examples=len(corpus.valid),
        test_examples=len(corpus.test),
        train_tokens=int(train["tokens"]),
        vocabulary_size=len(corpus.vocabulary),
        has_dropout=has_dropout,
        # How long a run trained is told by its history, where its metrics do not tell it.
        metrics={**metrics, **({} if "training" in metrics or not history else {"training": {"epochs": len(history)}})},
        history=tuple(dict(row) for row in history),
        config=dict(config or {}),
        command=command,
    )


def describe_latent(latent: LatentLayer) -> Latent:
    """Kind, dimension and description of a latent layer."""
    return Latent(type(latent).__name__, latent.latent_dim, latent.describe())


def use_of_code(encodings: Encodings, lengths: np.ndarray) -> CodeUse:
    """Variances, KLs and concentrations of encoded examples."""
    from scipy.stats import spearmanr

    codes, kl, concentration = encodings.codes, encodings.kl, encodings.concentration
    variances = np.sort(np.var(codes * encodings.scale, axis=0))[::-1]
    constant = bool(np.ptp(kl) <= _CONSTANT)
    correlated = not constant and np.ptp(lengths) > 0
    return CodeUse(
        variances=variances,
        active_units=int(np.sum(variances > ACTIVE_VARIANCE)),
        kl=kl,
        constant_kl=constant,
        concentration=None if concentration is None or np.ptp(concentration) <= _CONSTANT else concentration,
        length_correlation=float(spearmanr(kl, lengths).statistic) if correlated else float("nan"),
    )
