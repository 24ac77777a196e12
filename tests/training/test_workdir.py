"""The folder of a run belongs to one configuration and, at a time, to one process."""

import json
import os
from pathlib import Path

import pytest

from tf_vmf.training import LockHeldError, Workdir


def open_and_close(path, config, **options):
    with Workdir.open(path, config, **options) as workdir:
        return workdir


def test_the_constructor_touches_nothing(tmp_path):
    workdir = Workdir(tmp_path / "run")
    workdir.check_unlocked()
    assert not workdir.path.exists()
    assert (workdir.recorded_config(), workdir.has_started) == (None, False)


def test_the_same_configuration_may_come_back(tmp_path):
    config = {"latent_dim": 5, "encoder_units": ("400", "400")}
    open_and_close(tmp_path / "run", config)
    again = open_and_close(tmp_path / "run", config)
    assert again.config == again.recorded_config() == {"latent_dim": 5, "encoder_units": ["400", "400"]}


def test_another_configuration_is_refused_and_named(tmp_path):
    open_and_close(tmp_path, {"latent_dim": 5, "seed": 0})
    with pytest.raises(ValueError, match=r"(?s)another configuration.*latent_dim: 5 there, 6 here"):
        open_and_close(tmp_path, {"latent_dim": 6, "seed": 0})
    assert json.loads((tmp_path / "config.json").read_text())["latent_dim"] == 5


def test_a_damaged_configuration_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json is damaged.*give another workdir"):
        open_and_close(tmp_path, {"seed": 0})


def test_what_differs_inside_an_entry_is_named_alone(tmp_path):
    open_and_close(tmp_path, {"data": {"train": {"documents": 160, "sha256": "b1c6"}, "labels": ["a"]}})
    with pytest.raises(ValueError, match=r":\n  data\.train\.sha256: 'b1c6' there, 'b0a7' here\nGive another"):
        open_and_close(tmp_path, {"data": {"train": {"documents": 160, "sha256": "b0a7"}, "labels": ["a"]}})
    with pytest.raises(ValueError, match=r"data\.labels: \['a'\] there, None here"):
        open_and_close(tmp_path, {"data": {"train": {"documents": 160, "sha256": "b1c6"}}})


def test_entries_that_may_change_are_not_compared_and_are_recorded_when_the_run_agrees(tmp_path):
    open_and_close(tmp_path, {"epochs": 3, "train_files": ["a.txt"], "seed": 0})
    changed = {"epochs": 5, "train_files": ["moved/a.txt"], "seed": 0}
    with Workdir.open(tmp_path, changed, may_change=["epochs", "train_files"]) as workdir:
        assert workdir.recorded_config()["epochs"] == 3
        workdir.record_config()
    assert json.loads((tmp_path / "config.json").read_text()) == changed
    with pytest.raises(ValueError, match="seed: 0 there, 1 here"):
        open_and_close(tmp_path, {**changed, "seed": 1}, may_change=["epochs", "train_files"])


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("...")
    with pytest.raises(ValueError, match=r"no config\.json"):
        open_and_close(tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_in_which_a_run_was_killed_at_its_first_file_is_taken(tmp_path):
    (tmp_path / ".partial-x.json").write_text("{")
    (tmp_path / "run.lock").write_text("")
    assert open_and_close(tmp_path, {"seed": 0}).config_file.exists()


def test_one_opening_at_a_time(tmp_path):
    with Workdir.open(tmp_path, {"seed": 0}) as workdir:
        with pytest.raises(
            LockHeldError, match=f"Folder {tmp_path} is in use by process {os.getpid()} on host .* another workdir"
        ):
            open_and_close(tmp_path, {"seed": 0})
        with workdir.lock():  # as `fit` does
            pass
        with pytest.raises(LockHeldError):
            Workdir(tmp_path).check_unlocked()
        with pytest.raises(LockHeldError), Workdir(tmp_path).lock():
            pass
    open_and_close(tmp_path, {"seed": 0})


def test_results_set_aside_are_all_kept(tmp_path):
    workdir, names = Workdir(tmp_path), ["metrics.json", "model.keras", "report.html", "findings.json"]
    for content in ("first", "second"):
        for name in names:
            (tmp_path / name).write_text(content)
        workdir.set_results_aside()
        workdir.set_results_aside()  # there is nothing left to move
        assert not any((tmp_path / name).exists() for name in names)
    for number, content in (("1", "first"), ("2", "second")):
        folder = tmp_path / "earlier_results" / number
        assert {path.name: path.read_text() for path in folder.iterdir()} == dict.fromkeys(names, content)


@pytest.mark.parametrize("look", ["exists", "iterdir"])
@pytest.mark.parametrize("seed", [0, 1])
def test_another_run_may_make_the_folder_right_after_any_look_at_it(look, seed, tmp_path, monkeypatch):
    """It is joined where the configuration is the same, and refused where it is not."""
    original, config = getattr(Path, look), {"seed": 0}

    def look_then_let_the_other_run_go(path):
        seen = original(path)
        monkeypatch.setattr(Path, look, original)
        open_and_close(tmp_path, {"seed": seed})
        return seen

    monkeypatch.setattr(Path, look, look_then_let_the_other_run_go)
    if seed == config["seed"]:
        open_and_close(tmp_path, config)
    else:
        with pytest.raises(ValueError, match="another configuration"):
            open_and_close(tmp_path, config)
    assert json.loads((tmp_path / "config.json").read_text()) == {"seed": seed}
