"""Samplers: token sequences from any next-token model, batched, in TensorFlow ops alone.

A model is a function `predict(tokens, state) -> (log_probs, state)`: the ids last generated (rows,) and a nest of tensors with
`rows` as their first dimension in; log p of the next token, (rows, vocabulary_size), and the state after it out.

(KerasHub's samplers would serve, at the price of a dependency as large as this package.)
"""

from __future__ import annotations

import abc
import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.seeds import stateless_seed

Predict = Callable[[tf.Tensor, Any], tuple[tf.Tensor, Any]]

# Of words, hypotheses and the k of top-k: memory for every word is set aside at the start.
LARGEST = 100_000

# Below it quotients of log-probabilities leave the range of float32, and sampling is greedy anyway.
LOWEST_TEMPERATURE = 1e-4


class Sampler(abc.ABC):
    """A rule that chooses the next token.

    Numbers of a sampler may be tensors, which are not checked, so that they can be the inputs of a graph. A `tf.function` takes a
    sampler as an argument: numbers enter its graph as tensors, so that other ones need no other graph.
    """

    @abc.abstractmethod
    def generate(
        self,
        predict: Predict,
        state: Any,
        start: tf.Tensor,
        *,
        max_length: tf.Tensor,
        end_id: int,
        pad_id: int,
        seed: tf.Tensor,
    ) -> tf.Tensor:
        """Token ids of shape (rows, length), each row up to and with its `end_id`, then `pad_id`.

        Args:
            predict: The model; see the head of this file.
            state: Its state before the first word.
            start: The id that precedes the first word, shape (rows,).
            max_length: Largest number of tokens per row; it may be reached without the end.
            end_id: Ends a row.
            pad_id: Fills what is after it.
            seed: Stateless seed of shape (2,).
        """

    # TensorFlow takes a dataclass apart by these two.

    def __tf_flatten__(self) -> tuple[Any, tuple[tf.Tensor, ...]]:
        return (), ()

    @classmethod
    def __tf_unflatten__(cls, metadata: Any, components: tuple[tf.Tensor, ...]) -> Self:
        del metadata, components
        return cls()


