"""Every benchmark runs, as a user runs it, and prints its tables."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.run import NAMES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_prints_a_table(name):
    finished = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--quick"],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert finished.stdout.startswith("## ")
    assert "| :--- | ---: |" in finished.stdout
