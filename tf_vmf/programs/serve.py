"""An export as an HTTP service."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from tf_vmf import serving
from tf_vmf.programs.configs import ServeConfig


def serve_export(
    config: ServeConfig, *, while_loading: Callable[[], AbstractContextManager[object]] = nullcontext
) -> None:
    """Serves an export over HTTP until the process is told to end.

    Args:
        config: The export, the address and the limits.
        while_loading: Makes a context in which the export is loaded.

    Raises:
        FileNotFoundError: There is no export at the folder.
        ModuleNotFoundError: FastAPI or Uvicorn is not installed.
        OSError: The address or port is not free.
    """
    limits = serving.Limits(
        body_bytes=config.max_body_bytes,
        examples=config.max_batch,
        predictions=config.max_predictions,
        seconds=config.max_seconds,
        connections=config.max_connections,
    )

    def load() -> serving.Served:
        with while_loading():
            return serving.Served(config.export_dir, limits)

    serving.serve(
        load, config.model_name, host=config.host, port=config.port, version_labels=config.version_labels, limits=limits
    )
