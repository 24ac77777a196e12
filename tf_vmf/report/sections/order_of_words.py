"""Changes of codes with the order of words, and their prediction from a bag of words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from tf_vmf.report.context import SentenceContext
from tf_vmf.report.engine.word_order import BeyondBagOfWords, WordOrder, beyond_bag_of_words, word_order_sensitivity
from tf_vmf.report.page import plots
from tf_vmf.report.page.page import Block, Image, Section, Table, Text
from tf_vmf.report.phrases import number
from tf_vmf.report.section import ReportSection
from tf_vmf.text.vocabulary import UNK_ID

# Cosines that differ from 1 by less are rounding.
_ROUNDING = 1e-4
# In sentences this long a swap changes little else than the order.
_WORDS_TO_SWAP = 8


@dataclass(frozen=True, eq=False)
class OrderOfWords(ReportSection):
    """Structure in the codes."""

    posterior: str  # kind of the code, such as "von Mises-Fisher"
    word_order: WordOrder | None  # how codes change with the order of words; None where no test sentence has two words
    beyond_bag_of_words: BeyondBagOfWords  # how well a bag of words predicts the codes
    order_free_encoder: bool  # whether the encoder is a bag of words itself
    reads_label: bool  # whether the encoder reads the label

    @classmethod
    def find(cls, context: SentenceContext) -> Self | None:
        if context.latent is None:
            return None
        test, setting = context.corpus.test, context.setting
        return cls(
            posterior=context.latent.description.posterior,
            word_order=_find_word_order(context),
            beyond_bag_of_words=beyond_bag_of_words(context.model, context.searched, test, seed=context.seed),
            order_free_encoder=setting.order_free_encoder,
            reads_label=setting.reads_label,
        )

    def render(self) -> Section:
        blocks: list[Block] = []
        if self.order_free_encoder:
            blocks.append(
                Text(
                    "This encoder reads a bag of words (pooling 'bow'): its codes cannot depend on the order of words."
                )
            )
        if self.word_order is not None:
            blocks += _swaps(self.word_order, self.posterior)
        blocks += self._prediction()
        return Section("Order of words", blocks)

    def _prediction(self) -> list[Block]:
        beyond = self.beyond_bag_of_words
        if self.order_free_encoder:
            rest = (
                "As this encoder is a bag of words itself, all that is left is what the network failed to learn: it says "
                "nothing about structure."
            )
            if self.reads_label:
                rest = (
                    "As this encoder is a bag of words and a label, all that is left comes from the label or from what the network "
                    "failed to learn: it says nothing about structure."
                )
        else:
            label = " the label, which the encoder reads," if self.reads_label else ""
            rest = (
                "What is left on test sentences is an upper bound on what the order of words adds to the code: it also "
                f"holds{label} what the network failed to learn."
            )
        if not beyond.distance < beyond.constant_distance:
            rest += " Here the network does no better than the mean code, so this comparison says nothing about bags of words."
        return [
            Text(
                "Beyond a bag of words: a small network is trained to predict the code from the mean embedding of the sentence's "
                f"words, which does not depend on their order. {rest}"
            ),
            Table(
                ("Code predicted from", "1 - cosine", "Standard error"),
                [
                    ("The mean embedding, by the network", f"{beyond.distance:.3f}", _error(beyond.standard_error)),
                    (
                        "Nothing: the mean code",
                        f"{beyond.constant_distance:.3f}",
                        _error(beyond.constant_standard_error),
                    ),
                ],
                caption=f"Distance from the codes of {beyond.num_sentences:,} test sentences (0: predicted exactly)",
                numeric=(1, 2),
            ),
        ]


def _find_word_order(context: SentenceContext) -> WordOrder | None:
    test = context.corpus.test
    words = test.lengths - 1
    min_words = _WORDS_TO_SWAP if np.sum(words >= _WORDS_TO_SWAP) >= 20 else 2
    if not np.any(words >= min_words) or len(np.unique(test.tokens[test.tokens > UNK_ID])) < 2:
        return None
    return word_order_sensitivity(context.model, test, min_words=min_words, seed=context.seed)


def _swaps(curve: WordOrder, name: str) -> list[Block]:
    bars = ", with two standard errors" if curve.num_sentences > 1 else ""
    rows = [
        (f"{swaps} swaps" if swaps > 1 else "1 swap", f"{cosine:.4f}", _error(error))
        for swaps, cosine, error in zip(curve.num_swaps, curve.cosine, curve.standard_error, strict=True)
        if swaps in (1, 2, 4, curve.num_swaps[-1])
    ]
    rows.append(("One word replaced", f"{curve.replaced:.4f}", _error(curve.replaced_standard_error)))
    rows.append(("Another sentence", number(curve.other, ".4f"), _error(curve.other_standard_error)))
    sentences = f"{curve.num_sentences} test sentences" if curve.num_sentences > 1 else "one test sentence"
    blocks: list[Block] = [
        Image(
            plots.word_order({name: curve}),
            "Cosine between the code of a sentence and that of its copy after random swaps of adjacent words: mean over "
            f"{sentences} of {curve.mean_words:.0f} words on average{bars}. Codes that ignore the order of words stay at 1.",
        ),
        Table(("Change", "Cosine", "Standard error"), rows, numeric=(1, 2), sortable=False),
    ]
    if 1.0 - curve.cosine[-1] < _ROUNDING:
        blocks.append(
            Text(f"After {curve.num_swaps[-1]} swaps the codes are the same: they ignore the order of words.")
        )
    return blocks


def _error(value: float) -> str:
    return "< 0.001" if value < 0.0005 else number(value, ".3f")
