"""The tables of docs/PAPER.md and docs/PAPER_DETAILS.md say what results/paper/ptb.json says."""

import json
import re

from tools.paper_table import PAGES, SOURCE, TABLES, attempts_table, groups, main_table, picture, with_tables


def published():
    return json.loads(SOURCE.read_text(encoding="utf-8"))


def test_the_tables_of_the_page_are_those_of_the_results():
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    assert all(f"<!-- paper: {name} -->" in "".join(texts) for name in TABLES)
    assert [with_tables(text, published()) for text in texts] == texts


def test_models_that_differ_in_their_seed_alone_share_a_row():
    base = {
        "setting": "inputless",
        "trained_on": "mean_code",
        "latent": "vmf",
        "latent_dim": 50,
        "dropout": 0.5,
        "epochs": 12,
    }
    split = {"perplexity": 600.0, "mean_code_perplexity": 300.0, "nll": 120.0, "kl": 9.0, "code_gain": 50.0}
    models = [
        {
            **base,
            "concentration": kappa,
            "seed": seed,
            "best_epoch": seed,
            "test": split,
            "valid": split,
            "validation_by_epoch": [],
        }
        for kappa, seed in ((40.0, 0), (80.0, 0), (80.0, 1))
    ]
    assert [len(group) for group in groups(models)] == [1, 2]
    rows = main_table({"models": models}).splitlines()[2:]
    assert len(rows) == 1
    assert "| vMF, d = 50, kappa = 80 | 0, 1 | 600.0 ± 0.0 |  | 300.0 ± 0.0 |" in rows[0]
    models[1]["test"] = {**split, "iw_perplexity": 500.0}  # of one seed of the two
    assert "| 600.0 ± 0.0 | 500.0 (1 of 2 seeds) | 300.0 ± 0.0 |" in main_table({"models": models})


def test_every_figure_of_the_paper_protocol_is_marked_as_no_bound():
    for table in (main_table, attempts_table):
        header = table(published()).splitlines()[0]
        assert all("not a bound" in title for title in re.findall(r"[^|]*mean of 3[^|]*", header))
    labels = [line.get_label() for line in picture(published()).axes[0].lines]
    assert "decoder reads the mean of 3 samples: not a bound" in labels


def test_a_bound_of_more_samples_is_tighter_and_the_mean_of_three_lies_below_both():
    for model in published()["models"]:
        test = model.get("test", {})
        if "iw_perplexity" in test:
            assert test["iw_perplexity"] < test["perplexity"]
        if "mean_code_perplexity" in test and test["code_gain"] > 5:
            assert test["mean_code_perplexity"] < test.get("iw_perplexity", test["perplexity"])
