"""The description of a latent layer for reports and model cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LatentDescription:
    """The facts about the codes of a latent layer that a report states.

    Attributes:
        posterior: Name of the distribution q(z|x), as in "von Mises-Fisher".
        space: Where codes lie, as in "on the unit sphere in 25 dimensions".
        spread: What sets the uncertainty of a code, as in "concentration 100; higher is more certain".
        fixed_spread: Whether all examples have the same uncertainty, which training does not change.
        shared_spread: Whether all examples have the same uncertainty, which training changes.
        prior: What the KL of a code is charged against, where that is learned, as in "learned mixture of 100 components"; else "".
        constant_kl: Whether all examples have the same KL, which training does not change.
        metric: How codes are compared: "cosine" for unit vectors, "euclidean" otherwise.
        path: What `interpolate` follows, as in "great circle".
    """

    posterior: str
    space: str
    spread: str = "learned variance"
    fixed_spread: bool = False
    shared_spread: bool = False
    prior: str = ""
    constant_kl: bool = False
    metric: Literal["cosine", "euclidean"] = "euclidean"
    path: str = "straight line"

    def code(self, noun: str) -> str:
        """Describes a code in half a sentence.

        Args:
            noun: What an example is called: "document" or "sentence".
        """
        uncertainty = "fixed uncertainty" if self.fixed_spread else f"an uncertainty learned for every {noun}"
        if self.shared_spread:
            uncertainty = f"an uncertainty learned for all {noun}s together"
        prior = f"; prior: {self.prior}" if self.prior else ""
        return f"a point {self.space} with {uncertainty} ({self.posterior}, {self.spread}{prior})"
