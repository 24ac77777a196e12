"""Columns of numbers that grow, in memory or in files that are then mapped into memory; and fingerprints of them."""

from __future__ import annotations

import hashlib
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

_BUFFER = 2**17  # numbers held before they are written
BLOCK = 2**20  # numbers read at once from a file


class Column:
    """A growing column of "int8", "int32", "int64" or "float32" numbers: in memory, in an `.npy` file, or raw in an open file."""

    def __init__(self, dtype: str, path: Path | None = None, file: BinaryIO | None = None) -> None:
        self._dtype = np.dtype(dtype)
        self._buffer = array({"int8": "b", "int32": "i", "int64": "q", "float32": "f"}[dtype])
        self._path = path
        self._file = path.open("w+b") if path is not None else file
        self._written = 0
        if self._file is not None:
            weakref.finalize(self, self._file.close)  # what is mapped from it stays
        if path is not None:
            self._write_header()

    def __len__(self) -> int:
        return self._written + len(self._buffer)

    def append(self, value: int) -> None:
        self._buffer.append(value)
        self._flush(_BUFFER)

    def extend(self, values: Iterable[int]) -> None:
        if isinstance(values, np.ndarray):
            self._buffer.frombytes(np.ascontiguousarray(values, self._dtype).tobytes())
        else:
            self._buffer.extend(values)
        self._flush(_BUFFER)

    def array(self) -> np.ndarray:
        """All numbers so far; read-only where they are mapped from a file."""
        if self._file is None:
            return np.array(self._buffer, self._dtype)
        self._flush(1)
        if self._path is not None:
            self._write_header()
        self._file.flush()
        if not self._written:  # an empty file cannot be mapped
            return np.zeros(0, self._dtype)
        if self._path is not None:
            return cast(np.ndarray, np.load(self._path, mmap_mode="r"))
        return np.memmap(self._file, self._dtype, "r", shape=(self._written,))

    def _flush(self, least: int) -> None:
        if self._file is not None and len(self._buffer) >= least:
            self._file.seek(0, 2)
            self._buffer.tofile(self._file)
            self._written += len(self._buffer)
            del self._buffer[:]

    def _write_header(self) -> None:
        # numpy leaves room in the header for the length to grow, so that it can be written anew in its place.
        assert self._file is not None
        self._file.seek(0)
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": (self._written,)}
        np.lib.format.write_array_header_1_0(self._file, cast(Any, header))


@dataclass(frozen=True)
class Store:
    """The place of columns: memory or a folder."""

    # None: in memory. A folder: columns with a name are `.npy` files in it, others nameless files that are gone when nothing uses
    # them any more.
    folder: Path | None = None

    def column(self, dtype: str, name: str | None = None) -> Column:
        """A new column."""
        if self.folder is None:
            return Column(dtype)
        if name is not None:
            return Column(dtype, self.folder / f"{name}.npy")
        return Column(dtype, file=cast(BinaryIO, tempfile.TemporaryFile(dir=self.folder)))

    @property
    def scratch(self) -> Store:
        """A store for what is needed for a while: nameless files beside those of this store, or memory."""
        return self if self.folder is None else Store(self.folder.parent)


IN_MEMORY = Store()


def blocks(size: int, block: int) -> Iterator[slice]:
    """Cuts `size` rows into slices of at most `block` rows."""
    return (slice(start, min(start + block, size)) for start in range(0, size, block))


def sha256_of_array(values: np.ndarray) -> str:
    """The SHA-256 of the numbers, block by block, as hexadecimal digits."""
    digest = hashlib.sha256()
    for block in blocks(len(values), BLOCK):
        digest.update(np.ascontiguousarray(values[block]).data)
    return digest.hexdigest()


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
