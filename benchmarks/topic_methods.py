"""The topic models that `benchmarks.topics` compares, each with the defaults of its library."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import gammaln

# Peers of TopMost, and BERTopic, which run in an environment of their own.
PEERS = ("ProdLDA", "ETM", "ECRTM", "FASTopic", "BERTopic")
# Methods that read the vectors of the texts.
WITH_VECTORS = ("TopicModel, vectors", "k-means of vectors", "BERTopic")


class Corpus(NamedTuple):
    """Counts (n, V), the V words, the words of each document in order or None, labels (n,), and vectors (n, e) or None."""

    counts: sparse.csr_matrix
    vocabulary: list[str]
    sequences: list[list[str]] | None
    labels: np.ndarray
    vectors: np.ndarray | None = None


class Fitted(NamedTuple):
    """Scores that rank the words of each topic (K, V), proportions (n, K), and the words as shown where they are others."""

    word_scores: np.ndarray
    proportions: np.ndarray
    shown: list[list[str]] | None = None


def fit_topic_model(corpus: Corpus, num_topics: int, seed: int, embeddings: np.ndarray | None = None) -> Fitted:
    """`tf_vmf.topics.TopicModel` as the README has it: texts in, all else by default; counts where words have no order."""
    from tf_vmf.topics import TopicModel
    from tf_vmf.topics.fitted import log_word_shares
    from tf_vmf.topics.words import word_scores, word_settings

    given = None if corpus.sequences else corpus.vocabulary
    model = TopicModel(num_topics, vocabulary=given, random_state=seed)
    documents = [" ".join(words) for words in corpus.sequences] if corpus.sequences else corpus.counts
    proportions = model.fit_transform(documents, embeddings=embeddings)
    topics = model._topics
    of_words = word_scores(topics.log_probabilities, log_word_shares(topics.documents), word_settings(model))
    scores = np.full((num_topics, len(corpus.vocabulary)), of_words.min() - 1.0)
    columns = {word: column for column, word in enumerate(corpus.vocabulary)}
    scores[:, [columns[word] for word in model.vocabulary_]] = of_words
    return Fitted(scores, proportions, model.topics(25))


def fit_with_vectors(corpus: Corpus, num_topics: int, seed: int) -> Fitted:
    """`TopicModel` with the vectors of the texts."""
    return fit_topic_model(corpus, num_topics, seed, corpus.vectors)


def fit_vectors(corpus: Corpus, num_topics: int, seed: int) -> Fitted:
    """k-means of the vectors alone, words by class TF-IDF."""
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import normalize

    return _clustered(corpus, KMeans(num_topics, n_init=10, random_state=seed).fit(normalize(corpus.vectors)).labels_)


def fit_lda(corpus: Corpus, num_topics: int, seed: int) -> Fitted:
    """Gensim's LdaModel, ten passes."""
    from gensim.matutils import Sparse2Corpus, corpus2dense
    from gensim.models import LdaModel

    documents = Sparse2Corpus(corpus.counts, documents_columns=False)
    names = dict(enumerate(corpus.vocabulary))
    model = LdaModel(documents, num_topics, id2word=names, passes=10, random_state=seed)
    proportions = corpus2dense(model.get_document_topics(documents, minimum_probability=0.0), num_topics).T
    return Fitted(model.get_topics(), proportions)


def fit_nmf(corpus: Corpus, num_topics: int, seed: int) -> Fitted:
    """scikit-learn's NMF of TF-IDF."""
    from sklearn.decomposition import NMF

    model = NMF(num_topics, random_state=seed, max_iter=400)
    proportions = model.fit_transform(_tfidf(corpus))
    return Fitted(model.components_, proportions)


