"""The LSTM sentence VAE: likelihoods, padding, conditions, training, generation and saving."""

import itertools
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from tests.parameters import quick
from tests.refusals import refused
from tf_vmf.layers import GaussianLatent, LinearSchedule, PowerSphericalLatent, VonMisesFisherLatent
from tf_vmf.models import LSTMVAE, BeamSampler, RandomSampler
from tf_vmf.text.vocabulary import EOS_ID as EOS
from tf_vmf.text.vocabulary import PAD_ID as PAD
from tf_vmf.text.vocabulary import UNK_ID as UNK

V = 9
DIM = 3
LATENTS = {
    "vmf": lambda: VonMisesFisherLatent(DIM, concentration=20.0, seed=1),
    "gaussian": lambda: GaussianLatent(DIM, seed=1),
    "power_spherical": lambda: PowerSphericalLatent(DIM, concentration=20.0, seed=1),
    "none": lambda: None,
}
OPTIONS = {
    "standard": {},
    "inputless": {"word_dropout": 1.0},
    "word_dropout": {"word_dropout": 0.4, "encoder_dropout": 0.0},
    "bidirectional": {"bidirectional": True, "encoder_activation": "tanh"},
    "mean_max": {"pooling": "mean_max", "bidirectional": True},
    "bow": {"pooling": "bow"},
    "deep_tied_skip": {"num_decoder_layers": 2, "tied_embeddings": True, "skip_connection": True, "z_scale": 1.7},
    "conditional": {"num_labels": 2, "label_dim": 3, "bag_of_words_units": 4},
}


def quick_options(*names, of=tuple(OPTIONS)):
    """Parameters for a test on all these options, of which only the named are in the quick suite."""
    return [pytest.param(name, marks=() if name in names else pytest.mark.slow) for name in of]


def make_model(latent="gaussian", **kwargs):
    keras.utils.set_random_seed(0)
    options = {"embedding_dim": 5, "hidden_units": 8, "dropout": 0.2, "seed": 4, **kwargs}
    model = LSTMVAE(V, LATENTS[latent]() if isinstance(latent, str) else latent, **options)
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:  # far enough from zero for everything to matter
        variable.assign(variable + 0.3 * rng.normal(size=variable.shape))
    return model


@pytest.fixture(scope="module")
def tokens():
    """Sentences of two kinds: words 3 to 5, or 6 to 8; lengths from 1 (`<eos>` alone) to 7."""
    rng = np.random.default_rng(0)
    rows = np.zeros((48, 7), np.int32)
    for i, length in enumerate(rng.integers(1, 8, 48)):
        rows[i, : length - 1] = rng.integers(3, 6, length - 1) + 3 * (i % 2)
        rows[i, length - 1] = EOS
    return rows


def batch_for(model, tokens):
    return {"tokens": tokens, "labels": np.arange(len(tokens)) % 2} if model.num_labels else tokens


def code_for(model, tokens, samples=2):
    return tf.random.stateless_normal((samples, len(tokens), DIM), (0, 1)) if model.latent is not None else None


