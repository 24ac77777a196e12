"""An HTTP service over an export, with the REST interface of TensorFlow Serving."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Callable, Sequence
from typing import Any

from tf_vmf._errors import ArgumentError
from tf_vmf._optional import optional
from tf_vmf.serving.requests import Limits
from tf_vmf.serving.served import Served
from tf_vmf.version import __version__

_NAME = re.compile(r"[A-Za-z0-9_.~-]+")
# What a prediction may still take after SIGTERM; Kubernetes kills after 30 seconds.
_SECONDS_TO_END = 20


def make_app(served: Served, name: str = "model", *, version_labels: Sequence[str] = ("stable",)) -> Any:
    """A FastAPI application that answers as TensorFlow Serving does.

    POST /v1/models/NAME:predict, GET /v1/models/NAME and GET /v1/models/NAME/metadata; the same with /versions/N or /labels/LABEL
    after NAME. / is a page to try the model, /docs and /openapi.json describe the interface, /health/live, /health/ready and
    /metrics are for whoever runs it. Errors are {"error": message}.

    Args:
        served: The export.
        name: NAME above.
        version_labels: Every LABEL above; all stand for the one version.

    Raises:
        ModuleNotFoundError: FastAPI is not installed.
        ValueError: A name or label cannot be part of a URL.
    """
    for argument, text in (("name", name), *(("version_labels", label) for label in version_labels)):
        if not _NAME.fullmatch(text):
            raise ArgumentError(argument, "letters, digits, '_', '.', '~' and '-'", repr(text), owner="make_app")
    with optional("serve", "HTTP services"):
        from tf_vmf.serving.application import application
    return application(served, name, tuple(version_labels))


def serve(
    load: Callable[[], Served],
    name: str = "model",
    *,
    host: str = "127.0.0.1",
    port: int = 8501,
    version_labels: Sequence[str] = ("stable",),
    limits: Limits | None = None,
) -> None:
    """Serves an export over HTTP until the process is told to end; prints the addresses as soon as it listens.

    Args:
        load: Gives the export; called once the port is known to be free.
        name: Name of the model in URLs.
        host: Address to listen on.
        port: Port to listen on; 0 for any that is free.
        version_labels: See `make_app`.
        limits: Of connections and idle times; those on requests are the export's.

    Raises:
        ModuleNotFoundError: FastAPI or Uvicorn is not installed.
        OSError: The address or port is not to be had.
    """
    with optional("serve", "HTTP services"):
        import fastapi  # noqa: F401  (before the export is loaded)
        import uvicorn

        from tf_vmf.serving.connections import OncePerKind, backlog, protocol
    for logger in ("uvicorn.error", "asyncio"):
        logging.getLogger(logger).addFilter(OncePerKind())
    with _bound(host, port) as listening:
        served = load()
        app = make_app(served, name, version_labels=version_labels)

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                if self.started:
                    print(_welcome(served, name, host, listening.getsockname()[1]), flush=True)

        config = uvicorn.Config(
            app,
            log_level="warning",
            http=protocol(limits or Limits()),
            backlog=backlog(limits or Limits()),
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
        Server(config).run(sockets=[listening])


def _bound(host: str, port: int) -> socket.socket:
    """A socket that holds the address and does not listen yet: nobody waits for an export that is still being loaded."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise OSError(
            f"Arguments `host` and `port`: expected an address that is free. Received: {host}, {port}: {error.strerror}."
        ) from error
    return bound


def _welcome(served: Served, name: str, host: str, port: int) -> str:
    reachable = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)
    url = f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}"
    example = served.example_request()
    attempt = f"curl {url}/v1/models/{name}/metadata"
    if example is not None:
        attempt = f"curl -d '{json.dumps(example)}' {url}/v1/models/{name}:predict"
    rows = {
        "page": f"{url}/",
        "docs": f"{url}/docs",
        "health": f"{url}/health/ready",
        "metrics": f"{url}/metrics",
        "endpoints": ", ".join(sorted(served.signatures)),
        "try": attempt,
    }
    title = f'tf_vmf {__version__} serves {served.path} as model "{name}", version {served.version}, at {url}'
    return "\n".join([title, *(f"  {key:<10} {value}" for key, value in rows.items())])
