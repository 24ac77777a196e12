"""Topics over the codes of documents: proportions, words, merging and files."""

from __future__ import annotations

import json
import numbers
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from tf_vmf._errors import ArgumentError, MissingPlaceError
from tf_vmf.data.arrays import blocks
from tf_vmf.files import new_folder, read_json, sha256_of_file
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.models import load as load_model
from tf_vmf.models.load import MODEL_FILE, VECTORIZER_FILE, write_vectorizer
from tf_vmf.topics.codes import log_word_probabilities
from tf_vmf.topics.documents import CountedDocuments, nonempty
from tf_vmf.topics.fitting import Texts, sample_of, update_topics
from tf_vmf.topics.mixture import TopicMixture, outlier_threshold
from tf_vmf.topics.words import WordSettings, rank_words, topic_modes, word_scores

_BLOCK = 20_000  # documents whose proportions are computed at a time

# Mixture, topics of its components, documents, their codes and the concentrations of these: what `find_words` reads.
Parts = tuple[TopicMixture, np.ndarray, CountedDocuments, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class FittedTopics:
    """Topics, and the training documents that they were found in."""

    mixture: TopicMixture  # the components
    topic_of: np.ndarray  # the topic of each component, int64 (components,); merged topics have several
    documents: CountedDocuments  # the training documents
    codes: np.ndarray  # their codes, shape (n, d); rows of zeros for documents without a known word
    concentrations: np.ndarray  # of the posteriors around the codes, shape (n,); 0 for documents without a known word
    modes: np.ndarray  # the codes at which the topics are decoded, shape (K, d)
    log_probabilities: np.ndarray  # log p(word|topic), shape (K, V)
    ranking: np.ndarray  # numbers of words by rank, shape (K, V)
    weights: np.ndarray  # the mean proportions of the training documents, shape (K,)
    labels: np.ndarray  # the topic of each training document, int64 (n,); -1 for none

    @property
    def num_topics(self) -> int:
        return int(self.topic_of.max()) + 1

    def take(self, rows: np.ndarray) -> FittedTopics:
        """The same topics with the training documents at the positions `rows` alone."""
        own = {name: getattr(self, name)[rows] for name in ("codes", "concentrations", "labels")}
        return replace(self, documents=self.documents.take(rows), **own)

    def proportions(self, documents: CountedDocuments) -> np.ndarray:
        """p(topic|document), shape (n, K); documents without a known word and a vector get the mean proportions."""
        proportions = np.tile(self.weights, (len(documents), 1))
        for rows, found in proportions_by_block(self.mixture, self.topic_of, documents):
            proportions[rows] = found
        return proportions

    @cached_property
    def training_proportions(self) -> np.ndarray:
        """`proportions` of the training documents."""
        return self.proportions(self.documents)

    def outliers(
        self, documents: CountedDocuments, codes: np.ndarray, concentrations: np.ndarray, share: float | None
    ) -> np.ndarray:
        """True where a document lies far from all topics, (n,), by a share of the training documents or `outlier_threshold`."""
        own = self.documents
        reference = self.mixture.log_density(self.codes, self.concentrations, own.vectors)[own.placed]
        least = outlier_threshold(reference) if share is None else np.quantile(reference, share)
        density = self.mixture.log_density(codes, concentrations, documents.vectors)
        return np.asarray(~documents.placed | (density < least))

    def topics_of_words(self, numbers: Sequence[int]) -> np.ndarray:
        """p(topic|words) of words that come from one topic, shape (K,)."""
        log_joint = np.log(np.maximum(self.weights, 1e-12)) + self.log_probabilities[:, list(numbers)].sum(axis=1)
        probabilities = np.exp(log_joint - log_joint.max())
        return np.asarray(probabilities / probabilities.sum())

    def topics_of_tokens(self, documents: CountedDocuments) -> np.ndarray:
        """p(topic|word, document) of the words of one document in reading order, shape (tokens, K)."""
        counts, words = documents.counts, documents.words
        assert words is not None
        counts.sort_indices()
        shares = self.mixture.word_responsibilities(counts, self.mixture.proportions(counts, documents.vectors))
        return _of_topics(shares, self.topic_of)[np.searchsorted(counts.indices, words)]


def proportions_by_block(
    mixture: TopicMixture, topic_of: np.ndarray, documents: CountedDocuments
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the rows of documents that have a topic, some at a time, and p(topic|document) of these, shape (rows, K)."""
    placed = np.flatnonzero(documents.placed)
    for block in blocks(len(placed), _BLOCK):
        rows = placed[block]
        vectors = None if documents.vectors is None else documents.vectors[rows]
        yield rows, _of_topics(mixture.proportions(documents.counts[rows], vectors), topic_of)


def _of_topics(of_components: np.ndarray, topic_of: np.ndarray) -> np.ndarray:
    members = np.equal.outer(topic_of, np.arange(int(topic_of.max()) + 1)).astype(np.float64)
    return np.asarray(of_components @ members)


def find_words(
    model: BagOfWordsVAE,
    mixture: TopicMixture,
    topic_of: np.ndarray,
    documents: CountedDocuments,
    codes: np.ndarray,
    concentrations: np.ndarray,
    settings: WordSettings,
    by_size_from: int | None = None,
) -> FittedTopics:
    """Decodes every topic where its documents are densest, and ranks its words. Codes of documents without a known word are 0.

    The topics from `by_size_from` on, each of one component, are renumbered by falling size; None keeps the numbers.
    """
    known = documents.known
    rows = np.flatnonzero(known)
    rows = rows[sample_of(len(rows), 0)]  # the densest points are looked for among these
    num_topics = int(topic_of.max()) + 1
    of_rows = np.zeros((len(rows), num_topics))
    sums, resultants = np.zeros(num_topics), np.zeros((num_topics, codes.shape[1]))
    labels = np.full(len(documents), -1)
    for part, proportions in proportions_by_block(mixture, topic_of, documents):
        sums += proportions.sum(axis=0)
        resultants += proportions.T @ codes[part].astype(np.float64)  # codes without a known word are zeros
        labels[part] = proportions.argmax(axis=1)
        own = slice(*np.searchsorted(rows, [part[0], part[-1] + 1]))
        of_rows[own] = proportions[np.searchsorted(part, rows[own])]
    if by_size_from is not None:
        sizes = np.bincount(labels[labels >= 0], minlength=num_topics).astype(float)
        sizes[:by_size_from] = np.inf
        order = np.argsort(-sizes, kind="stable")
        labels = np.where(labels < 0, -1, np.argsort(order)[labels])
        mixture, of_rows, sums, resultants = mixture.take(order), of_rows[:, order], sums[order], resultants[order]
    modes = topic_modes(codes[rows], of_rows, normalize(resultants), settings.mode_concentration)
    log_probabilities = log_word_probabilities(model, modes)
    totals = np.asarray(documents.counts.sum(axis=0), np.float64).ravel()
    log_reference = log_word_shares(documents)
    scores = word_scores(log_probabilities, log_reference, settings)
    scores[:, totals == 0] = -np.inf  # words of a given vocabulary that the documents do not hold come last
    ranking = rank_words(scores, nonempty(documents.counts), settings, likelier=log_probabilities > log_reference)
    estimates = modes, log_probabilities, ranking, sums / sums.sum(), labels
    return FittedTopics(mixture, topic_of, documents, codes, concentrations, *estimates)


def extended(
    topics: FittedTopics,
    new: CountedDocuments,
    codes: np.ndarray,
    concentrations: np.ndarray,
    guides: Sequence[Sequence[int]],
) -> Parts:
    """What `find_words` reads once further documents, with their codes, count in the topics."""
    texts = Texts(new.counts, codes, concentrations, new.vectors).take(np.flatnonzero(new.known))
    mixture = update_topics(topics.mixture, texts, guides)
    all_codes = np.concatenate([topics.codes, codes]), np.concatenate([topics.concentrations, concentrations])
    return mixture, topics.topic_of, topics.documents.extended(new), *all_codes


def log_word_shares(documents: CountedDocuments) -> np.ndarray:
    """Log p(word) in the documents, shape (V,), float64; half a count is added to every word."""
    totals = np.asarray(documents.counts.sum(axis=0), np.float64).ravel() + 0.5
    return np.asarray(np.log(totals / totals.sum()))


def merged_numbers(num_topics: int, groups: Sequence[Sequence[int]]) -> np.ndarray:
    """The new number of each topic when groups are merged; a merged topic takes the position of its smallest member."""
    if any(np.ndim(group) != 1 for group in groups):
        raise ArgumentError("groups", "lists of topics, as [[0, 3]]", str(list(groups)))
    members = [topic for group in groups for topic in group]
    if any(len(set(group)) < 2 for group in groups) or len(set(members)) < len(members):
        received = str([list(group) for group in groups])
        raise ArgumentError("groups", "groups of two or more topics, each topic in one group", received)
    whole = (numbers.Integral, np.integer)
    if wrong := [
        each
        for each in members
        if not isinstance(each, whole) or isinstance(each, bool) or each not in range(num_topics)
    ]:
        raise ArgumentError("groups", f"topics from 0 to {num_topics - 1}", repr(wrong[0]))
    representative = np.arange(num_topics)
    for group in groups:
        representative[list(group)] = min(group)
    return np.unique(representative, return_inverse=True)[1]


def write_topics(topics: FittedTopics, path: Path) -> None:
    """Writes the arrays of the topics to an .npz file."""
    documents, counts = topics.documents, topics.documents.counts
    arrays = dict(
        **topics.mixture.to_arrays(),
        topic_of=topics.topic_of,
        codes=topics.codes,
        concentrations=topics.concentrations,
        modes=topics.modes,
        log_probabilities=topics.log_probabilities,
        ranking=topics.ranking,
        weights_of_topics=topics.weights,
        labels=topics.labels,
        counts_data=counts.data,
        counts_indices=counts.indices,
        counts_indptr=counts.indptr,
    )
    if documents.words is not None and documents.offsets is not None:
        arrays |= {"sequence": documents.words, "offsets": documents.offsets}
    if documents.vectors is not None:
        arrays["vectors"] = documents.vectors
    np.savez_compressed(path, **arrays)


def read_topics(path: Path) -> FittedTopics:
    """Reads what `write_topics` has written.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        num_words = arrays["ranking"].shape[1]
    except (EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged: {error}. {_REMEDY}") from error
    parts = tuple(arrays[f"counts_{name}"] for name in ("data", "indices", "indptr"))
    counts = sparse.csr_matrix(parts, (len(parts[2]) - 1, num_words))
    return FittedTopics(
        mixture=TopicMixture.from_arrays(arrays),
        topic_of=arrays["topic_of"],
        documents=CountedDocuments(counts, *(arrays.get(name) for name in ("sequence", "offsets", "vectors"))),
        codes=arrays["codes"],
        concentrations=arrays["concentrations"],
        modes=arrays["modes"],
        log_probabilities=arrays["log_probabilities"],
        ranking=arrays["ranking"],
        weights=arrays["weights_of_topics"],
        labels=arrays["labels"],
    )


_SETTINGS_FILE, _TOPICS_FILE = "topic_model.json", "topics.npz"
_REMEDY = "Restore it from a copy, or fit the model again."
_NEEDED = ("parameters", "vocabulary", "fixed_vocabulary", "silhouettes", "labels", "texts")
_FORMAT = 3  # 1: without words of the mixture and concentrations of codes; 2: without labels and sums of the mixture


def write_model(model: Any, path: str | Path) -> None:
    """Writes a fitted model to a new folder; see `TopicModel.save`."""
    with new_folder(path) as folder:
        model.model_.save(folder / MODEL_FILE)
        if model.vectorizer_ is not None:
            write_vectorizer(folder / VECTORIZER_FILE, model.vectorizer_)
        write_topics(model._topics, folder / _TOPICS_FILE)
        hashes = {file.name: sha256_of_file(file) for file in sorted(folder.iterdir())}
        (folder / _SETTINGS_FILE).write_text(json.dumps({**_description(model), "sha256": hashes}), encoding="utf-8")


def is_saved(path: str | Path) -> bool:
    """Whether a folder was written by `write_model`."""
    return (Path(path) / _SETTINGS_FILE).is_file()


def read_model(kind: Any, path: str | Path) -> Any:
    """Reads a folder that `write_model` has written; see `TopicModel.load`."""
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
