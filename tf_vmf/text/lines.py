"""Lines of text files, plain or compressed, with errors that name the file and the line."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

_SHOWN = 60  # characters of a malformed line that an error message quotes


def read_lines(path: str | Path, encoding: str = "UTF-8") -> Iterator[tuple[int, str]]:
    """Yields (line number from 1, line without its end) from a text file, decompressed if its name ends in .gz.

    Args:
        path: the file.
        encoding: a superset of ASCII. A byte order mark at the start of UTF-8 is no text.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is not in that encoding, or the file is not the gzip file that its name promises.
    """
    number = 0
    with _open(Path(path)) as file:
        try:
            # Lines are split as bytes, at newlines alone: str.splitlines would also cut at U+2028 and form feeds.
            for number, line in enumerate(file, start=1):
                try:
                    text = line.decode("utf-8-sig" if number == 1 and encoding == "UTF-8" else encoding)
                except UnicodeDecodeError as error:
                    bad = line[error.start : error.start + 4].hex(" ")
                    raise line_error(
                        path, number, f"{encoding} text", f"bytes {bad} at column {error.start}. Convert it with iconv"
                    ) from error
                yield number, text.rstrip("\r\n")
        except (gzip.BadGzipFile, EOFError) as error:
            raise line_error(path, number + 1, "intact gzip data", str(error)) from error


def line_error(path: str | Path, number: int, expected: str, received: str) -> ValueError:
    """The error for a line that a reader refuses, to be raised by the caller."""
    shown = received if len(received) <= _SHOWN else received[:_SHOWN] + "..."
    return ValueError(f"{path}, line {number}: expected {expected}. Received: {shown}")


def _open(path: Path) -> BinaryIO:
    if path.is_dir():
        raise IsADirectoryError(f"Expected a file. Received a folder: {path}")
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")
