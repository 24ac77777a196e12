"""The JAX program behind docs/PAPER.md is the model of the package, and its settings are those that were published."""

import json
import re

import jax
import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_vmf import layers
from tf_vmf.layers import gaussian_latent, uniform_norm_latent
from tf_vmf.math import kl_to_uniform, mean_resultant_length, von_mises_fisher_sampler
from tf_vmf.models import LSTMVAE, FusedAdam, lstm_vae, sentence_layers
from tools.paper_jax import __main__ as program
from tools.paper_jax import measures, model, training
from tools.paper_jax.settings import PROGRAMS, Program, Setting
from tools.paper_jax.von_mises_fisher import von_mises_fisher
from tools.paper_table import SOURCE

WORDS, EMBEDDING, UNITS, BATCH = 40, 6, 8, 5
QUICK = ("gaussian", "standard", 0.5)


def test_the_settings_are_those_of_the_published_models():
    published = json.loads(SOURCE.read_text(encoding="utf-8"))["models"]
    names = ("setting", "latent", "trained_on", "seed", "latent_dim", "dropout", "epochs", "concentration")
    expected = [({name: entry[name] for name in names if name in entry}, "test" in entry) for entry in published]
    ours = [(each.record(setting), setting.is_tested) for each in PROGRAMS for setting in each.settings]
    assert len(ours) == len(expected)
    assert all(each in expected for each in ours)
    assert all(each in ours for each in expected)


@pytest.mark.parametrize("dim", [8, pytest.param(50, marks=pytest.mark.slow)])
def test_samples_divergences_and_mean_cosines_are_those_of_the_package(dim):
    vmf = von_mises_fisher(dim)
    rng = np.random.default_rng(dim)
    kappa = np.exp(rng.uniform(np.log(1), np.log(500), 200)).astype(np.float32)
    np.testing.assert_allclose(vmf.kl(kappa), kl_to_uniform(kappa.astype(np.float64), dim), rtol=2e-5, atol=1e-5)
    np.testing.assert_allclose(vmf.mean(kappa), mean_resultant_length(kappa.astype(np.float64), dim), rtol=1e-5)
    mu = rng.standard_normal((200, dim))
    mu = (mu / np.linalg.norm(mu, axis=-1, keepdims=True)).astype(np.float32)
    samples = np.asarray(vmf.sample(mu, kappa, rng.standard_normal((4000, 200, dim)).astype(np.float32)))
    np.testing.assert_allclose(np.linalg.norm(samples, axis=-1), 1, atol=1e-5)
    cosine = np.sum(samples * mu, -1).astype(np.float64)
    error = cosine.std(0) / np.sqrt(len(cosine))
    assert np.max(np.abs(cosine.mean(0) - mean_resultant_length(kappa.astype(np.float64), dim)) / error) < 4.5


def make(setting, latent_dim, decoder):
    """The package's model of a setting, as the recipes make it."""
    concentration = (
        setting.concentration
        if setting.minimum is None
        else layers.LearnedConcentration(initial=setting.concentration, minimum=setting.minimum)
    )
    latent = {
        "none": lambda: None,
        "gaussian": lambda: layers.GaussianLatent(latent_dim),
        "vmf": lambda: layers.VonMisesFisherLatent(latent_dim, concentration=concentration),
        "uniform_norm_vmf": lambda: layers.UniformNormVonMisesFisherLatent(latent_dim, concentration=concentration),
    }[setting.latent]()
    samples = {"num_samples": 3, "sample_reduction": "mean_code"} if setting.trained_on == "mean_code" else {}
    return LSTMVAE(
        WORDS,
        latent,
        embedding_dim=EMBEDDING,
        hidden_units=UNITS,
        pooling="bow",
        encoder_activation="tanh",
        tied_embeddings=True,
        skip_connection=latent is not None,
        word_dropout=float(decoder == "inputless"),
        dropout=setting.dropout,
        **samples,
    )


def variables_of(found, setting):
    """The package's variables by the program's names."""
    cell, decoder = found.decoder.lstms[0].lstm.cell, found.decoder
    named = {
        "embedding": found.embedding.embeddings,
        "output_bias": found.output_bias,
        "lstm_kernel": cell.kernel,
        "lstm_recurrent_kernel": cell.recurrent_kernel,
        "lstm_bias": cell.bias,
        "projection_kernel": decoder.projection.kernel,
        "projection_bias": decoder.projection.bias,
    }
    if setting.latent == "none":
        return named
    latent = found.latent
    heads = {"encoder": found.encoder.dense, "state": decoder.state_layer}
    if setting.latent == "gaussian":
        heads |= {"mean": latent.mean_head, "log_variance": latent.log_variance_head}
    else:
        heads["direction"] = latent.direction_head
    if setting.latent == "uniform_norm_vmf":
        heads["norm"] = latent.norm_head
    if setting.minimum is not None:
        heads["concentration"] = latent.concentration_head.projection
    named["skip_kernel"] = decoder.skip_layer.kernel
    for name, layer in heads.items():
        named |= {f"{name}_kernel": layer.kernel, f"{name}_bias": layer.bias}
    return named


