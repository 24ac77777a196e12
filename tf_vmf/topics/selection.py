"""The number of topics, where none is given."""

from __future__ import annotations

import numpy as np

from tf_vmf.topics.mixture import fit_mixture

CANDIDATES = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
_DOCUMENTS_PER_TOPIC = 10


def choose_num_topics(codes: np.ndarray, seed: int) -> tuple[int, dict[int, float]]:
    """The candidate with the lowest Bayesian information criterion of the codes.

    Candidates rise from 2 to 100, and to a tenth of the documents at most. The search ends when the criterion has risen twice in
    a row.

    Args:
        codes: Unit vectors, shape (n, d).
        seed: Seed of the mixtures' starting points.

    Returns:
        (the number of topics, the criterion by number).
    """
    most = max(2, len(codes) // _DOCUMENTS_PER_TOPIC)
    criteria: dict[int, float] = {}
    for candidate in CANDIDATES:
        if candidate > min(most, len(codes)):
            break
        criteria[candidate] = fit_mixture(codes, candidate, seed).bic(codes)
        last = list(criteria.values())[-3:]
        if len(last) == 3 and last[0] < last[1] < last[2]:
            break
    best = min(criteria, key=lambda candidate: criteria[candidate])
    return best, criteria
