"""Generation against enumeration of all sequences, and against the distribution that it should draw from."""

import itertools

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from tests.parameters import quick
from tf_vmf.models.generation import (
    BeamSampler,
    GreedySampler,
    RandomSampler,
    check_count,
    filter_logits,
    get_sampler,
)

PAD, END = 0, 1
V = 5
LENGTH = 5


class SecondOrderModel:
    """log p(word | the two words before), of its own for each row: what was best so far need not be part of the best."""

    def __init__(self, rows, seed):
        logits = 2.0 * np.random.default_rng(seed).normal(size=(rows, V, V, V))
        logits[..., PAD] = -np.inf
        self.log_probs = scipy.special.log_softmax(logits, axis=-1).astype(np.float32)
        self.rows = rows

    def __call__(self, last, state):
        table = tf.gather(tf.constant(self.log_probs), state["row"])
        log_probs = tf.gather_nd(table, tf.stack([tf.range(tf.shape(last)[0]), state["before_last"], last], axis=1))
        return log_probs, {"row": state["row"], "before_last": last}

    def generate(self, sampler, seed=0, graph=True, max_length=LENGTH):
        start = tf.fill([self.rows], END)
        state = {"row": tf.range(self.rows), "before_last": start}

        def run():
            options = {"end_id": END, "pad_id": PAD, "seed": tf.constant([seed, 0])}
            return get_sampler(sampler).generate(self, state, start, max_length=tf.constant(max_length), **options)

        return (tf.function(run) if graph else run)().numpy()

    def log_prob(self, row, sequence):
        context, total = (END, END), 0.0
        for word in sequence:
            total += self.log_probs[row][context][word]
            context = (context[1], word)
        return total

    def sequences(self):
        """All complete sequences, and those cut at LENGTH."""
        words = range(END + 1, V)
        for n in range(LENGTH):
            for body in itertools.product(words, repeat=n):
                yield (*body, END)
        yield from itertools.product(words, repeat=LENGTH)


def row_of(tokens):
    return tuple(int(token) for token in tokens if token != PAD)


@pytest.mark.parametrize("seed", quick(1, range(3)))
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_a_wide_beam_finds_the_best_of_all_sequences(seed, length_penalty):
    model = SecondOrderModel(rows=4, seed=seed)
    tokens = model.generate(BeamSampler(3**LENGTH, length_penalty=length_penalty))
    for row in range(4):
        scores = {s: model.log_prob(row, s) / len(s) ** length_penalty for s in model.sequences()}
        best = max(scores, key=scores.get)
        assert row_of(tokens[row]) == best


@pytest.mark.parametrize("graph", [True, False])
def test_greedy_takes_the_most_probable_word_every_time_and_is_a_beam_of_one(graph):
    model = SecondOrderModel(rows=20, seed=0)
    greedy = model.generate("greedy", graph=graph)
    for row, tokens in enumerate(greedy):
        context, expected = (END, END), []
        while len(expected) < LENGTH and (not expected or expected[-1] != END):
            expected.append(int(np.argmax(model.log_probs[row][context])))
            context = (context[1], expected[-1])
        assert row_of(tokens) == tuple(expected)
    np.testing.assert_array_equal(greedy, model.generate(BeamSampler(1), graph=graph))


def test_a_wider_beam_is_at_least_as_good():
    model = SecondOrderModel(rows=50, seed=1)
    scores = [
        np.mean([model.log_prob(row, row_of(t)) for row, t in enumerate(model.generate(BeamSampler(width)))])
        for width in (1, 3, 27)
    ]
    assert scores[0] < scores[1] <= scores[2]


def test_samples_have_the_frequencies_of_the_model():
    model = SecondOrderModel(rows=1, seed=2)
    many = SecondOrderModel(rows=1, seed=2)
    many.rows, many.log_probs = 20_000, np.repeat(model.log_probs, 20_000, axis=0)
    drawn = [row_of(tokens) for tokens in many.generate("random", seed=3)]
    for sequence in sorted(model.sequences(), key=lambda s: -model.log_prob(0, s))[:8]:
        p = np.exp(model.log_prob(0, sequence))
        error = np.sqrt(p * (1 - p) / len(drawn))
        assert abs(drawn.count(sequence) / len(drawn) - p) < 4 * error