@pytest.mark.parametrize(
    ("setting", "decoder", "rate"),
    [
        pytest.param(
            setting, decoder, rate, id=f"{setting.latent}, {decoder}, {setting.trained_on}, dropout {rate}", marks=marks
        )
        for setting, decoder, rates in (
            (Setting("vmf", concentration=80.0, minimum=30.0, trained_on="mean_code"), "inputless", (0.0, 0.5)),
            (Setting("gaussian"), "standard", (0.5, 0.0)),
            (Setting("none"), "standard", (0.0,)),
            (Setting("vmf", concentration=14.0), "standard", (0.0, 0.5)),
            (Setting("vmf", concentration=50.0, minimum=15.0), "inputless", (0.0, 0.5)),
            (Setting("gaussian", trained_on="mean_code"), "inputless", (0.0, 0.5)),
            (Setting("uniform_norm_vmf", concentration=50.0, minimum=15.0), "inputless", (0.0, 0.5)),
        )
        for rate in rates
        for marks in [() if (setting.latent, decoder, rate) == QUICK else pytest.mark.slow]
    ],
)
def test_a_training_step_is_that_of_the_package(monkeypatch, setting, decoder, rate):
    dim, samples = 8, 3 if setting.trained_on == "mean_code" else 1
    rng = np.random.default_rng(1)
    tokens = rng.integers(2, WORDS, (BATCH, 7)).astype(np.int32)
    lengths = rng.integers(2, 8, BATCH) if rate == 0 else np.full(BATCH, 7)  # the package drops outputs of words alone
    for row, length in zip(tokens, lengths, strict=True):
        row[length - 1], row[length:] = 1, 0
    normal = rng.standard_normal((samples, BATCH, dim)).astype(np.float32)
    uniform = rng.uniform(size=(samples, BATCH)).astype(np.float32)
    masks = [
        (rng.uniform(size=(7, BATCH, width)) >= rate).astype(np.float32) / (1 - rate)
        for width in (EMBEDDING, EMBEDDING, UNITS)
    ]

    def fixed_dropout(x, rate, seed, layer=0):
        return x if seed is None or rate == 0 else x * tf.reshape(masks[layer], tf.shape(x))

    for module in (lstm_vae, sentence_layers):
        monkeypatch.setattr(module, "dropout", fixed_dropout)
    for module in (von_mises_fisher_sampler, gaussian_latent):
        monkeypatch.setattr(module, "stateless_normal", lambda *_: tf.constant(normal))
    monkeypatch.setattr(uniform_norm_latent, "stateless_uniform", lambda *_: tf.constant(uniform))
    setting = Setting(**{**vars(setting), "dropout": rate})
    found = make(setting, dim, decoder)
    variables = variables_of(found, setting)
    assert {id(each) for each in variables.values()} == {id(each) for each in found.trainable_variables}
    for variable in variables.values():  # so that no part is small
        variable.assign(rng.normal(size=variable.shape, scale=0.3))
    unused = model.initial_weights(
        0, vocabulary_size=WORDS, embedding_dim=EMBEDDING, units=UNITS, latent_dim=dim, unigram=np.zeros(WORDS)
    )
    weights = {**unused, **{name: np.array(variable) for name, variable in variables.items()}}
    if setting.latent == "none":  # its kernel has no rows of a code
        weights["lstm_kernel"] = np.vstack([weights["lstm_kernel"], unused["lstm_kernel"][EMBEDDING:]])
    use, vmf = model.switches(setting, dim), von_mises_fisher(dim)

    def loss(weights, use):
        given = tuple(masks) if rate else (None, None, None)
        nll, kl = model.losses(weights, tokens, (normal, uniform), given, use, vmf, decoder == "inputless")
        return jax.numpy.mean(nll + kl)

    ours, gradients = jax.jit(jax.value_and_grad(loss))(weights, use)
    with tf.GradientTape() as tape:
        terms = found._terms(tf.constant(tokens), tf.constant([0, 0]), samples, training=True)
        theirs = tf.reduce_mean(terms["nll"] + terms["kl"])
    expected = dict(zip(variables, tape.gradient(theirs, [v.value for v in variables.values()]), strict=True))
    np.testing.assert_allclose(ours, theirs, rtol=2e-6)
    for name, gradient in gradients.items():
        if name not in expected:
            assert not np.any(gradient), name
            continue
        gradient, other = np.asarray(gradient), tf.convert_to_tensor(expected[name]).numpy()
        assert not np.any(gradient[len(other) :]), name  # the kernel's rows for a code
        gradient = gradient[: len(other)]
        assert np.linalg.norm(gradient - other) <= 2e-5 * np.linalg.norm(other), name


