"""Strategies by name."""

import pytest
import tensorflow as tf

from tests.refusals import refused
from tf_vmf.training import get_strategy


def test_mirrored_has_a_replica_on_every_device_asked_for():
    assert get_strategy("mirrored", 2).num_replicas_in_sync == 2
    assert get_strategy("default").num_replicas_in_sync == 1
    assert isinstance(get_strategy("mirrored", 2), tf.distribute.MirroredStrategy)


@pytest.mark.parametrize(
    ("name", "devices", "argument", "received", "expected"),
    [
        ("horovod", None, "name", "'horovod'", "'default', 'mirrored', 'multi_worker'"),
        ("default", 2, "num_devices", "2", "one device"),
        ("mirrored", 64, "num_devices", "64", "at most"),
        ("multi_worker", 2, "num_devices", "2", "all devices"),
        ("multi_worker", None, "strategy", "no TF_CONFIG", "TF_CONFIG"),
    ],
)
def test_what_cannot_be_had_is_refused(name, devices, argument, received, expected):
    with refused(argument, received, expected):
        get_strategy(name, devices)
