"""One sentence model as functions of its weights; `training` stacks many and maps over them.

The model is `tf_vmf.models.LSTMVAE` as the recipes recipes/ptb_*.flags and recipes/ptb-mean-code_*.flags make it. Every model has
the weights of all latent variables; those that its own does not use have a gradient of zero.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tf_vmf.text.vocabulary import EOS_ID, PAD_ID, UNK_ID
from tools.paper_jax.settings import Setting
from tools.paper_jax.von_mises_fisher import VonMisesFisher

Array = Any  # jax.Array or numpy.ndarray
Weights = dict[str, Array]
Switches = dict[str, Array]
Posterior = dict[str, Array]

NUM_SAMPLES = 3  # of the mean code
_CONCENTRATION_RATE = 0.01  # `rate` of LearnedConcentration
_LARGEST_NORM, _NORM_WIDTH = 2.0, 1.0  # UniformNormVonMisesFisherLatent
_CLIP_NORM = 5.0
LEARNING_RATE = 0.003


def switches(setting: Setting, latent_dim: int) -> Switches:
    """The numbers by which one compiled function is the model of a setting."""
    active = np.zeros(latent_dim, np.float32)
    active[: setting.latent_dim or latent_dim] = 1
    scale = {"vmf": math.sqrt(latent_dim), "uniform_norm_vmf": math.sqrt(3 * latent_dim) / 2}.get(setting.latent, 1.0)
    numbers = {
        "is_gaussian": setting.latent == "gaussian",
        "has_norm": setting.latent == "uniform_norm_vmf",
        "has_code": setting.latent != "none",
        "concentration": setting.concentration,
        "is_learned": setting.minimum is not None,
        "minimum": setting.minimum if setting.minimum is not None else 15.0,
        "mean_code": setting.trained_on == "mean_code",
        "scale": scale,  # of the code where the decoder reads it
        "dropout": setting.dropout,
        "epochs": setting.epochs or 0,
    }
    return {name: np.float32(number) for name, number in numbers.items()} | {"active": active}


def initial_weights(
    seed: int, *, vocabulary_size: int, embedding_dim: int, units: int, latent_dim: int, unigram: np.ndarray
) -> Weights:
    """Weights at the start of training, from the distributions of the package's models at the widths of the arrays."""
    r = np.random.RandomState(1000 + seed)

    def glorot(rows: int, columns: int) -> np.ndarray:
        limit = np.sqrt(6.0 / (rows + columns)).astype(np.float32)
        return r.uniform(-1, 1, (rows, columns)).astype(np.float32) * limit

    def zeros(size: int) -> np.ndarray:
        return np.zeros(size, np.float32)

    q, triangle = np.linalg.qr(r.randn(4 * units, units))
    orthogonal = (q * np.sign(np.diag(triangle))).T.astype(np.float32)
    return {
        "embedding": r.uniform(-0.1, 0.1, (vocabulary_size, embedding_dim)).astype(np.float32),
        "output_bias": unigram.astype(np.float32),
        "encoder_kernel": glorot(embedding_dim, units),
        "encoder_bias": zeros(units),
        "lstm_kernel": glorot(embedding_dim + latent_dim, 4 * units),
        "lstm_recurrent_kernel": orthogonal,
        "lstm_bias": np.concatenate([zeros(units), np.ones(units, np.float32), zeros(2 * units)]),
        "state_kernel": glorot(latent_dim, 2 * units),
        "state_bias": zeros(2 * units),
        "projection_kernel": glorot(units, embedding_dim),
        "projection_bias": zeros(embedding_dim),
        "skip_kernel": glorot(latent_dim, embedding_dim),
        "direction_kernel": glorot(units, latent_dim),
        "direction_bias": zeros(latent_dim),
        "concentration_kernel": glorot(units, 1),
        "concentration_bias": zeros(1),
        "mean_kernel": glorot(units, latent_dim),
        "mean_bias": zeros(latent_dim),
        "log_variance_kernel": glorot(units, latent_dim),
        "log_variance_bias": zeros(latent_dim),
        "norm_kernel": glorot(units, 1),
        "norm_bias": zeros(1),
    }


def posterior(weights: Weights, tokens: Array, use: Switches, mask: Array | None = None) -> Posterior:
    """The parameters of all posteriors of sentences, tokens of shape (batch, time); `mask` drops embeddings, time first."""
    words = tokens.T
    embedded = weights["embedding"][words]
    if mask is not None:
        embedded = embedded * mask
    is_word = (words != PAD_ID).astype(jnp.float32)[..., None]
    mean = jnp.sum(embedded * is_word, 0) / jnp.maximum(jnp.sum(is_word, 0), 1.0)
    h = jnp.tanh(mean @ weights["encoder_kernel"] + weights["encoder_bias"])

    def head(name: str) -> Array:
        return h @ weights[f"{name}_kernel"] + weights[f"{name}_bias"]

    share = jax.nn.softplus(_CONCENTRATION_RATE * head("concentration")[..., 0] + math.log(math.e - 1.0))
    learned = use["minimum"] + (use["concentration"] - use["minimum"]) * share
    return {
        "direction": _unit_vector(head("direction")),
        "concentration": jnp.where(use["is_learned"] > 0, learned, use["concentration"]),
        "mean": head("mean"),
        "log_variance": head("log_variance"),
        "smallest_norm": (_LARGEST_NORM - _NORM_WIDTH) * jax.nn.sigmoid(head("norm")[..., 0]),
    }


