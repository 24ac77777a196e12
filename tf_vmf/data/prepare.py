"""From text of any size to a prepared corpus: one pass to count words, one to write records, memory bounded in both."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from tf_vmf.data.corpora.feat import is_feat, iterate_feat
from tf_vmf.data.numbering import _check_tokens as check_tokens
from tf_vmf.data.numbering import tokenized
from tf_vmf.data.shards import FORMAT, MANIFEST, VOCABULARY, ShardWriter, write_vocabulary
from tf_vmf.data.sources import given_files
from tf_vmf.data.splits import SPLITS, random_splits
from tf_vmf.files import new_folder
from tf_vmf.text.files import Paths, Text, TextFiles, expand_paths
from tf_vmf.text.tables import Columns
from tf_vmf.text.tokenization import Tokenizer
from tf_vmf.text.tokens import EOS_ID, FIRST_WORD_ID, SPECIAL_TOKENS, UNK_ID
from tf_vmf.text.vocabulary import VocabularyChoice, document_choice, sentence_choice

_HELD_OUT_SHARE, _HELD_OUT_EXAMPLES = 0.1, 10_000  # what is held out by default, the lesser of both: it stays in memory
_MOST_SHARDS = 512  # all are open at once while they are written
_MOST_WORDS = 5_000_000  # words counted at once; beyond them those seen once are forgotten

_Example = tuple[int, Text, Any]  # position of the text, the text, its words as `Counter.update` takes them


def prepare_documents(
    output: str | Path,
    train_files: Paths,
    *,
    valid_files: Paths | None = None,
    test_files: Paths | None = None,
    vocab_file: str | Path | None = None,
    vocabulary_size: int = 2000,
    min_count: int = 2,
    min_df: int | float = 1,
    max_df: int | float = 1.0,
    stop_words: str | Path | Iterable[str] = "english",
    tokenization: str = "words",
    tokenizer: Callable[[str], Iterable[str]] | None = None,
    ngram_range: tuple[int, int] = (1, 1),
    text_column: str | int | None = None,
    label_column: str | int | None = None,
    validation_size: int | float | None = None,
    test_size: int | float | None = None,
    seed: int = 0,
    examples_per_shard: int = 16_384,
) -> dict[str, Any]:
    """Writes a folder of records for `load_bag_of_words("prepared", data_dir=output)`.

    Other than `load_bag_of_words` it holds no text and no counts in memory, so that the size of the corpus does not matter;
    training then reads the records a shard at a time. Validation and test documents are read as a whole in the end.

    Args:
        output: the folder to make.
        train_files: this and the following as in `load_bag_of_words`, where nothing else is said.
        valid_files: the same for validation; None holds documents out of train.
        test_files: the same for the test.
        vocab_file: a vocabulary to use as it is.
        vocabulary_size: the number of words at most.
        min_count: how often a word must occur.
        min_df: in how many documents it must occur.
        max_df: in how many documents it may occur.
        stop_words: what to leave out.
        tokenization: how text becomes words.
        tokenizer: a function from a text to its words.
        ngram_range: the lengths of runs of words that count as a word.
        text_column: the column of the text.
        label_column: the column of the label.
        validation_size: about how many documents to hold out, or which share: each document is drawn on its own. None: 10,000,
            or a tenth if that is less.
        test_size: the same for the test.
        seed: of the split.
        examples_per_shard: training holds up to two shards in memory.

    Returns:
        The manifest.

    Raises:
        FileExistsError: `output` exists.
        FileNotFoundError, ValueError: as `load_bag_of_words`.
    """
    words = Tokenizer.of(tokenization, ngram_range, tokenizer)
    choice = document_choice(words, vocabulary_size, min_count, min_df, max_df, stop_words, vocab_file)
    files = given_files(train_files, valid_files, test_files)
    paths = {split: expand_paths(of_split) for split, of_split in files.items()}
    counted = [is_feat(path) for of_split in paths.values() for path in of_split]
    if any(counted) and (not all(counted) or choice.words is None):
        raise ValueError(
            "`.feat` files hold ids of a vocabulary: expected `.feat` files alone, and `vocab_file`. Received: "
            f"{files}; vocab_file={vocab_file!r}."
        )
    columns = Columns(text_column, label_column)
    splits: Mapping[str, Any]
    if any(counted):
        splits = {split: _CountFiles(of_split, choice.words or ()) for split, of_split in paths.items()}
    else:
        splits = {split: TextFiles(of_split, whole_files=True, columns=columns) for split, of_split in files.items()}
    return _write(
        Path(output),
        _Job(
            kind="documents",
            splits=splits,
            read=_enumerated if any(counted) else partial(tokenized, tokenizer=words),
            features=_document_features,
            tokenizer=words,
            choice=choice,
            sizes={"test": test_size, "valid": validation_size},
            seed=seed,
            examples_per_shard=examples_per_shard,
            notes={"tokens": f"words of the vocabulary, tokenization {words.tokenization!r}"},
            are_counts=any(counted),
        ),
    )


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
    tokenizer: Callable[[str], Iterable[str]] | None = None,
    split_sentences: bool = False,
    text_column: str | int | None = None,
    label_column: str | int | None = None,
    validation_size: int | float | None = None,
    test_size: int | float | None = None,
    seed: int = 0,
    examples_per_shard: int = 16_384,
) -> dict[str, Any]:
    """Writes a folder of records for `load_sentences("prepared", data_dir=output)`.

    As `prepare_documents`; the arguments on text, vocabulary and labels are those of `load_sentences`. Sentences of one line
    stay in the same split.
    """
    words = Tokenizer.of(tokenization, function=tokenizer)
    choice = sentence_choice(vocabulary_size, min_count, vocab_file)
    files = given_files(train_files, valid_files, test_files)
    columns = Columns(text_column, label_column)
    limit = None if max_length is None else max_length - 1  # one place is for <eos>

    def read(texts: Iterable[Text]) -> Iterator[_Example]:
        for index, text, found in tokenized(texts, words, split_sentences):
            yield index, text, found[:limit]

    return _write(
        Path(output),
        _Job(
            kind="sentences",
            splits={split: TextFiles(of_split, columns=columns) for split, of_split in files.items()},
            read=read,
            features=_sentence_features,
            tokenizer=words,
            choice=choice,
            sizes={"test": test_size, "valid": validation_size},
            seed=seed,
            examples_per_shard=examples_per_shard,
            notes={"max_length": max_length},
        ),
    )


@dataclass(frozen=True)
class _Job:
    """What to prepare.

    Attributes:
        kind: "documents" or "sentences".
        splits: the texts of every split that has files; they are read again and again.
        read: from the texts of a split to (position of the text, the text, its words as `Counter.update` takes them).
        features: from a text, its words and the ids of words to a record, whose first feature is empty where it would be.
        tokenizer: for the manifest.
        choice: of the vocabulary.
        sizes: of the splits to hold out, where they have no files; None: 10,000 texts, or a tenth if that is less.
        seed: of the split.
        examples_per_shard: of train.
        notes: for `Corpus.notes`.
        are_counts: whether the texts come as counts of the words of a vocabulary.
    """

    kind: str
    splits: Mapping[str, Any]
    read: Callable[[Any], Iterable[_Example]]
    features: Callable[[Text, Any, Mapping[bytes, int]], dict[str, list[int]]]
    tokenizer: Tokenizer
    choice: VocabularyChoice
    sizes: Mapping[str, int | float | None]
    seed: int
    examples_per_shard: int
    notes: Mapping[str, Any]
    are_counts: bool = False

    def __post_init__(self) -> None:
        if self.examples_per_shard < 1:
            raise ValueError(f"`examples_per_shard` must be positive. Received: {self.examples_per_shard}.")

    @cached_property
    def shares(self) -> dict[str, float]:
        """The probability with which a text of train goes to each split that has no files."""
        sizes = {split: size for split, size in self.sizes.items() if split not in self.splits}
        number = 1
        if any(not isinstance(size, float) for size in sizes.values()):
            number = max(1, sum(1 for _ in self.splits["train"]))
        by_default = min(_HELD_OUT_SHARE, _HELD_OUT_EXAMPLES / number)
        shares = {
            split: by_default if size is None else size if isinstance(size, float) else size / number
            for split, size in sizes.items()
        }
        if shares and (sum(shares.values()) >= 1 or min(shares.values()) <= 0):
            raise ValueError(
                "`validation_size` and `test_size` must be shares in (0, 1), or numbers of texts, that leave some of "
                f"{number} texts to train on. Received: validation_size={sizes.get('valid')}, test_size={sizes.get('test')}."
            )
        return shares

    def stream(self) -> Iterator[tuple[str, Text, Any]]:
        """Yields (split, text, words) of every example, those without words too."""
        for split, texts in self.splits.items():
            split_at = random_splits(self.shares if split == "train" else {}, split, self.seed)
            for index, text, words in self.read(texts):
                yield split_at(index), text, words


def _document_features(text: Text, words: Any, ids: Mapping[bytes, int]) -> dict[str, list[int]]:
    counts = sorted((ids[word], count) for word, count in Counter(words).items() if word in ids)
    return {"ids": [number for number, _ in counts], "counts": [count for _, count in counts]}


def _sentence_features(text: Text, words: Any, ids: Mapping[bytes, int]) -> dict[str, list[int]]:
    tokens = [ids.get(word, UNK_ID) for word in words]
    check_tokens(tokens, text)
    return {"tokens": [*tokens, EOS_ID]}


class _CountFiles:
    """The documents of `.feat` files as (text without content, counts of words)."""

    def __init__(self, paths: list[Path], vocabulary: tuple[str, ...]) -> None:
        self._paths, self._words = paths, [word.encode() for word in vocabulary]
        self.names = [path.name for path in paths]

    def __iter__(self) -> Iterator[tuple[Text, dict[bytes, int]]]:
        for path in self._paths:
            for label, ids, counts in iterate_feat(path, len(self._words)):
                yield Text("", str(label)), {self._words[n]: count for n, count in zip(ids, counts, strict=True)}


def _enumerated(pairs: Iterable[tuple[Text, Any]]) -> Iterator[_Example]:
    return ((index, text, words) for index, (text, words) in enumerate(pairs))


def _write(output: Path, job: _Job) -> dict[str, Any]:
    with new_folder(output) as folder:
        counted = _count(job)
        specials = SPECIAL_TOKENS if job.kind == "sentences" else ()
        vocabulary = tuple(dict.fromkeys((*specials, *counted.choose(job.choice))))
        labels = counted.label_names()
        splits, dropped = _write_shards(folder, job, counted.sizes, vocabulary, labels)
        shares = f"single texts held out of train by seed, about these shares: {job.shares}"
        manifest = {
            "format": FORMAT,
            "kind": job.kind,
            "name": output.name,
            "tokenization": job.tokenizer.tokenization,
            "ngram_range": list(job.tokenizer.ngram_range),
            "label_names": list(labels),
            "notes": {
                "source": {split: texts.names for split, texts in job.splits.items()},
                "vocabulary": job.choice.describe(),
                **({"tokens": "counts as given in the files"} if job.are_counts else job.notes),
                **job.tokenizer.notes,
                "split": shares if job.shares else "as given",
                "split_seed": job.seed,
                **({"words_forgotten_while_counting": counted.forgotten} if counted.forgotten else {}),
                **{split: {"empty_dropped": dropped[split]} for split in SPLITS},
            },
            "splits": splits,
        }
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def _write_shards(
    folder: Path, job: _Job, sizes: Mapping[str, int], vocabulary: tuple[str, ...], labels: tuple[str, ...]
) -> tuple[dict[str, dict[str, Any]], Counter[str]]:
    """Writes all records and the vocabulary: (the manifest's part on the splits, the number of empty examples of each)."""
    ids = {word.encode(): number for number, word in enumerate(vocabulary)}
    label_ids = {label: number for number, label in enumerate(labels)}
    dropped: Counter[str] = Counter(dict.fromkeys(SPLITS, 0))
    totals = np.zeros(len(vocabulary), np.int64)
    shards = dict.fromkeys(SPLITS, 1) | {"train": min(_MOST_SHARDS, -(-sizes["train"] // job.examples_per_shard))}
    writers = {split: ShardWriter(folder, split, number) for split, number in shards.items()}
    with ExitStack() as stack:
        for writer in writers.values():
            stack.callback(writer.close)
        for split, text, words in job.stream():
            features = job.features(text, words, ids) if words else {"": []}
            tokens, counts = next(iter(features.values())), features.get("counts")
            if not tokens:
                dropped[split] += 1
                continue
            if labels:
                features["label"] = [label_ids[text.label or ""]]
            writers[split].write(features, sum(counts) if counts else len(tokens))
            if split == "train":
                np.add.at(totals, tokens, counts or 1)
    write_vocabulary(folder / VOCABULARY, vocabulary, totals)
    splits = {split: writer.description() for split, writer in writers.items()}
    if not job.are_counts:
        first = FIRST_WORD_ID if job.kind == "sentences" else 0
        lost_words = totals[UNK_ID] / max(1, totals[UNK_ID:].sum()) if first else 0.0
        lost_texts = 1 - splits["train"]["examples"] / max(1, sizes["train"])
        job.choice.check_fit(totals[first:], lost_texts=lost_texts, lost_words=lost_words)
    for split in SPLITS:
        if not splits[split]["examples"]:
            raise ValueError(
                f"The {split} split must hold an example with a word of the vocabulary. Received none. Give more text."
            )
    return splits, dropped


@dataclass
class _Counted:
    """What one pass over the examples counts."""

    sizes: Counter[str] = field(default_factory=Counter)
    labels: set[str | None] = field(default_factory=set)
    words: Counter[bytes] = field(default_factory=Counter)
    texts: Counter[bytes] = field(default_factory=Counter)
    forgotten: int = 0

    def forget_rare(self) -> None:
        """Drops the words seen once: a word among the few thousand most frequent ones loses nothing that matters by it."""
        kept = Counter({word: total for word, total in self.words.items() if total > 1})
        self.forgotten += len(self.words) - len(kept)
        self.words = kept
        self.texts = Counter({word: number for word, number in self.texts.items() if word in kept})

    def label_names(self) -> tuple[str, ...]:
        if None in self.labels and len(self.labels) > 1:
            raise ValueError("Either all examples or none must have labels. Received: some without.")
        return () if None in self.labels else tuple(sorted(str(label) for label in self.labels))

    def choose(self, choice: VocabularyChoice) -> tuple[str, ...]:
        if choice.words is not None:
            return choice.words
        for token in SPECIAL_TOKENS:
            self.words.pop(token.encode(), None)
        words = [word.decode() for word in self.words]
        counts = np.fromiter(self.words.values(), np.int64, len(words))
        texts = np.array([self.texts[word] for word in self.words], np.int64)
        chosen = choice.choose(words, counts, texts, self.sizes["train"])
        return tuple(words[row] for row in chosen)


def _count(job: _Job) -> _Counted:
    """One pass over the examples."""
    counted = _Counted()
    for split, text, words in job.stream():
        if not words:
            continue
        counted.sizes[split] += 1
        counted.labels.add(text.label)
        if split != "train" or job.choice.words is not None:
            continue
        counted.words.update(words)
        if job.choice.needs_text_counts:
            counted.texts.update(set(words))
        if len(counted.words) > _MOST_WORDS:
            counted.forget_rare()
    return counted
