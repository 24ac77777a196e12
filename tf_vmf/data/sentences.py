"""Sentence corpora in memory: token ids without padding, and three splits of them over one vocabulary."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from tf_vmf.data.documents import SPLITS, Documents, content_fingerprint, fingerprint
from tf_vmf.data.sentence_vectorization import SentenceVectorization
from tf_vmf.data.special_tokens import EOS_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID

if TYPE_CHECKING:
    from tf_vmf.data.records import Records


@dataclass(frozen=True, eq=False)
class Sentences:
    """The sentences of one split, laid end to end: 4 bytes a token.

    Attributes:
        tokens: int32 ids of shape (num_tokens,); every sentence ends in `EOS_ID`, and none holds padding.
        offsets: int64 of shape (n + 1,): sentence i is `tokens[offsets[i]:offsets[i + 1]]`.
        labels: int32 of shape (n,), in a corpus positions in `SentenceCorpus.label_names`, or None.
    """

    tokens: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray | None = None

    def __post_init__(self) -> None:
        ends = np.flatnonzero(self.tokens == EOS_ID) + 1
        if self.offsets[0] != 0 or not np.array_equal(ends, self.offsets[1:]) or ends.max(initial=0) < len(self.tokens):
            raise ValueError(
                f"Every sentence of `tokens` must end in EOS_ID={EOS_ID}, nothing else may be it, and `offsets` must "
                f"be 0 and the places after those. Received: {len(self.tokens)} tokens, {len(ends)} of them EOS_ID, "
                f"and {len(self.offsets)} offsets."
            )
        if np.any(self.tokens <= PAD_ID):
            place = int(np.argmax(self.tokens <= PAD_ID))
            raise ValueError(
                f"`tokens` must hold ids above PAD_ID={PAD_ID}, no padding. Received: tokens[{place}]="
                f"{self.tokens[place]}."
            )
        if self.labels is not None and len(self.labels) != len(self):
            raise ValueError(f"`labels` must have one entry a sentence, {len(self)}. Received: {len(self.labels)}.")

    @classmethod
    def from_lists(cls, sentences: Sequence[Sequence[int]], labels: Sequence[int] | None = None) -> "Sentences":
        """Makes sentences of ids without their `<eos>`, which is added."""
        return cls(
            tokens=np.array([token for sentence in sentences for token in (*sentence, EOS_ID)], dtype=np.int32),
            offsets=np.cumsum([0, *(len(sentence) + 1 for sentence in sentences)], dtype=np.int64),
            labels=None if labels is None else np.array(labels, dtype=np.int32),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        """The ids of one sentence, its `<eos>` included: a view."""
        row = range(len(self))[row]
        return self.tokens[self.offsets[row] : self.offsets[row + 1]]

    @property
    def num_tokens(self) -> int:
        """Words and one `<eos>` a sentence."""
        return len(self.tokens)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each sentence, int64 of shape (n,), `<eos>` included."""
        return np.diff(self.offsets)

    def take(self, rows: np.ndarray) -> "Sentences":
        """The sentences at the positions `rows`, in that order."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Sentences(self.tokens[places], offsets, None if self.labels is None else self.labels[rows])

    def without_labels(self) -> "Sentences":
        return replace(self, labels=None)

    def bags_of_words(self, vocabulary_size: int) -> Documents:
        """The sentences as bags of their tokens, `<eos>` included."""
        ones = np.ones(len(self.tokens), np.int32)
        # A copy: merging repeated words works in place.
        counts = sparse.csr_matrix((ones, self.tokens, self.offsets), (len(self), vocabulary_size), copy=True)
        counts.sum_duplicates()
        return Documents(counts, self.labels)


@dataclass(frozen=True, eq=False)
class SentenceCorpus:
    """Train, validation and test sentences over one vocabulary.

    Attributes:
        name: the corpus's name.
        vocabulary: the string of every id: `"<pad>"`, `"<eos>"`, `"<unk>"`, then the words, most frequent first. A
            model's `vocabulary_size` is its length.
        train: sentences to fit on.
        valid: sentences for early stopping and selection; never drawn from the test sentences.
        test: sentences for the final figures.
        label_names: names of the labels, or () where sentences have none.
        tokenization: how raw text became tokens (a key of `tf_vmf.data.vocabulary.STANDARDIZERS`).
        notes: where the corpus comes from and how it was prepared: names, numbers and strings that JSON can hold;
            figures of single splits under the names of these.
        train_records: the training sentences, where they stay on disk and `train` is a sample of them.
    """

    name: str
    vocabulary: tuple[str, ...]
    train: Sentences
    valid: Sentences
    test: Sentences
    label_names: tuple[str, ...] = ()
    tokenization: str = "whitespace"
    notes: dict[str, Any] = field(default_factory=dict)
    train_records: "Records | None" = None

    def __post_init__(self) -> None:
        if self.vocabulary[: len(SPECIAL_TOKENS)] != SPECIAL_TOKENS:
            raise ValueError(
                f"`vocabulary` must begin with {', '.join(SPECIAL_TOKENS)}. Received: {self.vocabulary[:3]}."
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
        return (
            np.bincount(self.train.tokens, minlength=len(self.vocabulary))
            if self.train_records is None
            else self.train_records.word_counts
        )

    def to_text(self, ids: Sequence[int] | np.ndarray) -> str:
        """The words of one sentence of ids; see the function `to_text`."""
        return to_text(ids, self.vocabulary)

    def vectorizer(self, max_length: int | None = None) -> SentenceVectorization:
        """The layer from raw sentences to padded ids over `vocabulary`, to be part of a saved model."""
        return SentenceVectorization(self.vocabulary, tokenization=self.tokenization, max_length=max_length)

    @property
    def statistics(self) -> dict[str, Any]:
        """`notes` with the figures of the splits and fingerprints of them and of the vocabulary, for the record of a run."""
        figures = {split: _figures(getattr(self, split)) | self.notes.get(split, {}) for split in SPLITS}
        return {
            "corpus": self.name,
            "vocabulary_size": len(self.vocabulary),
            "vocabulary_sha256": fingerprint(self.vocabulary),
            "tokenization": self.tokenization,
            "tokens_counted": "words and one <eos> a sentence; <pad> nowhere",
            **({"labels": list(self.label_names)} if self.label_names else {}),
            **self.notes,
            **figures,
        }


def to_text(ids: Sequence[int] | np.ndarray, vocabulary: Sequence[str]) -> str:
    """The words of one sentence of ids, separated by spaces: up to its first `<eos>`, without padding."""
    words = []
    for token in np.asarray(ids).tolist():
        if token == EOS_ID:
            break
        if token != PAD_ID:
            words.append(vocabulary[token])
    return " ".join(words)


def _figures(sentences: Sentences) -> dict[str, Any]:
    unknown = int(np.count_nonzero(sentences.tokens == UNK_ID))
    return {
        "sentences": len(sentences),
        "tokens": sentences.num_tokens,
        "unk_share": round(unknown / max(1, sentences.num_tokens), 6),
        "longest": int(sentences.lengths.max(initial=0)),
        "sha256": content_fingerprint(sentences.tokens, sentences.labels),
    }
