"""Files are the old ones or the new ones, never half of each."""

import csv
import json
import os

import pytest

from tf_vmf._errors import TakenPlaceError
from tf_vmf.files import (
    new_file,
    new_folder,
    read_history,
    read_json,
    read_metrics,
    write_atomically,
    write_csv,
    write_json,
    write_text,
)
from tf_vmf.locks import LockHeldError


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "metrics.json"
    write_json(path, {"a": 1})

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_place_of_a_file_is_refused_before_the_work(tmp_path):
    with pytest.raises(IsADirectoryError, match=rf"Expected a file to write\. Received: {tmp_path}"):
        write_atomically(tmp_path, lambda temporary: pytest.fail("it works"))


def test_a_damaged_file_of_ours_is_named_with_the_remedy(tmp_path):
    (tmp_path / "config.json").write_text('{"epochs": 1')
    with pytest.raises(ValueError, match=rf"{tmp_path}/config\.json is damaged\. Expected JSON\..* Restore it\."):
        read_json(tmp_path / "config.json", "Restore it.")


def test_json_refuses_nan_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "metrics.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}


def test_csv_has_a_header_and_a_row_an_epoch(tmp_path):
    write_csv(tmp_path / "history.csv", [{"epoch": 1, "loss": 2.5}, {"epoch": 2, "loss": 1.25}])
    assert (tmp_path / "history.csv").read_text() == "epoch,loss\n1,2.5\n2,1.25\n"


def test_the_temporary_file_keeps_the_suffixes_that_keras_looks_at(tmp_path):
    seen = []
    write_atomically(tmp_path / "best.weights.h5", lambda path: (seen.append(path.name), path.write_bytes(b"x")))
    assert seen[0].endswith(".weights.h5")


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path):
    with new_folder(tmp_path / "a" / "b") as folder:
        (folder / "file").write_text("x")
        assert not (tmp_path / "a" / "b").exists()
    assert (tmp_path / "a" / "b" / "file").read_text() == "x"
    with pytest.raises(FileNotFoundError), new_folder(tmp_path / "c") as folder:
        (folder / "missing" / "file").write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with pytest.raises(FileExistsError, match=r"Expected a folder that does not exist\. Received: .*/a"):
        new_folder(tmp_path / "a").__enter__()


def test_a_folder_is_made_by_one_process_at_a_time_and_a_second_is_refused_at_once(tmp_path):
    with new_folder(tmp_path / "a") as folder:
        (folder / "file").write_text("first")
        held = rf"Folder {tmp_path / 'a'} is in use by process {os.getpid()} on host"
        with pytest.raises(LockHeldError, match=held), new_folder(tmp_path / "a"):
            pass
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["a", "a/file"]


def test_what_a_killed_process_left_of_a_folder_is_removed_by_the_next(tmp_path):
    (tmp_path / ".partial-a.lock").write_text('{"host": "here", "pid": 1, "since": "", "birth": ""}')
    (tmp_path / ".partial-a").mkdir()
    (tmp_path / ".partial-a" / "half").write_text("x")
    with new_folder(tmp_path / "a") as folder:
        (folder / "file").write_text("whole")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["a", "a/file"]


def test_a_history_that_holds_no_numbers_is_named(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss\n1,2.5\n")
    assert read_history(path) == [{"epoch": 1.0, "loss": 2.5}]
    for content in (b"epoch,l\xe9ss\n1,2\n", b"epoch,loss\n1,abc\n", b"epoch,loss\n1\n", b"epoch,loss\n1,2,3\n"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"history\.csv is damaged"):
            read_history(path)


@pytest.mark.parametrize("content", ["null", "[]", '"x"', "[" * 100_000])
def test_json_that_is_no_object_is_named(content, tmp_path):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ValueError, match=r"config\.json is damaged"):
        read_json(tmp_path / "config.json", "Restore it.")


def test_metrics_need_a_protocol(tmp_path):
    (tmp_path / "metrics.json").write_text('{"test": {"nll": 1}, "valid": {"nll": 1}}')
    with pytest.raises(ValueError, match="a protocol"):
        read_metrics(tmp_path / "metrics.json")


def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TakenPlaceError), new_file(tmp_path / "pipe"):
        pytest.fail("a file was begun")
    with pytest.raises(TakenPlaceError):
        write_text(tmp_path / "pipe", "text")
    assert [path.is_fifo() for path in tmp_path.iterdir()] == [True]


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\tx", "\rx", "\r"])
def test_cells_that_spreadsheets_take_for_formulas_are_marked(tmp_path, cell):
    write_csv(tmp_path / "sweep.csv", [{"latent": cell, "name": "a=b", "delta": "-0.5", "nll": -1.5}])
    with (tmp_path / "sweep.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"latent": f"'{cell}", "name": "a=b", "delta": "-0.5", "nll": "-1.5"}]
