"""Prepared corpora: validation and test in memory, training examples on disk."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import sparse

from tf_vmf.data.documents import SPLITS, BagOfWordsCorpus, Documents
from tf_vmf.data.record_files import KINDS, VOCABULARY, check_shard, parse, read_manifest, read_word_counts
from tf_vmf.data.records import Records
from tf_vmf.data.sentences import SentenceCorpus, Sentences

_TRAINERS = {"documents": "trainers.bow_vae", "sentences": "trainers.lstm_vae"}


def prepared_documents(folder: str | Path) -> BagOfWordsCorpus:
    """The corpus that `prepare_documents` wrote; its `train` is the first shard.

    Raises:
        FileNotFoundError, ValueError: See `read_manifest`; the folder holds sentences; a record is damaged.
    """
    common, records, features = _read(Path(folder), "documents")
    splits = {}
    for split in SPLITS:
        ids, counts = features[split]["ids"], features[split]["counts"]
        shape = (int(ids.nrows()), len(records.word_counts))
        matrix = sparse.csr_matrix(
            (counts.values.numpy().astype(np.int32), ids.values.numpy(), ids.row_splits.numpy()), shape=shape
        )
        labels = features[split]["label"].numpy() if records.labelled else None
        splits[split] = Documents(matrix, labels)
    return BagOfWordsCorpus(
        train=splits["train"], valid=splits["valid"], test=splits["test"], train_records=records, **common
    )


def prepared_sentences(folder: str | Path) -> SentenceCorpus:
    """The corpus that `prepare_sentences` wrote; its `train` is the first shard.

    Raises:
        FileNotFoundError, ValueError: See `read_manifest`; the folder holds documents; a record is damaged.
    """
    common, records, features = _read(Path(folder), "sentences")
    splits = {
        split: Sentences(
            features[split]["tokens"].values.numpy().astype(np.int32),
            features[split]["tokens"].row_splits.numpy(),
            features[split]["label"].numpy().astype(np.int32) if records.labelled else None,
        )
        for split in SPLITS
    }
    return SentenceCorpus(
        train=splits["train"], valid=splits["valid"], test=splits["test"], train_records=records, **common
    )


def _read(folder: Path, kind: str) -> tuple[dict[str, Any], Records, dict[str, dict[str, Any]]]:
    """What both kinds of corpora share, the training records, and the features of each split."""
    manifest = read_manifest(folder)
    if manifest["kind"] != kind:
        other = next(each for each in KINDS if each != kind)
        raise ValueError(
            f"Expected prepared {kind}. Received: {folder} with {other}, which are for {_TRAINERS[other]}."
        )
    vocabulary, word_counts = read_word_counts(folder / VOCABULARY)
    shards = {split: manifest["splits"][split]["shards"] for split in SPLITS}
    records = Records(
        paths=tuple(folder / shard["file"] for shard in shards["train"]),
        sizes=tuple(shard["examples"] for shard in shards["train"]),
        kind=kind,
        word_counts=word_counts,
        labelled=bool(manifest["label_names"]),
    )
    features = {}
    for split in SPLITS:
        path, size = folder / shards[split][0]["file"], shards[split][0]["examples"]
        try:
            serialized = tf.data.TFRecordDataset(str(path)).batch(size).get_single_element()
        except tf.errors.DataLossError:
            check_shard(path, size)
            raise
        features[split] = parse(serialized, kind, records.labelled)
    train = manifest["splits"]["train"]
    figures = {kind: train["examples"], "tokens": train["tokens"], "shards": len(records.paths)}
    if kind == "sentences":
        figures["unk_share"] = round(float(word_counts[_unk(vocabulary)]) / max(1, train["tokens"]), 6)
    if "sha256" in train:  # of all shards; corpora prepared earlier have none, and only the first shard's counts
        figures["sha256"] = train["sha256"]
    common = {
        "name": manifest["name"],
        "vocabulary": vocabulary,
        "label_names": tuple(manifest["label_names"]),
        "tokenization": manifest["tokenization"],
        "notes": {**manifest["notes"], "train": figures},
    }
    return common, records, features


def _unk(vocabulary: tuple[str, ...]) -> int:
    return vocabulary.index("<unk>")
