"""Topics of texts in three lines: a scikit-learn estimator over a vMF autoencoder of documents."""

from __future__ import annotations

import json
import numbers
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import keras
import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from tf_vmf.files import new_folder
from tf_vmf.models import load as load_model
from tf_vmf.models.load import MODEL_FILE, VECTORIZER_FILE
from tf_vmf.text import DocumentVectorization, Tokenizer
from tf_vmf.text.vocabulary import VocabularyChoice, read_stop_words
from tf_vmf.topics import codes as document_codes
from tf_vmf.topics import frames
from tf_vmf.topics.documents import (
    CountedDocuments,
    checked_counts,
    choose_words,
    count_words,
    is_texts,
    word_number,
)
from tf_vmf.topics.fitted import FittedTopics, find_words, merged_numbers, read_topics, write_topics
from tf_vmf.topics.guidance import anchors, seed_labels
from tf_vmf.topics.mixture import TopicMixture, fit_mixture
from tf_vmf.topics.selection import choose_num_topics
from tf_vmf.topics.words import WordSettings

if TYPE_CHECKING:
    import pandas as pd

_SETTINGS_FILE, _TOPICS_FILE = "topic_model.json", "topics.npz"
_SNIPPET = 300  # characters of a training text that are kept for display
_FORMAT = 1
_WORD_PARAMETERS = ("relevance_weight", "exclusivity", "mode_concentration", "coherent_words")


