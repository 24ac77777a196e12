"""Speed of candidates side by side: seconds a call, and ratios to a peer within the same round."""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.timing import interleaved, ratio

# isort: split
import tensorflow as tf

FAILS = "fails"


class Comparison:
    """CPU seconds a call of several candidates, run in turns.

    A candidate that TensorFlow cannot compile or run is kept as a failure rather than stopping the benchmark.

    Args:
        candidates: Name to function of no arguments; a call does one run and waits for its result.
        budget: CPU seconds to spend on all counted rounds together.
        least_rounds: Rounds even if that takes longer.
    """

    def __init__(self, candidates: Mapping[str, Callable[[], Any]], budget: float = 2.0, least_rounds: int = 3):
        self.failures: dict[str, str] = {}
        repeated, self._calls, round_seconds = {}, {}, 0.0
        for name, run in candidates.items():
            try:
                run()  # tracing and compilation
            except tf.errors.OpError as error:
                self.failures[name] = error.message.splitlines()[0]
                continue
            start = time.process_time()
            run()
            once = max(time.process_time() - start, 1e-6)
            # Runs of at least ten milliseconds: the clock and the loop do not count then.
            calls = math.ceil(0.01 / once)
            repeated[name], self._calls[name] = _repeat(run, calls), calls
            round_seconds += calls * once
        rounds = max(least_rounds, min(25, int(budget / round_seconds))) if repeated else 0
        self._seconds = interleaved(repeated, rounds=rounds, warmup=int(rounds > 3))

    def milliseconds(self, name: str) -> str:
        """CPU milliseconds a call, the median over rounds."""
        if name in self.failures:
            return FAILS
        value = 1e3 * statistics.median(self._seconds[name]) / self._calls[name]
        return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3}f}"

    def times(self, name: str, peer: str) -> str:
        """The time of `name` in units of that of `peer`: the median of the ratios within rounds."""
        if name in self.failures or peer in self.failures:
            return FAILS
        value = ratio(self._seconds, name, peer) * self._calls[peer] / self._calls[name]
        return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def _repeat(run: Callable[[], Any], calls: int) -> Callable[[], None]:
    def repeated() -> None:
        for _ in range(calls):
            run()

    return repeated


def value_and_gradient(function: Callable, jit: bool, backward: bool) -> Callable:
    """`function(parameters, *others)` compiled, with the gradients in `parameters` if `backward`.

    The gradient function takes the upstream gradient as its first argument: all candidates get the same one, at no cost of
    their own. The value is returned too, so that nothing of the forward pass can be optimised away.

    Args:
        function: Takes a tuple of tensors and further tensors, returns a tensor.
        jit: With XLA.
        backward: With gradients.
    """

    @tf.function(jit_compile=jit)
    def forward_backward(upstream: tf.Tensor, parameters: tuple, *others: tf.Tensor) -> tuple:
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            value = function(parameters, *others)
        return value, tape.gradient(value, parameters, output_gradients=upstream)

    @tf.function(jit_compile=jit)
    def forward(upstream: tf.Tensor, parameters: tuple, *others: tf.Tensor) -> tf.Tensor:
        del upstream
        return function(parameters, *others)

    return forward_backward if backward else forward