def reference_log_prob(model, x, z):
    """Log p(x|z) written down again with stock Keras layers: batch first, masks, z concatenated to every step."""
    tokens = x["tokens"] if isinstance(x, dict) else x
    table = tf.convert_to_tensor(model.embedding.embeddings)
    before = np.concatenate([np.full((len(tokens), 1), EOS), tokens[:, :-1]], axis=1)
    h = tf.gather(table, np.full_like(before, UNK) if model.word_dropout == 1.0 else before)
    context = []
    if z is not None:
        z = model.z_scale * z
        context.append(z)
    if model.num_labels:
        context.append(tf.gather(tf.convert_to_tensor(model.conditioning.label_embedding.embeddings), x["labels"]))
        mask = (tokens != PAD)[..., np.newaxis].astype(np.float32)
        mean = tf.reduce_sum(tf.gather(table, tokens) * mask, axis=1) / mask.sum(axis=1)
        context.append(model.conditioning.bag_of_words_layer(mean))
    if context:
        context = tf.concat(context, axis=-1)[:, tf.newaxis]
        h = tf.concat([h, tf.repeat(context, tokens.shape[1], axis=1)], axis=-1)
    states = None
    if z is not None:
        states = tf.split(model.decoder.state_layer(z), 2 * model.num_decoder_layers, axis=-1)
    for i, layer in enumerate(model.decoder.lstms):
        initial = None if states is None else [states[2 * i], states[2 * i + 1]]
        h = layer.lstm(h, initial_state=initial)[0]
    kernel = table if model.tied_embeddings else tf.convert_to_tensor(model.embedding.softmax.kernel)
    if model.tied_embeddings:
        h = model.decoder.projection(h)
    if model.skip_connection:
        h += model.decoder.skip_layer(z)[:, tf.newaxis]
    logits = tf.matmul(h, kernel, transpose_b=True) + model.output_bias
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tokens, logits)
    return -tf.where(tokens == PAD, 0.0, losses)


@pytest.mark.parametrize("name", quick_options("standard", "mean_max", "deep_tied_skip", "conditional"))
def test_log_prob_is_that_of_stock_keras_layers(name, tokens):
    model = make_model(**OPTIONS[name])
    x, z = batch_for(model, tokens), code_for(model, tokens)
    expected = tf.stack([reference_log_prob(model, x, z[i]) for i in range(2)])
    np.testing.assert_allclose(model.token_log_prob(x, z), expected, atol=2e-5)
    np.testing.assert_allclose(model.reconstruction_log_prob(x, z), tf.reduce_sum(expected, axis=-1), atol=1e-4)


def test_the_language_model_without_code_is_that_of_stock_keras_layers(tokens):
    model = make_model("none")
    expected = reference_log_prob(model, tokens, None)
    np.testing.assert_allclose(model.token_log_prob(tokens, None), expected[np.newaxis], atol=2e-5)


@pytest.mark.parametrize(
    "name", quick_options("deep_tied_skip", "conditional", of=["standard", "deep_tied_skip", "conditional"])
)
def test_gradients_are_those_of_stock_keras_layers(name, tokens):
    model = make_model(dropout=0.0, **OPTIONS[name])
    x, z = batch_for(model, tokens), code_for(model, tokens, samples=1)
    gradients = []
    for log_prob in (
        lambda: model.reconstruction_log_prob(x, z, dropout_seed=tf.constant([0, 0])),  # gradient in the forward pass
        lambda: model.reconstruction_log_prob(x, z),
        lambda: reference_log_prob(model, x, z[0]),
    ):
        with tf.GradientTape() as tape:
            tape.watch(z)
            total = tf.reduce_mean(log_prob())
        sources = [z, *(v.value for v in model.trainable_variables)]
        scale = 1.0 if not gradients or len(gradients) < 2 else tokens.shape[1]  # means over rows, and over tokens
        gradients.append(
            [None if g is None else scale * tf.convert_to_tensor(g) for g in tape.gradient(total, sources)]
        )
    for forward, backward, expected in zip(*gradients, strict=True):
        assert (forward is None) == (expected is None)  # the encoder has no part in it
        if expected is not None:
            np.testing.assert_allclose(forward, expected, atol=2e-5)
            np.testing.assert_allclose(backward, expected, atol=2e-5)


