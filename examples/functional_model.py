"""A spherical latent layer in a functional Keras model of your own: an autoencoder of handwritten digits.

    python -m examples.functional_model

`model.fit` trains the evidence lower bound: the layer adds its KL to the loss and logs it as `kl`.
"""

import keras
from sklearn.datasets import load_digits

import tf_vmf


def build() -> keras.Model:
    """Digits of 8 x 8 pixels in, probabilities of their pixels out, a unit vector in R^5 between."""
    pixels = keras.Input((64,))
    h = keras.layers.Dense(128, activation="relu")(pixels)
    z = tf_vmf.layers.VonMisesFisherLatent(5, concentration=50.0)(h)
    h = keras.layers.Dense(128, activation="relu")(z)
    model = keras.Model(pixels, keras.layers.Dense(64, activation="sigmoid")(h))
    # Keras averages the cross-entropy over 64 pixels, the KL is a sum in nats: weigh them alike.
    model.compile("adam", loss="binary_crossentropy", loss_weights=[64])
    return model


def main(epochs: int = 30) -> dict[str, list[float]]:
    digits = load_digits().data.astype("float32") / 16
    model = build()
    history = model.fit(digits, digits, batch_size=64, epochs=epochs, validation_split=0.1, verbose=2).history
    print(f"KL {history['kl'][-1]:.3f} nats: a constant, as the concentration is fixed")
    return history


if __name__ == "__main__":
    main()
