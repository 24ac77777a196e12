"""Exports as their users meet them: in a process where neither this package nor TensorFlow Probability can be imported."""

import pickle
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial import geometric_slerp

from tf_vmf import models, serving
from tf_vmf.layers import GaussianLatent, LearnedConcentration, VonMisesFisherLatent
from tf_vmf.models import LSTMVAE, BagOfWordsVAE, RandomSampler
from tf_vmf.serving.export import model_endpoints, nearest_text
from tf_vmf.text import DocumentVectorization, SentenceVectorization
from tf_vmf.text.vocabulary import UNK_ID

# Calls endpoints of a SavedModel and keeps what they return, or the message of the error.
CONSUMER = """
import pickle, sys
sys.modules["tf_vmf"] = sys.modules["tensorflow_probability"] = None
import tensorflow as tf
from scipy.spatial import geometric_slerp
served = tf.saved_model.load(sys.argv[1]).signatures
with open(sys.argv[2], "rb") as file:
    calls = pickle.load(file)
results = []
for name, arguments in calls:
    try:
        outputs = served[name](**{key: tf.constant(value) for key, value in arguments.items()})
        results.append({key: value.numpy() for key, value in outputs.items()})
    except Exception as error:
        results.append(str(error))
with open(sys.argv[2], "wb") as file:
    pickle.dump((sorted(served), results), file)
"""

WORDS = [f"word{chr(97 + i)}" for i in range(20)]
I = np.int32  # noqa: E741


def consume(path, calls, folder):
    exchange = folder / "calls.pickle"
    exchange.write_bytes(pickle.dumps(calls))
    subprocess.run([sys.executable, "-c", CONSUMER, str(path), str(exchange)], check=True, timeout=300)
    return pickle.loads(exchange.read_bytes())


def great_circle(start, end, num_points):
    start, end = (x.astype(np.float64) / np.linalg.norm(x.astype(np.float64)) for x in (start, end))
    return geometric_slerp(start, end, np.linspace(0, 1, num_points))


def agree(served, expected):
    np.testing.assert_allclose(served, expected, rtol=1e-6, atol=1e-6)


@pytest.fixture(scope="module")
def documents():
    vectorizer = DocumentVectorization(WORDS, tokenization="words")
    latent = VonMisesFisherLatent(5, concentration=LearnedConcentration(initial=20.0), seed=1)
    return BagOfWordsVAE(20, latent, encoder_units=(8,), decoder_units=(8,), seed=1), vectorizer


EXAMPLES = ["worda wordb", "unknown", "wordc", "wordd worde wordd"]


@pytest.fixture(scope="module")
def exported(documents, tmp_path_factory):
    model, vectorizer = documents
    return serving.export(model, tmp_path_factory.mktemp("export") / "1", vectorizer, examples=EXAMPLES)


@pytest.fixture(scope="module")
def sentences():
    vectorizer = SentenceVectorization(["<pad>", "<eos>", "<unk>", *WORDS], tokenization="words")
    latent = VonMisesFisherLatent(4, concentration=20.0, seed=1)
    return LSTMVAE(23, latent, embedding_dim=6, hidden_units=8, seed=1), vectorizer


def test_a_served_document_model_is_the_python_model(documents, exported, tmp_path):
    model, _ = documents
    rng = np.random.default_rng(0)
    batches = [rng.poisson(1.0, (n, 20)).astype(np.float32) for n in (1, 257)]
    texts = np.array(["", "nothing known", "Worda wordb, worda!"])
    z = np.eye(5, dtype=np.float32)[:2]
    calls = [("encode", {"counts": x}) for x in batches]
    calls += [("score", {"counts": x, "num_samples": I(7), "seed": I(3)}) for x in batches]
    calls += [
        ("serving_default", {"texts": texts}),
        ("reconstruct", {"counts": batches[0]}),
        ("sample", {"n": I(4), "document_length": I(30), "seed": I(9)}),
        ("interpolate", {"start": z[:1], "end": z[1:], "num_points": I(5)}),
        ("topics", {"z": z, "num_words": I(3), "relevance_weight": np.float32(1.0)}),
        ("score_text", {"texts": texts, "num_samples": I(2), "seed": I(3)}),
        ("nearest_text", {"texts": texts, "num_neighbors": I(2)}),
    ]
    names, results = consume(exported, calls, tmp_path)
    assert {
        "encode",
        "encode_text",
        "serving_default",
        "score",
        "sample",
        "reconstruct",
        "interpolate",
        "topics",
    } <= set(names)
    for x, encoded, scored in zip(batches, results[:2], results[2:4], strict=True):
        posterior = model.encode(x)
        agree(encoded["mean_direction"], posterior.mean_direction)
        agree(encoded["concentration"], posterior.concentration)
        agree(scored["elbo"], model.elbo(x, seed=3))
        agree(scored["log_likelihood"], model.log_likelihood(x, 7, seed=3))
    counts = np.zeros((3, 20), np.float32)
    counts[2, :2] = 2, 1
    agree(results[4]["mean_direction"], model.encode(counts).mean_direction)
    agree(results[5]["log_probs"], model.predict(batches[0], verbose=0))
    agree(results[6]["counts"], model.sample(4, document_length=30, seed=9))
    agree(results[7]["codes"][0], great_circle(z[0], z[1], 5))
    best = np.argsort(-model.decode(z).numpy(), axis=-1)[:, :3]
    assert results[8]["words"].tolist() == np.array(WORDS, object)[best].astype("S").tolist()
    agree(results[9]["elbo"], model.elbo(counts, seed=3))
    held = np.zeros((3, 20), np.float32)  # without the unknown one
    held[[0, 0, 1, 2, 2], [0, 1, 2, 3, 4]] = 1, 1, 1, 2, 1
    cosines = model.encode(counts).mean_direction.numpy() @ model.encode(held).mean_direction.numpy().T
    nearest = np.argsort(-cosines)[:, :2]
    # Texts without a known word are near to nothing.
    expected = np.array(EXAMPLES, object)[[0, 2, 3]][nearest[2]].astype("S").tolist()
    assert results[10]["neighbors"].tolist() == [[b"", b""], [b"", b""], expected]
    agree(results[10]["similarities"], np.take_along_axis(cosines, nearest, axis=1) * [[0], [0], [1]])
    assert results[10]["tokens"].tolist() == [0, 0, 3]


