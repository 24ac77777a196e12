"""Word embeddings from elsewhere: of another trained model, or in the text format of word2vec and GloVe."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from tf_vmf._errors import ArgumentError, MissingPlaceError
from tf_vmf.models.load import load
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.text.vocabulary import require_gensim


def read_word_vectors(path: str | Path) -> Mapping[str, np.ndarray]:
    r"""The vector of every word, special tokens such as `<eos>` included where the source has them.

    ```python
    with open("vectors.txt", "w") as file:  # word2vec's format: counts; then a word and its numbers per line
        file.write("2 2\nmoon 0.1 0.2\nrocket 0.3 -0.4\n")
    vocabulary = ["<pad>", "<eos>", "<unk>", "moon", "rocket", "star"]
    latent = tf_vmf.layers.VonMisesFisherLatent(8, concentration=14.0)
    model = tf_vmf.models.LSTMVAE(len(vocabulary), latent, embedding_dim=2)
    model.set_embeddings(vocabulary, tf_vmf.models.read_word_vectors("vectors.txt"))
    ```

    Args:
        path: The folder of a finished run of `LSTMVAE` or its `.keras` file; or a text file, perhaps gzipped, with a word and its
            numbers a line, with word2vec's first line of two counts or, as GloVe, without. Words hold no spaces.

    Returns:
        A mapping from words to float32 vectors of one width.

    Raises:
        FileNotFoundError: There is nothing at the path.
        ModuleNotFoundError: gensim, which reads text files, is not installed.
        ValueError: The model has no word embeddings or no vocabulary, or the file is malformed.
    """
    path = Path(path)
    if path.is_dir() or path.suffix == ".keras":
        model, vectorizer = load(path)
        if not isinstance(model, LSTMVAE) or vectorizer is None:
            raise ArgumentError(
                "path",
                "a run of a sentence model with its vectorizer.json",
                f"{path}, which holds a {type(model).__name__} {('without' if vectorizer is None else 'with')} a vocabulary",
                owner="read_word_vectors",
            )
        vectors = keras.ops.convert_to_numpy(model.embedding.embeddings)
        return dict(zip(vectorizer.vocabulary, vectors, strict=True))
    if not path.is_file():
        raise MissingPlaceError(
            "a run of a sentence model, or a file of word vectors", path, name="path", owner="read_word_vectors"
        )
    gensim = require_gensim("gensim.models.keyedvectors", "the reader of word vectors")
    smart_open = require_gensim("gensim.utils", "the reader of word vectors").open
    with smart_open(str(path), "rb") as file:
        has_header = len(file.readline().split()) == 2
    try:
        found = gensim.KeyedVectors.load_word2vec_format(str(path), no_header=not has_header)
    except (ValueError, TypeError, EOFError) as error:  # TypeError: gensim on an empty file
        raise ValueError(
            f"{path} is not a text file of word vectors: expected a word and its numbers a line. gensim says: {error}"
        ) from error
    # Where a word comes twice gensim leaves places without a word at the end.
    return {word: vector for word, vector in zip(found.index_to_key, found.vectors, strict=True) if word is not None}
