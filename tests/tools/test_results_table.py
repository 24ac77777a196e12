"""The published tables say what the metrics of the runs say."""

import json

import pytest

from tools.results_curves import curves
from tools.results_table import PAGE, RESULTS, collect, read_runs, results_table, with_tables


def write_run(folder, perplexity, kl):
    split = {
        "perplexity": perplexity,
        "document_perplexity": 900.0,
        "iw_perplexity": 700.0,
        "iw_document_perplexity": 800.0,
    }
    split |= {"nll": 600.0, "kl": kl, "code_gain": 100.0}
    metrics = {"valid": split, "test": split, "training": {"seconds": 90.0}}
    metrics["protocol"] = {"importance_samples": {"test": 100}}
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "history.csv").write_text(f"epoch,val_perplexity,val_kl\n1,{perplexity + 9},{kl}\n2,{perplexity},{kl}\n")
    return folder


def test_a_row_is_the_mean_and_the_deviation_over_seeds_and_the_best_comes_first(tmp_path):
    runs = [write_run(tmp_path / "c_a_seed0", 750.0, 20.0), write_run(tmp_path / "c_a_seed4", 754.0, 21.0)]
    runs += [write_run(tmp_path / "c_b_seed0", 700.0, 19.0), write_run(tmp_path / "d_b_seed0", 1.0, 1.0)]
    collect(runs, tmp_path / "results")
    assert (tmp_path / "results" / "c_a_seed4.csv").read_bytes() == (runs[1] / "history.csv").read_bytes()
    lines = results_table(read_runs(tmp_path / "results", "c")).splitlines()
    assert len(lines) == 4
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert [row[0].split("]")[0] for row in cells] == ["[c_b", "[c_a"]
    # Mean 752 and 20.5; deviation |750 - 754| / sqrt(2), |20 - 21| / sqrt(2); 90 seconds are 1.5 minutes.
    assert cells[1][1:4] == ["0, 4", "752.0 ± 2.8", "752.0 ± 2.8"]
    assert (cells[1][8], cells[1][10], cells[0][8]) == ("20.50 ± 0.71", "1.5 ± 0.0", "19.00")


def test_weights_of_published_runs_are_kept_outside_the_checkout(tmp_path):
    run = write_run(tmp_path / "c_a_seed0", 750.0, 20.0)
    (run / "model.keras").write_bytes(b"weights")
    (run / "run.lock").write_text("")
    (tmp_path / "kept" / "c_a_seed0" / "stale").mkdir(parents=True)
    collect([run], tmp_path / "results", tmp_path / "kept")
    kept = sorted(path.name for path in (tmp_path / "kept" / "c_a_seed0").iterdir())
    assert kept == ["history.csv", "metrics.json", "model.keras"]
    collect([tmp_path / "kept" / "c_a_seed0"], tmp_path / "results", tmp_path / "kept")  # published again from there
    assert (tmp_path / "kept" / "c_a_seed0" / "model.keras").read_bytes() == b"weights"
    with pytest.raises(ValueError, match="outside"):
        collect([run], tmp_path / "results", RESULTS / "weights")
    assert not (RESULTS / "weights").exists()


def test_a_folder_of_another_name_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected <corpus>_<model>_seed<n>.*'demo'"):
        collect([tmp_path / "demo"], tmp_path / "results")


def test_the_tables_of_the_readme_are_those_of_the_results():
    text = PAGE.read_text(encoding="utf-8")
    assert "<!-- results: 20ng -->" in text
    assert with_tables(text, RESULTS) == text


def test_the_curves_are_those_of_the_histories_in_their_place(tmp_path):
    runs = [
        write_run(tmp_path / "ptb_vmf_standard_seed0", 110.0, 3.4),
        write_run(tmp_path / "ptb_none_inputless_seed0", 600.0, 0.0),
    ]
    collect(runs, tmp_path / "results")
    (standard, inputless), (standard_kl, _) = (
        curves(tmp_path / "results").axes[:2],
        curves(tmp_path / "results").axes[2:],
    )
    assert [line.get_ydata().tolist() for line in standard.lines] == [[119.0, 110.0]]
    assert [line.get_ydata().tolist() for line in inputless.lines] == [[609.0, 600.0]]
    assert standard.lines[0].get_label() == "vMF"
    assert [line.get_ydata().tolist() for line in standard_kl.lines] == [[3.4, 3.4]]
