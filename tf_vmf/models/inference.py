"""Inference with a trained model: posteriors, refined posteriors and bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf import _tfp as tfp
from tf_vmf._checks import check_integer
from tf_vmf._errors import ArgumentError
from tf_vmf.seeds import stateless_seed

# Folded into the seed of refinement, so that its noise is not that of the bound.
_REFINEMENT = 7

# The first step of Adam in the layer's unconstrained numbers, which are of the order of 1.
_REFINEMENT_RATE = 0.1


class Inference:
    """Mixin of a model with `latent`, `features`, `reconstruction_log_prob` and `to_tensors`."""

    latent: Any
    bound_dtype: tf.DType
    to_tensors: Any
    features: Any
    reconstruction_log_prob: Any
    _terms: Any

    def encode(self, x: Any, *, refine_steps: int = 0, seed: int | tf.Tensor = 0) -> tfp.distributions.Distribution:
        """The posterior q(z|x) as a TFP distribution, batch shape (batch,), event shape (latent_dim,).

        Args:
            x: A batch.
            refine_steps: Steps of gradient ascent on the evidence lower bound of each example, from what the encoder returns: a
                better posterior for examples that the encoder has not seen (Kim et al., 2018). 0: that of the encoder.
            seed: Of the noise of these steps: an int or a stateless seed of shape (2,).

        References:
            Y. Kim, S. Wiseman, A. C. Miller, D. Sontag and A. M. Rush. Semi-Amortized Variational Autoencoders. ICML 2018.
        """
        self._check_latent("encode")
        return self.latent.distribution(self._parameters_of(self.to_tensors(x), refine_steps, seed))

    def _parameters_of(self, x: Any, refine_steps: int, seed: int | tf.Tensor) -> dict[str, tf.Tensor]:
        steps = check_integer(type(self).__name__, "refine_steps", refine_steps)
        if not steps:
            return self.posterior_parameters(x)
        return self.refined_parameters(x, tf.constant(steps), stateless_seed(seed, _REFINEMENT))

    @tf.function(reduce_retracing=True, autograph=False)
    def refined_parameters(self, x: Any, steps: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """The parameters of q(z|x) after an int32 number of `steps` of Adam on the bound; a stateless seed of shape (2,)."""
        self._check_latent("refined_parameters")
        start = self.latent.parameters(self.features(x))
        numbers = self.latent.unconstrained(start)
        names = sorted(numbers)

        def step(i: tf.Tensor, values: list, means: list, squares: list) -> tuple[tf.Tensor, list, list, list]:
            with tf.GradientTape() as tape:
                tape.watch(values)
                parameters = self.latent.constrained(dict(zip(names, values, strict=True)), start)
                z = self.latent.sample(parameters, stateless_seed(seed, i), (1,))
                log_prob = tf.cast(self.reconstruction_log_prob(x, z)[0], self.bound_dtype)
                bound = log_prob - tf.cast(self.latent.kl_estimate(parameters, z), self.bound_dtype)
            gradients = tape.gradient(bound, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            t = tf.cast(i + 1, values[0].dtype)
            means = [0.9 * m + 0.1 * g for m, g in zip(means, gradients, strict=True)]
            squares = [0.99 * v + 0.01 * tf.square(g) for v, g in zip(squares, gradients, strict=True)]
            moves = [
                (m / (1.0 - 0.9**t)) / (tf.sqrt(v / (1.0 - 0.99**t)) + 1e-8)
                for m, v in zip(means, squares, strict=True)
            ]
            # The rate falls to 0, so that the noise of the last steps does not stay.
            rate = _REFINEMENT_RATE * (1.0 - (t - 1.0) / tf.cast(steps, t.dtype))
            return i + 1, [value + rate * move for value, move in zip(values, moves, strict=True)], means, squares

        values = [tf.convert_to_tensor(numbers[name]) for name in names]
        zeros = [tf.zeros_like(value) for value in values]
        _, values, _, _ = tf.while_loop(
            lambda i, *_: i < steps, step, (tf.constant(0), values, zeros, zeros), maximum_iterations=steps
        )
        return self.latent.constrained(dict(zip(names, values, strict=True)), start)

    @tf.function(reduce_retracing=True, autograph=False)
    def posterior_parameters(self, x: Any) -> dict[str, tf.Tensor]:
        """The parameters of q(z|x) as tensors; see the latent layer's `parameters`."""
        self._check_latent("posterior_parameters")
        return self.latent.parameters(self.features(x))

    def elbo(self, x: Any, seed: int | tf.Tensor = 0) -> tf.Tensor:
        """The evidence lower bound log p(x|z) - KL with one sample of z, in nats, shape (batch,)."""
        terms = self.elbo_terms(self.to_tensors(x), stateless_seed(seed))
        return -(terms["nll"] + terms["kl"])

    @tf.function(reduce_retracing=True, autograph=False)
    def elbo_terms(
        self, x: Any, seed: tf.Tensor, parameters: dict[str, tf.Tensor] | None = None
    ) -> dict[str, tf.Tensor]:
        """`nll` = -log p(x|z) with one sample and `kl`, both in nats, shape (batch,), for a stateless seed of shape (2,).

        `parameters` of q(z|x); None for the encoder's.
        """
        terms = self._terms(x, seed, num_samples=1, training=False, parameters=parameters)
        return {"nll": terms["nll"], "kl": terms["kl"]}

    def log_likelihood(
        self, x: Any, num_samples: int = 100, seed: int | tf.Tensor = 0, *, refine_steps: int = 0
    ) -> tf.Tensor:
        """The importance-weighted lower bound of log p(x), in nats, shape (batch,).

        log (1/k) sum_i p(x|z_i) p(z_i) / q(z_i|x) with z_i ~ q(z|x). Samples are streamed, so memory does not grow with k.

        Args:
            x: A batch.
            num_samples: k >= 1; the bound tightens as k grows.
            seed: An int or a stateless seed of shape (2,).
            refine_steps: See `encode`: the samples are drawn from the refined posterior, with noise that it was not fitted to.

        References:
            Y. Burda, R. Grosse and R. Salakhutdinov. Importance Weighted Autoencoders. ICLR 2016.
        """
        num_samples = check_integer(type(self).__name__, "num_samples", num_samples, minimum=1)
        x = self.to_tensors(x)
        parameters = self._parameters_of(x, refine_steps, seed) if refine_steps else None
        return self.importance_weighted(x, tf.constant(num_samples), stateless_seed(seed), parameters)

    @tf.function(reduce_retracing=True, autograph=False)
    def importance_weighted(
        self, x: Any, num_samples: tf.Tensor, seed: tf.Tensor, parameters: dict[str, tf.Tensor] | None = None
    ) -> tf.Tensor:
        """`log_likelihood` for an int32 scalar and a stateless seed of shape (2,); `parameters` of q, None for the encoder's."""
        if self.latent is None:
            return self.reconstruction_log_prob(x, None)[0]
        parameters = self.latent.parameters(self.features(x)) if parameters is None else parameters
        posterior, prior = self.latent.distribution(parameters), self.latent.prior()
        batch = tf.shape(self.latent.code(parameters))[0]

        dtype = self.bound_dtype

        def add_sample(i: tf.Tensor, log_sum: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            z = self.latent.sample(parameters, stateless_seed(seed, i), sample_shape=(1,))
            log_ratio = tf.cast(prior.log_prob(z) - posterior.log_prob(z), dtype)
            log_weight = tf.cast(self.reconstruction_log_prob(x, z), dtype) + log_ratio
            return i + 1, tf.reduce_logsumexp(tf.stack([log_sum, log_weight[0]]), axis=0)

        _, log_sum = tf.while_loop(
            lambda i, _: i < num_samples,
            add_sample,
            (tf.constant(0), tf.fill([batch], tf.constant(-np.inf, dtype))),
            parallel_iterations=1,  # bounds memory to one sample's worth
            maximum_iterations=num_samples,
        )
        return log_sum - tf.math.log(tf.cast(num_samples, dtype))

    def _check_latent(self, method: str) -> None:
        if self.latent is None:
            owner = f"{type(self).__name__}.{method}"
            raise ArgumentError("latent", "a latent layer, which this method needs", "None", owner=owner)
