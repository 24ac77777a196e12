"""Prepares text of any size for training: reads it once, holds none of it, and writes arrays and a vocabulary.

    python -m trainers.prepare --kind=sentences --train_files='text/*.txt.gz' --output=prepared/news
    python -m trainers.lstm_vae --corpus=prepared --data_dir=prepared/news --workdir=runs/news

    python -m trainers.prepare --kind=documents --train_files='train/*.feat' --vocab_file=vocab --output=prepared/counts
    python -m trainers.bow_vae --corpus=prepared --data_dir=prepared/counts --workdir=runs/counts

Training then maps the arrays into memory and reads them as it needs them.
"""

import json
from pathlib import Path

from tf_vmf.programs.configs import PrepareConfig
from trainers import program


def main(config: PrepareConfig) -> None:
    from tf_vmf import programs

    manifest = programs.prepare_corpus(config)
    for split, figures in manifest["splits"].items():
        print(f"{split}: {figures['examples']:,} examples, {figures['tokens']:,} tokens")
    print(f"notes: {json.dumps(manifest['notes'])}")
    name = Path(config.output).name
    trainer = "bow_vae" if config.kind == "documents" else "lstm_vae"
    program.print_next(trainer, corpus="prepared", data_dir=config.output, workdir=f"runs/{name}")


if __name__ == "__main__":
    program.run(main, "prepare", __doc__, PrepareConfig)
