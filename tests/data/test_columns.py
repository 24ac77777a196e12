"""Texts and labels by column: CSV, TSV and JSON lines, against Python's own writers and readers."""

import csv
import gzip
import io
import json
import warnings

import pytest

from tests.refusals import refused
from tf_vmf import data
from tf_vmf.data import load_bag_of_words, load_sentences
from tf_vmf.programs.configs import DocumentConfig
from tf_vmf.text.files import TextFiles
from tf_vmf.text.tables import Columns, looks_like_table, read_rows

TEXTS = [
    "plain words",
    'a "quoted" word, and a comma',
    "two\nlines\n\nhere",
    "tab\there",
    "trailing space ",
    "été 日本",
    "",
    " ",
]
LABELS = ["x", "y, z", 'q"q', "x", "y", "x", "x", "y"]


def write(path, header, kind):
    content = io.StringIO(newline="")
    if kind == "jsonl":
        for row, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True)):
            content.write(json.dumps({"n": row, "text": text, "label": label}, ensure_ascii=row % 2 == 0) + "\n")
    else:
        writer = csv.writer(content, delimiter="," if kind == "csv" else "\t")
        rows = [["n", "text", "label"]] if header else []
        writer.writerows(rows + [[n, text, label] for n, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True))])
    encoded = content.getvalue().encode()
    path.write_bytes(gzip.compress(encoded) if path.suffix == ".gz" else encoded)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.ndjson", "a.csv.gz", "a.JSONL.gz", "a.Tsv"])
@pytest.mark.parametrize("header", [True, False])
def test_what_is_written_is_read(tmp_path, name, header):
    kind = {".csv": "csv", ".tsv": "tsv"}.get("." + name.lower().split(".")[1], "jsonl")
    if kind == "jsonl" and not header:
        pytest.skip("JSON lines have names")
    path = write(tmp_path / name, header, kind)
    columns = Columns("text", "label") if header else Columns(1, 2)
    rows = list(read_rows(path, columns))
    # A carriage return in a field is part of the line end that it stands in.
    assert [row.text for row in rows] == TEXTS
    assert [row.label for row in rows] == LABELS
    if kind != "jsonl":
        first = 2 if header else 1
        assert [row.line for row in rows] == [first, first + 1, first + 2, *range(first + 6, first + 11)]


def test_columns_make_corpora_of_both_kinds(tmp_path):
    rows = [
        (f"good film number {i}" if i % 2 else f"bad film number {i}", "pos" if i % 2 else "neg") for i in range(60)
    ]
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("review", "sentiment"), *rows])
    (tmp_path / "a.jsonl").write_text(
        "\n".join(json.dumps({"review": text, "sentiment": label}) for text, label in rows)
    )
    (tmp_path / "a.txt").write_text("\n".join("\t".join(row) for row in rows))
    for file, columns in (("a.csv", ("review", "sentiment")), ("a.jsonl", ("review", "sentiment")), ("a.txt", (0, 1))):
        arguments = {"train_files": tmp_path / file, "text_column": columns[0], "label_column": columns[1]}
        for load, name in ((load_bag_of_words, "documents"), (load_sentences, "sentences")):
            corpus = load(**arguments)
            listed = load(texts=[text for text, _ in rows], labels=[label for _, label in rows])
            assert corpus.vocabulary == listed.vocabulary
            assert corpus.label_names == ("neg", "pos")
            for split in ("train", "valid", "test"):
                assert corpus.statistics[split] == listed.statistics[split]
            output = tmp_path / f"{file}-{name}"
            prepare = data.prepare_documents if name == "documents" else data.prepare_sentences
            prepare(output, **arguments, validation_size=0.3, test_size=0.3)
            prepared = load("prepared", data_dir=output)
            assert prepared.label_names == ("neg", "pos")
            assert sum(prepared.statistics[split][name] for split in ("train", "valid", "test")) == 60


