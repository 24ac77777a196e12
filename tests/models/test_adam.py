"""The fused update is Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import mirrored
from tf_vmf.models import FusedAdam

SHAPES = [(7, 3), (3,), (1,)]
OPTIONS = {
    "plain": {},
    "clipped, decayed": {"global_clipnorm": 0.5, "weight_decay": 0.1},
    "scheduled": {"learning_rate": keras.optimizers.schedules.PolynomialDecay(0.1, 20), "beta_1": 0.5, "epsilon": 0.01},
    "amsgrad": {"amsgrad": True},
    "averaged": {"use_ema": True, "ema_momentum": 0.9},
}


def run(optimizer, steps=30, strategy=None):
    """The weights and the optimizer's state after some steps on the same gradients."""
    rng = np.random.default_rng(0)
    with (strategy or tf.distribute.get_strategy()).scope():
        variables = [keras.Variable(rng.normal(size=shape).astype(np.float32)) for shape in SHAPES]
        optimizer = optimizer()
        optimizer.build(variables)
    gradients = [tf.constant(rng.normal(size=(steps, *shape)).astype(np.float32)) for shape in SHAPES]

    @tf.function
    def step(i):
        def on_replica():
            optimizer.apply([g[i] for g in gradients], variables)

        strategy.run(on_replica) if strategy else on_replica()

    for i in range(steps):
        step(tf.constant(i))
    return [keras.ops.convert_to_numpy(v) for v in (*variables, *optimizer.variables)]


@pytest.mark.parametrize("name", OPTIONS)
def test_it_takes_the_steps_of_keras_adam_and_keeps_the_same_state(name):
    expected = run(lambda: keras.optimizers.Adam(**OPTIONS[name]))
    for got, want in zip(run(lambda: FusedAdam(**OPTIONS[name])), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_it_takes_them_on_replicas_too():
    expected = run(lambda: keras.optimizers.Adam(0.01), strategy=mirrored(2))
    for got, want in zip(run(lambda: FusedAdam(0.01), strategy=mirrored(2)), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_a_saved_model_brings_it_back_with_its_state(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(FusedAdam(0.03, weight_decay=0.01), loss="mse")
    model.fit(np.ones((8, 3)), np.ones((8, 2)), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").optimizer
    assert isinstance(again, FusedAdam)
    assert again.get_config() == model.optimizer.get_config()
    for got, want in zip(again.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(got, want)
