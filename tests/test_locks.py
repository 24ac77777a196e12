"""One process holds a lock, as long as it lives."""

import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.workers import ROOT
from tf_vmf import locks
from tf_vmf.locks import FileLock, Holder, LockHeldError

# Takes the lock, says so, and keeps it until its input ends. Without TensorFlow, so it starts at once.
HOLD = """
import os, sys
from tf_vmf.locks import FileLock, LockHeldError
try:
    with FileLock(sys.argv[1]):
        if "fork" in sys.argv:
            if os.fork() == 0:
                os.setsid()
                print(os.getpid(), flush=True)
                import time; time.sleep(60)
        else:
            print("held", flush=True)
        sys.stdin.read()
except LockHeldError as error:
    print(error, flush=True)
"""


def start(path, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.fixture
def held(tmp_path):
    """A lock file and another process that holds it."""
    process = start(tmp_path / "lock")
    assert process.stdout.readline() == "held\n"
    yield tmp_path / "lock", process
    kill(process)


def test_a_second_process_is_refused_and_told_who_holds_the_lock(held):
    path, process = held
    with pytest.raises(LockHeldError, match="Folder x is in use by") as refused, FileLock(path, "Folder x"):
        pass
    assert re.search(
        rf"process {process.pid} on host {re.escape(socket.gethostname())} since 20\d\d-", str(refused.value)
    )
    assert json.loads(path.read_text())["pid"] == process.pid  # who is refused changes nothing


def test_a_killed_process_holds_nothing(held):
    path, process = held
    kill(process)
    assert json.loads(path.read_text())["pid"] == process.pid
    with FileLock(path):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_the_lock_is_free_after_the_block_and_after_an_error_in_it(tmp_path):
    path = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), FileLock(path):
        _ = 1 / 0
    assert path.read_text() == ""
    with FileLock(path):
        pass


def test_an_object_may_be_entered_twice_and_another_one_may_not(tmp_path):
    lock = FileLock(tmp_path / "lock")
    with lock:
        with lock:
            pass
        with pytest.raises(LockHeldError, match=f"process {os.getpid()}"), FileLock(tmp_path / "lock"):
            pass
    with FileLock(tmp_path / "lock"):
        pass


def test_a_lock_that_removes_its_file_has_one_holder_though_another_opens_the_file_as_it_goes(tmp_path, monkeypatch):
    path, original, first = tmp_path / "lock", os.open, FileLock(tmp_path / "lock", remove=True)
    first.__enter__()

    def opened_as_the_first_leaves(*arguments):
        handle = original(*arguments)
        monkeypatch.setattr(os, "open", original)
        first.__exit__(None, None, None)
        return handle

    monkeypatch.setattr(os, "open", opened_as_the_first_leaves)
    with FileLock(path, remove=True), pytest.raises(LockHeldError), FileLock(path, remove=True):
        pass
    assert not path.exists()


def test_of_many_processes_at_once_one_gets_the_lock(tmp_path):
    processes = [start(tmp_path / "lock") for _ in range(8)]
    answers = [process.stdout.readline() for process in processes]
    for process in processes:
        kill(process)
    assert answers.count("held\n") == 1
    holder = processes[answers.index("held\n")]
    assert all(f"process {holder.pid} " in answer for answer in answers if answer != "held\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_that_outlives_its_killed_parent_holds_nothing(tmp_path):
    process = start(tmp_path / "lock", "fork")
    child = int(process.stdout.readline())
    try:
        with pytest.raises(LockHeldError, match=f"process {process.pid} "), FileLock(tmp_path / "lock"):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        with FileLock(tmp_path / "lock"):
            os.kill(child, 0)  # it still lives
    finally:
        os.kill(child, signal.SIGKILL)
        kill(process)


class TestWithoutLocksInTheFileSystem:
    """flock is refused, as by some network file systems; the content of the file decides."""

    @pytest.fixture(autouse=True)
    def _no_flock(self, monkeypatch):
        def flock(handle, operation):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr(locks.fcntl, "flock", flock)
        monkeypatch.setattr(locks, "_SETTLING_SECONDS", 0.01)

    def test_a_living_holder_is_named(self, held):
        path, process = held
        with pytest.raises(LockHeldError, match=f"process {process.pid} on host"), FileLock(path):
            pass

    def test_a_dead_holder_holds_nothing(self, held):
        path, process = held
        kill(process)
        with FileLock(path):
            assert json.loads(path.read_text())["pid"] == os.getpid()
        assert path.read_text() == ""

    @pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")
    def test_another_process_with_the_number_of_a_dead_holder_holds_nothing(self, held):
        path, process = held
        holder = json.loads(path.read_text())
        path.write_text(json.dumps({**holder, "birth": "an earlier process"}))
        assert process.poll() is None
        with FileLock(path):
            pass

    def test_a_holder_on_another_host_holds_until_its_file_is_removed_which_the_message_says(self, tmp_path):
        path = tmp_path / "lock"
        path.write_text(json.dumps({"host": "node17.elsewhere", "pid": 1, "since": "2026-01-01", "birth": ""}))
        with pytest.raises(LockHeldError, match=rf"process 1 on host node17\.elsewhere.*remove {path}"), FileLock(path):
            pass
        path.unlink()
        with FileLock(path):
            pass

    def test_of_two_that_write_at_the_same_moment_the_last_holds(self, tmp_path, monkeypatch):
        path, other = tmp_path / "lock", Holder("node17", 2, "2026-01-01", "")
        monkeypatch.setattr(time, "sleep", lambda seconds: path.write_text(json.dumps(vars(other))))
        with pytest.raises(LockHeldError, match="process 2 on host node17"), FileLock(path):
            pass


def test_the_module_can_be_imported_where_there_is_no_flock(tmp_path):
    program = """
import sys
sys.modules["fcntl"] = None  # as on Windows
from tf_vmf.locks import FileLock
with FileLock(sys.argv[1]):
    print("held")
"""
    command = [sys.executable, "-c", program, str(tmp_path / "lock")]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout == "held\n"