def test_a_folder_of_tables_is_read_where_columns_are_given(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.csv").write_text(f"text,label\nstar {number},a\nmoon {number},b\n")
    texts = list(TextFiles(tmp_path, whole_files=True, columns=Columns("text", "label")))
    assert [(text.text, text.label) for text in texts] == [
        (f"{word} {number}", label) for number in range(3) for word, label in (("star", "a"), ("moon", "b"))
    ]
    (tmp_path / "notes.txt").write_text("prose")
    with pytest.warns(UserWarning, match=r"3 files with columns are passed over, 0\.csv among them; `text_column`"):
        assert [text.text for text in TextFiles(tmp_path, whole_files=True)] == ["prose"]


@pytest.mark.parametrize(
    ("name", "content", "columns", "complaint"),
    [
        (
            "a.csv",
            "text,label\na,b\nc\n",
            ("text", "label"),
            r"a\.csv, line 3: expected two columns, as in line 1. Received: 1: c",
        ),
        (
            "a.csv",
            'text,label\n"a\n\nb",x\nc,d,e\n',
            ("text", "label"),
            r"line 5: expected two columns.*Received: 3: c, d, e",
        ),
        ("a.csv", 'text\n"a" b\n', ("text", None), r"a\.csv, line 2: expected fields that, if they begin with a quote"),
        ("a.tsv", 'text\n"a never ends\nb\n', ("text", None), r"a\.tsv, line 2: expected fields that.*unexpected end"),
        (
            "a.csv",
            "text,label\na,\n",
            ("text", "label"),
            r"line 2: expected column 'label' a label. Received: an empty field",
        ),
        (
            "a.jsonl",
            '{"text": "a"}\n["b"]\n',
            ("text", None),
            r"line 2: expected a JSON object per line .*jq -c.* Received: '\[\"b\"\]'",
        ),
        (
            "a.jsonl",
            '{"text": "a"}\n{"text": \n',
            ("text", None),
            r"line 2: expected a JSON object per line \(Expecting value",
        ),
        ("a.jsonl", '{"text": null}\n', ("text", None), r"line 1: expected a string as 'text'. Received: None"),
        ("a.jsonl", '{"text": "a", "l": [1]}\n', ("text", "l"), r"line 1: expected a string or a number as 'l'.*\[1\]"),
        ("a.jsonl", '{"text": "a", "l": ""}\n', ("text", "l"), r"line 1: expected column 'l' a label"),
        (
            "a.jsonl",
            '{"text": "a", "label": NaN}',
            ("text", "label"),
            r"line 1: expected a string or a number as 'label'.*nan",
        ),
        (
            "a.jsonl",
            '{"text": "a", "text": "b"}',
            ("text", None),
            r"line 1: expected a JSON object per line \(keys that differ",
        ),
        ("a.jsonl", '{"a":' * 100_000, ("text", None), r"line 1: expected a JSON object"),
    ],
)
def test_a_malformed_row_is_named_by_file_and_line(tmp_path, name, content, columns, complaint):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=complaint):
        list(read_rows(tmp_path / name, Columns(*columns)))


@pytest.mark.parametrize(
    ("name", "content", "columns", "argument", "expected", "remedy"),
    [
        ("a.csv", "body,label\na,b\n", ("text", None), "text_column", "line 1: body, label", ""),
        ("a.csv", "text,text\na,b\n", ("text", None), "text_column", "one column", ""),
        ("a.csv", "a,b\n", (2, None), "text_column", "below 2", ""),
        ("a.csv", "text,l\na,b\n", ("text", "label"), "label_column", "line 1: text, l", ""),
        ("a.csv", "a,b,c\n", (None, 0), "text_column", "line 1, has not two", ""),
        ("a.csv", "id;text\n1;a\n", ("text", None), "text_column", "id;text", "delimiter=';'"),
        ("a.csv", "id\ttext\n1\ta\n", ("text", None), "text_column", "line 1", "delimiter='\\t'"),
        ("a.tsv", "id,text\n1,a\n", ("text", None), "text_column", "line 1", "delimiter=','"),
        ("a.csv", "1;a\n", (1, None), "text_column", "below 1", "delimiter=';'"),
        ("a.jsonl", '{"text": "a"}\n{"body": "b"}\n', ("text", None), "text_column", "line 2: body", ""),
        ("a.jsonl", '{"text": "a", "l": "b"}\n', (None, "l"), "text_column", "line 1: text, l", ""),
        ("a.jsonl", '{"text": "a"}\n', (0, None), "text_column", "JSON lines", ""),
    ],
)
def test_a_column_that_a_file_lacks_is_refused(tmp_path, name, content, columns, argument, expected, remedy):
    (tmp_path / name).write_text(content)
    with refused(argument, expected=expected, remedy=remedy):
        list(read_rows(tmp_path / name, Columns(*columns)))
    if "line 2" not in expected:  # the header alone is read before anything else is done
        with refused(argument, expected=expected, remedy=remedy):
            TextFiles(tmp_path / name, columns=Columns(*columns))


def test_a_delimiter_of_ones_own(tmp_path):
    (tmp_path / "a.csv").write_text('id;text\n1;"a; b, c"\n2;d\n')
    rows = read_rows(tmp_path / "a.csv", Columns("text", "id", delimiter=";"))
    assert [(row.text, row.label) for row in rows] == [("a; b, c", "1"), ("d", "2")]
    (tmp_path / "a.txt").write_text("1|a\n2|b\n")
    assert [row.text for row in read_rows(tmp_path / "a.txt", Columns(1, delimiter="|"))] == ["a", "b"]


@pytest.mark.parametrize("delimiter", ["", ";;", '"', 3, "\n"])
def test_a_delimiter_that_is_none_is_refused(delimiter):
    with refused("delimiter", repr(delimiter)):
        Columns("text", delimiter=delimiter)