@pytest.mark.parametrize("inputless", [False, True])
def test_probabilities_of_all_sentences_sum_to_one(inputless):
    """All continuations of a fixed length, sentences that end before included, of a vocabulary of 5."""
    keras.utils.set_random_seed(3)
    model = LSTMVAE(5, GaussianLatent(2), embedding_dim=4, hidden_units=6, word_dropout=float(inputless))
    rows = []
    for words in itertools.product(range(5), repeat=4):
        ends = [i for i, word in enumerate(words) if word in (PAD, EOS)]
        if not ends or (words[ends[0]] == EOS and not any(words[ends[0] + 1 :])):
            rows.append(words)
    rows = np.array(rows, np.int32)
    z = tf.repeat(tf.constant([[[0.3, -1.2]]]), len(rows), axis=1)
    model.output_bias.assign([-1e3, 0.0, 0.0, 0.0, 0.0])  # padding, which no row holds, made impossible
    log_probs = model.token_log_prob(rows, z).numpy()[0].astype(np.float64)
    assert np.exp(log_probs.sum(axis=-1)).sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", quick_options("conditional"))
def test_more_padding_changes_nothing(name, tokens):
    model = make_model(**OPTIONS[name])
    padded = np.pad(tokens, ((0, 0), (0, 4)))
    x, padded_x = batch_for(model, tokens), batch_for(model, padded)
    np.testing.assert_allclose(model.features(padded_x), model.features(x), atol=1e-6)
    np.testing.assert_allclose(model.elbo(padded_x, seed=1), model.elbo(x, seed=1), atol=1e-5)
    np.testing.assert_allclose(model.log_likelihood(padded_x, 3), model.log_likelihood(x, 3), atol=1e-5)
    np.testing.assert_array_equal(model.token_counts(padded_x), (tokens != PAD).sum(axis=1))


@pytest.mark.usefixtures("eagerly")
def test_more_padding_changes_no_training_step(tokens):
    weights = []
    for rows in (tokens, np.pad(tokens, ((0, 0), (0, 4)))):
        model = make_model(dropout=0.0)
        model.compile(keras.optimizers.SGD(1.0))
        model.train_on_batch(rows)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.usefixtures("eagerly")
def test_a_sentence_alone_has_the_bounds_that_it_has_in_a_batch(tokens):
    model = make_model(bidirectional=True, pooling="mean_max")
    together = model.predict(tokens, verbose=0)
    for i in (0, 5, 11):
        alone = tokens[i : i + 1, : np.count_nonzero(tokens[i])]
        np.testing.assert_allclose(model.predict(alone, verbose=0)[0], together[i], atol=1e-5)


@pytest.mark.parametrize("latent", ["gaussian", "none"])
def test_an_inputless_decoder_ignores_the_words_before(latent, tokens):
    tokens = np.array([[3, 4, 5, 6, EOS]], np.int32)
    changed = np.array([[8, 7, 5, 6, EOS]], np.int32)
    for word_dropout, ignored in ((1.0, True), (0.0, False), (0.9, False)):
        model = make_model(latent, word_dropout=word_dropout)
        z = code_for(model, tokens)
        after = [model.token_log_prob(x, z).numpy()[:, :, 2:] for x in (tokens, changed)]
        assert np.allclose(*after, atol=1e-6) == ignored


