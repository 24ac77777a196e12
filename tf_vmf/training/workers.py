"""The processes of a distributed run: which of them writes files, and what they have to agree on."""

import json
import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf


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
    """Reads TF_CONFIG, from which a worker learns who the others are and which of them it is.

    Raises:
        ValueError: It is missing or malformed; the message shows what is expected.
    """
    example = '{"cluster": {"worker": ["host0:12345", "host1:12345"]}, "task": {"type": "worker", "index": 0}}'
    expected = f"Expected, on each machine with its own index, for instance TF_CONFIG='{example}'."
    if not text:
        raise ValueError(
            f"Strategy 'multi_worker' needs the environment variable TF_CONFIG, which is not set. {expected}"
        )
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        hosts, index = cluster[task["type"]], task["index"]
        if task["type"] not in ("chief", "worker") or not 0 <= int(index) < len(hosts):
            raise ValueError(f"task {task['type']} {index} is not in the cluster")
        if other := set(cluster) - {"chief", "worker"}:
            raise ValueError(f"job {sorted(other)[0]!r} has no part in this strategy")
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"TF_CONFIG is not what strategy 'multi_worker' needs: {error!r}. {expected} Received: {text}"
        ) from error
    return dict(config)


def from_environment() -> dict[str, Any]:
    """`check_cluster` of this process's TF_CONFIG."""
    return check_cluster(os.environ.get("TF_CONFIG"))
