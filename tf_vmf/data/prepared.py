"""Prepared corpora: arrays in files that are mapped into memory, a vocabulary and a manifest.

A folder holds

- `prepared.json`: what the corpus is, the hash of its vocabulary, and the length and SHA-256 of every array;
- `vocabulary.txt`: a word and how often it occurs in train per line, in the order of the ids;
- of each split, as NumPy files, `{split}-tokens.npy` and `{split}-offsets.npy` of sentences, or `{split}-counts.npy`,
  `{split}-words.npy` and `{split}-offsets.npy` of documents (a CSR matrix), and `{split}-labels.npy` where there are labels.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from tf_vmf._errors import MissingPlaceError
from tf_vmf.data.arrays import Store, sha256_of_array, vocabulary_fingerprint
from tf_vmf.data.corpus import BagOfWordsCorpus, SentenceCorpus
from tf_vmf.data.documents import Documents
from tf_vmf.data.registry import register_corpus
from tf_vmf.data.sentences import Sentences
from tf_vmf.data.splits import SPLITS

MANIFEST, VOCABULARY = "prepared.json", "vocabulary.txt"
FORMAT = 3
_DTYPES = {"tokens": "int32", "offsets": "int64", "counts": "int32", "words": "int32"}
_TRAINERS = {"documents": "trainers.bow_vae", "sentences": "trainers.lstm_vae"}
_AGAIN = "Prepare the corpus again: `python -m trainers.prepare` with the same text and another --output."


def write_prepared(folder: Path, name: str, corpus: BagOfWordsCorpus | SentenceCorpus) -> dict[str, Any]:
    """Writes what a folder does not hold yet of a corpus whose arrays lie there or in memory; returns the manifest."""
    is_documents = isinstance(corpus, BagOfWordsCorpus)
    counts = corpus.train_word_counts
    lines = (f"{word} {int(count)}\n" for word, count in zip(corpus.vocabulary, counts, strict=True))
    (folder / VOCABULARY).write_text("".join(lines), encoding="utf-8")
    splits: dict[str, Any] = {}
    for split in SPLITS:
        examples = getattr(corpus, split)
        if is_documents:
            matrix = examples.counts
            arrays = {"counts": matrix.data, "words": matrix.indices, "offsets": matrix.indptr}
        else:
            arrays = {"tokens": examples.tokens, "offsets": examples.offsets}
        if examples.labels is not None:
            arrays["labels"] = examples.labels
        files: dict[str, Any] = {}
        for array, values in arrays.items():
            path = folder / f"{split}-{array}.npy"
            if not path.exists():
                column = Store(folder).column(_DTYPES.get(array, "int64" if is_documents else "int32"), path.stem)
                column.extend(values)
                column.array()
            stored = np.load(path, mmap_mode="r")
            files[array] = {"file": path.name, "length": len(stored), "sha256": sha256_of_array(stored)}
        splits[split] = {"examples": len(examples), "tokens": examples.num_tokens, "files": files}
    manifest = {
        "format": FORMAT,
        "kind": "documents" if is_documents else "sentences",
        "name": name,
        "tokenization": corpus.tokenization,
        "ngram_range": list(corpus.ngram_range),
        "label_names": list(corpus.label_names),
        "vocabulary_sha256": vocabulary_fingerprint(corpus.vocabulary),
        "notes": corpus.notes,
        "splits": splits,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


@register_corpus("prepared", kinds="documents", splits=SPLITS, is_finished=True)
def prepared_documents(data_dir: str | Path) -> BagOfWordsCorpus:
    """The corpus that `prepare_documents` wrote."""
    manifest, vocabulary = _read_manifest(Path(data_dir), "documents")
    splits: dict[str, Any] = {}
    for split in SPLITS:
        arrays = _arrays(Path(data_dir), manifest["splits"][split]["files"])
        parts = arrays["counts"], arrays["words"], arrays["offsets"]
        matrix = sparse.csr_matrix(parts, shape=(len(arrays["offsets"]) - 1, len(vocabulary)))
        splits[split] = Documents(matrix, arrays.get("labels"))
    return BagOfWordsCorpus(**_common(manifest, vocabulary), **splits)


@register_corpus("prepared", kinds="sentences", splits=SPLITS, is_finished=True)
def prepared_sentences(data_dir: str | Path) -> SentenceCorpus:
    """The corpus that `prepare_sentences` wrote."""
    manifest, vocabulary = _read_manifest(Path(data_dir), "sentences")
    splits: dict[str, Any] = {}
    for split in SPLITS:
        arrays = _arrays(Path(data_dir), manifest["splits"][split]["files"])
        splits[split] = Sentences(arrays["tokens"], arrays["offsets"], arrays.get("labels"))
    return SentenceCorpus(**_common(manifest, vocabulary), **splits)


def _common(manifest: dict[str, Any], vocabulary: tuple[str, ...]) -> dict[str, Any]:
    """The attributes of the corpus beside its splits."""
    return {
        "name": manifest["name"],
        "vocabulary": vocabulary,
        "label_names": tuple(manifest["label_names"]),
        "tokenization": manifest["tokenization"],
        "ngram_range": tuple(manifest["ngram_range"]),
        "notes": manifest["notes"],
    }


def _read_manifest(folder: Path, kind: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The manifest and the vocabulary."""
    path = folder / MANIFEST
    if not path.is_file():
        expected = f"the folder of a prepared corpus, with a file {MANIFEST}; `python -m trainers.prepare` writes one"
        raise MissingPlaceError(expected, folder, name="data_dir")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version, found = manifest["format"], manifest["kind"]
        if version == FORMAT:
            needed = ("counts", "words", "offsets") if found == "documents" else ("tokens", "offsets")
            for split in SPLITS:
                files = manifest["splits"][split]["files"]
                if not files.keys() >= set(needed):
                    raise KeyError(f"splits.{split}.files")
                for figures in files.values():
                    if not isinstance(figures["file"], str) or not {"length", "sha256"} <= figures.keys():
                        raise KeyError(f"splits.{split}.files")
            _common(manifest, ())
            expected_hash = manifest["vocabulary_sha256"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is not the manifest of a prepared corpus: {error!r}. {_AGAIN}") from error
    if version in (1, 2):
        raise ValueError(f"{path} was written by tf_vmf 0.2, whose record files this version does not read. {_AGAIN}")
    if version != FORMAT or found not in _TRAINERS:
        raise ValueError(f"{path}: expected format {FORMAT}. Received: format {version}, kind {found!r}. {_AGAIN}")
    if found != kind:
        raise ValueError(
            f"Expected prepared {kind}. Received: {folder} with {found}, which are for {_TRAINERS[found]}."
        )
    words = folder / VOCABULARY
    if not words.is_file():
        raise MissingPlaceError("a file of a prepared corpus", words, "which is missing", f"Restore it. {_AGAIN}")
    lines = words.read_bytes().decode("utf-8", "replace").split("\n")
    vocabulary = tuple(line.rsplit(" ", 1)[0] for line in lines if line)
    if vocabulary_fingerprint(vocabulary) != expected_hash:
        raise ValueError(
            f"{words}: expected the vocabulary that the corpus was prepared with. Received: {len(vocabulary)} words with another "
            f"hash. Restore the file. {_AGAIN}"
        )
    return manifest, vocabulary


def _arrays(folder: Path, files: dict[str, dict[str, Any]]) -> dict[str, np.ndarray]:
    """The arrays of a split, mapped into memory, once they are known to be as they were written."""
    arrays: dict[str, np.ndarray] = {}
    for name, figures in files.items():
        path = folder / figures["file"]
        if not path.is_file():
            raise MissingPlaceError("a file of a prepared corpus", path, "which is missing", f"Restore it. {_AGAIN}")
        try:
            arrays[name] = np.lib.format.open_memmap(path, mode="r")
            if arrays[name].ndim != 1:
                raise ValueError(f"its array has {arrays[name].ndim} dimensions")
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}. Restore it. {_AGAIN}") from error
        found = len(arrays[name]), sha256_of_array(arrays[name])
        if found != (figures["length"], figures["sha256"]):
            raise ValueError(
                f"{path}: expected {figures['length']} numbers with the checksum {figures['sha256'][:16]}, as when it was written. "
                f"Received: {found[0]} with {found[1][:16]}. The file is damaged: restore it. {_AGAIN}"
            )
    return arrays
