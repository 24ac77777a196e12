"""A trained model and what turns text into its input, from wherever they were kept."""

import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import keras

from tf_vmf._errors import MissingPlaceError
from tf_vmf.files import write_json
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder
from tf_vmf.models.word_model import hash_of_vocabulary
from tf_vmf.text.vectorization import DocumentVectorization, SentenceVectorization

Vectorizer = DocumentVectorization | SentenceVectorization

MODEL_FILE, VECTORIZER_FILE = "model.keras", "vectorizer.json"
EXPORT_FOLDER = "assets.extra"  # where a SavedModel keeps what is not its own


class LoadedModel(NamedTuple):
    """The result of `load`.

    Attributes:
        model: The model, compiled as it was saved.
        vectorizer: The layer from strings (batch,) to the model's input, or None where none was kept.
    """

    model: VariationalAutoencoder
    vectorizer: Vectorizer | None


def load(path: str | Path) -> LoadedModel:
    """Loads a model with its vectorizer.

    ```python
    texts = ["A rocket flew to the moon.", "Bread with butter."] * 50
    tf_vmf.TopicModel(num_topics=2, min_df=1, epochs=1).fit(texts).export("exports/1")
    model, vectorizer = tf_vmf.models.load("exports/1")  # or the folder of a run
    model.encode(vectorizer(tf.constant(["The orbit of the moon"]))).mean_direction
    ```

    No file can run code of its own: Keras's `safe_mode` is on, and only classes of Keras and of this package are made.

    Args:
        path: The folder of a finished run, a `.keras` file (with its `vectorizer.json` beside it, if there is one), or the folder
            of an export.

    Raises:
        FileNotFoundError: There is no model at the path.
        ValueError: The file is damaged, holds no model of this package, or the vectorizer beside it is that of another one.
    """
    path = Path(path)
    candidates = [path] if path.suffix == ".keras" else [path / MODEL_FILE, path / EXPORT_FOLDER / MODEL_FILE]
    found = [candidate for candidate in candidates if candidate.is_file()]
    if not found:
        raise MissingPlaceError(
            "the folder of a finished run, a .keras file or the folder of an export",
            path,
            f"where there is no {' nor '.join(str(candidate) for candidate in candidates)}",
            name="path",
            owner="load",
        )
    try:
        model = keras.saving.load_model(found[0], safe_mode=True)
    except (zipfile.BadZipFile, KeyError, OSError, TypeError, ValueError) as error:
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"{found[0]} cannot be loaded: it is damaged, or not a model of this package. Keras says: {first_line[:300]}"
        ) from error
    if not isinstance(model, VariationalAutoencoder):
        raise ValueError(
            f"{found[0]} holds a {type(model).__name__}. Expected a model of tf_vmf.models; use keras.saving.load_model."
        )
    file = found[0].parent / VECTORIZER_FILE
    vectorizer = read_vectorizer(file) if file.is_file() else None
    recorded = getattr(model, "vocabulary_hash", None)
    if vectorizer is not None and recorded is not None and hash_of_vocabulary(vectorizer.vocabulary) != recorded:
        raise ValueError(
            f"{file} holds other words than {found[0]} was made for, or holds them in another order: it belongs to another model. "
            "Bring back the file that was written with the model."
        )
    return LoadedModel(model, vectorizer)


def read_vectorizer(file: str | Path) -> Vectorizer:
    """Reads the `vectorizer.json` of a run.

    Raises:
        ValueError: The file does not describe a vectorizer.
    """
    try:
        description = json.loads(Path(file).read_text(encoding="utf-8"))
        kinds = {f"tf_vmf>{kind.__name__}": kind for kind in (DocumentVectorization, SentenceVectorization)}
        return kinds[description["registered_name"]].from_config(description["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file} does not describe a vectorizer of this package: {error!r}.") from error


def write_vectorizer(file: str | Path, vectorizer: Vectorizer) -> None:
    """Writes the `vectorizer.json` beside a model."""
    write_json(file, keras.saving.serialize_keras_object(vectorizer))
