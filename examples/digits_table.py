"""Table 1 of Davidson et al. (2018) on the digits of scikit-learn: Gaussian, sphere and products of spheres.

    python -m examples.digits_table --output=results/digits.csv    # all cells; the same command resumes
    python -m tools.results_digits    # writes the tables and the picture of docs/DIGITS.md

Every cell is a `tf_vmf.models.VAE` with a latent of d intrinsic dimensions: N(0, I) on R^d, one sphere S^d, or a product of
spheres whose dimensions add up to d. Settings are compared on validation images; the test images are used once per cell.
"""

import argparse
import csv
import dataclasses
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from tf_vmf import evaluation, layers, models
from tf_vmf.files import write_text

DIMENSIONS = (2, 5, 10, 20, 40)
SEEDS = (1, 2, 3)  # settings were chosen with seed 0
VALIDATION_SIZE = TEST_SIZE = 300
BATCH_SIZE = 64
PASSES = 5  # over the training images, between two looks at the validation bound
IMPORTANCE_SAMPLES = 100
COMPONENTS = 20  # of a learned prior


@dataclasses.dataclass(frozen=True)
class Digits:
    """Images in [0, 1], shape (n, 64), of which pixels are drawn anew in every epoch; fixed binary ones of the other splits."""

    train: np.ndarray
    train_labels: np.ndarray
    valid: np.ndarray
    valid_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray


def split(seed: int) -> Digits:
    """The 1,797 images in a random order that the seed gives: 1,197 for training, 300 for validation, 300 for the test."""
    images, labels = load_digits(return_X_y=True)
    rng = np.random.RandomState(seed)
    order = rng.permutation(len(images))
    images, labels = (images[order] / 16).astype(np.float32), labels[order]
    test, valid = slice(TEST_SIZE), slice(TEST_SIZE, TEST_SIZE + VALIDATION_SIZE)
    train = slice(TEST_SIZE + VALIDATION_SIZE, None)
    binary = (rng.uniform(size=images.shape) < images).astype(np.float32)
    return Digits(images[train], labels[train], binary[valid], labels[valid], binary[test], labels[test])


def training_batches(images: np.ndarray, seed: int) -> tf.data.Dataset:
    """Batches of `PASSES` passes over the images, an epoch of `fit`.

    Pixels are drawn with the gray values as probabilities, anew every time.
    """
    images = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed=seed).repeat(PASSES)
    batches = images.batch(BATCH_SIZE, drop_remainder=True)

    def binary(x: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.random.stateless_uniform(tf.shape(x), [seed, noise], alg="philox") < x, tf.float32)

    return tf.data.Dataset.zip(batches, tf.data.Dataset.random(seed, rerandomize_each_iteration=True)).map(binary)


def sphere(dim: int, initial: float = 5.0, prior: layers.LearnedPrior | None = None) -> layers.VonMisesFisherLatent:
    """S^dim, with a concentration learned for every image; it starts at `initial` per ambient dimension.

    The prior is uniform by default.
    """
    initial *= dim + 1
    return layers.VonMisesFisherLatent(
        dim + 1,
        concentration=layers.LearnedConcentration(initial=initial, minimum=0.01 * initial, rate=0.1),
        prior=prior or "uniform",
    )


def product_of(size: int, initial: float = 5.0) -> Callable[[int], layers.LatentLayer | None]:
    """Makes products of spheres S^size, of d dimensions in all; the last sphere takes what is left. None: there is none.

    Concentrations start at `initial` per ambient dimension.
    """

    def make(dim: int) -> layers.LatentLayer | None:
        if dim <= size:
            return None
        count, rest = divmod(dim, size)
        sizes = [size] * count + ([rest] if rest else [])
        return layers.ProductLatent([sphere(each, initial) for each in sizes])

    return make


# What stands in the table, by the name of a row; None where a latent has no cell at that dimension.
LATENTS: dict[str, Callable[[int], layers.LatentLayer | None]] = {
    "gaussian": layers.GaussianLatent,
    "sphere": sphere,
    "spheres_1": product_of(1, 1.5),  # a torus: every direction has a concentration of its own, as with the Gaussian
    "spheres_2": product_of(2, 1.5),
    "spheres_3": product_of(3),
    "spheres_4": product_of(4, 1.5),
    "gaussian_mixture": lambda dim: layers.GaussianLatent(dim, prior=layers.GaussianMixturePrior(COMPONENTS, seed=0)),
    "sphere_mixture": lambda dim: sphere(dim, prior=layers.VonMisesFisherMixturePrior(COMPONENTS, seed=0)),
}


