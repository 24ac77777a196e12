"""Options that choose the latent variable."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
from typing import Any

from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs.options import Config, option, refuse_unused


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatentConfig(Config):
    """Latent variable."""

    latent: str = option(
        "vmf",
        "Posterior of the code: vmf, gaussian, power_spherical, uniform_norm_vmf, vmf_product, or another registered one; none "
        "for a plain language model.",
    )
    latent_dim: int = option(20, "Dimension d of the code; on the sphere that of R^d.", minimum=1)
    concentration: float | str = option(
        "learned",
        "Concentration of a spherical posterior: a number, 'learned' for one per example, or 'shared' for a learned one.",
        minimum=0.0,
        words=("learned", "shared"),
    )
    initial_concentration: float | None = option(
        None,
        "Concentration at the start of training, if it is learned or has warm-up steps; learned and not given: 2 latent_dim "
        "(of a part of vmf_product 2 part_dim).",
        minimum=0.0,
    )
    concentration_warmup_steps: int = option(
        0,
        "Move a concentration that is a number in a straight line from initial_concentration to it over this many steps.",
        minimum=0,
    )
    minimum_concentration: float | None = option(
        None,
        "Lower bound of a learned concentration; if not given a tenth of that default, or of the initial one if that is less.",
        minimum=0.0,
    )
    latent_options: tuple[str, ...] = option(
        (),
        "Other arguments of the latent, NAME=VALUE,..., for instance those of one of your own that --import makes known.",
    )
    prior: str = option(
        "fixed",
        "Prior of the code: fixed (uniform on the sphere, standard normal for a Gaussian), or a mixture learned with the model.",
        choices=("fixed", "mixture"),
    )
    prior_components: int = option(100, "Components of the mixture with prior=mixture.", minimum=1)
    norm_penalty: float = option(
        0.0, "Weight of (||m|| - 1)^2, where m is the mean direction before it is normalized.", minimum=0.0
    )
    norm_max: float = option(2.0, "Largest norm of a code of the latent uniform_norm_vmf.", minimum=0.0)
    norm_width: float = option(
        1.0, "Width of the norm's uniform posterior of the latent uniform_norm_vmf.", minimum=0.0
    )
    part_dim: int = option(
        5,
        "Dimension of each unit vector of which a code of the latent vmf_product is made; divides latent_dim.",
        minimum=2,
    )
    kl_weight: float = option(
        1.0, "Weight of the KL in the training loss; with kl_warmup_steps the one it rises to.", minimum=0.0
    )
    kl_warmup_steps: int = option(0, "Raise the weight of the KL from 0 to kl_weight over this many steps.", minimum=0)
    kl_schedule: str = option(
        "linear",
        "How the weight rises: in a line; along a sigmoid, half of it half-way; or four times over kl_warmup_steps, each "
        "time in the first half of a cycle.",
        choices=("linear", "sigmoid", "cyclical"),
    )

    def check(self) -> None:
        super().check()
        if self.concentration_warmup_steps and (
            isinstance(self.concentration, str) or self.initial_concentration is None
        ):
            raise ArgumentError(
                "concentration_warmup_steps",
                "0, or a `concentration` that is a number and the `initial_concentration` from which it starts",
                f"{self.concentration_warmup_steps} with concentration={self.concentration!r}, "
                f"initial_concentration={self.initial_concentration!r}",
            )
        if isinstance(self.concentration, float):
            refuse_unused(self, ["minimum_concentration"], "a concentration that is a number is not learned")
            if not self.concentration_warmup_steps:
                refuse_unused(
                    self,
                    ["initial_concentration"],
                    "a number without `concentration_warmup_steps` has its value from the start",
                )
        if self.prior == "fixed":
            refuse_unused(self, ["prior_components"], "prior is 'fixed'")
        if self.latent == "none":
            own = [each.name for each in dataclasses.fields(LatentConfig) if each.name != "latent"]
            refuse_unused(self, own, "there is no latent variable with latent='none'")
        self.own_latent_options()
        if self.kl_schedule != "linear" and not self.kl_warmup_steps:
            raise ArgumentError("kl_schedule", "`kl_warmup_steps` above 0, the steps over which the weight rises", "0")

    def own_latent_options(self) -> dict[str, Any]:
        """`latent_options` by name: numbers, True, False, None, and other values as strings."""
        found: dict[str, Any] = {}
        for entry in self.latent_options:
            name, separator, text = entry.partition("=")
            if not separator or not name.isidentifier() or name in found:
                raise ArgumentError("latent_options", "NAME=VALUE,... with distinct names", repr(entry))
            found[name] = text
            with contextlib.suppress(ValueError, SyntaxError):
                found[name] = ast.literal_eval(text)
        return found
