"""Vectors of texts beside their words: two planted topics that the words do not tell apart."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse
from sklearn.metrics import normalized_mutual_info_score

from tests.serving.running import running
from tests.topics.conftest import small
from tf_vmf import serving
from tf_vmf._errors import ArgumentError, MissingPlaceError
from tf_vmf.programs.configs import PredictConfig, TopicsConfig
from tf_vmf.topics import TopicModel
from tf_vmf.topics.inputs import checked_vectors, read_embeddings
from trainers import predict, topics

WORDS = ["orbit", "moon", "bread", "butter", "goal", "match", "people", "time"]
DIM = 6


def planted(num_texts=160, seed=0):
    """Texts of one distribution of words, and vectors around two opposite points, of any length."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=num_texts)
    texts = [" ".join(rng.choice(WORDS, 4)) for _ in range(num_texts)]
    vectors = (2.0 * labels[:, np.newaxis] - 1.0) * np.eye(DIM)[0] + 0.15 * rng.normal(size=(num_texts, DIM))
    return texts, vectors * rng.uniform(0.5, 20.0, size=(num_texts, 1)), labels


TEXTS, VECTORS, LABELS = planted()


def of_first_word(texts):
    """An encoder: texts that begin with a word of space, and all others, have opposite vectors."""
    return np.array([np.eye(DIM)[0] * (1 if text.split()[:1] in (["orbit"], ["moon"]) else -1) for text in texts])


@pytest.fixture(scope="module")
def model():
    return small(2, epochs=5).fit(TEXTS, embeddings=VECTORS)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("embeddings") / "export"
    model.export(path)
    return path


def refused(call):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert caught.value.name == "embeddings"
    return caught.value


def test_vectors_separate_topics_that_words_do_not(model):
    assert normalized_mutual_info_score(LABELS, model.labels_) > 0.95
    without = small(2, epochs=5).fit(TEXTS)
    assert normalized_mutual_info_score(LABELS, without.labels_) < 0.2
    texts, vectors, labels = planted(60, seed=1)
    assert normalized_mutual_info_score(labels, model.transform(texts, embeddings=vectors).argmax(axis=1)) > 0.95


def test_only_the_directions_of_vectors_count(model):
    scaled = VECTORS * np.where(np.arange(len(VECTORS)) % 2, 1e-30, 1e150)[:, np.newaxis]
    expected = model.transform(TEXTS, embeddings=VECTORS)
    np.testing.assert_allclose(model.transform(TEXTS, embeddings=scaled), expected, rtol=1e-5)
    np.testing.assert_allclose(model.transform(TEXTS, embeddings=VECTORS.tolist()), expected)
    np.testing.assert_allclose(small(2, epochs=5).fit_transform(TEXTS, embeddings=scaled), expected, rtol=1e-4)


def test_a_text_without_a_known_word_has_the_topic_of_its_vector():
    fitted = small(2, epochs=5).fit(["", *TEXTS, "unheard"], embeddings=[VECTORS[0], *VECTORS, -VECTORS[0]])
    assert fitted.labels_[0] == fitted.labels_[1]
    assert fitted.labels_[-1] == 1 - fitted.labels_[0]
    assert not fitted.embed([""]).any()
    pytest.importorskip("pandas")
    info = fitted.document_info(["", "unheard"], embeddings=[VECTORS[0], -VECTORS[0]])
    assert info["topic"].tolist() == [fitted.labels_[0], fitted.labels_[-1]]
    assert info["topic_label"].tolist() == [fitted.topic_labels()[k] for k in info["topic"]]
    assert info["known_tokens"].tolist() == [0, 0]
    assert info["probability"].min() > 0.5
    assert fitted.topic_info()["size"].sum() == len(TEXTS) + 2
    assert fitted.topics_per_class(["a"] * (len(TEXTS) + 2))["documents"].sum() == pytest.approx(len(TEXTS) + 2)


def test_a_function_is_called_for_the_training_texts_and_for_new_ones(model):
    seen = []

    def encoder(texts):
        seen.append(list(texts))
        return of_first_word(texts)

    fitted = small(2, epochs=5).fit(np.array(TEXTS), embeddings=encoder)
    assert seen == [TEXTS]
    assert normalized_mutual_info_score(of_first_word(TEXTS)[:, 0], fitted.labels_) > 0.95
    found = fitted.transform(["orbit people", "people orbit"])
    assert seen[1:] == [["orbit people", "people orbit"]]
    assert found[0].argmax() != found[1].argmax()
    assert fitted.transform([]).shape == (0, 2)
    assert refused(lambda: fitted.transform(fitted.vectorizer_(TEXTS[:2]).numpy())).received == "a function"
    assert "(3, 6)" in refused(lambda: fitted.transform(TEXTS[:2], embeddings=lambda _: VECTORS[:3])).received


