"""Relative errors of KL, A and dKL/dkappa over dimension and concentration, for this package, TFP and scipy.

    python -m benchmarks.accuracy        # draws docs/accuracy.png

This package and TensorFlow Probability compute in float32 from float32 concentrations, scipy in float64. The exact values come
from numerical integration in 50 digits (tests/math/reference.py). A value is a failure if it is NaN, infinite, negative, or
wrong by more than its own size.
"""

from pathlib import Path

from benchmarks.kl import scipy_kl, tfp_kl
from benchmarks.report import quick_flag, table

# isort: split
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from matplotlib import colors, figure, ticker

from tests.math.reference import exact
from tf_vmf import math as vmf_math

FIGURE = Path(__file__).parents[1] / "docs" / "accuracy.png"
QUANTITIES = ("KL", "A", "dKL/dkappa")
DIMS = (2, 3, 4, 5, 8, 10, 16, 25, 32, 50, 64, 100, 128, 200, 256, 512, 1000, 1024, 4096, 10_000, 100_000)
KAPPAS = np.float32(10.0 ** np.arange(-6, 7.5, 0.5))
# Where most of the work with these distributions happens.
COMMON = "d in 5..512, kappa in 0.1..1e4"

Values = dict[str, np.ndarray]  # quantity to (dims, kappas)


def exact_values(dims: tuple[int, ...], kappas: np.ndarray) -> Values:
    """The right answers, rounded to float64."""
    grid = [[exact(dim, float(kappa)) for kappa in kappas] for dim in dims]
    slope = [[float(e.variance * float(kappa)) for e, kappa in zip(row, kappas, strict=True)] for row in grid]
    kl, mean = ([[float(getattr(e, name)) for e in row] for row in grid] for name in ("kl", "mean"))
    return dict(zip(QUANTITIES, map(np.array, (kl, mean, slope)), strict=True))


def this_package(dim: int, kappas: np.ndarray) -> tuple[np.ndarray, ...]:
    """KL, A and dKL/dkappa in float32."""
    return _with_gradient(
        lambda k: vmf_math.kl_to_uniform(k, dim), lambda k: vmf_math.mean_resultant_length(k, dim), kappas
    )


