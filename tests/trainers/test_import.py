"""Names that a user's own module registers, reached from the shell."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trainers import program

ROOT = Path(__file__).resolve().parents[2]
LATENT = """
import tensorflow as tf
from tensorflow_probability import distributions as tfd

import tf_vmf


@tf_vmf.layers.register_latent("wide", package="mine")
class WideLatent(tf_vmf.layers.GaussianLatent):
    def __init__(self, latent_dim, *, spread=1.0, **kwargs):
        super().__init__(latent_dim, **kwargs)
        self.spread = spread

    def prior(self):
        return tfd.MultivariateNormalDiag(tf.zeros([self.latent_dim]), self.spread * tf.ones([self.latent_dim]))

    def get_config(self):
        return {**super().get_config(), "spread": self.spread}
"""


def run(name, *arguments, folder):
    command = [sys.executable, "-m", f"trainers.{name}", *arguments]
    path = {"PYTHONPATH": str(ROOT)}
    import os

    return subprocess.run(command, cwd=folder, env={**os.environ, **path}, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_latent_in_a_file_of_the_users_own_trains_and_predicts_from_the_shell(tmp_path):
    (tmp_path / "mine.py").write_text(LATENT)
    rng = np.random.default_rng(0)
    words = [["star", "planet", "orbit", "moon"], ["flour", "butter", "sugar", "oven"]]
    (tmp_path / "texts.txt").write_text("\n".join(" ".join(rng.choice(words[i % 2], 6)) for i in range(60)))
    trained = run(
        "bow_vae",
        "--import=mine.py",
        "--train_files=texts.txt",
        "--latent=wide",
        "--latent_options=spread=0.5",
        "--latent_dim=3",
        "--encoder_units=8",
        "--epochs=1",
        "--num_importance_samples=1",
        "--workdir=run",
        folder=tmp_path,
    )
    assert trained.returncode == 0, trained.stderr
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["latent"], config["latent_options"]) == ("wide", ["spread=0.5"])
    predicted = run(
        "predict", "--import=mine", "--model=run", "--input=texts.txt", "--output=codes.csv", folder=tmp_path
    )
    assert predicted.returncode == 0, predicted.stderr
    with (tmp_path / "codes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    assert float(rows[0]["code_2"]) == float(rows[0]["code_2"])


def test_a_file_is_imported_once_and_one_with_the_name_of_a_module_is_refused(tmp_path):
    (tmp_path / "of_my_own.py").write_text("VALUES = [1]\n")
    name = str(tmp_path / "of_my_own.py")
    program.import_modules([name])
    first = sys.modules["of_my_own"]
    program.import_modules([name])
    assert sys.modules.pop("of_my_own") is first
    (tmp_path / "json.py").touch()
    with pytest.raises(ValueError, match="`import`: expected a file whose name is no module's"):
        program.import_modules([str(tmp_path / "json.py")])
    with pytest.raises(FileNotFoundError, match=r"`import`: expected a module of Python, or a file NAME\.py"):
        program.import_modules([str(tmp_path / "missing.py")])
    with pytest.raises(ValueError, match="`import`: expected a module"):
        program.import_modules(["no.such.module"])


def test_a_module_that_lacks_another_one_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        program.import_modules(["needs_more"])
