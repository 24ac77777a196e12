from dataclasses import dataclass

import pytest

from tests.parameters import quick
from tests.report.engine.document_models import HISTORY, HOSTILE, METRICS, make_corpus, make_model
from tests.report.test_page import assert_self_contained
from tf_vmf.report import (
    DOCUMENT_SECTIONS,
    ReportSection,
    Section,
    Text,
    document_report,
    find_documents,
)
from tf_vmf.report.engine.published import published_results


@dataclass(frozen=True)
class OneMore(ReportSection):
    @classmethod
    def find(cls, context):
        return cls()

    def render(self):
        return Section("One more", [Text("of the caller")])


def page_of(tmp_path, findings, **options):
    path = tmp_path / "report.html"
    document_report(path, findings, **options)
    return assert_self_contained(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", quick(2, ["learned", "circle", "sphere", "gaussian"]))
def test_the_report_holds_what_a_reader_looks_for(tmp_path, rng, kind):
    findings = find_documents(
        model=make_model(kind),
        corpus=make_corpus(rng),
        metrics=METRICS,
        history=HISTORY,
        config={"latent_dim": 8},
        command="python -m trainers.bow_vae --workdir=<dir>",
        sections=(*DOCUMENT_SECTIONS, OneMore),
    )
    page = page_of(tmp_path, findings)
    # Perplexities of both, and their ratio by hand.
    for expected in ("21.5", "43.0", "22.5", "44.0", "0.50 of it", "7 epochs", "NPMI", "--workdir=<dir>", "One more"):
        assert expected in page.text
    assert HOSTILE in page.text
    assert "red <b>" in page.text
    # Curves and active units; with a learned posterior also histograms.
    assert len(page.named("img")) == {"learned": 4, "gaussian": 3}.get(kind, 2)
    # A mark for each of the 40 test documents, and two for each of the 3 labels and 20 topics of the legends.
    assert len([each for each in page.named("path") if "transform" in each]) == 40


def test_counts_alone_are_enough(tmp_path, rng):
    metrics = {"test": METRICS["test"], "baseline": METRICS["baseline"]}
    page = page_of(
        tmp_path, find_documents(make_model("gaussian"), make_corpus(rng, labels=False, texts=False), metrics)
    )
    assert "Characteristic words: " in page.text
    assert "Words of each label" not in page.text


def test_published_results_stand_beside_those_on_20_newsgroups_only(tmp_path, rng):
    for name, expected in (("20ng", True), ("small", False)):
        text = page_of(tmp_path, find_documents(make_model("gaussian"), make_corpus(rng, name), METRICS)).text
        assert ("iTM-VAE-Prod" in text) == expected
        assert ("drawn from test" in text) == expected
    assert published_results("unknown") == ()


def test_no_published_figure_stands_in_a_column_of_unknown_convention():
    by_name = {result.model: result for result in published_results("20ng")}
    assert by_name["vMF-VAE, Xu and Durrett 2018"].document_perplexity is None
    assert by_name["NVDM, 50 topics"].perplexity is None
    assert by_name["Unigram model, as quoted"].perplexity is None
    assert all(result.protocol for result in by_name.values())
