"""From text of any size to a prepared corpus: one pass to count words, one to write records, memory bounded in both."""

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tf_vmf.data.corpora.feat import is_feat, iterate_feat
from tf_vmf.data.numbered import check_tokens, tokenized
from tf_vmf.data.shards import MANIFEST, VOCABULARY, ShardWriter, manifest_of, write_vocabulary
from tf_vmf.data.splits import SPLITS
from tf_vmf.data.texts import Paths, Text, TextFiles, expand_paths
from tf_vmf.files import new_folder
from tf_vmf.text.tokenization import Tokenizer
from tf_vmf.text.tokens import EOS_ID, SPECIAL_TOKENS, UNK_ID
from tf_vmf.text.vocabulary import VocabularyChoice, read_stop_words, read_vocabulary

_HELD_OUT_SHARE, _HELD_OUT_EXAMPLES = 0.1, 10_000  # what is held out by default, the lesser of both: it stays in memory
_MOST_SHARDS = 512  # all are open at once while they are written
_MOST_WORDS = 5_000_000  # words counted at once; beyond them those seen once are forgotten


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
    ngram_range: tuple[int, int] = (1, 1),
    label_column: int | None = None,
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
        ngram_range: the lengths of runs of words that count as a word.
        label_column: which of two tab-separated columns holds the label.
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
    tokenizer = Tokenizer(tokenization, ngram_range)
    words = None if vocab_file is None else read_vocabulary(vocab_file)
    stopped = frozenset() if words is not None else read_stop_words(stop_words, tokenizer)
    choice = VocabularyChoice(
        vocabulary_size, min_count, min_df, max_df, stopped, words, ngrams=tokenizer.ngram_range[1] > 1
    )
    files = _given(train_files, valid_files, test_files)
    counted = [is_feat(path) for paths in files.values() for path in expand_paths(paths)]
    source: _Source
    if any(counted):
        if not all(counted) or words is None:
            raise ValueError(
                "`.feat` files hold ids of a vocabulary: expected `.feat` files alone, and `vocab_file`. Received: "
                f"{files}; vocab_file={vocab_file!r}."
            )
        source = _Counts({split: expand_paths(paths) for split, paths in files.items()}, words)
        notes = {"tokens": "counts as given in the files"}
    else:
        texts = {split: TextFiles(paths, whole_files=True, label_column=label_column) for split, paths in files.items()}
        source = _Documents(texts, tokenizer)
        notes = {"tokens": f"words of the vocabulary, tokenization {tokenization!r}"}
    sizes = {"test": test_size, "valid": validation_size}
    return _write(Path(output), _Job(source, tokenizer, choice, sizes, seed, examples_per_shard, notes))


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
    tokenizer = Tokenizer(tokenization)
    words = None if vocab_file is None else read_vocabulary(vocab_file)
    choice = VocabularyChoice(vocabulary_size - 2, min_count, words=words)
    files = _given(train_files, valid_files, test_files)
    texts = {split: TextFiles(paths, label_column=label_column) for split, paths in files.items()}
    source = _Sentences(texts, tokenizer, split_sentences, max_length)
    sizes = {"test": test_size, "valid": validation_size}
    notes = {"max_length": max_length}
    return _write(Path(output), _Job(source, tokenizer, choice, sizes, seed, examples_per_shard, notes))


class _Source(ABC):
    """Examples of every split that has files, before they are numbered; can be read again and again."""

    kind: str
    specials: tuple[str, ...] = ()

    def __init__(self, splits: Mapping[str, Any]) -> None:
        self.splits = splits

    @property
    def names(self) -> dict[str, list[str]]:
        """The names of the files."""
        return {split: texts.names for split, texts in self.splits.items()}

    @abstractmethod
    def examples(self, split: str) -> Iterator[tuple[int, Text, Any]]:
        """Yields (position of the text, the text, its words as `Counter.update` takes them)."""

    @abstractmethod
    def features(self, text: Text, words: Any, ids: Mapping[bytes, int]) -> dict[str, list[int]]:
        """The features of a record; the first is empty where the record would be."""

    def count_texts(self, split: str) -> int:
        """The number of texts."""
        return sum(1 for _ in self.splits[split])