def fit_lsa(corpus: Corpus, num_topics: int, seed: int) -> Fitted:
    """100 dimensions of LSA, spherical k-means, words by class TF-IDF."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    codes = normalize(TruncatedSVD(100, random_state=seed).fit_transform(_tfidf(corpus)))
    return _clustered(corpus, KMeans(num_topics, n_init=10, random_state=seed).fit(codes).labels_)


def _clustered(corpus: Corpus, assignment: np.ndarray) -> Fitted:
    """Clusters as topics, their words by class TF-IDF (Grootendorst, 2022)."""
    proportions = np.eye(assignment.max() + 1)[assignment]
    in_topic = proportions.T @ corpus.counts
    share = in_topic / in_topic.sum(axis=1, keepdims=True)
    return Fitted(share * np.log1p(in_topic.sum() / len(in_topic) / in_topic.sum(axis=0)), proportions)


def fit_tomotopy(corpus: Corpus, num_topics: int, seed: int) -> Fitted:
    """LDA of tomotopy (collapsed Gibbs), 1,000 sweeps on one thread."""
    import tomotopy

    model = tomotopy.LDAModel(k=num_topics, seed=seed)
    rows = corpus.sequences or [
        np.asarray(corpus.vocabulary, object)[np.repeat(row.indices, row.data.astype(int))].tolist()
        for row in corpus.counts
    ]
    for words in rows:
        model.add_doc(words)
    model.train(1000, workers=1)
    columns = {word: column for column, word in enumerate(model.used_vocabs)}
    known = [columns.get(word, -1) for word in corpus.vocabulary]
    of_words = np.stack([np.append(model.get_topic_word_dist(topic), 0.0)[known] for topic in range(num_topics)])
    return Fitted(of_words, np.stack([document.get_topic_dist() for document in model.docs]))


def fit_gsdmm(corpus: Corpus, num_topics: int, seed: int) -> Fitted:
    """GSDMM (Yin and Wang, KDD 2014): collapsed Gibbs of a multinomial mixture, alpha = beta = .1, 15 sweeps."""
    rng, prior, smoothing = np.random.default_rng(seed), 0.1, 0.1
    counts = corpus.counts.tocsr()
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    topics = rng.integers(num_topics, size=len(lengths))
    sizes = np.bincount(topics, minlength=num_topics).astype(float)
    of_words = (counts.T @ np.eye(num_topics)[topics]).astype(float)  # (V, K)
    totals, spread = of_words.sum(axis=0), smoothing * counts.shape[1]
    proportions = np.zeros((len(lengths), num_topics))
    for _ in range(15):
        for row, length in enumerate(lengths):
            own = slice(counts.indptr[row], counts.indptr[row + 1])
            words, times = counts.indices[own], counts.data[own, np.newaxis]
            old = topics[row]
            sizes[old] -= 1
            of_words[words, old] -= times[:, 0]
            totals[old] -= length
            there = of_words[words] + smoothing
            score = np.log(sizes + prior) + (gammaln(there + times) - gammaln(there)).sum(axis=0)
            score -= gammaln(totals + spread + length) - gammaln(totals + spread)
            share = np.exp(score - score.max())
            proportions[row] = share / share.sum()
            new = topics[row] = rng.choice(num_topics, p=proportions[row])
            sizes[new] += 1
            of_words[words, new] += times[:, 0]
            totals[new] += length
    return Fitted(of_words.T, proportions)


def _tfidf(corpus: Corpus) -> sparse.csr_matrix:
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer().fit_transform(corpus.counts)


METHODS: dict[str, Callable[[Corpus, int, int], Fitted]] = {
    "TopicModel": fit_topic_model,
    "TopicModel, vectors": fit_with_vectors,
    "k-means of vectors": fit_vectors,
    "LDA": fit_lda,
    "NMF": fit_nmf,
    "LSA": fit_lsa,
    "tomotopy": fit_tomotopy,
    "GSDMM": fit_gsdmm,
}


def fit_peer(method: str, corpus: Corpus, num_topics: int, seed: int, python: str) -> tuple[Fitted, dict[str, float]]:
    """A peer, fitted by `benchmarks/topic_peers.py` under the interpreter `python`; also its costs."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        counts = corpus.counts.tocsr()
        parts = {"data": counts.data, "indices": counts.indices, "indptr": counts.indptr}
        vectors = np.zeros(0) if corpus.vectors is None else corpus.vectors
        np.savez(given, **parts, num_words=counts.shape[1], vectors=vectors)
        script = Path(__file__).with_name("topic_peers.py")
        call = [python, str(script), method, str(num_topics), str(seed), str(given), str(found)]
        finished = subprocess.run(call, capture_output=True, text=True, check=False)
        if finished.returncode:
            raise RuntimeError(f"{method} failed under {python}:\n{finished.stderr[-2000:]}")
        with np.load(found) as file:
            costs = {name: float(file[name]) for name in ("cpu_s", "peak_memory_gb")}
            return Fitted(file["word_scores"], file["proportions"]), costs
