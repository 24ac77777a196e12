"""A conditional VAE of digits with a learned prior: p(z|y) is a von Mises-Fisher distribution with parameters of its own per label.

    python -m examples.conditional_vae

The latent layer charges the KL to the uniform prior; here it charges none (`kl_weight=0`), and a layer of a dozen lines adds
KL(q(z|x, y) || p(z|y)).
"""

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import tf_vmf

DIM = 5


@keras.saving.register_keras_serializable(package="examples")
class LearnedPrior(keras.layers.Layer):
    """p(z|y) = vMF(mean_direction(y), concentration(y)); called on y and q's parameters it adds KL(q || p) to the loss."""

    def build(self, input_shape: object) -> None:
        del input_shape
        self.directions = keras.layers.Embedding(10, DIM)
        self.raw = keras.layers.Embedding(10, 1, embeddings_initializer="ones")
        self.kl_tracker = keras.metrics.Mean(name="prior_kl")

    def distribution(self, y: tf.Tensor) -> tf_vmf.distributions.VonMisesFisher:
        mean_direction = tf.math.l2_normalize(self.directions(y), axis=-1)
        return tf_vmf.distributions.VonMisesFisher(mean_direction, 5.0 * tf.nn.softplus(self.raw(y)[..., 0]))

    def call(self, y: tf.Tensor, code: dict[str, tf.Tensor]) -> tf.Tensor:
        posterior = tf_vmf.distributions.VonMisesFisher(code["mean_direction"], code["concentration"])
        kl = posterior.kl_divergence(self.distribution(y))
        self.add_loss(tf.reduce_mean(kl))
        self.kl_tracker.update_state(kl)
        return code["z"]


def build() -> tuple[keras.Model, keras.Model, LearnedPrior]:
    """The autoencoder of (pixels, label), its decoder of (code, label), and the prior."""
    label = keras.Input((), dtype="int32", name="label")
    pixels = keras.Input((64,), name="pixels")
    one_hot = keras.layers.CategoryEncoding(10, output_mode="one_hot")(label)
    h = keras.layers.Dense(64, activation="relu")(keras.layers.Concatenate()([pixels, one_hot]))
    concentration = tf_vmf.layers.LearnedConcentration(initial=30.0, rate=0.1)
    code = tf_vmf.layers.VonMisesFisherLatent(
        DIM, concentration=concentration, kl_weight=0.0, kl_name="uniform_kl", return_parameters=True
    )(h)
    prior = LearnedPrior()
    z = prior(label, code)
    code_input, label_input = keras.Input((DIM,)), keras.Input((), dtype="int32")
    joined = keras.layers.Concatenate()(
        [code_input, keras.layers.CategoryEncoding(10, output_mode="one_hot")(label_input)]
    )
    logits = keras.layers.Dense(64)(keras.layers.Dense(64, activation="relu")(joined))
    decoder = keras.Model([code_input, label_input], logits)
    model = keras.Model({"pixels": pixels, "label": label}, decoder([z, label]))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss=loss, loss_weights=[64])
    return model, decoder, prior


def main(epochs: int = 30) -> tuple[keras.Model, LearnedPrior, dict[str, list[float]]]:
    pixels, labels = load_digits(return_X_y=True)
    pixels = (pixels / 16).astype("float32")
    model, decoder, prior = build()
    x = {"pixels": pixels, "label": labels}
    history = model.fit(x, pixels, batch_size=64, epochs=epochs, verbose=0).history
    print(
        f"KL to the learned prior {history['prior_kl'][-1]:.2f} nats, to the uniform one {history['uniform_kl'][-1]:.2f} nats"
    )
    y = np.full(4, 3)
    threes = decoder.predict([prior.distribution(tf.constant(y)).sample(seed=(0, 1)), y], verbose=0)
    for rows in (1 / (1 + np.exp(-threes))).reshape(4, 8, 8)[:1]:
        print("\n".join("".join(" .:*#"[int(4.99 * value)] for value in row) for row in rows))
    return model, prior, history


if __name__ == "__main__":
    main()
