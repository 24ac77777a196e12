"""Regress directions in space with an error estimate for each, and check that the estimates hold.

Particles of unlike energy leave tracks, which a detector sees the more sharply the higher the energy is. A network predicts the
direction and, by the von Mises-Fisher loss, how certain it is of it. The share of new particles inside the cones of 50 % and
90 % is then counted.

    python examples/particle_directions.py
"""

import keras
import numpy as np

import tf_vmf


def draw_particles(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws what the detector sees, (number, 4), and the directions, (number, 3).

    A measured direction has an error with a standard deviation of 0.5 / sqrt(energy) in every axis, energies from 1 to 100.
    """
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(number, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    log_energy = rng.uniform(0, np.log(100), size=(number, 1))
    measured = directions + 0.5 * np.exp(-0.5 * log_energy) * rng.normal(size=(number, 3))
    return np.concatenate([measured, log_energy], axis=1).astype("float32"), directions.astype("float32")


def build_model() -> keras.Model:
    """A network with four outputs: a direction, and a concentration that is positive and may be large."""
    seen = keras.Input([4])
    h = keras.layers.Dense(64, activation="gelu")(seen)
    h = keras.layers.Dense(64, activation="gelu")(h)
    direction = keras.layers.Dense(3)(h)
    concentration = keras.layers.Dense(1, activation="exponential")(h)
    model = keras.Model(seen, keras.layers.Concatenate()([direction, concentration]))
    model.compile(keras.optimizers.Adam(3e-3), loss=tf_vmf.losses.VonMisesFisherLoss())
    return model


def coverage(model: keras.Model, seen: np.ndarray, directions: np.ndarray, probability: float) -> float:
    """The share of directions within the cones that the model expects to hold the given share."""
    mu, kappa = tf_vmf.losses.mean_direction_and_concentration(model.predict(seen, verbose=0), 3)
    edge = tf_vmf.math.von_mises_fisher_cosine_quantile(np.float32(1 - probability), kappa, 3)
    return float(np.mean(np.sum(mu * directions, axis=1) >= edge))


def main() -> None:
    """Trains, and prints errors by energy and the coverage on new particles."""
    keras.utils.set_random_seed(0)
    model = build_model()
    model.fit(*draw_particles(20_000, seed=0), batch_size=256, epochs=15, verbose=0)
    seen, directions = draw_particles(10_000, seed=1)
    mu, kappa = (v.numpy() for v in tf_vmf.losses.mean_direction_and_concentration(model.predict(seen, verbose=0), 3))
    error = np.degrees(np.arccos(np.clip(np.sum(mu * directions, axis=1), -1, 1)))
    median = tf_vmf.math.von_mises_fisher_cosine_quantile(np.float32(0.5), kappa, 3)
    expected = np.degrees(np.arccos(median))
    print("energy: median error, median of the expected ones (degrees)")
    for low, high in ((1, 3), (3, 10), (10, 30), (30, 100)):
        chosen = (np.log(low) <= seen[:, 3]) & (seen[:, 3] < np.log(high))
        print(f"{low:3d} to {high:3d}: {np.median(error[chosen]):.1f}, {np.median(expected[chosen]):.1f}")
    for probability in (0.5, 0.9):
        print(f"cones of {probability:.0%} hold {coverage(model, seen, directions, probability):.1%}")


if __name__ == "__main__":
    main()