def sample(q: Posterior, normal: Array, uniform: Array, use: Switches, vmf: VonMisesFisher) -> Array:
    """Codes, shape (samples, batch, d), from noise of shapes (samples, batch, d) and (samples, batch)."""
    samples = normal.shape[0]

    def repeated(values: Array) -> Array:
        return jnp.broadcast_to(values[None], (samples, *values.shape))

    direction = vmf.sample(repeated(q["direction"]), repeated(q["concentration"]), normal)
    norm = jnp.where(use["has_norm"] > 0, q["smallest_norm"][None] + _NORM_WIDTH * uniform, 1.0)
    gaussian = (q["mean"][None] + jnp.exp(0.5 * q["log_variance"])[None] * normal) * use["active"]
    return jnp.where(use["is_gaussian"] > 0, gaussian, norm[..., None] * direction) * use["has_code"]


def kl(q: Posterior, use: Switches, vmf: VonMisesFisher) -> Array:
    """KL(q || prior) of every sentence, nats."""
    spherical = vmf.kl(q["concentration"]) + use["has_norm"] * math.log(_LARGEST_NORM / _NORM_WIDTH)
    squares = q["mean"] ** 2 + jnp.expm1(q["log_variance"]) - q["log_variance"]
    gaussian = 0.5 * jnp.sum(use["active"] * squares, -1)
    return jnp.where(use["is_gaussian"] > 0, gaussian, spherical) * use["has_code"]


def log_prior_ratio(q: Posterior, z: Array, use: Switches, vmf: VonMisesFisher) -> Array:
    """Ratios log p(z) - log q(z|x) of codes of shape (samples, batch, d)."""
    kappa = q["concentration"]
    cosine = jnp.sum(z * q["direction"][None], -1) / jnp.maximum(jnp.linalg.norm(z, axis=-1), 1e-9)
    spherical = -(vmf.kl(kappa) + kappa * (cosine - vmf.mean(kappa)))
    spherical -= use["has_norm"] * math.log(_LARGEST_NORM / _NORM_WIDTH)
    noise = (z - q["mean"][None]) * jnp.exp(-0.5 * q["log_variance"])[None]
    gaussian = jnp.sum(use["active"] * (-0.5 * z * z + 0.5 * noise * noise + 0.5 * q["log_variance"][None]), -1)
    return jnp.where(use["is_gaussian"] > 0, gaussian, spherical) * use["has_code"]


def nll(
    weights: Weights,
    tokens: Array,
    z: Array,
    use: Switches,
    inputless: bool,
    masks: tuple[Array | None, Array | None] = (None, None),
) -> Array:
    """-log p(sentence | z) of every sentence; `masks` drop inputs and outputs of the LSTM, time first."""
    batch, length = tokens.shape
    embedding = weights["embedding"]
    width, units = embedding.shape[1], weights["lstm_recurrent_kernel"].shape[0]
    code, words = z * use["scale"], tokens.T
    if inputless:
        inputs = jnp.broadcast_to(embedding[UNK_ID], (length, batch, width))
    else:
        inputs = embedding[jnp.concatenate([jnp.full((1, batch), EOS_ID, words.dtype), words[:-1]], 0)]
    if masks[0] is not None:
        inputs = inputs * masks[0]
    kernel = weights["lstm_kernel"]
    bias = weights["lstm_bias"] + code @ kernel[width:]
    projected = (inputs.reshape(length * batch, width) @ kernel[:width]).reshape(length, batch, -1) + bias
    state = (code @ weights["state_kernel"] + weights["state_bias"]) * use["has_code"]
    h = _lstm(projected, weights["lstm_recurrent_kernel"], state[:, :units], state[:, units:])
    if masks[1] is not None:
        h = h * masks[1]
    output = (h.reshape(length * batch, units) @ weights["projection_kernel"]).reshape(length, batch, width)
    output += weights["projection_bias"] + (code @ weights["skip_kernel"])[None]
    logits = output.reshape(length * batch, width) @ embedding.T + weights["output_bias"]
    targets = words.reshape(-1)
    of_target = jnp.take_along_axis(logits, targets[:, None], 1)[:, 0]
    losses = (jax.nn.logsumexp(logits, -1) - of_target) * (targets != PAD_ID)
    return jnp.sum(losses.reshape(length, batch), 0)


