"""From text to words: one tokenizer for documents and sentences, in Python and inside a TensorFlow graph."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tf_vmf._errors import ArgumentError

if TYPE_CHECKING:  # its import takes seconds, in which a wrong file or option could long be named
    import tensorflow as tf


def _replaced(texts: tf.Tensor, pattern: str, by: str) -> tf.Tensor:
    from tensorflow import strings

    return strings.regex_replace(texts, pattern, by)


def _lower(texts: tf.Tensor) -> tf.Tensor:
    from tensorflow import strings

    return strings.lower(texts, encoding="utf-8")


def separate_whitespace(texts: tf.Tensor) -> tf.Tensor:
    """Text whose words are separated by whitespace already: as it is, but for NUL characters, which separate words too.

    `tf.strings.lower` drops what follows a NUL, and a vocabulary file cannot hold one.
    """
    return _replaced(texts, r"\x00", " ")


def without_hidden(texts: tf.Tensor) -> tf.Tensor:
    """Text without what shows no letter of its own: format characters, variation selectors, and marks that follow no letter.

    Soft hyphens, joiners, direction and byte order marks lie within words and are no part of them (NFKC_Casefold of Unicode drops
    them, too); a zero-width space separates words. A mark without a letter, such as those of emoji, would make another word of the
    one that follows it.
    """
    texts = _replaced(texts, r"\x{200B}", " ")
    texts = _replaced(texts, r"[\p{Cf}\x{034F}\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}\x{180B}-\x{180D}]", "")
    return _replaced(texts, r"(^|[^\pL\pM])\pM+", r"\1")


def separate_words(texts: tf.Tensor) -> tf.Tensor:
    """Lower-case words of two letters or more, separated by spaces; all that is not a letter separates words.

    Letters are those of Unicode, with their combining marks. "Don't fly in the 20th century!" becomes
    "don fly in the century": numbers with what is glued to them, punctuation and what an apostrophe cuts off ("t", "s")
    carry no topic. Unicode is not normalized, but for `without_hidden`; accents of their own make no second letter.
    """
    texts = _lower(without_hidden(separate_whitespace(texts)))
    # Two spaces between words: the next pattern consumes the space on either side of a single letter.
    texts = _replaced(texts, r"(?:\pN[\pL\pM\pN]*|[^\pL\pM])+", "  ")
    return _replaced(texts, r"(?:^| )\pL[\x{0300}-\x{036F}\x{20D0}-\x{20FF}]*(?: |$)", " ")


def separate_punctuation(texts: tf.Tensor) -> tf.Tensor:
    r"""Lower-case words and punctuation marks, separated by spaces, with numbers as `N`: text that reads as text.

    "Don't pay $1,500 in the U.S., Anne's well-known 'café' said." becomes
    "don't pay $ N in the u.s. , anne 's well-known ' café ' said .". In detail:

    - a word is a run of letters, marks and digits, with hyphens and apostrophes inside ("don't", "20th-century");
      single letters with full stops are one word ("u.s."), and `<unk>` stays what it is;
    - 's, 're, 've, 'll, 'd and 'm are words of their own, as in the Penn Treebank;
    - a word of digits, with points and commas inside, is `N`, as in the Penn Treebank's text for language models; capital,
      and so unlike every other word;
    - every other visible character is a token, without the marks on it; curly quotes and accents that stand for them are
      straight ones.
    """
    texts = without_hidden(texts)
    texts = _replaced(texts, r"[\pZ\pC]+", " ")  # before tf.strings.lower, which drops what follows a NUL
    texts = _replaced(texts, r"[\x{2010}\x{2011}]", "-")
    texts = _lower(texts)
    texts = _replaced(texts, r"[\x{2018}\x{2019}\x{02BC}\x{00B4}`]", "'")
    texts = _replaced(texts, r"[\x{201C}\x{201D}]", '"')
    texts = _replaced(texts, r"([\pL\pM\pN])('(?:s|re|ve|ll|d|m))(?:([^\pL\pM\pN'-])|$)", r"\1 \2 \3")
    # The first alternative that fits is taken, so that this is a list of tokens, each put between spaces.
    token = (
        r"<unk>|(?:\pL\.){2,}|'(?:s|re|ve|ll|d|m)\b|"
        r"[\pL\pM\pN]+(?:[.,]\pN+)*(?:['-][\pL\pM\pN]+)*|[^ ]"
    )
    texts = _replaced(texts, f"({token})", r" \1 ")
    return _replaced(texts, r"(^| )\pN+(?:[.,]\pN+)*( |$)", r"\1N\2")


def separate_as_scikit_learn(texts: tf.Tensor) -> tf.Tensor:
    r"""Lower-case words of two characters or more, separated by spaces, as `CountVectorizer` of scikit-learn finds them.

    A word is a run of letters, digits and underscores: scikit-learn's pattern `\b\w\w+\b`.
    """
    texts = _lower(separate_whitespace(texts))
    texts = _replaced(texts, r"[^\pL\pN_]+", "  ")
    return _replaced(texts, r"(?:^| )[\pL\pN_](?: |$)", " ")


# How raw text becomes words separated by ASCII whitespace.
_STANDARDIZERS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "words": separate_words,
    "whitespace": separate_whitespace,
    "punctuation": separate_punctuation,
    "scikit-learn": separate_as_scikit_learn,
}
TOKENIZATIONS = tuple(_STANDARDIZERS)

# What to say of texts without a word.
NO_WORDS = (
    "Numbers and single letters are no words with tokenization='words'; 'punctuation' and 'whitespace' keep them."
)


@dataclass(frozen=True)
class Tokenizer:
    """From strings to words.

    ```python
    tf_vmf.text.Tokenizer("punctuation")(["It's 5 o'clock."])  # [[b"it", b"'s", b"N", b"o'clock", b"."]]
    ```

    Args:
        tokenization: `"words"` (lower-case words of two letters or more, see `separate_words`), `"punctuation"` (lower-case
            words and punctuation marks, numbers as `N`, see `separate_punctuation`), `"whitespace"` (text that is tokenized
            already) or `"scikit-learn"` (as its `CountVectorizer`, see `separate_as_scikit_learn`).
        ngram_range: the lengths (shortest, longest) of the runs of words that count as a word.
        function: from a text to its words, used in Python in place of `tokenization`, as `jieba.lcut`. Inside a graph it cannot
            run: there `tokenization` must be `"whitespace"`, and texts come with their words separated by spaces.
        separator: what joins the words of a run.

    Raises:
        ValueError: no such tokenization, or no such range.
    """

    tokenization: str = "words"
    ngram_range: tuple[int, int] = (1, 1)
    function: Callable[[str], Iterable[str]] | None = None
    separator: str = "_"

    @classmethod
    def of(
        cls,
        tokenization: str,
        ngram_range: tuple[int, int] = (1, 1),
        function: Callable[[str], Iterable[str]] | None = None,
    ) -> Tokenizer:
        """A tokenizer by name, or one that calls a function."""
        if function is not None and not callable(function):
            raise ArgumentError("tokenizer", "a function from a text to its words", repr(function))
        return cls(tokenization if function is None else "whitespace", ngram_range, function)

    @property
    def notes(self) -> dict[str, str]:
        """The function as the record of a run names it."""
        if self.function is None:
            return {}
        name = getattr(self.function, "__qualname__", type(self.function).__name__)
        return {"tokenizer": f"{name}; new text must come with its words separated by spaces"}

    def __post_init__(self) -> None:
        if self.tokenization not in _STANDARDIZERS:
            raise ArgumentError("tokenization", f"one of {', '.join(TOKENIZATIONS)}", repr(self.tokenization))
        object.__setattr__(self, "ngram_range", _checked_range(self.ngram_range))

    def __call__(self, texts: Sequence[str]) -> list[list[bytes]]:
        """The words of each text, in UTF-8. A few hundred texts per call hide its cost.

        Raises:
            UnicodeEncodeError: a text holds half of a surrogate pair.
            ValueError: the function gives something else than words.
        """
        if self.function is not None:
            return [self._with_ngrams(_checked_words(text, self.function(text))) for text in texts]
        import tensorflow as tf

        standardized = _STANDARDIZERS[self.tokenization](tf.constant([text.encode() for text in texts], tf.string))
        # bytes are split at ASCII whitespace, as by tf.strings.split
        return [self._with_ngrams(text.split()) for text in standardized.numpy().tolist()]

    def ragged(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The same words inside a graph: strings (batch,) -> (batch, None)."""
        import tensorflow as tf

        words = tf.strings.split(_STANDARDIZERS[self.tokenization](texts))
        if self.ngram_range == (1, 1):
            return words
        shortest, longest = self.ngram_range
        return tf.strings.ngrams(words, list(range(shortest, longest + 1)), separator=self.separator)

    def _with_ngrams(self, words: list[bytes]) -> list[bytes]:
        shortest, longest = self.ngram_range
        if longest == 1:
            return words
        return [
            self.separator.encode().join(words[start : start + length])
            for length in range(shortest, longest + 1)
            for start in range(len(words) - length + 1)
        ]


