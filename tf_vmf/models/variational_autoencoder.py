"""The base of all models: the evidence lower bound, its train step and the importance-weighted bound."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_vmf import _keras
from tf_vmf._checks import check_choice, check_integer, refuse_variable
from tf_vmf._errors import ArgumentError
from tf_vmf._keywords import CheckedKeywords
from tf_vmf.layers import LatentLayer
from tf_vmf.layers.training_state import TrainingState
from tf_vmf.models.inference import Inference
from tf_vmf.models.inputs import TakesAnyData
from tf_vmf.models.likelihoods import get_likelihood, serialize_likelihood
from tf_vmf.models.replicated_model import ReplicatedModel, sum_over_replicas
from tf_vmf.seeds import draw_seed, replica_seed, stateless_seed


class Perplexity(keras.metrics.Mean):
    """Corpus perplexity: exp(sum of losses / sum of tokens), of losses per token in nats weighted by numbers of tokens."""

    def __init__(self, name: str = "perplexity", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def result(self) -> Any:
        return keras.ops.exp(super().result())


# What training does with several samples of z.
SAMPLE_REDUCTIONS = ("mean_loss", "mean_code", "importance_weighted")


def check_reduction(sample_reduction: str, num_samples: int, latent: LatentLayer | None) -> None:
    """Checks what training does with several samples."""
    check_choice("VariationalAutoencoder", "sample_reduction", sample_reduction, SAMPLE_REDUCTIONS)
    if sample_reduction != "mean_loss" and (num_samples < 2 or latent is None):
        expected = (
            f"with {sample_reduction!r} a latent variable and num_samples of at least 2, as one makes no difference"
        )
        raise ArgumentError("sample_reduction", expected, f"num_samples={num_samples}, latent={latent!r}")


def resolve_z_scale(z_scale: Any, latent: LatentLayer | None) -> Any:
    """The factor of z where a decoder reads it, a number or one per dimension; None: the latent layer's `coordinate_scale`."""
    if z_scale is None:
        z_scale = 1.0 if latent is None else latent.coordinate_scale
    refuse_variable("", "z_scale", z_scale)
    if not np.all(np.isfinite(z_scale)):
        raise ArgumentError("z_scale", "a finite number or None", repr(z_scale))
    return np.asarray(z_scale, np.float64).tolist()


# What is folded into the model's seed, so that no two uses share their noise.
_TRAINING, _EVALUATION, _DROPOUT = 0, 1, 2

# What `keras.Model.compile` takes and a model that brings its own loss does not.
_REFUSED = ("loss", "loss_weights")

# What a latent layer may be told in a model of one's own, and where it is told in a model of this package.
_OF_A_LATENT_ALONE = {
    "num_samples": "Give `num_samples` to the model.",
    "return_parameters": "`model.posterior_parameters(x)` returns them.",
    "kl_name": "The model logs the KL as `kl`.",
}