def losses(
    weights: Weights,
    tokens: Array,
    noise: tuple[Array, Array],
    masks: tuple[Array | None, Array | None, Array | None],
    use: Switches,
    vmf: VonMisesFisher,
    inputless: bool,
) -> tuple[Array, Array]:
    """NLL and KL of every sentence, as they are trained; `noise` is normal and uniform, of shape (samples, batch, ...)."""
    q = posterior(weights, tokens, use, masks[0])
    z = sample(q, *noise, use, vmf)
    z = jnp.where(use["mean_code"] > 0, jnp.mean(z, 0), z[0])
    return nll(weights, tokens, z, use, inputless, masks[1:]), kl(q, use, vmf)


def adam(
    weights: Weights, gradient: Weights, first: Weights, second: Weights, step: Array, num_steps: Array
) -> tuple[Weights, Weights, Weights]:
    """A step of Adam as Keras takes it, gradient clipped by its norm, the learning rate falling to 0 after `num_steps`."""
    norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradient)))
    clip = _CLIP_NORM / jnp.maximum(norm, _CLIP_NORM)
    rate = LEARNING_RATE * jnp.maximum(1 - step / num_steps, 0.0)
    rate *= jnp.sqrt(1 - 0.999 ** (step + 1.0)) / (1 - 0.9 ** (step + 1.0))
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * (clip * g), first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * (clip * g) ** 2, second, gradient)
    weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, first, second)
    return weights, first, second


@jax.custom_vjp
def _lstm(inputs: Array, kernel: Array, h: Array, c: Array) -> Array:
    """Hidden states (time, batch, units).

    Its gradient carries the state alone back in time; that of the kernel is one product.
    """
    return _lstm_forward(inputs, kernel, h, c)[0]


def _lstm_forward(inputs: Array, kernel: Array, h0: Array, c0: Array) -> tuple[Array, tuple]:
    units = kernel.shape[0]

    def step(state: tuple, x: Array) -> tuple:
        h, c = state
        gates = x + h @ kernel
        i, f, o = (jax.nn.sigmoid(gates[..., k * units : (k + 1) * units]) for k in (0, 1, 3))
        g = jnp.tanh(gates[..., 2 * units : 3 * units])
        c = f * c + i * g
        t = jnp.tanh(c)
        return (o * t, c), (o * t, c, i, f, g, o, t)

    _, (h, c, *gates) = jax.lax.scan(step, (h0, c0), inputs)
    return h, (kernel, h0, c0, h, c, gates)


def _lstm_backward(residuals: tuple, upstream: Array) -> tuple:
    kernel, h0, c0, h, c, (i, f, g, o, t) = residuals
    before = jnp.concatenate([c0[None], c[:-1]], 0)
    slopes = jnp.concatenate([g * i * (1 - i), before * f * (1 - f), i * (1 - g * g), t * o * (1 - o)], -1)
    h_to_c = o * (1 - t * t)

    def step(state: tuple, each: tuple) -> tuple:
        dh, dc = state
        of_h, h_to_c, slope, forget = each
        dh = dh + of_h
        dc = dc + dh * h_to_c
        of_gates = jnp.concatenate([dc, dc, dc, dh], -1) * slope
        return (of_gates @ kernel.T, dc * forget), of_gates

    start = jnp.zeros_like(h0), jnp.zeros_like(c0)
    (dh, dc), of_gates = jax.lax.scan(step, start, (upstream, h_to_c, slopes, f), reverse=True)
    of_kernel = jnp.einsum("tbu,tbv->uv", jnp.concatenate([h0[None], h[:-1]], 0), of_gates)
    return of_gates, of_kernel, dh, dc


_lstm.defvjp(_lstm_forward, _lstm_backward)


@jax.custom_vjp
def _unit_vector(x: Array) -> Array:
    """The direction of x, with the bounded gradient of tf_vmf.math.unit_vectors."""
    return _unit_vector_forward(x)[0]


def _unit_vector_forward(x: Array) -> tuple[Array, tuple]:
    is_zero = jnp.all(x == 0, -1, keepdims=True)
    x = jnp.where(is_zero, jnp.zeros_like(x).at[..., 0].set(1e-10), x)
    norm = jnp.linalg.norm(x, axis=-1, keepdims=True)
    return x / norm, (x / norm, norm)


def _unit_vector_backward(residuals: tuple, upstream: Array) -> tuple:
    direction, norm = residuals
    tangent = upstream - jnp.sum(upstream * direction, -1, keepdims=True) * direction
    return (tangent / jnp.maximum(norm, 1e-3),)


_unit_vector.defvjp(_unit_vector_forward, _unit_vector_backward)
