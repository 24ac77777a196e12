"""Timing that a shared, noisy machine cannot spoil: CPU seconds, interleaved runs, ratios pair by pair."""

import os
import statistics
import time
from collections.abc import Callable, Mapping

# Before TensorFlow is imported: one core, so that CPU seconds are comparable between programs that spread differently.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"


def interleaved(
    candidates: Mapping[str, Callable[[], object]], rounds: int = 7, warmup: int = 1
) -> dict[str, list[float]]:
    """CPU seconds of every candidate in every round; in each round all candidates take their turn.

    Args:
        candidates: Name to function; a call does one run and waits for its result.
        rounds: Counted rounds.
        warmup: Rounds before them that do not count: tracing, compilation, caches.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for round_ in range(-warmup, rounds):
        for name, run in candidates.items():
            start = time.process_time()
            run()
            if round_ >= 0:
                seconds[name].append(time.process_time() - start)
    return seconds


def ratio(seconds: Mapping[str, list[float]], name: str, peer: str) -> float:
    """The median over rounds of the time of `name` in units of that of `peer` in the same round."""
    return statistics.median(a / b for a, b in zip(seconds[name], seconds[peer], strict=True))
