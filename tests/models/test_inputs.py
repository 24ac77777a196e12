"""Data in the forms that users have, through every method that takes some."""

import itertools

import keras
import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf

from tests.refusals import refused
from tf_vmf import layers, models, serving
from tf_vmf.text import DocumentVectorization

pandas = pytest.importorskip("pandas")
WORDS = ["fig", "egg", "date", "corn", "bean", "apple"]
COUNTS = np.random.default_rng(0).poisson(1.0, (12, 6))
TOKENS = np.array([[3, 4, 1, 0], [5, 1, 0, 0]], np.int32)


def latent(**options):
    return layers.VonMisesFisherLatent(3, concentration=5.0, seed=1, **options)


@pytest.fixture(scope="module")
def documents():
    model = models.BagOfWordsVAE(6, latent(), encoder_units=(8,), decoder_units=(), seed=0)
    model.compile(keras.optimizers.SGD(0.0))
    model.fit(pandas.DataFrame(COUNTS, columns=WORDS), verbose=0)
    return model


@pytest.fixture(scope="module")
def sentences():
    model = models.LSTMVAE(6, latent(), embedding_dim=3, hidden_units=4, seed=0)
    model.compile(keras.optimizers.SGD(0.0))
    return model


def images(likelihood="gaussian", dtype=None, **compiled):
    encoder = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "relu", dtype=dtype)])
    decoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6, dtype=dtype)])
    model = models.VAE(encoder, latent(dtype=dtype), decoder, likelihood, seed=0, dtype=dtype)
    model.compile(keras.optimizers.SGD(0.0), **compiled)
    return model


def frames():
    """The counts with columns in another order, as data frames of several kinds."""
    frame = pandas.DataFrame(COUNTS, columns=WORDS)[sorted(WORDS)]
    yield frame
    yield frame.astype("Int64")
    yield frame.astype(object)
    if pytest.importorskip("pyarrow", exc_type=ImportError):
        import pyarrow

        yield frame.astype("int64[pyarrow]")
        yield pyarrow.table({name: frame[name].to_numpy() for name in frame})


