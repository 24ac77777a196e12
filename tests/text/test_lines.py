"""Lines: plain or compressed, UTF-8 or refused."""

import gc
import gzip

import pytest

from tests.refusals import refused
from tf_vmf.text.files import TextFiles
from tf_vmf.text.lines import read_lines
from tf_vmf.text.tables import Columns

TEXT = "naïve café\n\n日本語\u2028still line 3\x0c\r\nlast"
LINES = [(1, "naïve café"), (2, ""), (3, "日本語\u2028still line 3\x0c"), (4, "last")]


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_only_newlines_end_lines_compressed_or_not(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(TEXT.encode()) if name.endswith(".gz") else TEXT.encode())
    assert list(read_lines(path)) == LINES


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("first\n\ufeffsecond".encode("utf-8-sig"))
    assert list(read_lines(tmp_path / "a.txt")) == [(1, "first"), (2, "\ufeffsecond")]


def test_bytes_that_are_not_utf8_are_named_by_file_line_and_column(tmp_path):
    (tmp_path / "latin.txt").write_bytes("plain\ncaf\u00e9 au lait\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.txt, line 2: expected UTF-8 text.*bytes e9 .*column 3.*iconv"):
        list(read_lines(tmp_path / "latin.txt"))


def test_another_encoding_is_read_when_named(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9\nna\xefve")
    assert list(read_lines(tmp_path / "a.txt", "ISO-8859-1")) == [(1, "caf\u00e9"), (2, "na\u00efve")]
    with pytest.raises(ValueError, match=r"line 1: expected ASCII text"):
        list(read_lines(tmp_path / "a.txt", "ASCII"))


@pytest.mark.parametrize(
    "content", [b"plain text", gzip.compress(b"one\n" * 1000, mtime=0)[:-12]], ids=["false", "cut"]
)
def test_a_false_or_cut_gzip_file_is_named(tmp_path, content):
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.gz, line \d+: expected intact gzip data"):
        list(read_lines(tmp_path / "a.gz"))


def test_lines_are_read_as_they_are_asked_for(tmp_path):
    """The malformed end of a file does not keep its beginning from being read."""
    (tmp_path / "a.txt").write_bytes(b"good\n\xff\n")
    lines = read_lines(tmp_path / "a.txt")
    assert next(lines) == (1, "good")
    with pytest.raises(ValueError, match="line 2"):
        next(lines)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="Expected a file"):
        list(read_lines(tmp_path))


def test_carriage_returns_alone_end_no_line_and_are_said(tmp_path):
    (tmp_path / "mac.txt").write_bytes(b"first\rsecond\r")
    with pytest.warns(UserWarning, match=r"mac\.txt has carriage returns and no newline, and is read as one line"):
        assert list(read_lines(tmp_path / "mac.txt")) == [(1, "first\rsecond")]
    (tmp_path / "dos.txt").write_bytes(b"first\r\nsecond\r\n")
    assert list(read_lines(tmp_path / "dos.txt")) == [(1, "first"), (2, "second")]
    (tmp_path / "one.txt").write_bytes(b"alone\r")
    assert list(read_lines(tmp_path / "one.txt")) == [(1, "alone")]


def test_only_the_first_mark_is_no_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffa".encode("utf-16"))
    assert list(read_lines(tmp_path / "a.txt")) == [(1, "\ufeffa")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_tables_in_wide_encodings_are_read_and_wrong_columns_of_them_named(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("id,text\n1,Möwe\n2,星\n".encode(encoding))
    assert [text.text for text in TextFiles(tmp_path / "a.csv", columns=Columns("text"))] == ["Möwe", "星"]
    with refused("text_column", "'body'", "id, text"):  # with no second error when the reader is dropped
        TextFiles(tmp_path / "a.csv", columns=Columns("body"))
    gc.collect()
