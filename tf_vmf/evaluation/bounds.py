"""Bounds on the likelihood of a corpus, how much of it the code carries, and the unigram baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._checks import check_integer
from tf_vmf._errors import ArgumentError
from tf_vmf.data.documents import Documents
from tf_vmf.layers import LatentLayer
from tf_vmf.measures import ACTIVE_VARIANCE, MUTUAL_INFORMATION_EXAMPLES
from tf_vmf.models import VariationalAutoencoder
from tf_vmf.seeds import stateless_seed

# Folded into the seed: the noise of the ELBO, of the importance samples and so on differ.
_ELBO, _IMPORTANCE, _INFORMATION, _MEAN_CODE, _REFINED = 0, 1, 2, 3, 4


def evaluate(
    model: VariationalAutoencoder, batches: tf.data.Dataset, *, num_importance_samples: int = 100, seed: int = 0
) -> dict[str, Any]:
    """All figures of one split, as `metrics.json` holds them; of any model of `tf_vmf.models`.

    Sums run in double precision. Every figure but the `iw_` and `mean_code_` ones comes from one posterior sample per example,
    also where the model was trained otherwise. Of a model without latent variable the KL and all that measures the code are 0, and
    the bounds are the likelihood.

    Args:
        model: A trained model.
        batches: A finite dataset of batches, in a fixed order; it is read twice.
        num_importance_samples: k of the importance-weighted bound; 0 leaves out the `iw_` figures.
        seed: Seed of all noise.

    Returns:
        A dict:

        - `nll`, `kl`: -log p(x|z) and KL(q(z|x) || p(z)), mean nats per example.
        - `perplexity`: exp(sum of nll + kl / sum of tokens), over the corpus. The perplexities and `tokens` are left out where
          examples are not made of tokens, as images are not.
        - `document_perplexity`: exp(mean over examples of (nll + kl) / tokens), the convention of Miao et al.; examples without
          tokens are left out.
        - `iw_nll`, `iw_perplexity`, `iw_document_perplexity`: The same from the importance-weighted bound (Burda et al., 2016).
        - `mean_code_nll`, `mean_code_perplexity`, `mean_code_document_perplexity`: Of a model with `sample_reduction="mean_code"`
          alone: nll + kl as it was trained, the decoder reading the mean of `num_samples` samples and the KL of one charged. **Not
          a bound**: compare it with figures of the same protocol only.
        - `code_gain`: Mean nll with another example's code minus mean nll: what the code is worth, in nats. The other example is
          drawn from the whole split.
        - `active_units`: Number of dimensions in use; see `active_units`.
        - `mutual_information`: I(x; z) in nats; see `mutual_information`.
        - `examples`, `tokens`: What was counted.
    """
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("nll", "kl")}
    parameters: dict[str, list[np.ndarray]] = {}
    for index, x in enumerate(map(model.to_tensors, batches)):
        terms, batch_parameters = _terms(model, x, stateless_seed(seed, _ELBO, index))
        if num_importance_samples:
            noise = stateless_seed(seed, _IMPORTANCE, index)
            terms["iw_nll"] = -model.log_likelihood(x, num_importance_samples, seed=noise)
        if model.sample_reduction == "mean_code":
            noise = stateless_seed(seed, _MEAN_CODE, index)
            terms["mean_code_nll"] = _mean_code_loss(model, x, tf.constant(model.num_samples), noise)
        _append(columns, terms)
        _append(parameters, batch_parameters)
    if not columns["nll"]:
        raise ArgumentError("batches", "at least one batch", "an empty dataset", owner="evaluate")
    values = {name: np.concatenate(parts).astype(np.float64) for name, parts in columns.items() if parts}
    codes = {name: np.concatenate(parts) for name, parts in parameters.items()}
    figures = _likelihoods(values)
    if model.latent is None:
        return {**figures, "code_gain": 0.0, "active_units": 0, "mutual_information": 0.0}
    z = codes.pop("z")
    constants = {name: tf.constant(value) for name, value in codes.items()}
    return {
        **figures,
        "code_gain": float(np.mean(_nll_with_others_codes(model, batches, z, seed) - values["nll"])),
        "active_units": active_units(model.latent, constants),
        "mutual_information": mutual_information(model.latent, constants, seed=stateless_seed(seed, _INFORMATION)),
    }


def refined_bounds(
    model: VariationalAutoencoder,
    batches: tf.data.Dataset,
    *,
    refine_steps: int,
    num_importance_samples: int = 100,
    seed: int = 0,
) -> dict[str, float]:
    """The bounds of `evaluate` with refined posteriors: the model's own, without what its encoder loses on new examples.

    The posterior of every example takes steps of gradient ascent on its bound, and samples that it was not fitted to are then drawn
    from it, so that the figures are bounds as those of the encoder's posteriors are; see `encode` of `tf_vmf.models`.

    Args:
        model: A trained model with a latent variable.
        batches: A finite dataset of batches.
        refine_steps: Steps per batch, >= 1.
        num_importance_samples: k of the importance-weighted bound; 0 leaves out the `refined_iw_` figures.
        seed: Seed of all noise.

    Returns:
        A dict with the keys `nll`, `kl`, `perplexity` and so on of `evaluate`, `refined_` in front of each.

    Raises:
        ArgumentError: `refine_steps` is below 1, the model has no latent variable, or there are no batches.
    """
    check_integer("refined_bounds", "refine_steps", refine_steps, minimum=1)
    if model.latent is None:
        raise ArgumentError("model", "a model with a latent variable", "one with latent=None", owner="refined_bounds")
    columns: dict[str, list[np.ndarray]] = {}
    for index, x in enumerate(map(model.to_tensors, batches)):
        noise = stateless_seed(seed, _REFINED, index)
        parameters = model.refined_parameters(x, tf.constant(refine_steps), stateless_seed(noise, 0))
        terms = dict(model.elbo_terms(x, stateless_seed(noise, 1), parameters))
        if model.has_tokens:
            terms["tokens"] = model.token_counts(x)
        if num_importance_samples:
            samples, fresh = tf.constant(num_importance_samples), stateless_seed(noise, 2)
            terms["iw_nll"] = -model.importance_weighted(x, samples, fresh, parameters)
        _append(columns, terms)
    if not columns:
        raise ArgumentError("batches", "at least one batch", "an empty dataset", owner="refined_bounds")
    figures = _likelihoods({name: np.concatenate(parts).astype(np.float64) for name, parts in columns.items()})
    return {f"refined_{name}": value for name, value in figures.items() if name not in ("examples", "tokens")}


def mean_code_perplexity(
    model: VariationalAutoencoder, batches: tf.data.Dataset, *, num_samples: int = 3, seed: int = 0
) -> float:
    """Corpus perplexity with the samples of Xu and Durrett's code for sentences: not a bound of anything.

    exp(sum of nll + kl / sum of tokens), where the decoder reads the mean of `num_samples` posterior samples, which is less noisy
    than one, while the KL charged is that of one. Their table differs in more: it counts fewer tokens, and its KL is that of
    dimension d + 2.

    Args:
        model: A trained model with a latent variable.
        batches: A finite dataset of batches.
        num_samples: Samples averaged, >= 1; 3 in their code.
        seed: Seed of the samples.

    Raises:
        ArgumentError: The model has no latent variable or its examples no tokens, or there are no batches.
    """
    owner = "mean_code_perplexity"
    if model.latent is None:
        raise ArgumentError("model", "a model with a latent variable", "one with latent=None", owner=owner)
    if not model.has_tokens:
        raise ArgumentError("model", "a model of examples with tokens", type(model).__name__, owner=owner)
    num_samples = check_integer(owner, "num_samples", num_samples, minimum=1)
    total, tokens = 0.0, 0.0
    for index, x in enumerate(map(model.to_tensors, batches)):
        loss = _mean_code_loss(model, x, tf.constant(num_samples), stateless_seed(seed, _MEAN_CODE, index))
        total += float(tf.reduce_sum(loss))
        tokens += float(tf.reduce_sum(model.token_counts(x)))
    if not tokens:
        raise ArgumentError("batches", "at least one batch with tokens", "none", owner=owner)
    return float(np.exp(total / tokens))


def _likelihoods(values: dict[str, np.ndarray]) -> dict[str, Any]:
    """The figures that follow from the columns nll, kl and perhaps iw_nll, mean_code_nll and tokens, with a row per example."""
    figures: dict[str, Any] = {"nll": float(values["nll"].mean()), "kl": float(values["kl"].mean())}
    losses = {"": values["nll"] + values["kl"]}
    for prefix in ("iw_", "mean_code_"):
        if f"{prefix}nll" in values:
            losses[prefix] = values[f"{prefix}nll"]
            figures[f"{prefix}nll"] = float(values[f"{prefix}nll"].mean())
    if "tokens" not in values:
        return {**figures, "examples": len(values["nll"])}
    tokens = values["tokens"]
    some = tokens > 0  # an example without any has no loss per token
    for prefix, loss in losses.items():
        figures[f"{prefix}perplexity"] = float(np.exp(loss.sum() / tokens.sum()))
        figures[f"{prefix}document_perplexity"] = float(np.exp(np.mean(loss[some] / tokens[some])))
    return {**figures, "examples": len(tokens), "tokens": int(tokens.sum())}


def _nll_with_others_codes(
    model: VariationalAutoencoder, batches: tf.data.Dataset, z: np.ndarray, seed: int
) -> np.ndarray:
    """Nll of every example with the code of another, shape (examples,)."""
    # A random cycle through all examples: nobody keeps his own code, and neighbours in the data, which batches by length make
    # alike, do not exchange theirs.
    order = np.random.RandomState(seed).permutation(len(z))
    others = np.empty_like(z)
    others[order] = z[np.roll(order, 1)]
    parts: list[np.ndarray] = []
    start = 0
    for x in map(model.to_tensors, batches):
        size = int(tf.nest.flatten(x, expand_composites=False)[0].shape[0])
        parts.append(_nll(model, x, tf.constant(others[start : start + size])).numpy())
        start += size
    return np.concatenate(parts).astype(np.float64)


def _append(columns: dict[str, list[np.ndarray]], tensors: dict[str, tf.Tensor]) -> None:
    for name, tensor in tensors.items():
        columns.setdefault(name, []).append(tensor.numpy())


@tf.function(reduce_retracing=True, autograph=False)
def _terms(model: VariationalAutoencoder, x: Any, seed: tf.Tensor) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """nll, kl and, where there are any, tokens; the posterior's parameters and the sample z. Each has a row per example."""
    tokens = {"tokens": model.token_counts(x)} if model.has_tokens else {}
    if model.latent is None:
        nll = -model.reconstruction_log_prob(x, None)[0]
        return {"nll": nll, "kl": tf.zeros_like(nll), **tokens}, {}
    parameters = model.latent.parameters(model.features(x))
    z = model.latent.sample(parameters, seed)
    terms = {"nll": -model.reconstruction_log_prob(x, z[tf.newaxis])[0], "kl": model.latent.kl_estimate(parameters, z)}
    return {**terms, **tokens}, {**parameters, "z": z}


