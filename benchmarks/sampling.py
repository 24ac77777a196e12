"""Speed of sampling, against a Gaussian of the same shape and TensorFlow Probability's VonMisesFisher.

    python -m benchmarks.sampling

The Gaussian is `mu + sigma * eps` with `tf.random.stateless_normal`, by default with alg="philox", which is its fastest under
XLA on CPU and the same as its default algorithm elsewhere; the default is timed too at the dimension of the target. A fixed
concentration stands against a fixed sigma, a learned one against a sigma learned per sample (one number a row, as kappa is) and
per entry (the usual Gaussian code). The gradient is that of the parameters; the upstream gradient is given.
"""

from collections.abc import Callable

from benchmarks.compare import FAILS, Comparison, value_and_gradient
from benchmarks.log_prob import unit_vectors
from benchmarks.report import quick_flag, table

# isort: split
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tf_vmf.distributions import VonMisesFisher

KAPPA = 100.0
SIZES, DIMS = (65_536,), (3, 5, 10, 50, 512)
# What the targets are stated for.
TARGET_SIZE, TARGET_DIM = 65_536, 50

# Parameters beside the mean: none, one number a row, one an entry.
FIXED, ROW, ENTRY = "fixed", "learned", "learned, entry"


def gaussian(alg: str) -> Callable:
    """`mu + sigma * eps`."""

    def sample(parameters: tuple, seed: tf.Tensor) -> tf.Tensor:
        mean, *sigma = parameters
        sigma = sigma[0] if sigma else tf.constant(0.1)
        noise = tf.random.stateless_normal(mean.shape, seed, alg=alg)
        return mean + (sigma[:, tf.newaxis] if sigma.shape.rank == 1 else sigma) * noise

    return sample


def von_mises_fisher(cls: type) -> Callable:
    """A sample of the given distribution class."""

    def sample(parameters: tuple, seed: tf.Tensor) -> tf.Tensor:
        mean_direction, *kappa = parameters
        return cls(mean_direction, kappa[0] if kappa else KAPPA).sample(seed=seed)

    return sample


def compare(size: int, dim: int, jit: bool, backward: bool, budget: float) -> Comparison:
    """All candidates in one setting."""
    rng = np.random.default_rng(0)
    mean, upstream = unit_vectors(rng, size, dim), unit_vectors(rng, size, dim)
    per_row = rng.uniform(0.5, 1.5, size).astype(np.float32)
    sigmas = {FIXED: (), ROW: (tf.constant(0.1 * per_row),)}
    sigmas[ENTRY] = (tf.constant(0.1 * np.broadcast_to(per_row[:, np.newaxis], (size, dim))),)
    kappas = {FIXED: (), ROW: (tf.constant(KAPPA * per_row),)}
    settings = [("Gaussian", gaussian("philox"), sigmas)]
    settings += [("this package", von_mises_fisher(VonMisesFisher), kappas)]
    settings += [("TFP", von_mises_fisher(tfp.distributions.VonMisesFisher), kappas)]
    if dim == TARGET_DIM:
        settings.insert(1, ("Gaussian, default algorithm", gaussian("auto_select"), {ROW: sigmas[ROW]}))

    def candidate(sample: Callable, others: tuple):
        run = value_and_gradient(sample, jit, backward)
        # An argument: a constant seed would let the graph optimizer draw the numbers once and for all.
        seed = tf.constant([1, 2], tf.int32)
        return lambda: run(upstream, (mean, *others), seed)

    candidates = {
        f"{name}, {kind}": candidate(sample, others)
        for name, sample, kinds in settings
        for kind, others in kinds.items()
    }
    return Comparison(candidates, budget)


def _row(label: str, comparison: Comparison) -> list[str]:
    row = [label, comparison.milliseconds(f"Gaussian, {FIXED}"), comparison.milliseconds(f"Gaussian, {ROW}")]
    for kind in (FIXED, ROW):
        own = f"this package, {kind}"
        row += [comparison.milliseconds(own), comparison.times(own, f"Gaussian, {kind}")]
        if kind == ROW:
            row.append(comparison.times(own, f"Gaussian, {ENTRY}"))
        row.append(_faster(comparison.times(f"TFP, {kind}", own)))
    return row


def report(
    sizes: tuple[int, ...] = SIZES,
    dims: tuple[int, ...] = DIMS,
    budget: float = 0.5,
    target: tuple[int, int] = (TARGET_SIZE, TARGET_DIM),
) -> str:
    """The tables in Markdown."""
    header = [
        "N, d, mode",
        "Gaussian, sigma fixed",
        "sigma learned",
        "**kappa fixed**",
        "/ Gaussian",
        "faster than TFP",
    ]
    header += ["**kappa learned**", "/ Gaussian", "/ Gaussian, sigma per entry", "faster than TFP"]
    text = (
        f"## Sampling\n\nN samples in d dimensions, float32, kappa = {KAPPA:g} (learned: about that). CPU milliseconds; time in "
        "units of the Gaussian's `mu + sigma * eps` (Philox noise; fixed kappa to fixed sigma, learned kappa to one learned sigma "
        "a row, then to one an entry); how many times faster than `tfp.distributions.VonMisesFisher` (fails: XLA cannot compile "
        "TFP's gradient). Medians over interleaved rounds.\n"
    )
    headline = {}
    for backward, title in ((False, "forward"), (True, "forward and backward")):
        rows = []
        for most in sizes:
            for dim in dims:
                size = most if dim <= TARGET_DIM else most // 4
                for jit in (False, True):
                    is_target = (size, dim) == target
                    comparison = compare(size, dim, jit, backward, 12 * budget if is_target else budget)
                    rows.append(_row(f"{size:,}, {dim}, {'jit' if jit else 'graph'}", comparison))
                    if is_target:
                        headline[title, jit] = comparison
        text += f"\n### {title.capitalize()}\n\n" + table(header, rows)
    names = [f"{name}, {kind}" for name in ("Gaussian", "this package", "TFP") for kind in (FIXED, ROW)]
    names[2:2] = [f"Gaussian, {ENTRY}", f"Gaussian, default algorithm, {ROW}"]
    rows = [[name, *(comparison.milliseconds(name) for comparison in headline.values())] for name in names]
    columns = [f"{title}, {'jit' if jit else 'graph'}" for title, jit in headline]
    return text + f"\n### All candidates at N = {target[0]:,}, d = {target[1]}\n\n" + table(["", *columns], rows)


def _faster(times: str) -> str:
    return times if times == FAILS else f"{times}x"


if __name__ == "__main__":
    if quick_flag(__doc__):
        print(report(sizes=(1024,), dims=(50,), budget=0.05, target=(1024, 50)))
    else:
        print(report())