@pytest.mark.slow
def test_a_served_sentence_model_is_the_python_model(sentences, tmp_path):
    model, vectorizer = sentences
    path = serving.export(model, tmp_path / "1", vectorizer)
    rng = np.random.default_rng(0)
    batches = []
    for rows, length in ((1, 1), (257, 9), (2, 60)):
        tokens = rng.integers(2, 23, (rows, length)).astype(np.int32)
        tokens[:, -1] = 1
        batches.append(tokens)
    texts = np.array(["", "worda unheard wordb"])
    ids = np.array([[1, 0, 0, 0], [3, 2, 4, 1]], np.int32)
    z = np.eye(4, dtype=np.float32)[:3]
    drawing = {"max_length": I(12), "temperature": np.float32(0.8), "top_p": np.float32(0.9), "seed": I(4)}
    calls = [("encode", {"tokens": x}) for x in batches]
    calls += [("score", {"tokens": x, "num_samples": I(3), "seed": I(3)}) for x in batches]
    calls += [
        ("serving_default", {"texts": texts}),
        ("generate", {"z": z, "top_k": I(5), **drawing}),
        ("sample", {"n": I(6), "top_k": I(0), **drawing}),
        ("reconstruct_text", {"texts": texts, "max_length": I(7)}),
        ("interpolate", {"start": z[:1], "end": z[1:2], "num_points": I(3), "max_length": I(7)}),
    ]
    _, results = consume(path, calls, tmp_path)
    for x, encoded, scored in zip(batches, results[:3], results[3:6], strict=True):
        agree(encoded["mean_direction"], model.encode(x).mean_direction)
        agree(scored["elbo"], model.elbo(x, seed=3))
        agree(scored["log_likelihood"], model.log_likelihood(x, 3, seed=3))
    agree(results[6]["mean_direction"], model.encode(ids).mean_direction)
    options = {"max_length": 12, "seed": 4}
    agree(results[7]["tokens"], model.generate(z, RandomSampler(0.8, top_k=5, top_p=0.9), **options))
    agree(results[8]["tokens"], model.sample(6, sampler=RandomSampler(0.8, top_p=0.9), **options))
    tokens = model.generate(model.encode(ids).mean_direction, max_length=7).numpy()
    agree(results[9]["tokens"], tokens)
    words = [" ".join(vectorizer.vocabulary[i] for i in row if i > 1).encode() for row in tokens]
    assert results[9]["texts"].tolist() == words
    agree(results[10]["codes"][0], great_circle(z[0], z[1], 3))
    assert results[10]["texts"].shape == (1, 3)


def test_bad_requests_are_errors_that_say_why_and_the_model_goes_on(documents, exported, tmp_path):
    model, _ = documents
    z = np.eye(5, dtype=np.float32)[:1]
    counts = np.ones((1, 20), np.float32)
    calls = [
        ("decode", {"z": 2 * z}),
        ("decode", {"z": z * np.nan}),
        ("score", {"counts": counts, "num_samples": I(0), "seed": I(0)}),
        ("encode", {"counts": counts[:, :3]}),
        ("encode", {"counts": counts.astype(np.int64)}),
        ("interpolate", {"start": z, "end": -z, "num_points": I(3)}),
        ("topics", {"z": z, "num_words": I(0), "relevance_weight": np.float32(1)}),
        ("decode", {"z": z}),
    ]
    _, results = consume(exported, calls, tmp_path)
    expected = ["unit vectors", "finite", "num_samples must be >= 1", "", "", "opposite", "num_words must be >= 1"]
    for message, part in zip(results, expected, strict=False):
        assert isinstance(message, str)
        assert part in message
    agree(results[-1]["log_probs"], model.decode(z))


