"""The concentration as an output of a Keras model: how certain the encoder is of each code.

    python -m examples.concentration_output

`return_parameters=True` makes the layer return a dict of tensors of the functional API.
"""

import keras
from sklearn.datasets import load_digits

import tf_vmf


def build() -> tuple[keras.Model, keras.Model]:
    """An autoencoder of digits, and a model from the same pixels to mean direction and concentration."""
    pixels = keras.Input((64,))
    h = keras.layers.Dense(64, activation="relu")(pixels)
    concentration = tf_vmf.layers.LearnedConcentration(initial=30.0, minimum=1.0, rate=0.3)
    code = tf_vmf.layers.VonMisesFisherLatent(5, concentration=concentration, return_parameters=True)(h)
    decoded = keras.layers.Dense(64)(keras.layers.Dense(64, activation="relu")(code["z"]))
    autoencoder = keras.Model(pixels, decoded)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    autoencoder.compile(keras.optimizers.Adam(3e-3), loss=loss, loss_weights=[64])
    return autoencoder, keras.Model(pixels, [code["mean_direction"], code["concentration"]])


def main(epochs: int = 20) -> tuple[keras.Model, keras.Model]:
    digits = load_digits().data.astype("float32") / 16
    autoencoder, encoder = build()
    autoencoder.fit(digits, digits, batch_size=64, epochs=epochs, verbose=0)
    _, concentration = encoder.predict(digits, verbose=0)
    print(
        f"concentration from {concentration.min():.1f} to {concentration.max():.1f}, mean {concentration.mean():.1f}; least "
        f"certain of image {concentration.argmin()}"
    )
    return autoencoder, encoder


if __name__ == "__main__":
    main()