class TopicModel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Topics of documents: clusters of the codes of a vMF autoencoder, named by the words that it predicts there.

    A `BagOfWordsVAE` with a learned concentration maps each document to a direction on the sphere. Topics are the components of
    a mixture of von Mises-Fisher distributions with a shared concentration over these directions. A topic's words are decoded
    at the densest point of its documents and ranked by relevance with a penalty for words of other topics; of the `2n` most
    relevant the ten that occur together most in the training documents come first. Nothing needs labels or pretrained vectors.

    ```python
    texts = ["the moon and a rocket", "a rocket to the moon", "bread and butter", "butter on bread"] * 25
    model = tf_vmf.TopicModel(num_topics=2, epochs=20, random_state=0)
    model.fit(texts)
    for words in model.topics(2):
        print(", ".join(words))  # moon, rocket; bread, butter
    model.transform(["a moon of butter"])  # proportions of the topics, shape (1, 2)
    ```

    The order of the topics is that of their size, after those of `seed_words`.

    Args:
        num_topics: Number of topics; None chooses from 2 to 100 by the mean silhouette of the codes
            (`silhouettes_` holds the values). It names the number of clear clusters, which may be fewer than a reader wants.
        vocabulary: The words; None chooses them from the texts. Required for counts.
        vocabulary_size: The number of words at most, where they are chosen.
        min_df: In how many texts a word must occur: a number, an int, or a share, a float.
        max_df: In how many texts a word may occur: a number, an int, or a share, a float.
        stop_words: "english" (gensim's list), "none", the path of a file with a word per line, or words.
        tokenization: "words" (lower-case words of two letters or more), "punctuation" or "whitespace" (tokenized text).
        ngram_range: Lengths (shortest, longest) of runs of words that count as a word, joined by underscores.
        latent_dim: Dimension of the codes.
        hidden_units: Width of the hidden layers.
        epochs: Passes over the texts; None for as many as make 2,000 training steps, at least 10 and at most 200.
        batch_size: Texts per training step.
        learning_rate: Of Adam at the start; it falls to 0 along a cosine.
        seed_words: Words that shall belong to a topic each: lists of words, or names with lists of words. They become the first
            topics; a topic is pulled to the documents that hold its words.
        relevance_weight: In [0, 1]: 1 ranks words by probability, 0 by how much likelier they are in the topic than elsewhere.
        exclusivity: Weight of the penalty for words that another topic makes likelier; 0 leaves shared words in all topics.
        mode_concentration: Concentration of the kernel that finds the densest point; 0 decodes at the mean direction.
        coherent_words: Whether the ten most coherent of the twenty most relevant words come first. The choice uses the
            co-occurrence in whole training documents, which coherences of the training corpus measure too: compare coherences of
            models with False, or on held-out documents.
        random_state: Seed: an int, a `numpy.random.RandomState` or None.
        verbose: 0 silent, 1 a progress bar, 2 a line per epoch.

    Attributes:
        vocabulary_: The V words, a tuple.
        model_: The trained `tf_vmf.models.BagOfWordsVAE`.
        vectorizer_: The `tf_vmf.text.DocumentVectorization` from texts to counts; None after fitting counts.
        num_topics_: The number of topics.
        mean_directions_: Unit vectors, shape (components, d): one for each topic that was not merged.
        concentration_: Concentration of the components.
        silhouettes_: The mean silhouette by number of topics, where `num_topics` is None; otherwise None.
        labels_: The topic of each training document, shape (n,).

    References:
        J. Xu and G. Durrett. Spherical Latent Spaces for Stable Variational Autoencoders. EMNLP 2018.
        A. Banerjee, I. Dhillon, J. Ghosh and S. Sra. Clustering on the Unit Hypersphere using von Mises-Fisher
        Distributions. JMLR 2005.
    """

    def __init__(
        self,
        num_topics: int | None = 20,
        *,
        vocabulary: Sequence[str] | None = None,
        vocabulary_size: int = 5000,
        min_df: int | float = 2,
        max_df: int | float = 1.0,
        stop_words: str | Path | Sequence[str] = "english",
        tokenization: str = "words",
        ngram_range: tuple[int, int] = (1, 1),
        latent_dim: int = 50,
        hidden_units: int = 256,
        epochs: int | None = None,
        batch_size: int = 200,
        learning_rate: float = 2e-3,
        seed_words: Mapping[str, Sequence[str]] | Sequence[Sequence[str]] | None = None,
        relevance_weight: float = 0.8,
        exclusivity: float = 3.0,
        mode_concentration: float = 5.0,
        coherent_words: bool = True,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.num_topics = num_topics
        self.vocabulary = vocabulary
        self.vocabulary_size = vocabulary_size
        self.min_df = min_df
        self.max_df = max_df
        self.stop_words = stop_words
        self.tokenization = tokenization
        self.ngram_range = ngram_range
        self.latent_dim = latent_dim
        self.hidden_units = hidden_units
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.seed_words = seed_words
        self.relevance_weight = relevance_weight
        self.exclusivity = exclusivity
        self.mode_concentration = mode_concentration
        self.coherent_words = coherent_words
        self.random_state = random_state
        self.verbose = verbose

    # Fitting.

    def fit(self, X: Any, y: Any = None) -> Self:
        """Trains the document model and finds the topics.

        Args:
            X: n texts in a list, an array or a column of a data frame; or counts (n, V), dense or scipy sparse, with `vocabulary`.
            y: Ignored; for pipelines.

        Raises:
            ValueError: An argument is out of range, no word is left, or there are fewer documents with a known word than topics.
            TypeError: X is one string, or mixes strings with something else.
            ModuleNotFoundError: stop_words="english" without gensim.
        """
        del y
        self._check_arguments()
        documents = self._read_training(X)
        known = np.flatnonzero(documents.lengths > 0)
        fewest = max(2, self.num_topics or 2)
        if len(known) < fewest:
            raise ValueError(
                f"Expected at least {fewest} documents with a word of the vocabulary, one per topic. Received: {len(known)} of "
                f"{len(documents)}. Lower `num_topics` or `min_df`."
            )
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.model_ = document_codes.train(documents.counts[known], self._code_settings(), seed, self.verbose)
        codes = np.zeros((len(documents), self.latent_dim), np.float32)
        codes[known] = document_codes.encode(self.model_, documents.counts[known])
        guides = anchors(self.seed_words, self.vocabulary_, documents.counts[known], codes[known])
        num_topics = self.num_topics
        self.silhouettes_: dict[int, float] | None = None
        if num_topics is None:
            num_topics, self.silhouettes_ = choose_num_topics(codes[known], seed)
            num_topics = max(num_topics, len(guides))
        weight = len(known) / (2 * num_topics)
        mixture = fit_mixture(codes[known], num_topics, seed, anchors=guides, anchor_weight=weight)
        mixture = _by_size(mixture, len(guides))
        self._labels = dict(enumerate(seed_labels(self.seed_words)))
        self._labels = {topic: label for topic, label in self._labels.items() if label}
        self._set_topics(
            find_words(self.model_, mixture, np.arange(num_topics), documents, codes, self._word_settings())
        )
        return self

    def _check_arguments(self) -> None:
        for name in ("latent_dim", "hidden_units", "batch_size", "vocabulary_size"):
            _check_integer(name, getattr(self, name), 2 if name == "latent_dim" else 1)
        for name in ("num_topics", "epochs"):
            if getattr(self, name) is not None:
                _check_integer(name, getattr(self, name), 1)
        if self.seed_words is not None and self.num_topics is not None and len(self.seed_words) > self.num_topics:
            raise ValueError(
                f"Argument `seed_words`: expected at most num_topics={self.num_topics} groups of words. "
                f"Received: {len(self.seed_words)}."
            )
        if not 0 <= self.relevance_weight <= 1:
            raise ValueError(
                f"Argument `relevance_weight`: expected a number in [0, 1]. Received: {self.relevance_weight!r}."
            )
        for name in ("exclusivity", "mode_concentration"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"Argument `{name}`: expected a number >= 0. Received: {getattr(self, name)!r}.")

    def _read_training(self, X: Any) -> CountedDocuments:
        """The training documents; sets the vocabulary, the vectorizer and what is kept of the texts."""
        if is_texts(X):
            texts = list(X)
            tokenizer = Tokenizer(self.tokenization, self.ngram_range)
            self.vocabulary_, documents = choose_words(texts, tokenizer, self._vocabulary_choice(tokenizer))
            self.vectorizer_: DocumentVectorization | None = DocumentVectorization(
                self.vocabulary_, tokenization=self.tokenization, ngram_range=self.ngram_range
            )
            self._texts: list[str] | None = [_shortened(text) for text in texts]
        else:
            if self.vocabulary is None:
                raise ValueError(
                    f"Expected texts, or counts with the argument `vocabulary`, which names their columns. "
                    f"Received: {type(X).__name__} and vocabulary=None."
                )
            self.vocabulary_ = _checked_vocabulary(self.vocabulary)
            documents = checked_counts(X, len(self.vocabulary_))
            self.vectorizer_ = None
            self._texts = None
        return documents

    def _vocabulary_choice(self, tokenizer: Tokenizer) -> VocabularyChoice:
        if self.vocabulary is not None:
            return VocabularyChoice(len(self.vocabulary), words=_checked_vocabulary(self.vocabulary))
        return VocabularyChoice(
            self.vocabulary_size,
            min_df=self.min_df,
            max_df=self.max_df,
            stop_words=read_stop_words(self.stop_words, tokenizer),
            ngrams=tokenizer.ngram_range[1] > 1,
        )

    def _code_settings(self) -> document_codes.CodeSettings:
        return document_codes.CodeSettings(
            self.latent_dim, self.hidden_units, self.epochs, self.batch_size, self.learning_rate
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

    # Documents.

    def transform(self, X: Any) -> np.ndarray:
        """Topic proportions p(topic|document), shape (n, num_topics); rows sum to 1.

        A document without a known word gets the mean proportions of the training documents: see `known_tokens`.

        Args:
            X: Texts, or counts over `vocabulary_`.
        """
        documents = self._read(X)
        return self._topics.proportions(self._encode(documents), documents.lengths > 0)

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> np.ndarray:
        """Fits, and returns the proportions of the training documents."""
        self.fit(X, y, **fit_params)
        return self._topics.training_proportions()

    def known_tokens(self, X: Any) -> np.ndarray:
        """How many tokens of each document the vocabulary holds, int64 (n,)."""
        return self._read(X).lengths

    def embed(self, X: Any) -> np.ndarray:
        """The code of each document: a unit vector, shape (n, latent_dim), float32; zeros for one without a known word."""
        return self._encode(self._read(X))

    def score(self, X: Any, y: Any = None) -> float:
        """A lower bound on the log-likelihood per token, in nats; higher is better.

        The evidence lower bound of the document model with one sample per document, divided by the number of known tokens. It
        depends on the vocabulary: compare models over the same words. It does not depend on the topics.

        Raises:
            ValueError: No document has a known word.
        """
        del y
        documents = self._read(X)
        tokens = documents.lengths
        if not tokens.sum():
            raise ValueError("Expected a document with a word of the vocabulary. Received none.")
        return float(document_codes.log_likelihood_bounds(self.model_, documents.counts).sum() / tokens.sum())

    def outliers(self, X: Any = None, *, share: float = 0.05) -> np.ndarray:
        """Whether each document lies far from all topics, bool (n,).

        A document is an outlier if the mixture's density at its code is below the `share` quantile of the training documents, or
        if it has no known word.

        Args:
            X: Documents; None for the training documents.
            share: The share of training documents that count as outliers, in [0, 1].
        """
        check_is_fitted(self, "model_")
        if not 0 <= share <= 1:
            raise ValueError(f"Argument `share`: expected a number in [0, 1]. Received: {share!r}.")
        topics = self._topics
        reference = topics.mixture.log_density(topics.codes[topics.known])
        codes, known = topics.codes, topics.known
        if X is not None:
            documents = self._read(X)
            codes, known = self._encode(documents), documents.lengths > 0
        result = ~known
        result[known] = topics.mixture.log_density(codes[known]) < np.quantile(reference, share)
        return result

    def _read(self, X: Any) -> CountedDocuments:
        check_is_fitted(self, "model_")
        if is_texts(X):
            if self.vectorizer_ is None:
                raise ValueError(
                    "This model was fitted on counts. Expected counts over `vocabulary_`. Received: texts."
                )
            return count_words(list(X), Tokenizer(self.tokenization, self.ngram_range), self.vocabulary_)
        if not np.shape(X)[0]:
            return CountedDocuments(checked_counts(np.zeros((0, len(self.vocabulary_))), len(self.vocabulary_)).counts)
        return checked_counts(X, len(self.vocabulary_))

    def _encode(self, documents: CountedDocuments) -> np.ndarray:
        codes = document_codes.encode(self.model_, documents.counts)
        codes[documents.lengths == 0] = 0.0
        return codes

    # Topics.

    def topics(self, num_words: int = 10) -> list[list[str]]:
        """The first words of every topic.

        Args:
            num_words: Words per topic; `topics(5)` are the first five of `topics(10)`.

        Returns:
            `num_topics_` lists of `num_words` words.
        """
        check_is_fitted(self, "model_")
        if not 1 <= num_words <= len(self.vocabulary_):
            raise ValueError(
                f"Argument `num_words`: expected a number from 1 to {len(self.vocabulary_)}, the vocabulary's size. "
                f"Received: {num_words!r}."
            )
        return [[self.vocabulary_[word] for word in row[:num_words]] for row in self._topics.ranking]

    def topic_labels(self) -> list[str]:
        """The label of every topic: the one that was set, or its first three words."""
        words = self.topics(min(3, len(self.vocabulary_)))
        return [self._labels.get(topic, ", ".join(row)) for topic, row in enumerate(words)]

    def find_topics(self, words: str | Sequence[str], num_topics: int = 5) -> list[tuple[int, float]]:
        """The topics that words most likely come from.

        Args:
            words: A word, or several that come from one topic.
            num_topics: How many topics to return at most.

        Returns:
            (topic, p(topic|words)) by falling probability.

        Raises:
            ValueError: A word is not in the vocabulary; the message names similar ones.
        """
        check_is_fitted(self, "model_")
        numbers_ = [word_number(word, self.vocabulary_) for word in ([words] if isinstance(words, str) else words)]
        topics = self._topics
        log_joint = np.log(np.maximum(topics.weights, 1e-12)) + topics.log_probabilities[:, numbers_].sum(axis=1)
        probabilities = np.exp(log_joint - log_joint.max())
        probabilities /= probabilities.sum()
        return [(int(topic), float(probabilities[topic])) for topic in np.argsort(-probabilities)[:num_topics]]

    def update_words(self, **parameters: Any) -> Self:
        """Ranks the words of the topics anew, without training: `model.update_words(exclusivity=0.0)`.

        Args:
            **parameters: New values of `relevance_weight`, `exclusivity`, `mode_concentration` and `coherent_words`.

        Raises:
            ValueError: Another parameter, or a value out of range.
        """
        check_is_fitted(self, "model_")
        wrong = [name for name in parameters if name not in _WORD_PARAMETERS]
        if wrong:
            raise ValueError(f"Expected some of {', '.join(_WORD_PARAMETERS)}. Received: {wrong[0]}.")
        self.set_params(**parameters)
        self._check_arguments()
        self._find_words(self._topics.topic_of)
        return self

    def _find_words(self, topic_of: np.ndarray) -> None:
        old = self._topics
        settings = self._word_settings()
        self._set_topics(find_words(self.model_, old.mixture, topic_of, old.documents, old.codes, settings))

    def merge_topics(self, groups: Sequence[Sequence[int]]) -> Self:
        """Merges groups of topics, in place.

        A merged topic takes the position of its smallest member; later topics move up. Its proportion is the sum of those of
        its members, its words are decoded anew, and it keeps a label where its members have just one.

        Args:
            groups: Two or more topics each, such as [[0, 3], [5, 7]].

        Raises:
            ValueError: A topic does not exist, is in two groups, or is alone in one.
        """
        check_is_fitted(self, "model_")
        old = self._topics
        new_number = merged_numbers(old.num_topics, groups)
        labels: dict[int, set[str]] = {}
        for topic, label in self._labels.items():
            labels.setdefault(int(new_number[topic]), set()).add(label)
        self._labels = {topic: names.pop() for topic, names in labels.items() if len(names) == 1}
        self._find_words(new_number[old.topic_of])
        return self

    def set_topic_labels(self, labels: Mapping[int, str] | Sequence[str]) -> Self:
        """Names topics.

        Args:
            labels: Names by topic, or a name for every topic. Topics that are not named keep their labels.

        Raises:
            ValueError: A topic does not exist.
        """
        check_is_fitted(self, "model_")
        if not isinstance(labels, Mapping) and len(labels) != self.num_topics_:
            raise ValueError(
                f"Argument `labels`: expected {self.num_topics_} names, one per topic. Received: {len(labels)}."
            )
        named = dict(labels) if isinstance(labels, Mapping) else dict(enumerate(labels))
        wrong = [topic for topic in named if topic not in range(self.num_topics_)]
        if wrong:
            raise ValueError(
                f"Argument `labels`: expected topics from 0 to {self.num_topics_ - 1}. Received: {wrong[0]!r}."
            )
        self._labels |= {int(topic): str(label) for topic, label in named.items()}
        return self

    # Tables.

    def topic_info(self, num_words: int = 10) -> pd.DataFrame:
        """A data frame with a row per topic.

        Columns: `topic`, `label`, `size` (training documents whose largest proportion it is), `share` (mean proportion), `words`,
        `c_npmi` (of the first ten words in the training documents; window of 10 words, or the whole document for counts) and
        `representative_documents` (positions of the three training documents nearest to the topic's densest point).

        Raises:
            ModuleNotFoundError: pandas or gensim is not installed: pip install 'tf-vmf[topics]'.
        """
        check_is_fitted(self, "model_")
        return frames.topic_info(
            self._topics, self.vocabulary_, self.topics(num_words), self.topic_labels(), self.labels_
        )

    def document_info(self, X: Any) -> pd.DataFrame:
        """A data frame with a row per document.

        Columns: `text` (None for counts), `topic` (that with the largest proportion), `label`, `probability` (that proportion)
        and `known_tokens`.

        Raises:
            ModuleNotFoundError: pandas is not installed: pip install 'tf-vmf[topics]'.
        """
        documents = self._read(X)
        proportions = self._topics.proportions(self._encode(documents), documents.lengths > 0)
        texts = list(X) if is_texts(X) else None
        return frames.document_info(texts, proportions, self.topic_labels(), documents.lengths)

    def topics_per_class(self, classes: Sequence[Any], X: Any = None) -> pd.DataFrame:
        """How much of each class is about each topic.

        Args:
            classes: The class of each document.
            X: The documents; None for the training documents.

        Returns:
            A data frame with a row per class and topic: `class`, `topic`, `label`, `documents` (sum of proportions), `share` (of
            the class; the shares of a class sum to 1).

        Raises:
            ValueError: The number of classes is not that of the documents.
            ModuleNotFoundError: pandas is not installed: pip install 'tf-vmf[topics]'.
        """
        return frames.topics_by("class", classes, self._proportions_of(X), self.topic_labels())

    def topics_over_time(self, timestamps: Sequence[Any], X: Any = None, *, bins: int | None = None) -> pd.DataFrame:
        """How much of each period is about each topic.

        Args:
            timestamps: The time of each document: numbers, dates, or strings that pandas reads as dates.
            X: The documents; None for the training documents.
            bins: The number of periods of equal length; None keeps every distinct time apart.

        Returns:
            A data frame with a row per period and topic: `time` (its start), `topic`, `label`, `documents`, `share`.

        Raises:
            ValueError: The number of timestamps is not that of the documents.
            ModuleNotFoundError: pandas is not installed: pip install 'tf-vmf[topics]'.
        """
        check_is_fitted(self, "model_")
        if bins is not None:
            _check_integer("bins", bins, 1)
        periods = frames.periods(timestamps, bins)
        return frames.topics_by("time", periods, self._proportions_of(X), self.topic_labels())

    def _proportions_of(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        return self._topics.training_proportions() if X is None else self.transform(X)

    # Files.

    def report(self, path: str | Path, classes: Sequence[Any] | None = None, *, title: str = "Topics") -> None:
        """Writes an HTML page: topics with sizes, words, coherence and representative documents, and a map of documents.

        Args:
            path: The file.
            classes: The class of each training document, for a table of classes by topic; None for none.
            title: The heading.

        Raises:
            ModuleNotFoundError: jinja2, matplotlib, pandas or gensim is not installed: pip install 'tf-vmf[topics]'.
        """
        from tf_vmf.topics.report import write_topic_report

        check_is_fitted(self, "model_")
        write_topic_report(
            path, self._topics, self.topic_info(), self.topic_labels(), self.labels_, self._texts, classes, title
        )

    def save(self, path: str | Path) -> None:
        """Writes the fitted model to a new folder, which `load` reads.

        The folder holds the training documents as counts and the first 300 characters of the training texts.

        Raises:
            FileExistsError: There is something at the path.
        """
        check_is_fitted(self, "model_")
        with new_folder(path) as folder:
            self.model_.save(folder / MODEL_FILE)
            if self.vectorizer_ is not None:
                text = json.dumps(keras.saving.serialize_keras_object(self.vectorizer_))
                (folder / VECTORIZER_FILE).write_text(text, encoding="utf-8")
            write_topics(self._topics, folder / _TOPICS_FILE)
            (folder / _SETTINGS_FILE).write_text(json.dumps(self._description()), encoding="utf-8")

    def _description(self) -> dict[str, Any]:
        parameters = self.get_params(deep=False)
        parameters.pop("vocabulary")
        if not isinstance(self.random_state, numbers.Integral):
            parameters["random_state"] = None
        return {
            "format": _FORMAT,
            "parameters": json.loads(json.dumps(parameters, default=_plain)),
            "fixed_vocabulary": self.vocabulary is not None,
            "vocabulary": list(self.vocabulary_),
            "labels": {str(topic): label for topic, label in self._labels.items()},
            "silhouettes": None
            if self.silhouettes_ is None
            else {str(number): value for number, value in self.silhouettes_.items()},
            "texts": self._texts,
        }

    @staticmethod
    def is_saved(path: str | Path) -> bool:
        """Whether a folder was written by `save`."""
        return (Path(path) / _SETTINGS_FILE).is_file()

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a folder that `save` has written.

        Raises:
            FileNotFoundError: There is no topic model at the path.
            ValueError: A file is damaged.
        """
        folder = Path(path)
        if not cls.is_saved(folder):
            raise FileNotFoundError(
                f"Expected the folder of a saved TopicModel. Received: {folder}, where there is no {_SETTINGS_FILE}."
            )
        description = json.loads((folder / _SETTINGS_FILE).read_text(encoding="utf-8"))
        if description.get("format") != _FORMAT:
            raise ValueError(
                f"{folder / _SETTINGS_FILE}: expected format {_FORMAT}. Received: {description.get('format')!r}."
            )
        parameters = description["parameters"]
        parameters["ngram_range"] = tuple(parameters["ngram_range"])
        vocabulary = tuple(description["vocabulary"])
        result = cls(vocabulary=vocabulary if description["fixed_vocabulary"] else None, **parameters)
        result.vocabulary_ = vocabulary
        result.model_, result.vectorizer_ = load_model(folder)
        result.silhouettes_ = None
        if description["silhouettes"] is not None:
            result.silhouettes_ = dict(description["silhouettes"])
        result._labels = {int(topic): label for topic, label in description["labels"].items()}
        result._texts = description["texts"]
        result._set_topics(read_topics(folder / _TOPICS_FILE))
        return result

    def export(self, path: str | Path) -> Path:
        """Writes a SavedModel that needs neither this package nor scikit-learn.

        Beside the endpoints of `tf_vmf.serving.export` it has `topics_text`: `texts` -> `proportions` (n, num_topics), `topic`,
        `label` and `tokens` (how many words of the text are known).

        Raises:
            FileExistsError: There is something at the path.
            ValueError: The model was fitted on counts.
        """
        from tf_vmf.topics.serving import export_topics

        check_is_fitted(self, "model_")
        if self.vectorizer_ is None:
            raise ValueError("Only a model that was fitted on texts can be exported. This one was fitted on counts.")
        return export_topics(self.model_, self.vectorizer_, self._topics, self.topic_labels(), path)

    # Conventions of scikit-learn.

    @property
    def _n_features_out(self) -> int:
        return self.num_topics_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags


def _by_size(mixture: TopicMixture, first: int) -> TopicMixture:
    """The components by falling weight, after the first ones, which keep their positions."""
    rest = first + np.argsort(-mixture.weights[first:], kind="stable")
    order = np.concatenate([np.arange(first), rest])
    return TopicMixture(mixture.weights[order], mixture.mean_directions[order], mixture.concentration)


def _check_integer(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"Argument `{name}`: expected an integer >= {least}. Received: {value!r}.")


def _checked_vocabulary(vocabulary: Sequence[str]) -> tuple[str, ...]:
    words = tuple(str(word) for word in vocabulary)
    if len(set(words)) < len(words):
        twice = next(word for word in words if words.count(word) > 1)
        raise ValueError(f"Argument `vocabulary`: expected distinct words. Received: {twice!r} twice.")
    return words


def _shortened(text: str) -> str:
    return text if len(text) <= _SNIPPET else text[:_SNIPPET].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"


def _plain(value: Any) -> Any:
    """What JSON can hold instead of a numpy number, a path or a collection."""
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, Sequence | set | frozenset | np.ndarray) else str(value)
