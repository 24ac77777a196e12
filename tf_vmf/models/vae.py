"""A variational autoencoder of any Keras encoder and decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_vmf import _keras
from tf_vmf._checks import require
from tf_vmf._errors import ArgumentError
from tf_vmf.layers import LatentLayer
from tf_vmf.models.misfit import warn_of_misfit
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder
from tf_vmf.seeds import stateless_seed

_LOOKS = 16  # codes at which a new decoder is called


@keras.saving.register_keras_serializable(package="tf_vmf")
class VAE(VariationalAutoencoder):
    """Any Keras encoder and decoder around any latent layer (Kingma and Welling, 2014; Davidson et al., 2018).

    | likelihood | x | decoder output |
    | :--- | :--- | :--- |
    | "bernoulli" | 0 or 1 (or in between), (batch, ...) | logits, of the shape of x |
    | "gaussian" | real, (batch, ...) | mean, of the shape of x; the scale is 1: `tf_vmf.models.Gaussian(scale=0.5)` for another |
    | "categorical" | class ids, (batch, ...) | logits, (batch, ..., classes) |
    | "multinomial" | counts, (batch, classes) | logits, of the shape of x |
    | "von_mises_fisher" | unit vectors, (batch, ..., d) | vectors whose lengths are the concentrations, of the shape of x |
    | a callable | anything the encoder takes | anything |

    `decode(z)` is the decoder's output, `predict(x)` that at the mean code; `reconstruct(x)`, `decode(z, mean=True)` and
    `sample(n, mean=True)` are the mean of x instead, probabilities for logits. All losses and bounds are in nats per example.
    Perplexity is logged where examples are made of tokens: with "categorical" and "multinomial". x must be finite: NaN is an error
    wherever it comes in.

    A conditional model reads more than x: with `target="image"` and `conditions=("label",)` x is a dict, the encoder reads all of
    it, the decoder is called with a dict of "z" and "label", and "image" is what it reconstructs (examples/conditional_digits.py).

    Encoder and decoder are called with `training=`. `keras.layers.Dropout` and other layers with noise of their own work in them,
    but Keras saves no state of that noise: a resumed run draws other masks than an uninterrupted one, and all replicas of a
    strategy draw the same. (The noise of the latent layer is exactly resumed.) The statistics of `BatchNormalization` are those of
    each replica.

    Args:
        encoder: A Keras layer or model from x, a tensor or a dict of tensors, to features (batch, units).
        latent: A latent layer, such as `tf_vmf.layers.VonMisesFisherLatent(10, concentration=50.0)`.
        decoder: A Keras layer or model from codes (batch, latent_dim). It reads z as it is; on the sphere, where the entries of z
            are small, `keras.layers.Rescaling(latent_dim**0.5)` as its first layer helps it to start.
        likelihood: A name, an object of `tf_vmf.models` such as `Gaussian(0.5)`, or a callable (x, decoder output) -> log p(x|z)
            in nats, shape (batch,). A callable must be registered with `keras.saving.register_keras_serializable` for the model
            to be saved. With a method `token_counts(x)` -> (batch,) it has a perplexity. A loss of Keras is none.
        target: The entry of x, a dict, that the likelihood reads; None: all of x.
        conditions: The entries of x that the decoder reads beside the code.
        num_samples, sample_reduction, seed, **kwargs: See `tf_vmf.models.VariationalAutoencoder`.

    Example:
    ```python
    images = np.random.default_rng(0).random((100, 8, 8, 1))
    encoder = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(64, "relu")])
    decoder = keras.Sequential([keras.Input((5,)), keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))])
    latent = tf_vmf.layers.VonMisesFisherLatent(5, concentration=50.0)
    model = tf_vmf.models.VAE(encoder, latent, decoder, "bernoulli")
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(images, batch_size=50, epochs=2)
    model.encode(images).mean_direction
    ```

    References:
        D. P. Kingma and M. Welling. Auto-Encoding Variational Bayes. ICLR 2014.
        T. R. Davidson, L. Falorsi, N. De Cao, T. Kipf and J. M. Tomczak. Hyperspherical Variational Auto-Encoders. UAI 2018.
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        latent: LatentLayer,
        decoder: keras.layers.Layer,
        likelihood: Any,
        *,
        target: str | None = None,
        conditions: Sequence[str] = (),
        num_samples: int = 1,
        sample_reduction: str = "mean_loss",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        if likelihood is None:
            raise ArgumentError(
                "likelihood", "a name, a likelihood of tf_vmf.models or a callable", "None", owner="VAE"
            )
        options: dict[str, Any] = {"num_samples": num_samples, "sample_reduction": sample_reduction, "seed": seed}
        super().__init__(latent, likelihood=likelihood, **options, **kwargs)
        for name, layer in (("encoder", encoder), ("decoder", decoder)):
            if not isinstance(layer, keras.layers.Layer):
                legacy = type(layer).__module__.startswith("tf_keras")
                remedy = "It is of legacy Keras (tf_keras): make it with Keras 3, `import keras`." if legacy else ""
                raise ArgumentError(name, "a Keras layer or model", repr(layer), remedy, owner=type(self).__name__)
        self.target = target
        self.conditions = tuple(conditions)
        if isinstance(conditions, str) or (self.conditions and target is None):
            expected = "names of entries of x, beside the name of the entry to reconstruct as `target`"
            received = f"conditions={conditions!r}, target={target!r}"
            raise ArgumentError("conditions", expected, received, owner=type(self).__name__)
        self.encoder = encoder
        self.decoder = decoder
        self.has_tokens = hasattr(self.likelihood, "token_counts")
        if self.encoder_input is not None:
            self.build(keras.tree.map_structure(lambda tensor: tensor.shape, self.encoder_input))

    @property
    def encoder_input(self) -> Any:
        """The symbolic input of an encoder that is a functional or Sequential model; None of another."""
        if isinstance(self.encoder, keras.Sequential):  # its `input` is None
            return self.encoder.inputs[0] if self.encoder.built else None
        return getattr(self.encoder, "input", None) if isinstance(self.encoder, _keras.Functional) else None

    def build(self, input_shape: Any) -> None:
        outputs = output_spec(self.encoder, input_shape)
        features: tuple[int | None, ...] = getattr(outputs, "shape", ())
        if len(features) != 2 or features[-1] is None:
            several = not hasattr(outputs, "shape")
            expected = "a model that returns features of shape (batch, units)"
            received, remedy = f"shape {features}", "Does keras.layers.Flatten() at its end help?"
            if several:
                received = f"one that returns {len(keras.tree.flatten(outputs))} outputs"
                remedy = (
                    "The latent layer computes mean and spread from the features itself: return the layer before them."
                )
            raise ArgumentError("encoder", expected, received, remedy, owner=type(self).__name__)
        if not self.latent.built:  # a latent from a saved file arrives built
            self.latent.build(features)
        code = (None, self.latent.latent_dim)
        output_spec(self.decoder, {"z": code, **self._conditions_of(input_shape)} if self.conditions else code)
        self._look_at_output(input_shape)
        super().build(input_shape)

    def _look_at_output(self, input_shape: Any) -> None:
        """Warns where the likelihood does not fit what the decoder returns; see `warn_of_misfit`."""
        replica = tf.distribute.get_replica_context()
        if not tf.executing_eagerly() or (replica is not None and replica.num_replicas_in_sync > 1):
            return
        z = np.random.default_rng(0).normal(size=(_LOOKS, self.latent.latent_dim))
        z = tf.constant(z / np.linalg.norm(z, axis=-1, keepdims=True), self.bound_dtype)
        shapes = self._conditions_of(input_shape) if self.conditions else {}
        conditions = {name: tf.zeros([_LOOKS, *(size or 1 for size in shape[1:])]) for name, shape in shapes.items()}
        try:
            output = self._decoder_output(z, conditions, False)
        except Exception:  # a decoder that wants other codes, labels or batches: training tells what is wrong
            return
        warn_of_misfit(self.likelihood, input_shape if self.target is None else input_shape[self.target], output)

    def build_for(self, x: Any) -> None:
        if not self.built:
            with tf.init_scope():
                self.build(keras.tree.map_structure(lambda value: (None, *value.shape[1:]), x))

    def build_ahead(self, x: Any) -> None:
        if isinstance(x, tf.data.Dataset):
            x = x.element_spec[0] if isinstance(x.element_spec, tuple) else x.element_spec
        shapes = [getattr(leaf, "shape", None) for leaf in keras.tree.flatten(x)]
        if self.built or self.distribute_strategy.num_replicas_in_sync > 1 or not all(shapes):
            return
        self.build_for(x)
        if self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """The decoder's output at the posterior's deterministic code."""
        del training
        return self.decode(self.latent.code(self.latent.parameters(self.features(x))), self._conditions_of(x))

    def features(self, x: Any, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        self.build_for(x)
        x = tf.nest.map_structure(_finite, x)
        return self.encoder(x, training=dropout_seed is not None)

    def target_of(self, x: Any, y: Any) -> Any:
        if y is None or self.target is None or isinstance(y, Mapping):
            return super().target_of(x, y)
        return {**x, self.target: y}

    def dense_target(self, target: Any) -> Any:
        return _dense(target if self.target is None else target[self.target])

    def _conditions_of(self, x: Any) -> dict[str, Any]:
        missing = [name for name in self.conditions if name not in x]
        if missing:
            expected = f"a dict with {', '.join(self.conditions)}"
            raise ArgumentError("conditions", expected, f"{sorted(x)}", owner=type(self).__name__)
        return {name: x[name] for name in self.conditions}

    def _decoder_output(self, z: tf.Tensor, conditions: Mapping[str, Any], training: bool) -> Any:
        return self.decoder({"z": z, **conditions} if self.conditions else z, training=training)

    def token_counts(self, x: Any) -> tf.Tensor | None:
        return self.likelihood.token_counts(self.dense_target(x)) if self.has_tokens else None

    def reconstruction_log_prob(self, x: Any, z: tf.Tensor | None, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        z = tf.convert_to_tensor(z)
        samples = z.shape[0] or tf.shape(z)[0]
        target, conditions = self.dense_target(x), _dense(self._conditions_of(x))
        if not isinstance(samples, int) or samples > 1:
            target, conditions = tf.nest.map_structure(lambda value: _repeated(value, samples), (target, conditions))
        training = dropout_seed is not None
        output = self._decoder_output(tf.reshape(z, [-1, self.latent.latent_dim]), conditions, training)
        output = tf.nest.map_structure(lambda value: tf.cast(value, self.bound_dtype), output)
        log_prob = self.likelihood(target, output)
        if log_prob.shape.rank != 1:
            expected = "a callable that returns log p(x|z) of shape (batch,), a sum over all other axes"
            raise ArgumentError("likelihood", expected, f"shape {log_prob.shape}", owner=type(self).__name__)
        return tf.reshape(tf.cast(log_prob, self.bound_dtype), [samples, -1])

    def _terms(
        self, x: Any, seed: tf.Tensor, num_samples: int, training: bool, target: Any = None, parameters: Any = None
    ) -> dict[str, Any]:
        target = x if target is None else target
        if tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return super()._terms(x, seed, num_samples, training, target, parameters)
        # The last batch may leave a replica without examples, of which the fused convolution of TensorFlow 2.21 makes an error.
        examples = tf.shape(tf.nest.flatten(_dense(x))[0])[0]
        x, target = tf.nest.map_structure(_one_at_least, (_dense(x), _dense(target)))
        parameters = None if parameters is None else tf.nest.map_structure(_one_at_least, parameters)
        terms = super()._terms(x, seed, num_samples, training, target, parameters)
        return {name: None if value is None else value[:examples] for name, value in terms.items()}

    def decode(self, z: tf.Tensor, conditions: Mapping[str, Any] | None = None, *, mean: bool = False) -> Any:
        """The decoder's output for codes.

        Args:
            z: Shape (batch, latent_dim).
            conditions: Of a conditional model: its `conditions` by name, with a row per code.
            mean: Whether to return the mean of x, such as probabilities, in place of the output, such as logits.
        """
        z = tf.convert_to_tensor(z, dtype_hint=tf.float32)
        if z.shape.rank != 2 or z.shape[-1] != self.latent.latent_dim:
            expected = f"codes of shape (batch, {self.latent.latent_dim})"
            raise ArgumentError("z", expected, f"shape {z.shape}", owner="VAE.decode")
        given = _dense(self._conditions_of(conditions or {}))
        output = self._decoder_output(tf.cast(z, self.bound_dtype), given, False)
        return self.likelihood.mean(output) if mean else output

    def sample(
        self,
        n: int,
        *,
        conditions: Mapping[str, Any] | None = None,
        mean: bool = False,
        seed: int | tf.Tensor = 0,
    ) -> Any:
        """The decoder's output at `n` codes that are drawn from the prior.

        Args:
            n: Number of codes.
            conditions: Of a conditional model: its `conditions` by name, with n rows.
            mean: Whether to return the mean of x, such as probabilities, in place of the output, such as logits.
            seed: An int or a stateless seed of shape (2,).
        """
        z = self.latent.prior().sample(n, seed=stateless_seed(stateless_seed(seed), 0))
        return self.decode(z, conditions, mean=mean)

    def predict(self, *args: Any, mean: bool = False, **kwargs: Any) -> Any:
        """See `keras.Model.predict`; with `mean=True` the mean of x, such as probabilities, in place of logits."""
        outputs = super().predict(*args, **kwargs)
        return keras.ops.convert_to_numpy(self.likelihood.mean(tf.convert_to_tensor(outputs))) if mean else outputs

    def _smallest_input(self) -> Any:
        inputs = self.encoder_input
        if inputs is None or any(None in tensor.shape[1:] for tensor in keras.tree.flatten(inputs)):
            return None
        return keras.tree.map_structure(lambda tensor: tf.zeros([1, *tensor.shape[1:]], tensor.dtype), inputs)

    def get_config(self) -> dict[str, Any]:
        parts = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in ("encoder", "decoder")}
        return {**super().get_config(), **parts, "target": self.target, "conditions": list(self.conditions)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> VAE:
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects=custom_objects)
            for name in ("encoder", "latent", "decoder", "likelihood")
        }
        return super().from_config({**config, **parts}, custom_objects)


