"""Train, validation and test examples over one vocabulary."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from tf_vmf.data.documents import Documents
from tf_vmf.data.fingerprints import vocabulary_fingerprint
from tf_vmf.data.records import DocumentRecords, SentenceRecords
from tf_vmf.data.sentences import Sentences
from tf_vmf.data.splits import SPLITS
from tf_vmf.text.tokens import FIRST_WORD_ID, SPECIAL_TOKENS, to_text
from tf_vmf.text.vectorization import DocumentVectorization, SentenceVectorization, TextLayer

E = TypeVar("E", Documents, Sentences)
R = TypeVar("R", DocumentRecords, SentenceRecords)


@dataclass(frozen=True, eq=False)
class Corpus(ABC, Generic[E, R]):
    """What `BagOfWordsCorpus` and `SentenceCorpus` share.

    Attributes:
        name: the corpus's name.
        vocabulary: the V words.
        train: examples to fit on; a sample of them where `train_records` is not None.
        valid: examples for early stopping and selection; never drawn from the test examples.
        test: examples for the final evaluation.
        label_names: names of the labels, or () where examples have none.
        tokenization: how raw text became words, one of `tf_vmf.text.TOKENIZATIONS`; for corpora that come as counts, how to
            treat new text.
        ngram_range: the lengths of runs of words that count as a word.
        notes: where the corpus comes from and how it was prepared: names, numbers and strings that JSON can hold; those of single
            splits under the names of these.
        train_records: the training examples, where they stay on disk.
    """

    name: str
    vocabulary: tuple[str, ...]
    train: E
    valid: E
    test: E
    label_names: tuple[str, ...] = ()
    tokenization: str = "words"
    ngram_range: tuple[int, int] = (1, 1)
    notes: dict[str, Any] = field(default_factory=dict)
    train_records: R | None = None

    @property
    @abstractmethod
    def train_word_counts(self) -> np.ndarray:
        """How often each word occurs in the training examples, all of them: int64 (V,)."""

    @abstractmethod
    def vectorizer(self) -> TextLayer:
        """The layer from raw strings to the input of a model over `vocabulary`, to be part of a saved model."""

    @property
    def train_examples(self) -> E | R:
        """All training examples, in memory or on disk."""
        return self.train if self.train_records is None else self.train_records

    @property
    def statistics(self) -> dict[str, Any]:
        """`notes` with the sizes of the splits and fingerprints of them and of the vocabulary, for the record of a run."""
        return {
            "corpus": self.name,
            "vocabulary_size": len(self.vocabulary),
            "vocabulary_sha256": vocabulary_fingerprint(self.vocabulary),
            "tokenization": self.tokenization,
            **self.notes,
            **{split: getattr(self, split).statistics | self.notes.get(split, {}) for split in SPLITS},
        }


@dataclass(frozen=True, eq=False)
class BagOfWordsCorpus(Corpus[Documents, DocumentRecords]):
    """Train, validation and test documents over one vocabulary; see `Corpus` for the attributes.

    Column w of every count matrix counts `vocabulary[w]`. No document is empty, in any split.

    Raises:
        ValueError: a split counts another number of words than the vocabulary has.
    """

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
        return self.train_examples.word_counts

    def vectorizer(self) -> DocumentVectorization:
        """The layer from raw strings to counts over `vocabulary`, to be part of a saved model."""
        return DocumentVectorization(self.vocabulary, tokenization=self.tokenization, ngram_range=self.ngram_range)


@dataclass(frozen=True, eq=False)
class SentenceCorpus(Corpus[Sentences, SentenceRecords]):
    """Train, validation and test sentences over one vocabulary; see `Corpus` for the attributes.

    The vocabulary is the string of every id: `"<pad>"`, `"<eos>"`, `"<unk>"`, then the words, most frequent first. A model's
    `vocabulary_size` is its length.

    Raises:
        ValueError: the vocabulary does not begin with the special tokens or lacks an id; only some splits have labels.
    """

    tokenization: str = "whitespace"

    def __post_init__(self) -> None:
        if self.vocabulary[:FIRST_WORD_ID] != SPECIAL_TOKENS:
            raise ValueError(
                f"`vocabulary` must begin with {', '.join(SPECIAL_TOKENS)}. Received: {self.vocabulary[:FIRST_WORD_ID]}."
            )
        for split in SPLITS:
            sentences = getattr(self, split)
            largest = int(sentences.tokens.max(initial=0))
            if largest >= len(self.vocabulary):
                raise ValueError(
                    f"`{split}` must hold ids below the size of `vocabulary`, {len(self.vocabulary)}. "
                    f"Received: id {largest}."
                )
            if (sentences.labels is None) == bool(self.label_names):
                raise ValueError(
                    f"`{split}` must have labels where, and only where, there are `label_names`. Received: "
                    f"label_names={self.label_names}, {'no ' if sentences.labels is None else ''}labels in `{split}`."
                )

    @property
    def train_word_counts(self) -> np.ndarray:
        """How often each id occurs in the training sentences, all of them: int64 (V,)."""
        if self.train_records is not None:
            return self.train_records.word_counts
        return np.bincount(self.train.tokens, minlength=len(self.vocabulary))

    @property
    def statistics(self) -> dict[str, Any]:
        """As of `Corpus`, with the names of the labels and what counts as a token."""
        labels = {"labels": list(self.label_names)} if self.label_names else {}
        return {**super().statistics, "tokens_counted": "words and one <eos> per sentence; <pad> nowhere", **labels}

    def to_text(self, ids: Any) -> str:
        """The words of one sentence of ids; see `tf_vmf.text.to_text`."""
        return to_text(ids, self.vocabulary)

    def vectorizer(self) -> SentenceVectorization:
        """The layer from raw sentences to padded ids over `vocabulary`, cut as those of the corpus; for a saved model."""
        return SentenceVectorization(
            self.vocabulary, tokenization=self.tokenization, max_length=self.notes.get("max_length")
        )
