"""One device, two and three replicas, and two processes come to the same weights, within rounding."""

import sys

import numpy as np
import pytest

from tests.conftest import mirrored
from tests.training import fifty_steps
from tests.workers import start_workers
from tf_vmf.training import get_strategy

CASES = [(model, optimizer) for model in fifty_steps.MODELS for optimizer in fifty_steps.OPTIMIZERS]


@pytest.fixture(scope="module")
def one_device(tmp_path_factory):
    """Weights and history of a case on one device, made once."""
    made = {}

    def of(case):
        if case not in made:
            made[case] = fifty_steps.train(*case, get_strategy("default"), tmp_path_factory.mktemp("one") / "run")
        return made[case]

    return of


def same(weights, expected):
    for got, want in zip(weights, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)


def same_history(history, expected):
    for got, want in zip(history, expected, strict=True):
        assert got == pytest.approx(want, rel=5e-6)


@pytest.mark.slow
@pytest.mark.parametrize("replicas", [2, 3])
@pytest.mark.parametrize("case", CASES)
def test_replicas_come_to_the_weights_and_metrics_of_one_device(case, replicas, one_device, tmp_path):
    weights, history = fifty_steps.train(*case, mirrored(replicas), tmp_path / "run")
    same(weights, one_device(case)[0])
    same_history(history, one_device(case)[1])


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_processes_come_to_the_weights_and_metrics_of_one_device(case, one_device, tmp_path):
    processes = start_workers([sys.executable, "-m", "tests.training.fifty_steps", *case, str(tmp_path)])
    for process in processes:
        output, _ = process.communicate(timeout=400)
        assert process.returncode == 0, output[-3000:]
    for index in range(2):
        with np.load(tmp_path / f"weights-{index}.npz") as saved:
            same([saved[name] for name in saved.files], one_device(case)[0])
    same_history(fifty_steps.read_history(tmp_path), one_device(case)[1])
