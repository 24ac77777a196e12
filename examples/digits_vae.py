"""A convolutional autoencoder of handwritten digits with a code on the sphere: a Keras encoder, a latent layer, a Keras decoder.

    python -m examples.digits_vae

It prints the bound on the log-likelihood and what the code is worth, and writes digits_vae.keras and the folder digits_vae_export,
which TensorFlow serves without this package.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import tf_vmf


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,437 training and 360 test images of shape (8, 8, 1), gray values from 0 to 1."""
    images = load_digits().images[..., np.newaxis].astype("float32") / 16
    return images[:1437], images[1437:]


def build(latent: tf_vmf.layers.LatentLayer | None = None) -> tf_vmf.models.VAE:
    """Images in, logits of their pixels out, a unit vector in R^5 between."""
    encoder = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            keras.layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            keras.layers.Flatten(),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Rescaling(5**0.5),  # gives the entries of a unit vector the size of a Gaussian's
            keras.layers.Dense(2 * 2 * 32, activation="relu"),
            keras.layers.Reshape((2, 2, 32)),
            keras.layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
            keras.layers.Conv2DTranspose(1, 3, strides=2, padding="same"),
        ]
    )
    latent = latent or tf_vmf.layers.VonMisesFisherLatent(5, concentration=50.0)
    model = tf_vmf.models.VAE(encoder, latent, decoder, "bernoulli")
    model.compile(keras.optimizers.Adam(3e-3))
    return model


def main(epochs: int = 30, folder: str = ".") -> dict[str, Any]:
    train, test = digits()
    model = build()
    model.fit(train, batch_size=50, epochs=epochs, verbose=2)
    figures = tf_vmf.evaluation.evaluate(model, tf.data.Dataset.from_tensor_slices(test).batch(50))
    print(
        f"-log p(x|z) {figures['nll']:.1f} nats, KL {figures['kl']:.1f}, bound {figures['iw_nll']:.1f} nats per image"
    )
    print(f"decoding with the code of another image costs {figures['code_gain']:.1f} nats more")
    model.save(Path(folder) / "digits_vae.keras")
    tf_vmf.serving.export(model, Path(folder) / "digits_vae_export")
    return figures


if __name__ == "__main__":
    main()
