"""Bounds on the likelihood of a corpus, and how much of it the code carries."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf.evaluation.information import active_units, mutual_information
from tf_vmf.layers.noise import stateless_seed
from tf_vmf.models import VariationalAutoencoder

# Folded into the seed: the noise of the ELBO, of the importance samples and of the mutual information differ.
_ELBO, _IMPORTANCE, _INFORMATION = 0, 1, 2


def evaluate(
    model: VariationalAutoencoder, batches: tf.data.Dataset, *, num_importance_samples: int = 100, seed: int = 0
) -> dict[str, float]:
    """All figures of one split, as `metrics.json` holds them.

    Sums run in double precision. Every figure but the `iw_` ones comes from one posterior sample an example.

    Args:
        model: A trained model.
        batches: A finite dataset of batches, in a fixed order.
        num_importance_samples: k of the importance-weighted bound; 0 leaves out the `iw_` figures.
        seed: Seed of all noise.

    Returns:
        nll, kl: -log p(x|z) and KL(q(z|x) || p(z)), mean nats an example.
        perplexity: exp(sum of nll + kl / sum of tokens), over the corpus.
        document_perplexity: exp(mean over examples of (nll + kl) / tokens), the convention of Miao et al.
        iw_nll, iw_perplexity, iw_document_perplexity: The same from the importance-weighted bound (Burda et al., 2016).
        code_gain: Mean nll with another example's code minus mean nll: what the code is worth, in nats.
        active_units: Number of dimensions in use; see `active_units`.
        mutual_information: I(x; z) in nats; see `mutual_information`.
        examples, tokens: What was counted.
    """
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("nll", "kl", "other_nll", "tokens", "iw_nll")}
    parameters: dict[str, list[np.ndarray]] = {}
    last_code = None
    for index, x in enumerate(batches):
        noise = stateless_seed(seed, _ELBO, index)
        terms, batch_parameters, z = _terms(model, x, noise)
        # The neighbour's code: rows moved by one, across batches too, so that a last batch of one example has another's.
        others = tf.concat([z[-1:] if last_code is None else last_code, z[:-1]], axis=0)
        last_code = z[-1:]
        terms["other_nll"] = _nll(model, x, others)
        if num_importance_samples:
            noise = stateless_seed(seed, _IMPORTANCE, index)
            terms["iw_nll"] = -model.log_likelihood(x, num_importance_samples, seed=noise)
        for name, value in terms.items():
            columns[name].append(value.numpy().astype(np.float64))
        for name, value in batch_parameters.items():
            parameters.setdefault(name, []).append(value.numpy())
    if last_code is None:
        raise ValueError("Argument `batches`: expected at least one batch. Received an empty dataset.")
    return _figures(columns, parameters, model, seed)


def _figures(
    columns: dict[str, list[np.ndarray]], batches: dict[str, list[np.ndarray]], model: VariationalAutoencoder, seed: int
) -> dict[str, Any]:
    values = {name: np.concatenate(parts) for name, parts in columns.items() if parts}
    parameters = {name: tf.constant(np.concatenate(parts)) for name, parts in batches.items()}
    tokens = values["tokens"]
    figures = {"nll": values["nll"].mean(), "kl": values["kl"].mean()}
    losses = {"": values["nll"] + values["kl"]}
    if "iw_nll" in values:
        losses["iw_"] = values["iw_nll"]
        figures["iw_nll"] = values["iw_nll"].mean()
    for prefix, loss in losses.items():
        figures[f"{prefix}perplexity"] = np.exp(loss.sum() / tokens.sum())
        figures[f"{prefix}document_perplexity"] = np.exp(np.mean(loss / tokens))
    figures["code_gain"] = (values["other_nll"] - values["nll"]).mean()
    figures["mutual_information"] = mutual_information(
        model.latent, parameters, seed=stateless_seed(seed, _INFORMATION)
    )
    return {
        **{name: float(value) for name, value in figures.items()},
        "active_units": active_units(model.latent, parameters),
        "examples": len(tokens),
        "tokens": int(tokens.sum()),
    }


@tf.function(reduce_retracing=True)
def _terms(
    model: VariationalAutoencoder, x: Any, seed: tf.Tensor
) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor], tf.Tensor]:
    parameters = model.latent.parameters(model.features(x))
    z = model.latent.sample(parameters, seed)
    terms = {
        "nll": -model.reconstruction_log_prob(x, z[tf.newaxis])[0],
        "kl": model.latent.kl_divergence(parameters),
        "tokens": model.token_counts(x),
    }
    return terms, parameters, z


@tf.function(reduce_retracing=True)
def _nll(model: VariationalAutoencoder, x: Any, z: tf.Tensor) -> tf.Tensor:
    return -model.reconstruction_log_prob(x, z[tf.newaxis])[0]
