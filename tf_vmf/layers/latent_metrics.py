"""Metrics of latent layers: means over examples, with names of their own in a model of several such layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._errors import ArgumentError


class LatentMetric(keras.metrics.Mean):
    """The mean over examples of a quantity that a layer logs.

    Args:
        base_name: Name of the metric in a model with one latent layer.
        layer_name: Name of the layer, which distinguishes it in a model with several.
        fixed: Whether `base_name` was chosen by the user, and is kept.
    """

    def __init__(self, base_name: str, layer_name: str, fixed: bool = False) -> None:
        super().__init__(name=base_name)
        self.name_apart = base_name if fixed else f"{base_name}_{layer_name}"

    def add(self, values: tf.Tensor) -> None:
        """Adds to the values of examples that are counted already."""
        self.total.assign(self.total + tf.cast(tf.reduce_sum(values), self.total.dtype))

    def set(self, value: tf.Tensor) -> None:
        """The value itself in place of a mean; replicas, whose sums Keras divides by each other, agree on it."""
        self.total.assign(tf.cast(value, self.total.dtype))
        self.count.assign(tf.ones([], self.count.dtype))

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("A latent layer makes its metrics itself.")


def name_apart(metrics: Sequence[LatentMetric]) -> None:
    """Gives every metric a name of its own: Keras shows one metric per name, the last one.

    Raises:
        ValueError: Two layers were given the same `kl_name`.
    """
    counts = Counter(metric.name_apart for metric in metrics)
    for name, count in counts.items():
        if count > 1:
            raise ArgumentError(
                "kl_name", "a name of its own for each latent layer of a model, or None", f"{name!r} for {count} layers"
            )
    for metric in metrics:
        metric.name = metric.name_apart
