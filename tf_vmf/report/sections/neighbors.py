"""Some test examples with the training examples whose codes are nearest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tf_vmf.data.documents import Documents
from tf_vmf.report.context import DocumentContext, SentenceContext
from tf_vmf.report.engine.excerpts import Excerpt, Neighbor, NeighborList
from tf_vmf.report.engine.neighbors import LabelAgreement, Neighbors, label_agreement, nearest_neighbors
from tf_vmf.report.engine.sentence_decoding import varied_rows
from tf_vmf.report.page.page import Block, Passage, PassageList, Section, Text
from tf_vmf.report.phrases import agreement_text, passage
from tf_vmf.report.section import ReportSection

_COUNTED = 5  # neighbors whose labels are counted
_DOCUMENTS, _DOCUMENT_NEIGHBORS = 4, 3
_SENTENCES, _SENTENCE_NEIGHBORS = 5, 4


@dataclass(frozen=True)
class DocumentNeighbors(ReportSection):
    """Nearest neighbors."""

    neighbors: tuple[NeighborList, ...]  # some test documents with their nearest training documents
    agreement: LabelAgreement | None  # how often neighbors share a label; None without labels

    @classmethod
    def find(cls, context: DocumentContext) -> Self:
        train, test = context.corpus.train, context.corpus.test
        found = nearest_neighbors(context.train.codes, context.test.codes, k=min(_COUNTED, len(train)))
        rows = _varied_documents(test, context.seed)
        return cls(_lists(context, train, found, rows, rows, _DOCUMENT_NEIGHBORS), _agreement(found, train, test))

    def render(self) -> Section:
        blocks: list[Block] = [_about("document", "the training documents", self.agreement)]
        if self.agreement is not None:
            blocks.append(agreement_text(self.agreement, "document"))
        return Section("Nearest neighbors", [*blocks, *_passages(self.neighbors, passage, 2)])


@dataclass(frozen=True)
class SentenceNeighbors(ReportSection):
    """Nearest neighbors."""

    neighbors: tuple[NeighborList, ...]  # some test sentences with their nearest training sentences
    num_searched: int  # training sentences among which neighbors are searched
    train_examples: int  # training sentences in all
    agreement: LabelAgreement | None  # how often neighbors share a label; None without labels
    reads_label: bool  # whether the encoder reads the label

    @classmethod
    def find(cls, context: SentenceContext) -> Self | None:
        if context.latent is None:
            return None
        test, searched, codes, agreement = context.corpus.test, context.searched, context.train.codes, None
        if searched.labels is not None and test.labels is not None:
            counted = nearest_neighbors(codes, context.test.codes, min(_COUNTED, len(searched)))
            agreement = _agreement(counted, searched, test)
        rows = varied_rows(test, _SENTENCES, context.seed + 2).tolist()
        found = nearest_neighbors(codes, context.test.codes[rows], min(_SENTENCE_NEIGHBORS, len(searched)))
        lists = _lists(context, searched, found, rows, list(range(len(rows))), _SENTENCE_NEIGHBORS)
        return cls(lists, len(searched), context.run.train_examples, agreement, context.setting.reads_label)

    def render(self) -> Section:
        searched = "the" if self.num_searched == self.train_examples else f"{self.num_searched:,}"
        blocks: list[Block] = [_about("sentence", f"those of {searched} training sentences", self.agreement)]
        if self.agreement is not None:
            blocks.append(agreement_text(self.agreement, "sentence"))
            if self.reads_label:
                about = (
                    "The encoder is given the label, so this agreement says nothing about the words of the sentences."
                )
                blocks.append(Text(about))
        return Section("Nearest neighbors", [*blocks, *_passages(self.neighbors, _sentence, 3)])


def _agreement(found: Neighbors, train: Any, test: Any) -> LabelAgreement | None:
    return None if train.labels is None or test.labels is None else label_agreement(found, train.labels, test.labels)


def _lists(
    context: Any, train: Any, found: Neighbors, rows: list[int], places: list[int], number: int
) -> tuple[NeighborList, ...]:
    """Test examples at `rows`, whose neighbors stand at `places` of what was found, each with its first neighbors."""
    test, lists = context.corpus.test, []
    labeled = train.labels is not None and test.labels is not None
    for query, row, place in zip(context.excerpts(test, rows), rows, places, strict=True):
        near, cosines = found.rows[place, :number], found.cosines[place]
        same = [bool(train.labels[each] == test.labels[row]) if labeled else None for each in near]
        neighbors = zip(context.excerpts(train, near), map(float, cosines), same, strict=False)
        lists.append(NeighborList(query, tuple(Neighbor(*each) for each in neighbors)))
    return tuple(lists)


def _about(noun: str, searched: str, agreement: LabelAgreement | None) -> Text:
    marked = "" if agreement is None else " A check mark (✓) marks the same label."
    return Text(
        f"Some test {noun}s, and {searched} whose codes have the largest cosine with theirs (1: the same direction).{marked}"
    )


def _passages(lists: tuple[NeighborList, ...], show: Callable[..., Passage], digits: int) -> list[PassageList]:
    return [
        PassageList(
            show(each.query),
            [show(near.excerpt, f"{near.cosine:.{digits}f}", same=bool(near.same_label)) for near in each.found],
        )
        for each in lists
    ]


def _sentence(excerpt: Excerpt, score: str = "", *, same: bool = False) -> Passage:
    return Passage(excerpt.label if score else excerpt.label or "Test sentence", excerpt.text, score, same)


def _varied_documents(documents: Documents, seed: int) -> list[int]:
    """Documents of middling length and, where there are labels, of different ones."""
    lengths = np.asarray(documents.counts.sum(axis=1)).ravel()
    low, high = np.quantile(lengths, [0.3, 0.95])
    order = np.random.default_rng(seed).permutation(len(documents))
    candidates = [int(row) for row in order if low <= lengths[row] <= high]
    if documents.labels is not None:
        first: dict[int, int] = {}
        for row in candidates:
            first.setdefault(int(documents.labels[row]), row)
        candidates = list(first.values())
    return candidates[:_DOCUMENTS]
