"""Gradients across the replicas of a `tf.distribute` strategy.

Stock Keras 3 clips every replica's gradient before the all-reduce and weighs the replicas' means equally, however many examples
each one had. Here losses are divided by the global number of examples, gradients are summed over replicas and only then clipped,
so that any number of replicas, uneven or empty shards included, takes the step that one device would take.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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
    if context is None or context.num_replicas_in_sync == 1:
        optimizer.apply(gradients, variables)
        return
    pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
    summed = context.all_reduce(tf.distribute.ReduceOp.SUM, [g for g, _ in pairs])
    with _no_sum_of_its_own(optimizer):
        optimizer.apply(summed, [v for _, v in pairs])


@contextmanager
def _no_sum_of_its_own(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Keeps the optimizer from summing over replicas, which Keras does after clipping, where it is too late.

    Dividing by the number of replicas before would cancel that sum, and move every gradient over the network twice.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    name = "_all_reduce_sum_gradients"
    if not hasattr(type(inner), name):  # else the sum would be taken twice, in silence
        raise RuntimeError(
            f"Keras {keras.__version__} sums gradients over replicas in a way that is unknown to tf_vmf. Expected "
            f"{type(inner).__name__}.{name}, as in Keras 3.15. Train on one device, or install that version."
        )
    # Past Keras's own __setattr__, which tracks what it is given. All replicas are in here together: none of them leaves before all
    # have had their gradients applied.
    object.__setattr__(inner, name, lambda grads_and_vars: list(grads_and_vars))
    try:
        yield
    finally:
        vars(inner).pop(name, None)
