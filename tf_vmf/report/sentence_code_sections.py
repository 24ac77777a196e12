"""The sections of a sentence model's report on its codes: neighbours and the order of words."""

from __future__ import annotations

from tf_vmf.report import plots, run_sections
from tf_vmf.report.engine.beyond_bag_of_words import BeyondBagOfWords
from tf_vmf.report.engine.sentence_findings import SentenceFindings
from tf_vmf.report.engine.word_order import WordOrder
from tf_vmf.report.map_block import Map
from tf_vmf.report.page import Block, Image, Passage, PassageList, Section, Table, Text
from tf_vmf.report.phrases import label_shares, map_caption, number
from tf_vmf.report.topic_block import TopicCard, TopicCards

# Cosines that differ from 1 by less are rounding.
_ROUNDING = 1e-4


def groups(findings: SentenceFindings) -> Section | None:
    """Clusters of training sentences: their words, sizes, labels and representative sentences."""
    if findings.codes is None:
        return None
    found = findings.codes.groups
    labelled = found.nmi is not None
    header = ("Group", "Words", "Sentences", *(("Labels",) if labelled else ()))
    rows = [
        (
            f"{group.number}. {group.name}",
            ", ".join(group.words),
            f"{group.size:,} ({group.share:.1%})",
            *((label_shares(group.labels, group.size),) if labelled else ()),
        )
        for group in found.clusters
    ]
    blocks: list[Block] = [
        Text(
            f"{len(found.clusters)} clusters of {found.num_sentences:,} training sentences, found by k-means on their codes: a "
            "partition to look at, even where codes form no groups of their own. A group lists the words that are frequent in its "
            f"sentences and rarer in the others (relevance weight {found.relevance_weight:g}); the first words are its name."
        ),
        Table(header, rows, numeric=(2,)),
    ]
    if found.nmi is not None:
        blocks.append(
            Text(
                f"Normalised mutual information of groups and labels {found.nmi:.2f}: 0 means that they are independent, 1 that "
                "each determines the other."
            )
        )
        if findings.setting.reads_label:
            blocks.append(Text("The encoder is given the label, so this figure says nothing about the words."))
    blocks += [
        Text(
            "Each group in detail. The wide bar and the first number are the share of the word among the words of the group, the "
            "thin bar and the second number its share in all these sentences. Beside them stand the sentences nearest to the "
            "centre."
        ),
        TopicCards(
            [
                TopicCard(
                    group.number,
                    f"{group.number}. {group.name} ({group.size:,} sentences)",
                    group.by_relevance,
                    [(excerpt.label or "Training sentence", excerpt.text) for excerpt in group.representatives],
                    found.relevance_weight,
                )
                for group in found.clusters
            ],
            "codes.groups.clusters",
            found.relevance_weight,
            "group",
        ),
    ]
    return Section("Groups of sentences", blocks)


def code_map(findings: SentenceFindings) -> Section | None:
    """Test sentences as points."""
    if findings.codes is None:
        return None
    found = findings.codes.code_map
    caption = map_caption(found, "test sentence")
    return Section("Map of sentences", [Map(found, "codes.code_map", caption, "sentence", "group")])


def neighbours(findings: SentenceFindings) -> Section | None:
    """A few test sentences with the training sentences whose codes are nearest."""
    codes = findings.codes
    if codes is None:
        return None
    labelled = codes.label_agreement is not None
    searched = "the" if codes.num_searched == findings.run.train_examples else f"{codes.num_searched:,}"
    blocks: list[Block] = [
        Text(
            f"Some test sentences, and those of {searched} training sentences whose codes have the largest cosine with theirs "
            "(1: the same direction)." + (" A check mark (✓) marks the same label." if labelled else "")
        )
    ]
    if codes.label_agreement is not None:
        blocks.append(run_sections.label_agreement(codes.label_agreement, "sentence"))
        if findings.setting.reads_label:
            blocks.append(
                Text("The encoder is given the label, so this agreement says nothing about the words of the sentences.")
            )
    blocks += [
        PassageList(
            Passage(found.query.label or "Test sentence", found.query.text),
            [
                Passage(near.excerpt.label, near.excerpt.text, f"{near.cosine:.3f}", bool(near.same_label))
                for near in found.found
            ],
        )
        for found in codes.neighbours
    ]
    return Section("Nearest neighbours", blocks)


def word_order(findings: SentenceFindings) -> Section | None:
    """How codes change with the order of words, and what a bag of words tells about them."""
    codes = findings.codes
    if codes is None or findings.latent is None:
        return None
    blocks: list[Block] = []
    if findings.setting.order_free_encoder:
        blocks.append(
            Text("This encoder reads a bag of words (pooling 'bow'): its codes cannot depend on the order of words.")
        )
    if codes.word_order is not None:
        blocks += _swaps(codes.word_order, findings.latent.description.posterior)
    blocks += _prediction(codes.beyond_bag_of_words, findings)
    return Section("Order of words", blocks)


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


def _prediction(beyond: BeyondBagOfWords, findings: SentenceFindings) -> list[Block]:
    if findings.setting.order_free_encoder:
        rest = (
            "As this encoder is a bag of words itself, all that is left is what the network failed to learn: it says nothing about "
            "structure."
        )
        if findings.setting.reads_label:
            rest = (
                "As this encoder is a bag of words and a label, all that is left comes from the label or from what the network "
                "failed to learn: it says nothing about structure."
            )
    else:
        label = " the label, which the encoder reads," if findings.setting.reads_label else ""
        rest = (
            f"What is left on test sentences is an upper bound on what the order of words adds to the code: it also holds{label} "
            "what the network failed to learn."
        )
    if not beyond.distance < beyond.constant_distance:
        rest += (
            " Here the network does no better than the mean code, so this comparison says nothing about bags of words."
        )
    return [
        Text(
            "Beyond a bag of words: a small network is trained to predict the code from the mean embedding of the sentence's "
            f"words, which does not depend on their order. {rest}"
        ),
        Table(
            ("Code predicted from", "1 - cosine", "Standard error"),
            [
                ("The mean embedding, by the network", f"{beyond.distance:.3f}", _error(beyond.standard_error)),
                ("Nothing: the mean code", f"{beyond.constant_distance:.3f}", _error(beyond.constant_standard_error)),
            ],
            caption=f"Distance from the codes of {beyond.num_sentences:,} test sentences (0: predicted exactly)",
            numeric=(1, 2),
        ),
    ]


def _error(value: float) -> str:
    return "< 0.001" if value < 0.0005 else number(value, ".3f")