def output_spec(layer: keras.layers.Layer, input_shape: Any) -> Any:
    """Symbolic tensors of the shapes that a layer returns; builds the layer if that has not happened."""
    inputs = keras.tree.map_shape_structure(lambda shape: keras.KerasTensor(tuple(shape), "float32"), input_shape)
    return layer.compute_output_spec(inputs) if layer.built else layer(inputs)


def _dense(x: Any) -> Any:
    return tf.nest.map_structure(
        lambda value: tf.sparse.to_dense(value) if isinstance(value, tf.SparseTensor) else tf.convert_to_tensor(value),
        x,
    )


def _repeated(value: tf.Tensor, times: int | tf.Tensor) -> tf.Tensor:
    """The batch so many times, one after the other."""
    return tf.tile(value, [times, *[1] * (value.shape.rank - 1)])


def _one_at_least(value: tf.Tensor) -> tf.Tensor:
    """The batch, or one example of zeros in place of none."""
    missing = tf.maximum(1 - tf.shape(value)[0], 0)
    padded = tf.pad(value, [[0, missing], *[[0, 0]] * (value.shape.rank - 1)])
    padded.set_shape([None, *value.shape[1:]])
    return padded


def _finite(value: Any) -> Any:
    """The value itself; an error where a number is NaN or infinite, which a ReLU would turn into 0."""
    numbers = value.values if isinstance(value, tf.SparseTensor) else tf.convert_to_tensor(value)
    if not numbers.dtype.is_floating:
        return value
    ok = tf.reduce_all(tf.math.is_finite(numbers))
    numbers = require(ok, numbers, "x", "finite numbers", "NaN or infinity", owner="VAE")
    return value.with_values(numbers) if isinstance(value, tf.SparseTensor) else numbers
