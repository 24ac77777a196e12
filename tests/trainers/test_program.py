"""What programs answer to command lines: help, mistakes and exit codes."""

import errno
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.parameters import quick
from tf_vmf._errors import ArgumentError, MissingPlaceError, TakenPlaceError
from trainers import program, terminal

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted(path.stem for path in (ROOT / "trainers").glob("*.py") if "__main__" in path.read_text())


def run(name, *arguments, hide=()):
    code = (
        f"import sys, runpy; sys.modules.update(dict.fromkeys({list(hide)!r})); sys.argv = sys.argv[1:]; "
        f"runpy.run_module('trainers.{name}', run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", code, name, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_and_wrong_flags_need_no_tensorflow(name):
    hidden = ("tensorflow", "keras", "tensorflow_probability", "sklearn", "matplotlib")
    shown = run(name, "--help", hide=hidden)
    assert shown.returncode == 0, shown.stderr
    assert "(required)" in shown.stdout
    assert "Common flags:" in shown.stdout
    wrong = run(name, "--no_such_flag=1", hide=hidden)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Unknown command line flag 'no_such_flag'" in wrong.stderr
    assert "--help lists all flags" in wrong.stderr


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("bow_vae", ["--corpus=wikipedia"], "--workdir: expected a value"),
        (
            "bow_vae",
            ["--corpus=wikipedia", "--workdir=x", "--epochs=0"],
            "--epochs: expected an integer >= 1. Received: 0",
        ),
        ("bow_vae", ["--corpus=wikipedia", "--workdir=x", "--latent=none"], "unigram"),
        ("bow_vae", ["--corpus=wikipedia", "--workdir=x", "--strategy=horovod"], "default, mirrored"),
        ("bow_vae", ["--workdir=x"], "--corpus: expected a name, or `train_files`"),
        ("lstm_vae", ["--corpus=wikipedia", "--workdir=x", "extra"], "Unexpected arguments: extra"),
        ("sweep", ["--trainer=bow_vae", "--output=x", "--vary=concentration"], "NAME=VALUE,VALUE"),
        ("sweep", ["--trainer=bow_vae", "--output=x", "--vary=seed=0,0"], "NAME=VALUE,VALUE"),
        ("sweep", ["--trainer=bow_vae", "--output=x", "--vary=seed=0", "--vary=seed=1"], "NAME=VALUE,VALUE"),
        ("sweep", ["--output=x", "--vary=seed=0"], "--trainer: expected a value"),
    ],
)
def test_a_mistake_is_answered_in_one_line_that_names_the_flag(name, arguments, message):
    finished = run(name, *arguments, hide=("tensorflow",))
    assert finished.returncode == 2
    assert "Traceback" not in finished.stderr
    assert message in finished.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    quick(
        2,
        [
            (["--vary=seed=0", "--", "--corpus=wikipedia", "--workdir=here"], "Leave out --workdir"),
            (["--vary=latent_dim=2,0", "--", "--corpus=wikipedia"], "expected an integer >= 1"),
            (["--vary=workdir=here,there", "--", "--corpus=wikipedia"], "Leave out --workdir"),
            (["--vary=latnt_dim=2,3", "--", "--corpus=wikipedia"], "Did you mean: latent_dim"),
        ],
    ),
)
def test_a_sweep_that_cannot_run_fails_before_its_first_run(arguments, message, tmp_path):
    finished = run("sweep", "--trainer=bow_vae", f"--output={tmp_path}/never", *arguments)
    assert finished.returncode == 2, finished.stderr
    assert message in finished.stderr
    assert not (tmp_path / "never").exists()


def test_a_mistake_that_the_library_finds_is_one_line_too_and_debug_shows_where(tmp_path):
    arguments = ("--train_files=/no/such/file.txt", f"--workdir={tmp_path}/x")
    finished = run("bow_vae", *arguments)
    assert finished.returncode == 2
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert finished.stderr.startswith("error: --train_files: expected a text file")
    assert "/no/such/file.txt" in finished.stderr
    assert "Traceback" in run("bow_vae", *arguments, "--debug").stderr


def places(folder):
    """Errors of the operating system about a place, as it raises them below this package."""
    (folder / "file").touch()
    for path in (folder / "file" / "x", folder / ("x" * 300)):
        try:
            path.mkdir(parents=True)
        except OSError as error:
            yield path, error
    for number in (errno.EACCES, errno.EROFS, errno.EISDIR, errno.ENOSPC):
        try:
            raise OSError(number, os.strerror(number), str(folder))
        except OSError as error:
            yield folder, error