class _Documents(_Source):
    kind = "documents"

    def __init__(self, splits: Mapping[str, TextFiles], tokenizer: Tokenizer) -> None:
        super().__init__(splits)
        self._tokenizer = tokenizer

    def examples(self, split: str) -> Iterator[tuple[int, Text, Any]]:
        for index, text, words in tokenized(self.splits[split], self._tokenizer):
            yield index, text, Counter(words)

    def features(self, text: Text, words: Any, ids: Mapping[bytes, int]) -> dict[str, list[int]]:
        counts = sorted((ids[word], count) for word, count in words.items() if word in ids)
        return {"ids": [number for number, _ in counts], "counts": [count for _, count in counts]}


class _Counts(_Documents):
    """Documents of `.feat` files."""

    def __init__(self, splits: Mapping[str, list[Path]], vocabulary: tuple[str, ...]) -> None:
        super().__init__({}, Tokenizer())
        self._words = [word.encode() for word in vocabulary]
        self._size = len(vocabulary)
        self.splits = splits

    @property
    def names(self) -> dict[str, list[str]]:
        return {split: [path.name for path in paths] for split, paths in self.splits.items()}

    def examples(self, split: str) -> Iterator[tuple[int, Text, Any]]:
        index = 0
        for path in self.splits[split]:
            for label, ids, counts in iterate_feat(path, self._size):
                words = {self._words[number]: count for number, count in zip(ids, counts, strict=True)}
                yield index, Text("", str(label)), words
                index += 1

    def count_texts(self, split: str) -> int:
        return sum(1 for _ in self.examples(split))


class _Sentences(_Source):
    kind = "sentences"
    specials = SPECIAL_TOKENS

    def __init__(
        self, splits: Mapping[str, TextFiles], tokenizer: Tokenizer, splitting: bool, max_length: int | None
    ) -> None:
        super().__init__(splits)
        self._tokenizer = tokenizer
        self._splitting = splitting
        self._limit = None if max_length is None else max_length - 1  # one place is for <eos>

    def examples(self, split: str) -> Iterator[tuple[int, Text, Any]]:
        for index, text, words in tokenized(self.splits[split], self._tokenizer, self._splitting):
            if words:
                yield index, text, words[: self._limit]

    def features(self, text: Text, words: Any, ids: Mapping[bytes, int]) -> dict[str, list[int]]:
        tokens = [ids.get(word, UNK_ID) for word in words]
        check_tokens(tokens, text)
        return {"tokens": [*tokens, EOS_ID]}


@dataclass(frozen=True)
class _Draw:
    """Which texts of train go to splits that have no files; each is drawn on its own."""

    shares: Mapping[str, float]
    seed: int

    @classmethod
    def of(cls, source: _Source, wanted: Mapping[str, int | float | None], seed: int) -> "_Draw":
        """The shares of the splits that have no files, of the sizes that are wanted."""
        sizes = {split: size for split, size in wanted.items() if split not in source.splits}
        number = 0
        if any(not isinstance(size, float) for size in sizes.values()):
            number = source.count_texts("train")
        shares = {}
        for split, size in sizes.items():
            if size is None:
                size = min(_HELD_OUT_SHARE, _HELD_OUT_EXAMPLES / max(1, number))
            shares[split] = float(size) if isinstance(size, float) else size / max(1, number)
        if shares and (sum(shares.values()) >= 1 or min(shares.values()) <= 0):
            raise ValueError(
                "`validation_size` and `test_size` must be shares in (0, 1), or numbers of texts, that leave some of "
                f"{number or 'the'} texts to train on. Received: validation_size={wanted['valid']}, test_size={wanted['test']}."
            )
        return cls(shares, seed)

    def split_of(self, split: str) -> Callable[[int], str]:
        """A function from the position of a text, which must not fall, to its split."""
        if split != "train" or not self.shares:
            return lambda index: split
        # numpy promises the stream of RandomState for good.
        random = np.random.RandomState(self.seed)
        edges = np.cumsum(list(self.shares.values()))
        names = [*self.shares, "train"]
        block, start = np.zeros(0, np.int64), 0

        def split_at(index: int) -> str:
            nonlocal block, start
            while index >= start + len(block):
                start += len(block)
                block = np.searchsorted(edges, random.random_sample(4096), side="right")
            return names[block[index - start]]

        return split_at


