"""A command per table: it trains what is missing and skips what is done."""

import json
import re
from pathlib import Path

from tests.tools.test_results_table import write_run
from tools import reproduce
from tools.first_losses import trainer_of
from tools.results_table import results_table


def write_recipes(folder):
    folder.mkdir()
    for name in ("c_a", "c_b", "d_a"):
        text = f"# python -m trainers.bow_vae --flagfile=recipes/{name}.flags\n--epochs=1\n"
        (folder / f"{name}.flags").write_text(text)
    return folder


def test_only_missing_runs_are_trained_and_each_is_published_once(tmp_path):
    recipes, runs, results = write_recipes(tmp_path / "recipes"), tmp_path / "runs", tmp_path / "results"
    runs.mkdir()
    jobs = reproduce.jobs_of("c", (0, 1), recipes)
    assert [job.name for job in jobs] == ["c_a_seed0", "c_b_seed0", "c_a_seed1", "c_b_seed1"]
    commands = []

    def run(command):
        commands.append(command)
        write_run(Path(command[-1].removeprefix("--workdir=")), 700.0, 20.0)

    done = write_run(tmp_path / "c_b_seed0", 600.0, 20.0)
    reproduce.collect([done], results)
    trained = reproduce.train_missing(jobs, runs, Path("/data"), results=results, run=run)
    assert trained == ["c_a_seed0", "c_a_seed1", "c_b_seed1"]
    assert commands[0][1:3] == ["-m", "trainers.bow_vae"]
    assert {"--data_dir=/data", "--seed=0", f"--flagfile={recipes / 'c_a.flags'}"} <= set(commands[0])
    assert json.loads((results / "c_b_seed0.json").read_text())["test"]["perplexity"] == 600.0
    assert reproduce.train_missing(jobs, runs, Path("/data"), results=results, run=run) == []


def test_every_table_has_recipes_that_name_their_program():
    for corpus in (*reproduce.CORPORA, reproduce.ANALYSED, reproduce.LEARNED):
        jobs = reproduce.jobs_of(corpus, (0,))
        assert jobs
        assert {trainer_of(job.recipe) for job in jobs} <= {"bow_vae", "lstm_vae"}


def test_a_column_that_is_no_bound_says_so_and_stands_only_where_all_models_have_it(tmp_path):
    metrics = json.loads((write_run(tmp_path / "c_a_seed0", 700.0, 20.0) / "metrics.json").read_text())
    assert "not a bound" not in results_table({"c_a": {0: metrics}})
    mean_code = {**metrics, "test": {**metrics["test"], "mean_code_perplexity": 300.0}}
    table = results_table({"c_a": {0: mean_code}})
    assert "mean-code ppl (not a bound)" in table.splitlines()[0]
    assert "| 300.0 |" in table
    assert "not a bound" not in results_table({"c_a": {0: mean_code}, "c_b": {0: metrics}})


def test_the_analyses_take_their_files_from_the_findings_of_the_runs(tmp_path):
    recipes, analyses = write_recipes(tmp_path / "recipes"), tmp_path / "analyses"
    (tmp_path / "runs").mkdir()
    published = []

    def publish(folders, results):
        published.extend((folder.name, results) for folder in folders)

    jobs = reproduce.jobs_of("d", (0,), recipes)
    options = {"results": analyses, "publish": publish, "run": lambda command: None}
    assert reproduce.train_missing(jobs, tmp_path / "runs", Path("/data"), **options) == ["d_a_seed0"]
    assert published == [("d_a_seed0", analyses)]


def test_what_is_there_and_what_is_missing_is_said_without_training(capsys):
    for table in reproduce.TABLES:
        reproduce.main([table, "--list"])
        lines = capsys.readouterr().out.splitlines()
        assert lines
        assert all(re.fullmatch(r"(done   |missing) \S+", line) for line in lines)