def test_what_the_operating_system_says_of_a_place_is_one_line_that_names_it(tmp_path, capsys):
    for path, error in places(tmp_path):
        assert program.is_expected(error)
        with pytest.raises(SystemExit) as ended:
            program._stop(error, [], False, "")
        assert ended.value.code == 2
        remedy = " Make room, or name another place, and repeat the command." if error.errno == errno.ENOSPC else ""
        assert capsys.readouterr().err == f"error: {path}: {error.strerror}.{remedy}\n"


@pytest.fixture
def values():
    from flags.from_config import define
    from tf_vmf.programs.configs import ExportConfig

    values = define([ExportConfig])
    program.parse(values, [ExportConfig], ["--model=m", "--output=exports/1", "--examples=a.txt,new=b.txt"])
    return values


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            TakenPlaceError("a new folder", "exports/1", remedy="Name another."),
            "--output: expected a new folder. Received: exports/1. Name another.",
        ),
        (
            MissingPlaceError("a run", "m", "which is none", name="path", owner="load"),
            "--model: expected a run. Received: m, which is none.",
        ),
        (MissingPlaceError("a run", "elsewhere", name="model"), "--model: expected a run. Received: elsewhere."),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "b.txt"),
            "--examples: b.txt: No such file or directory.",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "exports/12"), "exports/12: Permission denied."),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory"),
            "The folder that the command was started in is gone. Change to another, and repeat the command.",
        ),
        (MissingPlaceError("a run", "m2", name="path", owner="load"), "expected a run. Received: m2."),
    ],
)
def test_an_error_about_a_place_begins_with_the_flag_that_named_it(error, message, values):
    assert program.message_of(error, values) == message
    assert program.message_of(pickle.loads(pickle.dumps(error)), values) == message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ArgumentError("examples", "texts", "`none`", owner="export"), "--examples: expected texts. Received: `none`."),
        (
            ArgumentError("latent_dim", "a number", "'x'", "Give one."),
            "--latent_dim: expected a number. Received: 'x'. Give one.",
        ),
        (
            ArgumentError("tempo", "a number", "'x'", owner="play"),
            "Argument `tempo` of play: expected a number. Received: 'x'.",
        ),
        (ValueError("Argument `model` of prose"), "Argument `model` of prose"),
    ],
)
def test_the_flag_of_an_error_is_its_field_and_no_part_of_its_text(error, message, values):
    assert program.message_of(error, values) == message


def test_the_name_of_a_shipped_recipe_is_a_flagfile():
    from flags.from_config import define
    from tf_vmf.programs.configs import DocumentConfig

    config = program.parse(define([DocumentConfig]), [DocumentConfig], ["--flagfile=wikipedia_vmf"])[0]
    assert (config.corpus, config.latent_dim) == ("wikipedia", 25)


def test_a_start_is_quiet_and_one_that_fails_shows_what_was_said(capfd):
    def start(debug, error=None):
        with terminal.quiet_start(debug):
            os.write(2, b"a note\n")
            if error:
                raise error

    start(debug=False)
    assert capfd.readouterr().err == ""
    with pytest.raises(ValueError, match="broken"):
        start(debug=False, error=ValueError("broken"))
    assert capfd.readouterr().err == "a note\n"
    start(debug=True)
    assert capfd.readouterr().err == "a note\n"


def test_a_run_ends_with_links_and_a_command_to_paste(tmp_path, monkeypatch, capsys):
    from tf_vmf import report
    from tf_vmf.training import Workdir

    monkeypatch.setattr(report, "summary", lambda metrics, **_: f"perplexity {metrics['perplexity']}")
    workdir = Workdir(tmp_path / "my run")
    workdir.path.mkdir()
    workdir.report_file.touch()
    program.print_run(SimpleNamespace(metrics={"perplexity": 12}, workdir=workdir))
    assert capsys.readouterr().out.splitlines() == [
        "",
        "perplexity 12",
        "",
        f"report  file://{tmp_path}/my%20run/report.html",
        f"model   {tmp_path}/my run/model.keras",
        f"next    python -m trainers.export '--model={tmp_path}/my run' '--output=exports/my run/1'",
    ]
    program.print_run(SimpleNamespace(metrics={}, workdir=workdir))  # a worker that is not the first
    assert capsys.readouterr().out == ""


def test_make_help_names_every_target():
    if shutil.which("make") is None:
        pytest.skip("there is no make on this machine")
    # A make around the tests would have this one print the folder.
    command = ["make", "--no-print-directory", "help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)[1].split()
    assert {line.split()[0] for line in shown.splitlines()} == set(targets)
    assert all(len(line.split()) > 2 for line in shown.splitlines())
