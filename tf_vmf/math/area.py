"""Area of the unit sphere."""

import math

from tf_vmf.math._arguments import check_dim


def log_sphere_area(dim: int) -> float:
    """Log of the area of the unit sphere in R^d, `log(2 pi^(d/2) / Gamma(d/2))`, a Python float.

    It is the entropy of the uniform distribution; that of a von Mises-Fisher distribution is less by `kl_to_uniform`.

    Args:
        dim: Python int d >= 2, the dimension of the space that holds the sphere.

    Raises:
        TypeError: If `dim` is not an int.
        ArgumentError: If `dim` < 2.
    """
    half = 0.5 * check_dim(dim)
    if half < 150:  # the quotient has fewer rounding errors than the difference of logarithms
        return math.log(2.0 * math.pi**half / math.gamma(half))
    return math.log(2.0) + half * math.log(math.pi) - math.lgamma(half)
