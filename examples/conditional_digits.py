"""A conditional autoencoder of handwritten digits: encoder and decoder read the class, so that the code holds the style alone.

    python -m examples.conditional_digits

x is a dict. `target` names the entry that is reconstructed, `conditions` those that the decoder reads beside the code.
"""

import keras
import numpy as np
from sklearn.datasets import load_digits

import tf_vmf

DIM = 4


def data() -> dict[str, np.ndarray]:
    """1,797 images of 64 pixels from 0 to 1, and their classes as one-hot rows."""
    digits = load_digits()
    return {
        "image": digits.data.astype("float32") / 16,
        "label": np.eye(10, dtype="float32")[digits.target],
    }


def build() -> tf_vmf.models.VAE:
    """Image and class in, logits of the pixels out."""
    image, label = keras.Input((64,), name="image"), keras.Input((10,), name="label")
    h = keras.layers.Dense(128, "relu")(keras.layers.Concatenate()([image, label]))
    encoder = keras.Model({"image": image, "label": label}, h)
    z, label = keras.Input((DIM,), name="z"), keras.Input((10,), name="label")
    h = keras.layers.Concatenate()([keras.layers.Rescaling(DIM**0.5)(z), label])
    decoder = keras.Model({"z": z, "label": label}, keras.layers.Dense(64)(keras.layers.Dense(128, "relu")(h)))
    latent = tf_vmf.layers.VonMisesFisherLatent(DIM, concentration=30.0)
    model = tf_vmf.models.VAE(encoder, latent, decoder, "bernoulli", target="image", conditions=["label"])
    model.compile(keras.optimizers.Adam(3e-3))
    return model


def main(epochs: int = 30) -> np.ndarray:
    model = build()
    model.fit(data(), batch_size=64, epochs=epochs, verbose=2)
    # One image of every class; `mean=True` gives probabilities in place of logits.
    images = model.sample(10, conditions={"label": np.eye(10, dtype="float32")}, mean=True, seed=1)
    return np.asarray(images).reshape(10, 8, 8)


if __name__ == "__main__":
    main()
