"""Sentences that a model writes from no other sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tf_vmf.report.context import SentenceContext
from tf_vmf.report.engine.sentence_decoding import conditions, decode, prior_codes, sentence_tensors, varied_rows
from tf_vmf.report.page.page import Section, Table, Text
from tf_vmf.report.section import ReportSection

_SAMPLES = 8


@dataclass(frozen=True)
class PriorSamples(ReportSection):
    """Sentences that are written from no other sentence.

    Attributes:
        greedy: Decoded greedily from codes of the prior; () of a model without a code.
        drawn: Drawn word by word, from the same codes where there are codes.
        given: The test sentences whose bags of words the model was given; () where it reads none.
        has_code: Whether the model has a code.
        reads: What a plain language model conditions on, or "".
    """

    greedy: tuple[str, ...]
    drawn: tuple[str, ...]
    given: tuple[str, ...]
    has_code: bool
    reads: str

    @classmethod
    def find(cls, context: SentenceContext) -> Self | None:
        """None of a model that must be given a label, whose samples are with the labels."""
        model, corpus, seed, max_length = context.model, context.corpus, context.seed, context.max_length
        if model.num_labels:
            return None
        shown = varied_rows(corpus.test, _SAMPLES, seed)
        given = conditions(model, sentence_tensors(corpus.test.take(shown)))
        words_given = tuple(corpus.to_text(corpus.test[row]) for row in shown) if model.bag_of_words_units else ()
        if model.latent is None:
            samples = model.sample(len(shown), seed=seed, max_length=max_length, allow_unknown=False, **given).numpy()
            return cls((), tuple(map(corpus.to_text, samples)), words_given, False, context.setting.reads)
        codes = prior_codes(model, len(shown), seed)
        greedy = decode(model, codes, max_length, **given)
        drawn = decode(model, codes, max_length, sampler="random", seed=seed, **given)
        texts = tuple(map(corpus.to_text, greedy)), tuple(map(corpus.to_text, drawn))
        return cls(*texts, words_given, True, context.setting.reads)

    def render(self) -> Section:
        columns = [("Drawn word by word", self.drawn)]
        if not self.has_code:
            about = f"Sentences drawn from the model: each word from its distribution{self.reads}, never <unk>."
        else:
            columns = [("Decoded greedily", self.greedy), ("Drawn from the same code", self.drawn)]
            about = (
                "Codes drawn from the prior, not those of sentences. On the left the most probable word at each step, on the right "
                "words drawn from their distributions; never <unk>."
            )
        if self.given:
            about += " The model is also given a bag of words: that of a test sentence."
            columns.insert(0, ("Words given", self.given))
        header = tuple(name for name, _ in columns)
        rows = list(zip(*(texts for _, texts in columns), strict=True))
        return Section("Samples" if not self.has_code else "Samples from the prior", [Text(about), Table(header, rows)])
