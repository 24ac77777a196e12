"""State and parameters that all parts of `TopicModel` share."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from tf_vmf.models import BagOfWordsVAE
from tf_vmf.text import DocumentVectorization, Tokenizer
from tf_vmf.topics import codes as document_codes
from tf_vmf.topics.documents import CountedDocuments, checked_counts, count_words, is_empty, is_texts
from tf_vmf.topics.fitted import FittedTopics
from tf_vmf.topics.guidance import SeedWords
from tf_vmf.topics.words import WordSettings


class TopicEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Parameters, fitted attributes and the reading of documents; `TopicModel` states their meaning."""

    num_topics: int | None
    vocabulary: Sequence[str] | None
    vocabulary_size: int
    min_df: int | float
    max_df: int | float
    stop_words: str | Path | Sequence[str]
    tokenization: str
    ngram_range: tuple[int, int]
    latent_dim: int
    hidden_units: int
    epochs: int | None
    batch_size: int
    learning_rate: float
    seed_words: SeedWords | None
    relevance_weight: float
    exclusivity: float
    mode_concentration: float
    coherent_words: bool
    random_state: int | np.random.RandomState | None
    verbose: int

    vocabulary_: tuple[str, ...]
    model_: BagOfWordsVAE
    vectorizer_: DocumentVectorization | None
    num_topics_: int
    mean_directions_: np.ndarray
    concentration_: float
    silhouettes_: dict[int, float] | None
    labels_: np.ndarray
    _topics: FittedTopics
    _labels: dict[int, str]
    _texts: list[str] | None

    def _check_arguments(self) -> None:
        for name in ("latent_dim", "hidden_units", "batch_size", "vocabulary_size"):
            check_integer(name, getattr(self, name), 2 if name == "latent_dim" else 1)
        for name in ("num_topics", "epochs"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name), 1)
        for name in ("exclusivity", "mode_concentration"):
            _check_number(name, getattr(self, name), 0.0)
        _check_number("relevance_weight", self.relevance_weight, 0.0, 1.0)
        _check_number("learning_rate", self.learning_rate, float(np.finfo(np.float32).tiny))
        if self.verbose not in (0, 1, 2):
            raise ValueError(f"Argument `verbose`: expected 0, 1 or 2. Received: {self.verbose!r}.")
        if isinstance(self.seed_words, str):
            raise ValueError(f"Argument `seed_words`: expected lists of words. Received: {self.seed_words!r}.")
        if self.seed_words is not None and self.num_topics is not None and len(self.seed_words) > self.num_topics:
            raise ValueError(
                f"Argument `seed_words`: expected at most num_topics={self.num_topics} groups of words. "
                f"Received: {len(self.seed_words)}."
            )

    def _word_settings(self) -> WordSettings:
        settings = WordSettings(
            relevance_weight=self.relevance_weight,
            exclusivity=self.exclusivity,
            mode_concentration=self.mode_concentration,
        )
        return settings if self.coherent_words else settings.by_relevance_alone()

    def _set_topics(self, topics: FittedTopics) -> None:
        self._topics = topics
        self.num_topics_ = topics.num_topics
        self.mean_directions_ = topics.mixture.mean_directions
        self.concentration_ = topics.mixture.concentration
        self.labels_ = topics.training_proportions().argmax(axis=1)

    def _read(self, X: Any) -> CountedDocuments:
        check_is_fitted(self, "model_")
        if is_texts(X):
            if self.vectorizer_ is None:
                raise ValueError(
                    "This model was fitted on counts. Expected counts over `vocabulary_`. Received: texts."
                )
            return count_words(list(X), Tokenizer(self.tokenization, self.ngram_range), self.vocabulary_)
        size = len(self.vocabulary_)
        return checked_counts(np.zeros((0, size)) if is_empty(X) else X, size)

    def _encode(self, documents: CountedDocuments) -> np.ndarray:
        codes = document_codes.encode(self.model_, documents.counts)
        codes[~documents.known] = 0.0
        return codes

    @property
    def _n_features_out(self) -> int:
        return self.num_topics_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags


def check_integer(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"Argument `{name}`: expected an integer >= {least}. Received: {value!r}.")


def _check_number(name: str, value: Any, least: float, most: float = np.inf) -> None:
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not least <= float(value) <= most or float(value) == np.inf:
        expected = f"in [{least:g}, {most:g}]" if np.isfinite(most) else ">= 0" if least == 0 else "> 0"
        raise ValueError(f"Argument `{name}`: expected a number {expected}. Received: {value!r}.")
