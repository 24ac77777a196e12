"""Latent layer whose code is made of unit vectors of equal dimension."""

from __future__ import annotations

from typing import Any

import keras

from tf_vmf._checks import SetOnce, check_integer
from tf_vmf._errors import ArgumentError
from tf_vmf.layers.concentration_argument import check_concentration
from tf_vmf.layers.heads import head_config, initializer_config
from tf_vmf.layers.product_latent import ProductLatent
from tf_vmf.layers.registry import register_latent
from tf_vmf.layers.scheduled import Scheduled
from tf_vmf.layers.von_mises_fisher_latent import VonMisesFisherLatent


@register_latent("vmf_product")
class SphereProductLatent(ProductLatent):
    """latent_dim / part_dim unit vectors in R^part_dim side by side, each with a von Mises-Fisher posterior.

    Short for a `ProductLatent` of equal `VonMisesFisherLatent`s, with a name for the trainers.

    Args:
        latent_dim: Number of entries of a code, a multiple of `part_dim`.
        part_dim: Dimension of the space of every sphere, >= 2; the sphere itself has one less.
        concentration: Of every part; see `tf_vmf.layers.VonMisesFisherLatent`. A layer is copied, so that each part learns its
            own. A list has one value per part.
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
            raise ArgumentError("part_dim", f"a divisor of latent_dim={latent_dim}", repr(part_dim), owner=name)
        count = latent_dim // self.part_dim
        by_part = [*concentration] if isinstance(concentration, (list, tuple)) else [concentration] * count
        if len(by_part) != count:
            raise ArgumentError(
                "concentration", f"one value, or one for each of the {count} parts", repr(concentration), owner=name
            )
        self.kernel_initializer = kernel_initializer
        self.norm_penalty = norm_penalty
        super().__init__(
            [
                VonMisesFisherLatent(
                    self.part_dim,
                    concentration=_config(check_concentration(name, of_part)),
                    kernel_initializer=kernel_initializer,
                    norm_penalty=norm_penalty,
                    dtype=kwargs.get("dtype"),
                    name=f"part_{i}",
                )
                for i, of_part in enumerate(by_part)
            ],
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        of_parts = [part["config"]["concentration"] for part in config.pop("layers")]
        # Layers differ by their names and learn what they start alike from; numbers may have been set part by part.
        are_equal = self.layers[0].concentration_head is not None or all(each == of_parts[0] for each in of_parts)
        return {
            **config,
            "latent_dim": self.latent_dim,
            "part_dim": self.part_dim,
            "concentration": of_parts[0] if are_equal else of_parts,
            "kernel_initializer": initializer_config(self.kernel_initializer),
            "norm_penalty": self.norm_penalty,
        }


def _config(concentration: Scheduled | keras.layers.Layer) -> Any:
    """The configuration from which each part makes its own number, schedule or layer; a user's variable is shared."""
    if isinstance(concentration, keras.layers.Layer):
        return head_config(concentration) or {}
    return concentration.value if concentration.is_live else concentration.get_config()
