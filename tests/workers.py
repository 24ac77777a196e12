"""Worker processes on loopback, started as a cluster manager starts them."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def start(command: list[str], tf_config: dict | None = None) -> subprocess.Popen:
    """A process of this checkout on the CPU, its output and errors in one pipe."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    if tf_config is not None:
        environment["TF_CONFIG"] = json.dumps(tf_config)
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=as_in_a_terminal,
    )


def as_in_a_terminal(sigint: signal.Handlers = signal.SIG_DFL) -> None:
    """Undoes in a new process what it inherits of a script in the background, which ignores SIGINT, and of `nohup`."""
    signal.signal(signal.SIGINT, sigint)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def start_workers(command: list[str], number: int = 2) -> list[subprocess.Popen]:
    """The workers of one run."""
    hosts = [f"localhost:{port}" for port in free_ports(number)]
    return [
        start(command, {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}})
        for index in range(number)
    ]


def free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
