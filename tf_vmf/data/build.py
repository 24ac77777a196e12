"""From texts or counts to a corpus: splits, vocabulary, labels and notes, for documents and sentences alike."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.data.arrays import IN_MEMORY, Store
from tf_vmf.data.corpus import BagOfWordsCorpus, SentenceCorpus
from tf_vmf.data.counts import counts_of
from tf_vmf.data.documents import Documents
from tf_vmf.data.numbering import NumberedTexts, Numbering, number_texts
from tf_vmf.data.sentences import Sentences
from tf_vmf.data.splits import SPLITS, HeldOut, split_three_ways
from tf_vmf.text.files import Text
from tf_vmf.text.tokenization import NO_WORDS, Tokenizer
from tf_vmf.text.vocabulary import FIRST_WORD_ID, SPECIAL_TOKENS, UNK_ID, VocabularyChoice

_Parts = dict[
    str, tuple[NumberedTexts, np.ndarray]
]  # of each split: the texts, and the positions of its examples among them


def documents_from_texts(
    name: str,
    splits: Mapping[str, Iterable[Text]],
    tokenizer: Tokenizer,
    choice: VocabularyChoice,
    held_out: HeldOut,
    notes: Mapping[str, Any],
    store: Store = IN_MEMORY,
) -> BagOfWordsCorpus:
    """Tokenizes, splits and counts; reads every text once. The training documents alone choose the vocabulary.

    In a `store` on disk the beginnings and titles of documents are not kept.
    """
    numbering = Numbering(choice.words or (), grows=choice.words is None)
    read, labels = _read(splits, numbering, tokenizer, display=store.folder is None, store=store.scratch)
    parts, held_out = _split(read, held_out)
    train, rows = parts["train"]
    totals = train.totals(rows, numbering.size, per_text=choice.needs_text_counts)
    vocabulary = numbering.choose(choice, *totals, len(rows))
    ids = numbering.new_ids(vocabulary, -1)
    documents: dict[str, Documents] = {}
    dropped: dict[str, int] = {}
    for split, (numbered, rows) in parts.items():
        tokens, offsets = numbered.renumbered(rows, ids, store.scratch)
        known = np.flatnonzero(np.diff(offsets))
        if split == "train":
            lost = 1 - len(known) / max(1, len(rows))
        dropped[split] = len(rows) - len(known) + (read[split].dropped if split in read else 0)
        ends = np.concatenate([[0], offsets[known + 1]])
        kept = rows[known]
        documents[split] = Documents(
            counts_of(tokens, ends, len(vocabulary), store, split),
            labels=labels.of(numbered, kept),
            texts=None if numbered.snippets is None else tuple(numbered.snippets[row] for row in kept),
            titles=None if numbered.titles is None else tuple(numbered.titles[row] for row in kept),
        )
    choice.check_fit(documents["train"].word_counts, lost_texts=lost)
    return documents_corpus(
        name,
        vocabulary,
        documents,
        tokenizer=tokenizer,
        dropped=dropped,
        label_names={str(number): label for number, label in enumerate(labels.names)},
        notes={
            **notes,
            **tokenizer.notes,
            "tokens": f"words of the vocabulary, tokenization {tokenizer.tokenization!r}",
            "vocabulary": choice.describe(),
            **held_out.notes("documents"),
            **_forgotten(numbering),
        },
    )


def documents_corpus(
    name: str,
    vocabulary: Sequence[str],
    splits: Mapping[str, Documents],
    *,
    notes: Mapping[str, Any],
    tokenizer: Tokenizer | None = None,
    dropped: Mapping[str, int] | None = None,
    label_names: Mapping[str, str] | None = None,
) -> BagOfWordsCorpus:
    """Drops empty documents, counts them in the notes, and turns labels into positions."""
    names, positions = label_positions({split: splits[split].labels for split in SPLITS})
    labeled = {split: replace(splits[split], labels=positions[split]) for split in SPLITS}
    kept = {split: labeled[split].without_empty() for split in SPLITS}
    empty = {split: len(splits[split]) - len(kept[split]) + (dropped or {}).get(split, 0) for split in SPLITS}
    for split, documents in kept.items():
        if not len(documents):
            expected = f"a document with a word of the vocabulary in the {split} split of corpus {name!r}"
            received = f"{empty[split]} documents, all empty"
            raise ArgumentError("texts", expected, received, "Give more text, or a larger vocabulary.")
    if not names and (labeled_splits := [split for split in SPLITS if splits[split].labels is not None]):
        warnings.warn(
            f"The labels of {', '.join(labeled_splits)} are dropped: the other splits have none.", stacklevel=2
        )
    if label_names is not None and set(names) <= set(label_names):
        names = tuple(label_names[label] for label in names)
    tokenizer = tokenizer or Tokenizer()
    return BagOfWordsCorpus(
        name=name,
        vocabulary=tuple(vocabulary),
        label_names=names,
        tokenization=tokenizer.tokenization,
        ngram_range=tokenizer.ngram_range,
        notes={**notes, **{split: {"empty_dropped": empty[split]} for split in SPLITS}},
        train=kept["train"],
        valid=kept["valid"],
        test=kept["test"],
    )


def sentences_from_texts(
    name: str,
    splits: Mapping[str, Iterable[Text]],
    tokenizer: Tokenizer,
    choice: VocabularyChoice,
    held_out: HeldOut,
    notes: Mapping[str, Any],
    store: Store = IN_MEMORY,
    *,
    max_length: int | None = None,
    splitting: bool = False,
) -> SentenceCorpus:
    """Tokenizes, splits and numbers; reads every text once."""
    first = dict.fromkeys((*SPECIAL_TOKENS, *(choice.words or ())))
    numbering = Numbering(first, grows=choice.words is None, unknown=UNK_ID, num_special=FIRST_WORD_ID)
    read, labels = _read(
        splits, numbering, tokenizer, splitting=splitting, max_length=max_length, sentences=True, store=store.scratch
    )
    parts, held_out = _split(read, held_out)
    for split in SPLITS:
        if not len(parts[split][1]):
            raise ArgumentError("texts", f"a sentence in the {split} split of corpus {name!r}", "none")
    label_of = {split: labels.of(numbered, rows) for split, (numbered, rows) in parts.items()}
    without = [split for split in SPLITS if label_of[split] is None]
    if without and without != list(SPLITS):
        expected = f"labels in all splits of corpus {name!r}, or in none"
        raise ArgumentError("labels", expected, f"none in {', '.join(without)}")
    train, rows = parts["train"]
    counts, _ = train.totals(rows, numbering.size, per_text=False)
    chosen = numbering.choose(choice, counts, None, len(rows))
    vocabulary = tuple(dict.fromkeys((*SPECIAL_TOKENS, *chosen)))
    new_ids = numbering.new_ids(vocabulary, UNK_ID)
    id_counts = np.bincount(new_ids, counts, len(vocabulary))
    choice.check_fit(id_counts[FIRST_WORD_ID:], lost_words=id_counts[UNK_ID] / (id_counts[UNK_ID:].sum()))
    sentences: dict[str, Sentences] = {}
    for split, (numbered, rows) in parts.items():
        column = label_of[split]
        tokens, offsets = numbered.renumbered(rows, new_ids, store, split)
        sentences[split] = Sentences(tokens, offsets, None if column is None else column.astype(np.int32))
    per_split = {
        split: {
            "truncated": int(numbered.truncated[rows].sum()),
            "empty_dropped": read[split].dropped if split in read else 0,
        }
        for split, (numbered, rows) in parts.items()
    }
    return SentenceCorpus(
        name=name,
        vocabulary=vocabulary,
        label_names=() if without else labels.names,
        tokenization=tokenizer.tokenization,
        notes={
            **notes,
            **tokenizer.notes,
            "vocabulary": f"{choice.describe()}; <eos> and <unk> beside them",
            **held_out.notes("lines"),
            "max_length": max_length,
            **_forgotten(numbering),
            **{split: per_split[split] for split in SPLITS},
        },
        train=sentences["train"],
        valid=sentences["valid"],
        test=sentences["test"],
    )


class _Labels:
    """The labels of all splits, as positions in the sorted list of their names."""

    def __init__(self, number_of: Mapping[str, int]) -> None:
        self.names = tuple(sorted(number_of))
        self._position = np.zeros(len(number_of), np.int64)
        for position, label in enumerate(self.names):
            self._position[number_of[label]] = position

    def of(self, numbered: NumberedTexts, rows: np.ndarray) -> np.ndarray | None:
        """The labels of the examples `rows`; None where some text has none."""
        if not len(numbered.labels) or numbered.labels.min() < 0:
            return None
        return self._position[numbered.labels[rows]]


def _read(
    splits: Mapping[str, Iterable[Text]], numbering: Numbering, tokenizer: Tokenizer, **options: Any
) -> tuple[dict[str, NumberedTexts], _Labels]:
    """Numbers the texts of every split; words that train does not hold get no number, as none is chosen."""
    number_of: dict[str, int] = {}
    read = {"train": number_texts(splits["train"], numbering, tokenizer, labels=number_of, **options)}
    for split in splits:
        if split != "train":
            read[split] = number_texts(splits[split], numbering.closed(), tokenizer, labels=number_of, **options)
    return read, _Labels(number_of)


def _split(read: dict[str, NumberedTexts], held_out: HeldOut) -> tuple[_Parts, HeldOut]:
    """The examples of each split, and what was held out in numbers."""
    parts: _Parts = {split: (numbered, np.arange(len(numbered))) for split, numbered in read.items()}
    if not held_out.sizes:
        return parts, held_out
    everything = read["train"]
    if everything.dropped and not everything.num_texts:
        raise ArgumentError("texts", "texts with words", f"{everything.dropped} texts without a word", NO_WORDS)
    held_out = held_out.of(everything.num_texts)
    texts = split_three_ways(everything.num_texts, held_out.sizes, held_out.seed)
    return parts | {split: (everything, everything.examples_of(rows)) for split, rows in texts.items()}, held_out


def _forgotten(numbering: Numbering) -> dict[str, int]:
    return {"words_forgotten_while_counting": numbering.forgotten} if numbering.forgotten else {}


def label_positions(columns: Mapping[str, np.ndarray | None]) -> tuple[tuple[str, ...], dict[str, np.ndarray | None]]:
    """The sorted names of all labels, and each column as int64 positions among them; () and Nones where a column is None."""
    values = {split: np.asarray(column) for split, column in columns.items() if column is not None}
    if len(values) < len(columns):
        return (), dict.fromkeys(columns)
    distinct = np.unique(np.concatenate(list(values.values())))
    names = tuple(str(value) for value in distinct)
    return names, {split: np.searchsorted(distinct, column).astype(np.int64) for split, column in values.items()}