def test_examples_are_refused_where_nothing_could_be_near(documents):
    model, vectorizer = documents
    of_model = model_endpoints(model, vectorizer)
    with pytest.raises(
        ValueError, match=r"`examples` of export: expected texts with words of the model\. Received: 2 texts"
    ):
        nearest_text(of_model, ["", "nothing known"])
    with pytest.raises(ValueError, match="`examples` of export: expected none for this model"):
        nearest_text(model_endpoints(model), ["worda"])
    without_code = model_endpoints(LSTMVAE(23, None, embedding_dim=4, hidden_units=4))
    with pytest.raises(ValueError, match="a code that depends on the text alone"):
        nearest_text(without_code, ["worda"])


def test_every_kind_of_model_has_its_endpoints():
    gaussian = BagOfWordsVAE(6, GaussianLatent(3), encoder_units=(4,), decoder_units=())
    assert {"encode", "decode", "interpolate"} <= set(serving.endpoints(gaussian))
    plain = LSTMVAE(9, None, embedding_dim=3, hidden_units=4)
    assert set(serving.endpoints(plain)) == {"score", "sample"}
    conditional = LSTMVAE(9, GaussianLatent(3), embedding_dim=3, hidden_units=4, num_labels=2)
    labelled = serving.endpoints(conditional)["reconstruct"]
    out = labelled.call(tf.constant([[3, 1]]), tf.constant(5), tf.constant([1]))
    assert out["tokens"].shape[0] == 1


@pytest.mark.slow
def test_an_export_of_a_conditional_model_takes_labels_last_and_may_do_without_unknown_words(tmp_path):
    keras.utils.set_random_seed(0)
    model = LSTMVAE(9, GaussianLatent(3), embedding_dim=3, hidden_units=4, num_labels=2)
    model.output_bias.assign([0.0, 0, 9, 0, 0, 0, 0, 0, 0])  # says little but <unk>
    z = tf.random.stateless_normal((4, 3), (0, 1))
    labels = tf.constant([0, 1, 1, 0])
    served = tf.saved_model.load(str(serving.export(model, tmp_path / "1", allow_unknown=False))).signatures
    without = served["decode"](z=z, max_length=tf.constant(5), labels=labels)["tokens"].numpy()
    allowing = serving.endpoints(model)["decode"].call(z, tf.constant(5), labels)["tokens"].numpy()
    for tokens, allow in ((without, False), (allowing, True)):
        np.testing.assert_array_equal(tokens, model.generate(z, max_length=5, labels=labels, allow_unknown=allow))
        assert np.any(tokens == UNK_ID) == allow
    x = np.array([[3, 4, 1], [5, 1, 0]], np.int32)
    nll = served["score"](
        tokens=tf.constant(x), num_samples=tf.constant(1), seed=tf.constant(3), labels=tf.constant([1, 0])
    )["elbo"]
    agree(nll, model.elbo({"tokens": x, "labels": np.array([1, 0])}, seed=3))
    with pytest.raises(tf.errors.InvalidArgumentError, match="labels from 0 to 1"):
        served["decode"](z=z, max_length=tf.constant(5), labels=labels + 1)


def test_an_export_is_refused_where_it_would_be_wrong_or_overwrite(documents, tmp_path):
    model, _ = documents
    with pytest.raises(ValueError, match="20 words"):
        serving.export(model, tmp_path / "1", DocumentVectorization(WORDS[:5], tokenization="words"))
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileExistsError, match="does not exist"):
        serving.export(model, tmp_path)


def test_an_export_loads_as_the_model_it_was_made_of_with_a_card(documents, exported):
    path, (model, vectorizer) = exported, documents
    again, vectorizer_again = models.load(path)
    texts = tf.constant(["worda wordb wordb"])
    agree(again.encode(vectorizer_again(texts)).mean_direction, model.encode(vectorizer(texts)).mean_direction)
    card = (path / "MODEL_CARD.md").read_text()
    assert "VonMisesFisherLatent, 5 dimensions, learned concentration; higher is more certain" in card
    assert "| encode | counts: float32[None, 20] |" in card


@pytest.mark.slow
def test_saved_model_cli_runs_an_export(documents, tmp_path):
    model, vectorizer = documents
    path = serving.export(model, tmp_path / "1", vectorizer)
    command = [
        str(Path(sys.executable).parent / "saved_model_cli"),
        *("run", "--dir", str(path), "--tag_set", "serve", "--signature_def", "encode_text"),
        *("--input_exprs", 'texts=["worda wordb"]', "--outdir", str(tmp_path)),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    counts = np.zeros((1, 20), np.float32)
    counts[0, :2] = 1
    agree(np.load(tmp_path / "mean_direction.npy"), model.encode(counts).mean_direction)
