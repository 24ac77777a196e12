"""The HTTP application: routes, status codes, compression, metrics."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import time
from collections.abc import AsyncIterator
from importlib import resources
from types import TracebackType
from typing import Any, NamedTuple

import anyio
import anyio.to_thread
import fastapi
import prometheus_client
from fastapi_offline import FastAPIOffline
from prometheus_client import exposition
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from tensorflow.python.eager import cancellation  # there is no public name for it

from tf_vmf.serving.requests import RequestError, decompressed, parse_json, read_body
from tf_vmf.serving.served import Served
from tf_vmf.version import __version__

_SMALLEST_COMPRESSED, _COMPRESSION = 1024, 5
# The page may talk to this service and to nothing else, so that no text leaves it.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
)

# Upper bounds in seconds, from an encoding to hundreds of importance samples.
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

UNKNOWN = "unknown"
"""The endpoint of requests that name none, or one that there is not: labels must not grow with what clients send."""


def application(served: Served, name: str, version_labels: tuple[str, ...]) -> fastapi.FastAPI:
    """See `tf_vmf.serving.make_app`."""
    service = _Service(served, name)
    app = FastAPIOffline(
        title=f"tf_vmf: {name}", version=__version__, redoc_url=None, lifespan=service.lifespan, redirect_slashes=False
    )

    def get(path: str, answer: Any, **options: Any) -> None:
        app.add_api_route(path, answer, methods=["GET"], **options)
        app.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)

    get("/", service.page, include_in_schema=False)
    get("/health", service.live, include_in_schema=False)
    get("/health/live", service.live)
    get("/health/ready", service.ready)
    get("/metrics", service.exposed_metrics, response_class=fastapi.responses.PlainTextResponse)
    model = f"/v1/models/{name}"
    versions = [f"{model}/versions/{served.version}", *(f"{model}/labels/{label}" for label in version_labels)]
    for path in (model, *versions):
        shown = path == model or path == versions[0]
        get(path, service.status, include_in_schema=shown)
        get(f"{path}/metadata", service.metadata, include_in_schema=shown)
        app.add_api_route(
            f"{path}:predict",
            service.predict,
            methods=["POST"],
            include_in_schema=shown,
            openapi_extra=_request_schema(served),
        )
    app.add_exception_handler(HTTPException, _refuse)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _fail)
    return app


class _Answer(NamedTuple):
    endpoint: str
    status: int
    body: bytes
    headers: dict[str, str]


class _Service:
    """The handlers of the routes."""

    def __init__(self, served: Served, name: str) -> None:
        self._served, self._name = served, name
        self._metrics = Metrics()
        self._not_ready = "The model has not answered its first request yet."
        self._metadata = {"signature_def": {"signature_def": served.describe()}}
        if served.labels is not None:
            self._metadata["labels"] = list(served.labels)  # type: ignore[assignment]
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        # More at once would take each other's caches and cores, and answer later.
        self._limiter = anyio.CapacityLimiter(served.limits.predictions or cores)
        page = resources.files("tf_vmf.serving").joinpath("pages", "index.html").read_text(encoding="utf-8")
        self._page = page.replace("MODEL_NAME", name)

    @contextlib.asynccontextmanager
    async def lifespan(self, app: fastapi.FastAPI) -> AsyncIterator[None]:
        """Answers a first request of its own while the service already listens."""
        del app
        first = asyncio.create_task(self._warm_up())
        yield
        await first

    async def _warm_up(self) -> None:
        try:
            await anyio.to_thread.run_sync(self._served.warm_up, limiter=self._limiter)
            self._not_ready = ""
        except Exception as error:  # shown to whoever asks whether the service is ready
            self._not_ready = f"The model fails: {error}"

    # These are coroutines, so that none of them waits for a thread: liveness is answered while all threads compute.

    async def page(self) -> fastapi.Response:
        """A page to try the model."""
        return fastapi.responses.HTMLResponse(self._page, headers={"Content-Security-Policy": _PAGE_POLICY})

    async def live(self) -> dict[str, str]:
        """Liveness: a process that does not answer should be restarted."""
        return {"status": "ok"}

    async def ready(self) -> fastapi.Response:
        """Readiness: 503 until the model has answered a first request; send it no requests till then."""
        if self._not_ready:
            return _json({"error": self._not_ready}, 503)
        return _json({"status": "ready"})

    async def exposed_metrics(self, request: fastapi.Request) -> fastapi.Response:
        """Requests, latencies and errors by endpoint, for Prometheus."""
        content, content_type = self._metrics.exposed(request.headers.get("accept", ""))
        return fastapi.Response(content, headers={"Content-Type": content_type})

    async def status(self) -> fastapi.Response:
        """State of the model's one version, as TensorFlow Serving reports it."""
        status = {"error_code": "OK", "error_message": ""}
        version = {"version": str(self._served.version), "state": "AVAILABLE", "status": status}
        return _json({"model_version_status": [version]})

    async def metadata(self) -> fastapi.Response:
        """Inputs and outputs of every signature, as TensorFlow Serving reports them; names of labels where there are any."""
        spec = {"name": self._name, "signature_name": "", "version": str(self._served.version)}
        return _json({"model_spec": spec, "metadata": self._metadata})

    async def predict(self, request: fastapi.Request) -> fastapi.Response:
        """Calls a signature: {"signature_name": ..., "instances": [...]} or {"signature_name": ..., "inputs": {...}}."""
        start = time.perf_counter()
        with self._metrics.in_progress.track_inprogress():
            try:
                body = await read_body(request, self._served.limits)
            except RequestError as error:
                answer = _Answer(UNKNOWN, error.status, _dumps({"error": str(error)}), {})
            except ClientDisconnect:
                answer = _Answer(UNKNOWN, 499, b"", {})
            else:
                encoding = request.headers.get("content-encoding", "")
                answer = await self._answer_in_time(request, body, encoding)
        self._metrics.record(answer.endpoint, answer.status, time.perf_counter() - start)
        return fastapi.Response(answer.body, answer.status, answer.headers, "application/json")

    async def _answer_in_time(self, request: fastapi.Request, body: bytes, encoding: str) -> _Answer:
        """Computes in a thread, until the answer is there, the client has gone or the time is up."""
        work = Cancellation()
        seconds = self._served.limits.seconds
        answering = asyncio.ensure_future(
            anyio.to_thread.run_sync(self._answer, body, encoding, _accepts_gzip(request), work, limiter=self._limiter)
        )
        leaving = asyncio.ensure_future(_leave_of(request))
        try:
            done, _ = await asyncio.wait({answering, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if answering in done:
                return answering.result()
            if leaving in done:
                return _Answer(UNKNOWN, 499, b"", {})
            late = f"The answer was not there after {seconds:g} seconds: ask for less in one request, or later."
            return _Answer(UNKNOWN, 503, _dumps({"error": late}), {"Retry-After": "5"})
        finally:
            leaving.cancel()
            if not answering.done():
                work.cancel()
                answering.cancel()  # where it waits for a thread

    def _answer(self, body: bytes, encoding: str, compress: bool, work: Cancellation) -> _Answer:
        endpoint, status = UNKNOWN, 200
        content: Any
        try:
            request = parse_json(decompressed(body, encoding, self._served.limits))
            endpoint = self._served.signature_of(request)
            with work:
                content = self._served.predict(request)
        except RequestError as error:
            content, status = {"error": str(error)}, error.status
        data = _dumps(content)
        if not compress or len(data) < _SMALLEST_COMPRESSED:
            return _Answer(endpoint, status, data, {"Vary": "Accept-Encoding"})
        headers = {"Vary": "Accept-Encoding", "Content-Encoding": "gzip"}
        return _Answer(endpoint, status, gzip.compress(data, _COMPRESSION), headers)


async def _leave_of(request: fastapi.Request) -> None:
    """Returns when the client has gone; the body of its request is read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _request_schema(served: Served) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "signature_name": {"type": "string", "enum": sorted(served.signatures)},
            "instances": {"type": "array", "items": {}, "description": "rows"},
            "inputs": {"description": "whole tensors by name"},
        },
        "example": served.example_request(),
    }
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


def _accepts_gzip(request: fastapi.Request) -> bool:
    for each in request.headers.get("accept-encoding", "").split(","):
        coding, _, weight = each.replace(" ", "").lower().partition(";")
        if coding == "gzip":
            return not weight.startswith("q=0") or bool(weight[3:].strip(".0"))
    return False


async def _refuse(request: fastapi.Request, error: HTTPException) -> fastapi.Response:
    """Paths and methods that there are not, in the format of all other errors."""
    message = f"{error.detail}: {request.method} {request.url.path}. Expected one of the paths in /docs."
    return _json({"error": message}, error.status_code, dict(error.headers or {}))


async def _fail(request: fastapi.Request, error: Exception) -> fastapi.Response:
    del request
    return _json({"error": f"The service failed: {type(error).__name__}. Its log says more."}, 500)


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> fastapi.Response:
    return fastapi.Response(_dumps(content), status, headers, "application/json")


def _dumps(content: Any) -> bytes:
    # Numbers that are not finite are NaN, Infinity and -Infinity, as TensorFlow Serving writes them. ASCII holds lone surrogates.
    return json.dumps(content, separators=(",", ":")).encode()


class Metrics:
    """Requests by endpoint and HTTP status, their latency by endpoint, and the load of the process.

    Each application has a registry of its own, so that several may live in one process.
    """

    def __init__(self) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        self._requests = prometheus_client.Counter(
            "tf_vmf_requests",
            "Answered requests by endpoint and HTTP status; all but status 200 are errors.",
            ["endpoint", "status"],
            registry=self._registry,
        )
        self._seconds = prometheus_client.Histogram(
            "tf_vmf_request_seconds",
            "Time from the arrival of a request to its answer, by endpoint.",
            ["endpoint"],
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self.in_progress = prometheus_client.Gauge(
            "tf_vmf_requests_in_progress", "Requests that are not answered yet.", registry=self._registry
        )
        prometheus_client.ProcessCollector(registry=self._registry)

    def record(self, endpoint: str, status: int, seconds: float) -> None:
        """Counts an answered request."""
        self._requests.labels(endpoint, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def exposed(self, accept: str) -> tuple[bytes, str]:
        """All metrics as text and its content type, in the format that the header Accept asks for."""
        encode, content_type = exposition.choose_encoder(accept)
        return encode(self._registry), content_type


class Cancellation:
    """Ends the functions that are called within its block, from any thread; they fail with `tf.errors.CancelledError`.

    A function stops between two operations, or between two steps of a loop.
    """

    def __init__(self) -> None:
        self._manager = cancellation.CancellationManager()
        self._context = cancellation.CancellationManagerContext(self._manager)

    def cancel(self) -> None:
        """Ends what runs in the block, now or later."""
        self._manager.start_cancel()

    @property
    def is_cancelled(self) -> bool:
        """True once `cancel` was called."""
        return bool(self._manager.is_cancelled)

    def __enter__(self) -> Cancellation:
        self._context.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.__exit__(kind, error, trace)
