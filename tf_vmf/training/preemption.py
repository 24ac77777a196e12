"""SIGTERM, by which clusters announce that a machine is about to be taken away."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class PreemptedError(SystemExit):
    """The run was asked to end, saved its state and ends with exit code 0; the same command resumes it."""

    def __init__(self, note: str) -> None:
        super().__init__(0)
        self.note = note

    def __str__(self) -> str:
        return self.note


class Preemption:
    """While entered, SIGTERM does not kill the process but sets `requested`, to be looked at between steps.

    Outside the main thread, where Python allows no signal handlers, it stays False.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None
        self._installed = False

    def __enter__(self) -> "Preemption":
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGTERM, self._request)
            self._installed = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._installed:
            signal.signal(signal.SIGTERM, self._previous)
            self._installed = False

    def _request(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.requested = True
