"""Components of a mixture that have shrunk to one point, or to equal ones, where the likelihood has no upper bound."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from tf_vmf.distributions.directions import Directions, named_rows
from tf_vmf.distributions.expectation_maximization import Components, largest_concentration

_SHOWN = 5


def collapsed(points: Directions, components: Components) -> np.ndarray:
    """Whether each component has weight and the largest concentration, `(K,)` bools."""
    largest = largest_concentration(points.dim, points.dtype)
    return (components.weights > 0) & (components.concentrations >= largest)


def warn_of_collapse(points: Directions, components: Components, labels: np.ndarray, has_prior: bool) -> None:
    """Warns the caller of `fit` if components collapsed, by their numbers and those of their rows.

    Args:
        points: Those that were fitted.
        components: The fit.
        labels: The component of every row, -1 for none.
        has_prior: Whether the fit had a prior on the concentrations.
    """
    found = np.flatnonzero(collapsed(points, components))
    if not found.size:
        return
    names = ", ".join(map(str, found[:_SHOWN])) + (f" and {found.size - _SHOWN} more" if found.size > _SHOWN else "")
    remedy = "" if has_prior else "set concentration_prior='auto' or to a number of points, "
    warnings.warn(
        f"{'Component' if found.size == 1 else 'Components'} {names} collapsed to equal points, "
        f"{named_rows(np.flatnonzero(np.isin(labels, found)))}: the likelihood has no upper bound there, and bic, aic and icl of "
        f"this fit mean nothing. To mend it, {remedy}lower n_components or leave out repeated rows.",
        ConvergenceWarning,
        stacklevel=4,
    )
