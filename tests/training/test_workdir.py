"""The folder of a run belongs to one configuration."""

import json
from pathlib import Path

import pytest

from tf_vmf.training import Workdir


def test_the_same_configuration_may_come_back(tmp_path):
    config = {"latent_dim": 5, "encoder_units": ("400", "400")}
    Workdir(tmp_path / "run", config)
    again = Workdir(tmp_path / "run", config)
    assert json.loads(again.config_file.read_text()) == {"latent_dim": 5, "encoder_units": ["400", "400"]}


def test_another_configuration_is_refused_and_named(tmp_path):
    Workdir(tmp_path, {"latent_dim": 5, "seed": 0})
    with pytest.raises(ValueError, match=r"(?s)another configuration.*latent_dim: 5 there, 6 here"):
        Workdir(tmp_path, {"latent_dim": 6, "seed": 0})
    assert json.loads((tmp_path / "config.json").read_text())["latent_dim"] == 5


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("...")
    with pytest.raises(ValueError, match=r"no config\.json"):
        Workdir(tmp_path, {})


def test_a_folder_in_which_a_run_was_killed_at_its_first_file_is_taken(tmp_path):
    (tmp_path / ".partial-x.json").write_text("{")
    assert Workdir(tmp_path, {"seed": 0}).config_file.exists()


@pytest.mark.parametrize("look", ["exists", "iterdir"])
def test_another_worker_of_the_run_may_make_the_folder_right_after_any_look_at_it(look, tmp_path, monkeypatch):
    original, config = getattr(Path, look), {"seed": 0}

    def look_then_let_the_other_worker_go(path):
        seen = original(path)
        monkeypatch.setattr(Path, look, original)
        Workdir(tmp_path, config)
        return seen

    monkeypatch.setattr(Path, look, look_then_let_the_other_worker_go)
    Workdir(tmp_path, config)
    assert json.loads((tmp_path / "config.json").read_text()) == config
