"""The number of topics, where none is given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tf_vmf.topics.arguments import warn_of_equal_codes
from tf_vmf.topics.documents import CountedDocuments, nonempty
from tf_vmf.topics.fitting import cluster, fit_topics, sample_of, starting_points
from tf_vmf.topics.mixture import TopicMixture

CANDIDATES = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
_DOCUMENTS_PER_TOPIC = 10
_SAMPLE = 4000  # documents that the criterion is computed on
_RESTARTS = 3


def find_mixture(
    documents: CountedDocuments,
    codes: np.ndarray,
    concentrations: np.ndarray,
    num_topics: int | None,
    *,
    guides: Sequence[Sequence[int]],
    seed: int,
) -> tuple[TopicMixture, dict[int, float] | None]:
    """The mixture of the documents with a known word, and the criterion by number of topics, where `num_topics` is None.

    There are at least as many topics as guides, the columns of the seed words of the first topics.
    """
    known, criteria = np.flatnonzero(documents.known), None
    if len(known) < len(documents):
        codes, concentrations = codes[known], concentrations[known]
    vectors = None if documents.vectors is None else documents.vectors[known]
    rows = sample_of(len(known), seed)
    points = starting_points(codes[rows], None if vectors is None else vectors[rows], seed)
    if num_topics is None:
        num_topics, criteria = choose_num_topics(points, seed)
        num_topics = max(num_topics, len(guides))
    warn_of_equal_codes(points, num_topics)
    mixture = fit_topics(
        codes, concentrations, nonempty(documents.counts), num_topics, vectors=vectors, guides=guides, seed=seed
    )
    return mixture, criteria


def choose_num_topics(points: np.ndarray, seed: int) -> tuple[int, dict[int, float]]:
    """The candidate with the largest mean silhouette of points by cosine (Rousseeuw, 1987), and the criterion by number.

    Points are codes, or what `fitting.starting_points` makes of codes and vectors. Candidates rise from 2 to 100, and to a tenth of
    the documents at most. Measured with candidates up to 50: it names 5 topics for the 5 classes of BBC News, 10 for the 10 of M10,
    2 for the 20 of 20 Newsgroups and 50 for the 8 of SearchSnippets; the Bayesian information criterion names 30 or more for all
    four.
    """
    from sklearn.metrics import silhouette_score

    sample = points
    if len(points) > _SAMPLE:
        sample = points[np.sort(np.random.default_rng(seed).permutation(len(points))[:_SAMPLE])]
    most = max(2, len(sample) // _DOCUMENTS_PER_TOPIC)
    criteria: dict[int, float] = {}
    for candidate in CANDIDATES:
        if candidate > min(most, len(sample) - 1):
            break
        groups = cluster(sample, candidate, seed, _RESTARTS)
        several = len(np.unique(groups)) > 1
        criteria[candidate] = float(silhouette_score(sample, groups, metric="cosine")) if several else -1.0
    best = max(criteria, key=lambda candidate: criteria[candidate], default=1)
    return best, criteria
