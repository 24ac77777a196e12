"""Optimizers, latent layers and schedules from configurations."""

import math

import keras
import pytest

from tf_vmf.layers import (
    GaussianLatent,
    LearnedConcentration,
    PowerSphericalLatent,
    SharedConcentration,
    VonMisesFisherLatent,
)
from tf_vmf.programs import make_latent, make_optimizer
from tf_vmf.programs.configs import DocumentConfig, SentenceConfig


def config(**options):
    return SentenceConfig(corpus="wikipedia", **options)


@pytest.mark.parametrize(
    ("name", "layer"),
    [("vmf", VonMisesFisherLatent), ("gaussian", GaussianLatent), ("power_spherical", PowerSphericalLatent)],
)
def test_every_latent_is_made_as_the_configuration_says(name, layer):
    latent = make_latent(config(latent=name, latent_dim=7, concentration=12.5, kl_warmup_steps=10), seed=3)
    assert type(latent) is layer
    assert latent.latent_dim == 7
    assert float(latent.kl_weight_at(5)) == pytest.approx(0.5)
    if name != "gaussian":
        assert latent.concentration == 12.5


def test_a_learned_concentration_and_no_latent():
    options = {"concentration": "learned", "initial_concentration": 80.0, "minimum_concentration": 5.0}
    concentration = make_latent(config(**options), seed=0).concentration
    assert (concentration.initial, concentration.minimum) == (80.0, 5.0)
    assert make_latent(config(latent="none"), seed=0) is None


def test_a_shared_concentration_and_a_product_of_spheres():
    shared = make_latent(config(concentration="shared", initial_concentration=80.0, minimum_concentration=5.0), seed=0)
    assert isinstance(shared.concentration, SharedConcentration)
    assert (shared.concentration.initial, shared.concentration.minimum) == (80.0, 5.0)
    spheres = make_latent(config(latent="vmf_product", latent_dim=12, part_dim=4, concentration="learned"), seed=0)
    assert [part.latent_dim for part in spheres.layers] == [4, 4, 4]
    assert all(isinstance(part.concentration, LearnedConcentration) for part in spheres.layers)


def test_a_concentration_that_warms_up_goes_in_a_line_from_the_initial_one():
    options = {"concentration": 100.0, "initial_concentration": 20.0, "concentration_warmup_steps": 40}
    schedule = make_latent(config(**options), seed=0).concentration
    assert [float(schedule(step)) for step in (0, 10, 40, 90)] == [20.0, 40.0, 100.0, 100.0]
    for missing in ({"concentration": "learned"}, {"initial_concentration": None}):
        with pytest.raises(
            ValueError, match="`concentration_warmup_steps`: expected 0, or a `concentration` that is a"
        ):
            config(**(options | missing))


def test_an_unknown_latent_is_refused_with_the_choices():
    expected = (
        r"`latent`: expected one of gaussian, power_spherical, uniform_norm_vmf, vmf(, \w+)*, none\. Received: 'cauchy'"
    )
    with pytest.raises(ValueError, match=expected):
        make_latent(config(latent="cauchy"), seed=0)


@pytest.mark.parametrize(
    ("schedule", "weights"),
    [
        ("linear", {0: 0.0, 100: 0.25, 400: 1.0, 900: 1.0}),
        ("sigmoid", {0: 1 / (1 + math.exp(6)), 200: 0.5, 400: 1 / (1 + math.exp(-6)), 900: 1.0}),
        ("cyclical", {0: 0.0, 25: 0.5, 75: 1.0, 100: 0.0, 325: 0.5, 400: 1.0, 900: 1.0}),
    ],
)
def test_the_weight_of_the_kl_rises_as_the_configuration_says(schedule, weights):
    latent = make_latent(config(latent="gaussian", kl_warmup_steps=400, kl_schedule=schedule), seed=0)
    assert {step: float(latent.kl_weight_at(step)) for step in weights} == pytest.approx(weights, abs=1e-6)


def test_the_weight_of_the_kl_is_the_end_of_its_schedule():
    assert make_latent(config(latent="gaussian", kl_weight=0.5), seed=0).kl_weight == 0.5
    latent = make_latent(config(latent="gaussian", kl_weight=0.5, kl_warmup_steps=10), seed=0)
    assert [float(latent.kl_weight_at(step)) for step in (0, 5, 10, 99)] == pytest.approx([0.0, 0.25, 0.5, 0.5])


def test_the_optimizer_has_the_rate_the_decay_and_the_clipping_of_the_configuration():
    options = {"optimizer": "sgd", "learning_rate": 0.5, "weight_decay": 0.01, "gradient_clip_norm": 0.25}
    optimizer = make_optimizer(config(**options), steps=10)
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert float(optimizer.learning_rate) == 0.5
    assert (optimizer.weight_decay, optimizer.global_clipnorm) == (0.01, 0.25)
    plain = make_optimizer(DocumentConfig(corpus="wikipedia"), steps=10)
    assert (plain.weight_decay, plain.global_clipnorm) == (None, None)


@pytest.mark.parametrize(("schedule", "half_way"), [("linear", 0.5), ("cosine", 0.5 * (1 + math.cos(math.pi / 2)))])
def test_a_schedule_takes_the_rate_to_zero_over_all_epochs(schedule, half_way):
    options = {"optimizer": "sgd", "learning_rate": 2.0, "epochs": 3, "learning_rate_schedule": schedule}
    optimizer = make_optimizer(config(**options), steps=60)
    rates = []
    for step in (0, 30, 60):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx([2.0, 2.0 * half_way, 0.0], abs=1e-6)
