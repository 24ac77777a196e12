"""Optimizers, latent layers and schedules from configurations."""

import math

import keras
import pytest

from tf_vmf._errors import ArgumentError
from tf_vmf.layers import (
    GaussianLatent,
    LearnedConcentration,
    PowerSphericalLatent,
    SharedConcentration,
    VonMisesFisherLatent,
)
from tf_vmf.programs import make_latent, make_optimizer
from tf_vmf.programs.configs import DocumentConfig, SentenceConfig
from tf_vmf.programs.configs.options import UnusedOptionError


def config(**options):
    return SentenceConfig(corpus="wikipedia", **options)


@pytest.mark.parametrize(
    ("name", "layer"),
    [("vmf", VonMisesFisherLatent), ("gaussian", GaussianLatent), ("power_spherical", PowerSphericalLatent)],
)
def test_every_latent_is_made_as_the_configuration_says(name, layer):
    own = {} if name == "gaussian" else {"concentration": 12.5}
    latent = make_latent(config(latent=name, latent_dim=7, kl_warmup_steps=10, **own), seed=3)
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


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"concentration": 50.0, "minimum_concentration": 3.0}, "minimum_concentration"),
        ({"concentration": 50.0, "initial_concentration": 3.0}, "initial_concentration"),
        ({"latent": "vmf", "norm_max": 3.0}, "norm_max"),
        ({"latent": "vmf", "norm_width": 0.5}, "norm_width"),
        ({"latent": "vmf", "part_dim": 4}, "part_dim"),
        ({"latent": "power_spherical", "part_dim": 4}, "part_dim"),
        ({"latent": "gaussian", "concentration": 50.0}, "concentration"),
        ({"latent": "gaussian", "norm_penalty": 0.1}, "norm_penalty"),
        ({"latent": "vmf", "prior_components": 10}, "prior_components"),
        ({"latent": "none", "kl_weight": 0.5}, "kl_weight"),
        ({"latent": "none", "latent_dim": 4}, "latent_dim"),
        ({"latent": "none", "free_bits": 1.0}, "free_bits"),
        ({"label_dim": 7}, "label_dim"),
        ({"pooling": "bow", "bidirectional": True}, "bidirectional"),
        ({"strategy": "default", "num_devices": 2}, "num_devices"),
        ({"data_dir": "folder", "corpus": None, "train_files": ("a.txt",)}, "data_dir"),
        ({"vocab_file": "words", "min_count": 3}, "min_count"),
        (
            {"corpus": None, "train_files": ("a.txt",), "valid_files": ("b.txt",), "validation_size": 0.2},
            "validation_size",
        ),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(options, name):
    with pytest.raises(UnusedOptionError) as raised:
        make_latent(SentenceConfig(**{"corpus": "wikipedia", **options}), seed=0)
    assert raised.value.name == name
    allowed = {option: value for option, value in options.items() if option != name}
    make_latent(SentenceConfig(**{"corpus": "wikipedia", **allowed}), seed=0)


@pytest.mark.parametrize(
    ("entries", "received"),
    [
        (("start",), "'start'"),
        (("a=1", "a=2"), "'a=2'"),
        (("=1",), "'=1'"),
        (("df=3",), "'df'"),
        (("concentration=3",), "'concentration'"),
    ],
)
def test_other_options_of_a_latent_are_pairs_with_names_that_it_has(entries, received):
    with pytest.raises(ArgumentError) as raised:
        make_latent(config(latent_options=entries), seed=0)
    assert (raised.value.name, raised.value.received) == ("latent_options", received)


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
