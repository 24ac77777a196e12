"""A table of a trained model's answers about new texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf import models
from tf_vmf._errors import ArgumentError
from tf_vmf.files import csv_writer, new_file, read_metrics
from tf_vmf.programs.configs import PredictConfig
from tf_vmf.programs.tables import CodeFiles, OwnColumns, folder_of_codes, label_and_topic, topic_cells
from tf_vmf.programs.topics import saved_topic_model
from tf_vmf.seeds import stateless_seed
from tf_vmf.text.files import Text, TextFiles
from tf_vmf.text.tables import Columns
from tf_vmf.topics import TopicModel
from tf_vmf.topics.inputs import read_embeddings

_BATCH = 256
# Folded into a batch's seed: the noise of refinement, and that of the sample of a refined posterior.
_REFINEMENT, _REFINED = 1, 2


def predict_texts(config: PredictConfig) -> int:
    """Writes a CSV file with one row per text: the columns of the input, then what the model says.

    Of a topic model these are `topic` (-1 without a known word, or an embedding), `topic_label`, `probability` and
    `known_tokens`; of others `known_tokens`. Where `config` asks for them, or of other models if it asks for nothing, there are
    further columns: `topic_0`, `topic_1`, ..., the proportions of the topics; `code_0`, `code_1`, ..., the mean direction on the
    sphere or the mean of a Gaussian; `nll` and `kl`, in nats, from one sample of the code, which add up to the negative evidence
    lower bound. Of a plain file the columns of the input are `row`, `text`, and its label where it has one.

    With `refine_steps` there are `refined_nll` and `refined_kl` too, bounds of posteriors that were fitted to each text, measured
    with noise that they were not fitted to; codes are then those of these posteriors.

    `export_codes` names a folder for the files of `tf_vmf.programs.tables.CodeFiles`.

    Args:
        config: The model, the texts and the file to write.

    Returns:
        The number of texts.

    Raises:
        FileExistsError: There is something at the folder of the codes.
        FileNotFoundError: There is no model or no text.
        ValueError: The model came without a vectorizer or has no latent variable, a label is unknown, or the embeddings do not fit
            the model or the texts.
    """
    path = Path(config.model)
    topics = saved_topic_model(path)
    model, vectorizer = models.load(path) if topics is None else (topics.model_, topics.vectorizer_)
    if vectorizer is None or model.latent is None:
        lacks = "vectorizer.json, which turns text into its input" if vectorizer is None else "a latent variable"
        raise ArgumentError("model", "a model of text with codes", f"{config.model}, which lacks {lacks}")
    labels = _label_numbers(path) if getattr(model, "num_labels", 0) else None
    texts = TextFiles(list(config.input), columns=Columns(config.text_column, config.label_column, config.delimiter))
    embeddings = _embeddings(config, topics)
    wanted = {"codes": config.codes, "bounds": config.bounds}
    if topics is None and not any(wanted.values()):
        wanted = dict.fromkeys(wanted, True)
    if config.refine_steps and not any(wanted.values()):
        raise ArgumentError(
            "refine_steps", "0 without codes or bounds, which are what it refines", str(config.refine_steps)
        )
    header = ["known_tokens"] if topics is None else ["topic", "topic_label", "probability", "known_tokens"]
    header += [f"topic_{k}" for k in range(topics.num_topics_)] if topics is not None and config.proportions else []
    header += [f"code_{i}" for i in range(model.latent.latent_dim)] if wanted["codes"] else []
    bounds = ["nll", "kl", *(["refined_nll", "refined_kl"] if config.refine_steps else [])]
    header += bounds if wanted["bounds"] else []
    names = [] if topics is None else topics.topic_labels()
    files, written = CodeFiles(), 0

    def write(path: Path) -> None:
        nonlocal written
        batches = _batches(texts)
        first = next(batches, [])
        own = OwnColumns(texts if texts.read_again else first, header)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv_writer(file)
            writer.writerow([*own.names, *header])
            for number, batch in enumerate(chain([first] if first else [], batches)):
                noise = stateless_seed(config.seed, number)
                found = _predictions(model, vectorizer, batch, labels, noise, config.refine_steps)
                vectors = None if embeddings is None else embeddings[written : written + len(batch)]
                if embeddings is not None and len(embeddings) < written + len(batch):
                    raise _wrong_number(embeddings, f"at least {written + len(batch)}")
                strings = [text.text for text in batch]
                proportions = None if topics is None else topics.transform(strings, embeddings=vectors)
                for i, (text, (known, nats, code)) in enumerate(zip(batch, found, strict=True)):
                    row, about = [*own.cells(written, text)], {"label": text.label or ""}
                    if proportions is not None:
                        about = label_and_topic(text.label, proportions[i], names, known > 0 or embeddings is not None)
                        row += topic_cells(about)
                    row.append(known)
                    row += _numbers(proportions[i]) if proportions is not None and config.proportions else []
                    row += _numbers(code) if wanted["codes"] else []
                    row += _numbers(nats) if wanted["bounds"] else []
                    writer.writerow(row)
                    if config.export_codes is not None:
                        files.add(code, written, known, text.text, **about)
                    written += 1
        if embeddings is not None and len(embeddings) != written:
            raise _wrong_number(embeddings, str(written))
        if folder is not None:  # before the output is replaced: it may fail
            files.write(folder, spherical=model.latent.describe().metric == "cosine", seed=config.seed)

    with folder_of_codes(config.export_codes) as folder, new_file(config.output) as output:
        write(output)
    return written


def _embeddings(config: PredictConfig, topics: TopicModel | None) -> np.ndarray | None:
    """The vectors of the texts; refuses some where the model takes none, and none where it needs some."""
    takes = topics is not None and topics.takes_embeddings
    if takes != (config.embeddings is not None):
        expected = "a file with a vector per text, as the topics were found with some" if takes else "None"
        about = "" if takes else f", and {config.model} takes no vectors"
        raise ArgumentError("embeddings", expected, f"{config.embeddings!r}{about}")
    return None if config.embeddings is None else read_embeddings(config.embeddings)


def _wrong_number(embeddings: np.ndarray, texts: str) -> ArgumentError:
    return ArgumentError("embeddings", f"a vector per text, and there are {texts} texts", f"{len(embeddings)} vectors")


def _batches(texts: TextFiles) -> Iterator[list[Text]]:
    iterator = iter(texts)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _predictions(
    model: Any, vectorizer: Any, batch: list[Text], labels: Mapping[str, int] | None, seed: tf.Tensor, refine_steps: int
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Known tokens, the terms of the bounds (nll and KL, then refined ones if there are steps) and the code of each text."""
    strings = tf.constant([text.text for text in batch])
    x = vectorizer(strings)
    if labels is not None:
        x = {"tokens": x, "labels": tf.constant([_number(text, labels) for text in batch])}
    parameters, terms = model.posterior_parameters(x), [model.elbo_terms(x, seed)]
    if refine_steps:
        parameters = model.refined_parameters(x, tf.constant(refine_steps), stateless_seed(seed, _REFINEMENT))
        terms.append(model.elbo_terms(x, stateless_seed(seed, _REFINED), parameters))
    nats = np.stack([each[name].numpy() for each in terms for name in ("nll", "kl")], axis=1)
    codes, known = model.latent.code(parameters).numpy(), vectorizer.known_tokens(strings).numpy()
    yield from zip(known.tolist(), nats, codes, strict=True)


def _numbers(values: Iterable[float]) -> list[str]:
    return [f"{value:.6g}" for value in values]


def _label_numbers(path: Path) -> dict[str, int]:
    """The numbers of the labels of a conditional model, from the metrics of its run."""
    file = path / "metrics.json"
    metrics = read_metrics(file) if file.is_file() else {}
    names = metrics.get("protocol", {}).get("labels", [])
    if not names:
        raise ArgumentError("model", "the folder of a run, whose metrics.json names the labels of the model", str(path))
    return {name: number for number, name in enumerate(names)}


def _number(text: Text, labels: Mapping[str, int]) -> int:
    if text.label is None or text.label not in labels:
        raise text.error(f"a label out of {', '.join(labels)}, as the model is conditional on it", repr(text.label))
    return labels[text.label]