def test_word_dropout_replaces_words_at_its_rate_in_training_only(tokens):
    many = np.repeat(tokens, 200, axis=0)
    model = make_model(word_dropout=0.3)
    before = np.concatenate([np.full((len(many), 1), EOS), many[:, :-1]], axis=1).T
    np.testing.assert_array_equal(model.decoder.words_before(many, None), before)
    dropped = model.decoder.words_before(many, tf.constant([1, 2])).numpy()
    kept = dropped == before
    assert set(dropped[~kept]) == {UNK}
    assert (~kept).mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    ("latent", "name"),
    quick(
        1, [("gaussian", "inputless"), ("none", "standard"), ("vmf", "standard"), ("power_spherical", "word_dropout")]
    ),
)
def test_fit_lowers_the_loss_and_logs_are_consistent(latent, name, tokens):
    model = make_model(latent, **OPTIONS[name])
    model.compile(keras.optimizers.Adam(1e-2))
    before = model.evaluate(tokens, batch_size=16, verbose=0, return_dict=True)
    history = model.fit(tokens, batch_size=16, epochs=12, verbose=0).history
    after = model.evaluate(tokens, batch_size=16, verbose=0, return_dict=True)
    of_latent = {"none": set(), "gaussian": {"kl_weight"}}.get(latent, {"kl_weight", "concentration"})
    assert set(history) == {"loss", "nll", "kl", "perplexity"} | of_latent
    assert after["loss"] < before["loss"] - 1
    assert after["loss"] == pytest.approx(after["nll"] + after["kl"], rel=1e-5)
    assert after["perplexity"] == pytest.approx(np.exp(48 * after["loss"] / np.count_nonzero(tokens)), rel=1e-4)
    assert (after["kl"] == 0.0) == (latent == "none")
    assert model.evaluate(tokens, batch_size=16, verbose=0, return_dict=True) == after


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", quick_options("bidirectional", "conditional"))
def test_every_variable_is_trained(name, tokens):
    model = make_model(**OPTIONS[name])
    model.compile(keras.optimizers.SGD(0.1))
    before = [v.numpy() for v in model.trainable_variables]
    model.train_on_batch(batch_for(model, tokens))
    for variable, old in zip(model.trainable_variables, before, strict=True):
        assert not np.array_equal(variable, old), variable.path


def test_batches_of_all_lengths_train_on_one_graph(tokens):
    model = make_model()
    model.compile(keras.optimizers.Adam(1e-2))
    traces = []
    terms = model._terms
    model._terms = lambda *args, **kwargs: (traces.append(1), terms(*args, **kwargs))[1]
    rows = [tokens[:16, :3].copy(), tokens[:7, :5].copy(), tokens[:16], tokens[:1, :4].copy()]
    for row in rows:  # what is cut ends, too
        row[:, -1] = np.where(row[:, -1] == PAD, PAD, EOS)

    def batches():
        yield from rows * 3

    data = tf.data.Dataset.from_generator(batches, output_signature=tf.TensorSpec([None, None], tf.int32))
    data = data.apply(tf.data.experimental.assert_cardinality(12))
    model.fit(data, epochs=2, shuffle=False, verbose=0)
    assert len(traces) <= 2  # Keras may trace a first time to build


def test_the_likelihood_of_a_language_model_is_exact_and_its_bounds_are_equal(tokens):
    model = make_model("none")
    exact = reference_log_prob(model, tokens, None).numpy().sum(axis=-1)
    np.testing.assert_allclose(model.log_likelihood(tokens, 7), exact, atol=1e-4)
    np.testing.assert_allclose(model.elbo(tokens), exact, atol=1e-4)
    np.testing.assert_allclose(model.predict(tokens, verbose=0), exact, atol=1e-4)


@pytest.mark.slow
def test_the_bounds_are_ordered_and_approach_the_exact_likelihood_on_the_circle(tokens):
    """For d = 2 the marginal likelihood is an integral over an angle, done here by the trapezoid rule."""
    model = make_model(VonMisesFisherLatent(2, concentration=1.5, seed=1), z_scale=1.0)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(tokens, epochs=15, verbose=0)
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)
    log_p = model.reconstruction_log_prob(tokens, tf.repeat(circle[:, np.newaxis], len(tokens), axis=1)).numpy()
    exact = scipy.special.logsumexp(log_p.astype(np.float64), axis=0) - np.log(len(angles))
    elbo = np.mean([model.elbo(tokens, seed=i) for i in range(100)], axis=0)
    assert np.all(elbo < exact + 0.1)
    ten = np.mean([model.log_likelihood(tokens, 10, seed=i) for i in range(20)])
    thousand = model.log_likelihood(tokens, 1000, seed=0).numpy()
    assert elbo.mean() < ten < exact.mean()
    np.testing.assert_allclose(thousand, exact, atol=0.35)
    assert thousand.mean() == pytest.approx(exact.mean(), abs=0.03)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", quick_options("conditional", of=["mean_max", "deep_tied_skip", "conditional"]))
