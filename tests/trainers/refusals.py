"""What a trainer answers to command lines that it refuses, many of them in one process: starting TensorFlow is what takes time."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_PROGRAM = """
import importlib, json, sys
from absl import flags
from absl.testing import flagsaver
trainer, messages = importlib.import_module(sys.argv[1]), []
for arguments in json.loads(sys.argv[2]):
    with flagsaver.flagsaver():
        try:
            trainer.main(flags.FLAGS(["trainer", *arguments]))
            messages.append("")
        except (Exception, SystemExit) as error:
            messages.append(str(error))
print(json.dumps(messages))
"""


def refusals(trainer: str, command_lines: Sequence[Sequence[str]]) -> list[str]:
    """The message of the error that ends each command line; "" for one that runs."""
    finished = subprocess.run(
        [sys.executable, "-c", _PROGRAM, trainer, json.dumps(command_lines)],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    )
    return json.loads(finished.stdout.splitlines()[-1])
