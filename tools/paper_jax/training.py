"""Trains and evaluates the models of a program together."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tf_vmf.data import SentenceCorpus, Sentences
from tf_vmf.text.vocabulary import EOS_ID, PAD_ID
from tools.paper_jax import model
from tools.paper_jax.model import NUM_SAMPLES, Array, Weights
from tools.paper_jax.settings import SEEDS, Program
from tools.paper_jax.von_mises_fisher import von_mises_fisher

# Cheap random numbers on a GPU.
jax.config.update("jax_default_prng_impl", "rbg")

# Quantities per sentence, in the order of the rows of `Trainer.evaluate`.
NLL, MEAN_CODE_NLL, OTHERS_CODE_NLL, KL, CONCENTRATION = range(5)
_WINDOW = 100  # batches that are sorted by length together
_IMPORTANCE_SAMPLES_PER_CALL = 25


@dataclass(frozen=True)
class Sizes:
    """Sizes of the models and of what is compiled.

    Attributes:
        embedding_dim: Width of word vectors.
        units: Width of the encoder and of the LSTM.
        batch_size: Sentences per training step.
        evaluation_batch_size: Sentences per call of an evaluation.
        lengths: Sentences are filled up to one of these lengths, each of which is compiled once.
        importance_samples: Samples of the importance-weighted bound.
    """

    embedding_dim: int = 200
    units: int = 400
    batch_size: int = 32
    evaluation_batch_size: int = 64
    lengths: tuple[int, ...] = (12, 18, 24, 30, 40, 84)
    importance_samples: int = 500


@dataclass(frozen=True)
class Split:
    """Sentences as a table of tokens, filled up with `PAD_ID`, and their lengths."""

    tokens: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, sentences: Sentences) -> Split:
        lengths = np.diff(sentences.offsets)
        tokens = np.full((len(lengths), lengths.max()), PAD_ID, np.int32)
        for row, (start, length) in enumerate(zip(sentences.offsets, lengths, strict=False)):
            tokens[row, :length] = sentences.tokens[start : start + length]
        return cls(tokens, lengths)

    def batch(self, rows: np.ndarray, size: int, length: int) -> np.ndarray:
        """The rows, filled up to `size` by sentences of `EOS_ID` alone."""
        batch = np.full((size, length), PAD_ID, np.int32)
        kept = self.tokens[rows, :length]
        batch[: len(rows), : kept.shape[1]] = kept
        batch[len(rows) :, 0] = EOS_ID
        return batch


class Trainer:
    """All models of a program, their weights stacked along the first axis.

    Args:
        program: The settings.
        corpus: The text.
        sizes: The sizes.
    """

    def __init__(self, program: Program, corpus: SentenceCorpus, sizes: Sizes | None = None) -> None:
        self.program, self.sizes = program, sizes or Sizes()
        self.splits = {name: Split.of(getattr(corpus, name)) for name in ("train", "valid", "test")}
        self._seed_of = np.asarray([SEEDS.index(setting.seed) for setting in program.settings])
        each = [model.switches(setting, program.latent_dim) for setting in program.settings]
        self._use = {name: np.stack([use[name] for use in each]) for name in each[0]}
        counts = np.asarray(corpus.train_word_counts, np.float64) + 0.5
        starts = {
            seed: model.initial_weights(
                seed,
                vocabulary_size=len(corpus.vocabulary),
                embedding_dim=self.sizes.embedding_dim,
                units=self.sizes.units,
                latent_dim=program.latent_dim,
                unigram=np.log(counts / counts.sum()),
            )
            for seed in SEEDS
        }
        first = starts[SEEDS[0]]
        self.weights = {
            name: jnp.asarray(np.stack([starts[setting.seed][name] for setting in program.settings])) for name in first
        }
        self.history: list[np.ndarray] = []  # validation perplexity by epoch, of every model
        self.best_epochs = np.zeros(len(program.settings), int)
        self._vmf = von_mises_fisher(program.latent_dim)

    @property
    def steps_per_epoch(self) -> int:
        """Training steps per epoch."""
        return -(-len(self.splits["train"].lengths) // self.sizes.batch_size)

    def train(self) -> None:
        """Trains all epochs; ends with the weights of each model's best epoch on validation, by what it is trained on."""
        zeros = jax.tree.map(jnp.zeros_like, self.weights)
        state = self.weights, zeros, jax.tree.map(jnp.zeros_like, self.weights)
        best_loss, best = np.full(len(self._seed_of), np.inf), jax.tree.map(jnp.copy, self.weights)
        steps = self._compiled(self._compile_step, self._train_lengths())
        evaluations = self._compiled(self._compile_evaluation, self.sizes.lengths)
        key, valid = jax.random.key(11), self.splits["valid"]
        step = 0
        for epoch in range(self.program.epochs):
            start = time.time()
            for tokens, sizes in self._batches(epoch):
                noise = jax.random.fold_in(key, step)
                state = steps[tokens.shape[-1]](*state, tokens, sizes, noise, jnp.float32(step))
                step += 1
            rows = self._evaluate(state[0], "valid", 1, evaluations, with_others_code=False)
            of_mean_code = self._use["mean_code"][:, None] > 0
            loss = (np.where(of_mean_code, rows[:, MEAN_CODE_NLL], rows[:, NLL]) + rows[:, KL]).mean(1)
            is_better = loss < best_loss
            best_loss = np.where(is_better, loss, best_loss)
            self.best_epochs = np.where(is_better, epoch + 1, self.best_epochs)
            best = _chosen(jnp.asarray(is_better), state[0], best)
            self.history.append(np.exp(loss * len(valid.lengths) / valid.lengths.sum()))
            perplexities = " ".join(f"{each:.1f}" for each in self.history[-1])
            print(f"{self.program.name} epoch {epoch + 1}, {time.time() - start:.0f} s: {perplexities}", flush=True)
        self.weights = best

    def evaluate(self, split: str, seed: int = 100) -> np.ndarray:
        """Quantities of every sentence, shape (models, 5, sentences); see `NLL` and so on.

        The code gain is `OTHERS_CODE_NLL - NLL`: the decoder reads the code of another sentence of the split.
        """
        evaluations = self._compiled(self._compile_evaluation, self.sizes.lengths)
        return self._evaluate(self.weights, split, seed, evaluations, with_others_code=True)

    def importance_weighted(self, index: int, split: str = "test") -> np.ndarray:
        """The importance-weighted bound of log p of every sentence, of one model."""
        weights, use = (jax.tree.map(lambda a: a[index], each) for each in (self.weights, self._use))
        calls, key = self.sizes.importance_samples // _IMPORTANCE_SAMPLES_PER_CALL, jax.random.key(500 + index)
        found = np.empty(len(self.splits[split].lengths), np.float32)
        parts = [
            (rows, self._importance_weighted(weights, use, tokens, jax.random.fold_in(key, number), max(calls, 1)))
            for number, (rows, tokens) in enumerate(self._evaluation_batches(split))
        ]
        for rows, bounds in parts:
            found[rows] = np.asarray(bounds)[: len(rows)]
        return found

    # Training.

    def _batches(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches of every seed, shape (seeds, batch, time), and their numbers of sentences.

        A seed has an order of its own; ranks of length within a window come in an order that all seeds share, so that their batches
        are of about one length.
        """
        split, size = self.splits["train"], self.sizes.batch_size
        plans = [_plan(split.lengths, size, seed, epoch) for seed in SEEDS]
        for step in range(self.steps_per_epoch):
            rows = [plan[step] for plan in plans]
            length = self._length(max(split.lengths[each].max() for each in rows))
            tokens = np.stack([split.batch(each, size, length) for each in rows])
            yield tokens, np.asarray([len(each) for each in rows], np.int32)

    def _step(
        self, weights: Weights, first: Weights, second: Weights, tokens: Array, sizes: Array, key: Array, step: Array
    ) -> tuple[Weights, Weights, Weights]:
        """A training step of all models."""
        models, size, units = len(self._seed_of), self.sizes.batch_size, self.sizes.units
        length, width = tokens.shape[2], self.sizes.embedding_dim
        keys = jax.random.split(key, 5)
        noise = (
            jax.random.normal(keys[0], (models, NUM_SAMPLES, size, self.program.latent_dim)),
            jax.random.uniform(keys[1], (models, NUM_SAMPLES, size)),
        )

        def mask(key: Array, shape: tuple[int, ...]) -> Array:
            rate = self._use["dropout"].reshape(-1, *[1] * len(shape))
            return (jax.random.uniform(key, (models, *shape)) >= rate) / (1 - rate)

        masks = [mask(each, (length, size, last)) for each, last in zip(keys[2:], (width, width, units), strict=True)]

        def gradient(
            weights: Weights, tokens: Array, number: Array, noise: tuple, masks: Sequence[Array], use: Any
        ) -> Weights:
            def loss(weights: Weights) -> Array:
                nll, kl = model.losses(
                    weights, tokens, noise, tuple(masks), use, self._vmf, self.program.decoder == "inputless"
                )
                return jnp.sum((nll + kl) * (jnp.arange(size) < number)) / number.astype(jnp.float32)

            return jax.grad(loss)(weights)

        gradients = jax.vmap(gradient)(weights, tokens[self._seed_of], sizes[self._seed_of], noise, masks, self._use)
        epochs = jnp.where(self._use["epochs"] > 0, self._use["epochs"], self.program.epochs)
        adam = jax.vmap(model.adam, (0, 0, 0, 0, None, 0))
        return adam(weights, gradients, first, second, step, epochs * self.steps_per_epoch)

    # Evaluation.

    def _quantities(self, weights: Weights, tokens: Array, key: Array, others: Array) -> tuple[Array, Array]:
        """Quantities (models, 5, batch) and codes (models, batch, d); `others` are the codes of other sentences."""
        models, size = len(self._seed_of), tokens.shape[0]
        keys = jax.random.split(key, 2)
        normal = jax.random.normal(keys[0], (models, 1 + NUM_SAMPLES, size, self.program.latent_dim))
        uniform = jax.random.uniform(keys[1], (models, 1 + NUM_SAMPLES, size))

        def of_model(weights: Weights, normal: Array, uniform: Array, others: Array, use: Any) -> tuple[Array, Array]:
            q = model.posterior(weights, tokens, use)
            z = model.sample(q, normal, uniform, use, self._vmf)
            codes = jnp.stack([z[0], jnp.mean(z[1:], 0), others])
            nll = jax.vmap(lambda z: model.nll(weights, tokens, z, use, self.program.decoder == "inputless"))(codes)
            kl = model.kl(q, use, self._vmf)
            return jnp.concatenate([nll, kl[None], q["concentration"][None]]), z[0]

        return jax.vmap(of_model)(weights, normal, uniform, others, self._use)

    def _evaluate(
        self, weights: Weights, split: str, seed: int, evaluations: Mapping[int, Any], with_others_code: bool
    ) -> np.ndarray:
        models, dim, number = len(self._seed_of), self.program.latent_dim, len(self.splits[split].lengths)

        def run(others: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
            rows, codes = np.empty((models, 5, number), np.float32), np.empty((models, number, dim), np.float32)
            parts = []
            for batch, (indices, tokens) in enumerate(self._evaluation_batches(split)):
                given = np.zeros((models, len(tokens), dim), np.float32)
                if others is not None:
                    given[:, : len(indices)] = others[:, indices]
                key = jax.random.fold_in(jax.random.key(seed), batch)
                parts.append((indices, evaluations[tokens.shape[-1]](weights, tokens, key, given)))
            for indices, (found, z) in parts:
                rows[:, :, indices] = np.asarray(found)[:, :, : len(indices)]
                codes[:, indices] = np.asarray(z)[:, : len(indices)]
            return rows, codes

        rows, codes = run(None)
        if with_others_code:
            order = np.random.RandomState(seed).permutation(number)
            others = np.empty_like(codes)
            others[:, order] = codes[:, np.roll(order, 1)]
            rows[:, OTHERS_CODE_NLL] = run(others)[0][:, OTHERS_CODE_NLL]
        return rows

    def _evaluation_batches(self, name: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows and tokens of every batch, shortest sentences first."""
        split, size = self.splits[name], self.sizes.evaluation_batch_size
        order = np.argsort(split.lengths, kind="stable")
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            yield rows, split.batch(rows, size, self._length(split.lengths[rows].max()))

    @functools.partial(jax.jit, static_argnums=0)
    def _importance_weighted(self, weights: Weights, use: Any, tokens: Array, key: Array, calls: Array) -> Array:
        size, samples = tokens.shape[0], min(_IMPORTANCE_SAMPLES_PER_CALL, self.sizes.importance_samples)
        q = model.posterior(weights, tokens, use)

        def add(call: Array, total: Array) -> Array:
            keys = jax.random.split(jax.random.fold_in(key, call), 2)
            normal = jax.random.normal(keys[0], (samples, size, self.program.latent_dim))
            z = model.sample(q, normal, jax.random.uniform(keys[1], (samples, size)), use, self._vmf)
            flat = z.reshape(samples * size, -1)
            inputless = self.program.decoder == "inputless"
            nll = model.nll(weights, jnp.tile(tokens, (samples, 1)), flat, use, inputless).reshape(samples, size)
            ratios = model.log_prior_ratio(q, z, use, self._vmf) - nll
            return jnp.logaddexp(total, jax.nn.logsumexp(ratios, 0))

        total = jax.lax.fori_loop(0, calls, add, jnp.full((size,), -jnp.inf))
        return total - jnp.log(calls * float(samples))

    # Compilation: one function per length, all at the same time.

    def _length(self, longest: int) -> int:
        """The shortest compiled length that holds `longest` tokens."""
        return next(length for length in self.sizes.lengths if length >= longest)

    def _train_lengths(self) -> list[int]:
        longest = self._length(self.splits["train"].lengths.max())
        return [length for length in self.sizes.lengths if length <= longest]

    def _compiled(self, compile_one: Callable[[int], Any], lengths: Sequence[int]) -> dict[int, Any]:
        with ThreadPoolExecutor() as pool:
            return dict(zip(lengths, pool.map(compile_one, lengths), strict=True))

    def _compile_step(self, length: int) -> Any:
        seeds, size = len(SEEDS), self.sizes.batch_size
        weights = _shapes(self.weights)
        tokens = jax.ShapeDtypeStruct((seeds, size, length), jnp.int32)
        sizes, step = jax.ShapeDtypeStruct((seeds,), jnp.int32), jax.ShapeDtypeStruct((), jnp.float32)
        step_of_all = jax.jit(self._step, donate_argnums=(0, 1, 2))
        return step_of_all.lower(weights, weights, weights, tokens, sizes, jax.random.key(0), step).compile()

    def _compile_evaluation(self, length: int) -> Any:
        size = self.sizes.evaluation_batch_size
        tokens = jax.ShapeDtypeStruct((size, length), jnp.int32)
        others = jax.ShapeDtypeStruct((len(self._seed_of), size, self.program.latent_dim), jnp.float32)
        return jax.jit(self._quantities).lower(_shapes(self.weights), tokens, jax.random.key(0), others).compile()


def _plan(lengths: np.ndarray, size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The rows of every batch of an epoch: windows of batches, sorted by length within each."""
    order = np.random.RandomState(7919 * seed + epoch + 17).permutation(len(lengths))
    shared = np.random.RandomState(epoch + 5)
    batches = []
    for start in range(0, len(order), _WINDOW * size):
        rows = order[start : start + _WINDOW * size]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        window = [rows[i : i + size] for i in range(0, len(rows), size)]
        batches += [window[i] for i in shared.permutation(len(window))]
    return batches


@functools.partial(jax.jit, donate_argnums=2)
def _chosen(is_new: Array, new: Weights, old: Weights) -> Weights:
    """The new weights of the models for which `is_new` holds, the old ones of the others."""
    return jax.tree.map(lambda a, b: jnp.where(is_new.reshape(-1, *[1] * (a.ndim - 1)), a, b), new, old)


def _shapes(weights: Weights) -> Any:
    return jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), weights)
