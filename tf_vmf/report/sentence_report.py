"""The report of a sentence model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_vmf.measures import MEASURES, importance_samples
from tf_vmf.report import run_sections, sentence_code_sections
from tf_vmf.report import sentence_sections as sections
from tf_vmf.report.engine.sentence_findings import SentenceFindings, SentenceSetting
from tf_vmf.report.page import Headline, Section, write_report
from tf_vmf.report.phrases import beside_unigram, chosen_epoch, code_description, training_length


def sentence_report(
    path: str | Path, findings: SentenceFindings, *, title: str | None = None, extra_sections: Sequence[Section] = ()
) -> None:
    """Writes the HTML report of a sentence model.

    ```python
    texts = ["The moon rose early.", "A rocket flew to the moon.", "We ate bread with butter."] * 40
    corpus = tf_vmf.data.load_sentences(texts=texts)
    model = tf_vmf.models.LSTMVAE(len(corpus.vocabulary), tf_vmf.layers.VonMisesFisherLatent(4, concentration=14.0))
    model.compile("adam")
    model.fit(corpus.train.evaluation_batches(32), epochs=2, shuffle=False)
    metrics = {"test": tf_vmf.evaluation.evaluate(model, corpus.test.evaluation_batches(32))}
    findings = tf_vmf.report.engine.find_sentences(model, corpus, metrics)
    tf_vmf.report.sentence_report("report.html", findings)
    ```

    Args:
        path: The file to write.
        findings: What `tf_vmf.report.engine.find_sentences` returned.
        title: The heading; made from corpus and model if None.
        extra_sections: Further sections, put before the protocol.

    Raises:
        ModuleNotFoundError: jinja2 or matplotlib is not installed: pip install 'tf-vmf[demo]'.
    """
    run, latent = findings.run, findings.latent
    parts = [
        sections.results(findings),
        run_sections.training(run, "sentence"),
        sections.reconstructions(findings),
        sections.prior_samples(findings),
        sections.label_samples(findings),
        sections.interpolations(findings),
        sentence_code_sections.groups(findings),
        sentence_code_sections.code_map(findings),
        sentence_code_sections.neighbours(findings),
        sentence_code_sections.word_order(findings),
        None
        if latent is None or findings.codes is None
        else run_sections.use_of_the_code(latent, findings.codes.use, "sentence"),
        *extra_sections,
        run_sections.protocol(run),
    ]
    name = "LSTM language model" if latent is None else f"Sentence model with a {latent.description.posterior} code"
    write_report(
        path,
        title=title or f"{name}: {run.corpus}",
        subtitle=f"{run.train_examples:,} training, {run.valid_examples:,} validation and {run.test_examples:,} test sentences "
        f"over {run.vocabulary_size:,} token types",
        summary=_summary(findings),
        headlines=_headlines(findings),
        sections=parts,
        findings=findings,
    )


def _summary(findings: SentenceFindings) -> list[str]:
    run, latent = findings.run, findings.latent
    test, unigram = run.metrics["test"], run.metrics.get("baseline", {}).get("unigram_perplexity")
    trained = (
        f"was trained{training_length(run)} on {run.train_examples:,} sentences ({run.train_tokens:,} tokens: words and one end of "
        f"sentence each) of the corpus {run.corpus!r}."
    )
    perplexity = (
        f"On the {run.test_examples:,} test sentences, which training did not use, its perplexity is {test['perplexity']:,.1f}: it "
        "is as uncertain about each token as if it chose among that many equally likely ones. Lower is better."
    )
    if unigram:
        perplexity += " " + beside_unigram(run, unigram, "sentence", "token")
    if latent is None:
        return [
            f"A plain LSTM language model {trained} It has no code: it predicts each word from "
            f"{_sources(findings.setting, has_code=False)}.{chosen_epoch(run)}",
            perplexity,
        ]
    result = [
        f"A recurrent variational autoencoder {trained} It compresses each sentence to a code and predicts the sentence from "
        f"{_sources(findings.setting, has_code=True)}. {code_description(latent, 'sentence')}{chosen_epoch(run)}",
        f"{perplexity} The figure is a bound, from one sample of the code per sentence (ELBO).",
    ]
    if test.get("code_gain") is not None:
        result.append(_value_of_the_code(test))
    return result


def _sources(setting: SentenceSetting, *, has_code: bool) -> str:
    """What the decoder predicts a word from, as "the code and the words before"."""
    sources = ["the code"] if has_code else []
    if setting.reads_label:
        sources.append("the label of the sentence")
    if setting.reads_bag_of_words:
        sources.append("the bag of its words")
    inputless = setting.word_dropout == 1.0
    if not inputless:
        sources.append("the words before")
    text = ", ".join(sources[:-1]) + " and " + sources[-1] if len(sources) > 1 else (sources or ["its position"])[0]
    if inputless:
        return f"{text} alone: the decoder is shown no words (inputless)"
    if setting.word_dropout:
        return f"{text}, {setting.word_dropout:.0%} of which were hidden in training"
    return text


def _value_of_the_code(test: Mapping[str, Any]) -> str:
    cost, gain = MEASURES["kl"].format(test["kl"]), MEASURES["code_gain"].format(test["code_gain"])
    text = f"The code costs {cost} nats per sentence (KL). "
    if float(test["code_gain"]) < 0.005:
        return f"{text}Decoding with the code of another sentence does not raise the NLL: the decoder ignores the code."
    if gain == cost:
        beside = "as much as the code costs"
    else:
        beside = "more than the code costs" if test["code_gain"] > test["kl"] else "less than the code costs"
    return f"{text}Decoding with the code of another sentence raises the NLL by {gain} nats (code gain), {beside}."


def _headlines(findings: SentenceFindings) -> list[Headline]:
    metrics = findings.run.metrics
    test = metrics["test"]
    nll = Headline(f"{test['nll']:.1f}", "nats of NLL per sentence", "lower is better")
    if findings.latent is None:
        return [nll, Headline(f"{test['perplexity']:,.1f}", "test perplexity", "exact; lower is better")]
    result = [
        Headline(f"{test['perplexity']:,.1f}", "test perplexity", "bound from one sample (ELBO); lower is better"),
        nll,
        Headline(MEASURES["kl"].format(test["kl"]), "nats of KL per sentence", "the cost of a sentence's code"),
    ]
    if test.get("code_gain") is not None:
        gain = MEASURES["code_gain"].format(test["code_gain"])
        result.append(Headline(gain, "nats of code gain", "0 if the decoder ignores the code; higher is better"))
    if test.get("iw_perplexity") is not None:
        samples = importance_samples(metrics)
        result.append(
            Headline(
                f"{test['iw_perplexity']:,.1f}",
                "importance-weighted perplexity",
                f"a different bound, {samples} samples",
            )
        )
    return result
