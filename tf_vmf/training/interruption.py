"""SIGINT (Ctrl-C), SIGTERM (a cluster takes the machine away), SIGHUP (a terminal is closed): a run is saved and ends."""

from __future__ import annotations

import os
import signal
import stat
import threading
from types import FrameType, TracebackType
from typing import Any

_HANGUP = getattr(signal, "SIGHUP", None)  # not on Windows
_SIGNALS = tuple(filter(None, (signal.SIGINT, signal.SIGTERM, _HANGUP)))


class RunInterruptedError(SystemExit):
    """The run was asked to end and has saved its state; the same command resumes it.

    The exit code is the one by which shells, Slurm and Kubernetes report the end by a signal, 128 + its number: 130 for SIGINT,
    143 for SIGTERM and 129 for SIGHUP. It is never 0, so no script takes the run for complete.

    Args:
        number: Number of the signal.
        note: One line that says what was saved and how to go on.
    """

    def __init__(self, number: int, note: str) -> None:
        super().__init__(128 + number)
        self.note = note

    def __str__(self) -> str:
        return self.note


class StopSignals:
    """In its `with` block the first SIGINT, SIGTERM or SIGHUP ends nothing; `received` holds its number, to be read between steps.

    After SIGHUP, which says that the terminal is gone, what would be printed on it is dropped. A second SIGINT ends the process at
    once with exit code 130, while TensorFlow computes too. A signal that the process ignores, as one started in the background of a
    script ignores SIGINT and one started by `nohup` SIGHUP, stays ignored. Outside the main thread, where Python allows no signal
    handlers, the block changes nothing.

    Attributes:
        received: Number of the first signal; 0 while there is none.
    """

    def __init__(self) -> None:
        self.received = 0
        self._previous: dict[signal.Signals, Any] = {}
        self._watch: _SecondSigint | None = None

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._receive)
            self._watch = _SecondSigint()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.received = self.received or number
        if number == _HANGUP:
            _silence_terminal()


def _silence_terminal() -> None:
    """Sends to nowhere what is written to a terminal: writing to one that is gone is an error, before anything is saved."""
    for stream in (1, 2):
        if stat.S_ISCHR(os.fstat(stream).st_mode):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream)
            os.close(nowhere)


class _SecondSigint:
    """Ends the process at the second SIGINT.

    Python runs signal handlers between its own instructions, so not while a long TensorFlow call computes. The number of a
    signal is written to the wakeup file at once, which a thread reads.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._previous = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        count = 0
        while numbers := os.read(self._reading, 64):
            count += numbers.count(signal.SIGINT)
            if count > 1:
                os._exit(128 + signal.SIGINT)

    def end(self) -> None:
        signal.set_wakeup_fd(self._previous)
        os.close(self._writing)  # which ends the thread
        self._thread.join()
        os.close(self._reading)
