"""Custom gradients that are released together with the graph they belong to.

`tf.custom_gradient` enters the gradient of every trace into TensorFlow's registry of gradients under a new name, for good. The
entry holds the tensors of the graph, so no graph with a custom gradient is ever freed: 10 entries and 12 to 17 MB per small model
that is trained (TensorFlow 2.21). Here the graph owns the function, and the registry holds a weak reference to it and forgets the
name with the graph.

One registered gradient per function, chosen by `tf.Graph.gradient_override_map`, would not need that. But SavedModel traces a
registered gradient once per name and without its operation (`saved_model.save._trace_gradient_functions`), so all calls in a
saved function would get the gradient of the first of them. It can be had once SavedModel passes the operation.
"""

import functools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops

# The registered functions of a graph, an attribute of it: a dictionary elsewhere would keep the graph alive, which they refer to.
_ATTRIBUTE = "_tf_vmf_custom_gradients"


def custom_gradient(function: Callable[..., tuple[Any, Callable]]) -> Callable[..., Any]:
    """Gives a function a gradient of its own, as `tf.custom_gradient` does, without keeping its graphs in memory.

    It returns its value, or a structure of tensors, and the function from the gradients of the outputs to those of the arguments.
    Keyword arguments are passed on; no gradient is taken of them.

    ```python
    from tf_vmf.math.custom_gradient import custom_gradient

    @custom_gradient
    def clipped(x):
        return tf.minimum(x, 1.0), lambda upstream: upstream

    clipped(tf.constant(2.0))  # 1.0, with the gradient 1
    ```
    """

    @functools.wraps(function)
    def differentiable(*args: Any, **kwargs: Any) -> Any:
        @tf.custom_gradient
        @functools.wraps(function)
        def of_tensors(*tensors: Any) -> Any:
            return function(*tensors, **kwargs)  # TensorFlow takes no keyword arguments in graphs

        result = of_tensors(*args)
        release_with_graph(result)
        return result

    return differentiable


def release_with_graph(outputs: Any) -> None:
    """Lets the graph own the custom gradient of tensors that a function returned: it ends with the graph. Eager mode has none."""
    output = tf.nest.flatten(outputs)[0]
    if tf.is_symbolic_tensor(output):
        _release(output.op)


@contextmanager
def releasing_with_graph() -> Iterator[None]:
    """Lets the current graph own all custom gradients that a block of other people's functions adds to it."""
    graph = None if tf.executing_eagerly() else ops.get_default_graph()
    before = 0 if graph is None else len(graph.get_operations())
    yield
    for operation in () if graph is None else graph.get_operations()[before:]:
        _release(operation)


@tf.autograph.experimental.do_not_convert  # an attempt of AutoGraph to rewrite it would keep the graph alive
def _release(operation: tf.Operation) -> None:
    if "_gradient_op_type" not in operation.node_def.attr:
        return
    graph, name = operation.graph, operation.get_attr("_gradient_op_type").decode()
    entries = ops.gradient_registry._registry
    if name not in entries or not name.startswith("CustomGradient-") or hasattr(entries[name]["type"], _ATTRIBUTE):
        return  # released before, or registered for good
    gradient = entries.pop(name)["type"]
    setattr(graph, _ATTRIBUTE, [*getattr(graph, _ATTRIBUTE, ()), gradient])
    # The graph is alive whenever the gradient of one of its operations is asked for.
    weak: Any = weakref.ref(gradient)

    def of_graph(op: tf.Operation, *upstream: Any) -> Any:
        return weak()(op, *upstream)

    setattr(of_graph, _ATTRIBUTE, True)
    tf.RegisterGradient(name)(of_graph)
    weakref.finalize(graph, entries.pop, name, None).atexit = False