def test_a_saved_model_goes_on_as_the_original(name, tokens, tmp_path):
    model = make_model(**OPTIONS[name])
    x = batch_for(model, tokens)
    model.compile(keras.optimizers.Adam(1e-2, global_clipnorm=1.0))
    model.fit(x, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.elbo(x, seed=1), model.elbo(x, seed=1))
    assert json.loads(json.dumps(loaded.get_config())) == json.loads(json.dumps(model.get_config()))
    for each in (model, loaded):
        each.fit(x, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.usefixtures("eagerly")
def test_a_saved_language_model_needs_no_latent_layer(tokens, tmp_path):
    model = make_model("none")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.latent is None
    np.testing.assert_array_equal(loaded.elbo(tokens), model.elbo(tokens))


@pytest.mark.usefixtures("eagerly")
def test_free_bits_charge_no_less_than_their_nats_and_are_no_part_of_the_bound(tokens):
    results = {}
    for free_bits in (0.0, 1e3):
        keras.utils.set_random_seed(0)  # the layer draws the seeds of its weights when it is made
        model = make_model(GaussianLatent(DIM, kl_weight=0.5, seed=1), free_bits=free_bits, dropout=0.0)
        model.compile(keras.optimizers.SGD(0.0))
        results[free_bits] = model.train_on_batch(tokens, return_dict=True)
        bound = model.evaluate(tokens, verbose=0, return_dict=True)
        assert bound["loss"] == pytest.approx(bound["nll"] + bound["kl"], rel=1e-5)
    assert results[0.0]["loss"] == pytest.approx(results[0.0]["nll"] + 0.5 * results[0.0]["kl"], rel=1e-5)
    assert results[1e3]["loss"] == pytest.approx(results[1e3]["nll"] + 0.5 * 1e3, rel=1e-5)
    assert results[1e3]["kl"] == pytest.approx(results[0.0]["kl"])


def test_a_kl_schedule_weighs_the_training_loss_by_step(tokens):
    model = make_model(GaussianLatent(DIM, kl_weight=LinearSchedule(10), seed=1))
    model.compile(keras.optimizers.SGD(0.0))
    for step in range(3):
        logs = model.train_on_batch(tokens, return_dict=True)
        model.reset_metrics()
        assert logs["loss"] == pytest.approx(logs["nll"] + step / 10 * logs["kl"], rel=1e-5)


def test_an_update_of_the_encoder_leaves_the_decoder_as_it_was(tokens):
    model = make_model()
    model.compile(keras.optimizers.SGD(0.1))
    encoder = {id(v) for v in model.encoder_variables}
    before = {id(v): v.numpy() for v in model.trainable_variables}
    model.update(tokens, model.encoder_variables)
    for variable in model.trainable_variables:
        assert np.array_equal(variable, before[id(variable)]) == (id(variable) not in encoder)


@pytest.mark.slow
def test_a_conditional_model_uses_its_label(tokens):
    """The label tells which half of the words a sentence is made of; the code is kept out by a concentration of 0."""
    model = make_model(VonMisesFisherLatent(2, concentration=0.0, seed=1), num_labels=2, dropout=0.0, hidden_units=16)
    model.compile(keras.optimizers.Adam(1e-2))
    long = tokens[np.count_nonzero(tokens, axis=1) > 2]
    labels = (long[:, 0] > 5).astype(np.int32)
    model.fit({"tokens": long, "labels": labels}, batch_size=8, epochs=40, verbose=0)
    right, wrong = (np.mean(model.elbo({"tokens": long, "labels": label})) for label in (labels, 1 - labels))
    assert right > wrong + 2
    for label in (0, 1):
        sampled = model.sample(40, seed=1, labels=tf.fill([40], label), max_length=9).numpy()
        words = sampled[sampled > UNK]
        assert len(words) > 40
        assert np.mean((words > 5) == label) > 0.9


@pytest.mark.slow
def test_a_model_conditional_on_words_uses_them(tokens):
    model = make_model(VonMisesFisherLatent(2, concentration=0.0, seed=1), bag_of_words_units=6, dropout=0.0)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(tokens, batch_size=8, epochs=40, verbose=0)
    for words in ([3, 4, 5], [6, 7, 8]):
        sampled = model.sample(40, seed=1, bag_of_words=np.tile(words, (40, 1)), max_length=9).numpy()
        assert np.mean(np.isin(sampled[sampled > UNK], words)) > 0.9


@pytest.mark.parametrize("name", quick_options("conditional", of=["standard", "conditional"]))
def test_a_wide_beam_decodes_the_sentence_of_largest_log_prob(name):
    """Generation step by step and scoring of whole sentences are two programs: here they must agree."""
    model = make_model(**OPTIONS[name])
    conditions = {"labels": [1], "bag_of_words": [[3, 4, 0]]} if model.num_labels else {}
    z = tf.constant([[0.5, -1.0, 0.8]])
    length = 3
    rows = []
    for words in itertools.product(range(EOS, V), repeat=length):
        if EOS not in words:
            rows.append(words)
        else:
            end = words.index(EOS)
            rows.append((*words[: end + 1], *[PAD] * (length - 1 - end)))
    rows = np.array(sorted(set(rows)), np.int32)
    if model.num_labels:  # `reconstruction_log_prob` takes the bag of words from the sentence itself: give it here
        words = np.tile([[3, 4, 0]], (len(rows), 1))
        condition = model.conditioning.vectors(1, words, tf.constant(len(rows)), model.embedding)
        model.conditioning.of_batch = lambda x, embedding: condition
    log_prob = model.reconstruction_log_prob(rows, tf.repeat(z[np.newaxis], len(rows), axis=1))[0].numpy()
    best = rows[np.argmax(log_prob)]
    decoded = model.generate(z, BeamSampler(len(rows)), max_length=length, **conditions).numpy()[0]
    np.testing.assert_array_equal(decoded, best[: len(decoded)])
    np.testing.assert_array_equal(best[len(decoded) :], 0)
    unknown = model.generate(z, RandomSampler(50.0), allow_unknown=False, seed=3, **conditions)
    assert UNK not in unknown.numpy()


@pytest.mark.parametrize("latent", quick(2, ["vmf", "none", "gaussian", "power_spherical"]))
def test_samples_follow_their_seed_and_end_before_their_padding(latent):
    model = make_model(latent)
    sampled = model.sample(30, seed=2, max_length=12).numpy()
    np.testing.assert_array_equal(sampled, model.sample(30, seed=2, max_length=12))
    assert not np.array_equal(sampled, model.sample(30, seed=3, max_length=12))
    lengths = np.count_nonzero(sampled, axis=1)
    for row, length in zip(sampled, lengths, strict=True):
        assert not row[length:].any()
        assert row[length - 1] == EOS or length == 12


def test_a_new_temperature_needs_no_new_graph():
    model = make_model()
    z = tf.zeros([2, DIM])
    for temperature, max_length in ((1.0, 5), (0.5, 9), (2.0, 3)):
        model.generate(z, RandomSampler(temperature, top_p=0.9), max_length=max_length)
    assert model._generate.experimental_get_tracing_count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.slow)])