def build(latent: layers.LatentLayer, seed: int) -> models.VAE:
    """Perceptrons with two hidden layers, half as wide as those of Davidson et al.: 128 and 64 units, in the decoder 64 and 128."""
    encoder = keras.Sequential([keras.Input((64,)), keras.layers.Dense(128, "relu"), keras.layers.Dense(64, "relu")])
    scale = np.broadcast_to(latent.coordinate_scale, latent.latent_dim)
    decoder = keras.Sequential(
        [
            keras.Input((latent.latent_dim,)),
            keras.layers.Rescaling(scale.tolist()),  # unit variance under the prior, for every latent
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(128, "relu"),
            keras.layers.Dense(64),
        ]
    )
    return models.VAE(encoder, latent, decoder, "bernoulli", seed=seed)


def run_cell(
    latent: Callable[[int], layers.LatentLayer | None],
    dim: int,
    seed: int,
    *,
    epochs: int = 400,
    warm_up: int = 20,
    patience: int = 20,
    learning_rate: float = 2e-3,
) -> dict[str, Any] | None:
    """Trains one model with early stopping on the validation bound and evaluates it.

    Args:
        latent: Makes the latent layer for a dimension.
        dim: Intrinsic dimension d.
        seed: Seed of split, weights and noise.
        epochs: Most epochs, of `PASSES` passes over the images each.
        warm_up: Epochs over which the weight of the KL rises from 0 to 1.
        patience: Epochs without a better validation bound after which training ends; the best weights are kept.
        learning_rate: Of Adam.

    Returns:
        Figures in nats per image; None where there is no such latent.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    layer = latent(dim)
    if layer is None:
        return None
    data = split(seed)
    batches = training_batches(data.train, seed)
    layer.kl_weight = layers.LinearSchedule(warm_up * len(batches)) if warm_up else 1.0
    model = build(layer, seed)
    model.compile(keras.optimizers.Adam(learning_rate), steps_per_execution=len(batches))
    start = time.perf_counter()
    stopping = keras.callbacks.EarlyStopping(
        "val_loss", mode="min", patience=patience, start_from_epoch=warm_up, restore_best_weights=True
    )
    history = model.fit(
        batches,
        validation_data=tf.data.Dataset.from_tensors(data.valid).repeat(8),  # the mean of 8 samples of z per image
        epochs=epochs,
        shuffle=False,  # a dataset shuffles itself
        verbose=0,
        callbacks=[stopping],
    ).history
    seconds = time.perf_counter() - start
    cell = {"epochs": len(history["loss"]), "seconds": round(seconds, 1)}
    for name, images, labels in (
        ("valid", data.valid, data.valid_labels),
        ("test", data.test, data.test_labels),
    ):
        figures = evaluation.evaluate(
            model, tf.data.Dataset.from_tensors(images), num_importance_samples=IMPORTANCE_SAMPLES
        )
        cell |= {
            f"{name}_iw": -figures["iw_nll"],
            f"{name}_elbo": -figures["nll"] - figures["kl"],
            f"{name}_re": -figures["nll"],
            f"{name}_kl": figures["kl"],
            f"{name}_knn": neighbour_accuracy(model, data.train, data.train_labels, images, labels),
        }
    return cell


def neighbour_accuracy(
    model: models.VAE, train: np.ndarray, train_labels: np.ndarray, images: np.ndarray, labels: np.ndarray
) -> float:
    """Share of images whose label is that of most of the 5 training images with the nearest posterior means.

    The mean, and not the mean direction: a sphere that is not used has a concentration near 0, a mean near 0 and no say.
    """
    means, found = (model.encode(x).mean().numpy() for x in (train, images))
    return float(KNeighborsClassifier(5).fit(means, train_labels).score(found, labels))


def run(path: Path, latents: Sequence[str], dimensions: Sequence[int], seeds: Sequence[int]) -> None:
    """Runs the cells that the file does not hold yet, and adds a line per cell."""
    rows = read(path)
    done = {(row["latent"], int(row["d"]), int(row["seed"])) for row in rows}
    for seed in seeds:
        for dim in dimensions:
            for name in latents:
                if (name, dim, seed) in done or (cell := run_cell(LATENTS[name], dim, seed)) is None:
                    continue
                rows.append({"latent": name, "d": dim, "seed": seed, **cell})
                write_rows(path, rows)
                print(
                    f"{name} d={dim} seed={seed}: IW {cell['valid_iw']:.2f} (validation), {cell['epochs']} epochs",
                    flush=True,
                )


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of the file; none if it is not there."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: f"{value:.4f}" if isinstance(value, float) else value for name, value in row.items()} for row in rows
    )
    write_text(path, text.getvalue())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("digits.csv"), help="file of the cells, which resumes")
    parser.add_argument("--latents", nargs="+", choices=LATENTS, default=list(LATENTS))
    parser.add_argument("--dimensions", nargs="+", type=int, default=DIMENSIONS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    options = parser.parse_args(arguments)
    run(options.output, options.latents, options.dimensions, options.seeds)


if __name__ == "__main__":
    main()
