"""Optional dependencies: imported where they are needed, with a hint where they are missing."""

from collections.abc import Iterator
from contextlib import contextmanager


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
        ModuleNotFoundError: A module is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise ModuleNotFoundError(
            f"{purpose} need {package}, which is not installed: pip install 'tf-vmf[{extra}]'", name=package
        ) from error
