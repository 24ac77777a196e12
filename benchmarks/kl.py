"""Speed of KL(vMF || uniform) with its gradient in the concentration.

    python -m benchmarks.kl

The peers: `tfp.math.log_bessel_ive`, on which an implementation of the KL in TensorFlow rests (alone, value and gradient: less
than a KL needs), the KL that TensorFlow Probability registers, and scipy's `ive` in float64, with the gradient by its formula.
"""

from benchmarks.compare import Comparison, value_and_gradient
from benchmarks.report import quick_flag, table

# isort: split
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import special

from tf_vmf import math as vmf_math

tfd = tfp.distributions

BESSEL, TFP_KL, SCIPY = "tfp.math.log_bessel_ive", "TFP, KL", "scipy ive, float64"


def tfp_kl(kappa: tf.Tensor, dim: int) -> tf.Tensor:
    """KL to uniform as TensorFlow Probability computes it; the mean direction plays no part."""
    pole = tf.one_hot(0, dim, dtype=kappa.dtype)
    return tfd.kl_divergence(tfd.VonMisesFisher(pole, kappa), tfd.SphericalUniform(dim, dtype=kappa.dtype))


def scipy_kl(kappa: np.ndarray, dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """KL to uniform, A and dKL/dkappa in float64 from two exponentially scaled Bessel functions."""
    order = dim / 2 - 1
    bessel = special.ive(order, kappa)
    mean = special.ive(order + 1, kappa) / bessel
    log_hyp0f1 = np.log(bessel) + kappa + special.gammaln(order + 1) - order * np.log(kappa / 2)
    return kappa * mean - log_hyp0f1, mean, kappa * (1 - mean * mean - (dim - 1) * mean / kappa)


def compare(dim: int, size: int, budget: float) -> Comparison:
    """All candidates at one dimension, forward and backward."""
    kappa = np.random.default_rng(0).uniform(1, 200, size).astype(np.float32)
    functions = {
        "this package": lambda parameters: vmf_math.kl_to_uniform(parameters[0], dim),
        BESSEL: lambda parameters: tfp.math.log_bessel_ive(dim / 2 - 1, parameters[0]),
        TFP_KL: lambda parameters: tfp_kl(parameters[0], dim),
    }

    def candidate(name: str, jit: bool, dtype: tf.DType):
        run, parameters = value_and_gradient(functions[name], jit, backward=True), (tf.constant(kappa, dtype),)
        upstream = tf.ones(size, dtype)
        return lambda: run(upstream, parameters)

    candidates = {
        f"{name}, {mode}": candidate(name, mode == "jit", tf.float32) for name in functions for mode in ("graph", "jit")
    }
    candidates["this package, float64, graph"] = candidate("this package", False, tf.float64)
    kappa64 = kappa.astype(np.float64)
    candidates[SCIPY] = lambda: scipy_kl(kappa64, dim)
    return Comparison(candidates, budget)


def report(dims: tuple[int, ...] = (5, 50, 512), size: int = 65_536, budget: float = 4.0) -> str:
    """The tables in Markdown."""
    text = (
        "## KL to the uniform distribution, forward and backward\n\n"
        f"{size:,} concentrations in float32, uniform in [1, 200]; CPU milliseconds, and how many times faster this package is "
        "(graph against graph, jit against jit; scipy against graph). Medians over interleaved rounds.\n\n"
    )
    rows = []
    for dim in dims:
        comparison = compare(dim, size, budget)
        for mode in ("graph", "jit"):
            own = f"this package, {mode}"
            peers = [f"{BESSEL}, {mode}", f"{TFP_KL}, {mode}"] + [SCIPY] * (mode == "graph")
            rows.append([f"{dim}, {mode}", comparison.milliseconds(own)])
            for peer in peers:
                rows[-1].append(f"{comparison.milliseconds(peer)} ({comparison.times(peer, own)}x)")
            rows[-1] += [""] * (5 - len(rows[-1]))
        own = "this package, float64, graph"
        times = comparison.times(SCIPY, own)
        rows.append([f"{dim}, graph, float64", comparison.milliseconds(own), "", "", f"({times}x)"])
    return text + table(["d, mode", "this package", BESSEL, TFP_KL, SCIPY], rows)


if __name__ == "__main__":
    print(report(dims=(50,), size=8_192, budget=0.5) if quick_flag(__doc__) else report())