def _checked_words(text: str, words: Iterable[str]) -> list[bytes]:
    """The words that a function has found, in UTF-8, without those that are whitespace."""
    if isinstance(words, str) or not isinstance(words, Iterable):
        received = f"{words!r:.60} for the text {text!r:.60}"
        raise ArgumentError("tokenizer", "a function that gives a list of words", received)
    encoded = []
    for word in words:
        if not isinstance(word, str) or len(word.replace("\0", " ").encode().split()) > 1:
            raise ArgumentError(
                "tokenizer",
                "a function that gives words without whitespace, as saved models read words separated by spaces",
                f"{word!r:.60} for the text {text!r:.60}",
                "Join the parts of a word by an underscore.",
            )
        encoded += word.replace("\0", " ").encode().split()
    return encoded


def _checked_range(ngram_range: Iterable[int]) -> tuple[int, int]:
    """Two integers, the first at least 1 and at most the second."""
    values = tuple(ngram_range) if not isinstance(ngram_range, int | str) else ()
    if len(values) != 2 or any(not isinstance(value, int) for value in values) or not 1 <= values[0] <= values[1]:
        expected = "the shortest and the longest number of words, as (1, 2)"
        raise ArgumentError("ngram_range", expected, repr(ngram_range))
    return values[0], values[1]


