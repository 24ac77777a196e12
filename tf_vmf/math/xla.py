"""Whether XLA compiles what is being traced."""

import tensorflow as tf
from tensorflow.python.ops import control_flow_util


def is_compiled_by_xla() -> bool:
    """Whether the function that is being traced will be compiled by XLA, by itself or inside another one.

    It is not known of a `tf.function` that was traced before, outside of the one that XLA compiles.
    """
    return not tf.executing_eagerly() and control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
