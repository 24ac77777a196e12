"""Gradients across the replicas of a `tf.distribute` strategy.

Stock Keras 3 clips every replica's gradient before the all-reduce and weighs the replicas' means equally, however many examples
each one had. Here losses are divided by the global number of examples, gradients are summed over replicas and only then clipped,
so that any number of replicas, uneven or empty shards included, takes the step that one device would take.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf


def sum_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """The sum of a scalar over all replicas; the value itself outside a strategy."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def apply_gradients(
    optimizer: keras.optimizers.Optimizer, gradients: Sequence[tf.Tensor], variables: Sequence[keras.Variable]
) -> None:
    """Sums gradients over replicas, clips as the optimizer is told to, and applies the same update everywhere.

    Args:
        optimizer: A Keras optimizer; its `clipvalue`, `clipnorm` or `global_clipnorm` is honoured on the summed gradient.
        gradients: This replica's share of the gradient of the global loss.
        variables: One for every gradient.
    """
    context = tf.distribute.get_replica_context()
    replicas = 1 if context is None else context.num_replicas_in_sync
    if replicas > 1:
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        summed = context.all_reduce(tf.distribute.ReduceOp.SUM, [g for g, _ in pairs])
        # The optimizer sums over replicas once more: give it 1 / replicas each. Its own clipping then finds nothing to clip.
        gradients = [g / replicas for g in _clip(optimizer, summed)]
        variables = [v for _, v in pairs]
    optimizer.apply(gradients, variables)


def _clip(optimizer: keras.optimizers.Optimizer, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
    # A LossScaleOptimizer unscales and clips inside; its thresholds hold for unscaled gradients.
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    scale = optimizer.scale_loss(tf.constant(1.0)) if inner is not optimizer else 1.0
    if inner.clipnorm is not None:
        return [tf.clip_by_norm(g, inner.clipnorm * scale) for g in gradients]
    if inner.global_clipnorm is not None:
        return tf.clip_by_global_norm(gradients, inner.global_clipnorm * scale)[0]
    if inner.clipvalue is not None:
        return [tf.clip_by_value(g, -inner.clipvalue * scale, inner.clipvalue * scale) for g in gradients]
    return list(gradients)
