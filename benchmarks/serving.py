"""Export and reload of the sentence model, and a load test of the HTTP service: latency, memory, and no request lost.

    python -m benchmarks.serving

The server is `python -m trainers.serve` in a process of its own, the model a document model of the size of the recipes'
(2,000 words, 400 units, d = 25), untrained: speed does not depend on what it has learned.
"""

import asyncio
import contextlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np

from benchmarks.report import quick_flag, table
from benchmarks.timing import interleaved, ratio

# isort: split
import tensorflow as tf

from tf_vmf import models, serving
from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.models import LSTMVAE, BagOfWordsVAE
from tf_vmf.text import EOS_ID, SPECIAL_TOKENS, DocumentVectorization, SentenceVectorization

CONNECTIONS, WARM_UP = 32, 300
WORDS = [f"word{a}{b}{c}" for a in "abcdefghijklm" for b in "abcdefghijklm" for c in "abcdefghijklm"][:2000]
PREDICT = "/v1/models/model:predict"


def requests() -> list[tuple[str, bytes, int]]:
    """Kinds of requests: name, body, expected status."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 60)) for _ in range(16)]

    def text(*rows: str) -> bytes:
        return ("{" + f'"instances": [{", ".join(chr(34) + row + chr(34) for row in rows)}]' + "}").encode()

    good = [("one text", text(each), 200) for each in texts] + [
        ("16 texts", text(*texts), 200),
        ("empty text", text(""), 200),
    ]
    score = '{"signature_name": "score_text", "inputs": {"texts": ["%s"], "num_samples": %d, "seed": 1}}'
    good += [("score, 10 samples", (score % (texts[0], 10)).encode(), 200)]
    bad = [
        ("not JSON", b"{", 400),
        ("not UTF-8", b'{"instances": ["\xff"]}', 400),
        ("wrong type", b'{"instances": [1]}', 400),
        ("wrong shape", b'{"signature_name": "decode", "instances": [[1, 0]]}', 400),
        ("NaN", b'{"signature_name": "decode", "inputs": [[' + b"NaN, " * 24 + b"0]]}", 400),
        ("no unit vector", b'{"signature_name": "decode", "inputs": [[' + b"1, " * 24 + b"0]]}", 400),
        ("zero samples", (score % (texts[0], 0)).encode(), 400),
    ]
    return good * 3 + bad * 3


async def load(url: str, number: int, pid: int) -> tuple[list[float], Counter, int, int]:
    """Latencies in seconds, answers by kind of request and whether the status was right, and memory before and after."""
    kinds = requests()
    huge = ("10 MB string", b'{"instances": ["' + b"x" * 10_000_000 + b'"]}', 413)
    rng = np.random.default_rng(1)
    plan = [huge if i % 1000 == 999 else kinds[k] for i, k in enumerate(rng.integers(len(kinds), size=number))]
    latencies: list[float] = []
    answers: Counter = Counter()
    queue: asyncio.Queue = asyncio.Queue()

    async def connection(client: httpx.AsyncClient) -> None:
        while not queue.empty():
            kind, body, expected = queue.get_nowait()
            start = time.perf_counter()
            try:
                status = (await client.post(PREDICT, content=body)).status_code
            except httpx.HTTPError as error:
                status = type(error).__name__
            latencies.append(time.perf_counter() - start)
            answers[kind, "as expected" if status == expected else f"{status} for {expected}"] += 1

    async def run(part: list) -> None:
        for each in part:
            queue.put_nowait(each)
        limits = httpx.Limits(max_connections=CONNECTIONS)
        async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
            await asyncio.gather(*(connection(client) for _ in range(CONNECTIONS)))

    await run([*kinds * (WARM_UP // len(kinds)), huge])
    latencies.clear()
    answers.clear()
    before = memory(pid)
    await run(plan)
    return latencies, answers, before, memory(pid)


def memory(pid: int) -> int:
    """Resident memory of a process in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) * 1024


