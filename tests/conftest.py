"""Settings that hold for every test."""

import contextlib
import ctypes
import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Before TensorFlow is imported: quiet logs, and one thread an operation, so that two xdist workers do not fight for two cores.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_vmf.data.registry import CORPORA
from tf_vmf.layers.registry import LATENTS
from tf_vmf.models.likelihoods import LIKELIHOODS
from tf_vmf.training import get_strategy

SHARED = Path(os.environ.get("TF_VMF_SHARED", Path(__file__).resolve().parents[2] / "shared"))

# Three logical devices stand for three GPUs; the first is where everything else runs.
LOGICAL_DEVICES = 3
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * LOGICAL_DEVICES
)


def pytest_collection_finish() -> None:
    """Spares the collector of garbage the hundreds of thousands of objects of what is imported."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def latents_of_a_test_go_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A latent layer, likelihood or corpus that a test or an example registers is unknown to the next test."""
    for registry in (LATENTS, LIKELIHOODS, *CORPORA.values()):
        monkeypatch.setattr(registry, "entries", dict(registry.entries))


@pytest.fixture(autouse=True)
def draws_do_not_depend_on_the_tests_before() -> None:
    """Layers draw the seeds of their weights from Python's generator, when they are made."""
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module", autouse=True)
def graphs_of_a_file_go_with_it() -> Iterator[None]:
    """Keras keeps the names of its models, and the allocator of C the memory of their graphs: gigabytes over all files."""
    yield
    keras.backend.clear_session()
    with contextlib.suppress(OSError, AttributeError):  # of the C library of Linux alone
        ctypes.CDLL("libc.so.6").malloc_trim(0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def eagerly() -> Iterator[None]:
    """No function is traced: that takes longer than the few steps which some tests take. For claims about no graph."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def mirrored(replicas: int) -> tf.distribute.Strategy:
    """A strategy over the first `replicas` logical devices."""
    return get_strategy("mirrored", replicas)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, where the system has it."""
    playwright = pytest.importorskip("playwright.sync_api")
    pytest.importorskip("axe_playwright_python.sync_playwright")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
