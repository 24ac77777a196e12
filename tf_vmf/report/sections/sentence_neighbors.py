"""Some test sentences with the training sentences whose codes are nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tf_vmf.report.context import SentenceContext
from tf_vmf.report.engine.excerpts import Neighbor, NeighborList
from tf_vmf.report.engine.neighbors import LabelAgreement, label_agreement, nearest_neighbors
from tf_vmf.report.engine.sentence_decoding import varied_rows
from tf_vmf.report.page.page import Block, Passage, PassageList, Section, Text
from tf_vmf.report.phrases import agreement_text
from tf_vmf.report.section import ReportSection

_QUERIES, _SHOWN_NEIGHBORS, _COUNTED_NEIGHBORS = 5, 4, 5


@dataclass(frozen=True)
class SentenceNeighbors(ReportSection):
    """Nearest neighbors.

    Attributes:
        neighbors: Some test sentences with their nearest training sentences.
        num_searched: Training sentences among which neighbors are searched.
        train_examples: Training sentences in all.
        agreement: How often neighbors share a label; None without labels.
        reads_label: Whether the encoder reads the label.
    """

    neighbors: tuple[NeighborList, ...]
    num_searched: int
    train_examples: int
    agreement: LabelAgreement | None
    reads_label: bool

    @classmethod
    def find(cls, context: SentenceContext) -> Self | None:
        if context.latent is None:
            return None
        corpus, searched, train, test = context.corpus, context.searched, context.train, context.test
        labels, test_labels, agreement = searched.labels, corpus.test.labels, None
        if labels is not None and test_labels is not None:
            counted = nearest_neighbors(train.codes, test.codes, min(_COUNTED_NEIGHBORS, len(searched)))
            agreement = label_agreement(counted, labels, test_labels)
        queries = varied_rows(corpus.test, _QUERIES, context.seed + 2)
        found = nearest_neighbors(train.codes, test.codes[queries], min(_SHOWN_NEIGHBORS, len(searched)))
        neighbors = tuple(
            NeighborList(
                query=context.excerpt(corpus.test, query),
                found=tuple(
                    Neighbor(
                        context.excerpt(searched, row),
                        float(cosine),
                        None if labels is None or test_labels is None else bool(labels[row] == test_labels[query]),
                    )
                    for row, cosine in zip(found.rows[place], found.cosines[place], strict=True)
                ),
            )
            for place, query in enumerate(queries)
        )
        return cls(neighbors, len(searched), context.run.train_examples, agreement, context.setting.reads_label)

    def render(self) -> Section:
        labeled = self.agreement is not None
        searched = "the" if self.num_searched == self.train_examples else f"{self.num_searched:,}"
        blocks: list[Block] = [
            Text(
                f"Some test sentences, and those of {searched} training sentences whose codes have the largest cosine with theirs "
                "(1: the same direction)." + (" A check mark (✓) marks the same label." if labeled else "")
            )
        ]
        if self.agreement is not None:
            blocks.append(agreement_text(self.agreement, "sentence"))
            if self.reads_label:
                blocks.append(
                    Text(
                        "The encoder is given the label, so this agreement says nothing about the words of the sentences."
                    )
                )
        blocks += [
            PassageList(
                Passage(found.query.label or "Test sentence", found.query.text),
                [
                    Passage(near.excerpt.label, near.excerpt.text, f"{near.cosine:.3f}", bool(near.same_label))
                    for near in found.found
                ],
            )
            for found in self.neighbors
        ]
        return Section("Nearest neighbors", blocks)
