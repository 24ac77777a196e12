"""The pass over text: words become numbers, a vocabulary is chosen, and the numbers become those of the vocabulary.

The loaders, `prepare_documents`, `prepare_sentences` and `TopicModel` all read text here, in memory or onto memory maps.
"""

from __future__ import annotations

import re
import tempfile
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from tf_vmf._errors import ArgumentError
from tf_vmf.data.arrays import IN_MEMORY, Store, blocks
from tf_vmf.data.counts import ROWS, counts_of, csr
from tf_vmf.text.files import Text, as_texts
from tf_vmf.text.tokenization import Tokenizer, split_sentences
from tf_vmf.text.vocabulary import EOS_ID, PAD_ID, SPECIAL_TOKENS, VocabularyChoice

_CHUNK = 512  # texts tokenized at once: enough to hide the cost of a call
_MOST_WORDS = 5_000_000  # words known at once; beyond them those seen once are forgotten
# How the Unicode names of letters begin in scripts that Unicode breaks into lines by dictionaries, syllables or single letters
# (its line breaking classes SA, AK and ID), as they do without spaces between words. Korean has spaces.
_WITHOUT_SPACES = re.compile(
    "(AHOM|BALINESE|BOPOMOFO|CHAM|CJK|(HALFWIDTH )?KATAKANA|HENTAIGANA|HIRAGANA|JAVANESE|KHITAN|KHMER|LAO|MYANMAR|NEW TAI LUE|"
    "NUSHU|TAI|TANGUT|THAI|TIBETAN|YI) "
)
_SNIPPET = 240  # characters of a text that are kept for display


