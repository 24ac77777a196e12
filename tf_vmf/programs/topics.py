"""A run of a topic model: from files of text to tables, a report and a saved model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf._optional import optional
from tf_vmf.data import BagOfWordsCorpus, load_bag_of_words
from tf_vmf.data.arrays import blocks
from tf_vmf.data.corpora import read_wikipedia
from tf_vmf.files import csv_writer, new_folder
from tf_vmf.programs.configs import TopicsConfig
from tf_vmf.programs.tables import CodeFiles, OwnColumns, folder_of_codes, label_and_topic, topic_cells
from tf_vmf.text.files import Text, TextFiles
from tf_vmf.text.tables import Columns
from tf_vmf.topics import TopicModel
from tf_vmf.topics.groups import periods, read_times
from tf_vmf.topics.guidance import read_seed_words
from tf_vmf.topics.inputs import read_embeddings

MODEL_FOLDER = "model"
MOST_ON_PAGE = 100_000  # texts that the page shows; a browser takes long to load more
_BLOCK = 10_000  # texts whose rows are written at once
_CSV: dict[str, Any] = {"index": False, "float_format": "%.6g"}
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
    say: Callable[[str], None] = partial(print, flush=True) if verbose else lambda line: None
    with new_folder(config.output) as folder, folder_of_codes(config.export_codes) as codes_folder:
        seed_words = None if config.seed_words is None else read_seed_words(config.seed_words)
        texts, documents, corpus = _texts(config)
        embeddings = None if config.embeddings is None else read_embeddings(config.embeddings)
        own = OwnColumns(texts, _ADDED)
        times = _times(config, texts)
        model = TopicModel(
            None if config.num_topics == "none" else int(config.num_topics),
            **config.arguments_of(TopicModel, "num_topics", "seed_words", "tokenization", "ngram_range"),
            tokenization=config.tokenization if corpus is None else corpus.tokenization,
            ngram_range=(config.ngram_range[0], config.ngram_range[1]) if corpus is None else corpus.ngram_range,
            seed_words=seed_words,
            random_state=config.seed,
            verbose=2 if verbose else 0,
        ).fit(documents if corpus is None else corpus, embeddings=embeddings)
        if config.edits is not None:
            model.apply_edits(config.edits)
        _write(model, texts, documents, own, embeddings, times, config, folder, say)
        if codes_folder is not None:
            say("codes in the plane")
            _export_codes(model, texts, embeddings, codes_folder, config.seed)
    return model


class _PreparedTexts(Sequence[Text]):
    """The documents of a prepared corpus, of which the labels are known and not the text."""

    def __init__(self, corpus: BagOfWordsCorpus) -> None:
        self._examples, self._names = corpus.train, corpus.label_names

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, row: Any) -> Any:
        labels = self._examples.labels
        if not 0 <= row < len(self):
            raise IndexError(row)
        label = None if labels is None or labels[row] < 0 else self._names[labels[row]]
        return Text("", label, cells={"row": row} | ({"label": label or ""} if self._names else {}))


def _texts(config: TopicsConfig) -> tuple[Sequence[Text], Any, BagOfWordsCorpus | None]:
    """The texts, the strings or counts that the model reads, and the corpus where it is a prepared one."""
    if config.corpus == "prepared":
        corpus = load_bag_of_words("prepared", data_dir=config.data_dir)
        return _PreparedTexts(corpus), corpus.train.counts, corpus
    if config.corpus is not None:
        texts = list(read_wikipedia())
    else:
        columns = Columns(config.text_column, config.label_column, config.delimiter)
        texts = list(TextFiles(list(config.train_files), whole_files=True, columns=columns))
    return texts, [text.text for text in texts], None


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
        return Path(config.data_dir).name if config.data_dir is not None else config.corpus.capitalize()
    names = [Path(file.split("=", 1)[-1]).name for file in config.train_files]
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def _write(
    model: TopicModel,
    texts: Sequence[Text],
    documents: Any,
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
    topics[["topic", "label", "size", "share", "c_npmi", "words"]].to_csv(folder / "topics.csv", **_CSV)
    _write_documents(model, texts, documents, own, embeddings, folder / "documents.csv")
    if any(label is not None for label in labels):
        model.topics_per_class(labels).to_csv(folder / "topics_per_class.csv", **_CSV)
    if times is not None:
        found = model.topics_over_time(times, freq=config.freq)
        found["words"] = found["words"].str.join(" ")
        found.to_csv(folder / "topics_over_time.csv", **_CSV)
    say("map and report")
    _write_report(model, texts, documents, own, times, config, folder / "report.html")
    model.save(folder / MODEL_FOLDER)


def _write_report(
    model: TopicModel,
    texts: Sequence[Text],
    documents: Any,
    own: OwnColumns,
    times: list[Any] | None,
    config: TopicsConfig,
    path: Path,
) -> None:
    """Writes the page, of very many texts that of a sample."""
    title, rows = _title(config), np.arange(len(texts))
    if len(texts) > MOST_ON_PAGE:
        title += f": a sample of {MOST_ON_PAGE:,} of {len(texts):,} texts"
        rows = np.sort(np.random.default_rng(config.seed).choice(len(texts), MOST_ON_PAGE, replace=False))
        model = _sample_of(model, rows)
    shown = [texts[row] for row in rows.tolist()]
    used = {"row", "text", "label", str(config.text_column), str(config.label_column), str(config.date_column)}
    columns = own.columns(shown, without=used)
    model.report(
        path,
        [text.label for text in shown],
        times=None if times is None else [times[row] for row in rows],
        titles=columns.pop("title", None) or columns.pop("id", None),
        columns=columns or None,
        texts=[text.text for text in shown] if isinstance(documents, list) else None,
        title=title,
    )


def _sample_of(model: TopicModel, rows: np.ndarray) -> TopicModel:
    """The model with the training documents at the positions `rows` alone."""
    sample = copy(model)
    sample._set_topics(model._topics.take(rows))
    sample._texts = None if model._texts is None else [model._texts[row] for row in rows]
    return sample


def _write_documents(
    model: TopicModel, texts: Sequence[Text], documents: Any, own: OwnColumns, embeddings: np.ndarray | None, path: Path
) -> None:
    names = model.topic_labels()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv_writer(file)
        writer.writerow([*own.names, *_ADDED])
        for block in blocks(len(texts), _BLOCK):
            vectors = None if embeddings is None else embeddings[block]
            proportions, known = (
                model.transform(documents[block], embeddings=vectors),
                model.known_tokens(documents[block]),
            )
            for row, number in enumerate(range(block.start, block.stop)):
                text, tokens = texts[number], int(known[row])
                about = label_and_topic(text.label, proportions[row], names, tokens > 0 or embeddings is not None)
                writer.writerow([*own.cells(number, text), *topic_cells(about), tokens])


def _export_codes(
    model: TopicModel, texts: Sequence[Text], embeddings: np.ndarray | None, folder: Path, seed: int
) -> None:
    strings = [text.text for text in texts]
    files, proportions, names = CodeFiles(), model.transform(strings, embeddings=embeddings), model.topic_labels()
    for row, (text, code, known) in enumerate(
        zip(texts, model.embed(strings), model.known_tokens(strings).tolist(), strict=True)
    ):
        about = label_and_topic(text.label, proportions[row], names, known > 0)
        files.add(code, row, known, text.text, **about)
    files.write(folder, spherical=True, seed=seed)


def saved_topic_model(path: str | Path) -> TopicModel | None:
    """The topic model that `trainers.topics` or `TopicModel.save` wrote to a folder; None of any other model."""
    folders = (Path(path), Path(path) / MODEL_FOLDER)
    return next((TopicModel.load(folder) for folder in folders if TopicModel.is_saved(folder)), None)
