"""Topics of a document model: clusters of its training documents, with the axes of the latent space as diagnostics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from tf_vmf.data.corpus import BagOfWordsCorpus
from tf_vmf.evaluation.topics import CENTRE_RELEVANCE_WEIGHT, Topic, npmi_coherence, topic_diversity, topics
from tf_vmf.models.bag_of_words_vae import BagOfWordsVAE
from tf_vmf.report.engine.clusters import Clusters, cluster_codes
from tf_vmf.report.engine.encodings import Encodings, label_centres
from tf_vmf.report.engine.excerpts import Excerpt, document_excerpts, label_name
from tf_vmf.report.engine.relevant_words import RelevantWords, relevant_words

TOPIC_WORDS = 10
_DIVERSITY_WORDS, _NAME_WORDS = 25, 3
_TOPICS, _REPRESENTATIVES, _LABELS_PER_TOPIC = 20, 3, 3
_MOST_LABELS, _PATH_POINTS = 24, 5
# Centres closer to opposite than this are joined by no single great circle.
_OPPOSITE = -0.999


@dataclass(frozen=True)
class ClusterTopic:
    """A topic: a cluster of training documents, and the words that the model predicts at its centre.

    Attributes:
        number: 1 for the largest cluster, 2 for the next, ...
        name: Its three most relevant words.
        words: Its most relevant words, most relevant first.
        probabilities: p(w|centre) of these words.
        size: Training documents in the cluster.
        share: The same as a share of all that were clustered.
        npmi: Coherence of the words with the whole document as window; see `tf_vmf.evaluation.npmi_coherence`.
        labels: The most frequent labels of its documents with their counts; () without labels.
        representatives: The documents nearest to the centre, nearest first.
        by_relevance: The words that are most relevant at other weights.
    """

    number: int
    name: str
    words: tuple[str, ...]
    probabilities: tuple[float, ...]
    size: int
    share: float
    npmi: float
    labels: tuple[tuple[str, int], ...]
    representatives: tuple[Excerpt, ...]
    by_relevance: RelevantWords


@dataclass(frozen=True)
class AxisWords:
    """The words decoded at one end of a latent axis.

    Attributes:
        name: "+e3" or "-e3" for the two ends of the third axis.
        words: The most relevant words there.
        npmi: Their coherence with the whole document as window.
    """

    name: str
    words: tuple[str, ...]
    npmi: float


@dataclass(frozen=True, eq=False)
class DocumentTopics:
    """The topics, and how good they are.

    Attributes:
        clusters: The topics, largest first.
        centres: Centres of their clusters, shape (number of topics, latent_dim); unit vectors on the sphere.
        num_documents: Training documents that were clustered.
        relevance_weight: Weight of the probability in the relevance of a word at a centre.
        npmi: Mean coherence of the clusters; document window.
        diversity: Share of distinct words among the first `diversity_words` words of all clusters.
        diversity_words: Words per topic behind `diversity`.
        nmi: Normalised mutual information of clusters and labels, 0 to 1; None without labels.
        axes: Both ends of every latent axis, most coherent first.
        axes_npmi: Mean coherence of the axes; document window.
        axes_diversity: Their diversity.
    """

    clusters: tuple[ClusterTopic, ...]
    centres: np.ndarray
    num_documents: int
    relevance_weight: float
    npmi: float
    diversity: float
    diversity_words: int
    nmi: float | None
    axes: tuple[AxisWords, ...]
    axes_npmi: float
    axes_diversity: float


@dataclass(frozen=True)
class LabelWords:
    """The words that the model predicts at the centre of the training codes of a label.

    Attributes:
        label: Its name.
        words: The most relevant words.
        size: Training documents with the label.
    """

    label: str
    words: tuple[str, ...]
    size: int


@dataclass(frozen=True)
class LabelPath:
    """Words on the way from the centre of one label to that of another.

    Attributes:
        start, end: Names of the labels.
        cosine: Cosine of their centres.
        fractions: Where on the way, 0 to 1.
        words: The most relevant words there.
    """

    start: str
    end: str
    cosine: float
    fractions: tuple[float, ...]
    words: tuple[tuple[str, ...], ...]


def find_topics(
    model: BagOfWordsVAE, corpus: BagOfWordsCorpus, train: Encodings, word_probabilities: np.ndarray, seed: int
) -> DocumentTopics:
    """Clusters the training documents by their codes and describes every cluster.

    Args:
        model: The trained model.
        corpus: Its corpus.
        train: Encodings of `corpus.train`.
        word_probabilities: What `tf_vmf.evaluation.topics.prior_word_probabilities` returned.
        seed: Seed of the clustering.
    """
    from sklearn.metrics import normalized_mutual_info_score

    num_words = min(_DIVERSITY_WORDS, len(corpus.vocabulary))
    groups = cluster_codes(train, min(_TOPICS, len(train.codes)), seed=seed)
    at_centres = topics(
        model,
        corpus.vocabulary,
        num_words,
        codes=groups.centres,
        relevance_weight=CENTRE_RELEVANCE_WEIGHT,
        word_probabilities=word_probabilities,
    )
    probabilities = np.exp(model.decode(groups.centres.astype(np.float32)).numpy().astype(np.float64))
    by_relevance = relevant_words(probabilities, word_probabilities, corpus.vocabulary, TOPIC_WORDS)
    coherence = npmi_coherence(at_centres, corpus.train, corpus.vocabulary, TOPIC_WORDS)
    on_axes = topics(model, corpus.vocabulary, num_words, word_probabilities=word_probabilities)
    axes_coherence = npmi_coherence(on_axes, corpus.train, corpus.vocabulary, TOPIC_WORDS)
    labels = corpus.train.labels
    return DocumentTopics(
        clusters=tuple(
            _cluster_topic(corpus, train, groups, group, topic, float(npmi), words)
            for group, (topic, npmi, words) in enumerate(zip(at_centres, coherence, by_relevance, strict=True))
        ),
        centres=groups.centres,
        num_documents=len(train.codes),
        relevance_weight=CENTRE_RELEVANCE_WEIGHT,
        npmi=float(coherence.mean()),
        diversity=topic_diversity(at_centres, num_words),
        diversity_words=num_words,
        nmi=None if labels is None else float(normalized_mutual_info_score(labels, groups.assignment)),
        axes=tuple(
            AxisWords(on_axes[i].name, on_axes[i].words[:TOPIC_WORDS], float(axes_coherence[i]))
            for i in np.argsort(-axes_coherence, kind="stable")
        ),
        axes_npmi=float(axes_coherence.mean()),
        axes_diversity=topic_diversity(on_axes, num_words),
    )


def _cluster_topic(
    corpus: BagOfWordsCorpus,
    train: Encodings,
    groups: Clusters,
    group: int,
    topic: Topic,
    npmi: float,
    by_relevance: RelevantWords,
) -> ClusterTopic:
    rows = np.flatnonzero(groups.assignment == group)
    distances = np.linalg.norm(train.codes[rows] - groups.centres[group], axis=-1)
    nearest = rows[np.argsort(distances, kind="stable")[:_REPRESENTATIVES]]
    labels: tuple[tuple[str, int], ...] = ()
    if corpus.train.labels is not None:
        counts = Counter(label_name(corpus.label_names, label) for label in corpus.train.labels[rows])
        labels = tuple(counts.most_common(_LABELS_PER_TOPIC))
    return ClusterTopic(
        number=group + 1,
        name=", ".join(topic.words[:_NAME_WORDS]),
        words=topic.words[:TOPIC_WORDS],
        probabilities=topic.probabilities[:TOPIC_WORDS],
        size=int(groups.sizes[group]),
        share=float(groups.sizes[group] / len(train.codes)),
        npmi=npmi,
        labels=labels,
        representatives=document_excerpts(corpus, corpus.train, nearest),
        by_relevance=by_relevance,
    )


def find_label_words(
    model: BagOfWordsVAE, corpus: BagOfWordsCorpus, train: Encodings, word_probabilities: np.ndarray
) -> tuple[LabelWords, ...]:
    """The words at the centres of the 24 most frequent labels, in the order of the labels; () without labels."""
    if corpus.train.labels is None:
        return ()
    labels, centres = label_centres(train, corpus.train.labels)
    sizes = np.array([int(np.sum(corpus.train.labels == label)) for label in labels])
    shown = np.sort(np.argsort(-sizes, kind="stable")[:_MOST_LABELS])
    codes = model.latent.nearest_codes(centres[shown]).numpy()
    found = _words_at(model, corpus, codes, word_probabilities)
    return tuple(
        LabelWords(label_name(corpus.label_names, labels[i]), words, int(sizes[i]))
        for i, words in zip(shown, found, strict=True)
    )


def find_label_path(
    model: BagOfWordsVAE, corpus: BagOfWordsCorpus, train: Encodings, word_probabilities: np.ndarray
) -> LabelPath | None:
    """Words between the centres of the two frequent labels of smallest cosine; None where fewer than two can be joined."""
    if corpus.train.labels is None:
        return None
    labels, counts = np.unique(corpus.train.labels, return_counts=True)
    frequent = labels[counts >= max(10, counts.max() // 4)]
    if len(frequent) < 2:
        return None
    _, all_centres = label_centres(train, corpus.train.labels)
    centres = all_centres[np.searchsorted(labels, frequent)]
    unit = centres / np.maximum(np.linalg.norm(centres, axis=-1, keepdims=True), 1e-12)
    cosines = unit @ unit.T
    cosines[np.diag_indices(len(cosines))] = np.inf
    if train.spherical:
        cosines[cosines < _OPPOSITE] = np.inf
    a, b = np.unravel_index(np.argmin(cosines), cosines.shape)
    if not np.isfinite(cosines[a, b]):
        return None
    # A mean of codes need not be one: in a product of spheres it lies inside of every sphere.
    start, end = model.latent.nearest_codes(centres[[a, b]])
    steps = model.latent.interpolate(start, end, _PATH_POINTS).numpy()
    return LabelPath(
        start=label_name(corpus.label_names, frequent[a]),
        end=label_name(corpus.label_names, frequent[b]),
        cosine=float(cosines[a, b]),
        fractions=tuple(float(fraction) for fraction in np.linspace(0.0, 1.0, _PATH_POINTS)),
        words=tuple(_words_at(model, corpus, steps, word_probabilities)),
    )


def _words_at(
    model: BagOfWordsVAE, corpus: BagOfWordsCorpus, codes: np.ndarray, word_probabilities: np.ndarray
) -> list[tuple[str, ...]]:
    found = topics(
        model,
        corpus.vocabulary,
        min(TOPIC_WORDS, len(corpus.vocabulary)),
        codes=codes,
        relevance_weight=CENTRE_RELEVANCE_WEIGHT,
        word_probabilities=word_probabilities,
    )
    return [topic.words for topic in found]
