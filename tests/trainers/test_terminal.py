"""Streams of a program that are closed, left or given control characters, and signals that end it."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def program(body, **options):
    code = "from trainers import terminal\nterminal.guard_streams()\n" + textwrap.dedent(body)
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, text=True, stderr=subprocess.PIPE, encoding="utf-8", **options
    )


def test_a_reader_that_leaves_ends_nothing(tmp_path):
    done = tmp_path / "done"
    with program(
        f"""
        import pathlib
        for number in range(20_000):
            print("a line", number, flush=True)
        pathlib.Path({str(done)!r}).touch()
        """,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == "a line 0\n"
        process.stdout.close()
        assert (process.wait(), process.stderr.read()) == (0, "")
        assert done.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_full_stream_is_named_and_not_the_output_that_was_being_written(tmp_path):
    body = f"""
        from tf_vmf.files import new_folder
        with new_folder({str(tmp_path / "out")!r}):
            print("a line", flush=True)
    """
    with open("/dev/full", "w") as full:
        said = program(body, stdout=full).communicate()[1]
    assert said.splitlines()[-1] == "OSError: [Errno 28] No space left on device: '/dev/fd/1'"
    assert list(tmp_path.iterdir()) == []


def test_a_closed_stream_takes_no_other_files_place(tmp_path):
    file = tmp_path / "file"
    code = (
        "import sys; from trainers import terminal; terminal.guard_streams(); "
        f"file = open({str(file)!r}, 'w'); print('shown'); print(file.fileno() > 2, file=file)"
    )
    command = f'{sys.executable} -c "{code}" >&- 2>&-'
    assert subprocess.run(command, shell=True, cwd=ROOT, check=False).returncode == 0
    assert file.read_text() == "True\n"


def test_control_characters_of_texts_are_shown_and_not_obeyed():
    with program(
        r"""
        print("title \x1b]0;mine\x07 \x1b[31mred \x9b31m\b tab\t end\rstart\x1b[K")
        """,
        stdout=subprocess.PIPE,
    ) as process:
        shown = process.stdout.buffer.read()
        process.wait()
        assert shown == b"title \\x1b]0;mine\\x07 \\x1b[31mred \\x9b31m\\x08 tab\t end\rstart\x1b[K\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_nothing_half_written(number, code, tmp_path):
    with program(
        f"""
        import signal, time
        from tf_vmf.files import new_file, new_folder
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as without nohup
        terminal.end_on_signals("")
        with new_folder({str(tmp_path / "folder")!r}) as folder, new_file({str(tmp_path / "file.csv")!r}) as file:
            (folder / "part").touch()
            file.touch()
            print("ready", flush=True)
            time.sleep(60)
        """,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        assert len(list(tmp_path.iterdir())) == 4  # two parts and their locks
        process.send_signal(number)
        assert process.wait() == code
        assert list(tmp_path.iterdir()) == []


def test_an_ignored_signal_stays_ignored():
    with program(
        """
        import signal
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        terminal.end_on_signals("")
        signal.raise_signal(signal.SIGHUP)
        print("on")
        """,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.communicate()[0] == "on\n"
