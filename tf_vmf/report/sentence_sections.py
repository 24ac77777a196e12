"""The sections of a sentence model's report on its figures and on what it writes."""

from __future__ import annotations

from collections.abc import Sequence

from tf_vmf.report import run_sections
from tf_vmf.report.engine.label_samples import LabelComparison
from tf_vmf.report.engine.sentence_findings import SentenceFindings, SentenceSetting
from tf_vmf.report.page import Block, Section, Table, Text
from tf_vmf.report.phrases import number


def results(findings: SentenceFindings) -> Section:
    """The figures, what each one means, what the code is worth, and published results where there are any."""
    blocks: list[Block] = [
        run_sections.measures_table(findings.run, "sentence", "token", findings.latent),
        run_sections.which_to_quote(findings.latent),
    ]
    if findings.latent is not None:
        blocks.append(Text(_reading_the_kl(findings)))
    if findings.published:
        blocks.append(_published_table(findings))
        blocks += run_sections.published_vocabulary(findings.published_vocabulary_size, findings.run)
        blocks += [Text(paragraph) for paragraph in findings.published_protocol]
    return Section("Results", blocks)


def _reading_the_kl(findings: SentenceFindings) -> str:
    assert findings.latent is not None
    read = (
        "Read the code gain beside the KL: a KL says that a code was paid for, the gain says that the decoder uses it."
    )
    if findings.latent.description.constant_kl:
        return f"With a fixed concentration the KL is constant and cannot vanish, but the decoder can still ignore the code. {read}"
    return f"A KL near 0 means that the code has collapsed to the prior and carries nothing. {read}"


def _published_table(findings: SentenceFindings) -> Table:
    test, has_code = findings.run.metrics["test"], findings.latent is not None
    setting = _setting_name(findings.setting)
    rows: list[tuple[str, ...]] = [
        (
            "This model, one-sample ELBO" if has_code else "This model",
            setting,
            f"{test['nll'] + test['kl']:.1f}",
            number(test["kl"] if has_code else None, ".1f"),
            f"{test['perplexity']:.1f}",
        )
    ]
    if has_code and test.get("iw_perplexity") is not None:
        rows.append(
            (
                "This model, importance-weighted",
                setting,
                number(test.get("iw_nll"), ".1f"),
                "",
                f"{test['iw_perplexity']:.1f}",
            )
        )
    if findings.mean_code_perplexity is not None:
        name = "This model, decoder reads the mean of several samples as in the paper's code: not a bound"
        rows.append((name, setting, "", "", f"{findings.mean_code_perplexity:.1f}"))
    rows += [
        (
            result.model,
            "inputless" if result.inputless else "standard",
            number(result.negative_elbo),
            number(result.kl, ".1f"),
            result.perplexity,
        )
        for result in findings.published
    ]
    return Table(
        ("Model", "Setting", "NLL + KL", "KL", "Perplexity"),
        rows,
        caption="Test figures beside published ones (nats per sentence; lower perplexity is better)",
        numeric=(2, 3, 4),
        highlight=(0,),
    )


def reconstructions(findings: SentenceFindings) -> Section | None:
    """Test sentences, what is decoded greedily from their codes, and their NLL."""
    if findings.codes is None:
        return None
    given = _given(findings.setting)
    beside = f" The decoder is also given {given} of the sentence." if given else ""
    blocks: list[Block] = [
        Text(
            "Test sentences are encoded to their code (the centre of their posterior), and a sentence is decoded from it greedily: "
            f"the most probable word at each step, never <unk>.{beside} The NLL is that of the test sentence itself, given its "
            "code."
        ),
        Table(
            ("Sentence", "Decoded from its code", "NLL, nats", "per token"),
            [
                (row.sentence, row.decoded, f"{row.nll:.1f}", f"{row.nll / row.tokens:.2f}")
                for row in findings.codes.reconstructions
            ],
            numeric=(2, 3),
        ),
    ]
    overlap = findings.codes.overlap
    if overlap is not None:
        same = f" In both cases the decoder is given {given} of the sentence itself." if given else ""
        blocks.append(
            Text(
                f"Of the distinct words of {overlap.num_sentences} test sentences, {overlap.own:.1%} are in the sentence decoded "
                f"from its own code, {overlap.other:.1%} in the sentence decoded from the code of another.{same} The difference "
                "is what the code tells about words; 0 would be nothing."
            )
        )
    return Section("Reconstructions", blocks)


