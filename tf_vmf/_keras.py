"""Every private name of Keras that this package relies on; no other file touches one.

Keras promises nothing about these names, so each is checked: another version of Keras is an error and not a wrong number.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf


def _private(owner: Any, name: str) -> Any:
    """A private attribute of Keras; an ImportError where this version lacks it."""
    try:
        return getattr(owner, name)
    except AttributeError as error:
        owner_name = getattr(owner, "__name__", type(owner).__name__)
        raise ImportError(
            f"tf_vmf relies on {owner_name}.{name}, as in Keras 3.15. Keras {keras.__version__}, which is installed, lacks it: "
            "pip install 'keras>=3.15,<3.16'"
        ) from error


_models = _private(keras, "src").models
Functional = _private(_models.functional, "Functional")  # the class of `keras.Model(inputs, outputs)`
has_functional_arguments = _private(_models.model, "functional_init_arguments")
# Modules whose functions write files for runtimes without random numbers.
_PORTABLE_EXPORTS = frozenset(
    _private(_private(_private(keras, "src"), "export"), name).__module__ for name in ("export_onnx", "export_litert")
)
_private(keras.Model, "_maybe_symbolic_build")  # overridden below: without it the override would do nothing


class ModelBuiltInScope(keras.Model):
    """A model that under a strategy is built by the first replica's share of the first batch, if it is not built before.

    Keras 3.15 builds a model by the mean of the replicas' shares, which fails where their number does not divide the batch.
    """

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        if self.built:
            return
        strategy = self.distribute_strategy
        if strategy.num_replicas_in_sync > 1 and iterator is not None:
            data_batch = next(next(iter(iterator))[2])
            first = tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], data_batch)
            iterator, data_batch = None, first
        super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)


def log_loss(model: keras.Model, loss: tf.Tensor, examples: tf.Tensor) -> None:
    """Adds the mean loss of some examples to the `loss` that a compiled model logs."""
    _private(model, "_loss_tracker").update_state(loss, sample_weight=examples)


def training_steps(model: keras.Model) -> int:
    """The number of training steps that a compiled model has taken: batches, of which gradient accumulation joins several.

    A model of `tf_vmf.models` counts them itself. Keras's own count is the optimizer's, whose public name counts updates.
    """
    own = getattr(model, "train_steps", None)
    if own is None:
        own = _private(getattr(model.optimizer, "inner_optimizer", model.optimizer), "_iterations")
    return int(keras.ops.convert_to_numpy(own))


def compiled_metrics(model: keras.Model) -> Any | None:
    """The metrics of `compile(metrics=...)` as one metric; None where there are none."""
    return _private(model, "_compile_metrics")


def adam_moments(optimizer: keras.optimizers.Adam, variable: keras.Variable) -> tuple[Any, Any]:
    """The TensorFlow variables in which Adam keeps the first and the second moment of a variable's gradient."""
    index = _private(optimizer, "_get_variable_index")(variable)
    return _private(optimizer, "_momentums")[index].value, _private(optimizer, "_velocities")[index].value


@contextmanager
def no_gradient_sum(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Keeps the optimizer from summing gradients over replicas, which Keras does after clipping, where it is too late.

    Dividing by the number of replicas before would cancel that sum, and move every gradient over the network twice.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    name = "_all_reduce_sum_gradients"
    _private(type(inner), name)  # else the sum would be taken twice, in silence
    # Past Keras's own __setattr__, which tracks what it is given. All replicas are in here together: none of them leaves before all
    # have had their gradients applied.
    object.__setattr__(inner, name, lambda grads_and_vars: list(grads_and_vars))
    try:
        yield
    finally:
        vars(inner).pop(name, None)


def outermost_call() -> Any | None:
    """The context of the outermost `__call__` in progress, the same object in all calls inside it; None outside of any.

    The losses that layers add are collected over one such context: a layer called twice in it is charged twice.
    """
    backend = _private(_private(keras, "src"), "backend")
    return _private(backend.common, "global_state").get_global_attribute("current_call_ctx")


def called_model(context: Any | None) -> keras.Model | None:
    """The model whose call a context is; None where a layer was called by itself."""
    entry = None if context is None else _private(context, "entry_layer")
    return entry if isinstance(entry, keras.Model) else None


def portable_export_in_progress() -> str | None:
    """The format, "onnx" or "litert", of the file for which Keras traces a model just now; None if for none.

    Keras tells a layer nothing of it, so the callers are asked.
    """
    frame = inspect.currentframe()
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module in _PORTABLE_EXPORTS:
            return module.rpartition(".")[2]
        frame = frame.f_back
    return None


def layers_inside(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layer and all layers inside it, at any depth, each once."""
    found: list[keras.layers.Layer] = _private(layer, "_flatten_layers")()
    return found
