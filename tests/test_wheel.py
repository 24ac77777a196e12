"""What a wheel holds, and that its command runs where there is no checkout."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
_TREE = ("tf_vmf", "trainers", "flags", "recipes", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


def _build(kind, source, output):
    finished = subprocess.run(
        [sys.executable, "-c", _BUILD, kind, str(output)], cwd=source, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return output / finished.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in _TREE:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, source / name)
    return _build("build_wheel", source, folder)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def _tf_vmf(installed, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "tf_vmf.cli", *arguments],
        cwd=installed.parent,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_wheel_holds_every_module_and_recipe_and_no_top_level_package_of_another_name(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tf_vmf"}
    for folder, inside in (
        ("tf_vmf", "tf_vmf"),
        ("trainers", "tf_vmf/programs/trainers"),
        ("flags", "tf_vmf/programs/flags"),
    ):
        missing = [
            file
            for file in (ROOT / folder).rglob("*.py")
            if f"{inside}/{file.relative_to(ROOT / folder).as_posix()}" not in names
        ]
        assert not missing
    assert {f"tf_vmf/programs/recipes/{file.name}" for file in (ROOT / "recipes").glob("*.flags")} <= names
    assert {"tf_vmf/py.typed", "tf_vmf/math/vmf_tables.npz", "tf_vmf/serving/pages/index.html"} <= names
    templates = {f"tf_vmf/report/page/scripts/{file.name}" for file in (ROOT / "tf_vmf/report/page/scripts").iterdir()}
    assert {Path(name).suffix for name in templates} == {".html", ".css", ".js"}
    assert templates <= names


def test_the_command_lists_programs_and_recipes_and_passes_flags_on(installed):
    overview = _tf_vmf(installed)
    assert overview.returncode == 0, overview.stderr
    assert "bow_vae" in overview.stdout
    assert "20ng_vmf" in overview.stdout
    shown = _tf_vmf(installed, "serve", "--help")
    assert "usage: tf-vmf serve" in shown.stdout, shown.stderr
    wrong = _tf_vmf(installed, "serve", "--prot=1")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Did you mean: port" in wrong.stderr
    unknown = _tf_vmf(installed, "bow_vea")
    assert unknown.returncode == 2
    assert "Did you mean bow_vae?" in unknown.stderr


def test_a_source_distribution_holds_what_a_wheel_is_built_from(wheel, tmp_path):
    archive = _build("build_sdist", wheel.parent / "source", tmp_path)
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    assert {"setup.cfg", "pyproject.toml", "README.md", "LICENSE", "tf_vmf/math/vmf_tables.npz"} <= names
    for folder, pattern in (("tf_vmf", "*.py"), ("trainers", "*.py"), ("flags", "*.py"), ("recipes", "*.flags")):
        files_there = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern)}
        assert files_there <= names


@pytest.mark.slow
def test_a_shipped_recipe_trains_from_the_wheel(installed, tmp_path):
    pytest.importorskip("gensim")
    quick = ["--epochs=1", "--num_importance_samples=1", f"--workdir={tmp_path}/run"]
    finished = _tf_vmf(installed, "bow_vae", "--flagfile=wikipedia_vmf", *quick)
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert (tmp_path / "run" / "metrics.json").is_file()
    assert "next    tf-vmf export" in finished.stdout
