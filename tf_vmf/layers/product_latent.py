"""Latent layers whose code is made of several codes: products of spheres, or of a sphere and a Gaussian."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_vmf import _tfp as tfp
from tf_vmf._checks import SetOnce, check_integer
from tf_vmf._errors import ArgumentError
from tf_vmf.layers.heads import check_concentration, head_config, initializer_config
from tf_vmf.layers.latent_contract import LatentDescription, Parameters
from tf_vmf.layers.latent_layer import LatentLayer, LatentMetric
from tf_vmf.layers.registry import register_latent
from tf_vmf.layers.scheduled import Scheduled
from tf_vmf.layers.spherical_latent import VonMisesFisherLatent
from tf_vmf.seeds import stateless_seed


@keras.saving.register_keras_serializable(package="tf_vmf")
class ProductLatent(LatentLayer):
    """Codes side by side: q(z|h) = prod_i q_i(z_i|h) with z = (z_1, ..., z_n), p(z) = prod_i p_i(z_i), and KL = sum_i KL_i.

    A single sphere has one concentration for all its directions, which binds in many dimensions; a product of spheres has one per
    part (Skopek et al., 2020).

    Args:
        layers: Latent layers of any kind, or their configurations. They add no losses and log nothing themselves; their `seed` has
            no effect, and their `kl_weight` must be 1.
        **kwargs: `kl_weight`, `num_samples`, `return_parameters`, `seed`, `kl_name` and those of `keras.layers.Layer`; see
            `tf_vmf.layers.LatentLayer`.

    Call arguments:
        inputs: Features; or a dict of parameters that are computed elsewhere, those of part i under their names with "_i" appended.

    Attributes:
        layers: The parts. `product.layers[0].concentration = 20.0` sets a concentration at any time.
        latent_dim: The sum of theirs.

    Returns:
        z, shape (batch, latent_dim). `parameters` returns those of part i under their names with "_i" appended.

    Raises:
        ValueError: There is no layer, one is no latent layer, occurs twice or has a `kl_weight`, samples or outputs of its own.

    Example:
    ```python
    spheres = [tf_vmf.layers.VonMisesFisherLatent(3, concentration=20.0) for _ in range(4)]
    z = tf_vmf.layers.ProductLatent(spheres)(keras.Input((400,)))  # (batch, 12)
    ```

    References:
        O. Skopek, O.-E. Ganea and G. Becigneul. Mixed-curvature Variational Autoencoders. ICLR 2020.
        https://arxiv.org/abs/1911.08411
    """

    def __init__(self, layers: Sequence[LatentLayer], **kwargs: Any) -> None:
        parts = [keras.saving.deserialize_keras_object(part) if isinstance(part, Mapping) else part for part in layers]
        if not parts or not all(isinstance(part, LatentLayer) for part in parts) or len({*map(id, parts)}) < len(parts):
            raise ArgumentError("layers", "latent layers, each once", repr(layers), owner="ProductLatent")
        for part in parts:
            if part.kl_weight != 1.0 or part.num_samples is not None or part.return_parameters:
                expected = (
                    "layers with the default kl_weight, num_samples and return_parameters, which belong to the product"
                )
                raise ArgumentError("layers", expected, f"{part.get_config()}", owner="ProductLatent")
        super().__init__(sum(part.latent_dim for part in parts), **kwargs)
        self.layers = parts
        for part in parts:
            part.reports = False
        if self.logged_by_row:
            self.concentration_tracker = LatentMetric("concentration", self.name)

    def build(self, input_shape: Any) -> None:
        for part in self.layers:
            if not part.built:
                part.build(input_shape)
        super().build(input_shape)

    def _parameters(self, inputs: tf.Tensor | Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        given = self._by_part(inputs) if isinstance(inputs, Mapping) else [(part, inputs) for part in self.layers]
        return {
            f"{name}_{i}": tf.cast(value, self.compute_dtype)
            for i, (part, own) in enumerate(given)
            for name, value in part.parameters(own).items()
        }

    def set_step(self, step: int | tf.Tensor) -> None:
        for part in self.layers:
            part.set_step(step)

    def logged_values(self, parameters: Parameters) -> Mapping[str, tf.Tensor]:
        """The mean concentration of the parts, where every part that has one learns it."""
        if not self.logged_by_row:
            return {}
        by_part = [part.logged_values(own) for part, own in self._by_part(parameters)]
        values = [of_part["concentration_tracker"] for of_part in by_part if "concentration_tracker" in of_part]
        return {"concentration_tracker": tf.add_n(values) / len(values)}

    @property
    def logged_by_row(self) -> tuple[str, ...]:
        learned = {bool(part.logged_by_row) for part in self.layers if hasattr(part, "concentration_tracker")}
        return ("concentration_tracker",) if learned == {True} else ()

    def numbers_at(self, step: int) -> dict[str, float]:
        numbers = super().numbers_at(step)
        if not any(part.logged_by_row for part in self.layers):
            values = [part.numbers_at(step).get("concentration") for part in self.layers]
            known = [value for value in values if value is not None]
            numbers |= {"concentration": sum(known) / len(known)} if known else {}
        return numbers

    def distribution(self, parameters: Parameters) -> tfp.distributions.Distribution:
        return tfp.distributions.Blockwise(
            [_side_by_side(part.distribution(own), count) for part, own, count in self._runs(parameters)]
        )

    def _prior(self) -> tfp.distributions.Distribution:
        priors = []
        for run in self._equal_runs():
            prior = run[0].prior()
            # `static_key` promises uniform priors on the sphere, the only ones that take a batch shape.
            priors.append(prior if len(run) == 1 else _side_by_side(prior.copy(batch_shape=[len(run)]), len(run)))
        return tfp.distributions.Blockwise(priors)

    def closed_form_kl(self, parameters: Parameters) -> tf.Tensor:
        return tf.add_n([_sum_of_parts(part.kl_divergence(own), count) for part, own, count in self._runs(parameters)])

    def kl_estimate(self, parameters: Parameters, z: tf.Tensor) -> tf.Tensor:
        runs = self._runs(parameters)
        codes = tf.split(z, [part.latent_dim * count for part, _, count in runs], axis=-1)
        kls = [part.kl_estimate(own, _apart(code, n)) for (part, own, n), code in zip(runs, codes, strict=True)]
        return tf.add_n([_sum_of_parts(kl, count) for kl, (_, _, count) in zip(kls, runs, strict=True)])

    def _sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int]) -> tf.Tensor:
        samples = [
            _together(part.sample(own, stateless_seed(seed, i), sample_shape), count)
            for i, (part, own, count) in enumerate(self._runs(parameters))
        ]
        return tf.concat(samples, axis=-1)

    def unconstrained(self, parameters: Parameters) -> dict[str, tf.Tensor]:
        return {
            f"{name}_{i}": value
            for i, (part, own) in enumerate(self._by_part(parameters))
            for name, value in part.unconstrained(own).items()
        }

    def constrained(self, numbers: Parameters, parameters: Parameters) -> dict[str, tf.Tensor]:
        both = zip(self._by_part(numbers), self._by_part(parameters), strict=True)
        return {
            f"{name}_{i}": value
            for i, ((part, own), (_, given)) in enumerate(both)
            for name, value in part.constrained(own, given).items()
        }

    def code(self, parameters: Parameters) -> tf.Tensor:
        return tf.concat([part.code(own) for part, own in self._by_part(parameters)], axis=-1)

    def auxiliary_loss(self, parameters: Parameters) -> tf.Tensor | None:
        losses = [part.auxiliary_loss(own) for part, own in self._by_part(parameters)]
        losses = [loss for loss in losses if loss is not None]
        return tf.add_n(losses) if losses else None

    @property
    def coordinate_scale(self) -> float | np.ndarray:
        scale = np.concatenate([np.broadcast_to(part.coordinate_scale, part.latent_dim) for part in self.layers])
        return float(scale[0]) if np.all(scale == scale[0]) else scale

    def interpolate(self, start: tf.Tensor, end: tf.Tensor, num_points: int | tf.Tensor = 5) -> tf.Tensor:
        ends = zip(self.layers, self._split(start), self._split(end), strict=True)
        return tf.concat([part.interpolate(first, last, num_points) for part, first, last in ends], axis=-1)

    def check_codes(self, z: tf.Tensor) -> tf.Tensor:
        parts = zip(self.layers, self._split(super().check_codes(z)), strict=True)
        return tf.concat([part.check_codes(code) for part, code in parts], axis=-1)

    def nearest_codes(self, z: tf.Tensor) -> tf.Tensor:
        parts = zip(self.layers, self._split(z), strict=True)
        return tf.concat([part.nearest_codes(code) for part, code in parts], axis=-1)

    def describe(self) -> LatentDescription:
        parts = [part.describe() for part in self.layers]
        names = Counter(part.posterior for part in parts)
        return LatentDescription(
            posterior="product of " + " and ".join(f"{count} {name}" for name, count in names.items()),
            space=f"in a product of {len(parts)} spaces, {self.latent_dim} dimensions in all,",
            spread=", ".join(dict.fromkeys(part.spread for part in parts)),
            fixed_spread=all(part.fixed_spread for part in parts),
            shared_spread=all(part.shared_spread or part.fixed_spread for part in parts)
            and any(part.shared_spread for part in parts),
            prior=", ".join(dict.fromkeys(part.prior for part in parts if part.prior)),
            constant_kl=all(part.constant_kl for part in parts),
            path="path in every part",
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["latent_dim"]
        return {**config, "layers": [head_config(part) for part in self.layers]}

    def _by_part(self, parameters: Parameters) -> list[tuple[LatentLayer, dict[str, tf.Tensor]]]:
        """Each part with its own parameters, under their own names."""
        by_part: list[dict[str, tf.Tensor]] = [{} for _ in self.layers]
        for name, value in parameters.items():
            own, _, i = name.rpartition("_")
            if not i.isdigit() or int(i) >= len(by_part):
                expected = 'parameters of the parts, under their names with "_0", "_1" and so on appended'
                raise ArgumentError("inputs", expected, repr(name), owner=type(self).__name__)
            by_part[int(i)][own] = value
        return list(zip(self.layers, by_part, strict=True))

    def _equal_runs(self) -> list[list[LatentLayer]]:
        """The parts, those that follow each other and have the same static key in one list."""
        return [list(run) for _, run in itertools.groupby(self.layers, lambda part: part.static_key() or id(part))]

    def _runs(self, parameters: Parameters) -> list[tuple[LatentLayer, dict[str, tf.Tensor], int]]:
        """The first part of every run, the parameters of its n parts with an axis of size n after the batch, and n.

        A product of many spheres is a graph no larger than that of one. For n = 1 there is no such axis.
        """
        by_part = iter(self._by_part(parameters))
        runs = []
        for run in self._equal_runs():
            own = [next(by_part) for _ in run]
            part, first = own[0]
            if len(run) > 1:
                axis = part.code(first).shape.rank - 1
                first = {name: tf.stack([each[name] for _, each in own], axis=axis) for name in first}
            runs.append((part, first, len(run)))
        return runs

    def _split(self, z: tf.Tensor) -> list[tf.Tensor]:
        z = tf.convert_to_tensor(z)
        self._check_width(z)
        return tf.split(z, [part.latent_dim for part in self.layers], axis=-1)


def _together(z: tf.Tensor, count: int) -> tf.Tensor:
    """Codes of shape (..., count, d) as (..., count d); for count = 1 there is no such axis."""
    return z if count == 1 else tf.reshape(z, tf.concat([tf.shape(z)[:-2], [z.shape[-2] * z.shape[-1]]], axis=0))


def _apart(z: tf.Tensor, count: int) -> tf.Tensor:
    """The inverse of `_together`."""
    return z if count == 1 else tf.reshape(z, tf.concat([tf.shape(z)[:-1], [count, z.shape[-1] // count]], axis=0))


def _sum_of_parts(kl: tf.Tensor, count: int) -> tf.Tensor:
    return kl if count == 1 else tf.reduce_sum(kl, axis=-1)


def _side_by_side(distribution: tfp.distributions.Distribution, count: int) -> tfp.distributions.Distribution:
    """The joint distribution of the codes that `_together` joins, the last batch axis being the parts."""
    if count == 1:
        return distribution
    dim = distribution.event_shape[-1]
    return tfp.distributions.TransformedDistribution(
        tfp.distributions.Independent(distribution, 1),
        tfp.bijectors.Reshape(event_shape_out=[count * dim], event_shape_in=[count, dim]),
    )


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
            expected = f"one value, or one for each of the {count} parts"
            raise ArgumentError("concentration", expected, repr(concentration), owner=name)
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
