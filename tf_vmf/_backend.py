"""Checks, on import, that Keras computes with TensorFlow, as the layers and models of this package do."""

import os
import sys


def check_backend() -> None:
    """An ImportError where Keras has another backend, before its own errors or ours hide the cause."""
    found = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if found == "tensorflow" or "keras" in sys.modules:
        import keras  # which may have its backend from ~/.keras/keras.json

        found = keras.config.backend()
    if found != "tensorflow":
        raise ImportError(
            f"tf_vmf needs the TensorFlow backend of Keras. Received: {found}. Set the environment variable "
            "KERAS_BACKEND=tensorflow before keras is imported. tf_vmf.math and tf_vmf.distributions do without Keras."
        )


check_backend()
