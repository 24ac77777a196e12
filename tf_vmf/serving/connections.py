"""Limits on the connections of the HTTP service, on idle time and on lines of its log."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from tf_vmf.serving.requests import Limits

# File descriptors that are kept for everything but connections.
_OTHER_FILES = 64
_LARGEST_BACKLOG = 512
_SECONDS_BETWEEN_LINES = 60.0


def largest_number(limits: Limits) -> int:
    """The number of connections that may be open: the limit, or less where the process may open fewer files."""
    return max(1, min(limits.connections, _files() - _OTHER_FILES))


def backlog(limits: Limits) -> int:
    """The number of connections that are accepted at once, before those that are too many are closed."""
    return max(1, min(_LARGEST_BACKLOG, (_files() - largest_number(limits)) // 3))


def _files() -> int:
    """The number of files that the process may have open."""
    try:
        import resource
    except ImportError:  # Windows
        return sys.maxsize
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if files == resource.RLIM_INFINITY else files


def protocol(limits: Limits) -> type[asyncio.Protocol]:
    """The HTTP protocol of Uvicorn with a limit of connections, and a time in which the headers of a request must arrive."""
    most, pause = largest_number(limits), limits.idle_seconds / 2

    class LimitedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._checks_waited, self._check_later = 0, None
            if len(self.connections) > most:
                # Without an answer, which would keep the connection open for as long as the client likes.
                logging.getLogger("uvicorn.error").warning("More than %d connections: new ones are closed.", most)
                transport.abort()
                return
            self._check_later = self.loop.call_later(pause, self._check)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._check_later is not None:
                self._check_later.cancel()
            super().connection_lost(exc)

        def _check(self) -> None:
            is_answering = self.cycle is not None and not self.cycle.response_complete
            self._checks_waited = 0 if is_answering else self._checks_waited + 1
            if self._checks_waited > 1:
                self.transport.abort()
                return
            self._check_later = self.loop.call_later(pause, self._check)

    return LimitedProtocol


class OncePerKind(logging.Filter):
    """Passes a record of each kind once a minute, with the number of those that were dropped since.

    Records are of one kind that come from the same place with the same kind of exception.
    """

    def __init__(self) -> None:
        super().__init__()
        self._dropped: dict[tuple[Any, ...], int] = {}
        self._passed: dict[tuple[Any, ...], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        raised = record.exc_info[0] if record.exc_info else None
        kind = (record.name, record.levelno, record.pathname, record.lineno, raised)
        now = time.monotonic()
        if now - self._passed.get(kind, float("-inf")) < _SECONDS_BETWEEN_LINES:
            self._dropped[kind] = self._dropped.get(kind, 0) + 1
            return False
        self._passed[kind] = now
        if dropped := self._dropped.pop(kind, 0):
            record.msg, record.args = f"{record.getMessage()} ({dropped:,} more of this kind before)", ()
        return True