def test_mixed_precision_trains_and_stays_close_to_float32(policy, tokens):
    losses = {}
    for each in ("float32", policy):
        keras.config.set_dtype_policy(each)
        try:
            model = make_model(**OPTIONS["deep_tied_skip"])
            model.compile(keras.optimizers.Adam(1e-2))
            losses[each] = model.fit(tokens, batch_size=16, epochs=10, shuffle=False, verbose=0).history["loss"]
        finally:
            keras.config.set_dtype_policy("float32")
    assert all(v.dtype == "float32" for v in model.trainable_variables)
    assert losses[policy][-1] < losses[policy][0] - 2
    # Loss scaling skips the first steps of float16.
    np.testing.assert_allclose(losses[policy][-1], losses["float32"][-1], rtol=0.1)


_MEMORY = """
import json, re
import keras, numpy as np
from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.text.vocabulary import EOS_ID as EOS
from tf_vmf.text.vocabulary import PAD_ID as PAD
from tf_vmf.text.vocabulary import UNK_ID as UNK
from tf_vmf.models import LSTMVAE, BeamSampler, RandomSampler

model = LSTMVAE(10_000, VonMisesFisherLatent(50, concentration=35.0))
model.compile(keras.optimizers.Adam(1e-3))
tokens = np.random.default_rng(0).integers(2, 10_000, (64, 50)).astype(np.int32)
tokens[:, -1] = 1
for _ in range(2):
    loss = model.train_on_batch(tokens)[0]
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
print(json.dumps({"loss": float(loss), "megabytes": peak / 1024}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory of a process from /proc")
@pytest.mark.slow
def test_a_step_on_the_penn_treebank_fits_in_two_gigabytes():
    """Batch 64 of 50 tokens and 10,000 words: the peak of the whole process, TensorFlow included."""
    output = subprocess.run([sys.executable, "-c", _MEMORY], capture_output=True, check=True, text=True).stdout
    result = json.loads(output.splitlines()[-1])
    assert np.isfinite(result["loss"])
    assert result["megabytes"] < 2000


def test_the_unigram_bias_is_the_log_frequency(tokens):
    model = make_model("none")
    counts = np.bincount(tokens.ravel(), minlength=V)
    model.set_unigram_bias(1000 * counts)
    np.testing.assert_allclose(scipy.special.softmax(model.output_bias), counts / counts.sum(), atol=1e-4)
    with pytest.raises(ValueError, match="counts"):
        model.set_unigram_bias(counts[1:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"latent": 25}, "latent layer"),
        ({"pooling": "max"}, r"pooling.*final.*max"),
        ({"dropout": 1.0}, r"dropout.*1\.0"),
        ({"word_dropout": 1.1}, r"word_dropout.*1\.1"),
        ({"encoder_dropout": -0.1}, r"encoder_dropout.*-0\.1"),
        ({"free_bits": -1.0}, "free_bits"),
        ({"num_decoder_layers": 0}, "num_decoder_layers"),
        ({"latent": None, "skip_connection": True}, "skip_connection"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_model(**arguments)


def test_missing_inputs_and_codes_of_the_wrong_width_are_refused(tokens):
    with refused("labels", "None", "num_labels=2"):
        make_model(num_labels=2).elbo(tokens)
    with refused("bag_of_words", "None"):
        make_model(bag_of_words_units=2).sample(3)
    with pytest.raises(ValueError, match=r"\(batch, 3\)"):
        make_model().generate(np.zeros((1, 4), np.float32))
    with refused("latent", "None"):
        make_model("none").encode(tokens)
    with refused("x", expected="(batch, length)"):
        make_model().elbo(tokens[0])


# ---- what users hand in


@pytest.mark.slow
@pytest.mark.parametrize("method", quick(1, ["beam", "greedy", "random"]))  # XLA takes seconds for each
def test_generation_under_xla_writes_sentences(method, tokens):
    model = make_model("vmf")
    z = code_for(model, tokens)[0, :5]
    generate = tf.function(lambda z: model.generate(z, method, max_length=6), jit_compile=True)
    written = generate(z).numpy()
    assert written.shape[0] == 5
    if method == "random":  # XLA draws other numbers
        assert np.all((written >= 0) & (written < V))
        assert written.shape[1] > 0
    else:
        np.testing.assert_array_equal(written, model.generate(z, method, max_length=6))


def test_asking_for_xla_warns_and_trains_without(tokens):
    model = make_model("vmf")
    with pytest.warns(UserWarning, match="jit_compile"):
        model.compile("sgd", jit_compile=True)
    assert np.isfinite(model.fit(tokens, verbose=0).history["loss"][0])


def test_another_top_k_needs_no_other_graph(tokens):
    model = make_model("vmf")
    z = code_for(model, tokens)[0]
    for top_k in range(1, 5):
        model.generate(z, RandomSampler(top_k=top_k), max_length=3)
    assert model._generate.experimental_get_tracing_count() == 1


def test_padding_before_words_is_an_error(tokens):
    model = make_model("vmf")
    reversed_rows = tf.constant(tokens[:8, ::-1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="at the end of sentences only"):
        model.elbo(reversed_rows)
    with pytest.raises(tf.errors.InvalidArgumentError, match="at the end of sentences only"):
        model.encode(reversed_rows)


@pytest.mark.usefixtures("eagerly")
def test_ragged_sentences_are_those_padded(tokens):
    model = make_model("vmf")
    ragged = tf.RaggedTensor.from_tensor(tokens, padding=0)
    np.testing.assert_allclose(model.elbo(ragged), model.elbo(tf.constant(tokens)), rtol=1e-6)


def test_lists_of_any_length_are_padded(tokens):
    model = make_model("vmf")
    rows = [row[row != PAD].tolist() for row in tokens]
    for x in (rows, tokens.tolist(), [tuple(row) for row in rows]):
        np.testing.assert_allclose(model.elbo(x), model.elbo(tf.constant(tokens)), rtol=1e-6)
    np.testing.assert_allclose(model.predict(rows, verbose=0), model.predict(tokens, verbose=0), rtol=1e-5)


def test_one_label_serves_all_rows_and_strange_ones_are_refused(tokens):
    model = make_model("vmf", num_labels=2)
    z = code_for(model, tokens)[0, :3]
    np.testing.assert_array_equal(model.generate(z, labels=1), model.generate(z, labels=[1, 1, 1]))
    for labels in (2, -1, [0, 1], [0.5, 1.0, 1.0]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="labels from 0 to 1"):
            model.generate(z, labels=labels)
    for labels in (["a", "b", "c"], [[0], [1], [1]]):
        with refused("labels", expected="integers from 0 to 1"):
            model.generate(z, labels=labels)


def test_conditions_that_a_model_does_not_have_are_refused(tokens):
    model = make_model("vmf")
    z = code_for(model, tokens)[0]
    with refused("labels", expected="num_labels=0"):
        model.generate(z, labels=0)
    with refused("bag_of_words", expected="bag_of_words_units=0"):
        model.generate(z, bag_of_words=tokens)


def test_a_bag_of_words_has_no_order_and_no_padding(tokens):
    model = make_model("vmf", bag_of_words_units=4)
    bags = tf.constant([[3, 4, 0, 0], [3, 0, 4, 0], [0, 0, 4, 3]])
    condition = model.conditioning.vectors(None, bags, tf.constant(3), model.embedding).numpy()
    np.testing.assert_allclose(condition[1:], condition[:1].repeat(2, axis=0), rtol=1e-6)


def test_codes_that_are_no_numbers_are_an_error(tokens):
    model = make_model("vmf")
    with pytest.raises(tf.errors.InvalidArgumentError, match="finite"):
        model.generate(np.full((2, DIM), np.nan, np.float32))


@pytest.mark.parametrize(
    ("latent", "options", "message"),
    [
        ("none", {"free_bits": 1.0}, "free_bits.*latent=None"),
        ("vmf", {"pooling": "bow", "bidirectional": True}, "bidirectional.*bow"),
        ("vmf", {"z_scale": float("nan")}, "z_scale.*finite"),
        ("vmf", {"dropout": None}, "dropout.*rate"),
    ],
)
def test_options_without_sense_are_refused(latent, options, message):
    with pytest.raises(ValueError, match=message):
        make_model(latent, **options)
