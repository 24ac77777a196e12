"""Fits one topic model of TopMost, or BERTopic; run by `benchmarks.topics` in an environment where these are installed.

python benchmarks/topic_peers.py METHOD NUM_TOPICS SEED GIVEN.npz FOUND.npz

GIVEN holds the counts of a CSR matrix (`data`, `indices`, `indptr`, `num_words`), and `vectors` or nothing. FOUND holds scores
that rank words (K, V), proportions (n, K), and the CPU time and peak memory from the import of the library to the end of the fit.
Imports nothing of this package, so that the environments stay apart.
"""

from __future__ import annotations

import resource
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import sparse

_BATCH = 200  # TopMost's default


def fit(method: str, counts: sparse.csr_matrix, num_topics: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that rank words (K, V), and proportions (n, K)."""
    import torch

    torch.manual_seed(seed)
    np.random.seed(seed)  # the only generator that FASTopic's batches have
    if method == "FASTopic":
        return _fastopic(counts, num_topics, seed)
    import topmost

    data = torch.from_numpy(counts.toarray()).float()
    batches = torch.utils.data.DataLoader(data, batch_size=_BATCH, shuffle=True)
    model = getattr(topmost, method)(counts.shape[1], num_topics=num_topics)
    names = [str(word) for word in range(counts.shape[1])]
    dataset = SimpleNamespace(train_data=data, train_dataloader=batches, vocab=names)
    trainer = topmost.BasicTrainer(model, dataset)
    _, proportions = trainer.train()
    return trainer.get_beta(), proportions


def _fastopic(counts: sparse.csr_matrix, num_topics: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """FASTopic with LSA instead of pretrained embeddings of the documents."""
    from fastopic import FASTopic
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.preprocessing import normalize

    codes = normalize(TruncatedSVD(100, random_state=seed).fit_transform(TfidfTransformer().fit_transform(counts)))
    prepared = {"train_bow": counts, "vocab": [str(word) for word in range(counts.shape[1])]}
    reader = SimpleNamespace(preprocess=lambda _: prepared)
    no_embedder: Any = SimpleNamespace(encode=None)
    model = FASTopic(num_topics, preprocess=reader, doc_embed_model=no_embedder, device="cpu")
    _, proportions = model.fit_transform([""] * counts.shape[0], preset_doc_embeddings=codes.astype(np.float32))
    return model.get_beta(), proportions


def _bertopic(
    counts: sparse.csr_matrix, num_topics: int, seed: int, vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """BERTopic with UMAP as it is by default, and k-means for as many topics as are asked for."""
    from bertopic import BERTopic
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import CountVectorizer
    from umap import UMAP

    rows = (np.repeat(row.indices, row.data.astype(int)) for row in counts)
    texts = [" ".join(map(str, row.tolist())) for row in rows]
    model = BERTopic(
        embedding_model=None,
        umap_model=UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed),
        hdbscan_model=KMeans(num_topics, n_init=10, random_state=seed),
        vectorizer_model=CountVectorizer(token_pattern=r"\S+"),
    )
    topics, _ = model.fit_transform(texts, vectors)
    scores = np.zeros((num_topics, counts.shape[1]))
    scores[:, model.vectorizer_model.get_feature_names_out().astype(int)] = model.c_tf_idf_.toarray()
    return scores, np.eye(num_topics)[topics]


def main() -> None:
    method, num_topics, seed, given, found = sys.argv[1:]
    with np.load(given) as file:
        parts = (file["data"], file["indices"], file["indptr"])
        counts = sparse.csr_matrix(parts, (len(parts[2]) - 1, int(file["num_words"])))
        vectors = file["vectors"]
    started = time.process_time()
    if method == "BERTopic":
        word_scores, proportions = _bertopic(counts, int(num_topics), int(seed), vectors)
    else:
        word_scores, proportions = fit(method, counts, int(num_topics), int(seed))
    np.savez(
        found,
        word_scores=word_scores,
        proportions=proportions,
        cpu_s=time.process_time() - started,
        peak_memory_gb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    )


if __name__ == "__main__":
    main()
