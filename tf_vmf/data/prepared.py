"""Prepared corpora: validation and test in memory, training examples on disk."""

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
from scipy import sparse

from tf_vmf.data.corpus import BagOfWordsCorpus, SentenceCorpus
from tf_vmf.data.documents import Documents
from tf_vmf.data.records import DocumentRecords, Records, SentenceRecords
from tf_vmf.data.sentences import Sentences
from tf_vmf.data.shards import VOCABULARY, check_shard, parse, read_manifest, read_word_counts
from tf_vmf.data.splits import SPLITS
from tf_vmf.text.tokens import UNK_ID

_TRAINERS = {"documents": "trainers.bow_vae", "sentences": "trainers.lstm_vae"}

R = TypeVar("R", bound=Records)


def prepared_documents(folder: str | Path) -> BagOfWordsCorpus:
    """The corpus that `prepare_documents` wrote; its `train` is the first shard.

    Raises:
        FileNotFoundError, ValueError: see `read_manifest`; the folder holds sentences; a record is damaged.
    """
    manifest, records = _read(Path(folder), DocumentRecords)

    def documents(features: dict[str, Any]) -> Documents:
        ids, counts = features["ids"], features["counts"]
        parts = counts.values.numpy().astype(np.int32), ids.values.numpy(), ids.row_splits.numpy()
        matrix = sparse.csr_matrix(parts, shape=(int(ids.nrows()), len(records.word_counts)))
        return Documents(matrix, features["label"].numpy() if records.labelled else None)

    splits = {split: documents(_first_shard(Path(folder), manifest, split, records)) for split in SPLITS}
    return BagOfWordsCorpus(
        **_common(manifest, Path(folder)),
        train=splits["train"],
        valid=splits["valid"],
        test=splits["test"],
        ngram_range=tuple(manifest["ngram_range"]),
        notes=_notes(manifest, records),
        train_records=records,
    )


def prepared_sentences(folder: str | Path) -> SentenceCorpus:
    """The corpus that `prepare_sentences` wrote; its `train` is the first shard.

    Raises:
        FileNotFoundError, ValueError: see `read_manifest`; the folder holds documents; a record is damaged.
    """
    manifest, records = _read(Path(folder), SentenceRecords)

    def sentences(features: dict[str, Any]) -> Sentences:
        tokens = features["tokens"]
        labels = features["label"].numpy().astype(np.int32) if records.labelled else None
        return Sentences(tokens.values.numpy().astype(np.int32), tokens.row_splits.numpy(), labels)

    splits = {split: sentences(_first_shard(Path(folder), manifest, split, records)) for split in SPLITS}
    notes = _notes(manifest, records)
    notes["train"]["unk_share"] = round(float(records.word_counts[UNK_ID]) / max(1, records.num_tokens), 6)
    return SentenceCorpus(
        **_common(manifest, Path(folder)),
        train=splits["train"],
        valid=splits["valid"],
        test=splits["test"],
        notes=notes,
        train_records=records,
    )


def _read(folder: Path, records: type[R]) -> tuple[dict[str, Any], R]:
    """The manifest and the training records.

    Raises:
        FileNotFoundError, ValueError: see `read_manifest`; the folder holds records of another kind.
    """
    manifest = read_manifest(folder)
    kind = manifest["kind"]
    if kind != records.kind:
        raise ValueError(
            f"Expected prepared {records.kind}. Received: {folder} with {kind}, which are for {_TRAINERS[kind]}."
        )
    shards = manifest["splits"]["train"]["shards"]
    return manifest, records(
        paths=tuple(folder / shard["file"] for shard in shards),
        sizes=tuple(shard["examples"] for shard in shards),
        word_counts=read_word_counts(folder / VOCABULARY)[1],
        labelled=bool(manifest["label_names"]),
    )


def _first_shard(folder: Path, manifest: dict[str, Any], split: str, records: Records) -> dict[str, Any]:
    """The features of the examples of the first shard of a split: all of validation and test, a sample of train."""
    shard = manifest["splits"][split]["shards"][0]
    path, size = folder / shard["file"], shard["examples"]
    try:
        serialized = tf.data.TFRecordDataset(str(path)).batch(size).get_single_element()
    except tf.errors.DataLossError:
        check_shard(path, size)
        raise
    return parse(serialized, records.kind, records.labelled)


def _common(manifest: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The attributes of the corpus that the manifest and the vocabulary file state."""
    return {
        "name": manifest["name"],
        "vocabulary": read_word_counts(folder / VOCABULARY)[0],
        "label_names": tuple(manifest["label_names"]),
        "tokenization": manifest["tokenization"],
    }


def _notes(manifest: dict[str, Any], records: Records) -> dict[str, Any]:
    """The notes of the corpus, with the sizes of all shards of train."""
    train = manifest["splits"]["train"]
    sizes = {records.kind: train["examples"], "tokens": train["tokens"], "shards": len(records.paths)}
    of_train = manifest["notes"].get("train", {}) | sizes | {"sha256": train["sha256"]}
    return {**manifest["notes"], "train": of_train}
