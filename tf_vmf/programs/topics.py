"""A run of a topic model: from files of text to tables, a report and a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tf_vmf._optional import optional
from tf_vmf.data.corpora.wikipedia import read_wikipedia
from tf_vmf.files import new_folder
from tf_vmf.programs.code_files import CodeFiles, folder_of_codes, label_and_topic
from tf_vmf.programs.configs import TopicsConfig
from tf_vmf.text.files import Text, TextFiles
from tf_vmf.text.tables import Columns
from tf_vmf.topics import TopicModel

MODEL_FOLDER = "model"


def find_topics(config: TopicsConfig, *, verbose: bool = True) -> TopicModel:
    """Fits a topic model to files of text and writes its folder.

    The folder holds `topics.csv` (topic, label, size, share, c_npmi, words), `documents.csv` (row, topic, probability,
    known_tokens, label, text), `report.html` and `model/`, which `tf_vmf.TopicModel.load` and `trainers.predict` read.
    `export_codes` names another folder, for the files of `tf_vmf.programs.code_files.CodeFiles`.

    Args:
        config: The texts and the options.
        verbose: Whether to show the progress.

    Returns:
        The fitted model.

    Raises:
        FileExistsError: There is something at the folder, or at that of the codes.
        FileNotFoundError: A file of text is missing.
        ModuleNotFoundError: pandas, gensim, jinja2 or matplotlib is not installed.
        ValueError: There are too few texts.
    """
    with optional("topics", "Topics"):
        import gensim  # noqa: F401
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
        import pandas  # noqa: F401
    with new_folder(config.output) as folder, folder_of_codes(config.export_codes) as codes_folder:
        texts = _texts(config)
        strings, labels = [text.text for text in texts], [text.label for text in texts]
        model = TopicModel(
            config.num_topics or None,
            vocabulary_size=config.vocabulary_size,
            tokenization=config.tokenization,
            stop_words=config.stop_words,
            min_df=config.min_df,
            max_df=config.max_df,
            ngram_range=(config.ngram_range[0], config.ngram_range[1]),
            latent_dim=config.latent_dim,
            epochs=config.epochs,
            relevance_weight=config.relevance_weight,
            random_state=config.seed,
            verbose=2 if verbose else 0,
        ).fit(strings)
        _write(model, strings, labels, folder, _title(config))
        if codes_folder is not None:
            _export_codes(model, texts, codes_folder, config.seed)
    return model


def _texts(config: TopicsConfig) -> list[Text]:
    if config.corpus is not None:
        return list(read_wikipedia())
    columns = Columns(config.text_column, config.label_column, config.delimiter)
    return list(TextFiles(list(config.train_files), whole_files=True, columns=columns))


def _title(config: TopicsConfig) -> str:
    """The names of the files of texts, the heading of the report."""
    if config.corpus is not None:
        return config.corpus.capitalize()
    names = [Path(file.split("=", 1)[-1]).name for file in config.train_files]
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def _write(model: TopicModel, texts: list[str], labels: list[str | None], folder: Path, title: str) -> None:
    topics = model.topic_info()
    topics["words"] = topics["words"].str.join(" ")
    topics[["topic", "label", "size", "share", "c_npmi", "words"]].to_csv(folder / "topics.csv", index=False)
    documents: Any = model.document_info(texts)
    documents.index.name = "row"
    columns = ["topic", "probability", "known_tokens", "label", "text"]
    documents[columns].to_csv(folder / "documents.csv")
    model.report(folder / "report.html", labels, texts=texts, title=title)
    model.save(folder / MODEL_FOLDER)


def _export_codes(model: TopicModel, texts: list[Text], folder: Path, seed: int) -> None:
    strings = [text.text for text in texts]
    files, proportions, names = CodeFiles(), model.transform(strings), model.topic_labels()
    for row, (text, code, known) in enumerate(
        zip(texts, model.embed(strings), model.known_tokens(strings), strict=True)
    ):
        files.add(code, row, int(known), text.text, **label_and_topic(text.label, proportions[row], names))
    files.write(folder, spherical=True, seed=seed)


def saved_topic_model(path: str | Path) -> TopicModel | None:
    """The topic model that `trainers.topics` or `TopicModel.save` wrote to a folder; None of any other model."""
    folders = (Path(path), Path(path) / MODEL_FOLDER)
    return next((TopicModel.load(folder) for folder in folders if TopicModel.is_saved(folder)), None)
