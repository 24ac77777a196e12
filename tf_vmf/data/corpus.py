"""Train, validation and test examples over one vocabulary."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Self, TypeVar

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.data.arrays import vocabulary_fingerprint
from tf_vmf.data.documents import Documents
from tf_vmf.data.sentences import Sentences
from tf_vmf.data.splits import SPLITS
from tf_vmf.text.vectorization import DocumentVectorization, SentenceVectorization, TextLayer
from tf_vmf.text.vocabulary import FIRST_WORD_ID, SPECIAL_TOKENS, to_text

E = TypeVar("E", Documents, Sentences)


@dataclass(frozen=True, eq=False)
class Corpus(ABC, Generic[E]):
    """Base of `BagOfWordsCorpus` and `SentenceCorpus`.

    Attributes:
        name: the corpus's name.
        vocabulary: the V words.
        train: examples to fit on.
        valid: examples for early stopping and selection; never drawn from the test examples.
        test: examples for the final evaluation.
        label_names: names of the labels, or () where examples have none.
        tokenization: how raw text became words, one of `tf_vmf.text.TOKENIZATIONS`; for corpora that come as counts, how to
            treat new text.
        ngram_range: the lengths of runs of words that count as a word.
        notes: where the corpus comes from and how it was prepared: names, numbers and strings that JSON can hold; those of single
            splits under the names of these.
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

    @property
    @abstractmethod
    def train_word_counts(self) -> np.ndarray:
        """Counts of each word in all training examples, int64 (V,)."""

    @abstractmethod
    def vectorizer(self) -> TextLayer:
        """The layer from raw strings to the input of a model over `vocabulary`, to be part of a saved model."""

    def with_train_sample(self, most: int, seed: int = 0) -> Self:
        """The same corpus with at most so many training examples, drawn at random: for what looks at each of them."""
        if len(self.train) <= most:
            return self
        rows = np.random.RandomState(seed).permutation(len(self.train))[:most]
        return replace(self, train=self.train.take(np.sort(rows)))

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
class BagOfWordsCorpus(Corpus[Documents]):
    """Train, validation and test documents over one vocabulary; see `Corpus` for the attributes.

    Column w of every count matrix counts `vocabulary[w]`: documents that know their words, as those of a data frame do, are put
    in that order. No document is empty, in any split.

    Raises:
        ArgumentError: A split counts another number of words than the vocabulary has, or other ones.
    """

    def __post_init__(self) -> None:
        for split in SPLITS:
            documents = getattr(self, split)
            width = documents.vocabulary_size
            if width != len(self.vocabulary):
                raise ArgumentError(
                    split,
                    f"counts of the {len(self.vocabulary)} words of `vocabulary`",
                    f"a count matrix {width} wide",
                    owner="BagOfWordsCorpus",
                )
            if documents.words not in (None, self.vocabulary):
                column = {word: number for number, word in enumerate(documents.words)}
                if missing := [word for word in self.vocabulary if word not in column]:
                    expected = "counts of the words of `vocabulary`"
                    raise ArgumentError(split, expected, f"no column {missing[0]!r}", owner="BagOfWordsCorpus")
                object.__setattr__(self, split, documents.with_columns([column[word] for word in self.vocabulary]))

    @property
    def train_word_counts(self) -> np.ndarray:
        """Counts of each word in all training documents, int64 (V,)."""
        return self.train.word_counts

    def vectorizer(self) -> DocumentVectorization:
        """The layer from raw strings to counts over `vocabulary`, to be part of a saved model."""
        return DocumentVectorization(self.vocabulary, tokenization=self.tokenization, ngram_range=self.ngram_range)


@dataclass(frozen=True, eq=False)
class SentenceCorpus(Corpus[Sentences]):
    """Train, validation and test sentences over one vocabulary; see `Corpus` for the attributes.

    The vocabulary is the string of every id: `"<pad>"`, `"<eos>"`, `"<unk>"`, then the words, most frequent first. A model's
    `vocabulary_size` is its length.

    Raises:
        ArgumentError: The vocabulary does not begin with the special tokens or lacks an id; only some splits have labels.
    """

    tokenization: str = "whitespace"

    def __post_init__(self) -> None:
        if self.vocabulary[:FIRST_WORD_ID] != SPECIAL_TOKENS:
            expected = f"words that begin with {', '.join(SPECIAL_TOKENS)}"
            raise ArgumentError("vocabulary", expected, f"{self.vocabulary[:FIRST_WORD_ID]}", owner="SentenceCorpus")
        for split in SPLITS:
            sentences = getattr(self, split)
            largest = int(sentences.tokens.max(initial=0))
            if largest >= len(self.vocabulary):
                expected = f"ids below the size of `vocabulary`, {len(self.vocabulary)}"
                raise ArgumentError(split, expected, f"id {largest}", owner="SentenceCorpus")
            if (sentences.labels is None) == bool(self.label_names):
                received = (
                    f"label_names={self.label_names}, {'no ' if sentences.labels is None else ''}labels in `{split}`"
                )
                expected = "labels where, and only where, there are `label_names`"
                raise ArgumentError(split, expected, received, owner="SentenceCorpus")

    @property
    def train_word_counts(self) -> np.ndarray:
        """Counts of each id in all training sentences, int64 (V,)."""
        return self.train.token_counts(len(self.vocabulary))

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
