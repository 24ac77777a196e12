"""The base of all models: a Keras model whose train step is that of one device on any number of replicas.

Stock Keras 3 clips the gradient of every replica of a `tf.distribute` strategy before the all-reduce and weighs the replicas' means
equally, however many examples each one had. Here losses are divided by the global number of examples, gradients are summed over
replicas and only then clipped, so that any number of replicas, uneven or empty shards included, takes the step of one device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from tf_vmf import _keras
from tf_vmf.math.custom_gradient import release_with_graph


@keras.saving.register_keras_serializable(package="tf_vmf")
class ReplicatedModel(_keras.ModelBuiltInScope):
    """A `keras.Model`, functional or subclassed, whose train step is that of one device on any number of replicas.

    The loss of a replica, the latent layers' KL included, has the weight of its share of the batch, and the summed gradient is
    clipped. (Stock Keras weighs replicas equally and clips their gradients before they are summed.)

    ```python
    digits = np.random.default_rng(0).random((100, 64))
    with tf_vmf.training.get_strategy("mirrored").scope():
        pixels = keras.Input((64,))
        z = tf_vmf.layers.VonMisesFisherLatent(5, concentration=50.0)(keras.layers.Dense(128, "relu")(pixels))
        model = tf_vmf.models.ReplicatedModel(pixels, keras.layers.Dense(64, "sigmoid")(z))
        # Keras averages over the 64 pixels, the KL is a sum in nats: weigh them alike.
        adam = keras.optimizers.Adam(1e-3, global_clipnorm=1.0)
        model.compile(adam, loss="binary_crossentropy", loss_weights=[64])
    model.fit(digits, digits)
    ```

    Losses must be means over the examples, which Keras's are by default. With sample weights Keras still divides by the number of
    examples, and so does this class. `tf_vmf.training.fit` trains it too, on several machines and with exact resume.

    A last batch of fewer examples than replicas leaves a replica without any. The layers of the model must bear that, which the
    fused convolution of TensorFlow 2.21 on a CPU does not: drop such a batch. (`VAE` does without this.)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls is ReplicatedModel and _keras.has_functional_arguments(args, kwargs):
            return FunctionalReplicatedModel.__new__(FunctionalReplicatedModel, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _keras.has_functional_arguments(args, kwargs):
            _make_functional(type(self))
        super().__init__(*args, **kwargs)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """See `keras.Model.compile`."""
        super().compile(*args, **kwargs)
        # Now, not in the first traced step: under a strategy variables must be made in its scope.
        if self.built and self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        # Keras asks for this one wherever `compile` is overridden.
        self.compile(**keras.saving.deserialize_keras_object(config))

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        examples = tf.cast(tf.shape(tf.nest.flatten(x)[0])[0], tf.float32)

        def share_of_loss() -> tuple[tf.Tensor, tuple[tf.Tensor, Any]]:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
            # Keras divides its losses by the number of replicas.
            loss *= tf.distribute.get_strategy().num_replicas_in_sync
            return loss * tf.cast(examples / tf.maximum(sum_over_replicas(examples), 1.0), loss.dtype), (loss, y_pred)

        loss, y_pred = self.minimize(share_of_loss, self.trainable_variables, is_empty=tf.equal(examples, 0.0))
        _keras.log_loss(self, tf.where(tf.equal(examples, 0.0), tf.zeros_like(loss), loss), examples)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def minimize(
        self,
        share_of_loss: Callable[[], tuple[tf.Tensor, Any]],
        variables: Sequence[keras.Variable],
        is_empty: tf.Tensor | None = None,
    ) -> Any:
        """Takes one optimizer step on the sum of a loss over all replicas.

        Args:
            share_of_loss: Returns this replica's summand of the loss, a scalar, and anything else.
            variables: The variables to change.
            is_empty: True where this replica has no examples, so that a mean over them is NaN; its gradient is then zero.

        Returns:
            What `share_of_loss` returned second.
        """
        with tf.GradientTape() as tape:
            loss, results = share_of_loss()
            scaled = self.optimizer.scale_loss(loss)
        # A sparse gradient may name a row twice: its norm, which clipping needs, is only right once it is dense.
        gradients = [None if g is None else tf.convert_to_tensor(g) for g in tape.gradient(scaled, variables)]
        if is_empty is not None:
            gradients = [None if g is None else tf.where(is_empty, tf.zeros_like(g), g) for g in gradients]
        apply_gradients(self.optimizer, gradients, variables)
        return results


@keras.saving.register_keras_serializable(package="tf_vmf")
class FunctionalReplicatedModel(ReplicatedModel, _keras.Functional):
    """The class of `ReplicatedModel(inputs, outputs)`.

    Keras would change the bases of `ReplicatedModel` itself, after which no subclassed model could derive from it any more.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(inputs, outputs, name=name, **kwargs)


def _make_functional(cls: type) -> type:
    """Makes a subclass of `ReplicatedModel` that calls `super().__init__(inputs, outputs)` a functional model, as Keras does."""
    if cls is ReplicatedModel:
        return FunctionalReplicatedModel
    if issubclass(cls, ReplicatedModel) and not issubclass(cls, _keras.Functional):
        cls.__bases__ = tuple(_make_functional(base) for base in cls.__bases__)
    return cls


def sum_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """The sum of a scalar over all replicas; the value itself outside a strategy."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return _sum_over_replicas(context, value)


def apply_gradients(
    optimizer: keras.optimizers.Optimizer, gradients: Sequence[tf.Tensor], variables: Sequence[keras.Variable]
) -> None:
    """Sums this replica's share of the gradients over all, clips as the optimizer is told to, and applies the same update."""
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        gradients, variables = _sum_over_replicas(context, [g for g, _ in pairs]), [v for _, v in pairs]
    # On one device, too, where the sum that Keras takes is the gradient itself but would keep the graph in memory for good.
    with _keras.no_gradient_sum(optimizer):
        optimizer.apply(gradients, variables)


def _sum_over_replicas(context: tf.distribute.ReplicaContext, value: Any) -> Any:
    summed = context.all_reduce(tf.distribute.ReduceOp.SUM, value)
    release_with_graph(summed)
    return summed
