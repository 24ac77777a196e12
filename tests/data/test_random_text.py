"""Random files, tables and lists against a slow reader in plain Python: the same words and counts, or an error that says where."""

import codecs
import csv
import gzip
import io
import json
import re
import tempfile
import unicodedata
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.random_cases import many
from tests.refusals import refused
from tf_vmf.data import load_bag_of_words, load_sentences
from tf_vmf.text import FIRST_WORD_ID, UNK_ID
from tf_vmf.text.tables import Columns, read_rows

# What readers stumble over, beside random characters of the scripts whose case and categories are settled.
PIECES = [
    "star",
    "Moon",
    "l'été",
    "x",
    "42",
    "3rd",
    "<unk>",
    "a_b",
    "Ünï",
    "日本",
    "e\u0301",
    "don't",
    "U.S.",
    "[UNK]",
    "-",
]
SEPARATORS = [" ", "  ", "\t", "\0", "\u2028", "\x0b", "\x0c", "\x85", "\xa0", ",", '"', "\ufeff", "\r", "\x1c", "\0\0"]
TEXT = st.one_of(
    st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(SEPARATORS)), max_size=9).map("".join),
    st.text(
        st.characters(max_codepoint=0x52F, exclude_categories=["Cs", "Cn"], exclude_characters="\n\u0130"), max_size=12
    ),
)
BROKEN = TEXT.map(lambda text: text + "\ud83d" + text)  # half of a surrogate pair
CODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "latin-1"]
FILES = st.tuples(
    st.lists(TEXT, min_size=1, max_size=12), st.sampled_from(["\n", "\r\n"]), st.sampled_from(CODINGS), st.booleans()
)


def few_and_many(*strategies):
    """The test with a few random inputs, and as a slow one with many."""
    quiet = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}

    def decorate(test):
        def parametrized(examples):
            # A function takes its settings once, so each number of examples has a function of its own.
            settings(max_examples=examples, **quiet)(given(*strategies)(test))()

        sizes = [30, pytest.param(many(500), marks=pytest.mark.slow)]
        parametrized.__doc__ = test.__doc__
        return pytest.mark.parametrize("examples", sizes)(parametrized)

    return decorate


def python_words(text: str) -> list[str]:
    """Runs of letters and marks, without hidden characters; a digit takes what follows along; one letter is no word."""
    runs, run, in_number = [], "", False
    for character in [*text.lower(), " "]:
        if unicodedata.category(character) == "Cf" or character == "\u034f":  # hidden: a soft hyphen, a byte order mark
            continue
        kind = unicodedata.category(character)[0]
        if (kind in "LM" and in_number) or (kind == "M" and not run) or "\ufe00" <= character <= "\ufe0f":
            continue
        if kind in "LM":
            run += character
            continue
        runs.append(run)
        run, in_number = "", kind == "N"
    return [run for run in runs if len(re.sub("[\u0300-\u036f\u20d0-\u20ff]", "", run)) > 1]


WORDS_OF = {
    "words": python_words,
    "whitespace": lambda text: [word for word in re.split(r"[ \t\n\x0b\x0c\r\0]+", text) if word],
}


