"""Names of Keras that are not public are checked, and used in one file alone."""

import re
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from tests.conftest import mirrored
from tf_vmf import _keras
from tf_vmf.models.replicated_model import apply_gradients

ROOT = Path(__file__).parents[1]
PRIVATE = (
    r"\b(_all_reduce_sum_gradients|_maybe_symbolic_build|_loss_tracker|_momentums|_velocities|"
    r"_get_variable_index|keras\.src)\b"
)


def test_private_names_of_keras_are_in_one_file():
    files = {file.name for file in (ROOT / "tf_vmf").rglob("*.py") if re.search(PRIVATE, file.read_text())}
    assert files <= {"_keras.py"}


def test_a_keras_without_a_private_name_is_an_error_that_names_it_and_the_remedy(monkeypatch):
    strategy = mirrored(2)
    with strategy.scope():
        variable = keras.Variable([1.0])
        optimizer = keras.optimizers.SGD(0.1)
        optimizer.build([variable])
    name = "_all_reduce_sum_gradients"
    monkeypatch.delattr(next(cls for cls in keras.optimizers.SGD.__mro__ if name in vars(cls)), name)

    @tf.function(autograph=False)
    def step():
        strategy.run(
            tf.autograph.experimental.do_not_convert(
                lambda: apply_gradients(optimizer, [tf.constant([1.0])], [variable])
            )
        )

    with pytest.raises(ImportError, match=r"relies on SGD\._all_reduce_sum_gradients.*pip install"):
        step()


def test_adam_without_moments_is_an_error():
    variable = keras.Variable([1.0])
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build([variable])
    with pytest.raises(ImportError, match=r"SGD\._momentums"):
        _keras.adam_moments(optimizer, variable)
