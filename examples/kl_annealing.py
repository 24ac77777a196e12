"""Annealing in a Keras model of your own: a callback raises the weight of the KL and the concentration while the model trains.

    python -m examples.kl_annealing

The history shows what was set: `kl_weight` and `concentration`, by epoch.
"""

import keras
from sklearn.datasets import load_digits

import tf_vmf


def build() -> keras.Model:
    """Digits of 8 x 8 pixels in, logits of their pixels out, a unit vector in R^5 between."""
    pixels = keras.Input((64,))
    h = keras.layers.Dense(64, activation="relu")(pixels)
    z = tf_vmf.layers.VonMisesFisherLatent(5, concentration=10.0, name="code")(h)
    h = keras.layers.Dense(64, activation="relu")(z)
    model = keras.Model(pixels, keras.layers.Dense(64)(h))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss=loss, loss_weights=[64])  # a mean over 64 pixels; the KL is in nats
    return model


def main(epochs: int = 20) -> dict[str, list[float]]:
    digits = load_digits().data.astype("float32") / 16
    half = max(epochs // 2, 1)
    callbacks = [
        tf_vmf.layers.LatentAnnealing(tf_vmf.layers.LinearSchedule(half)),
        # Any function of the epoch does; here of the training step.
        tf_vmf.layers.LatentAnnealing(
            lambda step: min(10.0 + 0.5 * step, 50.0), attribute="concentration", per="step", layers=["code"]
        ),
    ]
    history = build().fit(digits, digits, batch_size=64, epochs=epochs, verbose=0, callbacks=callbacks).history
    for epoch in range(0, epochs, half):
        print(
            f"epoch {epoch}: weight of the KL {history['kl_weight'][epoch]:.2f}, concentration "
            f"{history['concentration'][epoch]:.1f}, KL {history['kl'][epoch]:.2f} nats"
        )
    return history


if __name__ == "__main__":
    main()
