"""SIGINT (Ctrl-C) and SIGTERM (a cluster takes the machine away): the run is saved and ends with an exit code of its own."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


class RunInterruptedError(SystemExit):
    """The run was asked to end and has saved its state; the same command resumes it.

    The exit code is the one by which shells, Slurm and Kubernetes report the end by a signal, 128 + its number: 130 for SIGINT
    and 143 for SIGTERM. It is never 0, so no script takes the run for complete.

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
    """In its `with` block the first SIGINT or SIGTERM ends nothing; `received` holds its number, to be looked at between steps.

    A second SIGINT ends the process at once. A signal that the process ignores, as one started in the background of a script
    ignores SIGINT, stays ignored. Outside the main thread, where Python allows no signal handlers, the block changes nothing.

    Attributes:
        received: Number of the first signal; 0 while there is none.
    """

    def __init__(self) -> None:
        self.received = 0
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.received = self.received or number
        if number == signal.SIGINT:
            # The system's own action: it ends the process even while TensorFlow computes and Python runs no handlers.
            signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def exit_on_ctrl_c(note: str) -> Iterator[None]:
    """Turns Ctrl-C in its block into exit code 130 and one line, without a traceback.

    For the parts of a program in which there is nothing to save: before training and after it.

    Args:
        note: The line to print.

    Raises:
        RunInterruptedError: Instead of KeyboardInterrupt.
    """
    try:
        yield
    except KeyboardInterrupt:
        print(f"\n{note}", flush=True)
        raise RunInterruptedError(signal.SIGINT, note) from None