def test_saved_and_loaded_models_agree_and_ask_for_vectors(model, tmp_path):
    pandas = pytest.importorskip("pandas")
    fitted = small(2, epochs=5).fit(TEXTS, embeddings=of_first_word)
    fitted.save(tmp_path / "model")
    loaded = TopicModel.load(tmp_path / "model")
    given = of_first_word(TEXTS)
    np.testing.assert_array_equal(loaded.transform(TEXTS, embeddings=given), fitted.transform(TEXTS))
    np.testing.assert_array_equal(loaded.labels_, fitted.labels_)
    np.testing.assert_array_equal(loaded.outliers(), fitted.outliers())
    assert loaded.topics(8) == fitted.topics(8)
    assert "None" in refused(lambda: loaded.transform(TEXTS)).received
    loaded.merge_topics([[0, 1]])
    np.testing.assert_allclose(loaded.transform(TEXTS, embeddings=given), 1.0)
    words = loaded.topic_words("orbit moon", embeddings=given[:1])
    assert isinstance(words, pandas.DataFrame)
    assert words["word"].tolist() == ["orbit", "moon"]


def test_the_export_takes_vectors_and_computes_what_transform_computes(model, exported):
    served = tf.saved_model.load(str(exported)).signatures["topics_text"]
    texts, vectors, _ = planted(12, seed=2)
    texts[3:5] = ["", "unheard"]
    vectors = vectors.astype(np.float32) * 1e-9
    found = served(texts=tf.constant(texts), embeddings=tf.constant(vectors))
    expected = model.transform(texts, embeddings=vectors)
    np.testing.assert_allclose(found["proportions"], expected, atol=1e-5)
    np.testing.assert_array_equal(found["topic"], expected.argmax(axis=1))
    assert [label.decode() for label in found["label"].numpy()] == [
        model.topic_labels()[k] for k in expected.argmax(axis=1)
    ]
    np.testing.assert_array_equal(found["tokens"], model.known_tokens(texts))
    vectors[2] = 0
    for wrong, rows in ((vectors, 12), (vectors[:1], 12)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="embeddings must"):
            served(texts=tf.constant(texts[:rows]), embeddings=tf.constant(wrong))


def test_the_service_takes_vectors_by_columns_and_by_rows_and_names_what_is_wrong_with_them(model, exported):
    pytest.importorskip("fastapi")
    httpx = pytest.importorskip("httpx")
    texts, vectors, _ = planted(6, seed=3)
    texts[2] = "unheard"
    expected = model.transform(texts, embeddings=vectors)
    with running(serving.make_app(serving.Served(exported))) as url:

        def ask(**request):
            return httpx.post(f"{url}/v1/models/model:predict", json={"signature_name": "topics_text", **request})

        by_columns = ask(inputs={"texts": texts, "embeddings": vectors.tolist()}).json()["outputs"]
        rows = [{"texts": text, "embeddings": row.tolist()} for text, row in zip(texts, vectors, strict=True)]
        by_rows = ask(instances=rows).json()["predictions"]
        for found in (by_columns["proportions"], [each["proportions"] for each in by_rows]):
            np.testing.assert_allclose(found, expected, atol=1e-5)
        assert by_columns["topic"] == [each["topic"] for each in by_rows] == expected.argmax(axis=1).tolist()
        for wrong, part in (
            (vectors[:, :4], f"[-1, {DIM}]"),
            (vectors[:5], "a row per text. Received: 5 rows and 6 texts"),
            (0 * vectors, "no row all zeros"),
        ):
            answer = ask(inputs={"texts": texts, "embeddings": wrong.tolist()})
            assert (answer.status_code, "embeddings" in answer.text, part in answer.text) == (400, True, True), (
                answer.text
            )
        assert "embeddings" in ask(inputs={"texts": texts}).text


def test_vectors_that_do_not_fit_are_refused_by_name_and_row(model):
    assert "(159, 6)" in refused(lambda: small(2).fit(TEXTS, embeddings=VECTORS[1:])).received
    broken = VECTORS.copy()
    broken[[3, 7], 2] = np.nan, np.inf
    assert "2 rows: 3, 7" in refused(lambda: small(2).fit(TEXTS, embeddings=broken)).received
    broken = VECTORS.copy()
    broken[5] = 0
    assert "row 5" in refused(lambda: small(2).fit(TEXTS, embeddings=broken)).received
    assert "one direction" in refused(lambda: small(2).fit(TEXTS, embeddings=np.ones((len(TEXTS), 3)))).received
    assert model.transform(TEXTS[:2], embeddings=VECTORS[[0, 0]]).shape == (2, 2)
    error = refused(lambda: model.transform(TEXTS, embeddings=VECTORS[:, :4]))
    assert ("6" in error.expected, error.received) == (True, "4")
    assert refused(lambda: model.transform(TEXTS)).received == "None"
    assert refused(lambda: small(2, epochs=1).fit(TEXTS).transform(TEXTS, embeddings=VECTORS)).received == "ndarray"
    for wrong in (VECTORS[:, 0], VECTORS[:, :1], VECTORS.astype(str), sparse.csr_matrix(VECTORS), [[1.0], [1.0, 2.0]]):
        refused(lambda wrong=wrong: checked_vectors(wrong, len(TEXTS)))
    assert checked_vectors(np.array([[3, 4]]), 1).tolist() == [[np.float32(0.6), np.float32(0.8)]]


