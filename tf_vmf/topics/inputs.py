"""What users pass as documents: lists, arrays, columns and data frames of any library, made into texts or counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.data import BagOfWordsCorpus
from tf_vmf.data.counts import aligned_columns, names_of_columns, numbers_of_frame
from tf_vmf.text import DocumentVectorization, Tokenizer
from tf_vmf.text.vocabulary import VocabularyChoice, checked_words, read_stop_words
from tf_vmf.topics.arguments import warn_of_impossible_words
from tf_vmf.topics.documents import CountedDocuments, checked_counts, choose_words, count_words, is_empty, is_texts

_SNIPPET = 300  # characters of a training text that are kept for display


class Training(NamedTuple):
    """The training documents of a topic model.

    Attributes:
        documents: Their words.
        vocabulary: The V words.
        vectorizer: From texts to counts; None where counts were given.
        texts: The beginnings of the texts; None of counts and of a stream.
        names: The names of the columns of a data frame of counts, or None.
    """

    documents: CountedDocuments
    vocabulary: tuple[str, ...]
    vectorizer: DocumentVectorization | None
    texts: list[str] | None
    names: np.ndarray | None


def read_training(documents: Any, model: Any) -> Training:
    """Reads the documents to fit, by the parameters of a model.

    Raises:
        TypeError: They are neither texts nor counts.
        ArgumentError: There is none, no word is left, or counts do not fit the vocabulary.
    """
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
    """Refuses too few documents to train on.

    Raises:
        ArgumentError: There are fewer documents with a word of the vocabulary than topics, or than two.
    """
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
    """Reads documents that a fitted model is asked about.

    Raises:
        TypeError: They are neither texts nor counts.
        ArgumentError: They are texts, but the model was fitted on counts; or counts do not fit the vocabulary.
    """
    plain = plain_documents(documents, vocabulary)
    if is_texts(plain):
        if vectorizer is None:
            raise ArgumentError("X", "counts over `vocabulary_`, as this model was fitted on counts", "texts")
        return count_words(plain if isinstance(plain, Iterator) else list(plain), tokenizer, vocabulary)
    return checked_counts(np.zeros((0, len(vocabulary))) if is_empty(plain) else plain, len(vocabulary))


def plain_documents(documents: Any, vocabulary: Sequence[str] | None) -> Any:
    """Documents without what names their rows and columns: a list or an array of texts, or counts.

    Data frames hold counts: their columns are put into the order of the vocabulary.

    Args:
        documents: What the user has passed.
        vocabulary: The words that the columns of a data frame must name; None where none were given.

    Raises:
        TypeError: A mapping or a set, or a data frame of texts, which has to be one of its columns.
        ArgumentError: The columns of a data frame of counts are not the words of the vocabulary.
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
