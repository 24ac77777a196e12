"""A run of a topic model: from files of text to tables, a report and a saved model."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf._optional import optional
from tf_vmf.data.corpora.wikipedia import read_wikipedia
from tf_vmf.files import new_folder
from tf_vmf.programs.configs import TopicsConfig
from tf_vmf.programs.tables import CodeFiles, OwnColumns, folder_of_codes, label_and_topic, topic_cells
from tf_vmf.text.files import Text, TextFiles
from tf_vmf.text.tables import Columns
from tf_vmf.topics import TopicModel
from tf_vmf.topics.groups import periods, read_times
from tf_vmf.topics.guidance import read_seed_words
from tf_vmf.topics.vectors import read_embeddings

MODEL_FOLDER = "model"
_ADDED = ("topic", "topic_label", "probability", "known_tokens")


def find_topics(config: TopicsConfig, *, verbose: bool = True) -> TopicModel:
    """Fits a topic model to files of text and writes its folder.

    The folder holds `topics.csv` (topic, label, size, share, c_npmi, words), `documents.csv` (the columns of the input, then topic,
    topic_label, probability, known_tokens), `report.html`, `findings.json` and `model/`, which `tf_vmf.TopicModel.load` and
    `trainers.predict` read; with labels `topics_per_class.csv`, with dates `topics_over_time.csv`. `export_codes` names another
    folder, for the files of `tf_vmf.programs.tables.CodeFiles`.

    Args:
        config: The texts and the options.
        verbose: Whether to show the progress.

    Returns:
        The fitted model.

    Raises:
        FileExistsError: There is something at the folder, or at that of the codes.
        FileNotFoundError: A file of text, or that of the embeddings, is missing.
        ModuleNotFoundError: pandas, gensim, jinja2 or matplotlib is not installed.
        ValueError: There are too few texts, or not as many as embeddings.
    """
    with optional("topics", "Topics"):
        import gensim  # noqa: F401
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
        import pandas  # noqa: F401
    say = _printed if verbose else _silent
    with new_folder(config.output) as folder, folder_of_codes(config.export_codes) as codes_folder:
        seed_words = None if config.seed_words is None else read_seed_words(config.seed_words)
        texts = _texts(config)
        embeddings = None if config.embeddings is None else read_embeddings(config.embeddings)
        own = OwnColumns(texts, _ADDED)
        times = _times(config, texts)
        model = TopicModel(
            None if config.num_topics == "none" else int(config.num_topics),
            vocabulary_size=config.vocabulary_size,
            tokenization=config.tokenization,
            stop_words=config.stop_words,
            min_df=config.min_df,
            max_df=config.max_df,
            ngram_range=(config.ngram_range[0], config.ngram_range[1]),
            latent_dim=config.latent_dim,
            epochs=config.epochs,
            seed_words=seed_words,
            relevance_weight=config.relevance_weight,
            random_state=config.seed,
            verbose=2 if verbose else 0,
        ).fit([text.text for text in texts], embeddings=embeddings)
        if config.edits is not None:
            model.apply_edits(config.edits)
        _write(model, texts, own, embeddings, times, config, folder, say)
        if codes_folder is not None:
            say("codes in the plane")
            _export_codes(model, texts, embeddings, codes_folder, config.seed)
    return model


def _texts(config: TopicsConfig) -> list[Text]:
    if config.corpus is not None:
        return list(read_wikipedia())
    columns = Columns(config.text_column, config.label_column, config.delimiter)
    return list(TextFiles(list(config.train_files), whole_files=True, columns=columns))


def _times(config: TopicsConfig, texts: Sequence[Text]) -> list[Any] | None:
    """The dates of the texts, None for blank ones; refuses what is no date before anything is trained."""
    if config.date_column is None:
        return None
    name = str(config.date_column)
    for text in texts:
        if text.cells and name not in text.cells:
            raise ArgumentError("date_column", f"one of {', '.join(text.cells)}", repr(config.date_column))
    times = [(text.cells or {}).get(name) or None for text in texts]
    try:
        read = read_times(times, len(times), config.datetime_format)
        periods(read, config.freq, None)
    except ArgumentError as error:
        name = error.name if error.name == "freq" else "date_column"
        raise ArgumentError(name, error.expected, f"{error.received} ({error.name})", error.remedy) from None
    return periods(read, None, None)


def _title(config: TopicsConfig) -> str:
    """The names of the files of texts, the heading of the report."""
    if config.corpus is not None:
        return config.corpus.capitalize()
    names = [Path(file.split("=", 1)[-1]).name for file in config.train_files]
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def _write(
    model: TopicModel,
    texts: list[Text],
    own: OwnColumns,
    embeddings: np.ndarray | None,
    times: list[Any] | None,
    config: TopicsConfig,
    folder: Path,
    say: Callable[[str], None],
) -> None:
    labels = [text.label for text in texts]
    say("coherence of the topics")
    topics = model.topic_info()
    findings = {
        "findings": "Topics",
        "texts": len(texts),
        "texts_without_topic": int((model.labels_ < 0).sum()),
        "topics": topics.astype(object).where(topics.notna(), None).to_dict("records"),
    }
    text = json.dumps(findings, ensure_ascii=False, allow_nan=False, default=lambda value: value.item())
    (folder / "findings.json").write_text(text, encoding="utf-8")
    topics["words"] = topics["words"].str.join(" ")
    topics[["topic", "label", "size", "share", "c_npmi", "words"]].to_csv(folder / "topics.csv", index=False)
    _write_documents(model, texts, own, embeddings, folder / "documents.csv")
    if any(label is not None for label in labels):
        model.topics_per_class(labels).to_csv(folder / "topics_per_class.csv", index=False)
    if times is not None:
        found = model.topics_over_time(times, freq=config.freq)
        found["words"] = found["words"].str.join(" ")
        found.to_csv(folder / "topics_over_time.csv", index=False)
    say("map and report")
    strings, used = [text.text for text in texts], (config.text_column, config.label_column, config.date_column)
    shown = own.columns(texts, without={"row", "text", "label", *map(str, used)})
    titles = shown.pop("title", None)
    model.report(
        folder / "report.html",
        labels,
        times=times,
        titles=titles,
        columns=shown or None,
        texts=strings,
        title=_title(config),
    )
    model.save(folder / MODEL_FOLDER)


def _write_documents(
    model: TopicModel, texts: list[Text], own: OwnColumns, embeddings: np.ndarray | None, path: Path
) -> None:
    strings, names = [text.text for text in texts], model.topic_labels()
    proportions, known = model.transform(strings, embeddings=embeddings), model.known_tokens(strings).tolist()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*own.names, *_ADDED])
        for row, text in enumerate(texts):
            placed = known[row] > 0 or embeddings is not None
            about = label_and_topic(text.label, proportions[row], names, placed)
            writer.writerow([*own.cells(row, text), *topic_cells(about), known[row]])


def _export_codes(model: TopicModel, texts: list[Text], embeddings: np.ndarray | None, folder: Path, seed: int) -> None:
    strings = [text.text for text in texts]
    files, proportions, names = CodeFiles(), model.transform(strings, embeddings=embeddings), model.topic_labels()
    for row, (text, code, known) in enumerate(
        zip(texts, model.embed(strings), model.known_tokens(strings).tolist(), strict=True)
    ):
        about = label_and_topic(text.label, proportions[row], names, known > 0)
        files.add(code, row, known, text.text, **about)
    files.write(folder, spherical=True, seed=seed)


def _printed(line: str) -> None:
    print(line, flush=True)


def _silent(line: str) -> None:
    pass


def saved_topic_model(path: str | Path) -> TopicModel | None:
    """The topic model that `trainers.topics` or `TopicModel.save` wrote to a folder; None of any other model."""
    folders = (Path(path), Path(path) / MODEL_FOLDER)
    return next((TopicModel.load(folder) for folder in folders if TopicModel.is_saved(folder)), None)
