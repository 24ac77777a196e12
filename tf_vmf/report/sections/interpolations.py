"""Sentences decoded between the codes of two test sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from tf_vmf.report.context import SentenceContext
from tf_vmf.report.engine.sentence_decoding import interpolate_sentences, varied_rows
from tf_vmf.report.page.page import Block, Section, Table, Text
from tf_vmf.report.section import ReportSection

_PATHS, _PATH_POINTS = 3, 5


@dataclass(frozen=True)
class Interpolation:
    """Sentences decoded greedily between the codes of two test sentences.

    Attributes:
        start, end: The two sentences.
        fractions: Where on the way, 0 to 1.
        decoded: The sentence decoded there.
    """

    start: str
    end: str
    fractions: tuple[float, ...]
    decoded: tuple[str, ...]


@dataclass(frozen=True)
class Interpolations(ReportSection):
    """Sentences decoded greedily between the codes of two test sentences.

    Attributes:
        interpolations: The ways.
        way: What they follow, as "great circle".
        given: What the decoder is given besides code and words, or "".
    """

    interpolations: tuple[Interpolation, ...]
    way: str
    given: str

    @classmethod
    def find(cls, context: SentenceContext) -> Self | None:
        """None where there are fewer than two sentences."""
        if context.latent is None:
            return None
        corpus = context.corpus
        rows = varied_rows(corpus.test, 2 * _PATHS, context.seed + 1)
        fractions = tuple(float(fraction) for fraction in np.linspace(0, 1, _PATH_POINTS))
        found = []
        for first, second in zip(rows[::2], rows[1::2], strict=False):
            ends = corpus.test.take(np.array([first, second]))
            decoded = interpolate_sentences(context.model, ends, _PATH_POINTS, max_length=context.max_length)
            start, end = (corpus.to_text(corpus.test[row]) for row in (first, second))
            found.append(Interpolation(start, end, fractions, tuple(map(corpus.to_text, decoded))))
        if not found:
            return None
        return cls(tuple(found), context.latent.description.path, context.setting.given)

    def render(self) -> Section:
        given = self.given
        beside = f" The decoder is given {given} of the first sentence all the way." if given else ""
        blocks: list[Block] = [
            Text(
                f"Codes at equal distances on the {self.way} between those of two test sentences, decoded greedily.{beside} In a "
                "good latent space every point decodes to a sentence that differs a little from the one before."
            )
        ]
        for found in self.interpolations:
            rows = [
                ("From", found.start),
                *((f"{fraction:.0%}", text) for fraction, text in zip(found.fractions, found.decoded, strict=True)),
                ("To", found.end),
            ]
            blocks.append(Table(("Way", "Sentence"), rows, highlight=(0, len(rows) - 1), sortable=False))
        return Section("Interpolation", blocks)
