"""Posteriors of examples as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.data.sentences import Sentences
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder


@dataclass(frozen=True, eq=False)
class Encodings:
    """Posteriors of n examples.

    Attributes:
        codes: Mean directions, or means of a Gaussian, shape (n, latent_dim), float64.
        kl: KL(q(z|x) || p(z)) in nats, shape (n,).
        concentration: shape (n,), or None for a posterior that has none.
        spherical: Whether codes are unit vectors.
        scale: Factor that gives a coordinate of codes unit variance under the fixed prior of the latent layer: a number, or one per
            dimension.
    """

    codes: np.ndarray
    kl: np.ndarray
    concentration: np.ndarray | None
    spherical: bool
    scale: float | np.ndarray = 1.0


def encode(model: VariationalAutoencoder, batches: Iterable[Any]) -> Encodings:
    """Encodes a finite series of batches, in order.

    Raises:
        ValueError: There is no batch, or the model has no latent variable.
    """
    latent = model.latent
    if latent is None:
        raise ArgumentError("model", "a model with a latent variable", "one with latent=None", owner="encode")
    codes, kl, concentration = [], [], []
    for x in batches:
        parameters = model.posterior_parameters(x)
        codes.append(latent.code(parameters).numpy())
        kl.append(latent.kl_divergence(parameters).numpy())
        if "concentration" in parameters:
            concentration.append(parameters["concentration"].numpy())
    if not codes:
        raise ArgumentError("batches", "at least one batch", "none", owner="encode")
    spherical = latent.describe().metric == "cosine"
    means = np.concatenate(codes).astype(np.float64)
    return Encodings(
        codes=unit_rows(means) if spherical else means,
        kl=np.concatenate(kl).astype(np.float64),
        concentration=np.concatenate(concentration).astype(np.float64) if concentration else None,
        spherical=spherical,
        scale=latent.coordinate_scale,
    )


def encode_sentences(model: VariationalAutoencoder, sentences: Sentences, batch_size: int = 256) -> Encodings:
    """Encodes sentences in batches of similar length; rows are in the order of `sentences`."""
    found = encode(model, sentences.evaluation_batches(batch_size))
    place = np.argsort(sentences.evaluation_order(), kind="stable")
    return Encodings(
        codes=found.codes[place],
        kl=found.kl[place],
        concentration=None if found.concentration is None else found.concentration[place],
        spherical=found.spherical,
        scale=found.scale,
    )


def label_centers(encodings: Encodings, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean code of every label: on the sphere the mean direction, the maximum likelihood estimate of a vMF's.

    Returns:
        (the distinct labels, ascending; their centers, shape (number of labels, latent_dim)).
    """
    distinct = np.unique(labels)
    centers = np.stack([encodings.codes[labels == label].mean(axis=0) for label in distinct])
    return distinct, unit_rows(centers) if encodings.spherical else centers


def unit_rows(rows: np.ndarray, dtype: type = np.float64) -> np.ndarray:
    """Rows divided by their norms; a row of zeros stays one."""
    rows = np.asarray(rows, dtype)
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1.0)
