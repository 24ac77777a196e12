"""Files that are either the old ones or the new ones, never half of each."""

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tf_vmf._errors import FolderPlaceError, TakenPlaceError
from tf_vmf.locks import FileLock

# How names begin that are not in their place yet.
PARTIAL = ".partial-"


def remove_leftovers(folder: str | Path) -> None:
    """Removes what a process that was killed had begun to write here; for the one process that writes in this folder."""
    for path in Path(folder).glob(f"{PARTIAL}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def write_atomically(path: str | Path, write: Callable[[Path], object]) -> None:
    """Calls `write` with a temporary path in the same folder, then moves the file into place.

    A reader, or a run killed at any moment, sees the old file or the new one. If `write` fails, the old file stays.

    Raises:
        IsADirectoryError: There is a folder at the path; `write` is not called.
    """
    path = Path(path)
    if path.is_dir():
        raise FolderPlaceError("a file to write", path, "which is a folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffixes are kept: Keras tells its formats apart by them.
    handle, name = tempfile.mkstemp(prefix=PARTIAL, suffix="".join(path.suffixes), dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Yields a temporary folder to fill, which becomes `path` at the end of the block; if the block fails, nothing is left.

    One process at a time makes the folder: a second one is refused at once. What a killed one has left is removed by the next.

    ```python
    from tf_vmf.files import new_folder

    with new_folder("exports/1") as folder:
        (folder / "model.txt").write_text("...")
    ```

    Raises:
        FileExistsError: There is something at the path.
        LockHeldError: Another process makes this folder; the message names its host and number.
    """
    path = Path(path)
    _check_new(path)
    temporary = path.parent / f"{PARTIAL}{path.name}"
    lock = path.parent / f"{PARTIAL}{path.name}.lock"
    with FileLock(lock, f"Folder {path}", "Wait until it ends, or name another folder.", remove=True):
        _check_new(path)  # again: it may have been made before it was locked
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(mode=0o700)
        try:
            yield temporary
            temporary.chmod(0o755)
            temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _check_new(path: Path) -> None:
    if path.exists():
        raise TakenPlaceError("a folder that does not exist", path, remedy="Remove it, or name another.")


def sha256_of_file(path: str | Path) -> str:
    """The SHA-256 of a file's content, as hexadecimal digits.

    Raises:
        OSError: The file cannot be read.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: str | Path, remedy: str) -> Any:
    """Reads a JSON file of this package.

    Args:
        path: The file.
        remedy: What to do about a damaged one, for the message.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file does not hold JSON; the message names it.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged. Expected JSON. Received: {error}. {remedy}") from error


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 text file atomically."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: str | Path, value: Any) -> None:
    """Writes indented JSON atomically.

    Raises:
        ValueError: A number is NaN or infinite: JSON has neither.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_csv(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows of equal keys as a CSV file with a header, atomically."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
