"""The JAX program behind docs/PAPER.md is the model of the package: the tests of `paper_jax_cases`, in a process of their own.

JAX warns at every later fork of a process that has imported it, and other tests fork.
"""

import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).with_name("paper_jax_cases.py")


@pytest.mark.slow  # a jitted copy of whole models
@pytest.mark.parametrize("cases", ["not slow", pytest.param("slow", marks=pytest.mark.slow)])
def test_the_program_is_the_model_of_the_package(cases):
    options = ["-q", "-m", cases, "-p", "no:xdist", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(CASES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