def prior_samples(findings: SentenceFindings) -> Section | None:
    """Sentences that the model writes from no other sentence."""
    found = findings.prior_samples
    if found is None:
        return None
    columns = [("Drawn word by word", found.drawn)]
    if findings.latent is None:
        about = (
            f"Sentences drawn from the model: each word from its distribution{_reads(findings.setting)}, never <unk>."
        )
    else:
        columns = [("Decoded greedily", found.greedy), ("Drawn from the same code", found.drawn)]
        about = (
            "Codes drawn from the prior, not those of sentences. On the left the most probable word at each step, on the right "
            "words drawn from their distributions; never <unk>."
        )
    if found.given:
        about += " The model is also given a bag of words: that of a test sentence."
        columns.insert(0, ("Words given", found.given))
    header = tuple(name for name, _ in columns)
    rows = list(zip(*(texts for _, texts in columns), strict=True))
    return Section(
        "Samples" if findings.latent is None else "Samples from the prior", [Text(about), Table(header, rows)]
    )


def label_samples(findings: SentenceFindings) -> Section | None:
    """Sentences for each label, and the words that set the labels apart."""
    found = findings.label_samples
    if found is None:
        return None
    rows = list(zip(*(label.samples for label in found.labels), strict=True))
    blocks: list[Block] = [
        Text(_how_labels_are_told(findings)),
        Table(tuple(label.label for label in found.labels), rows),
        Text(
            f"The words that set these labels apart most clearly, in {found.num_samples:,} samples per label and in the training "
            "sentences, with their log-odds ratios in standard deviations (Monroe et al., 2008). Among thousands of words "
            "chance alone takes the largest to about 4."
        ),
        Table(
            ("Label", "In the model's samples", "In the training sentences"),
            [(label.label, _scored(label.words), _scored(label.training_words)) for label in found.labels],
        ),
        *_agreement(found),
    ]
    return Section("Samples of each label", blocks)


def _how_labels_are_told(findings: SentenceFindings) -> str:
    setting = findings.setting
    bag = " Its bag of words is that of a test sentence, the same for all labels." if setting.reads_bag_of_words else ""
    if setting.reads_label and findings.latent is not None:
        return f"The model is given a label. In each row all labels share a code drawn from the prior.{bag}"
    if setting.reads_label:
        return f"The model is given a label and draws each word from its distribution{_reads(setting)}.{bag}"
    told = "only the code can tell it."
    if setting.reads_bag_of_words:
        told = "only the code and the bag of words, which the model is also given, can tell it."
    return (
        "The model was never shown a label. Sentences are drawn from the codes of test sentences of each label, so that "
        + told
    )


def _agreement(found: LabelComparison) -> list[Text]:
    total = sum(len(label.words) for label in found.labels)
    if not total:
        return [Text("No word is more frequent in the samples of one label than in those of the others.")]
    agreeing = sum(label.shared_words for label in found.labels)
    return [
        Text(
            f"{agreeing} of these {total} words of the samples are more frequent in training sentences of the same label, too; "
            "words that say nothing about labels would be in about half of the cases."
        )
    ]


def interpolations(findings: SentenceFindings) -> Section | None:
    """Sentences decoded greedily between the codes of two test sentences."""
    if findings.codes is None or findings.latent is None or not findings.codes.interpolations:
        return None
    way = findings.latent.description.path
    given = _given(findings.setting)
    beside = f" The decoder is given {given} of the first sentence all the way." if given else ""
    blocks: list[Block] = [
        Text(
            f"Codes at equal distances on the {way} between those of two test sentences, decoded greedily.{beside} In a good "
            "latent space every point decodes to a sentence that differs a little from the one before."
        )
    ]
    for found in findings.codes.interpolations:
        rows = [
            ("From", found.start),
            *((f"{fraction:.0%}", text) for fraction, text in zip(found.fractions, found.decoded, strict=True)),
            ("To", found.end),
        ]
        blocks.append(Table(("Way", "Sentence"), rows, highlight=(0, len(rows) - 1), sortable=False))
    return Section("Interpolation", blocks)


def _scored(words: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{word} {score:.1f}" for word, score in words)


def _given(setting: SentenceSetting) -> str:
    """What the decoder is given besides code and words, as "the label and the bag of words", or ""."""
    parts = ["the label"] * setting.reads_label + ["the bag of words"] * setting.reads_bag_of_words
    return " and ".join(parts)


def _reads(setting: SentenceSetting) -> str:
    """What a plain language model conditions on."""
    return "" if setting.word_dropout == 1.0 else " given the words before"


def _setting_name(setting: SentenceSetting) -> str:
    if setting.word_dropout == 1.0:
        return "inputless"
    return "standard" if setting.word_dropout == 0.0 else f"word dropout {setting.word_dropout:g}"
