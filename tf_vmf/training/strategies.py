"""`tf.distribute` strategies by name, and the worker processes that share one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_vmf._checks import check_choice
from tf_vmf._errors import ArgumentError

STRATEGIES = ("default", "mirrored", "multi_worker")

_OWNER = "get_strategy"


def get_strategy(name: str, num_devices: int | None = None) -> tf.distribute.Strategy:
    """Returns a strategy.

    Args:
        name: "default" (one device), "mirrored" (a replica of the model on every GPU of the machine, or, where there is none,
            on logical CPU devices: for tests) or "multi_worker" (one on every GPU, or the CPU, of every machine that the
            environment variable TF_CONFIG names; to be called in each of them before anything else of TensorFlow).
        num_devices: Replicas of "mirrored"; None for all GPUs, or all CPU devices.

    Raises:
        ArgumentError: The name is unknown, there are fewer devices than asked for, or TF_CONFIG is missing or malformed.
    """
    check_choice(_OWNER, "name", name, STRATEGIES)
    if name == "default":
        if num_devices not in (None, 1):
            expected, remedy = "None or 1, as strategy 'default' runs on one device", "Use 'mirrored'."
            raise ArgumentError("num_devices", expected, repr(num_devices), remedy, owner=_OWNER)
        return tf.distribute.get_strategy()
    if name == "multi_worker":
        if num_devices is not None:
            expected, remedy = (
                "None, as all devices of every machine are used",
                "Hide devices with CUDA_VISIBLE_DEVICES.",
            )
            raise ArgumentError("num_devices", expected, repr(num_devices), remedy, owner=_OWNER)
        check_cluster(os.environ.get("TF_CONFIG"))
        return tf.distribute.MultiWorkerMirroredStrategy()
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    if kind == "CPU" and num_devices is not None:
        _split_cpu(num_devices)
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    if num_devices is not None and num_devices > len(devices):
        expected = f"at most {len(devices)}, the number of {kind} devices of this machine"
        raise ArgumentError("num_devices", expected, repr(num_devices), owner=_OWNER)
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


class WorkerLostError(RuntimeError):
    """Another worker of the run died, or cannot be reached."""


class Workers:
    """The worker processes that share a strategy; a single one unless the strategy is "multi_worker".

    Args:
        strategy: The strategy of the run.
    """

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self.strategy = strategy
        resolver = strategy.cluster_resolver
        many = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) and resolver is not None
        cluster = resolver.cluster_spec().as_dict() if many else {}
        jobs = [(job, i) for job in ("chief", "worker") for i in range(len(cluster.get(job, [])))]
        self.count = max(1, len(jobs))
        self.index = jobs.index((resolver.task_type, resolver.task_id)) if self.count > 1 else 0

    @property
    def is_chief(self) -> bool:
        """True for the process that writes the files of the run."""
        return self.index == 0

    def gather(self, value: float) -> list[float]:
        """The values of all workers, in their order. A collective: every worker must call it, in the same order of calls."""
        if self.count == 1:
            return [value]
        own_entry = tf.one_hot(self.index, self.count, dtype=tf.float64) * value

        @tf.function(autograph=False)
        def sum_of_entries() -> Any:
            # A worker with several devices would count several times.
            share = own_entry / len(self.strategy.extended.worker_devices)
            return self.strategy.reduce("SUM", self.strategy.run(lambda: tf.identity(share)), axis=None)

        return [float(each) for each in self.run_collective(sum_of_entries).numpy()]

    def any(self, flag: bool) -> bool:
        """True if the flag is set on any worker. A collective."""
        return sum(self.gather(float(flag))) > 0

    def wait_for_all(self) -> None:
        """Returns when all workers have made this call: a barrier."""
        self.gather(0.0)

    def run_collective(self, function: Callable[..., Any], *args: Any) -> Any:
        """Calls a function that communicates with the other workers and returns its result.

        Raises:
            WorkerLostError: Another worker no longer answers.
        """
        if self.count == 1:
            return function(*args)
        try:
            return function(*args)
        except tf.errors.OutOfRangeError:  # the end of the data
            raise
        except (
            tf.errors.UnavailableError,
            tf.errors.AbortedError,
            tf.errors.CancelledError,
            tf.errors.DeadlineExceededError,
            tf.errors.InternalError,
        ) as error:
            raise WorkerLostError(
                f"Worker {self.index} of {self.count} stops: another worker of this run died or cannot be reached. Look at its "
                "output for the cause, then start all workers again with the same command: the run goes on from the last "
                f"checkpoint. TensorFlow says: {str(error).strip().splitlines()[0][:300]}"
            ) from error


def check_cluster(text: str | None) -> dict[str, Any]:
    """Reads TF_CONFIG, from which a worker learns who the others are and which of them it is; an ArgumentError shows its form."""
    example = '{"cluster": {"worker": ["host0:12345", "host1:12345"]}, "task": {"type": "worker", "index": 0}}'
    expected = "with 'multi_worker' the environment variable TF_CONFIG to name the machines"
    remedy = f"Set it on each machine, with its own index, for instance TF_CONFIG='{example}'."
    if not text:
        raise ArgumentError("strategy", expected, "no TF_CONFIG", remedy)
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        hosts, index = cluster[task["type"]], task["index"]
        if task["type"] not in ("chief", "worker") or not 0 <= int(index) < len(hosts):
            raise ValueError(f"task {task['type']} {index} is not in the cluster")
        if other := set(cluster) - {"chief", "worker"}:
            raise ValueError(f"job {sorted(other)[0]!r} has no part in this strategy")
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise ArgumentError("strategy", expected, f"{text}, which is none: {error!r}", remedy) from error
    return dict(config)