def test_a_low_temperature_approaches_greedy():
    model = SecondOrderModel(rows=50, seed=3)
    np.testing.assert_array_equal(model.generate(RandomSampler(temperature=1e-4)), model.generate("greedy"))
    np.testing.assert_array_equal(model.generate(RandomSampler(top_k=1)), model.generate("greedy"))
    np.testing.assert_array_equal(model.generate(RandomSampler(top_p=1e-6)), model.generate("greedy"))
    assert not np.array_equal(model.generate("random"), model.generate("greedy"))


@pytest.mark.parametrize("method", ["greedy", "random", "beam"])
def test_rows_end_once_and_are_padded_after_it(method):
    tokens = SecondOrderModel(rows=200, seed=4).generate(method)
    assert tokens.shape[1] <= LENGTH
    for row in tokens:
        sequence = row_of(row)
        assert tuple(row[: len(sequence)]) == sequence  # no padding inside
        assert END not in sequence[:-1]
        assert sequence[-1] == END or len(sequence) == LENGTH


def test_the_result_is_as_long_as_its_longest_row():
    model = SecondOrderModel(rows=3, seed=0)
    model.log_probs = np.full((3, V, V, V), -100.0, np.float32)
    model.log_probs[:, END, END, 2] = 0.0  # first a word, then the end
    model.log_probs[..., 2, END] = 0.0
    for method in ("greedy", "beam", "random"):
        np.testing.assert_array_equal(model.generate(method, max_length=50), [[2, END]] * 3)


def test_seeds_decide_the_samples():
    model = SecondOrderModel(rows=50, seed=5)
    np.testing.assert_array_equal(model.generate("random", seed=1), model.generate("random", seed=1))
    assert not np.array_equal(model.generate("random", seed=1), model.generate("random", seed=2))


def test_top_k_keeps_the_k_most_probable():
    logits = tf.constant([[0.0, 3.0, 2.0, 1.0]])
    np.testing.assert_array_equal(np.isfinite(filter_logits(logits, top_k=2)), [[False, True, True, False]])
    np.testing.assert_array_equal(filter_logits(logits, top_k=9), logits)


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.3, [1]), (0.5, [1]), (0.51, [1, 2]), (0.8, [1, 2]), (0.81, [1, 2, 3]), (1.0, [0, 1, 2, 3])]
)
def test_top_p_keeps_the_fewest_words_with_that_probability(top_p, kept):
    probabilities = np.array([[0.05, 0.5, 0.3, 0.15]])
    filtered = filter_logits(tf.constant(np.log(probabilities), tf.float32), top_p=tf.constant(top_p))
    assert list(np.flatnonzero(np.isfinite(filtered[0]))) == kept


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: get_sampler("nucleus"), r"sampler.*greedy.*nucleus"),
        (lambda: RandomSampler(temperature=0.0), r"temperature.*GreedySampler.*0\.0"),
        (lambda: RandomSampler(temperature=float("nan")), "temperature.*nan"),
        (lambda: RandomSampler(temperature=float("inf")), "temperature.*inf"),
        (lambda: RandomSampler(top_k=0), "top_k.*0"),
        (lambda: RandomSampler(top_k=2.5), r"top_k.*2\.5"),
        (lambda: RandomSampler(top_k="all"), "top_k.*'all'"),
        (lambda: RandomSampler(top_p=1.5), r"top_p.*1\.5"),
        (lambda: BeamSampler(width=0), "width.*0"),
        (lambda: BeamSampler(length_penalty=-1.0), "length_penalty.*-1"),
        (lambda: check_count("max_length", 0), "max_length.*0"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("of_numbers", "of_tensors"),
    [
        (GreedySampler(), GreedySampler()),
        (RandomSampler(0.7, 3, 0.8), RandomSampler(tf.constant(0.7), tf.constant(3), tf.constant(0.8))),
        (BeamSampler(3, 0.6), BeamSampler(3, tf.constant(0.6))),
    ],
)
def test_numbers_may_be_tensors_and_others_need_no_other_graph(of_numbers, of_tensors):
    model = SecondOrderModel(rows=20, seed=3)
    traces = []

    @tf.function
    def generate(sampler):
        traces.append(sampler)
        start = tf.fill([model.rows], END)
        state = {"row": tf.range(model.rows), "before_last": start}
        seed = tf.constant([0, 0])
        return sampler.generate(model, state, start, max_length=tf.constant(LENGTH), end_id=END, pad_id=PAD, seed=seed)

    expected = model.generate(of_numbers)
    for sampler in (of_numbers, of_tensors):
        np.testing.assert_array_equal(generate(sampler), expected)
    assert len(traces) == 1
