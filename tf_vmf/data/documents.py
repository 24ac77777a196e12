"""Corpora in memory: bag-of-words documents, and three splits of them over one vocabulary."""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from tf_vmf.data.document_vectorization import DocumentVectorization

if TYPE_CHECKING:
    from tf_vmf.data.records import Records

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class Documents:
    """The documents of one split as rows of a sparse count matrix.

    Attributes:
        counts: `scipy.sparse.csr_matrix` of shape (n, V), int32: how often each word occurs in each document.
        labels: array of shape (n,), in a corpus int64 positions in `BagOfWordsCorpus.label_names`, or None.
        texts: n strings, the beginning of each document for a reader's eye, or None where only counts are known.
        titles: n strings, or None.
    """

    counts: sparse.csr_matrix
    labels: np.ndarray | None = None
    texts: tuple[str, ...] | None = None
    titles: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("labels", "texts", "titles"):
            column = getattr(self, name)
            if column is not None and len(column) != len(self):
                raise ValueError(f"`{name}` must have one entry a document, {len(self)}. Received: {len(column)}.")

    def __len__(self) -> int:
        return int(self.counts.shape[0])

    @property
    def vocabulary_size(self) -> int:
        return int(self.counts.shape[1])

    @property
    def num_tokens(self) -> int:
        """The number of tokens that the counts hold; words outside the vocabulary are not among them."""
        return int(self.counts.sum(dtype=np.int64))

    @property
    def word_counts(self) -> np.ndarray:
        """How often each word occurs, int64 (V,)."""
        return np.asarray(self.counts.sum(axis=0, dtype=np.int64)).ravel()

    def take(self, rows: np.ndarray) -> "Documents":
        """The documents at the positions `rows`, in that order."""
        return Documents(
            counts=self.counts[rows],
            labels=None if self.labels is None else self.labels[rows],
            texts=None if self.texts is None else tuple(self.texts[row] for row in rows),
            titles=None if self.titles is None else tuple(self.titles[row] for row in rows),
        )

    def with_columns(self, columns: Sequence[int]) -> "Documents":
        """The documents over the words at the positions `columns`, in that order."""
        counts = self.counts[:, columns]
        counts.sort_indices()
        return replace(self, counts=counts)

    def without_empty(self) -> "Documents":
        """The documents that hold at least one word of the vocabulary, in order."""
        rows = np.flatnonzero(np.diff(self.counts.indptr))
        return self if len(rows) == len(self) else self.take(rows)


@dataclass(frozen=True, eq=False)
class BagOfWordsCorpus:
    """Train, validation and test documents over one vocabulary.

    Attributes:
        name: the corpus's name.
        vocabulary: the V words; column w of every count matrix counts `vocabulary[w]`.
        train: documents to fit on. No document is empty, in any split.
        valid: documents for early stopping and selection; never drawn from the test documents.
        test: documents for the final figures.
        label_names: names of the labels, or () where documents have none.
        tokenization: how raw text became words (a key of `tf_vmf.data.vocabulary.STANDARDIZERS`); for corpora that
            come as counts, how to treat new text.
        notes: where the corpus comes from and how it was prepared: names, numbers and strings that JSON can hold; figures of
            single splits under the names of these.
        train_records: the training documents, where they stay on disk and `train` is a sample of them.
    """

    name: str
    vocabulary: tuple[str, ...]
    train: Documents
    valid: Documents
    test: Documents
    label_names: tuple[str, ...] = ()
    tokenization: str = "words"
    notes: dict[str, Any] = field(default_factory=dict)
    train_records: "Records | None" = None

    def __post_init__(self) -> None:
        for split in SPLITS:
            width = getattr(self, split).vocabulary_size
            if width != len(self.vocabulary):
                raise ValueError(
                    f"`{split}` must count the {len(self.vocabulary)} words of `vocabulary`. "
                    f"Received a count matrix {width} wide."
                )

    @property
    def train_word_counts(self) -> np.ndarray:
        """How often each word occurs in the training documents, all of them: int64 (V,)."""
        return self.train.word_counts if self.train_records is None else self.train_records.word_counts

    def vectorizer(self) -> DocumentVectorization:
        """The layer from raw strings to counts over `vocabulary`, to be part of a saved model."""
        return DocumentVectorization(self.vocabulary, tokenization=self.tokenization)

    @property
    def statistics(self) -> dict[str, Any]:
        """`notes` with the sizes of the splits and fingerprints of them and of the vocabulary, for the record of a run."""
        sizes = {
            split: {
                "documents": len(documents),
                "tokens": documents.num_tokens,
                "sha256": content_fingerprint(
                    documents.counts.indptr, documents.counts.indices, documents.counts.data, documents.labels
                ),
                **self.notes.get(split, {}),
            }
            for split, documents in zip(SPLITS, (self.train, self.valid, self.test), strict=True)
        }
        for split, dropped in self.notes.get("empty_documents_dropped", {}).items():
            sizes[split]["empty_documents_dropped"] = dropped
        return {
            "corpus": self.name,
            "vocabulary_size": len(self.vocabulary),
            "vocabulary_sha256": fingerprint(self.vocabulary),
            **{key: value for key, value in self.notes.items() if key not in ("empty_documents_dropped", *SPLITS)},
            **sizes,
        }


