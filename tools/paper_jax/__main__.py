"""Trains the programs that a folder of runs lacks, and writes results/paper/ptb.json; see `tools.paper_jax`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tf_vmf.data import SentenceCorpus, load_sentences
from tf_vmf.files import write_atomically, write_text
from tools.paper_jax import measures
from tools.paper_jax.settings import PROGRAMS, Program
from tools.paper_jax.training import Sizes, Trainer
from tools.results_table import RESULTS

OUTPUT = RESULTS / "paper" / "ptb.json"
ABOUT = (
    "Penn Treebank, validation and test, by `python -m tools.paper_jax`: the models, the initialisation, the optimiser step "
    "and the selection of tf_vmf's trainers in JAX, on one GPU (TF32 matrix products), the models of a program together; "
    "batches of 32 in an order of their own, by length within windows of 100 batches, the same for all models of a seed. "
    "Weights start from the trainer's distributions, drawn by numpy at the widths of the program's arrays. nll, kl: nats per "
    "sentence, one sample. iw_: 500 samples. mean_code_: the decoder reads the mean of three samples and the KL of one is "
    "charged, not a bound. differences: first minus second on test, mean over seeds of paired differences, standard error "
    "over the sentences; negative is better for the first. Models without figures on test: of the programs d50, d100 and d200 "
    "only the spherical and the Gaussian setting with the best perplexity on validation by the mean of three samples were "
    "computed on test, after the choice, and with two more seeds."
)


def train(program: Program, corpus: SentenceCorpus, file: Path, sizes: Sizes | None = None) -> None:
    """Trains a program and writes its quantities per sentence to a file of NumPy arrays."""
    trainer = Trainer(program, corpus, sizes)
    trainer.train()
    arrays = {"history": np.stack(trainer.history), "best_epochs": trainer.best_epochs}
    arrays |= {split: trainer.evaluate(split) for split in ("valid", "test")}
    # What was not chosen on validation stays unseen.
    arrays["test"][[not setting.is_tested for setting in program.settings]] = np.nan
    for index, setting in enumerate(program.settings):
        if setting.is_importance_weighted:
            arrays[f"iw_{index}"] = trainer.importance_weighted(index)
            print(f"{program.name} importance-weighted bound of {setting.latent}, seed {setting.seed}", flush=True)
    write_atomically(file, lambda path: np.savez_compressed(path, **arrays))


def main(
    arguments: Sequence[str] | None = None, programs: Sequence[Program] = PROGRAMS, sizes: Sizes | None = None
) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.paper_jax", description=__doc__)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of the corpora")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/paper"), help="folder of the runs (default: runs/paper)"
    )
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, help=f"where the figures are written (default: {OUTPUT})"
    )
    parser.add_argument("--programs", nargs="+", choices=[each.name for each in programs], help="train these alone")
    options = parser.parse_args(arguments)
    options.runs.mkdir(parents=True, exist_ok=True)
    corpus = load_sentences("ptb", data_dir=options.data_dir)
    files = {program.name: options.runs / f"{program.name}.npz" for program in programs}
    for program in programs:
        if not files[program.name].exists() and program.name in (options.programs or files):
            train(program, corpus, files[program.name], sizes)
    if missing := [name for name, file in files.items() if not file.exists()]:
        print(
            f"{options.output} is written when all programs are trained. Missing in {options.runs}: {', '.join(missing)}."
        )
        return
    results = {name: dict(np.load(file)) for name, file in files.items()}
    lengths = {split: np.diff(getattr(corpus, split).offsets) for split in ("valid", "test")}
    models = [entry for program in programs for entry in measures.models(program, results[program.name], lengths)]
    differences = measures.differences(programs, results, lengths["test"])
    write_text(
        options.output, json.dumps({"about": ABOUT, "models": models, "differences": differences}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
