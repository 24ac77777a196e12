"""From lines of text to a sentence corpus, in one pass over each file."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf.data.documents import SPLITS, label_positions
from tf_vmf.data.lines import line_error
from tf_vmf.data.sentence_files import RawLine
from tf_vmf.data.sentence_splitting import split_sentences
from tf_vmf.data.sentences import SentenceCorpus, Sentences
from tf_vmf.data.special_tokens import EOS_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID
from tf_vmf.data.splits import split_three_ways
from tf_vmf.data.vocabulary import STANDARDIZERS, select_words

_CHUNK = 512  # lines tokenised at once: enough to hide the cost of a call
_FIRST_WORD = len(SPECIAL_TOKENS)


def corpus_from_sentences(
    name: str,
    splits: Mapping[str, Iterable[RawLine]],
    *,
    tokenization: str,
    vocabulary: Sequence[str] | None = None,
    vocabulary_size: int = 10_000,
    min_count: int = 1,
    max_length: int | None = None,
    splitting: bool = False,
    validation_size: int | float = 0.1,
    test_size: int | float = 0.1,
    seed: int = 0,
    notes: dict[str, Any],
) -> SentenceCorpus:
    """Tokenises, splits and numbers.

    Every line is read once, into numbers of all words there are; the vocabulary is then chosen by the counts of the
    training sentences, whichever way these were split off, and the numbers replaced by its ids.

    Args:
        name: the corpus's name.
        splits: the lines of `"train"`, and of `"valid"` and `"test"` where these are not to be held out of train.
        tokenization: this and the following as in `load_sentences`.
        vocabulary: the words to use, with or without special tokens; None chooses them from train.
        vocabulary_size: the size of a vocabulary to choose.
        min_count: how often its words must occur in train.
        max_length: tokens that a sentence may have.
        splitting: whether a line is a text of several sentences. They stay in the same split.
        validation_size: lines to hold out, if `splits` has no `"valid"`.
        test_size: lines to hold out, if `splits` has no `"test"`.
        seed: of the split.
        notes: for `SentenceCorpus.notes`.
    """
    numbering = {token.encode(): number for number, token in enumerate(SPECIAL_TOKENS)}
    read = {split: _read(lines, numbering, tokenization, max_length, splitting) for split, lines in splits.items()}
    held_out = {split: size for split, size in (("test", test_size), ("valid", validation_size)) if split not in splits}
    if held_out:
        everything = read["train"]
        rows = split_three_ways(everything.num_lines, held_out, seed)
        read |= {split: everything.of_lines(rows[split]) for split in ("train", *held_out)}
    for split in SPLITS:
        if not len(read[split].sentences):
            raise ValueError(f"Corpus {name!r}: the {split} split must hold a sentence. Received none.")

    words = [word.decode() for word in numbering]
    if vocabulary is None:
        totals = np.bincount(read["train"].sentences.tokens, minlength=len(words))[_FIRST_WORD:]
        chosen = select_words(
            words[_FIRST_WORD:],
            totals,
            size=vocabulary_size - 2,
            min_count=min_count,
            stop_words=frozenset(),
        )
        if not chosen:
            raise ValueError(
                f"Corpus {name!r}: the training sentences must hold a word that occurs min_count={min_count} times. "
                f"Received: {np.count_nonzero(totals)} distinct words, none of them such. Lower `min_count`."
            )
        kept = [words[_FIRST_WORD + i] for i in chosen]
        choice = (
            f"the {vocabulary_size} most frequent of train, <eos> and <unk> among them, seen {min_count} times or more"
        )
    else:
        kept = [word for word in vocabulary if word not in SPECIAL_TOKENS]
        choice = "as given"
    ids = {word: number for number, word in enumerate((*SPECIAL_TOKENS, *kept))}
    new_ids = np.array([ids.get(word, UNK_ID) for word in words], dtype=np.int32)

    label_names, labels = label_positions([read[split].sentences.labels for split in SPLITS])
    if not label_names and any(read[split].sentences.labels is not None for split in SPLITS):
        without = [split for split in SPLITS if read[split].sentences.labels is None]
        raise ValueError(
            f"Corpus {name!r}: either all splits or none must have labels. Received none in {', '.join(without)}."
        )
    numbered = {
        split: replace(
            read[split].sentences,
            tokens=new_ids[read[split].sentences.tokens],
            labels=None if column is None else column.astype(np.int32),
        )
        for split, column in zip(SPLITS, labels, strict=True)
    }
    return SentenceCorpus(
        name=name,
        vocabulary=tuple(ids),
        label_names=label_names,
        tokenization=tokenization,
        notes={
            **notes,
            "vocabulary": choice,
            "split": _describe(held_out),
            "split_seed": seed,
            "max_length": max_length,
            "empty_lines_dropped": {split: read[split].dropped for split in splits},
            **{split: {"truncated": int(read[split].truncated.sum())} for split in SPLITS},
        },
        train=numbered["train"],
        valid=numbered["valid"],
        test=numbered["test"],
    )


@dataclass(frozen=True, eq=False)
class _Numbered:
    """Sentences as they were read: the words numbered in the order of their appearance, the labels strings."""

    sentences: Sentences
    lines: np.ndarray  # of each sentence, counting the lines that hold one
    truncated: np.ndarray  # whether each was longer
    dropped: int  # lines without a token

    @property
    def num_lines(self) -> int:
        return int(self.lines[-1]) + 1 if len(self.lines) else 0

    def of_lines(self, lines: np.ndarray) -> "_Numbered":
        rows = np.flatnonzero(np.isin(self.lines, lines))
        return replace(
            self, sentences=self.sentences.take(rows), lines=self.lines[rows], truncated=self.truncated[rows]
        )


def _read(
    lines: Iterable[RawLine],
    numbering: dict[bytes, int],
    tokenization: str,
    max_length: int | None,
    splitting: bool,
) -> _Numbered:
    """Reads lines once, and extends `numbering` by the words that it lacks."""
    tokens, offsets, line_of, truncated = array("i"), array("q", [0]), array("q"), bytearray()
    label_numbers: dict[str | None, int] = {}
    labels = array("i")
    limit = None if max_length is None else max_length - 1  # one place is for <eos>
    with_sentence, last, index = -1, -1, -1
    for index, line, words in tokenize(lines, tokenization, splitting):
        if not words:
            continue
        numbers = [numbering.setdefault(word, len(numbering)) for word in words]
        if PAD_ID in numbers or EOS_ID in numbers:
            raise line_error(
                line.path,
                line.number,
                f"text without {SPECIAL_TOKENS[PAD_ID]} and {SPECIAL_TOKENS[EOS_ID]}, which are added where they belong",
                repr(line.text),
            )
        with_sentence += index != last
        last = index
        tokens.extend(numbers[:limit])
        tokens.append(EOS_ID)
        offsets.append(len(tokens))
        line_of.append(with_sentence)
        truncated.append(limit is not None and len(numbers) > limit)
        labels.append(label_numbers.setdefault(line.label, len(label_numbers)))
    names = None if None in label_numbers or not label_numbers else np.array(list(label_numbers))
    return _Numbered(
        sentences=Sentences(
            np.array(tokens, dtype=np.int32),
            np.array(offsets, dtype=np.int64),
            None if names is None else names[np.array(labels)],
        ),
        lines=np.array(line_of, dtype=np.int64),
        truncated=np.frombuffer(bytes(truncated), dtype=np.bool_),
        dropped=index - with_sentence,
    )


def tokenize(
    lines: Iterable[RawLine], tokenization: str, splitting: bool
) -> Iterator[tuple[int, RawLine, list[bytes]]]:
    """Yields (position of the line, the line, the UTF-8 words of a sentence) for every sentence, empty ones too."""
    standardize = STANDARDIZERS[tokenization]
    pieces = (
        (index, line, piece)
        for index, line in enumerate(lines)
        for piece in (split_sentences(line.text) if splitting else (line.text,))
    )
    while chunk := list(islice(pieces, _CHUNK)):
        texts = [piece.encode() for _, _, piece in chunk]
        if standardize is not None:
            texts = standardize(tf.constant(texts)).numpy().tolist()
        for (index, line, _), text in zip(chunk, texts, strict=True):
            yield index, line, text.split()  # bytes split at ASCII whitespace, as TextVectorization does


def _describe(held_out: Mapping[str, int | float]) -> str:
    if not held_out:
        return "as given"
    sizes = " and ".join(f"{size} of all lines for {split}" for split, size in held_out.items())
    return f"single lines held out of train at random by seed: {sizes}"
