"""The summary for the terminal."""

from tests.report import findings as made
from tf_vmf.report import summary


def test_each_figure_stands_in_its_column():
    text = summary({**made.METRICS, "test": {**made.TEST, "nll": 99.0}}, example="document")
    lines = {line.split("  ")[0]: line.split()[-2:] for line in text.splitlines()}
    assert lines["NLL, nats per document"] == ["102.50", "99.00"]
    assert lines["KL, nats per document"] == ["7.50", "7.50"]
    assert lines["Perplexity of a unigram model"][-1] == "266.5"
    assert lines["Ratio to the unigram model"][-1] == "0.500"  # 133.25 / 266.5
    assert "Quote the test perplexity (corpus), a bound" in text
    assert "no better" not in text


def test_a_model_without_a_code_has_no_row_of_codes():
    text = summary({"test": {"nll": 99.5, "kl": 0.0, "perplexity": 114.25, "iw_perplexity": 114.25, "code_gain": 0.0}})
    for word in ("KL", "gain", "mportance", "bound"):
        assert word not in text
    assert "114.2" in text


def test_what_a_figure_does_not_show_is_said():
    test = {**made.TEST, "mutual_information": 6.03, "perplexity": 300.0, "iw_perplexity": 290.0}
    text = summary({**made.METRICS, "test": test, "protocol": {"importance_samples": 100}})
    assert "at its ceiling" in text
    assert "no better than the unigram model. What may help: more training text." in text
    assert "samples: 100" in text
    config = {"latent": "vmf", "concentration": 100.0, "latent_dim": 50}
    assert "(concentration=learned)" in summary({**made.METRICS, "test": test}, config=config)


def test_a_run_without_validation_or_baseline_has_a_summary():
    assert "133.2" in summary({"test": made.TEST})