@tf.function(reduce_retracing=True, autograph=False)
def _nll(model: VariationalAutoencoder, x: Any, z: tf.Tensor) -> tf.Tensor:
    return -model.reconstruction_log_prob(x, z[tf.newaxis])[0]


@tf.function(reduce_retracing=True, autograph=False)
def _mean_code_loss(model: VariationalAutoencoder, x: Any, num_samples: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Nll + kl of every example, with the mean of some samples as the code."""
    parameters = model.latent.parameters(model.features(x))
    samples = model.latent.sample(parameters, seed, sample_shape=(num_samples,))
    z = tf.reduce_mean(samples, axis=0, keepdims=True)
    return model.latent.kl_estimate(parameters, samples) - model.reconstruction_log_prob(x, z)[0]


def unigram_log_probabilities(word_counts: np.ndarray) -> np.ndarray:
    """Add-one smoothed log p(w) = log((n_w + 1) / (N + V)) from how often each word occurs, shape (V,), float64."""
    counts = np.asarray(word_counts, np.float64) + 1.0
    return np.log(counts / counts.sum())


def unigram_perplexity(word_counts: np.ndarray, test: Documents) -> dict[str, float]:
    """Perplexity of `test` under the add-one smoothed word frequencies of the training documents, in both conventions.

    On 20 Newsgroups (2,000 words, trained on all 11,268 training documents) they are 1205.4 and 1205.8: the 1205 of the
    literature, which does not tell the conventions apart.

    Args:
        word_counts: (V,): how often each word occurs in the training documents; see `Documents.word_counts`.
        test: Documents over the same V words, none of them empty.

    Returns:
        unigram_perplexity: exp(sum of -log p over all tokens / number of tokens).
        unigram_document_perplexity: exp(mean over documents of -log p a token).

    Raises:
        ArgumentError: The vocabularies differ in size, or a test document is empty.
    """
    if np.shape(word_counts) != (test.vocabulary_size,):
        expected, received = f"the shape ({test.vocabulary_size},) of `test`", f"shape {np.shape(word_counts)}"
        raise ArgumentError("word_counts", expected, received, owner="unigram_perplexity")
    tokens = np.asarray(test.counts.sum(axis=1, dtype=np.int64)).ravel()
    if not len(tokens) or not tokens.all():
        received = f"{len(tokens)} documents, {int((tokens == 0).sum())} of them empty"
        remedy = "Use `Documents.without_empty()`."
        raise ArgumentError("test", "documents of at least one word", received, remedy, owner="unigram_perplexity")
    nats = -(test.counts @ unigram_log_probabilities(word_counts))
    return {
        "unigram_perplexity": float(np.exp(nats.sum() / tokens.sum())),
        "unigram_document_perplexity": float(np.exp(np.mean(nats / tokens))),
    }


def active_units(latent: LatentLayer, parameters: Mapping[str, tf.Tensor]) -> int:
    """The number of latent dimensions whose posterior mean varies over the data by more than 0.01 (Burda et al., 2016).

    The variance is relative to that of the fixed prior (`LatentLayer.coordinate_scale`), also where a prior was learned. On the
    sphere it is that of the mean direction's coordinate times d: a coordinate of a uniform unit vector has variance 1 / d where a
    standard Gaussian's has 1.

    Args:
        latent: The latent layer.
        parameters: Posterior parameters of all examples, as `latent.parameters` returns them.
    """
    codes = latent.code(parameters).numpy().astype(np.float64) * latent.coordinate_scale
    return int(np.sum(codes.var(axis=0) > ACTIVE_VARIANCE))


def mutual_information(
    latent: LatentLayer,
    parameters: Mapping[str, tf.Tensor],
    seed: int | tf.Tensor = 0,
    max_examples: int = MUTUAL_INFORMATION_EXAMPLES,
    chunk_size: int = 64,
) -> float:
    """I(x; z) = E_x[KL(q(z|x) || p(z))] - KL(q(z) || p(z)) in nats, q(z) the aggregate posterior (He et al., 2019).

    Estimated as the mean of log q(z_i|x_i) - log q(z_i) with one sample z_i an example and log q(z_i) = log (1/n) sum_j q(z_i|x_j).
    It never exceeds log n: a value close to log n says that the codes tell all n examples apart, and is a lower bound.

    Args:
        latent: The latent layer.
        parameters: Posterior parameters of all examples, each of shape (n, ...).
        seed: An int or a stateless seed of shape (2,).
        max_examples: Of more examples than this, an even subset is used: the cost is quadratic.
        chunk_size: Samples compared with all examples at a time; bounds memory.

    References:
        J. He, D. Spokoyny, G. Neubig and T. Berg-Kirkpatrick. Lagging Inference Networks and Posterior Collapse in Variational
        Autoencoders. ICLR 2019.
    """
    size = len(next(iter(parameters.values())))
    rows = np.unique(np.linspace(0, size - 1, min(size, max_examples)).round().astype(np.int64))
    parameters = {name: tf.gather(value, rows) for name, value in parameters.items()}
    z = latent.sample(parameters, stateless_seed(seed))
    own = latent.distribution(parameters).log_prob(z)

    # Eager: compiling it takes longer than running it.
    def log_aggregate(z_chunk: tf.Tensor) -> tf.Tensor:
        log_q = latent.distribution(parameters).log_prob(z_chunk[:, tf.newaxis])
        return tf.reduce_logsumexp(log_q, axis=1) - np.log(len(rows)).astype(np.float32)

    aggregate = np.concatenate([log_aggregate(z[i : i + chunk_size]).numpy() for i in range(0, len(rows), chunk_size)])
    return float(np.mean(own.numpy().astype(np.float64) - aggregate))
