"""Fingerprints that tell one corpus from another."""

import hashlib
from collections.abc import Iterable

import numpy as np

from tf_vmf.data.arrays import BLOCK, blocks


def vocabulary_fingerprint(vocabulary: Iterable[str]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the words, one per line, in order."""
    return hashlib.sha256("\n".join(vocabulary).encode()).hexdigest()[:16]


def content_fingerprint(*columns: np.ndarray | None) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of integer columns, whatever their width in memory."""
    digest = hashlib.sha256()
    for column in columns:
        if column is None:
            digest.update(b"none")
            continue
        for block in blocks(len(column), BLOCK):
            digest.update(np.asarray(column[block]).astype("<i8").data)
    return digest.hexdigest()[:16]