def test_steps_of_the_optimiser_are_those_of_the_package():
    rng = np.random.default_rng(0)
    gradients = [
        scale * rng.normal(size=(30, 20)).astype(np.float32) for scale in (1.0, 0.01, 0.3, 0.001)
    ]  # norms 24 to 0.02
    weights = {"a": rng.normal(size=(30, 20)).astype(np.float32)}
    variable = keras.Variable(weights["a"])
    schedule = keras.optimizers.schedules.PolynomialDecay(model.LEARNING_RATE, 6, end_learning_rate=0.0)
    optimizer = FusedAdam(schedule, global_clipnorm=5.0)
    first = second = {"a": np.zeros((30, 20), np.float32)}
    for step, gradient in enumerate(gradients):
        optimizer.apply([tf.constant(gradient)], [variable])
        weights, first, second = model.adam(weights, {"a": gradient}, first, second, np.float32(step), np.float32(6))
        np.testing.assert_allclose(weights["a"], variable.numpy(), rtol=0, atol=5e-7)
    assert np.max(np.abs(np.asarray(first["a"]))) < 0.2  # without the clipping 0.3


def test_a_dimension_of_a_spherical_code_is_that_of_its_program():
    with pytest.raises(ValueError, match="latent_dim"):
        Setting("vmf", latent_dim=8)


def test_measures_are_those_of_their_definitions():
    lengths = np.array([2, 4])
    rows = np.array([[4.0, 8.0], [3.0, 7.0], [6.0, 11.0], [1.0, 2.0], [10.0, 20.0]])
    found = measures.measures_of(rows, lengths, Setting("vmf"), bounds=np.array([-4.0, -8.0]))
    assert found["perplexity"] == pytest.approx(np.exp(15 / 6), abs=1e-3)
    assert found["document_perplexity"] == pytest.approx(np.exp((5 / 2 + 10 / 4) / 2), abs=1e-3)
    assert found["mean_code_perplexity"] == pytest.approx(np.exp(13 / 6), abs=1e-3)
    assert found["iw_perplexity"] == pytest.approx(np.exp(12 / 6), abs=1e-3)
    assert (found["nll"], found["kl"], found["code_gain"], found["mean_code_nll"]) == (6.0, 1.5, 2.5, 6.5)
    assert (found["concentration_mean"], found["concentration_deviation"]) == (15.0, 5.0)


@pytest.mark.slow
def test_the_program_trains_all_models_writes_their_figures_and_skips_what_is_done(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    topics = [[f"w{t}{i}" for i in range(6)] for t in range(3)]  # a sentence is about one of three topics
    folder = tmp_path / "data" / "ptb"
    folder.mkdir(parents=True)
    for split, number in (("train", 600), ("valid", 120), ("test", 120)):
        lines = [" ".join(rng.choice(topics[rng.integers(3)], rng.integers(3, 8))) for _ in range(number)]
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    settings = (
        Setting("none"),
        Setting("vmf", concentration=20.0, is_importance_weighted=True),
        Setting("gaussian", is_importance_weighted=True),
        Setting("vmf", seed=1, concentration=20.0, trained_on="mean_code", is_tested=False, epochs=4),
    )
    programs = (Program("inputless", "inputless", 3, 8, settings),)
    monkeypatch.setattr(model, "LEARNING_RATE", 0.03)
    sizes = training.Sizes(16, 24, 32, 32, (10,), 50)
    arguments = [f"--data_dir={tmp_path / 'data'}", f"--runs={tmp_path / 'runs'}", f"--output={tmp_path / 'ptb.json'}"]
    program.main(arguments, programs, sizes)
    assert len(re.findall("inputless epoch", capsys.readouterr().out)) == 8
    written = json.loads((tmp_path / "ptb.json").read_text())
    none, vmf, gaussian, ranked = written["models"]
    # One of three topics of six words: without a code 18 words, with it 6, at a price of log 3 nats per sentence.
    assert 12 < none["test"]["perplexity"] < 19
    for found in (vmf, gaussian):
        assert found["test"]["perplexity"] < 0.9 * none["test"]["perplexity"]
        assert found["test"]["iw_perplexity"] < found["test"]["perplexity"]
        assert found["test"]["code_gain"] > found["test"]["kl"] > 0
    assert "test" not in ranked
    assert len(ranked["validation_by_epoch"]) == 4
    by_figure = {(each["first"], each["second"], each["figure"]): each for each in written["differences"]}
    gap = by_figure["vmf", "none", "one-sample bound"]
    expected = sum(vmf["test"][term] - none["test"][term] for term in ("nll", "kl"))
    assert gap["nats_per_sentence"] == pytest.approx(expected, abs=2e-4)
    assert gap["ratio_of_perplexities"] == pytest.approx(
        vmf["test"]["perplexity"] / none["test"]["perplexity"], rel=1e-3
    )
    more = (*programs, Program("another", "inputless", 3, 1, settings[:1]))
    before = (tmp_path / "ptb.json").read_bytes()
    program.main([*arguments, "--programs", "inputless"], more, sizes)
    assert "Missing in" in capsys.readouterr().out  # nothing published is overwritten by a part
    program.main(arguments, programs, sizes)
    assert not re.findall("epoch", capsys.readouterr().out)
    assert (tmp_path / "ptb.json").read_bytes() == before