def tensorflow_probability(dim: int, kappas: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same by TensorFlow Probability."""
    return _with_gradient(lambda k: tfp_kl(k, dim), lambda k: tfp.math.bessel_iv_ratio(dim / 2, k), kappas)


def scipy(dim: int, kappas: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same from scipy's exponentially scaled Bessel function, in float64."""
    with np.errstate(all="ignore"):
        return scipy_kl(kappas.astype(np.float64), dim)


METHODS = {
    "this package, float32": this_package,
    "TFP 0.25, float32": tensorflow_probability,
    "scipy ive, float64": scipy,
}


def _with_gradient(kl, mean, kappas: np.ndarray) -> tuple[np.ndarray, ...]:
    kappa = tf.constant(kappas)
    with tf.GradientTape() as tape:
        tape.watch(kappa)
        value = kl(kappa)
    return value.numpy(), mean(kappa).numpy(), tape.gradient(value, kappa).numpy()


def relative_errors(right: Values, dims: tuple[int, ...], kappas: np.ndarray) -> dict[str, Values]:
    """Errors of every method; infinite for failures."""
    errors = {}
    for name, method in METHODS.items():
        computed = zip(*(method(dim, kappas) for dim in dims), strict=True)
        errors[name] = {}
        for quantity, value in zip(QUANTITIES, computed, strict=True):
            value = np.array(value, np.float64)
            error = np.abs(value / right[quantity] - 1)
            failed = ~np.isfinite(value) | (value < 0) | (error >= 1)
            errors[name][quantity] = np.where(failed, np.inf, error)
    return errors


def draw(errors: dict[str, Values], dims: tuple[int, ...], kappas: np.ndarray, path: Path) -> None:
    """One panel for each method and quantity: colour is the order of the error, black a failure."""
    canvas = figure.Figure(figsize=(10, 7.5), layout="constrained")
    axes = canvas.subplots(len(QUANTITIES), len(errors), sharex=True, sharey=True, squeeze=False)
    palette = colors.ListedColormap(
        ["#08306b", "#2171b5", "#6baed6", "#c6dbef", "#fee8c8", "#fdbb84", "#ef6548", "#b30000"]
    ).with_extremes(over="black", under="#08306b")
    norm = colors.BoundaryNorm(np.arange(-8, 1), palette.N)
    image = None
    for column, (name, values) in enumerate(errors.items()):
        for row, quantity in enumerate(QUANTITIES):
            log_error = np.log10(np.maximum(values[quantity], 1e-17))  # exact: the darkest colour, not a hole
            axis = axes[row, column]
            # Infinite errors become the colour for values over the scale.
            image = axis.pcolormesh(
                np.log10(kappas),
                np.arange(len(dims)),
                np.minimum(log_error, 1),
                cmap=palette,
                norm=norm,
                edgecolors="none",
            )
            share = np.mean(np.isinf(values[quantity]))
            worst = np.max(values[quantity][np.isfinite(values[quantity])], initial=0.0)
            label = f"{quantity.replace('kappa', 'κ')}   largest {worst:.0e}"
            axis.set_title(label + (f", fails {share:.0%}" if share else ""), fontsize=9)
            if row == 0:
                axis.annotate(
                    name, (0.5, 1.14), xycoords="axes fraction", ha="center", va="bottom", fontsize=12, weight="bold"
                )
    shown = [i for i, dim in enumerate(dims) if dim in (2, 5, 10, 25, 50, 100, 256, 1000, 10_000, 100_000)]
    axes[0, 0].set_yticks(shown, [f"{dims[i]:,}" for i in shown])
    axes[0, 0].xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"$10^{{{x:g}}}$"))
    canvas.supxlabel("concentration κ", fontsize=10)
    canvas.supylabel("dimension d", fontsize=10)
    bar = canvas.colorbar(image, ax=axes, extend="max", shrink=0.6, aspect=35)
    bar.set_label("log10 of the relative error; black: NaN, infinite, negative or off by more than 100 %", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.savefig(path, dpi=100)


def report(dims: tuple[int, ...] = DIMS, kappas: np.ndarray = KAPPAS, path: Path = FIGURE) -> str:
    """Draws the figure and returns the table in Markdown."""
    errors = relative_errors(exact_values(dims, kappas), dims, kappas)
    draw(errors, dims, kappas, path)
    common = np.ix_([5 <= dim <= 512 for dim in dims], (kappas > 0.099) & (kappas < 1.01e4))
    rows = []
    for name, values in errors.items():
        for quantity, error in values.items():
            finite = error[np.isfinite(error)]
            row = [f"{name}: {quantity}", f"{np.max(finite):.1e}", f"{np.median(error):.1e}"]
            for region in (error, error[common]):
                row += [f"{np.mean(np.isinf(region)):.0%}", f"{np.mean(region > 1e-3):.0%}"]
            rows.append(row)
    header = [
        "method: quantity",
        "largest error",
        "median",
        "fails",
        "error > 1e-3",
        "common: fails",
        "common: error > 1e-3",
    ]
    return (
        f"## Accuracy\n\nRelative errors against exact values at {len(dims) * len(kappas)} points, d = {dims[0]} to {dims[-1]:,}, "
        f"kappa = {kappas[0]:.0e} to {kappas[-1]:.0e}. A failure is NaN, infinite, negative or off by more than 100 %; "
        f"the largest error is that of the rest. Common: {COMMON}. The figure is docs/{path.name}.\n\n"
        + table(header, rows)
    )


if __name__ == "__main__":
    if quick_flag(__doc__):
        print(report(DIMS[::4], KAPPAS[::4], FIGURE.with_name("accuracy_quick.png")))
    else:
        print(report())