def build_corpus(
    name: str,
    vocabulary: Sequence[str],
    splits: dict[str, Documents],
    *,
    label_names: Sequence[str] = (),
    tokenization: str = "words",
    notes: dict[str, Any],
) -> BagOfWordsCorpus:
    """Drops empty documents, counts them in the notes and refuses a split with nothing left."""
    kept = {split: splits[split].without_empty() for split in SPLITS}
    dropped = {split: len(splits[split]) - len(kept[split]) for split in SPLITS}
    for split, documents in kept.items():
        if not len(documents):
            raise ValueError(
                f"Corpus {name!r}: the {split} split must hold a document with a word of the vocabulary. Received "
                f"{len(splits[split])} documents, all empty. Give more text, or a larger vocabulary."
            )
    return BagOfWordsCorpus(
        name=name,
        vocabulary=tuple(vocabulary),
        label_names=tuple(label_names),
        tokenization=tokenization,
        notes={**notes, "empty_documents_dropped": dropped},
        train=kept["train"],
        valid=kept["valid"],
        test=kept["test"],
    )


def index_labels(splits: Sequence[Documents]) -> tuple[tuple[str, ...], list[Documents]]:
    """Replaces label values, numbers or strings, by their positions in the sorted list of all that occur.

    Returns:
        (the names of the labels, the documents with positions as labels); ((), the same documents) if some have none.
    """
    names, columns = label_positions([documents.labels for documents in splits])
    return names, [replace(documents, labels=column) for documents, column in zip(splits, columns, strict=True)]


def label_positions(
    columns: Sequence[np.ndarray | None],
) -> tuple[tuple[str, ...], list[np.ndarray] | list[None]]:
    """Label values, numbers or strings, as int64 positions in the sorted list of all that occur.

    Returns:
        (the names of the labels, the columns as positions); ((), a None for each column) if any is None.
    """
    values = [np.asarray(column) for column in columns if column is not None]
    if len(values) < len(columns):
        return (), [None] * len(columns)
    distinct = np.unique(np.concatenate(values))
    return tuple(str(value) for value in distinct), [
        np.searchsorted(distinct, column).astype(np.int64) for column in values
    ]


def fingerprint(vocabulary: Iterable[str]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the words, one a line, in order."""
    return hashlib.sha256("\n".join(vocabulary).encode()).hexdigest()[:16]


def content_fingerprint(*columns: np.ndarray | None) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of integer columns, whatever their width in memory."""
    digest = hashlib.sha256()
    for column in columns:
        digest.update(b"none" if column is None else np.asarray(column).astype("<i8").tobytes())
    return digest.hexdigest()[:16]


class CountsBuilder:
    """Grows a CSR matrix a row at a time: 8 bytes an entry while reading, no list of Python objects."""

    def __init__(self, vocabulary_size: int) -> None:
        self._vocabulary_size = vocabulary_size
        self._ids, self._counts, self._ends = array("i"), array("i"), array("q", [0])

    def append(self, ids: Iterable[int], counts: Iterable[int]) -> None:
        """Adds a document: distinct word ids in [0, V), and how often each occurs."""
        self._ids.extend(ids)
        self._counts.extend(counts)
        self._ends.append(len(self._ids))

    def build(self) -> sparse.csr_matrix:
        matrix = sparse.csr_matrix(
            (
                np.array(self._counts, dtype=np.int32),
                np.array(self._ids, dtype=np.int32),
                np.array(self._ends, dtype=np.int64),
            ),
            shape=(len(self._ends) - 1, self._vocabulary_size),
        )
        matrix.sort_indices()
        return matrix
