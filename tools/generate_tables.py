"""Generate the coefficient tables behind `tf_vmf.math` with exact (mpmath) arithmetic.

```
python -m tools.generate_tables                      # rewrites tf_vmf/math/vmf_tables.npz, about half a minute
python -m tools.generate_tables --output other.npz
```

With `u = 1 / dim`, `y = 2 kappa / sqrt(dim (dim - 1))`, `s = sqrt(1 + y^2)` and `p = 1 / s` in (0, 1], three smooth
remainders are left when the leading behaviour of the von Mises-Fisher functions is divided or subtracted out:

```
P(p, u) = (KL - (dim - 1)/2 log((1 + s)/2)) / (1 - p)^2
C(p, u) = dim (A ((dim - 1)/2 + sqrt(kappa^2 + ((dim + 1)/2)^2)) / kappa - 1) / p^2
D(p, u) = dim (A' dim s (1 + s) / 2 - 1)
```

where `A` is the mean resultant length, `A'` its derivative and `KL` the divergence to the uniform distribution. Each is
expanded in `T_i(2 x - 1) T_j(u scaled to [-1, 1])`, on three intervals of `u`. Here `x = (1 + beta) p / (1 + beta p)`:
the singularities of the remainders are on the imaginary axis of p and crowd towards p = 0, the more so the smaller the
dimension, and a `beta` > 0 spreads that end of the interval out (it halves the degree at dim = 2).

The exact values come from the uniform (Debye) expansion of `I_v` at order v >= 400, where 40 terms give 50 digits, and
from the backward recurrence of the ratios `I_{v+1} / I_v` down to the order in question, which is stable.

References:
    NIST Digital Library of Mathematical Functions: 10.41(ii) Debye polynomials and uniform expansion, 10.29.1 recurrence.
"""

import argparse
import functools
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import mpmath
import numpy as np

DIGITS = 50
DEBYE_TERMS = 40
DEBYE_MIN_ORDER = 400


class Segment(NamedTuple):
    """An interval of u = 1 / dim, the map p -> x on it, and the numbers of Chebyshev nodes."""

    low: float
    high: float
    beta: float
    nodes_p: int
    nodes_u: int


SEGMENTS = (Segment(0.0, 0.125, 0.0, 56, 28), Segment(0.125, 0.25, 2.0, 60, 20), Segment(0.25, 0.5, 4.0, 80, 22))
NAMES = ("kl", "mean", "slope")
# Coefficients below this are noise beside float64 rounding.
NEGLIGIBLE = 2e-18

OUTPUT = Path(__file__).resolve().parents[1] / "tf_vmf" / "math" / "vmf_tables.npz"


@functools.lru_cache(maxsize=1)
def debye_polynomials() -> list[list[mpmath.mpf]]:
    """U_0..U_K of DLMF 10.41.9, each as the coefficients of U_k(t) / t^k in powers of t^2, highest first."""
    polynomials: list[dict[int, Fraction]] = [{0: Fraction(1)}]
    for _ in range(DEBYE_TERMS):
        following: dict[int, Fraction] = {}
        for power, c in polynomials[-1].items():
            for shift, term in (
                (1, c * power / 2 + c / (8 * (power + 1))),
                (3, -c * power / 2 - 5 * c / (8 * (power + 3))),
            ):
                following[power + shift] = following.get(power + shift, Fraction(0)) + term
        polynomials.append(following)
    with mpmath.workdps(DIGITS):
        return [
            [
                mpmath.mpf(u.get(k + 2 * j, Fraction(0)).numerator) / u.get(k + 2 * j, Fraction(0)).denominator
                for j in range(k, -1, -1)
            ]
            for k, u in enumerate(polynomials)
        ]


def _log_bessel_i_uniform(order: mpmath.mpf, x: mpmath.mpf) -> mpmath.mpf:
    """Log of I_order(x) by DLMF 10.41.3; for order >= DEBYE_MIN_ORDER."""
    root = mpmath.sqrt(order**2 + x**2)
    t = order / root
    t_squared = t * t
    total, factor = mpmath.mpf(0), mpmath.mpf(1)
    for coefficients in debye_polynomials():
        value = mpmath.mpf(0)
        for c in coefficients:
            value = value * t_squared + c
        total += factor * value
        factor /= root
    return root + order * mpmath.log(x / (order + root)) - mpmath.log(2 * mpmath.pi * root) / 2 + mpmath.log(total)


