"""Prepares text of any size for training: reads it twice, holds none of it, and writes TFRecord files and a vocabulary.

    python -m trainers.prepare --kind=sentences --train_files='text/*.txt.gz' --output=prepared/news
    python -m trainers.lstm_vae --corpus=prepared --data_dir=prepared/news --workdir=runs/news

    python -m trainers.prepare --kind=documents --train_files='train/*.feat' --vocab_file=vocab --output=prepared/counts
    python -m trainers.bow_vae --corpus=prepared --data_dir=prepared/counts --workdir=runs/counts

Training then holds two files of --examples_per_shard examples in memory, and the validation and test examples.
"""

import json
from pathlib import Path

from tf_vmf.programs.configs import PrepareConfig
from trainers import program


def main(config: PrepareConfig) -> None:
    from tf_vmf import programs

    manifest = programs.prepare_corpus(config)
    for split, figures in manifest["splits"].items():
        print(
            f"{split}: {figures['examples']:,} examples, {figures['tokens']:,} tokens, {len(figures['shards'])} files"
        )
    print(f"notes: {json.dumps(manifest['notes'])}")
    name = Path(config.output).name
    trainer = "bow_vae" if config.kind == "documents" else "lstm_vae"
    program.print_next(trainer, corpus="prepared", data_dir=config.output, workdir=f"runs/{name}")


if __name__ == "__main__":
    program.run(main, "prepare", __doc__, PrepareConfig)
