"""Prepared corpora on disk: shards of `tf.train.Example` records, a vocabulary and a manifest.

A folder holds

- `prepared.json`: what the corpus is, and the name, number of examples and size in bytes of every shard;
- `vocabulary.txt`: a word and how often it occurs in train per line, in the order of the ids;
- `{train,valid,test}-00000-of-00004.tfrecord`: examples with the int64 features `tokens`, ids of a sentence that ends in
  `<eos>`, or `ids` and `counts` of a document, and `label` where there are labels.

Any TensorFlow program can read the shards; records carry checksums.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._errors import MissingPlaceError

MANIFEST, VOCABULARY = "prepared.json", "vocabulary.txt"
FEATURES = {"documents": ("ids", "counts"), "sentences": ("tokens",)}  # by kind, beside `label`
FORMAT = 2


class ShardWriter:
    """Writes the examples of one split, dealt to its shards one after the other.

    Dealing mixes the corpus: every shard holds examples from everywhere, and so is a sample of the whole.

    Args:
        folder: Where the shards go.
        split: "train", "valid" or "test".
        num_shards: Number of files.
    """

    def __init__(self, folder: Path, split: str, num_shards: int) -> None:
        self._paths = [folder / f"{split}-{i:05d}-of-{num_shards:05d}.tfrecord" for i in range(num_shards)]
        self._writers = [tf.io.TFRecordWriter(str(path)) for path in self._paths]
        self._examples = 0
        self.tokens = 0
        self._content = hashlib.sha256()

    def close(self) -> None:
        """Finishes the files."""
        for writer in self._writers:
            writer.close()

    def write(self, features: Mapping[str, Sequence[int]], tokens: int) -> None:
        """Writes an example of int64 features that stands for so many tokens."""
        for name in sorted(features):
            self._content.update(name.encode() + np.asarray(features[name], "<i8").tobytes())
        example = tf.train.Example(
            features=tf.train.Features(
                feature={
                    name: tf.train.Feature(int64_list=tf.train.Int64List(value=values))
                    for name, values in features.items()
                }
            )
        )
        self._writers[self._examples % len(self._writers)].write(example.SerializeToString())
        self._examples += 1
        self.tokens += tokens

    def description(self) -> dict[str, Any]:
        """The split's part of the manifest; to be called when the writer is closed."""
        number = len(self._paths)
        return {
            "examples": self._examples,
            "tokens": self.tokens,
            "sha256": self._content.hexdigest()[:16],
            "shards": [
                {
                    "file": path.name,
                    "examples": (self._examples - i + number - 1) // number,
                    "bytes": path.stat().st_size,
                }
                for i, path in enumerate(self._paths)
            ],
        }


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of a prepared corpus, once its files are known to be there and whole.

    Raises:
        FileNotFoundError: The folder holds no prepared corpus, or a shard is missing.
        ValueError: The manifest is malformed or of another version; a shard has another size than when it was written.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    if not path.is_file():
        raise MissingPlaceError(
            f"the folder of a prepared corpus, with a file {MANIFEST}; `python -m trainers.prepare` writes one", folder
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version, kind = manifest["format"], manifest["kind"]
        shards = [shard for split in manifest["splits"].values() for shard in split["shards"]]
        sizes = {shard["file"]: shard["bytes"] for shard in shards}
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is not the manifest of a prepared corpus: {error!r}. Prepare the corpus again."
        ) from error
    if version != FORMAT or kind not in FEATURES:
        raise ValueError(
            f"{path}: expected format {FORMAT} and a kind out of {', '.join(FEATURES)}. Received: format {version}, kind "
            f"{kind!r}. Prepare the corpus again with this version."
        )
    for name, size in sizes.items():
        shard = folder / name
        if not shard.is_file():
            raise FileNotFoundError(
                f"A shard of the prepared corpus is missing: {shard}. Prepare the corpus again, or restore the file."
            )
        if shard.stat().st_size != size:
            raise ValueError(
                f"{shard}: expected {size} bytes, as when it was written. Received: {shard.stat().st_size}. Prepare the corpus "
                "again, or restore the file."
            )
    return dict(manifest)


def write_vocabulary(path: Path, words: Sequence[str], totals: Iterable[int]) -> None:
    """Writes `word count` lines."""
    path.write_text("".join(f"{word} {int(n)}\n" for word, n in zip(words, totals, strict=True)), encoding="utf-8")


def read_word_counts(path: Path) -> tuple[tuple[str, ...], np.ndarray]:
    """The words of a prepared corpus and how often each occurs in train, int64 (V,)."""
    pairs = [line.rsplit(" ", 1) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return tuple(word for word, _ in pairs), np.array([int(count) for _, count in pairs], dtype=np.int64)


def parse(serialized: tf.Tensor, kind: str, labelled: bool) -> dict[str, Any]:
    """The features of a batch of records: ragged int64 `tokens`, or `ids` and `counts`, (n, None), and `label` (n,)."""
    features: dict[str, Any] = {
        name: tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64) for name in FEATURES[kind]
    }
    if labelled:
        features["label"] = tf.io.FixedLenFeature([], tf.int64)
    return dict(tf.io.parse_example(serialized, features))


def check_shard(path: Path, expected: int) -> None:
    """Reads a shard to its end.

    Raises:
        ValueError: A record is damaged; the message names the file and the record.
    """
    number = 0
    try:
        for _ in tf.data.TFRecordDataset(str(path)):
            number += 1
    except tf.errors.DataLossError as error:
        raise ValueError(
            f"{path}, record {number + 1} of {expected}: expected a record that agrees with its checksum. The file is damaged: "
            "restore it, or prepare the corpus again and go on with the same command."
        ) from error
    if number != expected:
        raise ValueError(f"{path}: expected {expected} records. Received: {number}. Prepare the corpus again.")