def export_and_reload() -> str:
    """Time to export the sentence model of the Penn Treebank's size and to load it, and speed of its encoder when loaded."""
    words = [*SPECIAL_TOKENS, *(f"word{i}" for i in range(9_998))]
    model = LSTMVAE(len(words), VonMisesFisherLatent(50, concentration=35.0, seed=1), seed=1)
    tokens = np.random.default_rng(0).integers(3, len(words), (64, 22)).astype(np.int32)
    tokens[:, -1] = EOS_ID
    batch = tf.constant(tokens)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        path = serving.export(model, Path(folder) / "1", SentenceVectorization(words, tokenization="whitespace"))
        exported = time.perf_counter() - start
        start = time.perf_counter()
        encode = tf.saved_model.load(str(path)).signatures["encode"]
        encode(tokens=batch)
        loaded = time.perf_counter() - start
        start = time.perf_counter()
        models.load(path)
        reloaded = time.perf_counter() - start

        def repeat(function: Callable[[], object]) -> Callable[[], None]:
            return lambda: [function() for _ in range(10)] and None

        candidates = {
            "model": repeat(lambda: model.posterior_parameters(batch)),
            "export": repeat(lambda: encode(tokens=batch)),
        }
        seconds = interleaved(candidates, rounds=9, warmup=2)
    return (
        "## Export of the sentence model\n\nVocabulary 10,001, LSTM 400, d = 50; encoding batches of 64 sentences.\n\n"
        + table(
            ["", "value"],
            [
                ["export, s", f"{exported:.1f}"],
                ["load as SavedModel and first call, s", f"{loaded:.1f}"],
                ["load as model, s", f"{reloaded:.1f}"],
                ["encoding, speed of the export / the model's", f"{ratio(seconds, 'model', 'export'):.3f}"],
            ],
        )
    )


def report(number: int = 10_000) -> str:
    """The tables in Markdown."""
    return export_and_reload() + "\n" + load_test(number)


def load_test(number: int) -> str:
    """Latency, memory and outcomes of a mix of requests."""
    model = BagOfWordsVAE(len(WORDS), VonMisesFisherLatent(25, concentration=100.0, seed=1), seed=1)
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        path = serving.export(model, Path(folder) / "1", DocumentVectorization(WORDS, tokenization="words"))
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
        free.close()
        command = [sys.executable, "-m", "trainers.serve", f"--export_dir={path}", f"--port={port}"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            url = f"http://127.0.0.1:{port}"
            try:
                wait(url, server)
                start = time.perf_counter()
                latencies, answers, before, after = asyncio.run(load(url, number, server.pid))
                seconds = time.perf_counter() - start
                healthy = httpx.get(f"{url}/health").status_code == 200
            finally:
                server.terminate()
    centiles = statistics.quantiles(latencies, n=100)
    wrong = sum(count for (_, outcome), count in answers.items() if outcome != "as expected")
    text = (
        "## Load test of the HTTP service\n\n"
        f"{number:,} good and bad requests from {CONNECTIONS} connections on loopback, the client on the same machine: "
        f"{len(latencies):,} answered, {wrong} not as expected; the server is {'up' if healthy else 'down'} afterwards.\n\n"
    )
    text += table(
        ["", "value"],
        [
            ["requests a second", f"{number / seconds:,.0f}"],
            ["latency, median, ms", f"{1e3 * centiles[49]:,.1f}"],
            ["latency, p99, ms", f"{1e3 * centiles[98]:,.1f}"],
            ["memory after warming up, MB", f"{before / 1e6:,.0f}"],
            ["memory at the end, MB", f"{after / 1e6:,.0f}"],
        ],
    )
    return (
        text
        + "\n"
        + table(
            ["request", "answer", "number"], [[kind, outcome, str(n)] for (kind, outcome), n in sorted(answers.items())]
        )
    )


def wait(url: str, server: subprocess.Popen) -> None:
    """Returns when the model answers."""
    while True:
        if server.poll() is not None:
            raise RuntimeError(f"The server ended with exit code {server.returncode}.")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/health/ready").status_code == 200:
                return
        time.sleep(0.2)


if __name__ == "__main__":
    print(report(number=500) if quick_flag(__doc__) else report())
