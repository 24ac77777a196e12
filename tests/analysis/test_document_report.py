import numpy as np
import pytest
from scipy import sparse

from tests.analysis.test_report import assert_self_contained
from tf_vmf import layers, models
from tf_vmf.analysis import Section, Text, document_report, published_results
from tf_vmf.data import BagOfWordsCorpus, Documents

VOCABULARY = tuple(f"word{i}" for i in range(30))
HOSTILE = "<script>alert(1)</script> and so on."


def make_corpus(rng, name="small", labels=True, texts=True):
    def split(size):
        group = rng.integers(3, size=size)
        counts = rng.poisson(0.2, size=(size, 30))
        for row, g in enumerate(group):
            counts[row, 10 * g : 10 * g + 10] += rng.poisson(2.0, size=10)
        counts[:, 0] += 1
        return Documents(
            sparse.csr_matrix(counts.astype(np.int32)),
            labels=group if labels else None,
            texts=(HOSTILE,) * size if texts else None,
            titles=tuple(f"title {i}" for i in range(size)) if texts else None,
        )

    names = ("red <b>", "green", "blue") if labels else ()
    return BagOfWordsCorpus(name, VOCABULARY, split(150), split(20), split(40), names)


def make_model(kind):
    latent = {
        "learned": lambda: layers.VonMisesFisherLatent(8, concentration="learned"),
        "sphere": lambda: layers.VonMisesFisherLatent(3, concentration=20.0),
        "circle": lambda: layers.PowerSphericalLatent(2, concentration=20.0),
        "gaussian": lambda: layers.GaussianLatent(4),
    }[kind]()
    return models.BagOfWordsVAE(30, latent, (16,), (), seed=0)


METRICS = {
    "test": {
        "nll": 80.0,
        "kl": 5.25,
        "perplexity": 21.5,
        "document_perplexity": 22.5,
        "code_gain": 3.0,
        "active_units": 4,
    },
    "baseline": {"unigram_perplexity": 43.0, "unigram_document_perplexity": 44.0},
    "training": {"epochs": 7, "best_epoch": 2},
    "protocol": {"seed": 11, "versions": {"keras": "3"}},
}
HISTORY = [{"epoch": e, "loss": 9.0 / e, "val_loss": 10.0 / e, "perplexity": 40.0 / e} for e in (1, 2, 3)]


@pytest.mark.parametrize("kind", ["learned", "sphere", "circle", "gaussian"])
def test_the_report_holds_what_a_reader_looks_for(tmp_path, rng, kind):
    path = tmp_path / "report.html"
    document_report(
        path,
        model=make_model(kind),
        corpus=make_corpus(rng),
        metrics=METRICS,
        history=HISTORY,
        config={"latent_dim": 8},
        command="python -m trainers.bow_vae --workdir=<dir>",
        extra_sections=[Section("One more", [Text("of the caller")])],
    )
    page = assert_self_contained(path.read_text(encoding="utf-8"))
    # Perplexities of both, and their ratio by hand.
    for expected in ("21.5", "43.0", "22.5", "44.0", "0.50 of it", "7 epochs", "NPMI", "--workdir=<dir>", "One more"):
        assert expected in page.text
    assert HOSTILE in page.text
    assert "red <b>" in page.text
    # Map and curves; with a learned posterior also histograms.
    assert len(page.named("img")) == {"learned": 5, "gaussian": 4}.get(kind, 3)


def test_counts_alone_are_enough(tmp_path, rng):
    path = tmp_path / "report.html"
    metrics = {"test": METRICS["test"], "baseline": METRICS["baseline"]}
    document_report(path, make_model("gaussian"), make_corpus(rng, labels=False, texts=False), metrics)
    page = assert_self_contained(path.read_text(encoding="utf-8"))
    assert "Characteristic words: " in page.text
    assert "Words of each label" not in page.text


def test_published_results_stand_beside_those_on_20_newsgroups_only(tmp_path, rng):
    for name, expected in (("20ng", True), ("small", False)):
        path = tmp_path / f"{name}.html"
        document_report(path, make_model("gaussian"), make_corpus(rng, name), METRICS)
        text = assert_self_contained(path.read_text(encoding="utf-8")).text
        assert ("iTM-VAE-Prod" in text) == expected
        assert ("drawn from test" in text) == expected
    assert published_results("unknown") == ()


def test_no_published_figure_stands_in_a_column_of_unknown_convention():
    by_name = {result.model: result for result in published_results("20ng")}
    assert by_name["vMF-VAE, Xu and Durrett 2018"].document_perplexity is None
    assert by_name["NVDM, 50 topics"].perplexity is None
    assert by_name["Unigram model, as quoted"].perplexity is None
    assert all(result.protocol for result in by_name.values())
