"""Topic models in files: saving, loading and exporting."""

from __future__ import annotations

import json
import numbers
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from sklearn.utils.validation import check_is_fitted

from tf_vmf._errors import MissingPlaceError
from tf_vmf.files import new_folder, read_json
from tf_vmf.models import load as load_model
from tf_vmf.models.load import MODEL_FILE, VECTORIZER_FILE
from tf_vmf.topics.fitted import read_topics, write_topics
from tf_vmf.topics.word_methods import WordMethods

_SETTINGS_FILE, _TOPICS_FILE = "topic_model.json", "topics.npz"
_FORMAT = 1


class FileMethods(WordMethods):
    """The methods of `TopicModel` that read and write files."""

    def save(self, path: str | Path) -> None:
        """Writes the fitted model to a new folder, which `load` reads.

        The folder holds the training documents as counts and the first 300 characters of the training texts.

        Raises:
            FileExistsError: There is something at the path.
        """
        check_is_fitted(self, "model_")
        with new_folder(path) as folder:
            self.model_.save(folder / MODEL_FILE)
            if self.vectorizer_ is not None:
                text = json.dumps(keras.saving.serialize_keras_object(self.vectorizer_))
                (folder / VECTORIZER_FILE).write_text(text, encoding="utf-8")
            write_topics(self._topics, folder / _TOPICS_FILE)
            (folder / _SETTINGS_FILE).write_text(json.dumps(self._description()), encoding="utf-8")

    def _description(self) -> dict[str, Any]:
        parameters = self.get_params(deep=False)
        parameters.pop("vocabulary")
        if not isinstance(self.random_state, numbers.Integral):
            parameters["random_state"] = None
        return {
            "format": _FORMAT,
            "parameters": json.loads(json.dumps(parameters, default=_plain)),
            "fixed_vocabulary": self.vocabulary is not None,
            "vocabulary": list(self.vocabulary_),
            "labels": {str(topic): label for topic, label in self._labels.items()},
            "silhouettes": None
            if self.silhouettes_ is None
            else {str(number): value for number, value in self.silhouettes_.items()},
            "texts": self._texts,
        }

    @staticmethod
    def is_saved(path: str | Path) -> bool:
        """Whether a folder was written by `save`."""
        return (Path(path) / _SETTINGS_FILE).is_file()

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a folder that `save` has written.

        Raises:
            FileNotFoundError: There is no topic model at the path.
            ValueError: A file is damaged.
        """
        folder = Path(path)
        if not cls.is_saved(folder):
            raise MissingPlaceError("the folder of a saved TopicModel", folder, f"where there is no {_SETTINGS_FILE}")
        description = read_json(folder / _SETTINGS_FILE, "Restore it from a copy, or fit the model again.")
        if description.get("format") != _FORMAT:
            raise ValueError(
                f"{folder / _SETTINGS_FILE}: expected format {_FORMAT}. Received: {description.get('format')!r}."
            )
        parameters = description["parameters"]
        parameters["ngram_range"] = tuple(parameters["ngram_range"])
        vocabulary = tuple(description["vocabulary"])
        result = cls(vocabulary=vocabulary if description["fixed_vocabulary"] else None, **parameters)
        result.vocabulary_ = vocabulary
        result.model_, result.vectorizer_ = load_model(folder)
        result.silhouettes_ = None
        if description["silhouettes"] is not None:
            result.silhouettes_ = {int(number): value for number, value in description["silhouettes"].items()}
        result._labels = {int(topic): label for topic, label in description["labels"].items()}
        result._texts = description["texts"]
        result._set_topics(read_topics(folder / _TOPICS_FILE))
        return result

    def export(self, path: str | Path, *, examples: Sequence[str] | None = None) -> Path:
        """Writes a SavedModel that needs neither this package nor scikit-learn.

        Beside the endpoints of `tf_vmf.serving.export` it has `topics_text`: `texts` -> `proportions` (n, num_topics), `topic`,
        `label` and `tokens` (how many words of the text are known), and `topic_labels`: `first`, `number` -> `labels`.

        Args:
            path: The folder to make.
            examples: Texts for the endpoint `nearest_text` of `tf_vmf.serving.export`, which the folder then holds.

        Raises:
            FileExistsError: There is something at the path.
            ValueError: The model was fitted on counts.
        """
        from tf_vmf.topics.serving import export_topics

        check_is_fitted(self, "model_")
        if self.vectorizer_ is None:
            raise ValueError("Only a model that was fitted on texts can be exported. This one was fitted on counts.")
        return export_topics(self.model_, self.vectorizer_, self._topics, self.topic_labels(), path, examples)


def _plain(value: Any) -> Any:
    """What JSON can hold instead of a numpy number, a path or a collection."""
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, Sequence | set | frozenset | np.ndarray) else str(value)
