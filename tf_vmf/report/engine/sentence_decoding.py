"""Between sentences in memory and the tensors that a sentence model reads and writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.data.sentences import Sentences
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.report.engine.encodings import encode_sentences
from tf_vmf.text.vocabulary import PAD_ID


def interpolate_sentences(
    model: LSTMVAE, sentences: Sentences, num_points: int = 5, *, max_length: int = 50, **options: Any
) -> np.ndarray:
    """Sentences decoded on the way from the code of one sentence to that of another.

    The path is that of the latent layer (`LatentLayer.interpolate`). A conditional model is given what belongs to
    the first sentence all the way.

    Args:
        model: A model with a latent variable.
        sentences: The two sentences.
        num_points: Points at equal distances, both ends included.
        max_length: Tokens per sentence, at most.
        **options: Passed to `model.generate`; greedy decoding without `<unk>` where they say nothing.

    Returns:
        Token ids, shape (num_points, length), 0 after `<eos>`.
    """
    if len(sentences) != 2:
        raise ArgumentError("sentences", "two, the ends of the way", str(len(sentences)), owner="interpolate_sentences")
    ends = encode_sentences(model, sentences)
    path = model.latent.interpolate(ends.codes[0], ends.codes[1], num_points).numpy()
    given = conditions(model, sentence_tensors(sentences.take(np.zeros(num_points, int))))
    return decode(model, path, max_length, **given, **options)


def decode(model: LSTMVAE, codes: np.ndarray, max_length: int, **options: Any) -> np.ndarray:
    """Token ids of shape (n, length) decoded from codes of shape (n, latent_dim).

    Greedily and without `<unk>`, which a reader learns nothing from, where `options` say nothing.
    """
    options = {"allow_unknown": False, **options}
    return np.asarray(model.generate(tf.constant(codes, tf.float32), max_length=max_length, **options))


def sentence_tensors(sentences: Sentences) -> Any:
    """The sentences as one batch, in order: token ids (n, length), or a dict of these "tokens" and "labels" (n,)."""
    tokens = np.full((len(sentences), int(sentences.lengths.max())), PAD_ID, np.int32)
    tokens[np.arange(tokens.shape[1]) < sentences.lengths[:, np.newaxis]] = sentences.tokens
    if sentences.labels is None:
        return tf.constant(tokens)
    return {"tokens": tf.constant(tokens), "labels": tf.constant(sentences.labels, tf.int32)}


def conditions(model: LSTMVAE, x: Any) -> dict[str, Any]:
    """Keyword arguments for `model.generate` that condition on the labels and words of batch x."""
    labels = {"labels": x["labels"]} if model.num_labels else {}
    words = {"bag_of_words": x["tokens"] if isinstance(x, Mapping) else x} if model.bag_of_words_units else {}
    return {**labels, **words}


def prior_codes(model: LSTMVAE, number: int, seed: int) -> np.ndarray:
    """Codes drawn from the prior, shape (number, latent_dim)."""
    return np.asarray(model.latent.prior().sample(number, seed=tf.constant([seed, 0])))


def varied_rows(sentences: Sentences, number: int, seed: int) -> np.ndarray:
    """Sentences of middling length, in random order and, where there are labels, of different ones in turn."""
    low = np.quantile(sentences.lengths, 0.2, method="lower")
    high = np.quantile(sentences.lengths, 0.8, method="higher")
    order = np.random.default_rng([seed, number]).permutation(len(sentences))
    order = order[(sentences.lengths[order] >= low) & (sentences.lengths[order] <= high)]
    if sentences.labels is not None:
        turns = np.zeros(len(order), int)
        for label in np.unique(sentences.labels[order]):
            mask = sentences.labels[order] == label
            turns[mask] = np.arange(mask.sum())
        order = order[np.argsort(turns, kind="stable")]
    return order[:number]
