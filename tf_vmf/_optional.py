"""Optional dependencies: imported where they are needed, with a hint where they are missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

# The extras of setup.cfg whose packages are imported late: the requirement of each module. A checkout has no metadata to ask.
EXTRAS = {
    "demo": {"gensim": "gensim>=4.3.3", "jinja2": "jinja2>=3.1", "matplotlib": "matplotlib>=3.8"},
    "topics": {
        "gensim": "gensim>=4.3.3",
        "jinja2": "jinja2>=3.1",
        "matplotlib": "matplotlib>=3.8",
        "pandas": "pandas>=2.2",
    },
    "languages": {"stop_words": "stop-words>=2025.11"},
    "serve": {
        "fastapi": "fastapi>=0.115",
        "uvicorn": "uvicorn>=0.30",
        "fastapi_offline": "fastapi-offline>=1.7",
        "prometheus_client": "prometheus-client>=0.20",
    },
    "onnx": {"onnxruntime": "onnxruntime>=1.20", "tf2onnx": "tf2onnx>=1.16"},
}


class MissingPackageError(ModuleNotFoundError):
    """An optional dependency is not installed; the message says how to install it."""


@contextmanager
def optional(extra: str, purpose: str) -> Iterator[None]:
    """Turns a failed import inside the `with` block into a MissingPackageError that says what to install.

    ```python
    with optional("demo", "Reports"):  # the extra of setup.cfg, and the subject of "need" in the message
        import jinja2
    ```
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise MissingPackageError(_message(extra, purpose, package), name=package) from error


def missing(extra: str, purpose: str, *modules: str) -> str | None:
    """The message of `optional` for the first of the modules that is not installed, to say it at the start; None if all are."""
    for module in modules:
        if not _is_installed(module):
            return _message(extra, purpose, module)
    return None


@contextmanager
def note_missing(result: str) -> Iterator[None]:
    """Prints that `result` was not written, and why, where the `with` block lacks an optional dependency, instead of raising."""
    try:
        yield
    except ModuleNotFoundError as error:
        print(f"{result} was not written. {error}", flush=True)


def _message(extra: str, purpose: str, package: str) -> str:
    return f"{purpose} need {package}, which is not installed: {install_command(extra, package)}"


def install_command(extra: str, package: str) -> str:
    """The command that installs what is missing of an extra, in a checkout as where a wheel is installed."""
    modules = EXTRAS[extra]
    lacking = [requirement for name, requirement in modules.items() if name == package or not _is_installed(name)]
    return f"pip install {' '.join(repr(each) for each in lacking or [package])}"


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:  # a module that is blocked, as in tests
        return False
