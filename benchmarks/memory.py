"""Memory that is left of a model after training and `keras.backend.clear_session()`.

    python -m benchmarks.memory

Each kind of model is trained many times in a process of its own. The growth is the slope of the resident memory over the later
half of the fits, after the allocator has handed back what it can; the registered gradients are the entries that stay in
TensorFlow's registry of gradients per fit, each of which would hold a graph.
"""

import ctypes
import gc
import multiprocessing
from collections.abc import Callable
from pathlib import Path

from benchmarks.report import quick_flag, table

_PAGE = 4096


def resident() -> float:
    """Resident memory of this process, MiB (Linux)."""
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 2**20


def small_fits() -> dict[str, Callable[[], object]]:
    """Name to a function that trains a small model of that kind for an epoch."""
    import keras
    import numpy as np

    import tf_vmf

    rng = np.random.default_rng(0)
    counts = rng.poisson(1.0, (64, 50)).astype(np.float32) + 1
    pixels = rng.uniform(size=(64, 16)).round().astype(np.float32)
    tokens = rng.integers(2, 20, (32, 6))
    tokens[:, -1] = tf_vmf.text.EOS_ID
    words = [a + b + a for a in "bdfgklmnpr" for b in "aeiou"]
    texts = [" ".join(rng.choice(words, 8)) for _ in range(64)]

    def latent():
        return tf_vmf.layers.VonMisesFisherLatent(5, concentration="learned")

    def train(model: keras.Model, x: np.ndarray) -> None:
        model.compile("adam")
        model.fit(x, batch_size=32, verbose=0)

    def dense(units: int, activation: str | None = None) -> keras.Model:
        return keras.Sequential([keras.layers.Dense(units, activation=activation)])

    return {
        "VAE": lambda: train(tf_vmf.models.VAE(dense(8, "relu"), latent(), dense(16), "bernoulli"), pixels),
        "BagOfWordsVAE": lambda: train(tf_vmf.models.BagOfWordsVAE(50, latent()), counts),
        "LSTMVAE": lambda: train(tf_vmf.models.LSTMVAE(20, latent()), tokens),
        "TopicModel": lambda: tf_vmf.TopicModel(num_topics=3, random_state=0, epochs=1, min_df=1).fit(texts),
    }


def measure(name: str, fits: int, results: multiprocessing.Queue) -> None:
    """Puts the growth in MiB and in registered gradients per fit into the queue."""
    import keras
    import numpy as np
    import tensorflow as tf
    from tensorflow.python.framework import ops

    tf.get_logger().setLevel("ERROR")
    fit = small_fits()[name]
    memory, gradients = [], []
    for _ in range(fits):
        fit()
        keras.backend.clear_session()
        gc.collect()
        memory.append(resident())
        gradients.append(len(ops.gradient_registry.list()))
    later = np.arange(fits // 2, fits)
    slope = np.polyfit(later, np.array(memory)[later], 1)[0]
    results.put((float(slope), (gradients[-1] - gradients[fits // 2]) / (fits - 1 - fits // 2)))


def report(names: tuple[str, ...] = ("VAE", "BagOfWordsVAE", "LSTMVAE", "TopicModel"), fits: int = 20) -> str:
    """The table in Markdown."""
    context = multiprocessing.get_context("spawn")
    rows = []
    for name in names:
        results = context.Queue()
        process = context.Process(target=measure, args=(name, fits, results))
        process.start()
        slope, gradients = results.get()
        process.join()
        rows.append([name, f"{slope:.1f}", f"{gradients:g}"])
    return (
        f"## Memory\n\nGrowth per small fit over the later half of {fits} fits in one process, each followed by "
        "`keras.backend.clear_session()`.\n\n" + table(["model", "MiB per fit", "registered gradients per fit"], rows)
    )


if __name__ == "__main__":
    print(report(names=("VAE",), fits=4) if quick_flag(__doc__) else report())
