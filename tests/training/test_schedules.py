"""The learning-rate schedule that a run remembers."""

import keras
import pytest

from tests.conftest import mirrored
from tf_vmf.training.run_state import describe_schedule, learning_rate_schedule


@pytest.mark.parametrize("wrap", [lambda optimizer: optimizer, keras.optimizers.LossScaleOptimizer], ids=["", "scaled"])
@pytest.mark.parametrize("replicas", [1, 2])
def test_a_number_is_no_schedule_and_a_schedule_is_told_by_its_arguments(wrap, replicas):
    with mirrored(replicas).scope():
        constant = wrap(keras.optimizers.Adam(0.5))
        decays = [
            wrap(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.5, steps))) for steps in (10, 10, 20)
        ]
        for optimizer in (constant, *decays):
            optimizer.build([keras.Variable(1.0)])
    assert learning_rate_schedule(constant) is None
    first, same, longer = map(learning_rate_schedule, decays)
    assert first == same != longer
    assert describe_schedule(longer).startswith("CosineDecay(initial_learning_rate=0.5, decay_steps=20, ")
    assert describe_schedule(None) == "a constant rate"
