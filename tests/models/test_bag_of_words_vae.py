"""The bag-of-words VAE: bounds, training and saving."""

import json

import keras
import numpy as np
import pytest
import scipy.sparse
import scipy.special
import tensorflow as tf

from tests.parameters import quick
from tests.refusals import refused
from tf_vmf.layers import GaussianLatent, LearnedConcentration, PowerSphericalLatent, VonMisesFisherLatent
from tf_vmf.models import BagOfWordsVAE

V = 30
LATENTS = {
    "vmf": lambda: VonMisesFisherLatent(6, concentration=20.0, seed=1),
    "vmf_learned": lambda: VonMisesFisherLatent(
        6, concentration=LearnedConcentration(initial=20.0), norm_penalty=1e-3, seed=1
    ),
    "gaussian": lambda: GaussianLatent(6, seed=1),
    "power_spherical": lambda: PowerSphericalLatent(6, concentration=20.0, seed=1),
}


def make_model(latent=None, **kwargs):
    keras.utils.set_random_seed(0)
    options = {"encoder_units": (16, 8), "decoder_units": (12,), "seed": 4, **kwargs}
    return BagOfWordsVAE(V, LATENTS["vmf"]() if latent is None else latent, **options)


@pytest.fixture(scope="module")
def counts():
    """Documents of two kinds: words of the first half, or of the second."""
    rng = np.random.default_rng(0)
    topics = np.zeros((2, V))
    topics[0, : V // 2] = topics[1, V // 2 :] = 2 / V
    return rng.multinomial(20, topics[rng.integers(0, 2, 64)]).astype(np.float32)


@pytest.mark.parametrize("name", LATENTS)
def test_reconstruction_is_the_multinomial_log_likelihood_without_its_coefficient(name, counts):
    model = make_model(LATENTS[name]())
    z = tf.random.stateless_normal((3, 64, 6), (0, 1))
    scale = 1.0 if name == "gaussian" else np.sqrt(6.0)
    h = np.tanh(scale * z.numpy() @ model.decoder_layers[0].kernel.numpy() + model.decoder_layers[0].bias.numpy())
    logits = h @ model.output_layer.kernel.numpy() + model.output_layer.bias.numpy()
    expected = (counts * scipy.special.log_softmax(logits.astype(np.float64), axis=-1)).sum(axis=-1)
    np.testing.assert_allclose(model.reconstruction_log_prob(counts, z), expected, rtol=1e-5)
    np.testing.assert_allclose((counts * model.decode(z)).numpy().sum(axis=-1), expected, rtol=1e-5)


@pytest.mark.parametrize("name", quick(2, ["vmf_learned", "gaussian", "vmf", "power_spherical"]))
def test_fit_lowers_the_loss_and_logs_are_consistent(name, counts):
    model = make_model(LATENTS[name]())
    model.compile(keras.optimizers.Adam(3e-3))
    before = model.evaluate(counts, batch_size=16, verbose=0, return_dict=True)
    history = model.fit(counts, batch_size=16, epochs=30, verbose=0).history
    after = model.evaluate(counts, batch_size=16, verbose=0, return_dict=True)
    spread = set() if name == "gaussian" else {"concentration"}
    assert set(history) == {"loss", "nll", "kl", "perplexity", "kl_weight"} | spread
    assert after["loss"] < before["loss"] - 3
    assert after["loss"] == pytest.approx(after["nll"] + after["kl"], rel=1e-5)
    assert after["perplexity"] == pytest.approx(np.exp(64 * after["loss"] / counts.sum()), rel=1e-4)


def test_evaluation_repeats_itself_exactly(counts):
    model = make_model()
    model.compile("adam")
    assert model.evaluate(counts, verbose=0) == model.evaluate(counts, verbose=0)


def test_a_model_trains_on_sparse_batches(counts):
    model = make_model(input_dropout=0.2)
    model.compile(keras.optimizers.Adam(3e-3))
    batches = tf.data.Dataset.from_tensor_slices(tf.sparse.from_dense(counts)).batch(16)
    history = model.fit(batches, epochs=10, shuffle=False, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


def unsorted_csr(counts, twice=False):
    """As scikit-learn's vectorizers make them; or with every entry twice, which add up."""
    columns = [np.flatnonzero(row)[::-1] for row in counts]
    indices, data = np.concatenate(columns), np.concatenate([row[c] for row, c in zip(counts, columns, strict=True)])
    indptr = np.concatenate([[0], np.cumsum([len(each) for each in columns])])
    if twice:
        data, indices, indptr = np.repeat(data, 2) / 2, np.repeat(indices, 2), 2 * indptr
    return scipy.sparse.csr_matrix((data, indices, indptr), counts.shape)


KINDS = {  # the first are in the quick suite: every form that reaches the graph, and the one that scipy may spoil
    "lists": lambda counts: counts.tolist(),
    "integers": lambda counts: counts.astype(np.int64),
    "sparse tensor": tf.sparse.from_dense,
    "csr with entries twice": lambda counts: unsorted_csr(counts, twice=True),
    "data frame": lambda counts: pytest.importorskip("pandas").DataFrame(counts),
    "tensor": tf.constant,
    "csr_matrix": scipy.sparse.csr_matrix,
    "csr_array of integers": lambda counts: scipy.sparse.csr_array(counts.astype(np.int32)),
    "csr with unsorted indices": unsorted_csr,
    "csc_matrix": scipy.sparse.csc_matrix,
    "coo_array": scipy.sparse.coo_array,
    "dok_matrix": scipy.sparse.dok_matrix,
    "data frame of sparse columns": lambda counts: pytest.importorskip("pandas").DataFrame.sparse.from_spmatrix(
        scipy.sparse.csr_matrix(counts)
    ),
}


@pytest.fixture(scope="module")
def unchanging():
    """A model that training leaves as it is; one for all kinds of counts, so that its functions are compiled once."""
    model = make_model()
    model.compile(keras.optimizers.SGD(0.0))
    return model


@pytest.mark.parametrize("kind", quick(2, KINDS))
def test_counts_of_any_kind_are_those_of_an_array(kind, counts, unchanging):
    x, model = KINDS[kind](counts), unchanging
    np.testing.assert_allclose(model.encode(x).mean_direction, model.encode(counts).mean_direction, atol=1e-6)
    np.testing.assert_allclose(model.elbo(x, seed=3), model.elbo(counts, seed=3), rtol=1e-5)
    np.testing.assert_allclose(model.log_likelihood(x, 4), model.log_likelihood(counts, 4), rtol=1e-5)
    np.testing.assert_allclose(
        model.predict(x, batch_size=10, verbose=0), model.predict(counts, batch_size=10, verbose=0), atol=1e-5
    )
    got, expected = (model.evaluate(each, batch_size=10, verbose=0) for each in (x, counts))
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    got, expected = (
        model.fit(each, batch_size=64, shuffle=False, validation_data=(each,), epochs=1, verbose=0).history
        for each in (x, counts)
    )
    assert got["val_loss"] == pytest.approx(expected["val_loss"], rel=1e-5)


def test_no_examples_and_what_is_no_number_are_refused(counts, unchanging):
    for x in (None, counts[:0], scipy.sparse.csr_matrix(counts)[:0]):
        for call in (unchanging.fit, unchanging.evaluate, unchanging.predict):
            with pytest.raises(ValueError, match=r"`x` of BagOfWordsVAE\.\w+: expected at least one example"):
                call(x)
    for dtype in (str, np.complex64):
        with refused("x", "dtype", "numbers"):
            unchanging.encode(counts.astype(dtype))
    present = counts > 0
    np.testing.assert_array_equal(unchanging.predict(present, verbose=0), unchanging.predict(1 * present, verbose=0))


def test_counts_of_another_vocabulary_are_refused(counts, unchanging):
    for x in (counts[:, :-1], scipy.sparse.csr_matrix(counts)[:, 1:], counts[0]):
        for call in (unchanging.fit, unchanging.predict, unchanging.encode, unchanging.elbo):
            with refused("x", expected=f"counts of shape (batch, {counts.shape[1]})"):
                call(x)


def test_the_columns_of_a_data_frame_are_read_by_name(counts, tmp_path):
    pandas = pytest.importorskip("pandas")
    words = [f"w{i}" for i in range(counts.shape[1])]
    frame = pandas.DataFrame(counts, columns=words)
    mixed = frame[words[::-1]]
    model = make_model()
    model.compile("sgd")
    model.fit(frame, verbose=0)
    expected = model.predict(counts, verbose=0)
    sparse = pandas.SparseDtype("float32")
    for each in (frame, mixed, mixed.astype(sparse), mixed.astype(pandas.SparseDtype("float32", 0.0))):
        np.testing.assert_allclose(model.predict(each, verbose=0), expected, rtol=1e-5)
    with refused("x", "no column 'w0'"):
        model.predict(frame.drop(columns="w0"))
    with refused("x", "a column 'other'"):
        model.encode(frame.assign(other=1.0))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")  # the file holds a hash of the words alone
    with refused("x", expected="in its order"):
        loaded.predict(mixed)
    loaded.set_vocabulary(words)
    np.testing.assert_allclose(loaded.predict(mixed, verbose=0), expected, rtol=1e-5)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
@pytest.mark.parametrize("kind", ["array", "lists", "csr", "sparse tensor", "dataset"])
def test_counts_that_are_negative_or_no_numbers_are_refused(kind, value, counts, unchanging):
    counts = counts.copy()
    counts[5, 7] = value
    if kind == "dataset":
        if np.isinf(value):
            pytest.skip("the loss of an infinite count is NaN, which stops training")
        kinds = tf.data.Dataset.from_tensor_slices(counts).batch(16)
    else:
        kinds = {"array": np.asarray, "lists": np.ndarray.tolist, "csr": scipy.sparse.csr_matrix}.get(
            kind, tf.sparse.from_dense
        )(counts)
    model = unchanging
    calls = [lambda: model.fit(kinds, shuffle=False, verbose=0), lambda: model.evaluate(kinds, verbose=0)]
    if kind != "dataset":
        calls += [lambda: model.predict(kinds, verbose=0), lambda: model.encode(kinds), lambda: model.elbo(kinds)]
        calls += [lambda: model.log_likelihood(kinds, 2)]
    for call in calls:
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=r"[Ee]xpected counts"):
            call()


def test_the_bounds_are_ordered_and_approach_the_exact_likelihood_on_the_circle(counts):
    """For d = 2 the marginal likelihood is an integral over an angle, done here by the trapezoid rule."""
    model = make_model(VonMisesFisherLatent(2, concentration=5.0, seed=1))
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(counts, epochs=20, verbose=0)
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)
    log_p = counts.astype(np.float64) @ model.decode(circle).numpy().T.astype(np.float64)
    exact = scipy.special.logsumexp(log_p, axis=1) - np.log(len(angles))
    samples = np.stack([model.elbo(counts, seed=i) for i in range(60)])
    elbo, error = samples.mean(axis=0), samples.std(axis=0) / np.sqrt(60)
    assert np.all(elbo < exact + 4 * error)
    ten = np.mean([model.log_likelihood(counts, 10, seed=i) for i in range(10)])
    thousand = model.log_likelihood(counts, 1000, seed=0).numpy()
    assert elbo.mean() < ten < exact.mean()
    np.testing.assert_allclose(thousand, exact, atol=0.35)
    assert thousand.mean() == pytest.approx(exact.mean(), abs=0.03)


