"""What users pass as documents: lists, arrays, columns and data frames of any library, made into texts or counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from tf_vmf._errors import ArgumentError, MissingPlaceError
from tf_vmf.data import BagOfWordsCorpus
from tf_vmf.data.counts import aligned_columns, names_of_columns, numbers_of_frame, without_mask
from tf_vmf.text import DocumentVectorization, Tokenizer
from tf_vmf.text.vocabulary import VocabularyChoice, checked_words, read_stop_words
from tf_vmf.topics.arguments import warn_of_impossible_words
from tf_vmf.topics.documents import CountedDocuments, checked_counts, choose_words, count_words, is_empty, is_texts

_SNIPPET = 300  # characters of a training text that are kept for display


class Training(NamedTuple):
    """The training documents of a topic model."""

    documents: CountedDocuments  # their words
    vocabulary: tuple[str, ...]  # the V words
    vectorizer: DocumentVectorization | None  # from texts to counts; None where counts were given
    texts: list[str] | None  # the beginnings of the texts; None of counts and of a stream
    names: np.ndarray | None  # the names of the columns of a data frame of counts, or None


def read_training(documents: Any, model: Any) -> Training:
    """Reads the documents to fit, by the parameters of a model; a TypeError where they are neither texts nor counts."""
    if isinstance(documents, BagOfWordsCorpus):
        return _training_of_corpus(documents, model)
    given = None if model.vocabulary is None else checked_words(model.vocabulary)
    names = None if given is None else names_of_columns(documents)
    plain = plain_documents(documents, given)
    texts_given = is_texts(plain)
    if is_empty(plain):
        raise ArgumentError("X", "documents", "none")
    if not texts_given:
        if given is None:
            raise ArgumentError(
                "vocabulary",
                "the words of the columns of counts; or texts, a list of strings or one column of a data frame as in frame['text']",
                f"{type(plain).__name__} and vocabulary=None",
            )
        return Training(checked_counts(plain, len(given)), given, None, None, names)
    tokenizer = tokenizer_of(model)
    if given is not None:
        choice = VocabularyChoice(len(given), words=given)
    else:
        choice = VocabularyChoice(
            model.vocabulary_size,
            min_df=model.min_df,
            max_df=model.max_df,
            stop_words=read_stop_words(model.stop_words, tokenizer),
            ngrams=tokenizer.ngram_range[1] > 1,
        )
    texts = plain if isinstance(plain, Iterator) else list(plain)
    vocabulary, counted = choose_words(texts, tokenizer, choice)
    if given is not None and model.ngram_range == (1, 1):
        warn_of_impossible_words(vocabulary, tokenizer)
    vectorizer = DocumentVectorization(vocabulary, tokenization=tokenizer.tokenization, ngram_range=model.ngram_range)
    kept = None if isinstance(texts, Iterator) else [shortened(text) for text in texts]
    return Training(counted, vocabulary, vectorizer, kept, None)


def _training_of_corpus(corpus: BagOfWordsCorpus, model: Any) -> Training:
    """The training documents of a corpus, which may lie in files, as those of a prepared one do."""
    for name in ("tokenization", "ngram_range"):
        if (own := getattr(corpus, name)) != getattr(model, name):
            raise ArgumentError(name, f"{own!r}, as of the corpus", repr(getattr(model, name)))
    if model.vocabulary is not None and tuple(model.vocabulary) != corpus.vocabulary:
        raise ArgumentError("vocabulary", "None, or the words of the corpus", f"{len(model.vocabulary)} words")
    texts = corpus.train.texts
    kept = None if texts is None else [shortened(text) for text in texts]
    return Training(CountedDocuments(corpus.train.counts), corpus.vocabulary, corpus.vectorizer(), kept, None)


def tokenizer_of(model: Any) -> Tokenizer:
    """The tokenizer that the parameters of a model name."""
    return Tokenizer.of(model.tokenization, model.ngram_range, model.tokenizer)


def check_number_of_documents(documents: CountedDocuments, num_topics: int | None) -> None:
    """Refuses fewer documents with a known word than topics, or than two."""
    fewest = max(2, num_topics or 2)
    if (known := int(documents.known.sum())) < fewest:
        raise ArgumentError(
            "X",
            f"at least {fewest} documents with a word of the vocabulary, one per topic and two in all",
            f"{known} of {len(documents)}",
            "Lower `num_topics` or `min_df`, or add documents.",
        )


def read_new(
    documents: Any, vocabulary: tuple[str, ...], vectorizer: DocumentVectorization | None, tokenizer: Tokenizer
) -> CountedDocuments:
    """Reads documents that a fitted model is asked about; a model that was fitted on counts takes no texts."""
    plain = plain_documents(documents, vocabulary)
    if is_texts(plain):
        if vectorizer is None:
            raise ArgumentError("X", "counts over `vocabulary_`, as this model was fitted on counts", "texts")
        return count_words(plain if isinstance(plain, Iterator) else list(plain), tokenizer, vocabulary)
    return checked_counts(np.zeros((0, len(vocabulary))) if is_empty(plain) else plain, len(vocabulary))


def plain_documents(documents: Any, vocabulary: Sequence[str] | None) -> Any:
    """Documents without what names their rows and columns: a list or an array of texts, or counts.

    Data frames hold counts: their columns are put into the order of the vocabulary; where there is none they stay. A TypeError for
    a mapping or a set, or a data frame of texts, which has to be one of its columns.
    """
    if isinstance(documents, Mapping | Set):
        remedy = "Pass list(texts.values())." if isinstance(documents, Mapping) else "Pass a list, which has an order."
        raise TypeError(f"Expected a list of texts, or counts. Received: {type(documents).__name__}. {remedy}")
    if hasattr(documents, "columns"):
        return _counts_of_frame(documents, vocabulary)
    if isinstance(documents, np.ndarray) and documents.ndim == 0:
        raise TypeError(f"Expected a list of texts, or counts. Received: an array of shape (), {documents!r:.60}.")
    return documents.to_pylist() if hasattr(documents, "to_pylist") else documents


def extended(texts: list[str] | None, documents: Any) -> list[str] | None:
    """The beginnings of training texts with those of further ones; None where the ones or the others are counts."""
    plain = plain_documents(documents, None)
    return None if texts is None or not is_texts(plain) else [*texts, *map(shortened, plain)]


def say(line: str, verbose: int) -> None:
    """Prints a line of the progress."""
    if verbose:
        print(line, flush=True)


def shortened(text: str) -> str:
    """The beginning of a text, for display."""
    return text if len(text) <= _SNIPPET else text[:_SNIPPET].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"


def _counts_of_frame(frame: Any, vocabulary: Sequence[str] | None) -> Any:
    names = list(getattr(frame, "column_names", frame.columns))
    numbers = numbers_of_frame(frame)
    if numbers.dtype == object:
        raise TypeError(
            "Expected texts, a list of strings or one column of a data frame as in frame['text'], or counts, numbers. "
            f"Received: a data frame with columns {names}."
        )
    if vocabulary is not None and names != list(range(len(vocabulary))):
        numbers = numbers_of_frame(aligned_columns(frame, vocabulary, "X"))
    return numbers


Encoder = Callable[[list[str]], Any]


def add_vectors(documents: CountedDocuments, X: Any, embeddings: Any, dim: int | None = None) -> CountedDocuments:
    """The documents with the unit vectors of `embeddings`, (n, e), of any e from 2 on or `dim`; or a function of X's texts."""
    if callable(embeddings):
        plain = plain_documents(X, None)
        if len(documents) and not is_texts(plain):
            raise ArgumentError("embeddings", "an array, as the documents are counts and no texts", "a function")
        embeddings = embeddings(list(plain)) if len(documents) else []
    return replace(documents, vectors=checked_vectors(embeddings, len(documents), dim))


