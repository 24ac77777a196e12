"""Fits one topic model of TopMost; run by `benchmarks.topics` in an environment where TopMost is installed.

python benchmarks/topic_peers.py METHOD NUM_TOPICS SEED GIVEN.npz FOUND.npz

GIVEN holds the counts of a CSR matrix (`data`, `indices`, `indptr`, `num_words`). FOUND holds scores that rank words (K, V),
proportions (n, K), and the CPU time and peak memory from the import of the library to the end of the fit. Imports nothing of this
package, so that the environments stay apart.
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


def main() -> None:
    method, num_topics, seed, given, found = sys.argv[1:]
    with np.load(given) as file:
        parts = (file["data"], file["indices"], file["indptr"])
        counts = sparse.csr_matrix(parts, (len(parts[2]) - 1, int(file["num_words"])))
    started = time.process_time()
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
