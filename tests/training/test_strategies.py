"""Strategies by name."""

import pytest
import tensorflow as tf

from tf_vmf.training import get_strategy


def test_mirrored_has_a_replica_on_every_device_asked_for():
    assert get_strategy("mirrored", 2).num_replicas_in_sync == 2
    assert get_strategy("default").num_replicas_in_sync == 1
    assert isinstance(get_strategy("mirrored", 2), tf.distribute.MirroredStrategy)


@pytest.mark.parametrize(
    ("name", "devices", "message"),
    [
        ("horovod", None, "Unknown strategy 'horovod'.*default, mirrored, multi_worker"),
        ("default", 2, "one device.*mirrored"),
        ("mirrored", 64, "64"),
        ("multi_worker", 2, "all devices"),
        ("multi_worker", None, "TF_CONFIG, which is not set"),
    ],
)
def test_what_cannot_be_had_is_refused(name, devices, message):
    with pytest.raises(ValueError, match=message):
        get_strategy(name, devices)
