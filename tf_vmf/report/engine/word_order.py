"""How sensitive codes are to the order of words (Xu and Durrett, 2018, section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.data.sentences import Sentences
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder
from tf_vmf.report.engine.encodings import encode_sentences
from tf_vmf.report.engine.standard_error import mean_and_standard_error
from tf_vmf.text.tokens import UNK_ID

# Folded into the seed with a sentence's number: its swaps, its replacement, and the choice of sentences share no draws.
_SWAPS, _REPLACEMENT, _CHOICE = 0, 1, 2


@dataclass(frozen=True, eq=False)
class WordOrder:
    """Cosines between the code of a sentence and those of changed copies: means over sentences, and their standard errors.

    Attributes:
        num_swaps: 0, 1, ..., n random swaps of adjacent words, shape (n + 1,).
        cosine: Mean cosine after so many swaps, shape (n + 1,); 1 without any.
        standard_error: shape (n + 1,).
        replaced: Mean cosine after one word was replaced by another; the order stays.
        replaced_standard_error: Its standard error.
        other: Mean cosine with another sentence: what nothing in common looks like.
        other_standard_error: Its standard error; nan for one sentence.
        num_sentences: Number of sentences averaged over.
        mean_words: Their mean number of words.
    """

    num_swaps: np.ndarray
    cosine: np.ndarray
    standard_error: np.ndarray
    replaced: float
    replaced_standard_error: float
    other: float
    other_standard_error: float
    num_sentences: int
    mean_words: float


def swap_adjacent(words: np.ndarray, num_swaps: int, seed: int | Sequence[int]) -> np.ndarray:
    """Copies of a sentence after 0, 1, ..., `num_swaps` swaps of two adjacent words, each at a random place.

    Places are drawn independently, so that a swap may undo the one before.

    Args:
        words: Ids of at least 2 words, shape (n,), no `<eos>` among them.
        num_swaps: Number of swaps of the last copy.
        seed: The places are a function of it alone.

    Returns:
        Ids of shape (num_swaps + 1, n); row s is row s - 1 after one more swap.
    """
    words = np.asarray(words)
    if words.ndim != 1 or len(words) < 2:
        raise ArgumentError(
            "words", "ids of at least 2 words, shape (n,)", f"shape {words.shape}", owner="swap_adjacent"
        )
    copies = np.tile(words, (num_swaps + 1, 1))
    for swap, place in enumerate(np.random.default_rng(seed).integers(len(words) - 1, size=num_swaps), start=1):
        copies[swap:, [place, place + 1]] = copies[swap:, [place + 1, place]]
    return copies


def replace_word(words: np.ndarray, candidates: np.ndarray, seed: int | Sequence[int]) -> np.ndarray:
    """A copy of a sentence with the word at a random place replaced by another one.

    Args:
        words: Ids of at least 1 word, shape (n,).
        candidates: Ids to draw from, with the frequencies they have there, shape (m,).
        seed: Place and word are a function of it alone.

    Raises:
        ValueError: There is no candidate other than the word to replace.
    """
    rng = np.random.default_rng(seed)
    copy = np.array(words)
    place = rng.integers(len(copy))
    others = candidates[candidates != copy[place]]
    if not len(others):
        raise ArgumentError("candidates", f"an id other than {copy[place]}", "none", owner="replace_word")
    copy[place] = others[rng.integers(len(others))]
    return copy


def word_order_sensitivity(
    model: VariationalAutoencoder,
    sentences: Sentences,
    *,
    max_swaps: int = 8,
    num_sentences: int = 200,
    min_words: int = 2,
    seed: int = 0,
    batch_size: int = 256,
) -> WordOrder:
    """Cosines between the codes of sentences and of copies with swapped or replaced words.

    Args:
        model: A model with a latent variable that reads token ids.
        sentences: Where sentences are drawn from, without replacement. Words of them, `<unk>` left out, replace words.
        max_swaps: Swaps of adjacent words, at most.
        num_sentences: Sentences to draw; all where there are fewer.
        min_words: Sentences with fewer words are left out; at least 2.
        seed: Sentences, swaps and replacements are a function of it.
        batch_size: Sentences encoded at once.

    Raises:
        ValueError: No sentence is long enough.
    """
    if min_words < 2 or max_swaps < 1:
        name, least, received = ("min_words", 2, min_words) if min_words < 2 else ("max_swaps", 1, max_swaps)
        raise ArgumentError(name, f"a number >= {least}", repr(received), owner="word_order_sensitivity")
    rows = np.flatnonzero(sentences.lengths > min_words)  # lengths count <eos>
    if not len(rows):
        raise ArgumentError("sentences", f"one of at least {min_words} words", "none", owner="word_order_sensitivity")
    rows = np.random.default_rng([seed, _CHOICE]).permutation(rows)[:num_sentences]
    candidates = sentences.tokens[sentences.tokens > UNK_ID]
    copies: list[np.ndarray] = []
    for row in rows:
        words = sentences[int(row)][:-1]
        copies += [*swap_adjacent(words, max_swaps, [seed, _SWAPS, int(row)])]
        copies.append(replace_word(words, candidates, [seed, _REPLACEMENT, int(row)]))
    labels = None if sentences.labels is None else np.repeat(sentences.labels[rows], max_swaps + 2)
    codes = encode_sentences(model, Sentences.from_lists(copies, labels), batch_size).codes  # type: ignore[arg-type]
    codes = codes / np.maximum(np.linalg.norm(codes, axis=-1, keepdims=True), 1e-12)
    codes = codes.reshape(len(rows), max_swaps + 2, -1)
    original = codes[:, 0]
    mean, error = mean_and_standard_error(np.einsum("nkd,nd->nk", codes, original))
    if len(rows) > 1:
        other, other_error = mean_and_standard_error(np.sum(original * np.roll(original, 1, axis=0), axis=-1))
    else:
        other, other_error = np.array(np.nan), np.array(np.nan)
    return WordOrder(
        num_swaps=np.arange(max_swaps + 1),
        cosine=mean[:-1],
        standard_error=error[:-1],
        replaced=float(mean[-1]),
        replaced_standard_error=float(error[-1]),
        other=float(other),
        other_standard_error=float(other_error),
        num_sentences=len(rows),
        mean_words=float(np.mean(sentences.lengths[rows] - 1)),
    )
