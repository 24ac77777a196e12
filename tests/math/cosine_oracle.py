"""The law of the angle between a von Mises-Fisher sample and its mean direction, by quadrature in the angle.

Independent of the package, which works in atanh(cosine): the density of the angle is proportional to
`sin(t)^(d-2) exp(kappa (cos(t) - 1))` on [0, pi].
"""

import numpy as np

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)


class AngleLaw:
    """Exact (float64) probabilities for one dimension and concentration."""

    def __init__(self, dim: int, kappa: float, panels: int = 800):
        self.dim, self.kappa = dim, kappa
        # The mode of the angle solves kappa sin^2 = (d - 2) cos; 14 of the slower of two widths on each side hold everything.
        half = (dim - 2) / 2
        sine2 = 2 * half / (half + np.hypot(half, kappa)) if dim > 2 else 0.0
        self.mode = np.arctan2(np.sqrt(sine2), kappa / (half + np.hypot(half, kappa)) if kappa + half > 0 else 1.0)
        width = 1 / np.sqrt(max(kappa * np.cos(self.mode) + (dim - 2) / max(sine2, 1e-300) * (dim > 2), 0.05))
        low, high = max(0.0, self.mode - 14 * width), min(np.pi, self.mode + 14 * width)
        # The far side of the sphere, thinly populated, in panels of its own.
        self.edges = np.concatenate([np.linspace(low, high, panels + 1), np.linspace(high, np.pi, panels // 4 + 1)[1:]])
        if high >= np.pi:
            self.edges = self.edges[: panels + 1]
        self.panels = self._integrate(self.edges[:-1], self.edges[1:], lambda t: np.ones_like(t))
        self.total = self.panels.sum()
        self.below = np.concatenate([[0.0], np.cumsum(self.panels)])
        self.above = np.concatenate([np.cumsum(self.panels[::-1])[::-1], [0.0]])
        spread = self._integrate(self.edges[:-1], self.edges[1:], lambda t: 2 * np.sin(t / 2) ** 2)
        self.one_minus_mean = spread.sum() / self.total
        self._spread_panels = spread

    def log_density(self, t: np.ndarray) -> np.ndarray:
        """Relative to the mode."""

        def log(t):
            with np.errstate(divide="ignore"):
                sines = (self.dim - 2) * np.log(np.sin(t)) if self.dim > 2 else 0.0
            return sines - 2 * self.kappa * np.sin(t / 2) ** 2

        return log(t) - log(np.asarray(self.mode))

    def _integrate(self, low, high, function):
        half = (high - low) / 2
        t = low[:, None] + half[:, None] * (1 + _NODES)
        return (function(t) * np.exp(self.log_density(t))) @ _WEIGHTS * half

    def probability_below(self, angle: np.ndarray) -> np.ndarray:
        """P[angle of a sample <= angle], relative accuracy on the left."""
        angle = np.clip(angle, self.edges[0], np.pi)
        k = np.clip(np.searchsorted(self.edges, angle, side="right") - 1, 0, len(self.panels) - 1)
        return (self.below[k] + self._integrate(self.edges[k], angle, lambda t: np.ones_like(t))) / self.total

    def probability_above(self, angle: np.ndarray) -> np.ndarray:
        """P[angle of a sample > angle], relative accuracy on the right."""
        angle = np.clip(angle, self.edges[0], np.pi)
        k = np.clip(np.searchsorted(self.edges, angle, side="right") - 1, 0, len(self.panels) - 1)
        return (self.above[k + 1] + self._integrate(angle, self.edges[k + 1], lambda t: np.ones_like(t))) / self.total

    def rate(self, angle: np.ndarray) -> np.ndarray:
        """`dw/dkappa / (1 - w^2)` at fixed probability, w = cos(angle), by differentiating the integral.

        With F(t) = P[angle <= t], dF/dkappa is the integral of (cos - A) times the density, of one sign on either side of
        where cos = A; each angle integrates from its own end.
        """

        def excess(t):
            return self.one_minus_mean - 2 * np.sin(t / 2) ** 2

        panels = self._integrate(self.edges[:-1], self.edges[1:], excess)
        below, above = (
            np.concatenate([[0.0], np.cumsum(panels)]),
            np.concatenate([np.cumsum(panels[::-1])[::-1], [0.0]]),
        )
        k = np.clip(np.searchsorted(self.edges, angle, side="right") - 1, 0, len(panels) - 1)
        left = below[k] + self._integrate(self.edges[k], angle, excess)
        right = -above[k + 1] - self._integrate(angle, self.edges[k + 1], excess)
        integral = np.where(excess(angle) > 0, left, right)
        return integral / np.exp(self.log_density(angle)) / np.sin(angle)
