"""Atomic file writes, and JSON and CSV files."""

import csv
import errno
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tf_vmf._errors import FolderPlaceError, TakenPlaceError, check_unicode
from tf_vmf.locks import FileLock

# How names begin that are not in their place yet.
PARTIAL = ".partial-"

# No room on the disk, in the user's share of it, or below the limit on the size of files.
_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)


def no_room(error: BaseException | None) -> OSError | None:
    """The error of the operating system behind an error, where that is a lack of room for a file; None otherwise.

    Libraries in other languages, such as TensorFlow and HDF5, pass on its words and not its number, in an error of their own or in
    one that follows it.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        number = error.errno if isinstance(error, OSError) else None
        text = str(error)
        found = next((each for each in _NO_ROOM if number == each or os.strerror(each) in text), None)
        if found is not None:
            place = getattr(error, "filename", None)
            return OSError(found, os.strerror(found), *([place] if isinstance(place, str | os.PathLike) else []))
        error = error.__cause__ or error.__context__
    return None


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turns every sign of a lack of room within the block into one error about the path."""
    try:
        yield
    except Exception as error:
        if (lack := no_room(error)) is not None:
            # Where a program prints within the block, its own stream may be what is full.
            full = lack.filename if str(lack.filename).startswith("/dev/") else str(path)
            raise OSError(lack.errno, lack.strerror, full) from error
        raise


def remove_leftovers(folder: str | Path) -> None:
    """Removes what a process that was killed had begun to write here; for the one process that writes in this folder."""
    for path in Path(folder).glob(f"{PARTIAL}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def write_atomically(path: str | Path, write: Callable[[Path], object], *, size: int = 0) -> None:
    """Calls `write` with a temporary path in the same folder, then moves the file into place.

    A reader, or a run killed at any moment, sees the old file or the new one. If `write` fails, or a folder is at the path, what
    was there stays. There must be room for `size` bytes before: HDF5 crashes where a disk is full.
    """
    path = Path(path)
    _check_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffixes are kept: Keras tells its formats apart by them.
    handle, name = tempfile.mkstemp(prefix=PARTIAL, suffix="".join(path.suffixes), dir=path.parent)
    temporary = Path(name)
    try:
        with _explained(path):
            try:
                if size and hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(handle, 0, size)
                    os.ftruncate(handle, 0)
            finally:
                os.close(handle)
            write(temporary)
            _settle(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path to write to, which replaces the file at `path` at the end of the block; if it fails, nothing is left.

    Unlike `write_atomically` it is for a file in a folder of the user's: what a killed process has left is removed by the next one
    that writes the same file, and by none that writes another. A second one at the same time gets a LockHeldError.
    """
    path = Path(path)
    _check_file(path)
    with _partial(path, f"File {path}", "another file") as temporary:
        try:
            with _explained(path):
                yield temporary
                _settle(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _partial(path: Path, subject: str, other: str) -> Iterator[Path]:
    """The temporary name of what becomes `path`, locked."""
    lock = path.parent / f"{PARTIAL}{path.name}.lock"
    with FileLock(lock, subject, f"Wait until it ends, or name {other}.", remove=True):
        yield path.parent / f"{PARTIAL}{path.name}"


def _settle(temporary: Path, path: Path) -> None:
    """Moves a file that is complete, and on the disk, to its place."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.chmod(0o644)
    temporary.replace(path)


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Yields a temporary folder to fill, which becomes `path` at the end of the block; if the block fails, nothing is left.

    A path that is taken is refused, and by a LockHeldError a second process at the same time. What a killed one has left is removed
    by the next.

    ```python
    from tf_vmf.files import new_folder

    with new_folder("exports/1") as folder:
        (folder / "model.txt").write_text("...")
    ```
    """
    path = Path(path)
    _check_new(path)
    with _partial(path, f"Folder {path}", "another folder") as temporary:
        _check_new(path)  # again: it may have been made before it was locked
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            with _explained(path):
                temporary.mkdir(mode=0o700)
                yield temporary
                temporary.chmod(0o755)
                temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise FolderPlaceError("a file to write", path, "which is a folder")
    if path.exists() and not path.is_file():  # such as /dev/stdout, in the place of which a file would come
        raise TakenPlaceError("a file to write", path, "which is a device or a pipe")


def _check_new(path: Path) -> None:
    if path.exists():
        raise TakenPlaceError("a folder that does not exist", path, remedy="Remove it, or name another.")


def sha256_of_file(path: str | Path) -> str:
    """The SHA-256 of a file's content, as hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: str | Path, remedy: str) -> dict[str, Any]:
    """Reads a JSON object from a file of this package; a ValueError with the `remedy` where it is damaged."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged. Expected JSON. Received: {error}. {remedy}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} is damaged. Expected a JSON object. Received: {value!r:.60}. {remedy}")
    return value


def read_metrics(path: str | Path) -> dict[str, Any]:
    """Reads the `metrics.json` of a run; a ValueError where it does not hold the figures of one."""
    remedy = "Remove it: the command of the run measures the model again."
    metrics = read_json(path, remedy)
    for split in ("test", "valid"):
        figures = metrics.get(split)
        if not isinstance(figures, dict) or not all(isinstance(each, int | float) for each in figures.values()):
            raise ValueError(f"{path} is damaged. Expected the figures of the {split} data. Received: none. {remedy}")
    if not isinstance(metrics.get("protocol"), dict):
        raise ValueError(f"{path} is damaged. Expected a protocol. Received: none. {remedy}")
    return metrics


def read_history(path: str | Path) -> list[dict[str, float]]:
    """Reads the `history.csv` of a run.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It does not hold a number per epoch and column; the message names it.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    except (ValueError, TypeError, csv.Error) as error:
        raise ValueError(
            f"{path} is damaged. Expected numbers in columns. Received: {error}. Restore it from a copy."
        ) from error
    return rows


def safe_cell(value: Any) -> Any:
    """A value for a CSV file that spreadsheets do not take for a formula.

    Text that begins with =, +, -, @, a tab or a carriage return, and is no number, gets an apostrophe in front, which spreadsheets
    do not show.
    """
    if not isinstance(value, str) or not value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 text file atomically."""
    check_unicode(text, "text", f"the file {path}")
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: str | Path, value: Any) -> None:
    """Writes indented JSON atomically; a ValueError for NaN and infinity, which JSON does not have."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


class _UnixLines:
    """A file to which each call of `write` is a line that ends in a carriage return and a line feed."""

    def __init__(self, file: io.TextIOBase | IO[str]) -> None:
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix("\r\n") + "\n")


def csv_writer(file: io.TextIOBase | IO[str]) -> Any:
    """A `csv.writer` of lines that end in a line feed; unlike that of Python 3.11 it quotes cells with a carriage return."""
    return csv.writer(_UnixLines(file), lineterminator="\r\n")


def write_csv(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows of equal keys as a CSV file with a header, atomically."""
    text = io.StringIO()
    names = list(rows[0]) if rows else []
    csv_writer(text).writerows([names, *([safe_cell(row.get(name, "")) for name in names] for row in rows)])
    write_text(path, text.getvalue())
