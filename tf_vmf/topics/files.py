"""Topic models in files."""

from __future__ import annotations

import json
import numbers
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError, MissingPlaceError
from tf_vmf.files import new_folder, read_json, sha256_of_file
from tf_vmf.models import load as load_model
from tf_vmf.models.load import MODEL_FILE, VECTORIZER_FILE, write_vectorizer
from tf_vmf.topics.fitted import read_topics, write_topics

_SETTINGS_FILE, _TOPICS_FILE = "topic_model.json", "topics.npz"
_REMEDY = "Restore it from a copy, or fit the model again."
_NEEDED = ("parameters", "vocabulary", "fixed_vocabulary", "silhouettes", "labels", "texts")
_FORMAT = 3  # 1: without words of the mixture and concentrations of codes; 2: without labels and sums of the mixture


def save(model: Any, path: str | Path) -> None:
    """Writes a fitted model to a new folder; see `TopicModel.save`."""
    with new_folder(path) as folder:
        model.model_.save(folder / MODEL_FILE)
        if model.vectorizer_ is not None:
            write_vectorizer(folder / VECTORIZER_FILE, model.vectorizer_)
        write_topics(model._topics, folder / _TOPICS_FILE)
        hashes = {path.name: sha256_of_file(path) for path in sorted(folder.iterdir())}
        (folder / _SETTINGS_FILE).write_text(json.dumps({**_description(model), "sha256": hashes}), encoding="utf-8")


def is_saved(path: str | Path) -> bool:
    """Whether a folder was written by `save`."""
    return (Path(path) / _SETTINGS_FILE).is_file()


def load(kind: Any, path: str | Path) -> Any:
    """Reads a folder that `save` has written; see `TopicModel.load`."""
    folder = Path(path)
    if not is_saved(folder):
        raise MissingPlaceError("the folder of a saved TopicModel", folder, f"where there is no {_SETTINGS_FILE}")
    description = read_json(folder / _SETTINGS_FILE, _REMEDY)
    if description.get("format") != _FORMAT:
        received = f"{folder / _SETTINGS_FILE} with format {description.get('format')!r}"
        raise ArgumentError("path", f"a topic model with format {_FORMAT}", received)
    for name, expected in description.get("sha256", {}).items():  # which files of 0.2 do not have
        if not (folder / name).is_file() or sha256_of_file(folder / name) != expected:
            raise ValueError(f"{folder / name} is not the file that was saved with {_SETTINGS_FILE}. {_REMEDY}")
    if lacking := [name for name in _NEEDED if name not in description]:
        raise ValueError(f"{folder / _SETTINGS_FILE} is damaged: it lacks {', '.join(lacking)}. {_REMEDY}")
    parameters = description["parameters"]
    parameters["ngram_range"] = tuple(parameters["ngram_range"])
    vocabulary = tuple(description["vocabulary"])
    if name := description.get("tokenizer"):
        warnings.warn(
            f"The topic model in {folder} was fitted with tokenizer={name}, which a file does not hold. Give new texts with their "
            "words separated by spaces, or call set_params(tokenizer=...) first.",
            stacklevel=3,
        )
    model = kind(vocabulary=vocabulary if description["fixed_vocabulary"] else None, **parameters)
    model.vocabulary_ = vocabulary
    model.model_, model.vectorizer_ = load_model(folder)
    if model.vectorizer_ is not None and model.vectorizer_.vocabulary != vocabulary:
        raise ValueError(
            f"{folder / _SETTINGS_FILE} has other words than {VECTORIZER_FILE}, or another order. {_REMEDY}"
        )
    silhouettes = description["silhouettes"]
    model.silhouettes_ = silhouettes and {int(number): value for number, value in silhouettes.items()}
    model._labels = {int(topic): label for topic, label in description["labels"].items()}
    model.hidden_topics_ = tuple(description.get("hidden", ()))
    model._encoder = None
    model._texts = description["texts"]
    model._set_topics(read_topics(folder / _TOPICS_FILE))
    return model


def _description(model: Any) -> dict[str, Any]:
    parameters = model.get_params(deep=False)
    parameters.pop("vocabulary")
    if (tokenizer := parameters.pop("tokenizer")) is not None:
        parameters["tokenization"] = "whitespace"
    if not isinstance(model.random_state, numbers.Integral):
        parameters["random_state"] = None
    silhouettes = model.silhouettes_
    return {
        "format": _FORMAT,
        "tokenizer": None if tokenizer is None else getattr(tokenizer, "__qualname__", type(tokenizer).__name__),
        "parameters": json.loads(json.dumps(parameters, default=_plain)),
        "fixed_vocabulary": model.vocabulary is not None,
        "vocabulary": list(model.vocabulary_),
        "labels": {str(topic): label for topic, label in model._labels.items()},
        "hidden": list(model.hidden_topics_),
        "silhouettes": silhouettes and {str(number): value for number, value in silhouettes.items()},
        "texts": model._texts,
    }


def _plain(value: Any) -> Any:
    """What JSON can hold instead of a numpy number, a path or a collection."""
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, Sequence | set | frozenset | np.ndarray) else str(value)
