"""The first losses of every recipe, to check that a change of the code leaves what it computes as it was.

    python -m tools.first_losses --data_dir=DIR --output=before.json      # on the old code
    python -m tools.first_losses --data_dir=DIR --output=after.json       # on the new code
    python -m tools.first_losses --compare before.json after.json         # fails where they differ by more than 1e-6

A recipe is trained by its own program until `--steps` steps are taken; what is kept is the running mean of the training loss after
every step, so an error in any step shows in all that follow.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
TOLERANCE = 1e-6  # relative

# Runs a trainer and leaves it after some steps; the losses are the last line of its output.
_PROGRAM = """
import json, runpy, sys
import numpy as np
steps, trainer = int(sys.argv[1]), sys.argv[2]
from tf_vmf.training import loop as module
losses = []
run = module.TrainingSteps.run
def recorded(self, iterator, step, count=1):
    logs = run(self, iterator, step, 1)
    losses.append(float(np.asarray(logs["loss"])))
    if len(losses) == steps:
        print(json.dumps(losses), flush=True)
        import os
        os._exit(0)
    return logs
module.TrainingSteps.run = recorded
sys.argv = [trainer, *sys.argv[3:]]
runpy.run_module(f"trainers.{trainer}", run_name="__main__")
"""


def trainer_of(recipe: Path) -> str:
    """The program that a recipe's own comment names."""
    return recipe.read_text(encoding="utf-8").split("python -m trainers.", 1)[1].split()[0]


def first_losses(recipe: Path, data_dir: Path, steps: int) -> list[float]:
    """The running mean of the training loss after each of the first steps of a recipe."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _PROGRAM, str(steps), trainer_of(recipe), f"--flagfile={recipe}"]
        command += [f"--data_dir={data_dir}"] if "--corpus=wikipedia" not in recipe.read_text(encoding="utf-8") else []
        finished = subprocess.run(
            [*command, f"--workdir={folder}/run"], capture_output=True, text=True, check=False, cwd=RECIPES.parent
        )
    lines = finished.stdout.strip().splitlines()
    if finished.returncode or not lines:
        raise RuntimeError(f"{recipe.name} did not train: {finished.stderr[-2000:]}")
    return [float(each) for each in json.loads(lines[-1])]


def largest_difference(before: list[float], after: list[float]) -> float:
    """The largest relative difference; infinite where their numbers differ."""
    if len(before) != len(after):
        return float("inf")
    return max(abs(a - b) / abs(b) for b, a in zip(before, after, strict=True))


def compare(before: Path, after: Path) -> bool:
    """Prints the largest relative difference of every recipe; whether all are within `TOLERANCE`."""
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (before, after))
    same = True
    for name in sorted({*old, *new}):
        difference = (
            largest_difference(old.get(name, []), new.get(name, [])) if name in old and name in new else float("inf")
        )
        same &= difference <= TOLERANCE
        print(f"{name:28} {difference:.1e} {'' if difference <= TOLERANCE else 'DIFFERENT'}")
    return same


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", help="Names of recipes; all if none is given.")
    parser.add_argument("--data_dir", type=Path, help="Folder of the corpora.")
    parser.add_argument("--output", type=Path, help="File to write.")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("BEFORE", "AFTER"))
    options = parser.parse_args()
    if options.compare:
        return 0 if compare(*options.compare) else 1
    if options.output is None or options.data_dir is None:
        parser.error("expected --data_dir and --output, or --compare")
    names = options.recipes or sorted(path.stem for path in RECIPES.glob("*.flags"))
    losses = {}
    for name in names:
        losses[name] = first_losses(RECIPES / f"{name}.flags", options.data_dir, options.steps)
        print(f"{name:28} {losses[name][-1]:.6f}", flush=True)
    options.output.write_text(json.dumps(losses, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
