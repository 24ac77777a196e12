"""From texts or counts to a corpus: splits, vocabulary, labels and notes, for documents and sentences alike."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tf_vmf.data.corpus import BagOfWordsCorpus, SentenceCorpus
from tf_vmf.data.documents import Documents
from tf_vmf.data.numbered import NumberedTexts, number_texts, word_list
from tf_vmf.data.sentences import Sentences
from tf_vmf.data.splits import SPLITS, HeldOut, split_three_ways
from tf_vmf.data.texts import Text
from tf_vmf.text.tokenization import NO_WORDS, Tokenizer
from tf_vmf.text.tokens import FIRST_WORD_ID, SPECIAL_TOKENS, UNK_ID
from tf_vmf.text.vocabulary import VocabularyChoice


def documents_from_texts(
    name: str,
    splits: Mapping[str, Iterable[Text]],
    tokenizer: Tokenizer,
    choice: VocabularyChoice,
    held_out: HeldOut,
    notes: Mapping[str, Any],
) -> BagOfWordsCorpus:
    """Tokenizes, splits and counts; reads every text once.

    Args:
        name: the corpus's name.
        splits: the texts of `"train"`, and of `"valid"` and `"test"` where these are not held out of train.
        tokenizer: from text to words.
        choice: of the vocabulary, by the training documents alone.
        held_out: the splits to hold out of train.
        notes: for `Corpus.notes`.

    Raises:
        ValueError: a split without a document, or no word to choose.
    """
    numbering: dict[bytes, int] = {}
    read = {split: number_texts(texts, numbering, tokenizer) for split, texts in splits.items()}
    read, dropped = _split(read, held_out)
    words = word_list(numbering)
    absent = len(words)  # an empty column, for words of a given vocabulary that do not occur
    documents = {split: _documents(numbered, absent + 1) for split, numbered in read.items()}
    vocabulary = choice.words
    if vocabulary is None:
        train = documents["train"]
        text_counts = np.bincount(train.counts.indices, minlength=absent)
        chosen = choice.choose(words, train.word_counts[:absent], text_counts, len(train))
        vocabulary = tuple(words[row] for row in chosen)
    columns = [numbering.get(word.encode(), absent) for word in vocabulary]
    documents = {split: each.with_columns(columns) for split, each in documents.items()}
    train = documents["train"]
    choice.check_fit(train.word_counts, lost_texts=1 - len(train.without_empty()) / max(1, len(train)))
    return documents_corpus(
        name,
        vocabulary,
        documents,
        tokenizer=tokenizer,
        dropped=dropped,
        notes={
            **notes,
            **tokenizer.notes,
            "tokens": f"words of the vocabulary, tokenization {tokenizer.tokenization!r}",
            "vocabulary": choice.describe(),
            **held_out.notes("documents"),
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
    """Drops empty documents, counts them in the notes, and turns labels into positions.

    Args:
        name: the corpus's name.
        vocabulary: the words.
        splits: the documents of each split; labels are numbers or strings.
        notes: for `Corpus.notes`.
        tokenizer: how new text becomes words.
        dropped: the number of documents that were dropped already.
        label_names: names to show instead of labels, if it has all of them.

    Raises:
        ValueError: a split without a document.
    """
    names, positions = label_positions({split: splits[split].labels for split in SPLITS})
    labelled = {split: replace(splits[split], labels=positions[split]) for split in SPLITS}
    kept = {split: labelled[split].without_empty() for split in SPLITS}
    empty = {split: len(splits[split]) - len(kept[split]) + (dropped or {}).get(split, 0) for split in SPLITS}
    for split, documents in kept.items():
        if not len(documents):
            raise ValueError(
                f"Corpus {name!r}: the {split} split must hold a document with a word of the vocabulary. Received "
                f"{empty[split]} documents, all empty. Give more text, or a larger vocabulary."
            )
    if not names and (labelled_splits := [split for split in SPLITS if splits[split].labels is not None]):
        warnings.warn(
            f"The labels of {', '.join(labelled_splits)} are dropped: the other splits have none.", stacklevel=2
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
    *,
    max_length: int | None = None,
    splitting: bool = False,
) -> SentenceCorpus:
    """Tokenizes, splits and numbers; reads every text once.

    Args:
        name: the corpus's name.
        splits: this and the following as in `documents_from_texts`.
        tokenizer: from text to words.
        choice: of the vocabulary, special tokens not counted.
        held_out: the splits to hold out of train. The sentences of a text stay in the same split.
        notes: for `Corpus.notes`.
        max_length: tokens that a sentence may have.
        splitting: whether a text is split into sentences.

    Raises:
        ValueError: a split without a sentence, only some splits with labels, or no word to choose.
    """
    numbering = {token.encode(): number for number, token in enumerate(SPECIAL_TOKENS)}
    read = {
        split: number_texts(texts, numbering, tokenizer, splitting=splitting, max_length=max_length, sentences=True)
        for split, texts in splits.items()
    }
    read, dropped = _split(read, held_out)
    for split in SPLITS:
        if not len(read[split]):
            raise ValueError(f"Corpus {name!r}: the {split} split must hold a sentence. Received none.")
    label_names, labels = label_positions({split: read[split].labels for split in SPLITS})
    if not label_names and (without := [split for split in SPLITS if read[split].labels is None]) != list(SPLITS):
        raise ValueError(
            f"Corpus {name!r}: either all splits or none must have labels. Received none in {', '.join(without)}."
        )
    words = word_list(numbering)[FIRST_WORD_ID:]
    counts = np.bincount(read["train"].tokens, minlength=len(numbering))[FIRST_WORD_ID:]
    chosen = choice.words
    if chosen is None:
        chosen = tuple(words[row] for row in choice.choose(words, counts))
    vocabulary = tuple(dict.fromkeys((*SPECIAL_TOKENS, *chosen)))
    ids = {word: number for number, word in enumerate(vocabulary)}
    new_ids = np.array([*range(FIRST_WORD_ID), *(ids.get(word, UNK_ID) for word in words)], dtype=np.int32)
    id_counts = np.bincount(new_ids[read["train"].tokens], minlength=len(vocabulary))
    choice.check_fit(id_counts[FIRST_WORD_ID:], lost_words=id_counts[UNK_ID] / (id_counts[UNK_ID:].sum()))
    sentences = {
        split: Sentences(
            new_ids[read[split].tokens],
            read[split].offsets,
            None if column is None else column.astype(np.int32),
        )
        for split, column in labels.items()
    }
    per_split = {
        split: {"truncated": int(read[split].truncated.sum()), "empty_dropped": dropped.get(split, 0)}
        for split in SPLITS
    }
    return SentenceCorpus(
        name=name,
        vocabulary=vocabulary,
        label_names=label_names,
        tokenization=tokenizer.tokenization,
        notes={
            **notes,
            **tokenizer.notes,
            "vocabulary": f"{choice.describe()}; <eos> and <unk> beside them",
            **held_out.notes("lines"),
            "max_length": max_length,
            **per_split,
        },
        train=sentences["train"],
        valid=sentences["valid"],
        test=sentences["test"],
    )


def _split(read: dict[str, NumberedTexts], held_out: HeldOut) -> tuple[dict[str, NumberedTexts], dict[str, int]]:
    """The splits, held-out ones among them, and how many texts without a word were read for each."""
    dropped = {split: numbered.dropped for split, numbered in read.items()}
    if not held_out.sizes:
        return read, dropped
    everything = read["train"]
    if everything.dropped and not everything.num_texts:
        raise ValueError(f"Expected texts with words. Received: {everything.dropped} texts without a word. {NO_WORDS}")
    rows = split_three_ways(everything.num_texts, held_out.sizes, held_out.seed)
    return read | {split: everything.of_texts(rows[split]) for split in ("train", *held_out.sizes)}, dropped


def _documents(numbered: NumberedTexts, width: int) -> Documents:
    return Documents(
        numbered.counts(width),
        labels=numbered.labels,
        texts=None if numbered.snippets is None else tuple(numbered.snippets.tolist()),
        titles=None if numbered.titles is None else tuple(numbered.titles.tolist()),
    )


def label_positions(
    columns: Mapping[str, np.ndarray | None],
) -> tuple[tuple[str, ...], dict[str, np.ndarray | None]]:
    """Label values, numbers or strings, as int64 positions in the sorted list of all that occur.

    Args:
        columns: the labels of each split.

    Returns:
        (the names of the labels, the columns as positions); ((), a None for each column) if any is None.
    """
    values = {split: np.asarray(column) for split, column in columns.items() if column is not None}
    if len(values) < len(columns):
        return (), dict.fromkeys(columns)
    distinct = np.unique(np.concatenate(list(values.values())))
    names = tuple(str(value) for value in distinct)
    return names, {split: np.searchsorted(distinct, column).astype(np.int64) for split, column in values.items()}