class VariationalAutoencoder(CheckedKeywords, TrainingState, TakesAnyData, Inference, ReplicatedModel):
    """A model p(x|z) p(z) with an amortized posterior q(z|x), trained on the evidence lower bound.

    A subclass defines `features` (what the latent layer is called on), `token_counts` and `reconstruction_log_prob`, and builds
    itself in its constructor: the vocabulary size fixes every shape.

    `compile(optimizer)` needs no loss, and takes none: `fit` minimizes nll + kl_weight * kl, in nats per example. It logs `loss`,
    `nll` = -log p(x|z) at `num_samples` samples of z, `kl` and, where examples are made of tokens, the corpus `perplexity` of
    nll + kl, whatever the KL weight. In evaluation `loss` is nll + kl. A learned concentration is logged as `concentration`, the
    mean over examples; at the end of an epoch the logs of `fit` also hold the `kl_weight` of its last step and, where it is a
    number or a schedule, the `concentration`. Batches may be x, (x, y) or (x, y, sample_weight). Where y is given it is what the
    model is to reconstruct from x, as for denoising: `fit(noisy, clean)`. The loss minimized is the sum of weight times loss
    divided by the number of examples, as in Keras; the logs are weighted means.

    The train step is right for any `tf.distribute` strategy: see `tf_vmf.models.ReplicatedModel`. Noise is a function of (seed,
    `train_steps`, replica), so a resumed run repeats exactly what an uninterrupted one would have drawn. `train_steps` is the
    number of batches trained on, which schedules of the latent layer follow, too: with `gradient_accumulation_steps` of the
    optimizer every batch counts. Files and checkpoints hold it; `compile` and `set_weights` leave it alone.

    Args:
        latent: The latent layer; where the subclass allows it, None for a model without latent variable: kl = 0, and all bounds
            are the exact log-likelihood.
        num_samples: Posterior samples per example and training step.
        sample_reduction: "mean_loss": the losses of the samples are averaged, a bound with less noise. "mean_code": the decoder
            reads the mean of the samples, in training and in Keras's evaluation, while the KL of one sample is charged. This is
            the protocol of Xu and Durrett's sentence models. The `loss` is then **not a bound** of anything, and the perplexity
            is logged as `mean_code_perplexity`; `elbo`, `log_likelihood` and `tf_vmf.evaluation.evaluate` still give bounds.
            "importance_weighted": training minimizes -log mean_i p(x|z_i) (p(z_i) / q(z_i|x))^kl_weight (Burda et al., 2016), a
            tighter bound; the logged `nll`, `kl` and perplexity stay those of the evidence lower bound.
        likelihood: p(x|z): a registered name, an object of `tf_vmf.models` such as `Gaussian(0.5)`, or a callable.
        seed: Seed of the noise; None takes that of the latent layer.
        **kwargs: Passed to `keras.Model`.
    """

    # Whether latent=None makes sense: a model of p(x) alone.
    _latent_is_optional = False

    # Whether examples are made of tokens, so that perplexity is defined.
    has_tokens = True

    def __init__(
        self,
        latent: LatentLayer | None,
        *,
        num_samples: int = 1,
        sample_reduction: str = "mean_loss",
        likelihood: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(latent, Mapping):
            latent = keras.saving.deserialize_keras_object(latent)
        if not isinstance(latent, LatentLayer) and not (latent is None and self._latent_is_optional):
            or_none = ", or None" * self._latent_is_optional
            expected = f"a latent layer such as tf_vmf.layers.VonMisesFisherLatent(25){or_none}"
            raise ArgumentError("latent", expected, repr(latent), owner=type(self).__name__)
        for name, remedy in _OF_A_LATENT_ALONE.items():
            if getattr(latent, name, None):
                value = getattr(latent, name)
                expected = f"a layer without `{name}`, which has no effect in a model that brings its own loss"
                raise ArgumentError("latent", expected, f"{name}={value!r}", remedy, owner=type(self).__name__)
        num_samples = check_integer(type(self).__name__, "num_samples", num_samples, minimum=1)
        check_reduction(sample_reduction, num_samples, latent)
        self.latent: Any = latent  # a LatentLayer or None
        self.num_samples = num_samples
        self.sample_reduction = sample_reduction
        self.seed = latent.seed if seed is None and latent is not None else draw_seed(seed)
        self.likelihood: Any = None if likelihood is None else get_likelihood(likelihood, type(self).__name__)
        self.likelihood_layer = getattr(self.likelihood, "layer", None)  # so that Keras sees what it learns
        if self.likelihood_layer is not None and not self.likelihood_layer.built:
            self.likelihood_layer.build(())
        self.add_counter("train_steps")
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.nll_tracker = keras.metrics.Mean(name="nll")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        # Logs, history and curves of what is not a bound carry another name.
        is_bound = sample_reduction != "mean_code"
        self.perplexity_tracker = Perplexity("perplexity" if is_bound else "mean_code_perplexity")

    # What a subclass defines.

    @abc.abstractmethod
    def features(self, x: Any, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        """Features of shape (batch, units) on which the posterior is conditioned.

        `dropout_seed`, here and below: a stateless seed in training, None in evaluation. (`keras.layers.Dropout` keeps its
        state where no checkpoint restores it and draws the same mask on every replica.)
        """

    @abc.abstractmethod
    def token_counts(self, x: Any) -> tf.Tensor | None:
        """Number of tokens of every example, shape (batch,), float32; None where examples are not made of tokens."""

    @abc.abstractmethod
    def reconstruction_log_prob(self, x: Any, z: tf.Tensor | None, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        """Log p(x|z) in nats, shape (num_samples, batch), for z of shape (num_samples, batch, latent_dim).

        Without a latent variable z is None, and the result log p(x) of shape (1, batch).
        """

    @property
    def bound_dtype(self) -> tf.DType:
        """The dtype of losses and bounds: float64 where the model or its latent layer computes in it, else float32."""
        dtypes = {self.compute_dtype, getattr(self.latent, "compute_dtype", None)}
        return tf.float64 if "float64" in dtypes else tf.float32

    def target_of(self, x: Any, y: Any) -> Any:
        """The examples to reconstruct in a batch (x, y): y, or x where y is None."""
        return x if y is None else y

    def dense_target(self, target: Any) -> Any:
        """The result of `target_of` as a tensor of the shape of the reconstruction, for metrics."""
        return tf.sparse.to_dense(target) if isinstance(target, tf.SparseTensor) else target

    def build_for(self, x: Any) -> None:
        """Makes the weights for batches like x; for a model whose shapes its constructor does not know."""

    # Training.

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: None = None,
        loss_weights: None = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Configures the model for training.

        Args:
            optimizer: See `keras.Model.compile`.
            loss: None, as the loss is the negative evidence lower bound.
            loss_weights: None.
            metrics: Keras metrics of the targets and `reconstruct(x)`, the mean of x at the deterministic code. They cost a
                further pass of the decoder per step.
            weighted_metrics: Like `metrics`, weighted by `sample_weight`.
            **kwargs: See `keras.Model.compile`.

        Raises:
            ArgumentError: A loss is given.
        """
        for name, value in zip(_REFUSED, (loss, loss_weights), strict=True):
            if value:
                expected = "None, as the model minimizes its own bound and logs loss, nll and kl"
                raise ArgumentError(name, expected, repr(value), owner=f"{type(self).__name__}.compile")
        super().compile(optimizer, metrics=metrics, weighted_metrics=weighted_metrics, **kwargs)

    @property
    def train_steps(self) -> keras.Variable:
        """The number of training steps taken, int64."""
        return self.counter("train_steps")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        trackers = [self.loss_tracker, self.nll_tracker, self.kl_tracker]
        trackers += [self.perplexity_tracker] if self.has_tokens else []
        compiled = _keras.compiled_metrics(self)
        return [*trackers, *(getattr(self.latent, name) for name in self._by_row), *([compiled] if compiled else [])]

    @property
    def _by_row(self) -> tuple[str, ...]:
        return () if self.latent is None else self.latent.logged_by_row

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        self.build_for(x)
        return self.update(x, self.trainable_variables, sample_weight, y)

    def update(
        self, x: Any, variables: Sequence[keras.Variable], sample_weight: tf.Tensor | None = None, y: Any = None
    ) -> dict[str, tf.Tensor]:
        """One optimizer step in some of the trainable variables; returns the logs.

        With the encoder's variables alone it is the inner step of aggressive training (He et al., 2019).

        Args:
            x: A batch.
            variables: Those to change.
            sample_weight: Factors of the examples' losses, shape (batch,); the loss is their sum divided by the number of examples.
            y: What to reconstruct; None: x.
        """
        step = tf.convert_to_tensor(self.train_steps)
        target = self.target_of(x, y)
        if self.latent is not None:
            self.latent.set_step(step)

        def share_of_loss() -> tuple[tf.Tensor, tuple[tf.Tensor, dict[str, Any]]]:
            seed = replica_seed(self.seed, _TRAINING, step)
            terms = self._terms(x, seed, self.num_samples, training=True, target=target)
            loss = self._training_loss(terms, step)
            objective = loss if terms["auxiliary"] is None else loss + terms["auxiliary"]
            if sample_weight is not None:
                objective *= _weights(sample_weight, loss)
            examples = sum_over_replicas(tf.cast(tf.shape(loss)[0], loss.dtype))
            total = tf.reduce_sum(objective) / tf.maximum(examples, 1.0)
            if self.losses:  # regularizers of the weights
                regularization = tf.cast(tf.add_n(self.losses), total.dtype)
                total += regularization / tf.distribute.get_strategy().num_replicas_in_sync
            return total, (loss, terms)

        loss, terms = self.minimize(share_of_loss, variables)
        self.train_steps.assign_add(1)
        return self._update_metrics(x, target, loss, terms, sample_weight)

    def _training_loss(self, terms: Mapping[str, Any], step: tf.Tensor) -> tf.Tensor:
        """The loss of a training step, shape (batch,)."""
        if "log_ratio" not in terms:
            return terms["nll"] + self.kl_loss(terms["kl"], step)
        log_weights = terms["log_prob"] + self.kl_loss(terms["log_ratio"], step)
        return math.log(self.num_samples) - tf.reduce_logsumexp(log_weights, axis=1)

    def kl_loss(self, kl: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """The term of the training loss for a KL of shape (batch,)."""
        return kl if self.latent is None else tf.cast(self.latent.kl_weight_at(step), kl.dtype) * kl

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        target = self.target_of(x, y)
        # The number of examples seen so far makes the noise differ by batch and repeat from one evaluation to the next.
        seen = tf.convert_to_tensor(self.loss_tracker.count)
        num_samples = self.num_samples if self.sample_reduction == "mean_code" else 1
        terms = self._terms(x, replica_seed(self.seed, _EVALUATION, seen), num_samples, training=False, target=target)
        return self._update_metrics(x, target, terms["nll"] + terms["kl"], terms, sample_weight)

    def reconstruct(self, x: Any) -> tf.Tensor:
        """The mean of the reconstruction at the deterministic code; logits are turned into probabilities."""
        return self.likelihood.mean(self(self.to_tensors(x)))

    def _terms(
        self, x: Any, seed: tf.Tensor, num_samples: int, training: bool, target: Any = None, parameters: Any = None
    ) -> dict[str, Any]:
        """`nll`, `kl`, `auxiliary` (or None) and what the latent layer logs by row, each of shape (batch,).

        `parameters` of the posterior are those of the encoder where none are given.
        In importance-weighted training also `log_prob` and `log_ratio` = log p(z) - log q(z|x), shape (batch, num_samples).
        """
        dropout_seed = stateless_seed(seed, _DROPOUT) if training else None
        target = x if target is None else target
        dtype = self.bound_dtype
        if self.latent is None:
            nll = -tf.cast(self.reconstruction_log_prob(target, None, dropout_seed)[0], dtype)
            return {"nll": nll, "kl": tf.zeros_like(nll), "auxiliary": None}
        parameters = self.latent.parameters(self.features(x, dropout_seed)) if parameters is None else parameters
        z = self.latent.sample(parameters, seed, sample_shape=(num_samples,))
        z = tf.ensure_shape(z, [num_samples, *[None] * (z.shape.rank - 1)])
        # With one sample both reductions are the same.
        read = tf.reduce_mean(z, axis=0, keepdims=True) if self.sample_reduction == "mean_code" else z
        auxiliary = self.latent.auxiliary_loss(parameters) if training else None
        log_prob = tf.cast(self.reconstruction_log_prob(target, read, dropout_seed), dtype)
        weighted = {}
        if training and self.sample_reduction == "importance_weighted":
            log_ratio = self.latent.prior().log_prob(z) - self.latent.distribution(parameters).log_prob(z)
            weighted = {"log_prob": tf.transpose(log_prob), "log_ratio": tf.transpose(tf.cast(log_ratio, dtype))}
        return {
            **weighted,
            "nll": -tf.reduce_mean(log_prob, axis=0),
            "kl": tf.cast(self.latent.kl_estimate(parameters, z), dtype),
            "auxiliary": None if auxiliary is None else tf.cast(auxiliary, dtype),
            **{name: value for name, value in self.latent.logged_values(parameters).items() if name in self._by_row},
        }

    def _update_metrics(
        self, x: Any, target: Any, loss: tf.Tensor, terms: Mapping[str, Any], sample_weight: tf.Tensor | None
    ) -> dict[str, tf.Tensor]:
        weights = None if sample_weight is None else _weights(sample_weight, loss)
        self.loss_tracker.update_state(loss, sample_weight=weights)
        self.nll_tracker.update_state(terms["nll"], sample_weight=weights)
        self.kl_tracker.update_state(terms["kl"], sample_weight=weights)
        if self.has_tokens:
            tokens = tf.cast(self.token_counts(target), loss.dtype)
            counted = tokens if weights is None else tokens * weights
            negative_elbo = terms["nll"] + terms["kl"]
            self.perplexity_tracker.update_state(tf.math.divide_no_nan(negative_elbo, tokens), sample_weight=counted)
        for name in self._by_row:
            getattr(self.latent, name).update_state(terms[name], sample_weight=weights)
        compiled = _keras.compiled_metrics(self)
        if compiled is not None:
            compiled.update_state(self.dense_target(target), self.reconstruct(x), sample_weight=weights)
            return self.get_metrics_result()
        return {metric.name: metric.result() for metric in self.metrics}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "latent": None if self.latent is None else keras.saving.serialize_keras_object(self.latent),
            "num_samples": self.num_samples,
            "sample_reduction": self.sample_reduction,
            "seed": self.seed,
            **({} if self.likelihood is None else {"likelihood": serialize_likelihood(self.likelihood)}),
        }


def _weights(sample_weight: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
    """The weights as (batch,), of the dtype of the losses; Keras adds an axis where y has one."""
    return tf.reshape(tf.cast(sample_weight, losses.dtype), tf.shape(losses))
