"""The figures of a model card, worded by the table of measures."""

from tf_vmf import layers, models
from tf_vmf.serving.model_card import model_card

TEST = {"perplexity": 21.5, "iw_perplexity": 20.25, "nll": 80.0, "kl": 5.25, "code_gain": 3.0, "active_units": 4}


def test_figures_have_their_label_unit_and_meaning():
    model = models.BagOfWordsVAE(10, layers.GaussianLatent(2), encoder_units=(4,), decoder_units=(), seed=0)
    metrics = {"test": TEST, "valid": {**TEST, "kl": 5.5}, "protocol": {"importance_samples": 100}}
    rows = [line.split(" | ") for line in model_card(model, None, {}, metrics).splitlines() if line.startswith("| ")]
    by_name = {row[0].removeprefix("| "): row[1:] for row in rows}
    assert by_name["KL, nats per example"][:2] == ["5.50", "5.25"]
    assert by_name["NLL, nats per example"][2].endswith("Lower is better. |")
    assert "100 samples" in by_name["Importance-weighted perplexity (corpus)"][2]
    assert "Perplexity (mean per example)" not in by_name  # not measured


def test_a_model_without_a_code_and_a_run_without_validation_have_a_card():
    model = models.LSTMVAE(10, None, embedding_dim=4, hidden_units=4, seed=0)
    card = model_card(model, None, {}, {"test": {**TEST, "kl": 0.0, "code_gain": 0.0}})
    assert "| Perplexity (corpus) |  | 21.50 |" in card
    for word in ("KL", "Code gain", "mportance", "ELBO"):
        assert word not in card
