"""Importing the package leaves TensorFlow as it was: devices can still be configured, and processes forked."""

import subprocess
import sys

_PROGRAM = """
import importlib, pkgutil, sys
import tf_vmf
skipped = {"tf_vmf.cli"}
for module in pkgutil.walk_packages(tf_vmf.__path__, "tf_vmf."):
    if module.name not in skipped and ".programs.trainers" not in module.name:
        importlib.import_module(module.name)
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
# Refused once a tensor was made: devices cannot be modified after being initialized.
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
print(len(tf.config.list_logical_devices("CPU")), "tf_vmf.serving.application" in sys.modules)
"""


def test_no_module_makes_a_tensor_on_import():
    finished = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split() == ["2", "True"]
