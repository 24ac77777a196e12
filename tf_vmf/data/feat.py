"""Miao's `.feat` files: documents that come as word counts (https://github.com/ysmiao/nvdm)."""

import re
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from tf_vmf.data.documents import Documents
from tf_vmf.text.lines import line_error, read_lines

_LINE = re.compile(r"\s*-?[0-9]+(?:\s+[0-9]+:[0-9]+)*\s*")
_PAIR = re.compile(r"[0-9]+:[0-9]+")
_LARGEST_COUNT = 2**31 - 1


def read_feat(paths: str | Path | Sequence[str | Path], vocabulary_size: int) -> Documents:
    """Reads `.feat` files: a document per line, `label id:count id:count ...`, ids from 1 to `vocabulary_size`.

    A line with a label alone is an empty document and stays, so that rows and lines correspond. Labels are numbers in the file.
    """
    labels, ends = array("q"), array("q", [0])
    ids, counts = array("i"), array("i")  # 8 bytes per entry while reading, no list of Python objects
    for path in [paths] if isinstance(paths, str | Path) else paths:
        for label, document_ids, document_counts in iterate_feat(path, vocabulary_size):
            labels.append(label)
            ids.extend(document_ids)
            counts.extend(document_counts)
            ends.append(len(ids))
    columns = np.array(counts, dtype=np.int32), np.array(ids, dtype=np.int32), np.array(ends, dtype=np.int64)
    matrix = sparse.csr_matrix(columns, shape=(len(labels), vocabulary_size))
    return Documents(matrix, labels=np.array(labels, dtype=np.int64))


def is_feat(path: Path) -> bool:
    """True if a file holds counts of documents, by its name."""
    return path.name.removesuffix(".gz").endswith(".feat")


def iterate_feat(path: str | Path, vocabulary_size: int) -> Iterator[tuple[int, list[int], list[int]]]:
    """Yields (label, ids in rising order from 0, counts) for every line of a `.feat` file; raises as `read_feat`."""
    for number, line in read_lines(path):
        if not _LINE.fullmatch(line):
            raise line_error(path, number, "`label id:count id:count ...` in integers", _offender(line))
        label, *numbers = map(int, line.replace(":", " ").split())
        ids, values = numbers[::2], numbers[1::2]
        if ids:
            if min(ids) < 1 or max(ids) > vocabulary_size:
                wrong = next(i for i in ids if not 1 <= i <= vocabulary_size)
                raise line_error(path, number, f"ids from 1 to {vocabulary_size}, the vocabulary's size", f"id {wrong}")
            if min(values) < 1 or max(values) > _LARGEST_COUNT:
                wrong = next(v for v in values if not 1 <= v <= _LARGEST_COUNT)
                raise line_error(path, number, f"counts from 1 to {_LARGEST_COUNT}", f"count {wrong}")
            if len(set(ids)) != len(ids):
                twice = next(i for place, i in enumerate(ids) if i in ids[:place])
                raise line_error(path, number, "each id once", f"id {twice} twice")
        pairs = sorted(zip(ids, values, strict=True))
        yield label, [i - 1 for i, _ in pairs], [count for _, count in pairs]


def _offender(line: str) -> str:
    """The part of a malformed line to show: its first bad field, or the line if the label is missing."""
    fields = line.split()
    bad = [field for field in fields[1:] if not _PAIR.fullmatch(field)]
    return repr(bad[0]) if bad else repr(line)
