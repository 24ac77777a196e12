"""The table of measures, and what it says of numbers."""

import math

import pytest

from tests.report.engine.document_models import make_corpus, make_model
from tf_vmf.evaluation import evaluate
from tf_vmf.measures import (
    MEASURES,
    has_code,
    importance_samples,
    is_at_ceiling,
    mutual_information_ceiling,
)


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ({}, "several"),
        ({"importance_samples": 500}, "500"),
        ({"importance_samples": {"test": 100, "valid": 100}}, "100"),
        ({"importance_samples": {"test": 100, "valid": 10}}, "100 (test), 10 (valid)"),
    ],
)
def test_the_number_of_samples_reads_as_words(recorded, said):
    assert importance_samples({"protocol": recorded}) == said


def test_every_figure_of_an_evaluation_has_its_line_in_the_table(rng):
    corpus = make_corpus(rng)
    figures = evaluate(make_model("gaussian"), corpus.test.evaluation_batches(20), num_importance_samples=2)
    assert set(figures) - {"examples", "tokens"} <= set(MEASURES)


def test_every_measure_says_what_it_is_in_one_sentence_without_gaps():
    for measure in MEASURES.values():
        text = measure.describe("document", "word", samples="7")
        assert "{" not in text + measure.title("document", "word") + measure.short.format(example="document")
        assert text.endswith(".")
        assert measure.name == next(name for name, other in MEASURES.items() if other is measure)


def test_a_measure_names_its_unit_and_which_way_is_good():
    assert MEASURES["kl"].title("sentence") == "KL, nats per sentence"
    assert MEASURES["nll"].describe("sentence").endswith("Lower is better.")
    assert MEASURES["code_gain"].describe("sentence").endswith("Higher is better.")
    assert "better" not in MEASURES["kl"].describe("sentence")
    assert "exp(NLL per word over the whole corpus)" in MEASURES["perplexity"].describe(
        "document", "word", has_code=False
    )
    assert MEASURES["perplexity"].format(12345.678) == "12,345.7"


def test_mutual_information_of_n_examples_is_at_most_log_n_of_those_compared():
    assert mutual_information_ceiling(417) == pytest.approx(math.log(417))
    assert mutual_information_ceiling(7505) == pytest.approx(math.log(4096))
    assert is_at_ceiling(6.03, 417)
    assert not is_at_ceiling(5.9, 417)
    assert not is_at_ceiling(0.0, 1)


def test_a_model_without_a_code_is_told_by_exact_zeros():
    assert not has_code({"test": {"kl": 0.0, "code_gain": 0.0}})
    assert has_code({"test": {"kl": 1e-6, "code_gain": 0.0}})
