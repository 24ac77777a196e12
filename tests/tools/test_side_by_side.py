"""The page of analyses says what the findings of the runs say, and holds no text of the corpus."""

import re
from dataclasses import replace

import numpy as np

from tests.report import findings as made
from tf_vmf.report.engine.word_order import BeyondBagOfWords
from tf_vmf.report.sections.decodings import Interpolation, Reconstructions
from tools.side_by_side import (
    ANALYSES,
    PAGE,
    analysis_of,
    collect,
    figures_table,
    interpolations_table,
    order_table,
    picture,
    read_analyses,
    samples_table,
    with_tables,
)

METRICS = {**made.METRICS, "protocol": {"seed": 0}}


def found(latent=made.FIXED, word_dropout=1.0, **codes):
    """Findings of a run whose model wrote other sentences than it read."""
    return made.sentence_findings(
        run=made.run(metrics=METRICS),
        latent=latent,
        setting=replace(made.STANDARD, word_dropout=word_dropout),
        prior_samples=made.prior_samples(tuple("abcd"), ("*x* | <unk>", "f", "g", "h")),
        interpolations=(Interpolation("read one", "read two", (0.0, 0.5, 1.0), ("way 1", "way 2", "way 3")),),
        **codes,
    )


def cells(table):
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()]


def test_the_page_is_that_of_the_published_analyses():
    text, models = PAGE.read_text(encoding="utf-8"), read_analyses()
    assert text.count("<!-- analyses: ") == 4
    assert with_tables(text, models) == text
    assert len(models) == len(list(ANALYSES.glob("*.json")))


def test_no_sentence_that_a_model_read_is_published(tmp_path):
    run = tmp_path / "run_seed0"
    run.mkdir()
    findings = found()
    (run / "findings.json").write_text(findings.to_json())
    collect([run], tmp_path / "analyses")
    text = (tmp_path / "analyses" / "run_seed0.json").read_text()
    assert "way 2" in text
    for read in (
        "read one",
        "read two",
        *(each.sentence for each in findings.get(Reconstructions).reconstructions),
        "Some text",
    ):
        assert read in findings.to_json()
        assert f'"{read}' not in text
    (model,) = read_analyses(tmp_path / "analyses")
    assert figures_table([model]) == figures_table([analysis_of(findings)])


def test_a_column_is_a_model_and_a_row_one_figure_of_all():
    order = made.word_order(0.5)  # falls by 1 / 16 per swap
    beyond = BeyondBagOfWords(0.2, 0.01, 0.8, 0.02, 417)
    models = [
        analysis_of(found(word_order=order, beyond_bag_of_words=beyond)),
        analysis_of(found(made.GAUSSIAN, word_order=made.word_order(0.2))),
    ]
    rows = {row[0]: row[1:] for row in cells(order_table(models))}
    assert rows[""] == ["vMF, inputless", "Gaussian, inputless"]
    assert rows["4 swaps"] == ["0.7500 ± 0.0100", "0.6000 ± 0.0100"]
    assert rows["8 swaps"] == ["0.5000 ± 0.0100", "0.2000 ± 0.0100"]
    assert rows["their ratio"][0] == "0.25"
    header, _, first, second = cells(figures_table(models))
    row = dict(zip(header, first, strict=True))
    assert (row["code"], row["KL"], row["code gain"], row["words back"]) == ("vMF", "7.50", "0.88", "50.0%")
    assert second[0] == "Gaussian"
    lines = [line for line in picture(models).axes[0].lines if line.get_label() == "vMF, inputless: swaps"]
    np.testing.assert_array_equal(lines[0].get_ydata(), order.cosine)


def test_texts_stand_beside_each_other_and_are_no_markup():
    models = [analysis_of(found()), analysis_of(found(made.GAUSSIAN))]
    samples = cells(samples_table(models))
    assert samples[2] == ["greedy, code 1", "a", "a"]
    assert samples[6][1] == r"\*x\* \| \<unk\>"
    ways = cells(interpolations_table(models))
    assert ways[2:] == [
        [f"pair 1, {share}", f"way {i}", f"way {i}"] for i, share in ((1, "0%"), (2, "50%"), (3, "100%"))
    ]
