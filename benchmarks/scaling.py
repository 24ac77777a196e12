"""Two devices on two cores beside one: throughput, and what a replica costs.

    python -m benchmarks.scaling       # on a machine with two idle cores

Every setting is a process of its own, as thread pools are made once; all of them are started and then take turns of a few
steps, so that a noisy machine treats them alike. Seconds are wall seconds here: what counts is how soon a step is over.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.report import quick_flag, table
from tests.workers import free_ports

CHILD = "TF_VMF_SCALING"


class Setting(NamedTuple):
    """How the steps are run: devices of one process or processes, and threads of each."""

    name: str
    devices: int = 1
    processes: int = 1
    intra: int = 1
    inter: int = 1


ONE = [
    Setting("one device, 1 thread"),
    Setting("one device, 2 threads an operation", intra=2),
    Setting("one device, 2 operations at once", inter=2),
    Setting("one device, 2 threads and operations", intra=2, inter=2),
]
TWO = [
    Setting("2 devices, 1 thread an operation", devices=2, inter=2),
    Setting("2 devices, 2 threads an operation", devices=2, intra=2, inter=2),
    Setting("2 processes of 1 thread", processes=2),
]
# For the cost of a replica: CPU seconds on one thread, the same batch divided among more of them.
REPLICAS = [Setting(f"{n} device{'s' * (n > 1)}", devices=n) for n in (1, 2, 4)]

MODELS = {
    "documents, batch 200": ("documents", 200, 20),
    "documents, batch 1,000": ("documents", 1000, 5),
    "sentences, batch 64": ("sentences", 64, 4),
}


class Runner:
    """The processes of a setting, waiting for work."""

    def __init__(self, setting: Setting, model: str) -> None:
        kind, batch, self.steps = MODELS[model]
        ports = free_ports(setting.processes)
        self.children = []
        for index in range(setting.processes):
            task = {"kind": kind, "batch": batch, **setting._asdict()}
            environment = {
                **os.environ,
                CHILD: json.dumps(task),
                "TF_CPP_MIN_LOG_LEVEL": "3",
                "CUDA_VISIBLE_DEVICES": "",
            }
            if setting.processes > 1:
                cluster = {"worker": [f"localhost:{port}" for port in ports]}
                environment["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
            self.children.append(
                subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.scaling"],
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )

    def ready(self) -> None:
        self.run(2)

    def run(self, steps: int | None = None) -> dict[str, float]:
        """Takes steps; the wall and CPU seconds of one of them."""
        steps = self.steps if steps is None else steps
        for child in self.children:
            assert child.stdin is not None
            child.stdin.write(f"{steps}\n")
            child.stdin.flush()
        answers = []
        for child in self.children:
            assert child.stdout is not None
            line = child.stdout.readline()
            if not line:
                raise RuntimeError(f"a process of the benchmark ended with code {child.wait()}")
            answers.append(json.loads(line))
        return {
            "wall": max(each["wall"] for each in answers) / steps,
            "cpu": sum(each["cpu"] for each in answers) / steps,
            "bytes": answers[0]["bytes"],
        }

    def close(self) -> None:
        for child in self.children:
            child.communicate()


def serve(task: dict[str, Any]) -> None:
    """A child: takes as many steps as each line of its input says."""
    import tensorflow as tf

    from benchmarks import document_training, lstm_step
    from tf_vmf.layers import VonMisesFisherLatent
    from tf_vmf.models import LSTMVAE, BagOfWordsVAE, FusedAdam
    from tf_vmf.training import get_strategy
    from tf_vmf.training.loop import TrainingSteps

    tf.config.threading.set_intra_op_parallelism_threads(task["intra"])
    tf.config.threading.set_inter_op_parallelism_threads(task["inter"])
    if task["processes"] > 1:
        strategy = get_strategy("multi_worker")
    elif task["devices"] > 1:
        strategy = get_strategy("mirrored", task["devices"])
    else:
        strategy = get_strategy("default")
    model: Any
    with strategy.scope():
        latent = VonMisesFisherLatent(50, concentration=35.0, seed=1)
        if task["kind"] == "documents":
            sizes = (document_training.DOCUMENTS, document_training.WORDS, document_training.TOKENS)
            documents = document_training.random_documents(*sizes)
            model = BagOfWordsVAE(documents.counts.shape[1], latent, seed=1)
            batches = documents.batches(task["batch"], seed=0)
        else:
            model = LSTMVAE(lstm_step.VOCABULARY_SIZE, latent, seed=1)
            batches = lstm_step.random_sentences().batches(task["batch"], seed=0)
        model.compile(FusedAdam(1e-3, global_clipnorm=5.0))
    steps, iterator = TrainingSteps(model), iter(strategy.experimental_distribute_dataset(batches))
    gradient = sum(4 * int(variable.shape.num_elements()) for variable in model.trainable_variables)
    taken = 0
    for line in sys.stdin:
        wall, cpu = time.monotonic(), time.process_time()
        for _ in range(int(line)):
            logs = steps.run(iterator, taken)
            taken += 1
        float(logs["loss"])
        answer = {"wall": time.monotonic() - wall, "cpu": time.process_time() - cpu, "bytes": gradient}
        print(json.dumps(answer), flush=True)


def measured(settings: Sequence[Setting], model: str, rounds: int) -> dict[str, list[dict[str, float]]]:
    """For every setting what each round took."""
    runners = {setting.name: Runner(setting, model) for setting in settings}
    for runner in runners.values():
        runner.ready()
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in runners}
    for round_ in range(-1, rounds):
        for name, runner in runners.items():
            took = runner.run()
            if round_ >= 0:
                figures[name].append(took)
    for runner in runners.values():
        runner.close()
    return figures


def throughput(model: str, rounds: int) -> str:
    """The table of throughputs, in units of the best setting of one device in the same round."""
    figures = measured([*ONE, *TWO], model, rounds)
    best = min((s.name for s in ONE), key=lambda name: statistics.median(f["wall"] for f in figures[name]))
    rows = []
    for name, took in figures.items():
        ratio = statistics.median(b["wall"] / t["wall"] for b, t in zip(figures[best], took, strict=True))
        wall, cpu = (1e3 * statistics.median(t[kind] for t in took) for kind in ("wall", "cpu"))
        rows.append([name, f"{wall:.1f}", f"{cpu:.1f}", f"{ratio:.2f}"])
    return f"\n{model[0].upper()}{model[1:]}:\n\n" + table(
        ["setting", "ms a step", "CPU ms a step", "throughput / best of one device"], rows
    )


def replica_cost(rounds: int) -> str:
    """What the same batch costs when more replicas share it, on one thread."""
    rows = []
    for model in MODELS:
        figures = measured(REPLICAS, model, rounds)
        first = figures[REPLICAS[0].name]
        for setting in REPLICAS:
            took = figures[setting.name]
            extra = statistics.median(t["cpu"] - f["cpu"] for t, f in zip(took, first, strict=True))
            cpu = 1e3 * statistics.median(t["cpu"] for t in took)
            rows.append(
                [f"{model}, {setting.name}", f"{first[0]['bytes'] / 1e6:.1f}", f"{cpu:.1f}", f"{1e3 * extra:+.1f}"]
            )
    return "\nThe same batch shared by more replicas, all on one thread:\n\n" + table(
        ["model", "gradient, MB", "CPU ms a step", "more than one device"], rows
    )


def report(rounds: int = 15, models: Sequence[str] = tuple(MODELS)) -> str:
    """The tables in Markdown."""
    text = (
        "## Several devices on one machine\n\n"
        f"{os.cpu_count()} cores; logical CPU devices stand for GPUs. The batch is that of all devices together. Wall time, ratios "
        "within rounds.\n"
    )
    return text + "".join(throughput(model, rounds) for model in models) + replica_cost(max(2, rounds // 2))


if __name__ == "__main__":
    if CHILD in os.environ:
        serve(json.loads(os.environ[CHILD]))
    else:
        print(report(rounds=2, models=list(MODELS)[:1]) if quick_flag(__doc__) else report())