# Not ends of sentences, though a capital may follow: titles, initials, and what usually precedes names and numbers.
_ABBREVIATIONS = (
    r"Mr|Mrs|Ms|Dr|Prof|Rev|Gen|Col|Lt|Sgt|Capt|Gov|Sen|Rep|St|Mt|Jr|Sr|Inc|Ltd|Co|Corp|No|Nos|Vol|Fig|pp?|ed|eds|"
    r"vs|cf|ca|approx|etc|e\.g|i\.e|al|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|\w"
)
_END = re.compile(
    r"(?<=[.!?])(?P<close>[\"'\u201d\u2019)\]]*)\s+(?=[\"'\u201c\u2018(\[]*[A-Z0-9\u00c0-\u00d6\u00d8-\u00de])"
)
_AFTER_ABBREVIATION = re.compile(rf"(?:^|[\s(\[\"'\u201c\u2018.])(?:{_ABBREVIATIONS})\.$")


def split_sentences(text: str) -> list[str]:
    """Splits text after `.`, `!` or `?`, closing quotes and brackets included, where a capital or a digit follows.

    No split follows a common abbreviation ("Dr.", "e.g.", "No.") or a single letter ("J. S. Bach", "U.S. Army"): where
    such a one does end a sentence, two sentences stay together.

    Returns:
        The sentences without surrounding space; at least one, which is empty only if the text is.
    """
    sentences = []
    start = 0
    for match in _END.finditer(text):
        # The last characters are enough: no abbreviation is longer.
        if not match["close"] and _AFTER_ABBREVIATION.search(text[max(start, match.start() - 12) : match.start()]):
            continue
        sentences.append(text[start : match.end("close")].strip())
        start = match.end()
    return [*sentences, text[start:].strip()]
