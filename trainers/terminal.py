"""The terminal of a program: streams that may be closed, quiet starts, and signals that end it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterator
from types import FrameType
from typing import Any, TextIO

# What moves a cursor, rings or renames a window. Line ends and tabs stay, and so does the erasing of a line's rest by our own.
_CONTROLS = re.compile(r"\x1b(?!\[K)|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\x80-\x9f]")


class _Stream:
    """A stream to which text of users may go: control characters are shown as escapes, and a reader that has left ends nothing.

    Args:
        stream: The stream.
        number: Its file descriptor.
    """

    def __init__(self, stream: TextIO, number: int) -> None:
        self._stream, self._number = stream, number

    def write(self, text: str) -> int:
        shown = _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
        with self._if_read():
            self._stream.write(shown)
        return len(text)

    def flush(self) -> None:
        with self._if_read():
            self._stream.flush()

    @contextlib.contextmanager
    def _if_read(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:  # as after `| head`
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._number)
            os.close(nowhere)
        except OSError as error:
            # As of a full disk: what the system says names no file, and would be taken for an output's.
            error.filename = f"/dev/fd/{self._number}"
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guard_streams() -> None:
    """Makes printing safe: a closed stream, a reader that leaves, and control characters in texts and names."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed: else the next file that is opened would get its number
            os.open(os.devnull, os.O_RDWR)
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name) or open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        if not isinstance(stream, _Stream):
            setattr(sys, name, _Stream(stream, number))


def end_on_signals(note: str) -> None:
    """Lets SIGTERM and SIGHUP end the program as an exception would, so that nothing half-written is left.

    The exit code is 128 plus the number of the signal. Signals that the process ignores stay ignored.

    Args:
        note: What to print after "Ended by SIGTERM."; "" prints nothing.
    """

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, signal.SIG_IGN)  # a second one would end what is being removed
        if note and number != signal.SIGHUP:
            print(f"Ended by {signal.Signals(number).name}.{note}", file=sys.stderr)
        raise SystemExit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # no SIGHUP on Windows
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, end)


@contextlib.contextmanager
def quiet_start(debug: bool) -> Iterator[None]:
    """Keeps TensorFlow's start-up notes from standard error; where the block fails they are shown.

    No setting of TensorFlow 2.21 turns them off: its C++ libraries write them to the file descriptor, past `sys.stderr`.
    """
    if debug:
        yield
        return
    with tempfile.TemporaryFile() as notes:
        sys.stderr.flush()
        terminal = os.dup(2)
        os.dup2(notes.fileno(), 2)
        try:
            yield
        except Exception:
            notes.seek(0)
            os.write(terminal, notes.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
