"""Checks of the arguments of `TopicModel`, before anything is trained."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError, check_unicode
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.text import Tokenizer
from tf_vmf.text.vocabulary import checked_words
from tf_vmf.topics.groups import read_column

_FEWEST = {"latent_dim": 2, "hidden_units": 1, "batch_size": 1, "vocabulary_size": 1, "num_topics": 1, "epochs": 1}
_MAY_BE_NONE = ("num_topics", "epochs")


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Refuses parameters, `TopicModel.get_params()`, that are out of range."""
    for name, least in _FEWEST.items():
        if parameters[name] is not None or name not in _MAY_BE_NONE:
            check_integer(name, parameters[name], least)
    for name in ("exclusivity", "mode_concentration"):
        check_number(name, parameters[name], 0.0)
    check_number("relevance_weight", parameters["relevance_weight"], 0.0, 1.0)
    check_number("learning_rate", parameters["learning_rate"], float(np.finfo(np.float32).tiny))
    if parameters["verbose"] not in (0, 1, 2):
        raise ArgumentError("verbose", "0, 1 or 2", repr(parameters["verbose"]))
    if parameters["tokenizer"] is not None and parameters["tokenization"] not in ("words", "whitespace"):
        raise ArgumentError(
            "tokenization", "none beside `tokenizer`", repr(parameters["tokenization"]), "Give one of the two."
        )
    seeds, num_topics = parameters["seed_words"], parameters["num_topics"]
    if isinstance(seeds, str):
        raise ArgumentError("seed_words", "lists of words", repr(seeds))
    if seeds is not None and num_topics is not None and len(seeds) > num_topics:
        raise ArgumentError("seed_words", f"at most num_topics={num_topics} groups of words", str(len(seeds)))


def check_integer(name: str, value: Any, least: int, most: int | None = None) -> None:
    """Refuses what is no integer from `least` to `most`."""
    integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not integer or value < least or (most is not None and value > most):
        expected = f"an integer >= {least}" if most is None else f"an integer from {least} to {most}"
        raise ArgumentError(name, expected, repr(value))


def check_number(name: str, value: Any, least: float, most: float = np.inf) -> None:
    """Refuses what is no finite number from `least` to `most`."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not least <= float(value) <= most or float(value) == np.inf:
        expected = f"in [{least:g}, {most:g}]" if np.isfinite(most) else ">= 0" if least == 0 else "> 0"
        raise ArgumentError(name, f"a number {expected}", repr(value))


def check_document_model(model: BagOfWordsVAE, words: Sequence[str] | None) -> tuple[str, ...]:
    """The words of a document model; refuses one whose codes are no directions, or with another number of words."""
    if model.latent is None or model.latent.describe().metric != "cosine":
        raise ArgumentError("model", "a document model whose codes are directions", f"latent={model.latent!r}")
    if words is None:
        raise ArgumentError("vocabulary", "the words of the counts, or `vectorizer`", "neither")
    words = checked_words(words)
    if len(words) != model.vocabulary_size:
        raise ArgumentError("vocabulary", f"{model.vocabulary_size} words, those of the model", str(len(words)))
    return words


def checked_labels(labels: Any, num_topics: int) -> dict[int, str | None]:
    """The argument `labels` of `TopicModel.set_topic_labels` as labels by topic."""
    named = dict(labels) if isinstance(labels, Mapping) else dict(enumerate(read_column("labels", labels, num_topics)))
    for topic in named:
        if isinstance(topic, bool) or topic not in range(num_topics):
            raise ArgumentError("labels", f"topics from 0 to {num_topics - 1}", repr(topic))
        if not isinstance(named[topic], str | None):
            raise ArgumentError(f"labels[{topic}]", "a name, or None", repr(named[topic]))
        check_unicode(named[topic], f"labels[{topic}]")
    return {int(topic): label for topic, label in named.items()}


def warn_of_equal_codes(points: np.ndarray, num_topics: int) -> None:
    """Warns where topics must coincide."""
    distinct = len(np.unique(np.round(points, 4), axis=0))
    if distinct < num_topics:
        warnings.warn(
            f"The documents have {distinct} distinct codes, fewer than the {num_topics} topics: some topics are the same. Lower "
            "`num_topics`, or remove repeated documents.",
            stacklevel=5,
        )


def warn_of_impossible_words(vocabulary: Sequence[str], tokenizer: Tokenizer) -> None:
    """Warns of words that the tokenizer writes in another way, such as capitals: they are in no text."""
    tokens = tokenizer(vocabulary)
    never = [word for word, own in zip(vocabulary, tokens, strict=True) if own != [word.encode()]]
    if never:
        warnings.warn(
            f"{len(never)} of {len(vocabulary)} words of `vocabulary` cannot occur, as tokenization={tokenizer.tokenization!r} "
            f"writes texts in another way: {', '.join(map(repr, never[:5]))}.",
            stacklevel=4,
        )