def test_a_delimiter_without_a_column_is_refused():
    with refused("text_column"):
        Columns(delimiter=";")


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ((-1, None), "text_column"),
        ((True, None), "text_column"),
        (("text", 1.5), "label_column"),
        (("text", "text"), "label_column"),
        ((0, 0), "label_column"),
    ],
)
def test_columns_that_are_none_are_refused(columns, name):
    with refused(name):
        Columns(*columns)


@pytest.mark.parametrize("load", [load_bag_of_words, load_sentences])
def test_a_table_without_its_columns_is_refused_with_its_header(tmp_path, load):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id,review\n1,fine\n"))
    with refused("text_column", "None", "a.csv.gz has columns", "id,review"):
        load(train_files=tmp_path / "a.csv.gz")
    with refused("label_column", "'id'"):
        load(train_files=f"x={tmp_path}/a.csv.gz", text_column="review", label_column="id")
    with refused("text_column", expected="it goes with `train_files`"):
        load(texts=["a"], text_column="text")


@pytest.mark.parametrize(
    ("name", "start", "what"),
    [
        ("a.xlsx", b"PK\x03\x04", "a spreadsheet.*read_excel"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "a spreadsheet"),
        ("a.parquet", b"PAR1", "a Parquet file.*read_parquet"),
        ("a.zip", b"PK\x03\x04", "a zip archive.*Unpack"),
        ("a.csv", b"PK\x03\x04", "a zip archive"),
        ("a.csv.xz", b"\xfd7zXZ", "an xz file.*unxz"),
        ("a.pdf", b"%PDF-1.4", "a PDF document"),
    ],
)
def test_binary_formats_are_refused_with_what_reads_them(tmp_path, name, start, what):
    (tmp_path / name).write_bytes(start + bytes(range(256)))
    for columns in (None, Columns("text")):
        with pytest.raises(ValueError, match=rf"{name}: expected plain text.*Received: {what}"):
            TextFiles(tmp_path / name, columns=columns)


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (['{"text": "a"}', '{"text": "b"}'], "json lines"),
        (["text,label", "a film,pos", '"bad, bad",neg'], "csv"),
        (["a\tb", "c d\te"], "tsv"),
        (["a film,pos", "another film,neg"], "csv"),
        (["Well, this is prose.", "So, is this."], None),
        (["{a brace}", "prose"], None),
        (["one line, two parts"], None),
        (["first", "second"], None),
        ([], None),
        (["a\tb", "c"], None),
    ],
)
def test_plain_text_that_looks_like_columns_is_told_from_prose(lines, kind):
    assert looks_like_table(lines) == kind


@pytest.mark.parametrize(
    ("suffix", "line"), [(".jsonl", '{"text": "star moon"}'), (".tsv", "star moon\tx"), (".csv", "star moon,x")]
)
def test_plain_text_that_looks_like_columns_warns_and_is_read(tmp_path, suffix, line):
    (tmp_path / "a.txt").write_text(f"{line}\n" * 40)
    for load in (load_bag_of_words, load_sentences):
        with pytest.warns(
            UserWarning, match=rf"a\.txt looks like .* ends in \{suffix}, and text_column and label_column"
        ):
            assert len(load(train_files=tmp_path / "a.txt").train) == 32


def test_a_header_that_is_read_as_a_text_warns(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\nstar,a\nmoon,b\n")
    with pytest.warns(UserWarning, match=r"a\.csv, line 1 looks like a header \(text, label\).*by name"):
        assert len(list(read_rows(tmp_path / "a.csv", Columns(0, 1)))) == 3
    (tmp_path / "b.csv").write_text("star,a\nmoon,b\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [row.label for row in read_rows(tmp_path / "b.csv", Columns(0, 1))] == ["a", "b"]


def test_fields_beyond_the_limit_of_the_csv_module_are_read(tmp_path):
    text = "word " * 100_000
    (tmp_path / "a.csv").write_text(f"text\n{text}\n")
    assert [row.text for row in read_rows(tmp_path / "a.csv", Columns("text"))] == [text]


def test_a_delimiter_reaches_the_loaders_from_a_configuration(tmp_path):
    (tmp_path / "a.csv").write_text("id;text\n" + "1;a red moon\n2;a blue sea\n" * 10)
    config = DocumentConfig(train_files=(str(tmp_path / "a.csv"),), text_column="text", delimiter=";")
    assert set(load_bag_of_words(**config.loader_arguments()).vocabulary) == {"red", "moon", "blue", "sea"}
    data.prepare_documents(tmp_path / "out", tmp_path / "a.csv", text_column="text", delimiter=";")
    prepared = data.load_bag_of_words("prepared", data_dir=tmp_path / "out")
    assert set(prepared.vocabulary) == {"red", "moon", "blue", "sea"}