@dataclass(frozen=True)
class _Job:
    """What to prepare."""

    source: _Source
    tokenizer: Tokenizer
    choice: VocabularyChoice
    sizes: Mapping[str, int | float | None]
    seed: int
    examples_per_shard: int
    notes: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.examples_per_shard < 1:
            raise ValueError(f"`examples_per_shard` must be positive. Received: {self.examples_per_shard}.")

    @cached_property
    def draw(self) -> _Draw:
        """The split of every text; reads the texts once where their number is needed."""
        return _Draw.of(self.source, self.sizes, self.seed)

    def stream(self) -> Iterator[tuple[str, Text, Any]]:
        """Yields (split, text, words) of every example."""
        for split in self.source.splits:
            split_at = self.draw.split_of(split)
            for index, text, words in self.source.examples(split):
                yield split_at(index), text, words


def _write(output: Path, job: _Job) -> dict[str, Any]:
    with new_folder(output) as folder:
        counted = _count(job)
        vocabulary = tuple(dict.fromkeys((*job.source.specials, *counted.choose(job.choice))))
        labels = counted.label_names()
        shards = dict.fromkeys(SPLITS, 1)
        shards["train"] = min(_MOST_SHARDS, -(-counted.sizes["train"] // job.examples_per_shard))
        splits, dropped = _write_shards(folder, job, shards, vocabulary, labels)
        manifest = manifest_of(
            job.source.kind,
            output.name,
            tokenizer=job.tokenizer,
            label_names=labels,
            notes={
                "source": job.source.names,
                "vocabulary": job.choice.describe(),
                **job.notes,
                **_split_notes(job.draw),
                **({"words_forgotten_while_counting": counted.forgotten} if counted.forgotten else {}),
                **{split: {"empty_dropped": dropped[split]} for split in SPLITS},
            },
            splits=splits,
        )
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def _write_shards(
    folder: Path, job: _Job, shards: Mapping[str, int], vocabulary: tuple[str, ...], labels: tuple[str, ...]
) -> tuple[dict[str, dict[str, Any]], Counter[str]]:
    """Writes all records and the vocabulary: (the manifest's part on the splits, the number of empty examples of each)."""
    ids = {word.encode(): number for number, word in enumerate(vocabulary)}
    label_ids = {label: number for number, label in enumerate(labels)}
    dropped: Counter[str] = Counter(dict.fromkeys(SPLITS, 0))
    totals = np.zeros(len(vocabulary), np.int64)
    with ExitStack() as stack:
        writers = {split: stack.enter_context(ShardWriter(folder, split, number)) for split, number in shards.items()}
        for split, text, words in job.stream():
            features = job.source.features(text, words, ids)
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


def _given(train: Paths, valid: Paths | None, test: Paths | None) -> dict[str, Paths]:
    """The files of the splits that have some."""
    return {split: paths for split, paths in zip(SPLITS, (train, valid, test), strict=True) if paths is not None}


def _split_notes(draw: _Draw) -> dict[str, Any]:
    shares = f"single texts held out of train by seed, about these shares: {dict(draw.shares)}"
    return {"split": shares if draw.shares else "as given", "split_seed": draw.seed}
