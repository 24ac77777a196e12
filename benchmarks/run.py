"""Runs every benchmark, prints its tables and writes them to benchmarks/results/<name>.md.

    python -m benchmarks.run              # all of them, about half an hour; corpora of 2 GB are made on the way
    python -m benchmarks.run --quick      # smaller sizes and fewer rounds, written nowhere
    python -m benchmarks.run kl sampling  # some

Each benchmark is a process of its own, so that threads, memory and compiled programs of one do not reach the next. One that
fails does not stop the others; the exit code tells.
"""

import argparse
import subprocess
import sys

from benchmarks.report import RESULTS, machine
from tf_vmf.files import write_text

NAMES = (
    "accuracy",
    "kl",
    "log_prob",
    "pairs",
    "mixture",
    "spherical_kmeans",
    "sampling",
    "gradients",
    "document_training",
    "lstm_step",
    "adam",
    "memory",
    "serving",
    "scaling",
    "streaming",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(NAMES), metavar="name", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer rounds: rough numbers in seconds")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"expected names of {', '.join(NAMES)}; received {', '.join(sorted(unknown))}")
    failed = []
    for name in arguments.names:
        command = [sys.executable, "-m", f"benchmarks.{name}"] + ["--quick"] * arguments.quick
        result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if result.returncode:
            failed.append(name)
            print(f"benchmarks.{name} failed with exit code {result.returncode}", file=sys.stderr)
            continue
        print(result.stdout, flush=True)
        if not arguments.quick:
            write_text(RESULTS / f"{name}.md", f"{result.stdout.strip()}\n\n{machine()}\n")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
