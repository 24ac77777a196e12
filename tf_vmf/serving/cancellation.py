"""Computations of TensorFlow that another thread can end."""

from __future__ import annotations

from types import TracebackType

from tensorflow.python.eager import cancellation  # there is no public name for it


class Cancellation:
    """Ends the functions that are called within its block, from any thread; they fail with `tf.errors.CancelledError`.

    A function stops between two operations, or between two steps of a loop.
    """

    def __init__(self) -> None:
        self._manager = cancellation.CancellationManager()
        self._context = cancellation.CancellationManagerContext(self._manager)

    def cancel(self) -> None:
        """Ends what runs in the block, now or later."""
        self._manager.start_cancel()

    @property
    def is_cancelled(self) -> bool:
        """True once `cancel` was called."""
        return bool(self._manager.is_cancelled)

    def __enter__(self) -> Cancellation:
        self._context.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.__exit__(kind, error, trace)
