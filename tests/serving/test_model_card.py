"""The figures of a model card, worded by the table of measures."""

from tf_vmf import layers, models, report
from tf_vmf.measures import MEASURES, REPORTED
from tf_vmf.serving.model_card import model_card

TEST = {"perplexity": 21.5, "iw_perplexity": 20.25, "nll": 80.0, "kl": 5.25, "code_gain": 3.0, "active_units": 4}
TEST |= {"mutual_information": 1.25, "document_perplexity": 1234.5, "iw_document_perplexity": 30.0, "iw_nll": 84.0}


def test_figures_have_their_label_unit_and_meaning():
    model = models.BagOfWordsVAE(10, layers.GaussianLatent(2), encoder_units=(4,), decoder_units=(), seed=0)
    metrics = {"test": TEST, "valid": {**TEST, "kl": 5.5}, "protocol": {"importance_samples": 100}}
    rows = [line.split(" | ") for line in model_card(model, None, {}, metrics).splitlines() if line.startswith("| ")]
    by_name = {row[0].removeprefix("| "): row[1:] for row in rows}
    assert by_name["KL, nats per example"][:2] == ["5.50", "5.25"]
    assert by_name["NLL, nats per example"][2].endswith("Lower is better. |")
    assert "100 samples" in by_name["Importance-weighted perplexity (corpus)"][2]
    assert by_name["Active units, latent dimensions"][:2] == ["4", "4"]
    assert by_name["Mutual information, nats"][1] == "1.25"
    assert "Mean-code perplexity (corpus), not a bound" not in by_name  # not measured


def test_the_card_the_report_and_the_terminal_list_the_same_figures():
    model = models.BagOfWordsVAE(10, layers.GaussianLatent(2), encoder_units=(4,), decoder_units=(), seed=0)
    metrics = {"test": TEST, "valid": TEST}
    table = model_card(model, None, {}, metrics).partition("## Figures")[2].partition("##")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("|")][2:]
    shown = {row[0].removeprefix("| "): row[1] for row in rows}
    assert list(shown) == [MEASURES[name].title() for name in REPORTED if name in TEST]
    terminal = {line[:60].split("  ")[0].strip(): line.split()[-1] for line in report.summary(metrics).splitlines()[1:]}
    assert {name: terminal[name] for name in shown} == shown


def test_a_model_without_a_code_and_a_run_without_validation_have_a_card():
    model = models.LSTMVAE(10, None, embedding_dim=4, hidden_units=4, seed=0)
    card = model_card(model, None, {}, {"test": {**TEST, "kl": 0.0, "code_gain": 0.0}})
    assert "| Perplexity (corpus) |  | 21.5 |" in card
    for word in ("KL", "Code gain", "mportance", "ELBO"):
        assert word not in card


def test_the_card_of_a_conditional_model_names_its_labels():
    model = models.LSTMVAE(10, layers.GaussianLatent(2), embedding_dim=4, hidden_units=4, num_labels=2, seed=0)
    card = model_card(model, None, {}, None, ["cooking", "sky"])
    assert "- 0: cooking\n- 1: sky\n" in card


def test_what_is_known_of_the_data_stands_on_the_card():
    model = models.BagOfWordsVAE(10, layers.GaussianLatent(2), encoder_units=(4,), decoder_units=(), seed=0)
    assert "## Data\n\n- documents: 120\n\n## Figures" in model_card(model, None, {}, None, data={"documents": 120})
