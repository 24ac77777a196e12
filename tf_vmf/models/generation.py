"""Generating token sequences from any next-token model: greedy, sampling and beam search, batched, in TensorFlow ops alone.

A model is a function `predict(tokens, state) -> (log_probs, state)`: the ids last generated (rows,) and a nest of tensors with
`rows` as their first dimension in; log p of the next token, (rows, vocabulary_size), and the state after it out.

(KerasHub's samplers would serve, at the price of a dependency as large as this package.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tf_vmf.seeds import stateless_seed

Predict = Callable[[tf.Tensor, Any], tuple[tf.Tensor, Any]]

METHODS = ("greedy", "sample", "beam")

# Of words, hypotheses and the k of top-k: what is written has a place for every word from the start.
LARGEST = 100_000

# Below it quotients of log-probabilities leave the range of float32, and sampling is greedy anyway.
LOWEST_TEMPERATURE = 1e-4


class Choice(NamedTuple):
    """How words are chosen: what shapes the graph. See `Decoding`."""

    method: str
    top_k: int | tf.Tensor | None
    filter_top_p: bool
    beam_width: int
    rank_by_length: bool


@dataclass(frozen=True)
class Decoding:
    """How to generate, checked.

    Attributes:
        method: "greedy" (the most probable word), "sample", or "beam".
        max_length: Largest number of tokens a row; it may be reached without the end.
        temperature: Sampling: log p is divided by it; >= `LOWEST_TEMPERATURE`.
        top_k: Sampling: keep the k most probable words; None keeps all.
        top_p: Sampling: keep the fewest most probable words that have this much probability together (Holtzman et al., 2020).
        beam_width: Beam search: hypotheses kept a row.
        length_penalty: Beam search: hypotheses are ranked by log p / length^length_penalty; 0 ranks by log p.

    References:
        A. Holtzman, J. Buys, L. Du, M. Forbes and Y. Choi. The Curious Case of Neural Text Degeneration. ICLR 2020.
    """

    method: str = "greedy"
    max_length: int = 50
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    beam_width: int = 5
    length_penalty: float = 0.0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"Argument `method`: expected one of {METHODS}. Received: method={self.method!r}.")
        for name in ("max_length", "top_k", "beam_width"):
            value = getattr(self, name)
            if value is None and name == "top_k":
                continue
            try:
                is_integer = int(value) == value
            except (TypeError, ValueError, OverflowError):
                is_integer = False
            if not is_integer or not 1 <= value <= LARGEST:
                raise ValueError(
                    f"Argument `{name}`: expected an integer >= 1, at most {LARGEST:,}. Received: {name}={value!r}."
                )
        if not self.temperature >= LOWEST_TEMPERATURE:
            raise ValueError(
                f"Argument `temperature`: expected a number >= {LOWEST_TEMPERATURE}; for the most probable words use "
                f"method='greedy'. Received: temperature={self.temperature!r}."
            )
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"Argument `top_p`: expected a probability in (0, 1]. Received: top_p={self.top_p!r}.")
        if not self.length_penalty >= 0:
            raise ValueError(f"Argument `length_penalty`: expected a number >= 0. Received: {self.length_penalty!r}.")

    def split(self) -> tuple[Choice, dict[str, tf.Tensor]]:
        """What shapes the graph, and the numbers that go into it as tensors, so that other ones need no other graph."""
        top_k = None if self.top_k is None else tf.constant(int(self.top_k))
        choice = Choice(self.method, top_k, self.top_p is not None, int(self.beam_width), self.length_penalty > 0)
        given = {"temperature": self.temperature, "top_p": self.top_p or 1.0, "length_penalty": self.length_penalty}
        tensors = {name: tf.constant(value, tf.float32) for name, value in given.items()}
        return choice, {"max_length": tf.constant(int(self.max_length)), **tensors}


def generate(
    predict: Predict,
    state: Any,
    start: tf.Tensor,
    choice: Choice,
    *,
    max_length: tf.Tensor,
    temperature: tf.Tensor,
    top_p: tf.Tensor,
    length_penalty: tf.Tensor,
    end_id: int,
    pad_id: int,
    seed: tf.Tensor,
) -> tf.Tensor:
    """Token ids of shape (rows, length), each row up to and with its `end_id`, then `pad_id`.

    Args:
        predict: The model; see above.
        state: Its state before the first word.
        start: The id that precedes the first word, shape (rows,).
        choice: From `Decoding.split`, as the four tensors that follow.
        max_length: See `Decoding`.
        temperature: See `Decoding`.
        top_p: See `Decoding`.
        length_penalty: See `Decoding`.
        end_id: Ends a row.
        pad_id: Fills what is after it.
        seed: Stateless seed of shape (2,).
    """
    if choice.method == "beam":
        penalty = length_penalty if choice.rank_by_length else None
        return _beam_search(predict, state, start, choice.beam_width, penalty, max_length, end_id, pad_id)

    def choose(log_probs: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
        if choice.method == "greedy":
            return tf.argmax(log_probs, axis=-1, output_type=tf.int32)
        logits = filter_logits(log_probs / temperature, choice.top_k, top_p if choice.filter_top_p else None)
        return tf.random.stateless_categorical(logits, 1, stateless_seed(seed, t), dtype=tf.int32)[:, 0]

    return _one_by_one(predict, state, start, choose, max_length, end_id, pad_id)


def filter_logits(
    logits: tf.Tensor, top_k: int | tf.Tensor | None = None, top_p: float | tf.Tensor | None = None
) -> tf.Tensor:
    """Logits with those outside the top k, then those outside the top-p nucleus, at -inf; the largest always stays.

    Args:
        logits: Shape (rows, vocabulary_size), not necessarily normalised.
        top_k: See `Decoding`.
        top_p: See `Decoding`; None does not filter.
    """
    if top_k is not None:
        smallest = tf.math.top_k(logits, tf.minimum(top_k, logits.shape[-1]), sorted=True).values[:, -1:]
        logits = tf.where(logits < smallest, -np.inf, logits)
    if top_p is not None:
        descending = tf.sort(logits, axis=-1, direction="DESCENDING")
        # A word stays while those before it have less than top_p.
        before = tf.cumsum(tf.nn.softmax(descending), axis=-1, exclusive=True)
        kept = tf.reduce_sum(tf.cast(before < top_p, tf.int32), axis=-1, keepdims=True)
        smallest = tf.gather(descending, tf.maximum(kept, 1) - 1, batch_dims=1)
        logits = tf.where(logits < smallest, -np.inf, logits)
    return logits


def _one_by_one(
    predict: Predict,
    state: Any,
    start: tf.Tensor,
    choose: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    max_length: tf.Tensor,
    end_id: int,
    pad_id: int,
) -> tf.Tensor:
    def body(t: tf.Tensor, last: tf.Tensor, finished: tf.Tensor, tokens: tf.Tensor, state: Any) -> tuple:
        log_probs, state = predict(last, state)
        chosen = tf.where(finished, pad_id, choose(log_probs, t))
        # Not a TensorArray: one that grows comes back empty under XLA.
        tokens = tf.where(tf.range(max_length) == t, chosen[:, tf.newaxis], tokens)
        return t + 1, chosen, finished | (chosen == end_id), tokens, state

    tokens = tf.fill([tf.shape(start)[0], max_length], pad_id)
    finished = tf.zeros_like(start, tf.bool)
    length, _, _, tokens, _ = tf.while_loop(
        lambda t, last, finished, *_: (t < max_length) & ~tf.reduce_all(finished),
        body,
        (tf.constant(0), start, finished, tokens, state),
        parallel_iterations=1,
    )
    return tokens[:, :length]


def _beam_search(
    predict: Predict,
    state: Any,
    start: tf.Tensor,
    width: int,
    length_penalty: tf.Tensor | None,
    max_length: tf.Tensor,
    end_id: int,
    pad_id: int,
) -> tf.Tensor:
    """The best hypothesis of each row. A finished one stays in the beam, continued by padding at no cost."""
    rows = tf.shape(start)[0]

    def flat(x: tf.Tensor) -> tf.Tensor:
        return tf.reshape(x, tf.concat([[rows * width], tf.shape(x)[2:]], axis=0))

    def score(log_probs: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        if length_penalty is None:
            return log_probs
        return log_probs / tf.maximum(tf.cast(lengths, tf.float32), 1.0) ** length_penalty

    def going_on(t: tf.Tensor, last: tf.Tensor, finished: tf.Tensor, *_: Any) -> tf.Tensor:
        # By log p alone nothing can overtake a finished hypothesis in front, as log p only falls.
        done = finished[:, 0] if length_penalty is None else finished
        return (t < max_length) & ~tf.reduce_all(done)

    def body(
        t: tf.Tensor,
        last: tf.Tensor,
        finished: tf.Tensor,
        log_probs: tf.Tensor,
        lengths: tf.Tensor,
        tokens: tf.Tensor,
        state: Any,
    ) -> tuple:
        next_log_probs, state = predict(flat(last), state)
        vocabulary_size = next_log_probs.shape[-1]
        padding = tf.where(tf.range(vocabulary_size) == pad_id, 0.0, -np.inf)
        next_log_probs = tf.where(flat(finished)[:, tf.newaxis], padding, next_log_probs)
        totals = log_probs[..., tf.newaxis] + tf.reshape(next_log_probs, [rows, width, vocabulary_size])
        new_lengths = lengths + tf.cast(~finished, tf.int32)
        scores = score(totals, new_lengths[..., tf.newaxis])
        _, best = tf.math.top_k(tf.reshape(scores, [rows, width * vocabulary_size]), width)
        parents, last = best // vocabulary_size, best % vocabulary_size
        log_probs = tf.gather(tf.reshape(totals, [rows, width * vocabulary_size]), best, batch_dims=1)
        finished = tf.gather(finished, parents, batch_dims=1) | (last == end_id)
        lengths = tf.gather(new_lengths, parents, batch_dims=1)
        tokens = tf.gather(tokens, parents, batch_dims=1)
        tokens = tf.where(tf.range(max_length) == t, last[..., tf.newaxis], tokens)
        origins = tf.reshape(parents + width * tf.range(rows)[:, tf.newaxis], [-1])
        state = tf.nest.map_structure(lambda s: tf.ensure_shape(tf.gather(s, origins), s.shape), state)
        return t + 1, last, finished, log_probs, lengths, tokens, state

    shape = [rows, width]
    first_alone = tf.where(tf.range(width) == 0, 0.0, -np.inf)  # all start the same: without it the beam holds copies
    begin = (
        tf.constant(0),
        tf.repeat(start[:, tf.newaxis], width, axis=1),
        tf.zeros(shape, tf.bool),
        tf.broadcast_to(first_alone, shape),
        tf.zeros(shape, tf.int32),
        tf.fill([rows, width, max_length], pad_id),
        tf.nest.map_structure(lambda s: tf.repeat(s, width, axis=0), state),
    )
    t, _, _, log_probs, lengths, tokens, _ = tf.while_loop(going_on, body, begin, parallel_iterations=1)
    best = tf.argmax(score(log_probs, lengths), axis=-1)
    tokens = tf.gather(tokens, best, batch_dims=1)
    length = tf.reduce_max(tf.reduce_sum(tf.cast(tokens != pad_id, tf.int32), axis=-1))
    return tokens[:, : tf.minimum(t, length)]