def exact_values(dim: mpmath.mpf, kappa: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]:
    """(KL to uniform, mean resultant length A, A') for real dim >= 2 and kappa > 0, to about 45 digits."""
    with mpmath.workdps(DIGITS):
        dim, kappa = mpmath.mpf(dim), mpmath.mpf(kappa)
        order = dim / 2 - 1
        steps = max(0, int(mpmath.ceil(DEBYE_MIN_ORDER - order)))
        log_bessel = _log_bessel_i_uniform(order + steps, kappa)
        ratio = mpmath.exp(_log_bessel_i_uniform(order + steps + 1, kappa) - log_bessel)
        product = mpmath.mpf(1)
        for j in range(steps - 1, -1, -1):
            ratio = 1 / (2 * (order + j + 1) / kappa + ratio)  # I_{v+1} / I_v from I_{v+2} / I_{v+1}
            product *= ratio
        log_bessel -= mpmath.log(product)
        log_hyp0f1 = log_bessel + mpmath.loggamma(order + 1) - order * mpmath.log(kappa / 2)
        return kappa * ratio - log_hyp0f1, ratio, 1 - ratio**2 - (dim - 1) * ratio / kappa


def remainders(dim: mpmath.mpf, p: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]:
    """P, C and D (module docstring) for real dim >= 2 and 0 < p < 1."""
    with mpmath.workdps(DIGITS):
        dim, s = mpmath.mpf(dim), 1 / mpmath.mpf(p)
        kappa = mpmath.sqrt((s**2 - 1) * dim * (dim - 1)) / 2
        kl, mean, slope = exact_values(dim, kappa)
        half = (dim - 1) / 2
        return (
            (kl - half * mpmath.log((1 + s) / 2)) / (1 - p) ** 2,
            dim * (mean * (half + mpmath.sqrt(kappa**2 + ((dim + 1) / 2) ** 2)) / kappa - 1) / p**2,
            dim * (slope * dim * s * (1 + s) / 2 - 1),
        )


def chebyshev_nodes(count: int) -> list[mpmath.mpf]:
    """Chebyshev points of the first kind on (-1, 1)."""
    return [mpmath.cos(mpmath.pi * (2 * i + 1) / (2 * count)) for i in range(count)]


def _chebyshev_matrix(count: int) -> mpmath.matrix:
    """The matrix that takes values at the nodes to Chebyshev coefficients."""
    matrix = mpmath.matrix(count, count)
    for k in range(count):
        for i in range(count):
            matrix[k, i] = mpmath.cos(mpmath.pi * k * (2 * i + 1) / (2 * count)) * (1 if k == 0 else 2) / count
    return matrix


def series_in_p(dim: float, beta: float, nodes: int) -> list[list[mpmath.mpf]]:
    """Chebyshev coefficients in 2 x - 1 of P, C and D at one dimension."""
    with mpmath.workdps(DIGITS):
        mapped = [(1 + t) / 2 for t in chebyshev_nodes(nodes)]
        values = [remainders(dim, x / (1 + beta * (1 - x))) for x in mapped]
        matrix = _chebyshev_matrix(nodes)
        return [list(matrix * mpmath.matrix([v[q] for v in values])) for q in range(3)]


def segment_tables(segment: Segment) -> list[np.ndarray]:
    """The coefficients of P, C and D on one interval of u, each (degree in x + 1, degree in u + 1), noise trimmed."""
    low, high, beta, nodes_p, nodes_u = segment
    with mpmath.workdps(DIGITS):
        dims = [1 / ((low + high) / 2 + t * (high - low) / 2) for t in chebyshev_nodes(nodes_u)]
        columns = [series_in_p(dim, beta, nodes_p) for dim in dims]
        matrix_u = _chebyshev_matrix(nodes_u).T
        tables = []
        for q in range(3):
            by_node = mpmath.matrix(nodes_p, nodes_u)
            for j, column in enumerate(columns):
                for k in range(nodes_p):
                    by_node[k, j] = column[q][k]
            table = np.array((by_node * matrix_u).tolist(), dtype=np.float64)
            table[np.abs(table) < NEGLIGIBLE] = 0.0
            rows, cols = np.nonzero(table)
            tables.append(table[: rows.max() + 1, : cols.max() + 1])
    return tables


def generate() -> dict[str, np.ndarray]:
    """All arrays of the table file: `segments` (low u, high u, beta) and `<name>_<segment>` for the three remainders."""
    arrays = {"segments": np.array([segment[:3] for segment in SEGMENTS])}
    for index, segment in enumerate(SEGMENTS):
        for name, table in zip(NAMES, segment_tables(segment), strict=True):
            arrays[f"{name}_{index}"] = table
    return arrays


def main() -> None:
    """Write the table file."""
    parser = argparse.ArgumentParser(description="Generate the coefficient tables of tf_vmf.math.")
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, help="where to write the .npz file (default: %(default)s)"
    )
    arguments = parser.parse_args()
    arrays = generate()
    np.savez_compressed(arguments.output, **arrays)
    for name, array in arrays.items():
        print(f"{name:12s} {array.shape}")
    print(f"wrote {arguments.output} ({arguments.output.stat().st_size / 1024:.0f} KiB)")


if __name__ == "__main__":
    main()
