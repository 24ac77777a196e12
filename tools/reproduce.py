"""Trains what a published table still lacks, and writes the table anew.

    python -m tools.reproduce 20ng --data_dir=DIR             # the recipes behind a table, seeds 0, 1 and 2
    python -m tools.reproduce 20ng-converged --data_dir=DIR   # to convergence, one schedule for both latents
    python -m tools.reproduce ptb --data_dir=DIR --seeds 0    # one seed of each
    python -m tools.reproduce sweep --data_dir=DIR            # the sweep over the concentration
    python -m tools.reproduce analyses --data_dir=DIR         # docs/ANALYSES.md: vMF and Gaussian side by side
    python -m tools.reproduce ptb-learned --data_dir=DIR      # a concentration learned beside a standard decoder
    python -m tools.paper_jax --data_dir=DIR                  # results/paper/ptb.json, on a GPU; then
    python -m tools.reproduce paper                           # docs/PAPER*.md from results/paper/ptb.json
    python -m tools.reproduce 20ng --data_dir=DIR --keep_weights=KEPT    # and copies of the runs' folders, weights and all
    python -m tools.reproduce ptb --list                      # what is there and what is missing; trains nothing

A run whose figures stand in results/ is skipped. Runs lie below `--runs` and are trained one after the other; one that was
interrupted resumes with the same command. Delete results/RECIPE_seedN.json to train a run again (of the analyses
results/analyses/RECIPE_seedN.json).
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tf_vmf.files import write_text
from tools import paper_table, results_curves, results_sweep, side_by_side
from tools.first_losses import trainer_of
from tools.results_table import KEEP_WEIGHTS, PAGE, RESULTS, ROOT, collect, with_tables

RECIPES = ROOT / "recipes"
SEEDS = (0, 1, 2)
# Starts of the names of recipes; those behind a table of docs/RESULTS.md.
CORPORA = ("20ng", "20ng-converged", "ptb", "ptb-mean-code")
# Those behind docs/ANALYSES.md and the table of learned concentrations of docs/PAPER_DETAILS.md, with one seed.
ANALYSED, LEARNED = "ptb-lstm-encoder", "ptb-learned"
ONE_SEED = (0,)
_SWEEP = (
    "--trainer=bow_vae",
    "--vary=concentration=10,25,50,100,200,400,learned",
    "--vary=latent_dim=10,25,50",
    "--",
    "--flagfile=recipes/20ng_vmf.flags",
    "--epochs=40",
    "--num_importance_samples=1",
)
TABLES = (*CORPORA, "sweep", "analyses", LEARNED, "paper")


@dataclass(frozen=True)
class Job:
    """One run behind a table.

    Attributes:
        recipe: Its recipe, a file of flags.
        seed: Its seed.
    """

    recipe: Path
    seed: int

    @property
    def name(self) -> str:
        """The name of its folder and of its results."""
        return f"{self.recipe.stem}_seed{self.seed}"

    def is_done(self, results: Path) -> bool:
        """Whether its metrics are published."""
        return (results / f"{self.name}.json").exists()

    def command(self, runs: Path, data_dir: Path) -> list[str]:
        """The command that trains it, or resumes it."""
        trainer = f"trainers.{trainer_of(self.recipe)}"
        flags = [f"--flagfile={self.recipe}", f"--data_dir={data_dir}", f"--seed={self.seed}"]
        return [sys.executable, "-m", trainer, *flags, f"--workdir={runs / self.name}"]


def jobs_of(corpus: str, seeds: Sequence[int], recipes: Path = RECIPES) -> list[Job]:
    """All runs behind the table of a corpus, one seed after the other, so that whole tables of few seeds come first."""
    files = sorted(recipes.glob(f"{corpus}_*.flags"))
    return [Job(file, seed) for seed in seeds for file in files]


def train_missing(
    jobs: Sequence[Job],
    runs: Path,
    data_dir: Path,
    *,
    results: Path = RESULTS,
    publish: Callable[[Sequence[Path], Path], None] = collect,
    run: Callable[[Sequence[str]], None] | None = None,
) -> list[str]:
    """Trains the runs that are not published, publishes each as soon as it has ended, and returns their names.

    Args:
        jobs: The runs.
        runs: The folder of the runs.
        data_dir: The folder of the corpora.
        results: Where published runs have a file each.
        publish: Writes these files: called with the folders of finished runs and `results`.
        run: Runs a command; if None, as a process.

    Raises:
        subprocess.CalledProcessError: A run failed or was interrupted; those before it are published.
    """
    trained = []
    for job in jobs:
        if job.is_done(results):
            continue
        command = job.command(runs, data_dir)
        print(" ".join(command), flush=True)
        (run or _run)(command)
        publish([runs / job.name], results)
        trained.append(job.name)
    return trained


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, cwd=ROOT)


def _reproduce_corpus(corpus: str, options: argparse.Namespace) -> None:
    jobs = jobs_of(corpus, options.seeds or SEEDS)
    if options.list:
        _list_jobs(jobs, RESULTS)
        return
    train_missing(jobs, options.runs, options.data_dir, publish=partial(collect, keep_weights=options.keep_weights))
    write_text(PAGE, with_tables(PAGE.read_text(encoding="utf-8"), RESULTS))
    if corpus == "ptb":
        results_curves.main()


def _reproduce_sweep(options: argparse.Namespace) -> None:
    if options.list:
        _list_file(results_sweep.TABLE)
        return
    if not results_sweep.TABLE.exists():
        output = options.runs / "sweep"
        _run([sys.executable, "-m", "trainers.sweep", f"--output={output}", *_SWEEP, f"--data_dir={options.data_dir}"])
        shutil.copyfile(output / "sweep.csv", results_sweep.TABLE)
    results_sweep.main()


def _reproduce_analyses(options: argparse.Namespace) -> None:
    jobs, results = jobs_of(ANALYSED, options.seeds or ONE_SEED), side_by_side.ANALYSES
    if options.list:
        _list_jobs(jobs, results)
        return
    train_missing(jobs, options.runs, options.data_dir, results=results, publish=side_by_side.collect)
    side_by_side.main([])


def _reproduce_learned(options: argparse.Namespace) -> None:
    jobs = jobs_of(LEARNED, options.seeds or ONE_SEED)
    if options.list:
        _list_jobs(jobs, RESULTS)
        return
    train_missing(jobs, options.runs, options.data_dir, publish=partial(collect, keep_weights=options.keep_weights))
    paper_table.main()


def _reproduce_paper(options: argparse.Namespace) -> None:
    if options.list:
        _list_file(paper_table.SOURCE)
        return
    paper_table.main()


def _list_jobs(jobs: Sequence[Job], results: Path) -> None:
    for job in jobs:
        print(f"{'done   ' if job.is_done(results) else 'missing'} {job.name}")


def _list_file(path: Path) -> None:
    print(f"{'done   ' if path.exists() else 'missing'} {path.name}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--data_dir", type=Path, help="folder of the corpora")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the runs (default: runs)")
    parser.add_argument("--seeds", type=int, nargs="+", help="seeds (default: 0 1 2; of analyses and ptb-learned 0)")
    parser.add_argument("--list", action="store_true", help="say what is there and what is missing, and do nothing")
    parser.add_argument("--keep_weights", type=Path, help=KEEP_WEIGHTS)
    options = parser.parse_args(arguments)
    if options.data_dir is None and not options.list and options.table != "paper":
        parser.error("expected --data_dir, the folder of the corpora")
    options.runs = options.runs.absolute()
    options.data_dir = options.data_dir and options.data_dir.absolute()
    reproduce: Mapping[str, Callable[[argparse.Namespace], None]] = {
        "sweep": _reproduce_sweep,
        "analyses": _reproduce_analyses,
        LEARNED: _reproduce_learned,
        "paper": _reproduce_paper,
    }
    if options.table in reproduce:
        reproduce[options.table](options)
    else:
        _reproduce_corpus(options.table, options)


if __name__ == "__main__":
    main()