def test_outliers_are_far_from_all_topics_by_their_vectors(model):
    texts, vectors, _ = planted(40, seed=3)
    vectors[:4] = np.eye(DIM)[2]
    found = model.outliers(texts, embeddings=vectors)
    assert found[:4].all()
    assert found[4:].mean() < 0.1
    assert model.outliers(["unheard"], embeddings=VECTORS[:1]).tolist() == [False]
    assert model.outliers(share=0.1).mean() == pytest.approx(0.1, abs=1 / len(TEXTS))


def test_the_number_of_topics_is_that_of_the_clusters_of_codes_and_vectors():
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=len(TEXTS))
    vectors = np.eye(DIM)[labels] + 0.05 * rng.normal(size=(len(TEXTS), DIM))
    fitted = small(None, epochs=5).fit(TEXTS, embeddings=vectors)
    assert fitted.num_topics_ == 4
    assert normalized_mutual_info_score(labels, fitted.labels_) > 0.95


@pytest.mark.slow
def test_the_page_shows_texts_that_only_vectors_place(tmp_path):
    for module in ("pandas", "gensim", "jinja2", "matplotlib"):
        pytest.importorskip(module)
    from tf_vmf.topics.report import topic_view

    fitted = small(2, epochs=5).fit(["", *TEXTS], embeddings=[VECTORS[0], *VECTORS])
    view = topic_view(fitted)
    assert view.num_unknown == 0
    assert sum(topic.size for topic in view.topics) == len(TEXTS) + 1
    assert np.isfinite(view.texts.points).all()
    fitted.report(tmp_path / "report.html")


def test_programs_read_vectors_from_a_file(tmp_path):
    for module in ("pandas", "gensim", "jinja2", "matplotlib"):
        pytest.importorskip(module)
    texts, vectors, labels = planted(100)
    texts[0] = "unheard"
    (tmp_path / "texts.csv").write_text("\n".join(["body", *texts]) + "\n")
    np.save(tmp_path / "vectors.npy", vectors)
    np.save(tmp_path / "few.npy", vectors[:99])
    config = TopicsConfig(
        train_files=(str(tmp_path / "texts.csv"),), text_column="body", num_topics=2, stop_words="none", latent_dim=5,
        epochs=5, embeddings=str(tmp_path / "vectors.npy"), output=str(tmp_path / "out"),
    )  # fmt: skip
    assert (
        "(99, 6)"
        in refused(
            lambda: topics.main(replace(config, embeddings=str(tmp_path / "few.npy"), output=str(tmp_path / "other")))
        ).received
    )
    topics.main(config)
    with (tmp_path / "out" / "documents.csv").open(newline="") as file:
        trained = [int(row["topic"]) for row in csv.DictReader(file)]
    assert normalized_mutual_info_score(labels, trained) > 0.9
    assert trained[0] >= 0
    options = {"model": str(tmp_path / "out"), "input": (str(tmp_path / "texts.csv"),), "text_column": "body"}
    options["output"] = str(tmp_path / "answers.csv")
    predict.main(PredictConfig(**options, embeddings=str(tmp_path / "vectors.npy")))
    with (tmp_path / "answers.csv").open(newline="") as file:
        assert [int(row["topic"]) for row in csv.DictReader(file)] == trained
    np.save(tmp_path / "many.npy", np.concatenate([vectors, vectors]))
    assert refused(lambda: predict.main(PredictConfig(**options))).received == "None"
    for name, number in (("few", 99), ("many", 200)):
        call = lambda name=name: predict.main(PredictConfig(**options, embeddings=str(tmp_path / f"{name}.npy")))  # noqa: E731
        assert f"{number} vectors" in refused(call).received


def test_files_of_vectors_are_checked(tmp_path):
    with pytest.raises(MissingPlaceError):
        read_embeddings(tmp_path / "none.npy")
    (tmp_path / "text.npy").write_text("1 2 3")
    np.savez(tmp_path / "several.npz", a=VECTORS, b=VECTORS)
    for name in ("text.npy", "several.npz"):
        assert name in refused(lambda name=name: read_embeddings(tmp_path / name)).received
