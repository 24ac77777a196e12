"""`tf.distribute` strategies by name."""

import tensorflow as tf

from tf_vmf.training.workers import from_environment

STRATEGIES = ("default", "mirrored", "multi_worker")


def get_strategy(name: str, num_devices: int | None = None) -> tf.distribute.Strategy:
    """Returns a strategy.

    Args:
        name: "default" (one device), "mirrored" (a replica of the model on every GPU of the machine, or, where there is none,
            on logical CPU devices: for tests) or "multi_worker" (one on every GPU, or the CPU, of every machine that the
            environment variable TF_CONFIG names; to be called in each of them before anything else of TensorFlow).
        num_devices: Replicas of "mirrored"; None for all GPUs, or all CPU devices.

    Raises:
        ValueError: The name is unknown, there are fewer devices than asked for, or TF_CONFIG is missing or malformed.
    """
    if name not in STRATEGIES:
        raise ValueError(f"Unknown strategy {name!r}. Expected one of: {', '.join(STRATEGIES)}.")
    if name == "default":
        if num_devices not in (None, 1):
            raise ValueError(
                f"Strategy 'default' runs on one device. Received: num_devices={num_devices}. Use 'mirrored'."
            )
        return tf.distribute.get_strategy()
    if name == "multi_worker":
        if num_devices is not None:
            raise ValueError(
                f"Strategy 'multi_worker' uses all devices of every machine. Received: num_devices={num_devices}. Hide devices "
                "with CUDA_VISIBLE_DEVICES."
            )
        from_environment()
        return tf.distribute.MultiWorkerMirroredStrategy()
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    if kind == "CPU" and num_devices is not None:
        _split_cpu(num_devices)
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    if num_devices is not None and num_devices > len(devices):
        raise ValueError(f"Asked for num_devices={num_devices}, but this machine has {len(devices)} {kind} device(s).")
    # The collectives of a CPU number their groups anew for every strategy, so a second one of another size would fail.
    cross_device_ops = tf.distribute.ReductionToOneDevice() if kind == "CPU" else None
    return tf.distribute.MirroredStrategy(devices[:num_devices], cross_device_ops)


def _split_cpu(num_devices: int) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    if tf.config.get_logical_device_configuration(cpu) is None:
        # Too late after TensorFlow has started; then the number of devices found speaks for itself.
        try:
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * num_devices)
        except RuntimeError:
            return
