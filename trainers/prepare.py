"""Prepares text of any size for training: reads it twice, holds none of it, and writes TFRecord files and a vocabulary.

    python -m trainers.prepare --kind=sentences --train_files='text/*.txt.gz' --output=prepared/news
    python -m trainers.lstm_vae --corpus=prepared --data_dir=prepared/news --workdir=runs/news

    python -m trainers.prepare --kind=documents --train_files='train/*.feat' --vocab_file=vocab --output=prepared/counts
    python -m trainers.bow_vae --corpus=prepared --data_dir=prepared/counts --workdir=runs/counts

Training then holds two files of --examples_per_shard examples in memory, and the validation and test examples.
"""

import json
from collections.abc import Sequence

from absl import app

from flags import corpus as corpus_flags
from flags import document_text, sentence_text
from flags import prepare as prepare_flags
from tf_vmf import data


def main(argv: Sequence[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {' '.join(argv[1:])}. Quote patterns: --train_files='text/*.txt'.")
    given = corpus_flags.given()
    if "train_files" not in given or given.keys() & {"corpus", "data_dir"}:
        raise app.UsageError(
            "Expected --train_files, and neither --corpus nor --data_dir: named corpora fit in memory."
        )
    given["examples_per_shard"] = prepare_flags.EXAMPLES_PER_SHARD.value
    output = prepare_flags.OUTPUT.value
    if prepare_flags.KIND.value == "documents":
        manifest = data.prepare_documents(output, **given, **document_text.given())
        trainer = "bow_vae"
    else:
        manifest = data.prepare_sentences(output, **given, **sentence_text.given())
        trainer = "lstm_vae"
    for split, figures in manifest["splits"].items():
        print(
            f"{split}: {figures['examples']:,} examples, {figures['tokens']:,} tokens, {len(figures['shards'])} files"
        )
    print(f"notes: {json.dumps(manifest['notes'])}")
    print(f"train with: python -m trainers.{trainer} --corpus=prepared --data_dir={output} --workdir=DIR")


if __name__ == "__main__":
    app.run(main)
