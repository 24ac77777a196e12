"""Writes the tables of docs/ANALYSES.md and draws docs/word_order.png: analyses of several sentence models side by side.

    python -m tools.side_by_side                # from results/analyses/*.json
    python -m tools.side_by_side runs/A runs/B  # first takes what the page needs of the findings.json of these finished runs

A run's folder is named after its recipe and its seed, as `ptb-lstm-encoder_vmf_inputless_seed0`. No sentence of the corpus is
taken: texts are what the models wrote.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from tf_vmf._errors import ArgumentError
from tf_vmf.files import write_text
from tf_vmf.measures import MEASURES
from tf_vmf.report import SENTENCE_SECTIONS, Findings
from tf_vmf.report.engine.serialization import from_json, to_json
from tf_vmf.report.engine.word_order import BeyondBagOfWords, WordOrder
from tf_vmf.report.page.figures import STYLE
from tf_vmf.report.page.plots import word_order
from tf_vmf.report.sections.decodings import Interpolations, Reconstructions, WordOverlap
from tf_vmf.report.sections.order_of_words import OrderOfWords
from tf_vmf.report.sections.overview import SentenceOverview
from tf_vmf.report.sections.samples import PriorSamples
from tools.results_table import RESULTS, ROOT

ANALYSES = RESULTS / "analyses"
PAGE, FIGURE = ROOT / "docs" / "ANALYSES.md", ROOT / "docs" / "word_order.png"

_BLOCK = re.compile(r"(<!-- analyses: (?P<name>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SHOWN_SAMPLES, _SHOWN_PAIRS = 4, 2


@dataclass(frozen=True)
class Samples:
    """Sentences written from the prior.

    Attributes:
        greedy: Decoded greedily from codes of the prior.
        drawn: Drawn word by word from the same codes.
        given: Bags of words that the model was given; () where it reads none.
    """

    greedy: tuple[str, ...]
    drawn: tuple[str, ...]
    given: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Analysis:
    """What is published of the findings of one run.

    Attributes:
        posterior: Kind of the code, such as "von Mises-Fisher".
        latent_dim: Its dimension.
        word_dropout: Share of the previous words hidden from the decoder: 0 standard, 1 inputless.
        order_free_encoder: Whether the encoder reads a bag of words.
        training: The part "training" of `metrics.json`.
        protocol: Its part "protocol".
        test: Its part "test".
        word_order: Cosines of codes after swaps of words.
        beyond_bag_of_words: How well a bag of words predicts the codes.
        overlap: How many words of a sentence come back from its code.
        samples: Sentences written from the prior.
        interpolations: For each pair of test sentences what the codes on the way between theirs decode to, both ends included.
    """

    posterior: str
    latent_dim: int
    word_dropout: float
    order_free_encoder: bool
    training: Mapping[str, Any]
    protocol: Mapping[str, Any]
    test: Mapping[str, Any]
    word_order: WordOrder
    beyond_bag_of_words: BeyondBagOfWords
    overlap: WordOverlap
    samples: Samples
    interpolations: tuple[tuple[str, ...], ...]

    @property
    def decoder(self) -> str:
        """What the decoder is shown, in one word."""
        return {0.0: "standard", 1.0: "inputless"}.get(self.word_dropout, f"word dropout {self.word_dropout:g}")

    @property
    def name(self) -> str:
        """Code and decoder."""
        return f"{self.posterior}, {self.decoder}"


def analysis_of(findings: Findings) -> Analysis:
    """What is published of the findings of a run.

    Raises:
        ArgumentError: The model has no code, or its test sentences have no two words to swap.
    """
    overview, order = findings.get(SentenceOverview), findings.get(OrderOfWords)
    samples, reconstructions = findings.get(PriorSamples), findings.get(Reconstructions)
    ways = findings.get(Interpolations)
    expected = "those of a model with a code, without labels, on sentences of several words"
    if overview is None or overview.latent is None or order is None or order.word_order is None:
        raise ArgumentError("findings", expected, "a model without a code, or sentences of one word")
    if samples is None or reconstructions is None or reconstructions.overlap is None:
        raise ArgumentError("findings", expected, "a model that is given labels, or a single sentence")
    latent, metrics = overview.latent, overview.run.metrics
    return Analysis(
        posterior={"von Mises-Fisher": "vMF"}.get(latent.description.posterior, latent.description.posterior),
        latent_dim=latent.latent_dim,
        word_dropout=overview.setting.word_dropout,
        order_free_encoder=overview.setting.order_free_encoder,
        training=metrics["training"],
        protocol=metrics["protocol"],
        test=metrics["test"],
        word_order=order.word_order,
        beyond_bag_of_words=order.beyond_bag_of_words,
        overlap=reconstructions.overlap,
        samples=Samples(samples.greedy, samples.drawn, samples.given),
        interpolations=() if ways is None else tuple(way.decoded for way in ways.interpolations),
    )


def collect(folders: Sequence[Path], analyses: Path = ANALYSES) -> None:
    """Writes what is published of these finished runs, a file per run."""
    for folder in folders:
        text = (folder / "findings.json").read_text(encoding="utf-8")
        findings = Findings.from_json(text, SENTENCE_SECTIONS)
        write_text(analyses / f"{folder.name}.json", to_json(analysis_of(findings), indent=1) + "\n")


def read_analyses(analyses: Path = ANALYSES) -> list[Analysis]:
    """All published analyses: inputless models first, of each kind the vMF before the others."""
    found = [from_json(path.read_text(encoding="utf-8"), Analysis) for path in analyses.glob("*.json")]
    return sorted(found, key=lambda each: (-each.word_dropout, each.posterior != "vMF", each.name))


def figures_table(models: Sequence[Analysis]) -> str:
    """Bound, NLL, KL and how the code is used: a model per row."""
    names = ("perplexity", "nll", "kl", "code_gain", "active_units")
    header = ["code", "decoder", "d", "epochs", *(MEASURES[name].short for name in names), "words back", "another's"]
    rows = [
        [
            *(each.posterior, each.decoder, str(each.latent_dim), str(each.training["epochs"])),
            *(MEASURES[name].format(each.test[name]) for name in names),
            f"{each.overlap.own:.1%}",
            f"{each.overlap.other:.1%}",
        ]
        for each in models
    ]
    return _table(header, rows, left=2)


def order_table(models: Sequence[Analysis]) -> str:
    """Cosines after changes of the words, and what a bag of words predicts: a model per column."""

    def row(title: str, value: Callable[[Analysis], tuple[float, float]]) -> list[str]:
        return [title, *("{:.4f} ± {:.4f}".format(*value(each)) for each in models)]

    def swapped(number: int) -> Callable[[Analysis], tuple[float, float]]:
        return lambda each: (float(each.word_order.cosine[number]), float(each.word_order.standard_error[number]))

    rows = [row("1 swap" if number == 1 else f"{number} swaps", swapped(number)) for number in (1, 2, 4, 8)]
    rows += [
        row("one word replaced", lambda each: (each.word_order.replaced, each.word_order.replaced_standard_error)),
        row("another sentence", lambda each: (each.word_order.other, each.word_order.other_standard_error)),
    ]
    beyond = [each.beyond_bag_of_words for each in models]
    rows += [
        ["1 - cosine, from the bag of words", *(f"{each.distance:.3f} ± {each.standard_error:.3f}" for each in beyond)],
        [
            "1 - cosine, from nothing",
            *(f"{each.constant_distance:.3f} ± {each.constant_standard_error:.3f}" for each in beyond),
        ],
        ["their ratio", *(f"{each.share:.2f}" for each in beyond)],
    ]
    return _table(["", *(each.name for each in models)], rows, left=1)


def samples_table(models: Sequence[Analysis]) -> str:
    """Sentences from the prior, decoded greedily and drawn from the same codes."""
    rows = []
    for title, texts in (("greedy", "greedy"), ("drawn", "drawn")):
        for number in range(_SHOWN_SAMPLES):
            sentences = [_escaped(getattr(each.samples, texts)[number]) for each in models]
            rows.append([f"{title}, code {number + 1}", *sentences])
    return _table(["", *(each.name for each in models)], rows, left=1 + len(models))


def interpolations_table(models: Sequence[Analysis]) -> str:
    """What the codes between the same pairs of test sentences decode to."""
    rows = []
    for pair in range(len(models[0].interpolations[:_SHOWN_PAIRS])):
        points = len(models[0].interpolations[pair])
        for point in range(points):
            sentences = [_escaped(each.interpolations[pair][point]) for each in models]
            rows.append([f"pair {pair + 1}, {point / (points - 1):.0%}", *sentences])
    return _table(["", *(each.name for each in models)], rows, left=1 + len(models))


TABLES: Mapping[str, Callable[[Sequence[Analysis]], str]] = {
    "figures": figures_table,
    "order": order_table,
    "samples": samples_table,
    "interpolations": interpolations_table,
}


def with_tables(text: str, models: Sequence[Analysis]) -> str:
    """`text` with what stands between `<!-- analyses: NAME -->` and `<!-- end -->` made anew."""

    def block(match: re.Match[str]) -> str:
        table = TABLES[match["name"]](models) if models else "No runs yet.\n"
        return match[1] + "\n" + table + "\n" + match[3]

    return _BLOCK.sub(block, text)


def picture(models: Sequence[Analysis]) -> Figure:
    """Cosines with the unchanged sentence over the number of swaps, a curve per model."""
    return word_order({each.name: each.word_order for each in models})


def _escaped(text: str) -> str:
    """Text for a cell of a Markdown table: no character of it is markup."""
    return re.sub(r"([\\`*_{}\[\]<>|$&#~])", r"\\\1", text)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    aligned = [":---" if column < left else "---:" for column in range(len(header))]
    return "".join("| " + " | ".join(line) + " |\n" for line in (header, aligned, *rows))


def main(folders: Sequence[str]) -> None:
    collect([Path(folder) for folder in folders])
    models = read_analyses()
    write_text(PAGE, with_tables(PAGE.read_text(encoding="utf-8"), models))
    if not models:
        return
    with rc_context(STYLE):
        picture(models).savefig(FIGURE, dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main(sys.argv[1:])
