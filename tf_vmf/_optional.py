"""Optional dependencies: imported where they are needed, with a hint where they are missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


class MissingPackageError(ModuleNotFoundError):
    """An optional dependency is not installed; the message says how to install it."""


@contextmanager
def optional(extra: str, purpose: str) -> Iterator[None]:
    """Turns a failed import inside the `with` block into an error that says what to install.

    ```python
    with optional("demo", "Reports"):
        import jinja2
    ```

    Args:
        extra: The extra of this package that brings the module, as in `pip install 'tf-vmf[extra]'`.
        purpose: What the module is for; the subject of "need" in the message.

    Raises:
        MissingPackageError: A module is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise MissingPackageError(_message(extra, purpose, package), name=package) from error


def missing(extra: str, purpose: str, *modules: str) -> str | None:
    """The message of `optional` for the first of the modules that is not installed; None if all are.

    For programs that use the modules late: they can say at the start what will be missing.
    """
    for module in modules:
        if find_spec(module) is None:
            return _message(extra, purpose, module)
    return None


@contextmanager
def note_missing(result: str) -> Iterator[None]:
    """Prints a note where the `with` block lacks an optional dependency, instead of raising.

    ```python
    with note_missing("report.html"):
        write_report(...)  # prints: "report.html was not written. Reports need jinja2, ..."
    ```

    Args:
        result: What the block makes, the subject of the note.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        print(f"{result} was not written. {error}", flush=True)


def _message(extra: str, purpose: str, package: str) -> str:
    return f"{purpose} need {package}, which is not installed: pip install 'tf-vmf[{extra}]'"
