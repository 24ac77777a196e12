"""Stateless noise seeds that differ by step and by replica.

`keras.random.SeedGenerator` gives every replica of a `tf.distribute` strategy the same noise, and no checkpoint format restores
its state (Keras 3.15). Seeds here are a pure function of (seed, step, replica), so replicas differ and a resumed run repeats.
They are the same in eager mode, in graphs and under XLA, and so is the noise of the samplers and of dropout, up to rounding.
Exceptions are what TensorFlow and TensorFlow Probability draw by themselves: gamma variables (power spherical), samples of priors,
and the words of generated text. Those are other ones under XLA, and so is the noise of a `tf.function` that was traced without
XLA and is then called inside a function that XLA compiles.
"""

import functools
import random
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_vmf._checks import refuse_variable
from tf_vmf._errors import ArgumentError


def in_graph(function: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """Runs a function of tensors, made of many small operations, as one graph in eager mode, which is ten times as fast."""
    compiled = tf.function(function, autograph=False)

    @functools.wraps(function)
    def call(*args: Any) -> tf.Tensor:
        return (compiled if tf.executing_eagerly() else function)(*args)

    return call


def draw_seed(seed: int | None) -> int:
    """Returns an integer in [0, 2**31), or a random one that follows `keras.utils.set_random_seed` for None."""
    if seed is None:
        return random.randint(0, 2**31 - 1)
    refuse_variable("", "seed", seed)
    if isinstance(seed, (bool, str)) or not 0 <= seed < 2**31 or int(seed) != seed:  # NaN is not below
        raise ArgumentError("seed", "None or an integer in [0, 2**31)", repr(seed))
    return int(seed)


def stateless_seed(seed: int | tf.Tensor, *fold: int | tf.Tensor) -> tf.Tensor:
    """A stateless int32 seed of shape (2,): `seed` (an int, or itself a stateless seed) with the numbers of `fold` folded in."""
    state = tf.cast(seed, tf.int32)
    if state.shape.rank == 0:
        state = tf.stack([state, 0])
    numbers = [tf.cast(number, tf.int32) for number in fold]
    return _folded(state, *numbers) if fold else state


@tf.function(autograph=False)
def _folded(state: tf.Tensor, *numbers: tf.Tensor) -> tf.Tensor:
    for number in numbers:
        # int32 throughout: TensorFlow Probability takes no other seeds. Philox by name: under XLA the default is another.
        state = tf.random.experimental.stateless_fold_in(state, number, alg="philox")
    return state


def replica_seed(seed: int | tf.Tensor, *fold: int | tf.Tensor) -> tf.Tensor:
    """`stateless_seed` with the id of the current `tf.distribute` replica folded in last (0 outside a strategy)."""
    context = tf.distribute.get_replica_context()
    return stateless_seed(seed, *fold, 0 if context is None else context.replica_id_in_sync_group)
