"""Schedules of the KL's weight."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_vmf.layers import CyclicalSchedule, GaussianLatent, LinearSchedule, SigmoidSchedule

SCHEDULES = {
    "linear": LinearSchedule(100, start=0.2, end=0.8, delay=10),
    "sigmoid": SigmoidSchedule(600, end=0.5),
    "cyclical": CyclicalSchedule(40, rise=0.25, cycles=3, end=2.0),
    "endless": CyclicalSchedule(40, cycles=None),
}


def values(schedule, steps):
    return np.array([float(schedule(tf.constant(step, tf.int64))) for step in steps])


def test_linear_waits_rises_and_stays():
    np.testing.assert_allclose(
        values(SCHEDULES["linear"], [0, 10, 60, 110, 10_000]), [0.2, 0.2, 0.5, 0.8, 0.8], rtol=1e-6
    )


def test_linear_without_delay_is_the_polynomial_decay_of_keras():
    steps = range(0, 150, 7)
    decay = keras.optimizers.schedules.PolynomialDecay(0.0, 100, 1.0)
    np.testing.assert_allclose(values(LinearSchedule(100), steps), values(decay, steps), rtol=1e-6)


def test_sigmoid_is_logistic_around_its_midpoint():
    expected = 0.5 / (1 + np.exp(-(np.array([0, 500, 600, 700, 5000]) - 600) / 100))
    np.testing.assert_allclose(values(SCHEDULES["sigmoid"], [0, 500, 600, 700, 5000]), expected, rtol=1e-5)


def test_cycles_rise_stay_start_again_and_end():
    steps = [0, 5, 10, 39, 40, 45, 119, 120, 125, 10_000]
    expected = [0, 1, 2, 2, 0, 1, 2, 2, 2, 2]
    np.testing.assert_allclose(values(SCHEDULES["cyclical"], steps), expected, rtol=1e-6)
    np.testing.assert_allclose(values(SCHEDULES["endless"], [10, 50, 4010]), 0.5, rtol=1e-6)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_latent_layer_keeps_its_schedule_when_saved(name):
    layer = GaussianLatent(2, kl_weight=SCHEDULES[name])
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    restored = keras.saving.deserialize_keras_object(config)
    for step in (0, 7, 55, 119, 1000):
        assert float(restored.kl_weight_at(step)) == float(layer.kl_weight_at(step))
    assert float(restored.kl_weight_at(0, training=False)) == 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LinearSchedule(0), "steps.*0"),
        (lambda: LinearSchedule(10, start=-1.0), "start.*-1"),
        (lambda: SigmoidSchedule(100, width=0.0), "width"),
        (lambda: CyclicalSchedule(100, rise=0.0), "rise"),
        (lambda: CyclicalSchedule(100, cycles=0), "cycles"),
        (lambda: CyclicalSchedule(0.5), "period.*integer"),
        (lambda: LinearSchedule("10"), "`steps`.*'10'"),
        (lambda: LinearSchedule(10, end=None), "`end`.*None"),
        (lambda: SigmoidSchedule(np.nan), "midpoint"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
