"""Models that XLA compiles, as Keras does by itself on a GPU."""

import keras
import numpy as np
import pytest

from tf_vmf import models
from tf_vmf.layers import (
    GaussianLatent,
    PowerSphericalLatent,
    ProductLatent,
    UniformNormVonMisesFisherLatent,
    VonMisesFisherLatent,
)

LATENTS = {
    "vmf": lambda: VonMisesFisherLatent(3, concentration=20.0, seed=1),
    "vmf, learned, mixture": lambda: VonMisesFisherLatent(3, concentration="learned", prior="mixture", seed=1),
    "vmf on a circle": lambda: VonMisesFisherLatent(2, concentration=20.0, seed=1),
    "power spherical": lambda: PowerSphericalLatent(3, concentration=20.0, seed=1),
    "uniform norm": lambda: UniformNormVonMisesFisherLatent(3, concentration=20.0, seed=1),
    "product": lambda: ProductLatent([VonMisesFisherLatent(3, concentration=20.0), GaussianLatent(2)], seed=1),
    "gaussian": lambda: GaussianLatent(3, prior="mixture", seed=1),
}


QUICK = ("vmf",)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in LATENTS]
)
def test_training_takes_the_same_steps_with_and_without_xla(name, rng):
    x = rng.poisson(1.0, size=(8, 12)).astype(np.float32)

    def losses(**compiled):
        keras.utils.set_random_seed(0)
        model = models.BagOfWordsVAE(12, LATENTS[name](), encoder_units=(4,), decoder_units=(), seed=0)
        model.compile(keras.optimizers.SGD(0.01), **compiled)
        return model.fit(x, batch_size=8, epochs=2, verbose=0, shuffle=False).history["loss"]

    # The noise of the power spherical distribution comes from TensorFlow Probability, and differs under XLA.
    tolerance = 1e-2 if name == "power spherical" else 1e-4
    np.testing.assert_allclose(losses(jit_compile=True), losses(jit_compile=False), rtol=tolerance)


@pytest.mark.slow  # the layer is the one above; Keras compiles both models alike
def test_a_functional_model_takes_them_too(rng):
    x = rng.normal(size=(8, 5)).astype(np.float32)

    def losses(**compiled):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((5,))
        z = VonMisesFisherLatent(3, concentration=20.0, seed=1)(inputs)
        model = keras.Model(inputs, keras.layers.Dense(5)(z))
        model.compile(keras.optimizers.SGD(0.01), loss="mse", **compiled)
        return model.fit(x, x, batch_size=8, epochs=2, verbose=0, shuffle=False).history["loss"]

    np.testing.assert_allclose(losses(jit_compile=True), losses(jit_compile=False), rtol=1e-4)
