import itertools

import numpy as np
import pytest

from tests.report.engine.sentence_models import make_model, make_sentences
from tests.report.errors import argument_error
from tf_vmf.data import Sentences
from tf_vmf.report.engine.word_order import replace_word, swap_adjacent, word_order_sensitivity
from tf_vmf.report.page import plots


def test_two_words_change_places_at_every_swap():
    np.testing.assert_array_equal(swap_adjacent([7, 9], 3, seed=0), [[7, 9], [9, 7], [7, 9], [9, 7]])


def test_each_copy_is_the_one_before_with_one_pair_of_neighbors_swapped():
    copies = swap_adjacent(np.arange(10, 20), 50, seed=3)
    assert copies.shape == (51, 10)
    np.testing.assert_array_equal(copies[0], np.arange(10, 20))
    for before, after in itertools.pairwise(copies):
        places = np.flatnonzero(before != after)
        assert len(places) == 2
        assert places[1] == places[0] + 1
        np.testing.assert_array_equal(after[places], before[places][::-1])


def test_every_pair_of_neighbors_is_swapped_as_often_as_another():
    words = np.arange(4)
    first = [swap_adjacent(words, 1, seed=seed)[1] for seed in range(600)]
    counts = np.bincount([int(np.flatnonzero(copy != words)[0]) for copy in first], minlength=3)
    # Each of 3 places with probability 1/3: standard deviation sqrt(600 * 2/9) = 11.5.
    assert counts.shape == (3,)
    assert np.all(np.abs(counts - 200) < 5 * 11.5)


def test_a_replaced_word_is_another_one_at_one_place():
    words = np.array([3, 4, 5, 6])
    copies = np.stack([replace_word(words, np.array([3, 4, 9]), seed) for seed in range(100)])
    np.testing.assert_array_equal((copies != words).sum(axis=1), 1)
    assert set(copies[copies != words]) == {3, 4, 9}
    assert set(np.argmax(copies != words, axis=1)) == {0, 1, 2, 3}
    with argument_error("candidates", "none"):
        replace_word(np.array([3]), np.array([3, 3]), 0)


def test_fewer_than_two_words_are_refused(rng):
    with argument_error("words", "shape (1,)"):
        swap_adjacent([3], 1, seed=0)
    with argument_error("sentences", "none"):
        word_order_sensitivity(make_model(), Sentences.from_lists([[3], [4]]))


@pytest.mark.parametrize("latent", ["vmf", "gaussian"])
def test_a_bag_of_words_encoder_does_not_see_swaps_but_sees_a_new_word(rng, latent):
    model = make_model(latent, pooling="bow")
    found = word_order_sensitivity(model, make_sentences(rng, 40), max_swaps=5, seed=1)
    np.testing.assert_allclose(found.cosine, 1.0, atol=1e-6)
    np.testing.assert_allclose(found.standard_error, 0.0, atol=1e-6)
    assert found.replaced < 0.99
    assert found.other < found.replaced


@pytest.mark.parametrize("latent", ["vmf", "gaussian"])
def test_an_lstm_encoder_sees_swaps_and_more_of_them_better(rng, latent):
    found = word_order_sensitivity(make_model(latent), make_sentences(rng, 60, shortest=8, longest=12), max_swaps=6)
    assert found.cosine[0] == pytest.approx(1.0, abs=1e-12)
    assert found.cosine[1] < 1.0 - 1e-4
    assert found.cosine[6] < found.cosine[1]
    assert found.num_sentences == 60
    assert 8 <= found.mean_words <= 12


def test_means_and_errors_are_those_of_cosines_computed_one_by_one(rng):
    model, sentences = make_model(), make_sentences(rng, 7, shortest=3)
    found = word_order_sensitivity(model, sentences, max_swaps=2, seed=5)
    cosines = []
    for row in range(7):
        copies = swap_adjacent(sentences[row][:-1], 2, [5, 0, row])
        codes = [np.ravel(model.encode(np.array([[*copy, 1]], np.int32)).mean_direction) for copy in copies]
        cosines.append([code @ codes[0] for code in codes])
    np.testing.assert_allclose(found.cosine, np.mean(cosines, axis=0), atol=1e-5)
    np.testing.assert_allclose(found.standard_error, np.std(cosines, axis=0, ddof=1) / np.sqrt(7), atol=1e-5)


def test_the_same_seed_gives_the_same_copies_and_another_seed_others(rng):
    model, sentences = make_model(), make_sentences(rng, 30, shortest=5)
    first, again, other = (word_order_sensitivity(model, sentences, num_sentences=10, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.cosine, again.cosine)
    assert not np.allclose(first.cosine, other.cosine)


def test_one_sentence_has_cosines_without_error_bars(rng):
    found = word_order_sensitivity(make_model(), make_sentences(rng, 1, shortest=4))
    assert np.isfinite(found.cosine).all()
    assert np.isnan(found.standard_error).all()
    assert np.isnan(found.other)
    plots.word_order({"one": found})


def test_the_figure_has_a_curve_a_model(rng):
    sentences = make_sentences(rng, 20, shortest=3)
    curves = {name: word_order_sensitivity(make_model(name), sentences, max_swaps=3) for name in ("vmf", "gaussian")}
    axes = plots.word_order(curves).axes[0]
    drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
    for name, curve in curves.items():
        np.testing.assert_array_equal(drawn[f"{name}: swaps"], curve.cosine)