class Numbering:
    """Numbers of words, in the order of their appearance, after those of `first`, of which `num_special` cannot be chosen.

    Where it does not grow, other words have the number `unknown`, or are passed over if that is None. `size` is how many numbers
    were given, `forgotten` how many words were forgotten because they had been seen once among very many.
    """

    def __init__(
        self, first: Iterable[str] = (), *, grows: bool = True, unknown: int | None = None, num_special: int = 0
    ) -> None:
        self._number_of = {word.encode(): number for number, word in enumerate(first)}
        self.size = len(self._number_of)
        self._num_special = num_special
        self.grows, self.unknown = grows, unknown
        self.forgotten = 0
        self._most = _MOST_WORDS

    @property
    def is_full(self) -> bool:
        """True if so many words are known that rare ones have to be forgotten."""
        return self.grows and len(self._number_of) > self._most

    def numbers(self, words: Sequence[bytes]) -> list[int]:
        """The numbers of words in UTF-8."""
        number_of = self._number_of
        if self.grows:
            found = []
            for word in words:
                number = number_of.get(word)
                if number is None:
                    number = number_of[word] = self.size
                    self.size += 1
                found.append(number)
            return found
        if self.unknown is None:
            return [number_of[word] for word in words if word in number_of]
        return [number_of.get(word, self.unknown) for word in words]

    def forget_rare(self, tokens: np.ndarray) -> None:
        """Forgets the words that occur once in `tokens`: one of the few thousand most frequent loses nothing that matters."""
        counts = np.bincount(tokens, minlength=self.size)
        kept = {
            word: number for word, number in self._number_of.items() if number < self._num_special or counts[number] > 1
        }
        self.forgotten += len(self._number_of) - len(kept)
        self._number_of = kept
        self._most = max(_MOST_WORDS, len(kept) + _MOST_WORDS // 5)

    def choose(
        self, choice: VocabularyChoice, counts: np.ndarray, text_counts: np.ndarray | None, num_texts: int
    ) -> tuple[str, ...]:
        """The vocabulary, without the special words."""
        if choice.words is not None:
            return choice.words
        numbers = np.array([n for n in self._number_of.values() if n >= self._num_special], np.int64)
        words = [word.decode() for word, n in self._number_of.items() if n >= self._num_special]
        of_words = None if text_counts is None else text_counts[numbers]
        return tuple(words[row] for row in choice.choose(words, counts[numbers], of_words, num_texts))

    def new_ids(self, vocabulary: Sequence[str], unknown: int) -> np.ndarray:
        """The position in a vocabulary of every number, int32 (size,); `unknown` for words outside."""
        ids = np.full(self.size, unknown, np.int32)
        for position, word in enumerate(vocabulary):
            if (number := self._number_of.get(word.encode())) is not None:
                ids[number] = position
        return ids

    def closed(self) -> Numbering:
        """The same numbers, without new ones."""
        other = Numbering(grows=False, unknown=self.unknown)
        other._number_of, other.size = self._number_of, self.size
        return other


@dataclass(frozen=True, eq=False)
class NumberedTexts:
    """Documents or sentences, their words as numbers."""

    tokens: np.ndarray  # int32 numbers of words, laid end to end
    offsets: np.ndarray  # int64 of shape (n + 1,): example i is `tokens[offsets[i]:offsets[i + 1]]`
    text_of: np.ndarray  # of each example the position of its text among those that are kept
    truncated: np.ndarray  # whether each was longer, int8
    labels: np.ndarray  # positions in the names of labels, -1 for none, int32
    dropped: int  # the number of texts without a word, which are left out
    snippets: list[str] | None  # the beginning of each document; None where they are not kept
    titles: list[str] | None  # their titles; None where some have none or they are not kept

    def __len__(self) -> int:
        return len(self.text_of)

    @property
    def num_texts(self) -> int:
        return int(self.text_of[-1]) + 1 if len(self.text_of) else 0

    def examples_of(self, texts: np.ndarray) -> np.ndarray:
        """The positions of the examples of texts at the sorted positions `texts`."""
        kept = np.zeros(self.num_texts, bool)
        kept[texts] = True
        return np.flatnonzero(kept[self.text_of])

    def totals(self, rows: np.ndarray, size: int, *, per_text: bool) -> tuple[np.ndarray, np.ndarray | None]:
        """Counts of each of `size` numbers in the examples `rows`, and of the examples that hold it; None unless `per_text`."""
        counts = np.zeros(size, np.int64)
        text_counts = np.zeros(size, np.int64) if per_text else None
        for part in blocks(len(rows), ROWS):
            tokens, offsets = _taken(self.tokens, self.offsets, rows[part])
            counts += np.bincount(tokens, minlength=size)
            if text_counts is not None:
                text_counts += np.bincount(csr(tokens, offsets, size).indices, minlength=size)
        return counts, text_counts

    def renumbered(
        self, rows: np.ndarray, new_ids: np.ndarray, store: Store = IN_MEMORY, name: str | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Tokens and offsets of the examples `rows` under other numbers; words with a negative one are left out."""
        files = (None, None) if name is None else (f"{name}-tokens", f"{name}-offsets")
        tokens, offsets = store.column("int32", files[0]), store.column("int64", files[1])
        offsets.append(0)
        for part in blocks(len(rows), ROWS):
            old, old_offsets = _taken(self.tokens, self.offsets, rows[part])
            ids = new_ids[old]
            known = ids >= 0
            ends = np.concatenate([[0], np.cumsum(known)])[old_offsets[1:]]
            offsets.extend(len(tokens) + ends)
            tokens.extend(ids[known])
        return tokens.array(), offsets.array()


def tokenized(
    texts: Iterable[Text], tokenizer: Tokenizer, splitting: bool = False
) -> Iterator[tuple[int, Text, list[bytes]]]:
    """Yields (position of the text, the text, its words in UTF-8), for each sentence of a text with `splitting`."""
    pieces = (
        (index, text, piece)
        for index, text in enumerate(texts)
        for piece in (split_sentences(text.text) if splitting else (text.text,))
    )
    number, look_at = 0, 1 if tokenizer.function is None else 0
    while chunk := list(islice(pieces, _CHUNK)):
        number += 1
        if number == look_at:  # the first, second, fourth, .. chunk: a look at all would take as long as tokenizing
            look_at = 0 if _warn_of_missing_spaces([piece for _, _, piece in chunk]) else 2 * look_at
        try:
            words_of = tokenizer([piece for _, _, piece in chunk])
        except UnicodeEncodeError:
            for _, text, _ in chunk:
                text.check_unicode()
            raise ArgumentError(
                "tokenizer", "a function that gives valid Unicode", "half of a surrogate pair"
            ) from None
        for (index, text, _), words in zip(chunk, words_of, strict=True):
            yield index, text, words


def number_texts(
    texts: Iterable[Text],
    numbering: Numbering,
    tokenizer: Tokenizer,
    *,
    labels: dict[str, int] | None = None,
    splitting: bool = False,
    max_length: int | None = None,
    sentences: bool = False,
    keep_empty: bool = False,
    display: bool = False,
    store: Store = IN_MEMORY,
) -> NumberedTexts:
    """Reads texts once, and extends `numbering` by the words, and `labels` by the labels, that they lack.

    With `splitting` each sentence of a text is an example, of `max_length` tokens at most, `<eos>` included; with `sentences`
    examples end in `EOS_ID`. Texts without a word are left out and counted, unless `keep_empty`. `display` keeps beginnings and
    titles.
    """
    labels = {} if labels is None else labels
    tokens, offsets, text_of = store.column("int32"), store.column("int64"), store.column("int64")
    truncated, label_of = store.column("int8"), store.column("int32")
    offsets.append(0)
    titles: list[str | None] = []
    snippets: list[str] = []
    limit = None if max_length is None else max_length - 1  # one place is for <eos>
    kept, last, index = -1, -1, -1
    for index, text, words in tokenized(texts, tokenizer, splitting):
        if not words and not keep_empty:
            continue
        numbers = numbering.numbers(words)
        if sentences:
            _check_tokens(numbers, text)
        if display or (text.label is not None and text.label not in labels):
            text.check_unicode()
        kept += index != last
        last = index
        tokens.extend(numbers[:limit])
        if sentences:
            tokens.append(EOS_ID)
        if display:
            snippets.append(" ".join(text.text[: 2 * _SNIPPET].split())[:_SNIPPET])
            titles.append(text.title)
        offsets.append(len(tokens))
        text_of.append(kept)
        truncated.append(limit is not None and len(numbers) > limit)
        label_of.append(-1 if text.label is None else labels.setdefault(text.label, len(labels)))
        if numbering.is_full:
            numbering.forget_rare(tokens.array())
    return NumberedTexts(
        tokens=tokens.array(),
        offsets=offsets.array(),
        text_of=text_of.array(),
        truncated=truncated.array(),
        labels=label_of.array(),
        dropped=index - kept,
        snippets=snippets if display else None,
        titles=[title for title in titles if title is not None] if titles and None not in titles else None,
    )


@dataclass(frozen=True, eq=False)
class WordCounts:
    """Texts over a vocabulary of V words, those without a known word included."""

    counts: sparse.csr_matrix  # how often each word occurs in each text, float32 (n, V)
    words: np.ndarray  # the known words in reading order, laid end to end, int32
    offsets: np.ndarray  # int64 of shape (n + 1,): text i is `words[offsets[i]:offsets[i + 1]]`


def read_texts(
    texts: Any, tokenizer: Tokenizer, choice: VocabularyChoice, *, store: Store | None = None
) -> tuple[tuple[str, ...], WordCounts]:
    """Chooses a vocabulary from texts and counts it in them, in one pass over the texts.

    An iterator may give strings or lists of them, of which one is in memory at a time; its numbers lie in temporary files where no
    `store` is given.
    """
    store = store or (Store(Path(tempfile.gettempdir())) if isinstance(texts, Iterator) else IN_MEMORY)
    numbering = Numbering(choice.words or (), grows=choice.words is None)
    numbered = number_texts(as_texts(texts), numbering, tokenizer, keep_empty=True, store=store)
    rows = np.arange(len(numbered))
    totals = numbered.totals(rows, numbering.size, per_text=choice.needs_text_counts)
    vocabulary = numbering.choose(choice, *totals, len(numbered))
    if choice.words is None:
        words, offsets = numbered.renumbered(rows, numbering.new_ids(vocabulary, -1), store)
    else:
        words, offsets = numbered.tokens, numbered.offsets
    return vocabulary, WordCounts(counts_of(words, offsets, len(vocabulary), store, dtype="float32"), words, offsets)


def count_words(
    texts: Any, tokenizer: Tokenizer, vocabulary: Sequence[str], *, store: Store | None = None
) -> WordCounts:
    """Counts the words of a vocabulary in texts; see `read_texts`."""
    choice = VocabularyChoice(max(1, len(vocabulary)), words=tuple(vocabulary))
    return read_texts(texts, tokenizer, choice, store=store)[1]


def _taken(tokens: np.ndarray, offsets: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and offsets of some examples."""
    starts = offsets[rows]
    lengths = offsets[rows + 1] - starts
    ends = np.concatenate([[0], np.cumsum(lengths)])
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:  # neighbors: rows are sorted
        return tokens[starts[0] : starts[0] + ends[-1]], ends
    return tokens[np.repeat(starts - ends[:-1], lengths) + np.arange(ends[-1])], ends


def _check_tokens(numbers: list[int], text: Text) -> None:
    """Refuses `<pad>` and `<eos>` as words."""
    if PAD_ID in numbers or EOS_ID in numbers:
        raise text.error(
            f"text without {SPECIAL_TOKENS[PAD_ID]} and {SPECIAL_TOKENS[EOS_ID]}, which are added where they belong",
            repr(text.text),
        )


def _warn_of_missing_spaces(texts: list[str]) -> bool:
    """Warns where most letters are of a script that writes no spaces between words, and there are hardly any spaces."""
    sample = " ".join(texts)[:100_000]
    counts = {letter: count for letter, count in Counter(sample).items() if letter.isalpha()}
    letters = sum(counts.values())
    found = sum(count for letter, count in counts.items() if _WITHOUT_SPACES.match(unicodedata.name(letter, "")))
    without = letters and found > 0.5 * letters and len(sample.split()) < letters / 8
    if without:
        warnings.warn(
            "Most of the text is in a script that does not separate words by spaces, so that sentences, or syllables, are taken "
            "for words. Separate the words first, for instance with jieba, MeCab or PyThaiNLP, and read them with "
            "tokenization='whitespace'; or give a function as `tokenizer`.",
            stacklevel=2,
        )
    return bool(without)
