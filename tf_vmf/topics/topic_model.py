"""Topics of texts in three lines: a scikit-learn estimator over a vMF autoencoder of documents."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state

from tf_vmf.text import DocumentVectorization, Tokenizer
from tf_vmf.text.vocabulary import VocabularyChoice, read_stop_words
from tf_vmf.topics import codes as document_codes
from tf_vmf.topics.documents import CountedDocuments, checked_counts, choose_words, is_empty, is_texts
from tf_vmf.topics.file_methods import FileMethods
from tf_vmf.topics.fitted import find_words
from tf_vmf.topics.guidance import anchors, check_seed_words, seed_labels
from tf_vmf.topics.mixture import TopicMixture, fit_mixture
from tf_vmf.topics.selection import choose_num_topics
from tf_vmf.topics.table_methods import TableMethods

_SNIPPET = 300  # characters of a training text that are kept for display


class TopicModel(TableMethods, FileMethods):
    """Topics of documents: clusters of the codes of a vMF autoencoder, named by the words that it predicts there.

    A `BagOfWordsVAE` with a learned concentration maps each document to a direction on the sphere. Topics are the components of
    a mixture of von Mises-Fisher distributions with a shared concentration over these directions. A topic's words are decoded
    at the densest point of its documents and ranked by relevance with a penalty for words of other topics; of the `2n` most
    relevant the ten that occur together most in the training documents come first. Nothing needs labels or pretrained vectors.

    ```python
    model = tf_vmf.TopicModel(num_topics=20, random_state=0)
    model.fit(texts)
    for words in model.topics(10):
        print(", ".join(words))
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

    def fit(self, X: Any, y: Any = None) -> Self:
        """Trains the document model and finds the topics.

        Args:
            X: n texts in a list, an array or a column of a data frame; or counts (n, V), dense or scipy sparse, with `vocabulary`.
            y: Ignored; for pipelines.

        Raises:
            ValueError: An argument is out of range, no word is left, a seed word is unknown, or there are fewer documents with a
                known word than topics.
            TypeError: X is one string or an iterator, or mixes strings with something else.
            ModuleNotFoundError: stop_words="english" without gensim.
        """
        del y
        self._check_arguments()
        documents = self._read_training(X)
        known = np.flatnonzero(documents.known)
        fewest = max(2, self.num_topics or 2)
        if len(known) < fewest:
            raise ValueError(
                f"Expected at least {fewest} documents with a word of the vocabulary, one per topic and two in all. "
                f"Received: {len(known)} of {len(documents)}. Lower `num_topics` or `min_df`, or add documents."
            )
        check_seed_words(self.seed_words, self.vocabulary_, documents.counts)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.model_ = document_codes.train(documents.counts[known], self._code_settings(), seed, self.verbose)
        codes = np.zeros((len(documents), self.latent_dim), np.float32)
        codes[known] = document_codes.encode(self.model_, documents.counts[known])
        guides = anchors(self.seed_words, self.vocabulary_, documents.counts[known], codes[known])
        num_topics = self.num_topics
        self.silhouettes_ = None
        if num_topics is None:
            num_topics, self.silhouettes_ = choose_num_topics(codes[known], seed)
            num_topics = max(num_topics, len(guides))
        _warn_of_equal_codes(codes[known], num_topics)
        weight = len(known) / (2 * num_topics)
        mixture = fit_mixture(codes[known], num_topics, seed, anchors=guides, anchor_weight=weight)
        mixture = _by_size(mixture, len(guides))
        self._labels = dict(enumerate(seed_labels(self.seed_words)))
        self._labels = {topic: label for topic, label in self._labels.items() if label}
        self._set_topics(
            find_words(self.model_, mixture, np.arange(num_topics), documents, codes, self._word_settings())
        )
        return self

    def _read_training(self, X: Any) -> CountedDocuments:
        """The training documents; sets the vocabulary, the vectorizer and what is kept of the texts."""
        texts_given = is_texts(X)
        if is_empty(X):
            raise ValueError("Expected documents. Received none.")
        if texts_given:
            texts = list(X)
            tokenizer = Tokenizer(self.tokenization, self.ngram_range)
            self.vocabulary_, documents = choose_words(texts, tokenizer, self._vocabulary_choice(tokenizer))
            self.vectorizer_ = DocumentVectorization(
                self.vocabulary_, tokenization=self.tokenization, ngram_range=self.ngram_range
            )
            self._texts = [_shortened(text) for text in texts]
            if self.vocabulary is not None and self.ngram_range == (1, 1):
                _warn_of_impossible_words(self.vocabulary_, tokenizer)
        else:
            if self.vocabulary is None:
                raise ValueError(
                    "Expected texts, a list of strings or one column of a data frame as in frame['text'], or counts with the "
                    f"argument `vocabulary`, which names their columns. Received: {type(X).__name__} and vocabulary=None."
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

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> np.ndarray:
        """Fits, and returns the proportions of the training documents."""
        self.fit(X, y, **fit_params)
        return self._topics.training_proportions()


def _by_size(mixture: TopicMixture, first: int) -> TopicMixture:
    """The components by falling weight, after the first ones, which keep their positions."""
    rest = first + np.argsort(-mixture.weights[first:], kind="stable")
    order = np.concatenate([np.arange(first), rest])
    return TopicMixture(mixture.weights[order], mixture.mean_directions[order], mixture.concentration)


def _warn_of_equal_codes(codes: np.ndarray, num_topics: int) -> None:
    distinct = len(np.unique(np.round(codes, 4), axis=0))
    if distinct < num_topics:
        warnings.warn(
            f"The documents have {distinct} distinct codes, fewer than the {num_topics} topics: some topics are the same. Lower "
            "`num_topics`, or remove repeated documents.",
            stacklevel=3,
        )


def _warn_of_impossible_words(vocabulary: tuple[str, ...], tokenizer: Tokenizer) -> None:
    """Warns of words that the tokenizer writes in another way, such as capitals: they are in no text."""
    tokens = tokenizer(vocabulary)
    never = [word for word, own in zip(vocabulary, tokens, strict=True) if own != [word.encode()]]
    if never:
        warnings.warn(
            f"{len(never)} of {len(vocabulary)} words of `vocabulary` cannot occur, as tokenization={tokenizer.tokenization!r} "
            f"writes texts in another way: {', '.join(map(repr, never[:5]))}.",
            stacklevel=4,
        )


def _checked_vocabulary(vocabulary: Sequence[str]) -> tuple[str, ...]:
    if isinstance(vocabulary, str) or not len(vocabulary):
        raise ValueError(f"Argument `vocabulary`: expected a list of words. Received: {vocabulary!r}.")
    words = tuple(str(word) for word in vocabulary)
    if len(set(words)) < len(words):
        twice = next(word for word in words if words.count(word) > 1)
        raise ValueError(f"Argument `vocabulary`: expected distinct words. Received: {twice!r} twice.")
    return words


def _shortened(text: str) -> str:
    return text if len(text) <= _SNIPPET else text[:_SNIPPET].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
