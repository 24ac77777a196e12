"""Sentences in memory: token ids without padding."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import sparse

from tf_vmf.data.batches import ExamplesInMemory, Gather, Plan, length_buckets, token_gatherer
from tf_vmf.data.documents import Documents
from tf_vmf.data.fingerprints import content_fingerprint
from tf_vmf.text.tokens import EOS_ID, PAD_ID, UNK_ID


@dataclass(frozen=True, eq=False)
class Sentences(ExamplesInMemory):
    """The sentences of one split, laid end to end: 4 bytes per token.

    Batches are int32 ids (batch, length), every row ending in `EOS_ID` and then filled with `PAD_ID`; where the sentences have
    labels, a dict of these `"tokens"` and int32 `"labels"` (batch,). Training batches hold sentences of similar length.
    Evaluation batches go from short to long; to put results back in order:

    ```python
    sentences = tf_vmf.data.load_sentences(texts=["The cat sat.", "It slept."] * 50).train
    lengths = np.empty(len(sentences))
    batches = sentences.evaluation_batches(16)
    lengths[sentences.evaluation_order()] = np.concatenate([np.sum(batch > 0, axis=1) for batch in batches])
    ```

    Attributes:
        tokens: int32 ids of shape (num_tokens,); every sentence ends in `EOS_ID`, and none holds padding.
        offsets: int64 of shape (n + 1,): sentence i is `tokens[offsets[i]:offsets[i + 1]]`.
        labels: int32 of shape (n,), in a corpus positions in `Corpus.label_names`, or None.
        window: training batches that are sorted by length together. More of them leave less padding and make the sentences of a
            batch more alike.

    Raises:
        ValueError: a sentence does not end in `EOS_ID` or holds padding; the columns have different lengths.
    """

    tokens: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray | None = None
    window: int = 100

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ValueError(f"`window` must be positive. Received: window={self.window}.")
        ends = np.flatnonzero(self.tokens == EOS_ID) + 1
        if self.offsets[0] != 0 or not np.array_equal(ends, self.offsets[1:]) or ends.max(initial=0) < len(self.tokens):
            raise ValueError(
                f"Every sentence of `tokens` must end in EOS_ID={EOS_ID}, nothing else may be it, and `offsets` must "
                f"be 0 and the positions after those. Received: {len(self.tokens)} tokens, {len(ends)} of them EOS_ID, "
                f"and {len(self.offsets)} offsets."
            )
        if np.any(self.tokens <= PAD_ID):
            position = int(np.argmax(self.tokens <= PAD_ID))
            raise ValueError(
                f"`tokens` must hold ids above PAD_ID={PAD_ID}, no padding. Received: tokens[{position}]="
                f"{self.tokens[position]}."
            )
        if self.labels is not None and len(self.labels) != len(self):
            raise ValueError(f"`labels` must have one entry per sentence, {len(self)}. Received: {len(self.labels)}.")

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
        """Words and one `<eos>` per sentence."""
        return len(self.tokens)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each sentence, int64 of shape (n,), `<eos>` included."""
        return np.diff(self.offsets)

    def take(self, rows: np.ndarray) -> "Sentences":
        """The sentences at the positions `rows`, in that order."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        positions = np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, tokens=self.tokens[positions], offsets=offsets, labels=labels)

    def without_labels(self) -> "Sentences":
        """The same sentences, batches without labels."""
        return replace(self, labels=None)

    def bags_of_words(self, vocabulary_size: int) -> Documents:
        """The sentences as bags of their tokens, `<eos>` included."""
        ones = np.ones(len(self.tokens), np.int32)
        # A copy: merging repeated words works in position.
        counts = sparse.csr_matrix((ones, self.tokens, self.offsets), (len(self), vocabulary_size), copy=True)
        counts.sum_duplicates()
        return Documents(counts, self.labels)

    @property
    def statistics(self) -> dict[str, Any]:
        """Sizes and a fingerprint of the content."""
        unknown = int(np.count_nonzero(self.tokens == UNK_ID))
        return {
            "sentences": len(self),
            "tokens": self.num_tokens,
            "unk_share": round(unknown / max(1, self.num_tokens), 6),
            "longest": int(self.lengths.max(initial=0)),
            "sha256": content_fingerprint(self.tokens, self.labels),
        }

    def evaluation_order(self) -> np.ndarray:
        """The positions of the sentences in the order of `evaluation_batches`: by length, ties in order."""
        return np.argsort(self.lengths, kind="stable")

    def _plan(self, batch_size: int, seed: int) -> Plan:
        lengths = tf.constant(self.lengths)
        return lambda epoch: length_buckets(lengths, batch_size, self.window, seed, epoch)

    def _gather(self) -> Gather:
        ragged = tf.RaggedTensor.from_row_splits(
            tf.constant(self.tokens, tf.int32), tf.constant(self.offsets, tf.int64), validate=False
        )
        return token_gatherer(ragged, None if self.labels is None else tf.constant(self.labels, tf.int32))
