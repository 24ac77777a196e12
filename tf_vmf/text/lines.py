"""Lines of text files, plain or compressed, with errors that name the file and the line."""

import codecs
import gzip
import io
import warnings
import zlib
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from tf_vmf._errors import FolderPlaceError

_SHOWN = 60  # characters of a malformed line that an error message quotes

# Byte order marks of the encodings that have several bytes per character; UTF-32 first, as its mark begins like that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_lines(path: str | Path, encoding: str = "UTF-8") -> Iterator[tuple[int, str]]:
    """Yields (line number from 1, line without its end) from a text file, decompressed if its name ends in .gz.

    The encoding is a superset of ASCII. A file that begins with a byte order mark of UTF-8, UTF-16 or UTF-32 is in that one.
    """
    number = 0
    recoded: Generator[bytes, None, None] | None = None
    with _open(Path(path)) as file:
        try:
            start = file.peek(64)[:64] if encoding == "UTF-8" else b""  # type: ignore[attr-defined]
            lines: Iterable[bytes] = file
            mark = next((name for bom, name in _MARKS.items() if start.startswith(bom)), None)
            if mark is not None:
                lines = recoded = _recoded(file, mark)
            elif coding := _wide_without_mark(start):
                name = coding[:6]
                expected = f"UTF-8 text; this looks like {name} without a byte order mark, which "
                expected += f"iconv -f {coding} -t UTF-8 converts"
                raise line_error(path, 1, expected, f"bytes {start[:8].hex(' ')}")
            # Lines are split as bytes, at newlines alone: str.splitlines would also cut at U+2028 and form feeds.
            for number, line in enumerate(lines, start=1):
                try:
                    text = line.decode("utf-8-sig" if number == 1 and start.startswith(codecs.BOM_UTF8) else encoding)
                except UnicodeDecodeError as error:
                    bad = line[error.start : error.start + 4].hex(" ")
                    raise line_error(
                        path, number, f"{encoding} text", f"bytes {bad} at column {error.start}. Convert it with iconv"
                    ) from error
                if number == 1 and not text.endswith("\n") and "\r" in text.rstrip("\r"):
                    warnings.warn(
                        f"{path} has carriage returns and no newline, and is read as one line; tr '\\r' '\\n' makes lines of it.",
                        stacklevel=2,
                    )
                yield number, text.rstrip("\r\n")
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise line_error(path, number + 1, "intact gzip data", str(error)) from error
        except UnicodeDecodeError as error:
            raise line_error(path, number + 1, f"{error.encoding.upper()} text", error.reason) from error
        finally:
            if recoded is not None:
                recoded.close()  # before the file: it has to give the file back


def line_error(path: str | Path, number: int, expected: str, received: str) -> ValueError:
    """The error for a line that a reader refuses, to be raised by the caller."""
    shown = received if len(received) <= _SHOWN else received[:_SHOWN] + "..."
    return ValueError(f"{path}, line {number}: expected {expected}. Received: {shown}")


def _open(path: Path) -> BinaryIO:
    if path.is_dir():
        raise FolderPlaceError("a file", path, "which is a folder")
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def _recoded(file: BinaryIO, encoding: str) -> Generator[bytes, None, None]:
    """The lines of a file with a byte order mark, in UTF-8."""
    text = io.TextIOWrapper(file, encoding=encoding, newline="\n")
    try:
        for line in text:
            yield line.encode()
    finally:
        text.detach()  # the file belongs to the caller


def _wide_without_mark(start: bytes) -> str | None:
    """The encoding of bytes between which zeros stand, as they do in UTF-16 and UTF-32; NULs between words do not.

    Zeros in Latin text. The upper bytes of Greek, Cyrillic, Hebrew and Arabic letters are 3 to 7: control characters, of which no
    text in UTF-8 has one after every other byte.
    """
    for size in (4, 2):
        units = len(start) // size
        for name, first in (("LE", 0), ("BE", size - 1)):  # the lowest byte of a unit
            letters = start[first::size][:units]
            upper = b"".join(start[byte::size][:units] for byte in range(size) if byte != first)
            if units >= 3 and max(upper) < 8 and letters.count(0) <= units // 4:
                return f"UTF-{8 * size}{name}"
    return None
