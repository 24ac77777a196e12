"""Embeddings that start from elsewhere."""

import gzip

import keras
import numpy as np
import pytest

from tests.refusals import refused
from tf_vmf.files import write_json
from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.models import LSTMVAE, BagOfWordsVAE, read_word_vectors
from tf_vmf.text import SentenceVectorization

SPECIAL = ("<pad>", "<eos>", "<unk>")
VOCABULARY = (*SPECIAL, "the", "cat", "sat")
TEXT = "cat 1 2 3\nthe -4 0.5 1e-3\ncat 7 8 9\n"


def make_model(vocabulary=VOCABULARY, width=3):
    return LSTMVAE(len(vocabulary), VonMisesFisherLatent(3, seed=1), embedding_dim=width, hidden_units=4, seed=1)


# gensim forgets to close a file without header.
@pytest.mark.filterwarnings(r"ignore:.*vectors\.txt:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("header", ["", "3 3\n"], ids=["as GloVe", "as word2vec"])
@pytest.mark.parametrize("packed", [False, True])
def test_words_of_a_text_file_get_its_vectors_and_others_keep_their_start(header, packed, tmp_path):
    file = tmp_path / ("vectors.txt.gz" if packed else "vectors.txt")
    file.write_bytes(gzip.compress((header + TEXT).encode()) if packed else (header + TEXT).encode())
    model = make_model()
    before = keras.ops.convert_to_numpy(model.embedding.embeddings).copy()
    assert model.set_embeddings(VOCABULARY, read_word_vectors(file)) == 2
    expected = {**dict(enumerate(before)), 3: [-4, 0.5, 1e-3], 4: [1, 2, 3]}
    np.testing.assert_array_equal(model.embedding.embeddings, np.stack([expected[i] for i in range(6)]).astype("f"))


def test_words_of_a_run_are_found_by_name_whatever_its_vocabulary(tmp_path):
    other = (*SPECIAL, "sat", "mat", "the", "cat")
    source = make_model(other)
    source.save(tmp_path / "model.keras")
    vectorizer = SentenceVectorization(other, tokenization="whitespace")
    write_json(tmp_path / "vectorizer.json", keras.saving.serialize_keras_object(vectorizer))
    model = make_model()
    assert model.set_embeddings(VOCABULARY, read_word_vectors(tmp_path)) == 6
    rows = [other.index(word) for word in VOCABULARY]
    np.testing.assert_array_equal(
        model.embedding.embeddings, keras.ops.convert_to_numpy(source.embedding.embeddings)[rows]
    )


@pytest.mark.filterwarnings(r"ignore:.*empty\.txt:pytest.PytestUnraisableExceptionWarning")
def test_what_has_no_word_vectors_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a file of word vectors\. Received: .*missing\.txt"):
        read_word_vectors(tmp_path / "missing.txt")
    (tmp_path / "notes.txt").write_text("not a file of vectors\nat all\n")
    with pytest.raises(ValueError, match=r"notes\.txt is not a text file of word vectors"):
        read_word_vectors(tmp_path / "notes.txt")
    (tmp_path / "empty.txt").touch()
    with pytest.raises(ValueError, match=r"empty\.txt is not a text file of word vectors"):
        read_word_vectors(tmp_path / "empty.txt")
    BagOfWordsVAE(5, VonMisesFisherLatent(3)).save(tmp_path / "documents.keras")
    with pytest.raises(ValueError, match=r"expected a run of a sentence model.*BagOfWordsVAE"):
        read_word_vectors(tmp_path / "documents.keras")


@pytest.mark.parametrize(
    ("vocabulary", "vectors", "name", "received"),
    [
        (VOCABULARY[:-1], {"cat": [1, 2, 3]}, "vocabulary", "5"),
        (VOCABULARY, {"chat": [1, 2, 3]}, "vectors", "none of them, but of 'chat'"),
        (VOCABULARY, {}, "vectors", "none of them, but of no word"),
        (VOCABULARY, {"the": [1, 2, 3], "cat": [1, 2]}, "vectors", "shape (2,), 0 of them not finite, for 'cat'"),
        (VOCABULARY, {"cat": [1, 2, np.nan]}, "vectors", "1 of them not finite, for 'cat'"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(vocabulary, vectors, name, received):
    with refused(name, received):
        make_model().set_embeddings(vocabulary, vectors)
