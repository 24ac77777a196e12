"""Two runs are compared on the same sentences."""

import keras
import numpy as np
import pytest

from tf_vmf import data
from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.models import LSTMVAE
from tools.compare_bounds import bounds, report

SENTENCES = data.Sentences.from_lists([[3, 4], [5], [4, 3, 5], [3, 3, 3, 3], [5, 4]])


@pytest.fixture
def batches():
    return SENTENCES.evaluation_batches(2)


def saved(folder, make_latent):
    folder.mkdir()
    keras.utils.set_random_seed(0)  # a latent layer draws the seeds of its weights when it is made
    model = LSTMVAE(6, make_latent(), embedding_dim=4, hidden_units=5, seed=1)
    model.save(folder / "model.keras")
    return model


def test_a_plain_language_model_has_its_likelihood(tmp_path, batches):
    model = saved(tmp_path / "run", lambda: None)
    log_prob, tokens = bounds(tmp_path / "run", batches, samples=7, seed=0)
    expected = np.concatenate([model.predict(x, verbose=0) for x in batches])
    np.testing.assert_allclose(log_prob, expected, rtol=1e-5)
    assert tokens.sum() == SENTENCES.num_tokens


@pytest.mark.slow
def test_an_interrupted_comparison_goes_on_with_the_same_numbers(tmp_path, batches):
    for name in ("whole", "interrupted"):
        saved(tmp_path / name, lambda: VonMisesFisherLatent(3, concentration=5.0, seed=1))
    whole, _ = bounds(tmp_path / "whole", batches, samples=7, seed=0)
    bounds(tmp_path / "interrupted", batches.take(1), samples=7, seed=0)
    resumed, _ = bounds(tmp_path / "interrupted", batches, samples=7, seed=0)
    np.testing.assert_array_equal(resumed, whole)


def test_the_difference_is_paired_and_has_its_standard_error():
    tokens = np.array([2.0, 3.0, 5.0])
    better, worse = np.array([-4.0, -6.0, -20.0]), np.array([-5.0, -9.0, -22.0])
    text = report(["better", "worse"], [(better, tokens), (worse, tokens)], 500)
    assert "better: IW-500 perplexity 20.09, 10.000 nats" in text  # e^(30 / 10)
    assert "log p +2.000 +- 0.577 nats an example" in text  # 1, 3, 2: standard deviation 1, over sqrt(3)
