import math

import pytest

from tests.parameters import quick
from tests.report.engine.sentence_models import make_corpus, make_model, train
from tests.report.test_document_report import OneMore
from tests.report.test_page import assert_self_contained
from tf_vmf.math import kl_to_uniform
from tf_vmf.report import SENTENCE_SECTIONS, find_sentences, sentence_report
from tf_vmf.report.engine.published import published_sentence_results

METRICS = {
    "test": {
        "nll": 101.25,
        "kl": 7.5,
        "perplexity": 133.25,
        "document_perplexity": 140.5,
        "iw_nll": 105.5,
        "iw_perplexity": 121.75,
        "code_gain": 0.875,
        "mutual_information": 1.5,
        "active_units": 5,
    },
    "valid": {"nll": 102.5, "kl": 7.5, "perplexity": 134.5},
    "training": {"epochs": 6, "best_epoch": 2},
    "protocol": {"seed": 11, "importance_samples": 500},
}
PLAIN_METRICS = {"test": {"nll": 99.5, "kl": 0.0, "perplexity": 114.25, "iw_perplexity": 114.25, "code_gain": 0.0}}
HISTORY = [{"epoch": e, "loss": 9.0 / e, "val_loss": 10.0 / e, "code_gain": 0.1 * e} for e in (1, 2, 3)]
GENERATED = ("Reconstructions", "Interpolation", "Nearest neighbors", "Order of words", "Use of the code")


def report(tmp_path, model, corpus, metrics=METRICS, **options):
    path = tmp_path / "report.html"
    sentence_report(path, find_sentences(model, corpus, metrics, **options))
    return assert_self_contained(path.read_text(encoding="utf-8"))


def titles(page):
    return {section["id"] for section in page.named("section")}


@pytest.mark.parametrize(
    "latent", ["vmf", *(pytest.param(name, marks=pytest.mark.slow) for name in ("learned", "gaussian"))]
)
def test_the_report_holds_what_a_reader_looks_for(tmp_path, rng, latent):
    corpus = make_corpus(rng)
    page = report(
        tmp_path,
        train(make_model(latent), corpus.train),
        corpus,
        history=HISTORY,
        config={"latent_dim": 8},
        command="python -m trainers.lstm_vae --workdir=<dir>",
        sections=(*SENTENCE_SECTIONS, OneMore),
    )
    for expected in (
        *(
            "101.2",
            "7.50",
            "133.2",
            "121.8",
            "0.88",
            "102.50",
            "500 samples",
            "6 epochs",
            "--workdir=<dir>",
            "One more",
        ),
        *(*GENERATED, "Samples from the prior", "less than the code costs", "<b>bold</b>"),
    ):
        assert expected in page.text
    captions = " ".join(image["alt"] for image in page.named("img"))
    assert "Cosine between the code of a sentence" in captions
    assert "How much each dimension of the code varies" in captions
    assert ("Learned concentration" in captions) == (latent == "learned")
    assert ("The concentration is fixed" in page.text) == (latent == "vmf")
    assert ("cannot vanish" in page.text) == (latent == "vmf")
    assert "samples-of-each-label" not in titles(page)


def test_the_first_and_last_line_of_an_interpolation_are_the_sentences_themselves(tmp_path, rng):
    corpus = make_corpus(rng)
    page = report(tmp_path, make_model(), corpus)
    after = page.text.split("decoded greedily. In a good latent space")[1].split("Nearest neighbors")[0]
    lines = [line.strip() for line in after.splitlines() if "From" in line or line.startswith("To")]
    assert len(lines) == 6
    known = {corpus.to_text(corpus.test[row]) for row in range(len(corpus.test))}
    assert all(line.removeprefix("From").removeprefix("To") in known for line in lines)


def test_a_plain_language_model_has_no_section_on_codes(tmp_path, rng):
    corpus = make_corpus(rng, "ptb")
    page = report(tmp_path, make_model("none"), corpus, PLAIN_METRICS, history=HISTORY)
    assert titles(page) == {"details-for-researchers", "results", "training", "samples", "protocol"}
    assert "Code gain, nats per sentence" not in page.text
    assert "114.2" in page.text
    assert "importance-weighted" not in page.text.split("Test figures beside")[0]


def test_a_model_conditional_on_a_label_writes_for_each_label(tmp_path, rng):
    corpus = make_corpus(rng, labels=True)
    for model in (make_model(num_labels=2, bag_of_words_units=6), make_model("none", num_labels=2)):
        page = report(tmp_path, model, corpus, METRICS if model.latent is not None else PLAIN_METRICS)
        assert "samples-of-each-label" in titles(page)
        assert "samples-from-the-prior" not in titles(page)
        assert "pos & <i>" in page.text


def test_a_model_that_never_saw_labels_is_asked_through_codes(tmp_path, rng):
    page = report(tmp_path, make_model(bag_of_words_units=6), make_corpus(rng, labels=True))
    assert {"samples-of-each-label", "samples-from-the-prior"} <= titles(page)
    assert "was never shown a label" in page.text
    # Words 3 to 20 were drawn for the first label, 21 to 39 for the second.
    row = page.text.split("In the training sentences")[1].split("pos & <i>")[0].splitlines()
    of_negative = next(line for line in row if line.startswith("neg"))
    training_words = of_negative.split("word")[-3:]
    assert all(3 <= int(word.split()[0]) <= 20 for word in training_words)


@pytest.mark.parametrize("sizes", quick(1, [((3, 1, 1),), ((12, 2, 2),)]))
def test_a_handful_of_sentences_is_enough(tmp_path, rng, sizes):
    page = report(tmp_path, make_model("gaussian"), make_corpus(rng, sizes=sizes), {"test": METRICS["test"]})
    assert "Nearest neighbors" in page.text


@pytest.mark.slow
def test_published_results_stand_beside_those_on_ptb_only_with_their_protocol(tmp_path, rng):
    for name, expected in (("ptb", True), ("small", False)):
        text = report(tmp_path, make_model(), make_corpus(rng, name)).text
        for part in ("from memory of the paper's tables", "not bounds", "105-119", "21.92 per test sentence"):
            assert (part in text) == expected
    assert published_sentence_results("unknown") == ()


@pytest.mark.slow
def test_quoted_closed_form_of_the_original_is_the_exact_kl_two_dimensions_up(tmp_path, rng):
    text = report(tmp_path, make_model(), make_corpus(rng, "ptb")).text
    for dim, concentration in ((50, 35.0), (50, 80.0)):
        for shift in (0, 2):
            assert f"{float(kl_to_uniform(concentration, dim + shift)):.3f}" in text


def test_published_nll_and_perplexity_agree_with_the_tokens_named():
    for result in published_sentence_results("ptb"):
        if result.negative_elbo is not None:
            tokens = result.negative_elbo / math.log(float(result.perplexity))
            assert 20.8 < tokens < 21.2


def test_a_collapsed_gaussian_is_called_so(tmp_path, rng):
    model = make_model("gaussian")
    for variable in model.latent.trainable_variables:
        variable.assign(0.0 * variable)  # mean 0 and log variance 0 whatever the sentence: the prior
    page = report(tmp_path, model, make_corpus(rng))
    assert "Every sentence has the same KL, 0.000 nats" in page.text
    assert "The concentration is fixed" not in page.text
