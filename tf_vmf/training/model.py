"""A Keras model of the user's own that trains rightly on any number of replicas."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from tf_vmf.models.gradients import apply_gradients, sum_over_replicas


class ReplicatedModel(keras.Model):
    """A `keras.Model`, functional or subclassed, whose train step is that of one device on any number of replicas.

    Stock Keras 3 weighs the replicas of a `tf.distribute` strategy equally, however many examples each one has, and clips their
    gradients before they are summed. Here the loss of a replica, the latent layers' KL included, has the weight of its share of the
    batch, and the summed gradient is clipped:

    ```python
    with tf_vmf.training.get_strategy("mirrored").scope():
        pixels = keras.Input((64,))
        z = tf_vmf.layers.VonMisesFisherLatent(5, concentration=50.0)(keras.layers.Dense(128, "relu")(pixels))
        model = tf_vmf.training.ReplicatedModel(pixels, keras.layers.Dense(64, "sigmoid")(z))
        model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0), loss="binary_crossentropy")
    model.fit(digits, digits)
    ```

    Losses must be means over the examples, which Keras's are by default. With sample weights Keras still divides by the number of
    examples, and so does this. `tf_vmf.training.fit` trains it too, on several machines and with exact resume.
    """

    def compile(self, *args: Any, **kwargs: Any) -> None:
        super().compile(*args, **kwargs)
        # Now, not in the first traced step: under a strategy variables must be made in its scope.
        if self.built and self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        # Keras asks for this one wherever `compile` is overridden.
        self.compile(**keras.saving.deserialize_keras_object(config))

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        # Keras 3.15 would average a first batch over replicas here, which fails where their number does not divide it.
        if not self.built:
            super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        examples = tf.cast(tf.shape(tf.nest.flatten(x)[0])[0], tf.float32)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
            # Keras divides its losses by the number of replicas.
            loss *= tf.distribute.get_strategy().num_replicas_in_sync
            share = examples / tf.maximum(sum_over_replicas(examples), 1.0)
            scaled = self.optimizer.scale_loss(loss * tf.cast(share, loss.dtype))
        empty = tf.equal(examples, 0.0)  # the mean of nothing is NaN; its share of the gradient is nothing
        gradients = [
            None if g is None else tf.where(empty, tf.zeros_like(g), g)
            for g in map(_dense, tape.gradient(scaled, self.trainable_variables))
        ]
        apply_gradients(self.optimizer, gradients, self.trainable_variables)
        self._loss_tracker.update_state(tf.where(empty, tf.zeros_like(loss), loss), sample_weight=examples)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)


def _dense(gradient: Any) -> Any:
    return None if gradient is None else tf.convert_to_tensor(gradient)
