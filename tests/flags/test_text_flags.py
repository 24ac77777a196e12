"""The flags of text say what the loaders' arguments say, and lead to the same corpus."""

import csv

import numpy as np
import pytest

from flags.from_config import define, read
from tf_vmf._errors import ArgumentError
from tf_vmf.data import load_bag_of_words
from tf_vmf.programs.configs import DocumentConfig


def given(**flags):
    """The loader's arguments that flags, as strings, lead to."""
    values = define([DocumentConfig])
    values(["program", *(f"--{name}={value}" for name, value in {"train_files": "a.txt", **flags}.items())])
    return read(DocumentConfig, values).loader_arguments()


def test_flags_that_are_not_given_are_the_loaders_defaults(tmp_path):
    (tmp_path / "a.txt").write_text("the red moon\nthe cold sea\n" * 30)
    by_flags = load_bag_of_words(**given(train_files=tmp_path / "a.txt"))
    assert by_flags.statistics == load_bag_of_words(train_files=tmp_path / "a.txt").statistics


def test_columns_frequencies_and_runs_of_words_lead_to_the_corpus_of_the_arguments(tmp_path):
    rows = [(f"{'red moon' if i % 3 else 'cold sea'} again", "x" if i % 2 else "y") for i in range(60)]
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("body", "class"), *rows])
    by_flags = load_bag_of_words(
        **given(
            train_files=tmp_path / "a.csv",
            text_column="body",
            label_column="class",
            min_df="0.2",
            max_df="40",
            ngram_range="1,2",
            stop_words="none",
        )
    )
    by_arguments = load_bag_of_words(
        train_files=tmp_path / "a.csv", text_column="body", label_column="class", min_df=0.2, max_df=40,
        ngram_range=(1, 2), stop_words="none",
    )  # fmt: skip
    assert by_flags.statistics == by_arguments.statistics
    assert "red_moon" in by_flags.vocabulary
    assert "again" not in by_flags.vocabulary  # in all
    assert by_flags.label_names == ("x", "y")
    np.testing.assert_array_equal(by_flags.test.counts.toarray(), by_arguments.test.counts.toarray())


def test_positions_are_numbers_and_names_are_not():
    assert given(text_column="1", label_column="0")["text_column"] == 1
    assert given(text_column="text")["text_column"] == "text"
    assert (given(min_df="3")["min_df"], given(max_df="0.5")["max_df"]) == (3, 0.5)
    assert isinstance(given(max_df="1.0")["max_df"], float)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_df", "0"),
        ("min_df", "x"),
        ("max_df", "1.5"),
        ("max_df", "-1"),
        ("ngram_range", "2,1"),
        ("ngram_range", "2"),
    ],
)
def test_values_that_mean_nothing_are_refused_by_name(name, value):
    with pytest.raises(ArgumentError, match=f"`{name}`: "):
        given(**{name: value})
