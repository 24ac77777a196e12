"""Texts as numbers of words: one pass over them, before the vocabulary is known."""

import re
import warnings
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from scipy import sparse

from tf_vmf.data.texts import Text
from tf_vmf.text.tokenization import Tokenizer, split_sentences
from tf_vmf.text.tokens import EOS_ID, PAD_ID, SPECIAL_TOKENS

_CHUNK = 512  # texts tokenized at once: enough to hide the cost of a call
# Thai, Lao, Myanmar, Khmer, Japanese syllables and Chinese characters; Korean has spaces.
_NO_SPACES = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LETTER = re.compile(r"[^\W\d_]")
_SNIPPET = 240  # characters of a text that are kept for display


@dataclass(frozen=True, eq=False)
class NumberedTexts:
    """Documents or sentences, their words numbered in the order of appearance.

    Attributes:
        tokens: int32 numbers of words, laid end to end.
        offsets: int64 of shape (n + 1,): example i is `tokens[offsets[i]:offsets[i + 1]]`.
        text_of: of each example the position of its text among those that hold a word.
        truncated: whether each was longer.
        dropped: the number of texts without a word, which are left out.
        labels: strings, or None if some text has no label.
        snippets: the beginning of each document; None for sentences.
        titles: strings, or None if some text has no title.
    """

    tokens: np.ndarray
    offsets: np.ndarray
    text_of: np.ndarray
    truncated: np.ndarray
    dropped: int
    labels: np.ndarray | None
    snippets: np.ndarray | None
    titles: np.ndarray | None

    def __len__(self) -> int:
        return len(self.text_of)

    @property
    def num_texts(self) -> int:
        return int(self.text_of[-1]) + 1 if len(self.text_of) else 0

    def of_texts(self, texts: np.ndarray) -> "NumberedTexts":
        """The examples of the texts at some positions."""
        kept = np.isin(self.text_of, texts)
        lengths = np.diff(self.offsets)
        return replace(
            self,
            tokens=self.tokens[np.repeat(kept, lengths)],
            offsets=np.concatenate([[0], np.cumsum(lengths[kept])]),
            text_of=self.text_of[kept],
            truncated=self.truncated[kept],
            labels=None if self.labels is None else self.labels[kept],
            snippets=None if self.snippets is None else self.snippets[kept],
            titles=None if self.titles is None else self.titles[kept],
        )

    def counts(self, num_words: int) -> sparse.csr_matrix:
        """How often each word occurs in each example: int32 (n, num_words)."""
        ones = np.ones(len(self.tokens), np.int32)
        counts = sparse.csr_matrix((ones, self.tokens, self.offsets), (len(self), num_words), copy=True)
        counts.sum_duplicates()
        return counts


def tokenized(
    texts: Iterable[Text], tokenizer: Tokenizer, splitting: bool = False
) -> Iterator[tuple[int, Text, list[bytes]]]:
    """Yields (position of the text, the text, its words in UTF-8), for each sentence of a text with `splitting`."""
    pieces = (
        (index, text, piece)
        for index, text in enumerate(texts)
        for piece in (split_sentences(text.text) if splitting else (text.text,))
    )
    is_first = tokenizer.function is None
    while chunk := list(islice(pieces, _CHUNK)):
        if is_first:
            _warn_of_missing_spaces([piece for _, _, piece in chunk])
            is_first = False
        try:
            words_of = tokenizer([piece for _, _, piece in chunk])
        except UnicodeEncodeError:
            raise _surrogate_error(text for _, text, _ in chunk) from None
        for (index, text, _), words in zip(chunk, words_of, strict=True):
            yield index, text, words


def number_texts(
    texts: Iterable[Text],
    numbering: dict[bytes, int],
    tokenizer: Tokenizer,
    *,
    splitting: bool = False,
    max_length: int | None = None,
    sentences: bool = False,
) -> NumberedTexts:
    """Reads texts once, and extends `numbering` by the words that it lacks.

    Args:
        texts: the texts; those without a word are left out and counted.
        numbering: the number of every word known so far.
        tokenizer: from text to words.
        splitting: whether a text is split into sentences, each an example.
        max_length: tokens that a sentence may have, its `<eos>` included.
        sentences: whether examples end in `EOS_ID`.
    """
    tokens, offsets, text_of, truncated = array("i"), array("q", [0]), array("q"), bytearray()
    labels: list[str | None] = []
    titles: list[str | None] = []
    snippets: list[str] = []
    limit = None if max_length is None else max_length - 1  # one place is for <eos>
    with_words, last, index = -1, -1, -1
    for index, text, words in tokenized(texts, tokenizer, splitting):
        if not words:
            continue
        numbers = [numbering.setdefault(word, len(numbering)) for word in words]
        if sentences:
            check_tokens(numbers, text)
        with_words += index != last
        last = index
        tokens.extend(numbers[:limit])
        if sentences:
            tokens.append(EOS_ID)
        else:
            snippets.append(" ".join(text.text[: 2 * _SNIPPET].split())[:_SNIPPET])
        offsets.append(len(tokens))
        text_of.append(with_words)
        truncated.append(limit is not None and len(numbers) > limit)
        labels.append(text.label)
        titles.append(text.title)
    return NumberedTexts(
        tokens=np.array(tokens, dtype=np.int32),
        offsets=np.array(offsets, dtype=np.int64),
        text_of=np.array(text_of, dtype=np.int64),
        truncated=np.frombuffer(bytes(truncated), dtype=np.bool_),
        dropped=index - with_words,
        labels=_column(labels),
        snippets=None if sentences else np.array(snippets, dtype=object),
        titles=_column(titles),
    )


def check_tokens(numbers: list[int], text: Text) -> None:
    """Refuses `<pad>` and `<eos>` as words.

    Raises:
        ValueError: one of them is among the numbers.
    """
    if PAD_ID in numbers or EOS_ID in numbers:
        raise text.error(
            f"text without {SPECIAL_TOKENS[PAD_ID]} and {SPECIAL_TOKENS[EOS_ID]}, which are added where they belong",
            repr(text.text),
        )


def word_list(numbering: Mapping[bytes, int]) -> list[str]:
    """The words in the order of their numbers."""
    return [word.decode() for word in numbering]


def _warn_of_missing_spaces(texts: list[str]) -> None:
    """Warns where most letters are of a script that writes no spaces between words, and there are hardly any spaces."""
    sample = " ".join(texts)[:100_000]
    letters = len(_LETTER.findall(sample))
    if letters and len(_NO_SPACES.findall(sample)) > 0.5 * letters and len(sample.split()) < letters / 8:
        warnings.warn(
            "Most of the text is in a script that does not separate words by spaces, so that whole sentences are taken for words. "
            "Separate the words first, for instance with jieba, MeCab or PyThaiNLP, and read them with tokenization='whitespace'; "
            "or give a function as `tokenizer`.",
            stacklevel=2,
        )


def _column(values: list[str | None]) -> np.ndarray | None:
    return None if not values or None in values else np.array(values, dtype=object)


def _surrogate_error(texts: Iterable[Text]) -> ValueError:
    """Names the text that is no valid Unicode."""
    for text in texts:
        try:
            text.text.encode()
        except UnicodeEncodeError as error:
            half = ascii(error.object[error.start])
            return text.error("valid Unicode", f"half of a surrogate pair, {half}, at character {error.start}")
    raise AssertionError("every text is valid")