@dataclass(frozen=True)
class GreedySampler(Sampler):
    """The most probable token at every step."""

    def generate(self, predict: Predict, state: Any, start: tf.Tensor, **options: Any) -> tf.Tensor:
        del options["seed"]

        def choose(log_probs: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
            del step
            return tf.argmax(log_probs, axis=-1, output_type=tf.int32)

        return _one_by_one(predict, state, start, choose, **options)


@dataclass(frozen=True)
class RandomSampler(Sampler):
    """A token drawn from its distribution at every step.

    Attributes:
        temperature: log p is divided by it; >= 1e-4. Below 1 probable tokens become more so.
        top_k: Only the k most probable tokens are drawn; None for all.
        top_p: Only the fewest most probable tokens that have this much probability together are drawn (Holtzman et al., 2020), in
            (0, 1]; None for all.

    References:
        A. Holtzman, J. Buys, L. Du, M. Forbes and Y. Choi. The Curious Case of Neural Text Degeneration. ICLR 2020.
    """

    temperature: float | tf.Tensor = 1.0
    top_k: int | tf.Tensor | None = None
    top_p: float | tf.Tensor | None = None

    def __post_init__(self) -> None:
        if _is_checked("temperature", self.temperature) and not self.temperature >= LOWEST_TEMPERATURE:
            expected = f"a number >= {LOWEST_TEMPERATURE}; for the most probable words use a GreedySampler"
            raise ArgumentError("temperature", expected, repr(self.temperature))
        if self.top_k is not None:
            check_count("top_k", self.top_k)
        if self.top_p is not None and _is_checked("top_p", self.top_p) and not 0 < self.top_p <= 1:
            raise ArgumentError("top_p", "a probability in (0, 1]", repr(self.top_p))

    def generate(self, predict: Predict, state: Any, start: tf.Tensor, **options: Any) -> tf.Tensor:
        seed = options.pop("seed")

        def choose(log_probs: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
            logits = filter_logits(log_probs / self.temperature, self.top_k, self.top_p)
            return tf.random.stateless_categorical(logits, 1, stateless_seed(seed, step), dtype=tf.int32)[:, 0]

        return _one_by_one(predict, state, start, choose, **options)

    def __tf_flatten__(self) -> tuple[Any, tuple[tf.Tensor, ...]]:
        types = {"temperature": tf.float32, "top_k": tf.int32, "top_p": tf.float32}
        names = tuple(name for name in types if getattr(self, name) is not None)
        return names, tuple(_tensor(getattr(self, name), types[name]) for name in names)

    @classmethod
    def __tf_unflatten__(cls, metadata: Any, components: tuple[tf.Tensor, ...]) -> Self:
        return cls(**dict(zip(metadata, components, strict=True)))


@dataclass(frozen=True)
class BeamSampler(Sampler):
    """Beam search: the best sequence of those found by keeping the `width` best beginnings at every step.

    Attributes:
        width: Hypotheses kept per row; a number, as it is the shape of the graph.
        length_penalty: Hypotheses are ranked by log p / length^length_penalty; 0 ranks by log p.
    """

    width: int = 5
    length_penalty: float | tf.Tensor = 0.0

    def __post_init__(self) -> None:
        check_count("width", self.width)
        if _is_checked("length_penalty", self.length_penalty) and not self.length_penalty >= 0:
            raise ArgumentError("length_penalty", "a number >= 0", repr(self.length_penalty))

    @property
    def _ranks_by_log_prob(self) -> bool:
        return isinstance(self.length_penalty, numbers.Real) and self.length_penalty == 0

    def generate(self, predict: Predict, state: Any, start: tf.Tensor, **options: Any) -> tf.Tensor:
        del options["seed"]
        penalty = None if self._ranks_by_log_prob else self.length_penalty
        return _BeamSearch(predict, int(self.width), penalty, **options).run(state, start)

    def __tf_flatten__(self) -> tuple[Any, tuple[tf.Tensor, ...]]:
        if self._ranks_by_log_prob:
            return (self.width,), ()
        return (self.width,), (_tensor(self.length_penalty, tf.float32),)

    @classmethod
    def __tf_unflatten__(cls, metadata: Any, components: tuple[tf.Tensor, ...]) -> Self:
        return cls(*metadata, *components)


SAMPLERS: dict[str, type[Sampler]] = {"greedy": GreedySampler, "random": RandomSampler, "beam": BeamSampler}


def get_sampler(sampler: str | Sampler) -> Sampler:
    """The sampler of a name, with its defaults, or the sampler itself."""
    if isinstance(sampler, str) and sampler in SAMPLERS:
        return SAMPLERS[sampler]()
    if not isinstance(sampler, Sampler):
        names = ", ".join(map(repr, SAMPLERS))
        expected = f"one of {names}, or a sampler such as tf_vmf.models.RandomSampler(temperature=0.8)"
        raise ArgumentError("sampler", expected, repr(sampler))
    return sampler


def check_count(name: str, value: Any) -> None:
    """Refuses what is no integer from 1 to `LARGEST`, of tokens or hypotheses, unless it is a tensor."""
    if _is_checked(name, value) and not (1 <= value <= LARGEST and int(value) == value):
        raise ArgumentError(name, f"an integer >= 1, at most {LARGEST:,}", repr(value))


def filter_logits(
    logits: tf.Tensor, top_k: int | tf.Tensor | None = None, top_p: float | tf.Tensor | None = None
) -> tf.Tensor:
    """Logits (rows, vocabulary_size) with those outside the top k, then outside the top-p nucleus, at -inf."""
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


def _is_checked(name: str, value: Any) -> bool:
    """True for a number; False for a tensor, of which nothing is known yet."""
    if isinstance(value, numbers.Real) and not math.isinf(value):
        return True
    if isinstance(value, (str, bool)) or not hasattr(value, "dtype"):
        raise ArgumentError(name, "a finite number or a tensor", repr(value))
    return False


def _tensor(value: Any, dtype: tf.DType) -> tf.Tensor:
    if isinstance(value, tf.TypeSpec):  # TensorFlow takes a sampler of specifications apart, too
        return value
    return tf.cast(value, dtype) if tf.is_tensor(value) else tf.constant(value, dtype)


def _one_by_one(
    predict: Predict,
    state: Any,
    start: tf.Tensor,
    choose: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    max_length: tf.Tensor,
    end_id: int,
    pad_id: int,
) -> tf.Tensor:
    def body(step: tf.Tensor, last: tf.Tensor, ended: tf.Tensor, tokens: tf.Tensor, state: Any) -> tuple:
        log_probs, state = predict(last, state)
        chosen = tf.where(ended, pad_id, choose(log_probs, step))
        # Not a TensorArray: one that grows comes back empty under XLA.
        tokens = tf.where(tf.range(max_length) == step, chosen[:, tf.newaxis], tokens)
        return step + 1, chosen, ended | (chosen == end_id), tokens, state

    tokens = tf.fill([tf.shape(start)[0], max_length], pad_id)
    ended = tf.zeros_like(start, tf.bool)
    length, _, _, tokens, _ = tf.while_loop(
        lambda step, last, ended, *_: (step < max_length) & ~tf.reduce_all(ended),
        body,
        (tf.constant(0), start, ended, tokens, state),
        parallel_iterations=1,
    )
    return tokens[:, :length]


class _Beams(NamedTuple):
    """The hypotheses kept: tensors of shape (rows, width, ...), and the model's state with a row for each of them."""

    last: tf.Tensor
    ended: tf.Tensor
    log_probs: tf.Tensor
    lengths: tf.Tensor
    tokens: tf.Tensor
    state: Any


class _BeamSearch(NamedTuple):
    """A hypothesis that has ended stays in the beam, continued by padding at no cost."""

    predict: Predict
    width: int
    length_penalty: tf.Tensor | None
    max_length: tf.Tensor
    end_id: int
    pad_id: int

    def run(self, state: Any, start: tf.Tensor) -> tf.Tensor:
        """The best hypothesis of every row."""
        step, beams = tf.while_loop(
            self._goes_on, self._extend, (tf.constant(0), self._first(state, start)), parallel_iterations=1
        )
        best = tf.argmax(self._score(beams.log_probs, beams.lengths), axis=-1)
        tokens = tf.gather(beams.tokens, best, batch_dims=1)
        length = tf.reduce_max(tf.reduce_sum(tf.cast(tokens != self.pad_id, tf.int32), axis=-1))
        return tokens[:, : tf.minimum(step, length)]

    def _first(self, state: Any, start: tf.Tensor) -> _Beams:
        rows = tf.shape(start)[0]
        shape = [rows, self.width]
        # All start the same: else the beam holds copies.
        first_alone = tf.where(tf.range(self.width) == 0, 0.0, -np.inf)
        return _Beams(
            last=tf.repeat(start[:, tf.newaxis], self.width, axis=1),
            ended=tf.zeros(shape, tf.bool),
            log_probs=tf.broadcast_to(first_alone, shape),
            lengths=tf.zeros(shape, tf.int32),
            tokens=tf.fill([*shape, self.max_length], self.pad_id),
            state=tf.nest.map_structure(lambda s: tf.repeat(s, self.width, axis=0), state),
        )

    def _goes_on(self, step: tf.Tensor, beams: _Beams) -> tf.Tensor:
        # By log p alone nothing can overtake an ended hypothesis in front, as log p only falls.
        ended = beams.ended[:, 0] if self.length_penalty is None else beams.ended
        return (step < self.max_length) & ~tf.reduce_all(ended)

    def _extend(self, step: tf.Tensor, beams: _Beams) -> tuple[tf.Tensor, _Beams]:
        rows, width = tf.shape(beams.last)[0], self.width
        next_log_probs, state = self.predict(tf.reshape(beams.last, [-1]), beams.state)
        vocabulary_size = next_log_probs.shape[-1]
        padding = tf.where(tf.range(vocabulary_size) == self.pad_id, 0.0, -np.inf)
        next_log_probs = tf.where(tf.reshape(beams.ended, [-1, 1]), padding, next_log_probs)
        totals = beams.log_probs[..., tf.newaxis] + tf.reshape(next_log_probs, [rows, width, vocabulary_size])
        lengths = beams.lengths + tf.cast(~beams.ended, tf.int32)
        scores = self._score(totals, lengths[..., tf.newaxis])
        _, best = tf.math.top_k(tf.reshape(scores, [rows, width * vocabulary_size]), width)
        parents, last = best // vocabulary_size, best % vocabulary_size
        tokens = tf.gather(beams.tokens, parents, batch_dims=1)
        origins = tf.reshape(parents + width * tf.range(rows)[:, tf.newaxis], [-1])
        return step + 1, _Beams(
            last=last,
            ended=tf.gather(beams.ended, parents, batch_dims=1) | (last == self.end_id),
            log_probs=tf.gather(tf.reshape(totals, [rows, width * vocabulary_size]), best, batch_dims=1),
            lengths=tf.gather(lengths, parents, batch_dims=1),
            tokens=tf.where(tf.range(self.max_length) == step, last[..., tf.newaxis], tokens),
            state=tf.nest.map_structure(lambda s: tf.ensure_shape(tf.gather(s, origins), s.shape), state),
        )

    def _score(self, log_probs: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        if self.length_penalty is None:
            return log_probs
        return log_probs / tf.maximum(tf.cast(lengths, tf.float32), 1.0) ** self.length_penalty
