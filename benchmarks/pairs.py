"""Log densities of pairs, points by components, against the bare matrix product that they contain.

python -m benchmarks.pairs
"""

from benchmarks.compare import Comparison
from benchmarks.report import quick_flag, table

# isort: split
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tf_vmf.distributions import VonMisesFisher, pairwise_log_prob

tfd = tfp.distributions
PRODUCT, EXACT = "x @ mu.T", "x @ mu.T in float64"


def unit_vectors(rng: np.random.Generator, size: int, dim: int) -> tf.Tensor:
    """Random directions, `(size, dim)`, float32."""
    noise = rng.standard_normal((size, dim), dtype=np.float32)
    return tf.constant(noise / np.linalg.norm(noise, axis=-1, keepdims=True))


def compare(points: int, components: int, dim: int, budget: float) -> Comparison:
    """The product alone, the function for pairs, the distribution and a mixture of it, each as a compiled graph."""
    rng = np.random.default_rng(0)
    x, mu = unit_vectors(rng, points, dim), unit_vectors(rng, components, dim)
    kappa = tf.constant(rng.uniform(1, 200, components).astype(np.float32))
    logits = tf.zeros([components])

    def mixture(x, mu, kappa):
        return tfd.MixtureSameFamily(tfd.Categorical(logits=logits), VonMisesFisher(mu, kappa)).log_prob(x)

    functions = {
        PRODUCT: lambda x, mu, kappa: tf.matmul(x, mu, transpose_b=True),
        EXACT: lambda x, mu, kappa: tf.matmul(tf.cast(x, tf.float64), tf.cast(mu, tf.float64), transpose_b=True),
        "pairwise_log_prob": pairwise_log_prob,
        "log_prob(x[:, None])": lambda x, mu, kappa: VonMisesFisher(mu, kappa).log_prob(x[:, tf.newaxis]),
        "MixtureSameFamily": mixture,
        "differences": lambda x, mu, kappa: tf.reduce_sum(tf.math.squared_difference(x[:, tf.newaxis], mu), axis=-1),
    }
    compiled = {name: tf.function(function) for name, function in functions.items()}
    compiled |= {f"{name}, eager": functions[name] for name in (PRODUCT, "pairwise_log_prob")}
    return Comparison({name: (lambda f=f: f(x, mu, kappa)) for name, f in compiled.items()}, budget)


SIZES = ((64, 2000, 512), (1000, 20, 2000), (1000, 20, 50))


def report(sizes: tuple[tuple[int, int, int], ...] = SIZES, budget: float = 2.0) -> str:
    """The table in Markdown."""
    rows = []
    for points, components, dim in sizes:
        comparison = compare(points, components, dim, budget)
        for name in ("pairwise_log_prob", "log_prob(x[:, None])", "MixtureSameFamily", "differences"):
            row = [f"{points} x {components}, d = {dim}", name, comparison.milliseconds(PRODUCT)]
            times = (f"{comparison.times(name, peer)}x" for peer in (PRODUCT, EXACT))
            rows.append([*row, comparison.milliseconds(name), *times])
        eager = f"{PRODUCT}, eager", "pairwise_log_prob, eager"
        row = [f"{points} x {components}, d = {dim}", eager[1], *(comparison.milliseconds(name) for name in eager)]
        rows.append([*row, f"{comparison.times(eager[1], eager[0])}x", ""])
    header = ["points x components", "function", PRODUCT, "ms", f"times {PRODUCT}", "times that in float64"]
    return (
        "## Pairs\n\nLog densities of every point under every component, float32, forward, in graph mode unless eager is said, CPU "
        "milliseconds. `pairwise_log_prob` multiplies in float32; the distribution keeps its accuracy by a product "
        "in float64. `differences` is "
        "the sum of squared differences alone, a tensor (n, K, d).\n\n" + table(header, rows)
    )


if __name__ == "__main__":
    print(report(budget=0.5) if quick_flag(__doc__) else report())
