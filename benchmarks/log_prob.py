"""Speed of the log-density, against TensorFlow Probability's VonMisesFisher and against the inner products that it needs.

python -m benchmarks.log_prob
"""

from benchmarks.compare import Comparison, value_and_gradient
from benchmarks.report import quick_flag, table

# isort: split
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tf_vmf.distributions import VonMisesFisher

CLASSES = {"this package": VonMisesFisher, "TFP": tfp.distributions.VonMisesFisher}


def unit_vectors(rng: np.random.Generator, size: int, dim: int) -> tf.Tensor:
    """Random directions, `(size, dim)`, float32."""
    noise = rng.standard_normal((size, dim), dtype=np.float32)
    return tf.constant(noise / np.linalg.norm(noise, axis=-1, keepdims=True))


def compare(dim: int, size: int, jit: bool, backward: bool, budget: float) -> Comparison:
    """Both classes in one setting, with gradients in both parameters, and `kappa mu.x`."""
    rng = np.random.default_rng(0)
    x, mean_direction = unit_vectors(rng, size, dim), unit_vectors(rng, size, dim)
    kappa = tf.constant(rng.uniform(1, 200, size).astype(np.float32))
    upstream = tf.ones(size)

    def candidate(cls: type):
        run = value_and_gradient(lambda parameters, x: cls(*parameters).log_prob(x), jit, backward)
        return lambda: run(upstream, (mean_direction, kappa), x)

    candidates = {name: candidate(cls) for name, cls in CLASSES.items()}
    products = value_and_gradient(lambda p, x: p[1] * tf.reduce_sum(p[0] * x, axis=-1), jit, backward)
    candidates["products"] = lambda: products(upstream, (mean_direction, kappa), x)
    return Comparison(candidates, budget)


def report(dims: tuple[int, ...] = (3, 5, 10, 50, 512, 1024), size: int = 16_384, budget: float = 1.0) -> str:
    """The table in Markdown."""
    rows = []
    for dim in dims:
        for jit in (False, True):
            row = [f"{dim}, {'jit' if jit else 'graph'}"]
            for backward in (False, True):
                comparison = compare(dim, size, jit, backward, budget)
                row += [comparison.milliseconds("this package"), comparison.milliseconds("TFP")]
                row += [f"{comparison.times('TFP', 'this package')}x", comparison.times("this package", "products")]
            rows.append(row)
    header = [
        "d, mode",
        "forward",
        "TFP",
        "faster",
        "/ products",
        "forward and backward",
        "TFP",
        "faster",
        "/ products",
    ]
    return (
        "## log_prob\n\n"
        f"{size:,} distributions, one vector each, float32, concentrations uniform in [1, 200]; gradients in mean direction and "
        "concentration. CPU milliseconds, how many times faster than `tfp.distributions.VonMisesFisher`, time in units of "
        "that of the inner products `kappa mu.x` alone.\n\n" + table(header, rows)
    )


if __name__ == "__main__":
    print(report(dims=(50,), size=4_096, budget=0.3) if quick_flag(__doc__) else report())
