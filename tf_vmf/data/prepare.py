"""From text of any size to a prepared corpus: one pass to count words, one to write records, memory bounded in both."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tf_vmf.data.documents import SPLITS
from tf_vmf.data.feat import iterate_feat, read_vocabulary
from tf_vmf.data.lines import line_error
from tf_vmf.data.paths import Paths, as_paths, is_feat
from tf_vmf.data.record_files import MANIFEST, VOCABULARY, ShardWriter, manifest_of, write_vocabulary
from tf_vmf.data.sentence_files import RawLine, SentenceFiles
from tf_vmf.data.sentence_text import tokenize
from tf_vmf.data.special_tokens import EOS_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID
from tf_vmf.data.text import TextFiles
from tf_vmf.data.vocabulary import STANDARDIZERS, read_stop_words, select_words
from tf_vmf.files import new_folder

_HELD_OUT_SHARE, _HELD_OUT_EXAMPLES = 0.1, 10_000  # what is held out by default, the lesser of both: it stays in memory
_MOST_SHARDS = 512  # all are open at once while they are written
_MOST_WORDS = 5_000_000  # words counted at once; beyond them those seen once are forgotten


class _Example(NamedTuple):
    """An example on its way: from which split, its label, and its words; or ids and counts, where it comes as such."""

    split: str
    label: str | None
    words: list[bytes]
    counts: tuple[list[int], list[int]] | None
    line: RawLine | None


_Stream = Callable[[], Iterator[_Example]]


def prepare_documents(
    output: str | Path,
    train_files: Paths,
    *,
    valid_files: Paths | None = None,
    test_files: Paths | None = None,
    vocab_file: str | Path | None = None,
    vocabulary_size: int = 2000,
    min_count: int = 2,
    stop_words: str | Path | Iterable[str] = "english",
    tokenization: str = "words",
    validation_size: int | float | None = None,
    test_size: int | float | None = None,
    seed: int = 0,
    examples_per_shard: int = 16_384,
) -> dict[str, Any]:
    """Writes a folder of records for `load_bag_of_words("prepared", data_dir=output)`.

    Other than `load_bag_of_words` it holds no text and no counts in memory, so that the size of the corpus does not matter;
    training then reads the records a shard at a time. Validation and test documents are read as a whole in the end.

    Args:
        output: The folder to make.
        train_files: Text files with a document a line, folders with a document a file, or `.feat` files; patterns such as
            `"text/*.txt.gz"` too.
        valid_files: The same for validation; None holds documents out of train.
        test_files: The same for the test.
        vocab_file: This and the following as in `load_bag_of_words`.
        vocabulary_size: The number of words at most.
        min_count: How often a word must occur.
        stop_words: What to leave out.
        tokenization: How text becomes words.
        validation_size: About how many documents to hold out, or which share: each document is drawn on its own. None: 10,000,
            or a tenth if that is less.
        test_size: The same for the test.
        seed: Of the split.
        examples_per_shard: Training holds up to two shards in memory.

    Returns:
        The manifest.

    Raises:
        FileExistsError: `output` exists.
        FileNotFoundError, ValueError: As `load_bag_of_words`.
    """
    files = _files(train_files, valid_files, test_files)
    feat = [is_feat(path) for paths in files.values() for path in paths]
    vocabulary = None if vocab_file is None else read_vocabulary(vocab_file)
    notes: dict[str, Any] = {"source": {split: [path.name for path in paths] for split, paths in files.items()}}
    lines: Mapping[str, Iterable[Any]]
    if any(feat):
        if not all(feat) or vocabulary is None:
            raise ValueError(
                "`.feat` files hold ids of a vocabulary: expected `.feat` files alone, and `vocab_file`. Received: "
                f"{', '.join(str(path) for paths in files.values() for path in paths)}; vocab_file={vocab_file!r}."
            )
        size = len(vocabulary)
        lines = {split: _Chain([_Feat(path, size) for path in paths]) for split, paths in files.items()}
        notes |= {"tokens": "counts as given in the files", "vocabulary": "as given"}
    else:
        lines = {split: TextFiles(paths) for split, paths in files.items()}
        notes |= {"tokens": f"words of the vocabulary, tokenization {tokenization!r}"}
    held_out = _shares(lines, validation_size, test_size)

    def stream() -> Iterator[_Example]:
        for split, of_split in lines.items():
            split_at = _split_of_line(split, held_out, seed)
            if any(feat):
                for index, (label, ids, counts) in enumerate(of_split):
                    yield _Example(split_at(index), str(label), [], (ids, counts), None)
                continue
            raw = (RawLine(document.text, document.label, "", 0) for document in of_split)
            for index, line, words in tokenize(raw, tokenization, splitting=False):
                yield _Example(split_at(index), line.label, words, None, line)

    stop = frozenset() if vocabulary is not None else read_stop_words(stop_words, tokenization)
    choice = _Choice(vocabulary_size, min_count, stop, vocabulary)
    return _write(output, "documents", stream, choice, tokenization, examples_per_shard, held_out, seed, notes)


def prepare_sentences(
    output: str | Path,
    train_files: Paths,
    *,
    valid_files: Paths | None = None,
    test_files: Paths | None = None,
    vocab_file: str | Path | None = None,
    vocabulary_size: int = 10_000,
    min_count: int = 2,
    max_length: int | None = None,
    tokenization: str = "punctuation",
    split_sentences: bool = False,
    label_column: int | None = None,
    validation_size: int | float | None = None,
    test_size: int | float | None = None,
    seed: int = 0,
    examples_per_shard: int = 16_384,
) -> dict[str, Any]:
    """Writes a folder of records for `load_sentences("prepared", data_dir=output)`.

    As `prepare_documents`; the arguments on text, vocabulary and labels are those of `load_sentences`. Sentences of one line
    stay in the same split.
    """
    files = _files(train_files, valid_files, test_files)
    lines = {split: SentenceFiles(paths, label_column=label_column) for split, paths in files.items()}
    held_out = _shares(lines, validation_size, test_size)
    limit = None if max_length is None else max_length - 1

    def stream() -> Iterator[_Example]:
        for split, of_split in lines.items():
            split_at = _split_of_line(split, held_out, seed)
            for index, line, words in tokenize(of_split, tokenization, splitting=split_sentences):
                if words:
                    yield _Example(split_at(index), line.label, words[:limit], None, line)

    vocabulary = None if vocab_file is None else read_vocabulary(vocab_file)
    choice = _Choice(vocabulary_size - 2, min_count, frozenset(), vocabulary)
    notes = {"source": {split: of_split.names for split, of_split in lines.items()}, "max_length": max_length}
    return _write(output, "sentences", stream, choice, tokenization, examples_per_shard, held_out, seed, notes)


class _Choice(NamedTuple):
    """How the vocabulary is chosen."""

    size: int
    min_count: int
    stop_words: frozenset[str]
    given: tuple[str, ...] | None


def _write(
    output: str | Path,
    kind: str,
    stream: _Stream,
    choice: _Choice,
    tokenization: str,
    examples_per_shard: int,
    held_out: dict[str, float],
    seed: int,
    notes: dict[str, Any],
) -> dict[str, Any]:
    output = Path(output)
    if examples_per_shard < 1:
        raise ValueError(f"`examples_per_shard` must be positive. Received: {examples_per_shard}.")
    if tokenization not in STANDARDIZERS:
        raise ValueError(
            f"`tokenization` must be one of {', '.join(STANDARDIZERS)}. Received: tokenization={tokenization!r}."
        )
    sizes, labels, words, forgotten = _count(stream, choice)
    specials = SPECIAL_TOKENS if kind == "sentences" else ()
    vocabulary = (*specials, *(word for word in words if word not in specials))
    for split in SPLITS:
        if not sizes[split]:
            raise ValueError(f"The {split} split must hold an example. Received: {dict(sizes)}. Give more text.")
    ids = {word.encode(): number for number, word in enumerate(vocabulary)}
    label_ids = {label: number for number, label in enumerate(labels)}
    shards = {split: 1 for split in SPLITS}
    shards["train"] = min(_MOST_SHARDS, -(-sizes["train"] // examples_per_shard))

    with new_folder(output) as folder:
        dropped = Counter(dict.fromkeys(SPLITS, 0))
        totals = np.zeros(len(vocabulary), np.int64)
        with ExitStack() as stack:
            writers = {
                split: stack.enter_context(ShardWriter(folder, split, number)) for split, number in shards.items()
            }
            for example in stream():
                features = _features(example, kind, ids)
                tokens, counts = features.get("tokens", features.get("ids", ())), features.get("counts")
                if not tokens:
                    dropped[example.split] += 1
                    continue
                if label_ids:
                    features["label"] = [label_ids[example.label or ""]]
                writers[example.split].write(features, sum(counts) if counts else len(tokens))
                if example.split == "train":
                    np.add.at(totals, tokens, counts or 1)
        write_vocabulary(folder / VOCABULARY, vocabulary, totals)
        manifest = manifest_of(
            kind,
            output.name,
            tokenization=tokenization,
            label_names=labels,
            notes={
                "vocabulary": _describe_choice(choice),
                **notes,
                "split": f"single lines held out of train by seed, about these shares: {held_out}"
                if held_out
                else "as given",
                "split_seed": seed,
                "empty_dropped": dict(dropped),
                **({"words_forgotten_while_counting": forgotten} if forgotten else {}),
            },
            splits={split: writer.description() for split, writer in writers.items()},
        )
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def _count(stream: _Stream, choice: _Choice) -> tuple[Counter[str], list[str], tuple[str, ...], int]:
    """One pass: examples of each split, names of the labels, the vocabulary, words forgotten on the way."""
    sizes: Counter[str] = Counter()
    labels: set[str | None] = set()
    totals: Counter[bytes] = Counter()
    forgotten = 0
    for example in stream():
        sizes[example.split] += 1
        labels.add(example.label)
        if choice.given is None and example.split == "train":
            totals.update(example.words)
            if len(totals) > _MOST_WORDS:
                # A word among the few thousand most frequent ones loses nothing that matters by it.
                kept = Counter({word: total for word, total in totals.items() if total > 1})
                forgotten += len(totals) - len(kept)
                totals = kept
    if None in labels and len(labels) > 1:
        raise ValueError("Either all examples or none must have labels. Received: some without.")
    names = [] if None in labels else sorted(str(label) for label in labels)
    if choice.given is not None:
        return sizes, names, choice.given, 0
    for token in SPECIAL_TOKENS:
        totals.pop(token.encode(), None)
    words = [word.decode() for word in totals]
    numbers = np.fromiter(totals.values(), np.int64, len(totals))
    chosen = select_words(words, numbers, size=choice.size, min_count=choice.min_count, stop_words=choice.stop_words)
    if not chosen:
        raise ValueError(
            f"The training text must hold a word that occurs min_count={choice.min_count} times and is no stop word. Received: "
            f"{len(words)} distinct words, none of them such. Lower `min_count`."
        )
    return sizes, names, tuple(words[i] for i in chosen), forgotten


def _features(example: _Example, kind: str, ids: Mapping[bytes, int]) -> dict[str, list[int]]:
    if example.counts is not None:
        return {"ids": example.counts[0], "counts": example.counts[1]}
    if kind == "documents":
        counts = Counter(ids[word] for word in example.words if word in ids)
        known = sorted(counts)
        return {"ids": known, "counts": [counts[number] for number in known]}
    tokens = [ids.get(word, UNK_ID) for word in example.words]
    if example.line is not None and (PAD_ID in tokens or EOS_ID in tokens):
        raise line_error(
            example.line.path,
            example.line.number,
            f"text without {SPECIAL_TOKENS[PAD_ID]} and {SPECIAL_TOKENS[EOS_ID]}, which are added where they belong",
            repr(example.line.text),
        )
    return {"tokens": [*tokens, EOS_ID]}


def _files(train: Paths, valid: Paths | None, test: Paths | None) -> dict[str, list[Path]]:
    """The paths of each split that is given, patterns expanded."""
    return {
        split: as_paths(paths) for split, paths in zip(SPLITS, (train, valid, test), strict=True) if paths is not None
    }


class _Feat:
    """The documents of a `.feat` file, (label, ids, counts); can be iterated again and again."""

    def __init__(self, path: Path, vocabulary_size: int) -> None:
        self._path, self._size = path, vocabulary_size

    def __iter__(self) -> Iterator[tuple[int, list[int], list[int]]]:
        return iterate_feat(self._path, self._size)


class _Chain:
    """Several iterables as one that can be iterated again and again."""

    def __init__(self, parts: list[Any]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[Any]:
        for part in self._parts:
            yield from part


def _shares(
    lines: Mapping[str, Iterable[Any]], validation_size: int | float | None, test_size: int | float | None
) -> dict[str, float]:
    """The probability with which a line of train goes to each split that has no files of its own."""
    wanted = {"test": test_size, "valid": validation_size}
    held_out = {split: size for split, size in wanted.items() if split not in lines}
    if not held_out:
        return {}
    number = sum(1 for _ in lines["train"])
    shares = {}
    for split, size in held_out.items():
        if size is None:
            size = min(_HELD_OUT_SHARE, _HELD_OUT_EXAMPLES / max(1, number))
        shares[split] = float(size) if isinstance(size, float) else size / max(1, number)
    if sum(shares.values()) >= 1 or min(shares.values()) <= 0:
        raise ValueError(
            f"`validation_size` and `test_size` must be shares in (0, 1), or numbers of lines, that leave some of {number} lines "
            f"to train on. Received: validation_size={validation_size}, test_size={test_size}."
        )
    return shares


def _split_of_line(split: str, held_out: Mapping[str, float], seed: int) -> Callable[[int], str]:
    """A function from the number of a line, which must not fall, to its split."""
    if split != "train" or not held_out:
        return lambda index: split
    # numpy promises the stream of RandomState for good.
    random = np.random.RandomState(seed)
    edges = np.cumsum(list(held_out.values()))
    names = [*held_out, "train"]
    block, start = np.zeros(0, np.int64), 0

    def split_at(index: int) -> str:
        nonlocal block, start
        while index >= start + len(block):
            start += len(block)
            block = np.searchsorted(edges, random.random_sample(4096), side="right")
        return names[block[index - start]]

    return split_at


def _describe_choice(choice: _Choice) -> str:
    if choice.given is not None:
        return "as given"
    text = f"the {choice.size} most frequent of train, occurring {choice.min_count} times or more"
    return f"{text}, without {len(choice.stop_words)} stop words" if choice.stop_words else text
