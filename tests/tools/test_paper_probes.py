"""The paper's probes of codes, on models whose codes are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_vmf.data import Sentences
from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.models import LSTMVAE
from tools import paper_probes
from tools.paper_probes import bags, order, swap_by_chance


def test_a_chance_of_0_swaps_nothing_and_one_of_1_carries_the_first_word_to_the_end():
    words = np.array([5, 6, 7, 8])
    np.testing.assert_array_equal(swap_by_chance(words, 0.0, 1), words)
    np.testing.assert_array_equal(swap_by_chance(words, 1.0, 1), [6, 7, 8, 5])
    changed = np.mean([swap_by_chance(np.array([1, 2]), 0.3, seed)[0] == 2 for seed in range(4000)])
    assert changed == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 4000))


def sentences(rng, number):
    return Sentences.from_lists([rng.integers(3, 30, size=rng.integers(4, 9)) for _ in range(number)])


def test_codes_of_a_bag_of_words_do_not_depend_on_order_and_those_of_an_lstm_do(rng):
    text = sentences(rng, 30)
    cosines = {}
    for pooling in ("bow", "final"):
        latent = VonMisesFisherLatent(4, concentration=10.0, seed=1)
        model = LSTMVAE(30, latent, embedding_dim=8, hidden_units=8, pooling=pooling, seed=1)
        cosines[pooling] = {heading: mean for heading, mean, _ in order(model, text, (0.1, 0.6))}
    assert cosines["bow"] == pytest.approx({"swaps at 0.1": 1.0, "swaps at 0.6": 1.0}, abs=1e-5)
    assert 1 - 1e-6 > cosines["final"]["swaps at 0.1"] > cosines["final"]["swaps at 0.6"]


def test_what_can_be_predicted_and_what_not(rng, monkeypatch):
    """Codes that are 2 of 8 independent coordinates of a bag follow from it; the bag from them with a cosine near sqrt(2 / 8)."""
    embeddings = np.zeros((30, 8))
    embeddings[3:] = rng.normal(size=(27, 8))
    embeddings[3:] -= embeddings[3:].mean(axis=0)
    model = SimpleNamespace(embedding=SimpleNamespace(embeddings=embeddings))

    def encode(_, text):
        return SimpleNamespace(codes=paper_probes.mean_embeddings(embeddings, text)[:, :2])

    monkeypatch.setattr(paper_probes, "encode_sentences", encode)
    found = {heading: mean for heading, mean, _ in bags(model, sentences(rng, 600), sentences(rng, 100))}
    assert found["BoW -> code"] > 0.9
    assert 0.3 < found["code -> BoW"] < 0.7
