"""Sentences: token ids without padding, in memory or in files mapped into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.data import batches
from tf_vmf.data.arrays import BLOCK, blocks, content_fingerprint
from tf_vmf.data.batches import Examples, Gather, Plan, length_buckets, token_gatherer
from tf_vmf.data.counts import counts_of
from tf_vmf.data.documents import Documents
from tf_vmf.text.vocabulary import EOS_ID, PAD_ID, UNK_ID


@dataclass(frozen=True, eq=False)
class Sentences(Examples):
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
        ArgumentError: A sentence does not end in `EOS_ID` or holds padding; the columns have different lengths.
    """

    tokens: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray | None = None
    window: int = 100

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ArgumentError("window", "an integer >= 1", repr(self.window), owner="Sentences")
        tokens, offsets = self.tokens, self.offsets
        before, is_last = 0, False  # sentences that ended before a block; whether the last token ends one
        for block in blocks(len(tokens), BLOCK):
            part = tokens[block]
            if np.any(part <= PAD_ID):
                position = block.start + int(np.argmax(part <= PAD_ID))
                received = f"tokens[{position}] = {tokens[position]}"
                raise ArgumentError("tokens", f"ids above PAD_ID={PAD_ID}, no padding", received, owner="Sentences")
            ends = np.flatnonzero(part == EOS_ID) + (block.start + 1)
            after = before + len(ends)
            if not np.array_equal(ends, offsets[before + 1 : after + 1]):
                raise self._wrong_offsets()
            before, is_last = after, bool(part[-1] == EOS_ID)
        if not len(offsets) or offsets[0] != 0 or before != len(offsets) - 1 or (len(tokens) and not is_last):
            raise self._wrong_offsets()
        if self.labels is not None and len(self.labels) != len(self):
            raise ArgumentError("labels", f"one per sentence, {len(self)}", str(len(self.labels)), owner="Sentences")

    def _wrong_offsets(self) -> ArgumentError:
        return ArgumentError(
            "offsets",
            f"0 and the positions after the ends of sentences, which are EOS_ID={EOS_ID} and nothing else is",
            f"{len(self.tokens)} tokens and {len(self.offsets)} offsets",
            owner="Sentences",
        )

    @classmethod
    def from_lists(cls, sentences: Sequence[Sequence[int]], labels: Sequence[int] | None = None) -> Sentences:
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

    def take(self, rows: np.ndarray) -> Sentences:
        """The sentences at the positions `rows`, in that order."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        positions = np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, tokens=self.tokens[positions], offsets=offsets, labels=labels)

    def without_labels(self) -> Sentences:
        """The same sentences, batches without labels."""
        return replace(self, labels=None)

    def bags_of_words(self, vocabulary_size: int) -> Documents:
        """The sentences as bags of their tokens, `<eos>` included."""
        return Documents(counts_of(self.tokens, self.offsets, vocabulary_size), self.labels)

    def token_counts(self, vocabulary_size: int) -> np.ndarray:
        """Counts of each id, int64 (vocabulary_size,)."""
        counts = np.zeros(vocabulary_size, np.int64)
        for block in blocks(self.num_tokens, BLOCK):
            counts += np.bincount(self.tokens[block], minlength=vocabulary_size)
        return counts

    @cached_property
    def statistics(self) -> dict[str, Any]:
        """Sizes and a fingerprint of the content."""
        unknown = sum(int(np.count_nonzero(self.tokens[block] == UNK_ID)) for block in blocks(self.num_tokens, BLOCK))
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
        fits = self.num_tokens * 4 <= batches.LARGEST_RESIDENT_BYTES
        padded = (batches.padded_in_memory if fits else batches.padded_mapped)(self.tokens, self.offsets)
        return token_gatherer(padded, None if self.labels is None else tf.constant(self.labels, tf.int32))