@pytest.mark.usefixtures("eagerly")
def test_columns_of_all_kinds_of_frames_are_read_by_name_by_every_method(documents):
    expected = documents.predict(COUNTS.astype(np.float32), verbose=0)
    loss = documents.evaluate(COUNTS.astype(np.float32), verbose=0, return_dict=True)["loss"]
    for frame in frames():
        np.testing.assert_allclose(documents.predict(frame, verbose=0), expected, atol=1e-6)
        np.testing.assert_allclose(documents(frame), expected, atol=1e-6)
        np.testing.assert_allclose(documents.predict_on_batch(frame), expected, atol=1e-6)
    first = next(frames())
    for validation in (first, (first,), (first, None, [1.0] * 12)):
        history = documents.fit(first, validation_data=validation, verbose=0).history
        assert history["val_loss"][0] == pytest.approx(loss, rel=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_columns_of_any_model_stand_in_the_order_of_training():
    frame = pandas.DataFrame(COUNTS / 7, columns=WORDS)
    model = images()
    model.fit(frame, verbose=0)
    np.testing.assert_array_equal(
        model.predict(frame[sorted(WORDS)], verbose=0), model.predict(frame.to_numpy(), verbose=0)
    )
    with refused("x", received="no column 'fig'"):
        model.predict(frame.rename(columns={"fig": "grape"}), verbose=0)
    model.fit(frame, frame.add_prefix("clean_"), verbose=0)  # a target may have names of its own


def test_missing_masked_and_complex_numbers_are_refused(documents):
    with refused("x", received="nan in row"):
        documents.predict(next(frames()).astype("Int64").mask(lambda frame: frame == 0), verbose=0)
    with refused("x", received="nan in row"):
        documents.predict(np.ma.masked_equal(COUNTS, 0), verbose=0)
    with refused("x", received="complex"):
        images().predict(COUNTS.astype(complex), verbose=0)


def test_weights_may_be_a_list_or_a_column(documents):
    weights = np.arange(12.0)
    expected = documents.evaluate(COUNTS, sample_weight=weights, verbose=0)
    for given in (weights.tolist(), pandas.Series(weights, index=range(12)[::-1]).astype("Int64")):
        np.testing.assert_allclose(documents.evaluate(COUNTS, sample_weight=given, verbose=0), expected)
        np.testing.assert_allclose(documents.test_on_batch(COUNTS, sample_weight=given)[0], expected[0], rtol=0.1)


@pytest.mark.usefixtures("eagerly")
def test_sentences_come_in_lists_columns_and_matrices(sentences):
    def bound(x):
        return sentences.elbo_terms(sentences.to_tensors(x), tf.constant([1, 2]))["nll"].numpy()

    rows = [[3, 4, 1], [5, 1]]
    given = [
        rows,
        [np.array(row) for row in rows],
        np.array(rows, object),
        pandas.Series(rows),
        scipy.sparse.csr_matrix(TOKENS),
    ]
    given += [pandas.DataFrame(TOKENS).astype("Int64"), TOKENS.astype(np.float32)]
    for x in given:
        np.testing.assert_allclose(bound(x), bound(TOKENS), rtol=1e-6)


@pytest.mark.parametrize("x", [TOKENS + 0.5, np.where(TOKENS == 0, np.nan, TOKENS), [[3.5, 1]]])
def test_what_is_no_whole_number_is_no_id(sentences, x):
    with pytest.raises(tf.errors.InvalidArgumentError, match="whole numbers"):
        sentences.elbo(x)
    with pytest.raises(ValueError, match="whole numbers"):
        models.Categorical()(tf.constant([[0.5]]), tf.zeros((1, 1, 3)))


def test_under_xla_a_value_out_of_range_makes_the_loss_nan():
    compiled = tf.function(lambda likelihood, x: likelihood(x, tf.zeros_like(x)), jit_compile=True)
    assert np.isnan(compiled(models.Bernoulli(), tf.constant([[7.0, 0.0]]))).all()
    assert np.isnan(compiled(models.Multinomial(), tf.constant([[-0.5, 1.0]]))).all()
    np.testing.assert_allclose(compiled(models.Bernoulli(), tf.constant([[1.0, 0.0]])), [-2 * np.log(2)], rtol=1e-6)


@pytest.mark.slow
def test_exports_of_double_precision_answer_in_float32(tmp_path):
    model = models.BagOfWordsVAE(6, latent(dtype="float64"), encoder_units=(8,), decoder_units=(), dtype="float64")
    serving.export(model, tmp_path / "1", DocumentVectorization(WORDS))
    served = serving.Served(tmp_path / "1")
    counts = tf.constant([[1.0, 0, 0, 0, 1.0, 0]])
    answer = served.signatures["reconstruct"](counts=counts)
    assert {each.dtype for each in answer.values()} == {tf.float32}
    np.testing.assert_allclose(answer["log_probs"], model(counts), rtol=1e-5)
    assert served.predict({"signature_name": "reconstruct_text", "inputs": {"texts": ["fig bean"], "num_words": 2}})


def test_a_vocabulary_may_map_words_to_their_numbers_and_has_an_order(documents):
    from tf_vmf.models.word_model import hash_of_vocabulary

    model = models.BagOfWordsVAE(6, latent(), encoder_units=(8,), decoder_units=())
    model.set_vocabulary({word: number for number, word in reversed(list(enumerate(WORDS)))})
    assert model.vocabulary_hash == hash_of_vocabulary(WORDS) == documents.vocabulary_hash
    vectorizer = DocumentVectorization({"star": 1, "moon": 0})
    np.testing.assert_array_equal(vectorizer(["star star moon"]), [[1, 2]])
    for wrong in (set(WORDS), ["fig"] * 6, "figegg"):
        with refused("vocabulary"):
            model.set_vocabulary(wrong)
    with refused("vocabulary"):
        DocumentVectorization({"moon", "star"})


class Batches(keras.utils.PyDataset):
    """A dataset of the user's: three batches of a frame, a matrix or an array, alone or beside a target and weights."""

    def __init__(self, data, *beside):
        super().__init__()
        self.columns = (data, *beside)
        self.ended = 0

    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        batch = tuple(None if each is None else each[rows] for each in self.columns)
        return batch if len(batch) > 1 else batch[0]

    def on_epoch_end(self):
        self.ended += 1


@pytest.mark.parametrize("streamed", [lambda data: data, lambda data: (data[i % 3] for i in itertools.count())])
@pytest.mark.parametrize(
    "form",
    [
        np.asarray,
        scipy.sparse.csr_matrix,
        lambda counts: pandas.DataFrame(counts, columns=WORDS)[sorted(WORDS)],
    ],
)
def test_generators_and_datasets_give_batches_in_any_form(documents, form, streamed):
    counts = COUNTS.astype(np.float32)
    expected, weights = documents.evaluate(counts, verbose=0, batch_size=4, return_dict=True), np.arange(12.0)
    for beside in ((), (form(counts),)):
        data = Batches(form(counts), *beside)
        assert documents.evaluate(streamed(data), steps=3, verbose=0, return_dict=True) == pytest.approx(
            expected, rel=1e-5
        )
        predicted = documents.predict(streamed(data), steps=3, verbose=0)
        np.testing.assert_allclose(predicted, documents.predict(counts, verbose=0), atol=1e-6)
    expected = documents.evaluate(counts, sample_weight=weights, verbose=0, batch_size=4, return_dict=True)
    data = Batches(form(counts), None, weights)
    assert documents.evaluate(streamed(data), steps=3, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-5)
    documents.fit(streamed(data), steps_per_epoch=3, shuffle=False, verbose=0)
    assert bool(data.ended) == (streamed(data) is data)


def test_a_dataset_of_frames_names_the_columns_and_a_file_keeps_their_names(tmp_path):
    frame, model = pandas.DataFrame(COUNTS.astype(np.float32), columns=WORDS), images()
    model.fit(Batches(frame), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.save(tmp_path / "again.keras")
    for each in (model, loaded, keras.saving.load_model(tmp_path / "again.keras")):
        np.testing.assert_array_equal(each.predict(frame[sorted(WORDS)], verbose=0), model.predict(frame, verbose=0))
        with refused("x", "no column 'fig'"):
            each.predict(frame.rename(columns={"fig": "plum"}), verbose=0)
