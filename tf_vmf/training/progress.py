"""One line per epoch on the terminal, for people or for programs."""

import json
import math
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

import keras

_SECONDS_BETWEEN_UPDATES = 0.5


class EpochLines(keras.callbacks.Callback):
    """Prints a line per epoch: `12/80  train 565  valid 801  KL 18.8  20 s left`.

    `train` and `valid` are the model's perplexity where it logs one, else its loss. The KL, in nats per example, is that of the
    validation data. The time left is that of all epochs; early stopping may end the run before. The last line has the time since
    the start instead.

    Args:
        steps_per_epoch: Training steps per epoch.
        in_place: Whether to show the running epoch too, on a line that is written again and again; None for on a terminal only.
        stream: Where to print; None for the standard output.
        title: Names a training that is shown without figures: one line for all epochs on a terminal, some ten lines elsewhere.
    """

    def __init__(
        self, steps_per_epoch: int, in_place: bool | None = None, stream: TextIO | None = None, title: str = ""
    ) -> None:
        super().__init__()
        self._steps_per_epoch = steps_per_epoch
        self._stream, self._title = stream or sys.stdout, title
        self._in_place = self._stream.isatty() if in_place is None else in_place
        self._epoch = self._steps_into_epoch = self._steps_timed = 0
        self._began = self._updated = 0.0
        self._timed_from: float | None = None
        self._line_is_open = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._began = time.monotonic()
        self._timed_from, self._steps_timed = None, 0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch = epoch
        self._steps_into_epoch = 0

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._steps_into_epoch = batch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        now = time.monotonic()
        steps = batch + 1 - self._steps_into_epoch  # several per execution
        self._steps_into_epoch = batch + 1
        if self._timed_from is None:  # the first execution compiles the model
            self._timed_from = now
        else:
            self._steps_timed += steps
        if self._in_place and now - self._updated >= _SECONDS_BETWEEN_UPDATES:
            self._updated = now
            step = f"step {self._steps_into_epoch}/{self._steps_per_epoch}"
            figures = [] if self._title else [*_figures(logs or {}), step]
            self._write([*figures, *self._time_left(now)], end="")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        now = time.monotonic()
        self._steps_into_epoch = self._steps_per_epoch
        is_last = self._total is None or epoch + 1 == self._total or self.model.stop_training
        times = [f"{duration(now - self._began)} in all"] if is_last else self._time_left(now)
        if not self._title:
            self._write([*_figures(logs or {}), *times], end="\n")
        elif is_last or self._in_place or (epoch + 1) % math.ceil((self._total or 10) / 10) == 0:
            self._write(times, end="" if self._in_place and not is_last else "\n")

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._line_is_open:  # interrupted within an epoch
            print(file=self._stream, flush=True)
            self._line_is_open = False

    @property
    def _total(self) -> int | None:
        return (self.params or {}).get("epochs")

    def _seconds_left(self, now: float) -> float | None:
        if self._total is None or self._timed_from is None or not self._steps_timed:
            return None
        steps = (self._total - self._epoch) * self._steps_per_epoch - self._steps_into_epoch
        return steps * (now - self._timed_from) / self._steps_timed

    def _time_left(self, now: float) -> list[str]:
        seconds = self._seconds_left(now)
        return [] if seconds is None else [f"{duration(seconds)} left"]

    def _write(self, parts: list[str], end: str) -> None:
        count = f"{self._epoch + 1}/{self._total}" if self._total else f"{self._epoch + 1}"
        count = f"{self._title} {count}" if self._title else count
        # Back to the start of the line, whose rest is erased.
        before, after = ("\r", "\x1b[K") if self._in_place else ("", "")
        print(before + "  ".join([count, *parts]) + after, end=end, file=self._stream, flush=True)
        self._line_is_open = not end


class EpochRecords(EpochLines):
    """Prints a JSON object per epoch, for programs that read logs.

    It holds `event` ("epoch"), `epoch` from 1, `epochs`, `seconds` since the start, `seconds_left` (null where not known), and
    all that the epoch has logged, under the names of `history.csv`.

    Args:
        steps_per_epoch: Training steps per epoch.
        stream: Where to print; None for the standard output.
    """

    def __init__(self, steps_per_epoch: int, stream: TextIO | None = None) -> None:
        super().__init__(steps_per_epoch, in_place=False, stream=stream)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        now = time.monotonic()
        self._steps_into_epoch = self._steps_per_epoch
        left = self._seconds_left(now)
        times = {"seconds": round(now - self._began, 3), "seconds_left": None if left is None else round(left, 1)}
        counts = {"epoch": epoch + 1, "epochs": self._total}
        print(record("epoch", **counts, **times, **(logs or {})), file=self._stream, flush=True)


def record(event: str, **values: Any) -> str:
    """A JSON object on one line; numbers that are not finite, which JSON does not have, become null."""
    return json.dumps({"event": event, **{name: _plain(value) for name, value in values.items()}}, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, (str, int)):
        return value
    return float(value) if math.isfinite(value) else None


def duration(seconds: float) -> str:
    """A time in words, to two figures: `20 s`, `12 min`, `3 h 05 min`."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def _figures(logs: Mapping[str, Any]) -> list[str]:
    measure = next((name for name in ("perplexity", "mean_code_perplexity") if name in logs), "loss")
    kind = "mean-code " if measure.startswith("mean_code") else ""  # not a bound, and not to be read as one
    named = (
        (f"{kind}train", measure),
        (f"{kind}valid", f"val_{measure}"),
        ("KL", "val_kl" if "val_kl" in logs else "kl"),
    )
    return [f"{label} {_rounded(float(logs[name]))}" for label, name in named if name in logs]


def _rounded(value: float) -> str:
    """Three figures, and all digits before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
