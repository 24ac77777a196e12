"""Fingerprints that tell one corpus from another."""

import hashlib
from collections.abc import Iterable

import numpy as np


def vocabulary_fingerprint(vocabulary: Iterable[str]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the words, one per line, in order."""
    return hashlib.sha256("\n".join(vocabulary).encode()).hexdigest()[:16]


def content_fingerprint(*columns: np.ndarray | None) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of integer columns, whatever their width in memory."""
    digest = hashlib.sha256()
    for column in columns:
        digest.update(b"none" if column is None else np.asarray(column).astype("<i8").tobytes())
    return digest.hexdigest()[:16]