def test_one_importance_sample_has_the_mean_of_the_elbo(counts):
    model = make_model()
    one = np.stack([model.log_likelihood(counts, 1, seed=i) for i in range(300)])
    elbo = np.stack([model.elbo(counts, seed=1000 + i) for i in range(300)])
    error = np.sqrt(one.mean(axis=1).var() / 300 + elbo.mean(axis=1).var() / 300)
    assert abs(one.mean() - elbo.mean()) < 4 * error


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "vmf_learned" else pytest.mark.slow) for name in LATENTS]
)
def test_a_saved_model_gives_the_same_bounds(name, counts, tmp_path):
    model = make_model(LATENTS[name](), input_dropout=0.1, num_samples=2)
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(counts, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.elbo(counts, seed=1), model.elbo(counts, seed=1))
    assert json.loads(json.dumps(loaded.get_config())) == json.loads(json.dumps(model.get_config()))
    # Optimizer and noise come back too: both take the same next step.
    for each in (model, loaded):
        each.fit(counts, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_encode_returns_the_posterior_of_every_document(counts):
    posterior = make_model().encode(counts)
    assert posterior.batch_shape == (64,)
    assert posterior.event_shape == (6,)
    np.testing.assert_allclose(posterior.concentration, 20.0)


def test_predict_is_the_deterministic_reconstruction(counts):
    model = make_model()
    prediction = model.predict(counts, batch_size=10, verbose=0)
    np.testing.assert_allclose(np.exp(prediction).sum(axis=-1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(prediction, model.decode(model.encode(counts).mean_direction), atol=1e-5)


def test_samples_are_documents_of_the_length_asked_for():
    model = make_model()
    documents = model.sample(9, document_length=33, seed=2).numpy()
    assert documents.shape == (9, V)
    np.testing.assert_array_equal(documents.sum(axis=-1), 33)
    np.testing.assert_array_equal(documents, model.sample(9, document_length=33, seed=2))
    assert not np.array_equal(documents, model.sample(9, document_length=33, seed=3))


def test_the_unigram_bias_decodes_to_corpus_frequencies(counts):
    model = make_model(decoder_units=())
    model.output_layer.kernel.assign(np.zeros((6, V)))
    model.set_unigram_bias(1000 * counts.sum(axis=0))
    np.testing.assert_allclose(tf.exp(model.decode(np.zeros((1, 6))))[0], counts.sum(axis=0) / counts.sum(), rtol=1e-3)


def test_mixed_precision_trains_with_loss_scaling(counts):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = make_model(LATENTS["vmf_learned"]())
        model.compile(keras.optimizers.Adam(3e-3))
        history = model.fit(counts, batch_size=16, epochs=20, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert history["loss"][-1] < history["loss"][0] - 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"latent": 25}, "latent layer"),
        ({"input_transform": "tfidf"}, "input_transform.*log1p.*tfidf"),
        ({"dropout": 1.0}, "dropout.*1.0"),
        ({"encoder_units": ()}, "encoder_units"),
        ({"num_samples": 0}, "num_samples"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_model(**arguments)


def test_codes_and_counts_of_the_wrong_width_are_refused():
    model = make_model()
    with pytest.raises(ValueError, match=r"6"):
        model.decode(np.zeros((1, 5), np.float32))
    with pytest.raises(ValueError, match="30"):
        model.elbo(np.ones((2, 29), np.float32))


@pytest.mark.usefixtures("eagerly")
def test_weights_multiply_the_losses_of_their_examples(counts):
    weights = np.zeros(64, np.float32)
    weights[:20] = 1.0
    model = make_model(dropout=0.0)
    model.compile("sgd")
    some = model.evaluate(counts, sample_weight=weights, batch_size=64, verbose=0, return_dict=True)
    # The noise of an evaluation belongs to the place in the batch.
    alone = model.evaluate(counts[:20], batch_size=64, verbose=0, return_dict=True)
    assert some["kl"] == pytest.approx(alone["kl"], rel=1e-5)
    assert some["perplexity"] == pytest.approx(np.exp(some["loss"] * 20 / counts[:20].sum()), rel=1e-4)

    def weights_after(*args, **kwargs):
        model = make_model(dropout=0.0)
        model.compile(keras.optimizers.SGD(1e-3))
        model.fit(*args, batch_size=64, shuffle=False, verbose=0, **kwargs)
        return np.concatenate([v.numpy().ravel() for v in model.trainable_variables])

    start = np.concatenate([v.numpy().ravel() for v in make_model().trainable_variables])
    np.testing.assert_array_equal(weights_after(counts, sample_weight=np.zeros(64)), start)
    whole, twice = weights_after(counts), weights_after(counts, counts, sample_weight=np.full(64, 2.0))
    np.testing.assert_allclose(twice - start, 2 * (whole - start), atol=1e-6)


@pytest.mark.slow
def test_weights_of_validation_examples_count_without_targets_too(counts):
    weights = np.linspace(0.0, 2.0, 64).astype(np.float32)
    model = make_model()
    model.compile("sgd")
    expected = model.evaluate(counts, counts, sample_weight=weights, verbose=0, return_dict=True)["loss"]
    assert expected != pytest.approx(model.evaluate(counts, verbose=0, return_dict=True)["loss"], rel=1e-3)
    assert model.evaluate(counts, None, None, 0, weights, return_dict=True)["loss"] == pytest.approx(expected)
    model.compile(keras.optimizers.SGD(0.0))
    for targets in (None, counts):
        history = model.fit(counts, validation_data=(counts, targets, weights), verbose=0).history
        assert history["val_loss"][0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("given", [{"loss": "mse"}, {"loss_weights": [2.0]}])
def test_a_loss_of_ones_own_is_refused(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))}.*expected None"):
        make_model().compile("adam", **given)


def test_a_model_that_was_only_trained_exports_as_any_keras_model(counts, tmp_path):
    model = make_model()
    model.compile("sgd")
    model.fit(counts, verbose=0)
    model.export(tmp_path / "export", verbose=False)
    loaded = tf.saved_model.load(
        str(tmp_path / "export")
    )  # without a name it would be gone at once, with its variables
    np.testing.assert_allclose(loaded.serve(counts), model.predict(counts, verbose=0), rtol=1e-5)