def python_lines(content: bytes) -> list[str]:
    """The lines of a file: UTF-8, or what a byte order mark says; line ends are newlines with any carriage returns before."""
    coding = "utf-8"
    for mark, name in (
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF8, "utf-8-sig"),
    ):
        if content.startswith(mark):
            coding = name
            break
    text = content.decode(coding)
    lines = text.split("\n")
    return [line.rstrip("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]


def check(load_arguments, texts, tokenization):
    """Documents and sentences, their vocabularies and their vectorizers, against the texts."""
    words = [WORDS_OF[tokenization](text) for text in texts]
    counts = Counter(word for of_text in words for word in of_text)
    arguments = load_arguments | {"min_count": 1, "tokenization": tokenization, "vocabulary_size": 10**6}
    if not counts:
        for load in (load_bag_of_words, load_sentences):
            with refused("texts"):
                load(**arguments)
        return
    order = sorted(counts, key=lambda word: (-counts[word], word))
    documents = load_bag_of_words(**arguments, stop_words="none")
    assert list(documents.vocabulary) == order
    expected = np.array([[Counter(of_text)[word] for word in order] for of_text in words])
    np.testing.assert_array_equal(documents.train.counts.toarray(), expected[expected.any(axis=1)])
    assert documents.statistics["train"]["empty_dropped"] == np.sum(~expected.any(axis=1))
    np.testing.assert_array_equal(documents.vectorizer()(texts), expected)
    np.testing.assert_array_equal(documents.vectorizer().known_tokens(texts), expected.sum(axis=1))
    known = [word for word in order if word != "<unk>"]
    if not known:
        with pytest.raises(ValueError, match="must hold a word"):
            load_sentences(**arguments)
        return
    sentences = load_sentences(**arguments)
    assert list(sentences.vocabulary[FIRST_WORD_ID:]) == known
    ids = {word: number for number, word in enumerate(known, start=FIRST_WORD_ID)} | {"<unk>": UNK_ID}
    assert [row.tolist() for row in sentences.train] == [[*(ids[w] for w in line), 1] for line in words if line]


@few_and_many(FILES, st.sampled_from(["words", "whitespace"]))
def test_a_file_gives_its_words_or_an_error_that_names_it(file, tokenization):
    lines, end, coding, compressed = file
    content = end.join(lines).encode(coding, "replace")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / ("a.txt.gz" if compressed else "a.txt")
        path.write_bytes(gzip.compress(content) if compressed else content)
        arguments = dict.fromkeys(("train_files", "valid_files", "test_files"), path)
        try:
            texts = python_lines(content)
        except UnicodeDecodeError:
            texts = None
        if texts is None:
            with pytest.raises(ValueError, match=re.escape(path.name)):
                load_bag_of_words(**arguments, min_count=1, stop_words="none")
            return
        if coding == "utf-16-le":  # without a mark: letters between NULs, or refused
            with suppress(ValueError):
                load_bag_of_words(**arguments, min_count=1, stop_words="none", tokenization=tokenization)
            return
        check(arguments, texts, tokenization)


@few_and_many(st.lists(TEXT, min_size=1, max_size=8), st.sampled_from(["csv", "tsv", "jsonl"]), st.booleans())
def test_a_table_gives_the_fields_that_were_written(texts, kind, compressed):
    content = io.StringIO(newline="")
    if kind == "jsonl":
        content.writelines(json.dumps({"text": text, "label": "x"}, ensure_ascii=compressed) + "\n" for text in texts)
    else:
        writer = csv.writer(content, delimiter="," if kind == "csv" else "\t")
        writer.writerows([("text", "label"), *((text, "x") for text in texts)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{kind}{'.gz' if compressed else ''}"
        encoded = content.getvalue().encode()
        path.write_bytes(gzip.compress(encoded) if compressed else encoded)
        rows = list(read_rows(path, Columns("text", "label")))
    assert [row.text for row in rows] == texts
    assert {row.label for row in rows} == {"x"}


@few_and_many(st.lists(TEXT, max_size=8), st.lists(BROKEN, max_size=1), st.sampled_from(["words", "whitespace"]))
def test_a_list_gives_its_words_or_an_error_that_names_the_row(texts, broken, tokenization):
    arguments = {"texts": [*texts, *broken, *texts], "validation_size": 1, "test_size": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if broken:
            for load in (load_bag_of_words, load_sentences):
                with refused(f"texts[{len(texts)}]", expected="valid Unicode"):
                    load(**arguments, tokenization=tokenization, min_count=1)
            return
        arguments["texts"] = [f"{text} common" for text in arguments["texts"]]  # no split is empty
        options = arguments | {"min_count": 1, "tokenization": tokenization, "stop_words": "none"}
        if len(texts) < 2:
            with refused("texts", expected="3 texts or more that hold a word"):
                load_bag_of_words(**options)
            return
        corpus = load_bag_of_words(**options, vocabulary_size=10**6)
        splits = (corpus.train, corpus.valid, corpus.test)
        known = set(corpus.vocabulary)
        words = (word for text in arguments["texts"] for word in WORDS_OF[tokenization](text))
        expected = Counter(word for word in words if word in known)
        found = sum(split.word_counts for split in splits)
        assert dict(zip(corpus.vocabulary, found.tolist(), strict=True)) == expected


@few_and_many(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "b/c", ".git", "d"]), st.integers(0, 9), TEXT), min_size=1, max_size=12
    )
)
def test_folders_give_their_visible_files_with_the_first_folder_as_label(files):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        contents = {}
        for place, number, text in files:
            path = Path(folder) / place / f"{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            if place != ".git":
                contents[path.relative_to(folder)] = text
        if not contents:
            with pytest.raises(FileNotFoundError, match="Expected a folder with files"):
                load_bag_of_words(train_files=folder)
            return
        words = {path: python_words(text.removeprefix("\ufeff")) for path, text in sorted(contents.items())}
        arguments = dict.fromkeys(("train_files", "valid_files", "test_files"), folder)
        if not any(words.values()):
            with pytest.raises(ValueError, match="word"):
                load_bag_of_words(**arguments, min_count=1, stop_words="none")
            return
        corpus = load_bag_of_words(**arguments, min_count=1, stop_words="none", vocabulary_size=10**6)
        filled = {path: of_file for path, of_file in words.items() if of_file}
        assert [corpus.label_names[label] for label in corpus.train.labels] == [path.parts[0] for path in filled]
        assert list(corpus.train.titles) == [path.as_posix() for path in filled]
        expected = [[Counter(of_file)[word] for word in corpus.vocabulary] for of_file in filled.values()]
        np.testing.assert_array_equal(corpus.train.counts.toarray(), expected)
