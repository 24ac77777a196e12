"""Some test documents with the training documents whose codes are nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from tf_vmf.data.corpus import BagOfWordsCorpus
from tf_vmf.data.documents import Documents
from tf_vmf.report.context import DocumentContext
from tf_vmf.report.engine.excerpts import Neighbor, NeighborList, document_excerpts
from tf_vmf.report.engine.neighbors import LabelAgreement, Neighbors, label_agreement, nearest_neighbors
from tf_vmf.report.page.page import Block, PassageList, Section, Text
from tf_vmf.report.phrases import agreement_text, passage
from tf_vmf.report.section import ReportSection

_QUERIES, _SHOWN_NEIGHBORS, _COUNTED_NEIGHBORS = 4, 3, 5


@dataclass(frozen=True)
class DocumentNeighbors(ReportSection):
    """Nearest neighbors.

    Attributes:
        neighbors: Some test documents with their nearest training documents.
        agreement: How often neighbors share a label; None without labels.
    """

    neighbors: tuple[NeighborList, ...]
    agreement: LabelAgreement | None

    @classmethod
    def find(cls, context: DocumentContext) -> Self:
        corpus, codes = context.corpus, context.train.codes
        found = nearest_neighbors(codes, context.test.codes, k=min(_COUNTED_NEIGHBORS, len(codes)))
        labels, test_labels = corpus.train.labels, corpus.test.labels
        return cls(
            tuple(_neighbor_list(corpus, found, query) for query in _varied_rows(corpus.test, context.seed)),
            None if labels is None or test_labels is None else label_agreement(found, labels, test_labels),
        )

    def render(self) -> Section:
        labeled = self.agreement is not None
        blocks: list[Block] = [
            Text(
                "Some test documents, and the training documents whose codes have the largest cosine with theirs (1: the same "
                "direction)." + (" A check mark (✓) marks the same label." if labeled else "")
            )
        ]
        if self.agreement is not None:
            blocks.append(agreement_text(self.agreement, "document"))
        blocks += [
            PassageList(
                passage(found.query),
                [passage(near.excerpt, f"{near.cosine:.2f}", same=bool(near.same_label)) for near in found.found],
            )
            for found in self.neighbors
        ]
        return Section("Nearest neighbors", blocks)


def _neighbor_list(corpus: BagOfWordsCorpus, found: Neighbors, query: int) -> NeighborList:
    labels, test_labels = corpus.train.labels, corpus.test.labels
    near = found.rows[query, :_SHOWN_NEIGHBORS]
    return NeighborList(
        query=document_excerpts(corpus, corpus.test, [query])[0],
        found=tuple(
            Neighbor(
                excerpt=excerpt,
                cosine=float(cosine),
                same_label=None if labels is None or test_labels is None else bool(labels[row] == test_labels[query]),
            )
            for row, excerpt, cosine in zip(
                near, document_excerpts(corpus, corpus.train, near), found.cosines[query], strict=False
            )
        ),
    )


def _varied_rows(documents: Documents, seed: int) -> list[int]:
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
    return candidates[:_QUERIES]
