"""Latent layer whose code is made of unit vectors of equal dimension."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from tf_vmf._checks import SetOnce, check_integer
from tf_vmf.layers.concentration_argument import check_concentration
from tf_vmf.layers.heads import head_config, initializer_config
from tf_vmf.layers.product_latent import ProductLatent
from tf_vmf.layers.registry import register_latent
from tf_vmf.layers.von_mises_fisher_latent import VonMisesFisherLatent


@register_latent("vmf_product")
class SphereProductLatent(ProductLatent):
    """latent_dim / part_dim unit vectors in R^part_dim side by side, each with a von Mises-Fisher posterior.

    Short for a `ProductLatent` of equal `VonMisesFisherLatent`s, with a name for the trainers.

    Args:
        latent_dim: Number of entries of a code, a multiple of `part_dim`.
        part_dim: Dimension of the space of every sphere, >= 2; the sphere itself has one less.
        concentration: Of every part; see `tf_vmf.layers.VonMisesFisherLatent`. A layer is copied, so that each part learns its own.
        kernel_initializer, norm_penalty: See `tf_vmf.layers.VonMisesFisherLatent`.
        **kwargs: See `tf_vmf.layers.LatentLayer`.

    Raises:
        ValueError: An argument is out of its range, or `part_dim` does not divide `latent_dim`.

    Example:
    ```python
    z = tf_vmf.layers.SphereProductLatent(50, part_dim=5, concentration="learned")(keras.Input((400,)))  # ten unit vectors
    ```
    """

    norm_penalty = SetOnce()

    def __init__(
        self,
        latent_dim: int,
        *,
        part_dim: int = 5,
        concentration: Any = 100.0,
        kernel_initializer: Any = "glorot_uniform",
        norm_penalty: float = 0.0,
        **kwargs: Any,
    ) -> None:
        name = type(self).__name__
        latent_dim = check_integer(name, "latent_dim", latent_dim, minimum=2)
        self.part_dim = check_integer(name, "part_dim", part_dim, minimum=2)
        if latent_dim % self.part_dim:
            raise ValueError(
                f"Argument `part_dim` of {name}: expected a divisor of latent_dim={latent_dim}. Received: part_dim={part_dim!r}."
            )
        self._concentration = _config(check_concentration(name, concentration))
        self.kernel_initializer = kernel_initializer
        self.norm_penalty = norm_penalty
        super().__init__(
            [
                VonMisesFisherLatent(
                    self.part_dim,
                    concentration=self._concentration,
                    kernel_initializer=kernel_initializer,
                    norm_penalty=norm_penalty,
                    dtype=kwargs.get("dtype"),
                    name=f"part_{i}",
                )
                for i in range(latent_dim // self.part_dim)
            ],
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["layers"]
        return {
            **config,
            "latent_dim": self.latent_dim,
            "part_dim": self.part_dim,
            "concentration": self._concentration,
            "kernel_initializer": initializer_config(self.kernel_initializer),
            "norm_penalty": self.norm_penalty,
        }


def _config(concentration: Any) -> float | Mapping[str, Any]:
    """The number itself, or the configuration from which every part makes its own layer or schedule."""
    if isinstance(concentration, keras.layers.Layer):
        return head_config(concentration) or {}
    if isinstance(concentration, float):
        return concentration
    return keras.saving.serialize_keras_object(concentration)