def add_new_vectors(documents: CountedDocuments, X: Any, embeddings: Any, dim: int | None) -> CountedDocuments:
    """New documents with their vectors where the model was fitted with some, of dimension `dim`; else there must be none."""
    if dim is not None:
        return add_vectors(documents, X, embeddings, dim)
    if embeddings is not None:
        raise ArgumentError("embeddings", "None, as `fit` was given none", type(embeddings).__name__)
    return documents


def checked_vectors(embeddings: Any, size: int, dim: int | None = None) -> np.ndarray:
    """Vectors (n, e), e = `dim` or any from 2 on, scaled to length 1, float32: they are directions, of training vectors several.

    The error names the first rows that are not finite or zero.
    """
    if embeddings is None:
        remedy = "Pass them, or a function from texts to them: a saved model keeps no function."
        raise ArgumentError("embeddings", f"vectors of {dim} dimensions, as in `fit`", "None", remedy)
    expected = f"numbers of shape ({size}, {'e' if dim is None else dim}), a vector per document"
    if sparse.issparse(embeddings):
        raise ArgumentError("embeddings", expected, "a sparse matrix", "Pass embeddings.toarray().")
    try:
        given = np.asarray(without_mask(embeddings))
    except (TypeError, ValueError) as error:
        raise ArgumentError("embeddings", expected, f"{type(embeddings).__name__}: {error}") from None
    if not size and not given.size:
        return np.zeros((0, dim or 2), np.float32)
    if given.dtype.kind not in "fiu":
        raise ArgumentError("embeddings", expected, f"{type(embeddings).__name__} of type {given.dtype}")
    if given.ndim != 2 or len(given) != size:
        raise ArgumentError("embeddings", expected, f"shape {given.shape}")
    if given.shape[1] != dim and (dim is not None or given.shape[1] < 2):
        fits = f"vectors of {dim} dimensions, as in `fit`" if dim is not None else "vectors of 2 dimensions or more"
        raise ArgumentError("embeddings", fits, f"{given.shape[1]}")
    vectors = given.astype(np.float32 if given.dtype in (np.float16, np.float32) else np.float64)
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    _refuse_rows(~np.isfinite(largest[:, 0]), "finite numbers", "NaN or infinite ones")
    _refuse_rows(largest[:, 0] == 0, "vectors that are not zero", "zeros alone")
    directions = np.asarray(normalize(vectors / largest), np.float32)
    if dim is None and size > 1 and (directions == directions[0]).all():
        raise ArgumentError("embeddings", "vectors of several directions", "one direction in all rows")
    return directions


def read_embeddings(path: str | Path) -> np.ndarray:
    """The array of a file that `numpy.save` has written; its rows are read as they are needed."""
    if not Path(path).is_file():
        raise MissingPlaceError("a file of embeddings", Path(path), "where there is none")
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError) as error:
        remedy = "Write it with numpy.save(path, vectors)."
        raise ArgumentError("embeddings", "a file of numpy.save with numbers", f"{path}: {error}", remedy) from None


def _refuse_rows(wrong: np.ndarray, expected: str, received: str) -> None:
    if rows := np.flatnonzero(wrong).tolist():
        first = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
        some = f"row {first}" if len(rows) == 1 else f"{len(rows)} rows: {first}"
        raise ArgumentError("embeddings", expected, f"{received} in {some}")
