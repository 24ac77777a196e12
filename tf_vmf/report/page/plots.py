"""Figures of a training run and of its codes; each function returns a `matplotlib.figure.Figure`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_vmf.measures import ACTIVE_VARIANCE, MEASURES
from tf_vmf.report.engine.word_order import WordOrder
from tf_vmf.report.page.figures import BLUE, GREEN, GREY, ORANGE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CURVES = ("perplexity", "mean_code_perplexity", "loss", "nll", "kl", "code_gain")


@styled
def training_curves(
    history: Sequence[Mapping[str, Any]],
    *,
    best_epoch: int | None = None,
    unigram_perplexity: float | None = None,
    example: str = "example",
) -> Figure:
    """Curves of training (blue) and validation (orange, dashed) over epochs, one panel per measure.

    A row of `history` has any of `_CURVES`, the same with `val_` in front, learning_rate and epoch; values may be strings, as
    `csv.DictReader` gives them. `best_epoch` is marked by a vertical line, `unigram_perplexity` by a horizontal one.
    """
    from matplotlib.ticker import MaxNLocator

    epochs = _column(history, "epoch")
    if np.isnan(epochs).all():
        epochs = np.arange(1.0, len(history) + 1)
    panels = [name for name in _CURVES if any(name in row or f"val_{name}" in row for row in history[:1])]
    rates = _column(history, "learning_rate")
    if len(np.unique(rates[~np.isnan(rates)])) > 1:
        panels.append("learning_rate")
    columns = min(2, max(1, len(panels)))
    rows = max(1, -(-len(panels) // columns))
    figure = new_figure(4.6 * columns, 2.6 * rows)
    for position, name in enumerate(panels):
        axes = figure.add_subplot(rows, columns, position + 1)
        for key, label, color, line in (
            (name, "training", BLUE, "-"),
            (f"val_{name}", "validation", ORANGE, (0, (5, 1))),
        ):
            values = _column(history, key)
            if not np.isnan(values).all():
                marker = "o" if len(values) == 1 else ""
                axes.plot(epochs, values, color=color, lw=1.6, ls=line, label=label, marker=marker, ms=4)
        if name == "learning_rate":
            if np.nanmin(rates) > 0:  # a logarithmic axis cannot show a rate of 0
                axes.set_yscale("log")
        else:
            axes.ticklabel_format(axis="y", useOffset=False)
            low, high = axes.get_ylim()
            if high - low < 0.02 * abs(high):  # a constant, such as the KL of a fixed concentration: hides rounding
                axes.set_ylim(0.9 * low, 1.1 * high)
        if name == "perplexity" and unigram_perplexity is not None:
            axes.axhline(unigram_perplexity, color=GREY, lw=1.2, ls=(0, (4, 3)), label="unigram model, test")
        if best_epoch is not None:
            axes.axvline(best_epoch, color=GREY, lw=0.9, ls=":", label="best epoch" if position == 0 else None)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_title(MEASURES[name].title(example))
        if position >= len(panels) - columns:
            axes.set_xlabel("epoch")
        if position == 0 or name == "learning_rate":
            axes.legend()
    return figure


@styled
def histogram(values: np.ndarray, axis_label: str, *, bins: int = 50, counted: str = "documents") -> Figure:
    """Histogram of a quantity over examples, shape (n,), such as the KL or a learned concentration; the mean is marked."""
    values = np.asarray(values, np.float64)
    figure = new_figure(4.6, 2.7)
    axes = figure.add_subplot()
    axes.hist(values, bins=bins, color=BLUE, alpha=0.85)
    axes.axvline(values.mean(), color=ORANGE, lw=1.6, label=f"mean {values.mean():,.1f}")
    axes.set_xlabel(axis_label)
    axes.set_ylabel(counted)
    axes.legend()
    return figure


@styled
def active_units(
    variances: np.ndarray, *, threshold: float = ACTIVE_VARIANCE, reference: str = "in the prior"
) -> Figure:
    """Variance of each dimension of the codes, largest first, and the threshold of an active unit: bars above it are blue."""
    active = np.asarray(variances) > threshold
    figure = new_figure(4.6, 2.7)
    axes = figure.add_subplot()
    axes.bar(np.arange(1, len(variances) + 1), variances, color=np.where(active, BLUE, GREY), width=0.75)
    axes.axhline(threshold, color=ORANGE, lw=1.2, label=f"active above {threshold}")
    axes.set_xlabel("latent dimension, by variance")
    axes.set_ylabel(f"variance, 1 {reference}")
    axes.legend()
    return figure


@styled
def word_order(curves: Mapping[str, WordOrder]) -> Figure:
    """Cosine with the unchanged sentence against the number of swaps, a curve per model, at most four; bars: two standard errors.

    The dashed line is the cosine after one word was replaced by another, the dotted line that with another sentence.
    """
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(6.4, 3.4)
    axes = figure.add_subplot()
    for (name, curve), color in zip(curves.items(), (BLUE, ORANGE, GREEN, GREY), strict=False):
        error = 2.0 * np.nan_to_num(curve.standard_error)
        axes.plot(curve.num_swaps, curve.cosine, color=color, lw=1.6, marker="o", ms=4, label=f"{name}: swaps")
        axes.errorbar(curve.num_swaps, curve.cosine, error, color=color, fmt="none", capsize=2)
        axes.axhline(curve.replaced, color=color, lw=1.2, ls=(0, (4, 3)), label="one word replaced")
        if not np.isnan(curve.other):
            axes.axhline(curve.other, color=color, lw=1.2, ls=":", label="another sentence")
    axes.set_xlabel("random swaps of adjacent words")
    axes.set_ylabel("cosine with the sentence's code")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    low, high = axes.get_ylim()
    if high - low < 0.02:  # nothing changes: hides rounding
        axes.set_ylim(low - 0.1, 1.02)
    figure.legend(loc="outside right upper")
    return figure


def _column(history: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
    values = [row.get(key) for row in history]
    return np.array([np.nan if value in (None, "") else float(value) for value in values], np.float64)
