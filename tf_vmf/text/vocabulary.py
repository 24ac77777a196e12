"""Vocabularies: ids with a fixed meaning, and which words to keep, read from a file or chosen by count."""

import importlib
import numbers
import warnings
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError, check_unicode
from tf_vmf._optional import optional
from tf_vmf.text.lines import line_error, read_lines
from tf_vmf.text.tokenization import NO_WORDS, Tokenizer

PAD_ID = 0  # fills the rows of a batch after the end of a sentence; never read, never predicted, counted nowhere
EOS_ID = 1  # ends every sentence
UNK_ID = 2  # stands for every word outside the vocabulary

SPECIAL_TOKENS = ("<pad>", "<eos>", "<unk>")  # their strings, at the positions of their ids
FIRST_WORD_ID = len(SPECIAL_TOKENS)


def to_text(ids: Sequence[int] | np.ndarray, vocabulary: Sequence[str]) -> str:
    """The words of one sentence of ids, separated by spaces: up to its first `<eos>`, without padding.

    ```python
    tf_vmf.text.to_text([3, 2, 1, 0], ["<pad>", "<eos>", "<unk>", "star"])  # "star <unk>"
    ```
    """
    words = []
    for token in np.asarray(ids).tolist():
        if token == EOS_ID:
            break
        if token != PAD_ID:
            words.append(vocabulary[token])
    return " ".join(words)


_MANY_LOST = 0.1  # the share of texts without a word of a chosen vocabulary that is worth a warning


@dataclass(frozen=True)
class VocabularyChoice:
    """The choice of the vocabulary from the training texts; a limit that no word can meet is an ArgumentError."""

    size: int  # the number of words at most
    min_count: int = 1  # how often a word must occur
    min_df: int | float = 1  # in how many texts a word must occur: an int, or a share of the texts, a float
    max_df: int | float = 1.0  # in how many texts a word may occur: an int, or a share of the texts, a float
    stop_words: frozenset[str] = frozenset()  # words to leave out, as the tokenizer writes them
    words: tuple[str, ...] | None = None  # a vocabulary to use as it is; the other fields then mean nothing
    ngrams: bool = False  # whether underscores join words, so that a stop word is looked for in each part

    def __post_init__(self) -> None:
        for name, value in (("vocabulary_size", self.size), ("min_count", self.min_count)):
            check_count(name, value, 1)
        for name in ("min_df", "max_df"):
            value = getattr(self, name)
            is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if not is_number or not (0 <= value <= 1 if isinstance(value, float) else value >= 1):
                expected = "a number of texts, an int from 1, or a share of them, a float from 0.0 to 1.0"
                raise ArgumentError(name, expected, repr(value))

    @property
    def needs_text_counts(self) -> bool:
        """True if the choice depends on the number of texts that hold a word."""
        return self.words is None and (
            self.min_df not in (1, 0.0) or self.max_df != 1.0 or isinstance(self.max_df, int)
        )

    def choose(
        self, words: Sequence[str], counts: np.ndarray, text_counts: np.ndarray | None = None, num_texts: int = 0
    ) -> list[int]:
        """Positions of the words to keep, ordered by falling count, ties alphabetically: the order of texts plays no part."""
        allowed = np.asarray(counts) >= self.min_count
        if self.needs_text_counts:
            if text_counts is None:
                raise ArgumentError("text_counts", "counts, as `min_df` or `max_df` limits the words", "None")
            least, most = (
                limit * num_texts if isinstance(limit, float) else limit for limit in (self.min_df, self.max_df)
            )
            allowed &= (text_counts >= least) & (text_counts <= most)
        chosen = [row for row in np.flatnonzero(allowed).tolist() if not self._is_stopped(words[row])]
        if not chosen:
            raise ArgumentError(
                "texts",
                f"a word that occurs min_count={self.min_count} times, in as many texts as asked for, and is no stop word",
                f"{np.count_nonzero(counts)} distinct words, none of them such",
                self._remedy(counts),
            )
        return sorted(chosen, key=lambda row: (-counts[row], words[row]))[: self.size]

    def check_fit(self, counts: np.ndarray, *, lost_texts: float = 0.0, lost_words: float = 0.0) -> None:
        """Warns of training texts that are left out, and of words that never occur in them."""
        texts = f"{lost_texts:.1%} of the training texts hold no word of the vocabulary and are left out."
        if self.words is None:
            if lost_texts > _MANY_LOST:
                warnings.warn(texts, stacklevel=3)
            return
        if max(lost_texts, lost_words) > 0.5:
            lost = texts if lost_texts else f"{lost_words:.1%} of the words of the training text are not in it."
            raise ArgumentError(
                "vocab_file",
                "words as the tokenizer writes them, which fit the text",
                f"{', '.join(self.words[:5])}, ..",
                lost[0].upper() + lost[1:],
            )
        if lost_texts:
            warnings.warn(texts, stacklevel=3)
        if never := [word for word, count in zip(self.words, counts, strict=True) if not count]:
            warnings.warn(
                f"{len(never)} of {len(counts)} words of `vocab_file` never occur in the training text: "
                f"{', '.join(never[:5])}{', ..' if len(never) > 5 else ''}.",
                stacklevel=3,
            )

    def describe(self) -> str:
        """The choice in words, for the record of a run."""
        if self.words is not None:
            return "as given"
        text = f"the {self.size} most frequent of train, occurring {self.min_count} times or more"
        for name, limit, unlimited in (("min_df", self.min_df, 1), ("max_df", self.max_df, 1.0)):
            text += f", {name} {limit}" if limit != unlimited or type(limit) is not type(unlimited) else ""
        return f"{text}, without {len(self.stop_words)} stop words" if self.stop_words else text

    def _is_stopped(self, word: str) -> bool:
        """True if a word is a stop word, or an n-gram with one in it."""
        return word in self.stop_words or (self.ngrams and not self.stop_words.isdisjoint(word.split("_")))

    def _remedy(self, counts: np.ndarray) -> str:
        if not len(counts):
            return NO_WORDS
        limits = [name for name, default in (("min_df", 1), ("max_df", 1.0)) if getattr(self, name) != default]
        return (
            f"Lower `min_count`, {'change ' + ' and '.join(limits) + ', ' if limits else ''}or set stop_words='none'."
        )


