"""Topics of a document model: the words of each latent direction; coherence and diversity of topics, agreement with labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._checks import check_choice
from tf_vmf._errors import ArgumentError
from tf_vmf._optional import optional
from tf_vmf.data.documents import Documents
from tf_vmf.models.bag_of_words_vae import BagOfWordsVAE
from tf_vmf.text.vocabulary import checked_words

# Near documents of a topic that compete to represent it, and the cosine of their codes from which on two are near copies.
_CANDIDATES, _NEAR_COPY = 50, 0.98

# Sievert and Shirley suggest 0.6 for LDA, whose topics are sparse; a softmax decoder keeps the common words likely everywhere.
# Measured on 20 Newsgroups (vMF, 25 dimensions, concentration 100, 50 topics; NPMI of 10 words, diversity of 25):
# weight 1.0: 0.156, 0.25; 0.6: 0.175, 0.57; 0.3: 0.184, 0.76; 0.0: 0.165, 0.73, with rare words in front.
RELEVANCE_WEIGHT = 0.3
# Where documents are, at centres of clusters or labels, 0.6 is level with 0.3 or better on all four corpora measured, in NPMI and
# in C_V, for 0.01 to 0.06 of diversity.
CENTER_RELEVANCE_WEIGHT = 0.6
_REFERENCE_SAMPLES = 4096
_EPSILON = 1e-12  # gensim's, beside shares of documents
_CHUNK = 256  # codes decoded at a time: bounds memory


@dataclass(frozen=True)
class Topic:
    """The most relevant words of one code, most relevant first.

    Attributes:
        name: "+e3" for the positive direction of the third latent axis, "-e3" for its opposite; or a name given.
        words: The words.
        probabilities: p(w|z) of these words.
    """

    name: str
    words: tuple[str, ...]
    probabilities: tuple[float, ...]


def topics(
    model: BagOfWordsVAE,
    vocabulary: Sequence[str],
    num_words: int = 10,
    *,
    codes: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    relevance_weight: float = RELEVANCE_WEIGHT,
    seed: int = 0,
    word_probabilities: np.ndarray | None = None,
) -> list[Topic]:
    """The topics of the latent directions +e_k and -e_k, or of any codes.

    Words are ranked by relevance (Sievert and Shirley, 2014),

        weight * log p(w|z) + (1 - weight) * log(p(w|z) / p(w)),

    where p(w) = E[p(w|z)] over the prior is the model's own word distribution. Probability alone (weight 1) shows the same common
    words in every topic, lift alone (weight 0) puts rare words in front.

    A direction is decoded at the typical norm of a code under the prior: 1 on the sphere, sqrt(d) for a Gaussian, where a unit
    step along one of many axes would stay close to the mean of all documents.

    Args:
        model: A trained model.
        vocabulary: The V words.
        num_words: Words a topic.
        codes: Codes to decode instead of the axes, shape (n, latent_dim).
        names: n names of these codes; their positions by default.
        relevance_weight: In [0, 1].
        seed: Seed of the prior samples behind p(w).
        word_probabilities: p(w), if already known: what `prior_word_probabilities` returned.

    Returns:
        The topics +e1, -e1, +e2, ... (2 * latent_dim of them), or one for every row of `codes`.

    References:
        C. Sievert and K. Shirley. LDAvis: A method for visualizing and interpreting topics. 2014.
    """
    vocabulary = checked_words(vocabulary, owner="topics")
    if len(vocabulary) != model.vocabulary_size:
        expected = f"{model.vocabulary_size} words, as many as the model's"
        raise ArgumentError("vocabulary", expected, f"{len(vocabulary)}", owner="topics")
    if not 1 <= num_words <= len(vocabulary):
        expected = f"a number from 1 to {len(vocabulary)}, the vocabulary's size"
        raise ArgumentError("num_words", expected, repr(num_words), owner="topics")
    if not 0 <= relevance_weight <= 1:
        raise ArgumentError("relevance_weight", "a number in [0, 1]", repr(relevance_weight), owner="topics")
    latent = model.latent
    if latent is None:
        raise ArgumentError("model", "a model with a latent variable", "one with latent=None", owner="topics")
    if codes is None:
        prior_codes = _prior_codes(model, seed)
        typical_norm = np.sqrt(np.mean(np.sum(np.square(prior_codes, dtype=np.float64), axis=-1)))
        axes = typical_norm * np.eye(latent.latent_dim)
        codes = np.stack([axes, -axes], axis=1).reshape(-1, latent.latent_dim)
        names = [f"{sign}e{axis + 1}" for axis in range(latent.latent_dim) for sign in "+-"]
    codes = np.asarray(codes, np.float32)
    if names is None:
        names = [str(position) for position in range(len(codes))]
    if len(names) != len(codes):
        raise ArgumentError("names", f"one for each of the {len(codes)} codes", f"{len(names)}", owner="topics")

    if word_probabilities is None:
        word_probabilities = prior_word_probabilities(model, seed)
    result = []
    for start in range(0, len(codes), _CHUNK):
        log_p = model.decode(codes[start : start + _CHUNK]).numpy().astype(np.float64)
        scores = relevance(log_p, np.log(word_probabilities), relevance_weight)
        for name, row, score in zip(names[start : start + _CHUNK], log_p, scores, strict=True):
            top = np.argsort(-score, kind="stable")[:num_words]
            result.append(Topic(name, tuple(vocabulary[w] for w in top), tuple(float(p) for p in np.exp(row[top]))))
    return result


def relevance(log_p: Any, log_word_probabilities: Any, weight: Any) -> Any:
    """Weight * log p(w|z) + (1 - weight) * log(p(w|z) / p(w)), of arrays or tensors (..., V) and (V,)."""
    return log_p - (1.0 - weight) * log_word_probabilities


def prior_word_probabilities(model: BagOfWordsVAE, seed: int = 0) -> np.ndarray:
    """p(w) = E[p(w|z)] over the prior, by 4,096 samples: shape (V,), float64."""
    codes = _prior_codes(model, seed)
    total = np.zeros(model.vocabulary_size)
    for start in range(0, len(codes), _CHUNK):
        total += np.exp(model.decode(codes[start : start + _CHUNK]).numpy().astype(np.float64)).sum(axis=0)
    return total / len(codes)


def npmi_coherence(
    topics: Sequence[Topic | Sequence[str]], documents: Documents, vocabulary: Sequence[str], num_words: int = 10
) -> np.ndarray:
    """Normalized pointwise mutual information of the words of each topic, in [-1, 1]; above 0.1 a topic reads as one.

    The mean over pairs of a topic's first `num_words` words of log(p(a, b) / (p(a) p(b))) / -log p(a, b), where p is the share of
    documents that hold the word, or both (Röder et al., 2015). The values are those of gensim's
    `CoherenceModel(coherence="c_npmi")` with whole documents as windows; a pair that never occurs together is close to -1. A
    pair with a word that no document holds counts as 0, and so does a pair that every document holds.

    Args:
        topics: Topics, or any lists of words.
        documents: The documents in which words occur together.
        vocabulary: The words that the documents count.
        num_words: The number of words of each topic to use.

    Returns:
        The NPMI of each topic, shape (len(topics),), float64.

    Raises:
        ArgumentError: A topic has fewer than two words, or a word outside the vocabulary.
    """
    words = checked_words(vocabulary, owner="npmi_coherence")
    if len(words) != documents.vocabulary_size:
        expected = f"{documents.vocabulary_size} words, those that the documents count"
        raise ArgumentError("vocabulary", expected, f"{len(words)}", owner="npmi_coherence")
    positions = {word: position for position, word in enumerate(words)}
    ids = [_word_ids(words, positions) for words in first_words(topics, num_words, "npmi_coherence", exact=False)]
    relevant = np.unique(np.concatenate(ids))
    occurs = documents.counts[:, relevant].astype(bool).astype(np.float64)
    joint = np.asarray((occurs.T @ occurs).todense()) / len(documents)
    single = np.diagonal(joint)
    with np.errstate(divide="ignore", invalid="ignore"):
        pmi = np.log((joint + _EPSILON) / np.outer(single, single))
        npmi = pmi / -np.log(joint + _EPSILON)
    npmi[(np.outer(single, single) == 0) | (joint == 1)] = 0.0
    columns = [np.searchsorted(relevant, row) for row in ids]
    return np.array([npmi[np.ix_(row, row)][np.tril_indices(len(row), -1)].mean() for row in columns])


def topic_diversity(topics: Sequence[Topic | Sequence[str]], num_words: int = 25) -> float:
    """The share of distinct words among the first `num_words` words of all topics, in (0, 1] (Dieng et al., 2020).

    Close to 0: all topics are the same. The literature uses 25 words: ask `topics` for as many.

    Raises:
        ArgumentError: A topic has fewer words.

    References:
        A. B. Dieng, F. J. R. Ruiz and D. M. Blei. Topic Modeling in Embedding Spaces. TACL 2020.
    """
    rows = first_words(topics, num_words, "topic_diversity", exact=True)
    return len({word for row in rows for word in row}) / (len(rows) * num_words)


def representative_documents(codes: np.ndarray, direction: np.ndarray, number: int) -> np.ndarray:
    """Positions of documents near a topic's direction that are no near copies of each other, nearest first.

    The nearest documents are often one text in several copies. A document is passed over whose code has a cosine of .98 or more
    with one that was taken before; where too few are left, the nearest of those passed over fill up.

    Args:
        codes: Unit vectors of the documents of the topic, shape (n, d).
        direction: Unit vector, shape (d,).
        number: How many documents.

    Returns:
        `min(number, n)` positions in `codes`.
    """
    nearest = np.argsort(-(codes @ direction), kind="stable")[: max(_CANDIDATES, number)]
    taken: list[int] = []
    for row in nearest:
        if len(taken) < number and all(codes[row] @ codes[other] < _NEAR_COPY for other in taken):
            taken.append(int(row))
    passed_over = [int(row) for row in nearest if row not in taken]
    chosen = set(taken + passed_over[: number - len(taken)])
    return np.array([row for row in nearest if int(row) in chosen], np.int64)


def _prior_codes(model: BagOfWordsVAE, seed: int) -> np.ndarray:
    return np.asarray(model.latent.prior().sample(_REFERENCE_SAMPLES, seed=tf.constant([seed, 0])))


def first_words(
    topics: Sequence[Topic | Sequence[str]], num_words: int, function: str, *, exact: bool
) -> list[tuple[str, ...]]:
    """The first words of each topic; `exact` refuses topics with fewer, otherwise two are enough."""
    rows = [tuple(topic.words if isinstance(topic, Topic) else topic)[:num_words] for topic in topics]
    fewest = num_words if exact else 2
    if not rows or min(map(len, rows)) < fewest:
        received = f"a topic of {min(map(len, rows))}" if rows else "no topics"
        remedy = f"Ask for more, as in topics(model, vocabulary, num_words={max(fewest, num_words)})."
        raise ArgumentError("topics", f"topics of at least {fewest} words", received, remedy, owner=function)
    return rows


def _word_ids(words: Sequence[str], positions: dict[str, int]) -> np.ndarray:
    unknown = [word for word in words if word not in positions]
    if unknown:
        raise ArgumentError("topics", "words of `vocabulary`", ", ".join(map(repr, unknown)))
    return np.array([positions[word] for word in words])


# Words per window, as in gensim and in the literature; None: the whole document.
COHERENCE_WINDOWS: dict[str, int | None] = {"c_npmi": 10, "c_v": 110, "u_mass": None}


def topic_coherence(
    topics: Sequence[Topic | Sequence[str]],
    documents: Sequence[Sequence[str]],
    measure: str = "c_npmi",
    *,
    num_words: int = 10,
) -> np.ndarray:
    """Coherence of each topic: how much its words occur together in documents (Röder et al., 2015).

    - `"c_npmi"`: mean normalised pointwise mutual information of pairs in windows of 10 words, in [-1, 1];
    - `"c_v"`: cosines of the NPMI vectors of the words in windows of 110 words, in [0, 1];
    - `"u_mass"`: mean log conditional probability of pairs in whole documents, <= about 0.

    In a sliding window gensim 4.4 drops a word that is still in it when an earlier occurrence of the word leaves.
    Figures for different windows cannot be compared: with documents as windows (`npmi_coherence`) NPMI is up to four times as high.

    ```python
    tf_vmf.evaluation.topic_coherence([["moon", "orbit"]], [["the", "moon", "orbit"], ["a", "moon"], ["an", "apple"]])
    ```

    Args:
        topics: Topics, or lists of words.
        documents: The words of each document in reading order.
        measure: `"c_npmi"`, `"c_v"` or `"u_mass"`.
        num_words: How many words of each topic to use.

    Returns:
        Shape (len(topics),), float64.

    Raises:
        ModuleNotFoundError: gensim is not installed.
        ArgumentError: No such measure, or a topic has fewer than two words or a word that occurs in no document.

    References:
        M. Röder, A. Both and A. Hinneburg. Exploring the Space of Topic Coherence Measures. WSDM 2015.
    """
    check_choice("topic_coherence", "measure", measure, COHERENCE_WINDOWS)
    with optional("demo", "Coherences of topics"):
        from gensim.corpora import Dictionary
        from gensim.models import CoherenceModel

    rows = first_words(topics, num_words, "topic_coherence", exact=False)
    dictionary = Dictionary(documents)
    for row in rows:
        unknown = [word for word in row if word not in dictionary.token2id]
        if unknown:
            raise ArgumentError("topics", "words of the documents", repr(unknown[0]), owner="topic_coherence")
    model = CoherenceModel(
        topics=rows, texts=documents, dictionary=dictionary, coherence=measure, topn=max(map(len, rows)), processes=1
    )
    return np.asarray(model.get_coherence_per_topic(), np.float64)


def purity(labels: Sequence[Any] | np.ndarray, clusters: Sequence[Any] | np.ndarray) -> float:
    """The share of documents that have the most frequent label of their cluster, in (0, 1].

    It rises with the number of clusters: compare at equal numbers.

    Raises:
        ArgumentError: There are no documents.
    """
    from sklearn.metrics.cluster import contingency_matrix

    if not len(labels):
        raise ArgumentError("labels", "at least one document", "none", owner="purity")
    table = contingency_matrix(np.asarray(labels), np.asarray(clusters))
    return float(table.max(axis=0).sum() / table.sum())


def inverted_rbo(topics: Sequence[Topic | Sequence[str]], num_words: int = 10, p: float = 0.9) -> float:
    """One minus the mean rank-biased overlap of pairs of topics, in [0, 1]: 1 where no two topics share a word.

    Unlike `topic_diversity` it weighs words by rank. For two lists of n words, with A_i the share of words that their first i words
    have in common,

        RBO = p^n A_n + (1 - p) sum_{i=1..n} p^(i-1) A_i,

    the extrapolated overlap of Webber et al. (equation 32) for lists of equal length: 1 for equal lists.

    Args:
        topics: Two or more topics, or lists of words.
        num_words: Words per topic.
        p: Persistence, in (0, 1): how fast weights fall with rank.

    Raises:
        ArgumentError: Fewer than two topics, or one has fewer than `num_words` words.

    References:
        W. Webber, A. Moffat and J. Zobel. A Similarity Measure for Indefinite Rankings. ACM TOIS 2010.
        F. Bianchi, S. Terragni and D. Hovy. Pre-training is a Hot Topic. ACL 2021.
    """
    if not 0 < p < 1:
        raise ArgumentError("p", "a number in (0, 1)", repr(p), owner="inverted_rbo")
    rows = first_words(topics, num_words, "inverted_rbo", exact=True)
    if len(rows) < 2:
        raise ArgumentError("topics", "two or more topics", "one", owner="inverted_rbo")
    overlaps = [_overlap(rows[a], rows[b], p) for a in range(len(rows)) for b in range(a)]
    return 1.0 - float(np.mean(overlaps))


def _overlap(first: Sequence[str], second: Sequence[str], p: float) -> float:
    depths = range(1, len(first) + 1)
    agreement = [len(set(first[:depth]) & set(second[:depth])) / depth for depth in depths]
    weighted = sum(p ** (depth - 1) * share for depth, share in zip(depths, agreement, strict=True))
    return p ** len(first) * agreement[-1] + (1.0 - p) * weighted
