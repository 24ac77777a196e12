"""What the trainers make of flags."""

import dataclasses
import math

import keras
import pytest
from absl import flags as absl_flags
from absl.testing import flagsaver

from flags import corpus as corpus_flags
from flags import latent as latent_flags
from flags import training as training_flags
from tf_vmf.data import Documents
from tf_vmf.layers import GaussianLatent, PowerSphericalLatent, VonMisesFisherLatent
from trainers import experiment


@pytest.fixture(autouse=True)
def _parsed_flags():
    if not absl_flags.FLAGS.is_parsed():
        absl_flags.FLAGS(["test", "--workdir=unused"])
    with flagsaver.flagsaver():
        yield


@pytest.mark.parametrize(
    ("name", "layer"),
    [("vmf", VonMisesFisherLatent), ("gaussian", GaussianLatent), ("power_spherical", PowerSphericalLatent)],
)
def test_every_latent_is_made_as_the_flags_say(name, layer):
    with flagsaver.flagsaver(latent=name, latent_dim=7, concentration="12.5", kl_warmup_steps=10, seed=3):
        latent = experiment.make_latent()
    assert type(latent) is layer
    assert latent.latent_dim == 7
    assert float(latent.kl_weight_at(5)) == pytest.approx(0.5)
    if name != "gaussian":
        assert latent.concentration == 12.5


def test_a_learned_concentration_and_no_latent():
    with flagsaver.flagsaver(
        latent="vmf", concentration="learned", initial_concentration=80.0, minimum_concentration=5.0
    ):
        latent = experiment.make_latent()
    assert (latent.concentration, latent.initial_concentration, latent.minimum_concentration) == ("learned", 80.0, 5.0)
    with flagsaver.flagsaver(latent="none"):
        assert experiment.make_latent() is None


@pytest.mark.parametrize(
    ("schedule", "weights"),
    [
        ("linear", {0: 0.0, 100: 0.25, 400: 1.0, 900: 1.0}),
        ("sigmoid", {0: 1 / (1 + math.exp(6)), 200: 0.5, 400: 1 / (1 + math.exp(-6)), 900: 1.0}),
        ("cyclical", {0: 0.0, 25: 0.5, 75: 1.0, 100: 0.0, 325: 0.5, 400: 1.0, 900: 1.0}),
    ],
)
def test_the_weight_of_the_kl_rises_as_the_flags_say(schedule, weights):
    with flagsaver.flagsaver(latent="gaussian", kl_warmup_steps=400, kl_schedule=schedule):
        latent = experiment.make_latent()
    assert {step: float(latent.kl_weight_at(step)) for step in weights} == pytest.approx(weights, abs=1e-6)


def test_the_optimizer_has_the_rate_the_decay_and_the_clipping_of_the_flags():
    with flagsaver.flagsaver(optimizer="sgd", learning_rate=0.5, weight_decay=0.01, gradient_clip_norm=0.25):
        optimizer = experiment.make_optimizer(steps_per_epoch=10)
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert float(optimizer.learning_rate) == 0.5
    assert (optimizer.weight_decay, optimizer.global_clipnorm) == (0.01, 0.25)
    with flagsaver.flagsaver(optimizer="adam"):
        assert experiment.make_optimizer(steps_per_epoch=10).weight_decay is None


@pytest.mark.parametrize(("schedule", "half_way"), [("linear", 0.5), ("cosine", 0.5 * (1 + math.cos(math.pi / 2)))])
def test_a_schedule_takes_the_rate_to_zero_over_all_epochs(schedule, half_way):
    with flagsaver.flagsaver(optimizer="sgd", learning_rate=2.0, epochs=3, learning_rate_schedule=schedule):
        optimizer = experiment.make_optimizer(steps_per_epoch=20)
    rates = []
    for step in (0, 30, 60):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx([2.0, 2.0 * half_way, 0.0], abs=1e-6)


def test_a_schedule_and_a_patience_are_not_both_taken():
    absl_flags.FLAGS.learning_rate_patience = 2
    with pytest.raises(absl_flags.IllegalFlagValueError, match="not both"):
        absl_flags.FLAGS.learning_rate_schedule = "linear"


def test_the_configuration_holds_every_flag_but_folders():
    splits = {split: {"documents": 5, "sha256": split} for split in ("train", "valid", "test")}
    statistics = {"vocabulary_sha256": "0123", **splits, "corpus": "x"}
    made = _experiment(flag_modules=(latent_flags, training_flags, corpus_flags), statistics=statistics)
    config = experiment.configuration(made)
    assert {"latent", "concentration", "epochs", "seed", "strategy", "corpus"} <= set(config)
    assert not {"workdir", "data_dir"} & set(config)
    assert config["data"] == {"vocabulary_sha256": "0123", **splits}


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("kl_schedule", "cyclical", "give both"),
        ("optimizer", "adamw", "weight_decay"),
        ("gradient_clip_norm", 0.0, "above 0"),
    ],
)
def test_flags_that_would_do_nothing_are_refused(flag, value, message):
    with pytest.raises(absl_flags.IllegalFlagValueError, match=message):
        setattr(absl_flags.FLAGS, flag, value)


def test_the_weight_of_the_kl_is_the_end_of_its_schedule():
    with flagsaver.flagsaver(latent="gaussian", kl_weight=0.5):
        assert experiment.make_latent().kl_weight == 0.5
    with flagsaver.flagsaver(latent="gaussian", kl_weight=0.5, kl_warmup_steps=10):
        layer = experiment.make_latent()
    assert [float(layer.kl_weight_at(step)) for step in (0, 5, 10, 99)] == pytest.approx([0.0, 0.25, 0.5, 0.5])


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "lerned", ""])
def test_a_wrong_concentration_is_refused_with_what_is_allowed(value):
    with pytest.raises(absl_flags.IllegalFlagValueError, match="number >= 0, or 'learned'"):
        absl_flags.FLAGS.concentration = value


def test_an_unknown_latent_is_refused_with_the_choices():
    with pytest.raises(absl_flags.IllegalFlagValueError, match=r"vmf\|gaussian\|power_spherical\|none"):
        absl_flags.FLAGS["latent"].parse("cauchy")


def test_figures_that_are_not_finite_are_refused(monkeypatch):
    monkeypatch.setattr(experiment.evaluation, "evaluate", lambda *_, **__: {"nll": 1.0, "perplexity": float("inf")})
    with pytest.raises(FloatingPointError, match=r"test\.perplexity = inf"):
        experiment.measure(_experiment(examples=dict.fromkeys(("valid", "test"), Documents([[1]]))), None, None)


def _experiment(**fields):
    nothing = dict.fromkeys(field.name for field in dataclasses.fields(experiment.Experiment))
    return experiment.Experiment(**{**nothing, **fields})