def document_choice(tokenizer: Tokenizer, options: Mapping[str, Any]) -> VocabularyChoice:
    """The choice of a vocabulary of documents; reads the vocabulary, or the stop words."""
    limits = {name: options[name] for name in ("min_count", "min_df", "max_df")}
    choice = VocabularyChoice(options["vocabulary_size"], **limits, ngrams=tokenizer.ngram_range[1] > 1)
    if options["vocab_file"] is not None:
        return replace(choice, words=read_vocabulary(options["vocab_file"]))
    return replace(choice, stop_words=read_stop_words(options["stop_words"], tokenizer))


def check_count(name: str, value: Any, minimum: int) -> None:
    """Refuses what is no integer, or too small a one."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < minimum:
        raise ArgumentError(name, f"an integer >= {minimum}", repr(value))


def sentence_choice(size: int, min_count: int, vocab_file: str | Path | None) -> VocabularyChoice:
    """The choice of a vocabulary of sentences, whose size counts `<eos>` and `<unk>`. See `load_sentences`."""
    check_count("vocabulary_size", size, 3)
    choice = VocabularyChoice(size - 2, min_count)
    if vocab_file is None:
        return choice
    return replace(choice, words=tuple(word for word in read_vocabulary(vocab_file) if word not in SPECIAL_TOKENS))


def checked_words(words: Any, name: str = "vocabulary", owner: str = "") -> tuple[str, ...]:
    """The words of a vocabulary in the order of their numbers.

    Args:
        words: A list, an array or a column of distinct words; or a mapping from words to their numbers 0, 1, ..., as scikit-learn's
            `CountVectorizer.vocabulary_`.
        name: The argument to name in errors.
        owner: The class or function whose argument it is.

    Raises:
        ArgumentError: It is something else, such as a set, which has no order.
    """
    expected = "a list of words, or a mapping from words to their numbers from 0"
    if isinstance(words, Mapping):
        if sorted(words.values()) != list(range(len(words))):
            raise ArgumentError(
                name, expected, f"a mapping to {', '.join(map(repr, list(words.values())[:5]))}", owner=owner
            )
        words = sorted(words, key=lambda word: words[word])
    if isinstance(words, str | bytes | Set) or hasattr(words, "columns") or not isinstance(words, Iterable):
        raise ArgumentError(name, expected, f"{type(words).__name__}: {words!r:.60}", owner=owner)
    listed = tuple(words.to_pylist() if hasattr(words, "to_pylist") else words)
    seen: set[str] = set()
    for position, word in enumerate(listed):
        if not isinstance(word, str):
            raise ArgumentError(f"{name}[{position}]", "a word", repr(word), owner=owner)
        check_unicode(word, f"{name}[{position}]", owner)
        if word in seen:
            raise ArgumentError(name, "distinct words", f"{word!r} twice", owner=owner)
        seen.add(word)
    if not listed:
        raise ArgumentError(name, expected, "none", owner=owner)
    return tuple(map(str, listed))


def read_vocabulary(path: str | Path) -> tuple[str, ...]:
    """Reads a vocabulary: a word per line, alone or followed by its total count. Line n names id n."""
    first_line: dict[str, int] = {}
    for number, line in read_lines(path):
        fields = line.split()
        if not (len(fields) == 1 or (len(fields) == 2 and fields[1].isdecimal())):
            raise line_error(path, number, "`word` or `word total-count`", repr(line))
        word = fields[0]
        if word in first_line:
            raise line_error(path, number, f"a word not yet listed (line {first_line[word]} has it)", repr(word))
        first_line[word] = number
    if not first_line:
        raise line_error(path, 1, "a word per line", "an empty file")
    return tuple(first_line)


def read_stop_words(stop_words: str | Path | Iterable[str], tokenizer: Tokenizer) -> frozenset[str]:
    """The stop words as the tokenizer writes them: "english", another language, "none", the path of a file, or words.

    The first is scikit-learn's list and what is left of contractions and links ("isn", "ve", "http"), other languages are those of
    the package stop-words, a file has one per line.
    """
    single = replace(tokenizer, ngram_range=(1, 1))
    listed = list(_listed(stop_words))
    for word in listed:
        check_unicode(word, "stop_words")
    words = frozenset(word.decode() for words in single(listed) for word in words)
    if not words and listed:
        raise ArgumentError(
            "stop_words",
            "words that the tokenizer can write",
            f"{stop_words!r:.60}, of which tokenization={tokenizer.tokenization!r} leaves none",
            "Separate the words of the texts first, or give a function as `tokenizer`; or set stop_words='none'.",
        )
    return words


# What the tokenizer leaves of contractions and links, and words without a topic that scikit-learn's list lacks.
_MORE_ENGLISH = (
    "ain aren couldn did didn does doesn doing don hadn hasn haven isn just ll make mightn mustn needn quite really regarding say "
    "shan shouldn unless used using various ve wasn weren won wouldn com edu html http https org www kg km"
)


def _listed(stop_words: str | Path | Iterable[str]) -> Iterable[str]:
    if not isinstance(stop_words, str | Path):
        words = list(stop_words) if isinstance(stop_words, Iterable) else [stop_words]
        if wrong := [word for word in words if not isinstance(word, str)]:
            expected = "'none', a language, the path of a file with a word per line, or a sequence of words"
            raise ArgumentError("stop_words", expected, repr(wrong[0]))
        return words
    if str(stop_words) == "none":
        return ()
    if str(stop_words) == "english":
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # late: it takes a second

        return [*ENGLISH_STOP_WORDS, *_MORE_ENGLISH.split()]
    if Path(stop_words).is_file():
        return [line for _, line in read_lines(stop_words)]
    with optional("languages", f"stop_words={str(stop_words)!r}, which is no file: the stop words of other languages"):
        package = importlib.import_module("stop_words")
    languages = package.AVAILABLE_LANGUAGES
    if str(stop_words) not in languages:
        languages = ", ".join(sorted(languages))
        expected = f"'none', the path of a file with a word per line, a sequence of words, or one of {languages}"
        raise ArgumentError("stop_words", expected, f"{str(stop_words)!r}, which is no file")
    return list(package.get_stop_words(str(stop_words)))


def require_gensim(module: str, purpose: str) -> Any:
    """Imports a module of the optional dependency gensim, or says how to get it."""
    with optional("demo", purpose):
        return importlib.import_module(module)
