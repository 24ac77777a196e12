"""Folders made of others: prepared corpora out of text, exports out of runs and topic models; and the service of an export."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from tf_vmf import data, models, serving
from tf_vmf._errors import ArgumentError
from tf_vmf.files import read_metrics
from tf_vmf.programs.configs import ExportConfig, PrepareConfig, ServeConfig
from tf_vmf.programs.topics import saved_topic_model
from tf_vmf.text.files import TextFiles
from tf_vmf.text.tables import Columns


def export_model(config: ExportConfig) -> Path:
    """Writes a SavedModel with named endpoints and a model card.

    Args:
        config: The model, the folder to make and the options.

    Returns:
        The folder.

    Raises:
        FileExistsError: There is something at the folder.
        FileNotFoundError: There is no model, or a file of examples is missing.
        ArgumentError: See `tf_vmf.serving.export`; or `allow_unknown` is given for a model that writes no sentences.
    """
    columns = Columns(config.text_column)
    examples = [text.text for text in TextFiles(list(config.examples), columns=columns)] if config.examples else None
    topics = saved_topic_model(config.model)
    model, vectorizer = models.load(config.model) if topics is None else (topics.model_, topics.vectorizer_)
    if not config.allow_unknown and not isinstance(model, models.LSTMVAE):
        raise ArgumentError("allow_unknown", "a model that writes sentences", type(model).__name__, "Leave it out.")
    if topics is not None:
        return topics.export(config.output, examples=examples)
    file = Path(config.model) / "metrics.json"
    return serving.export(
        model,
        config.output,
        vectorizer,
        metrics=read_metrics(file) if file.is_file() else None,
        allow_unknown=config.allow_unknown,
        examples=examples,
    )


def serve_export(
    config: ServeConfig, *, while_loading: Callable[[], AbstractContextManager[object]] = nullcontext
) -> None:
    """Serves an export over HTTP until the process is told to end.

    Args:
        config: The export, the address and the limits.
        while_loading: Makes a context in which the export is loaded.

    Raises:
        FileNotFoundError: There is no export at the folder.
        ModuleNotFoundError: FastAPI or Uvicorn is not installed.
        OSError: The address or port is not free.
    """
    limits = serving.Limits(
        body_bytes=config.max_body_bytes,
        examples=config.max_batch,
        predictions=config.max_predictions,
        seconds=config.max_seconds,
        connections=config.max_connections,
    )

    def load() -> serving.Served:
        with while_loading():
            return serving.Served(config.export_dir, limits)

    serving.serve(
        load, config.model_name, host=config.host, port=config.port, version_labels=config.version_labels, limits=limits
    )


def prepare_corpus(config: PrepareConfig) -> dict[str, Any]:
    """Writes text of any size to a folder, from which `corpus="prepared"` trains.

    Args:
        config: The text, its kind and the folder to make.

    Returns:
        The manifest of the folder.

    Raises:
        FileExistsError: There is something at the folder.
        FileNotFoundError: A file of text is missing.
        ArgumentError: An option does not fit the text.
    """
    prepare = data.prepare_documents if config.kind == "documents" else data.prepare_sentences
    return dict(prepare(config.output, **config.loader_arguments()))
