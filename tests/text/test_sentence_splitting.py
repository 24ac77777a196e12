"""Rules for the ends of sentences, on sentences whose ends a reader knows."""

import pytest

from tf_vmf.text.tokenization import split_sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["One sentence."],
        ["It rained.", "Nobody came!", "Why?", "Because."],
        ["He met Dr. Smith and Mrs. Jones on St. James Street.", "They spoke."],
        ["J. S. Bach wrote it.", "The U.S. Army, the U.K. Parliament and others, e.g. No. 5, agreed."],
        ['"Is it so?"', "Asked like this, it ends."],
        ["She said \u201cgo.\u201d", "\u201cWhere?\u201d", "(Nobody knew.)", "1914 came."],
        ["It grew by 3.5 per cent. in the year, about 1.2 million people."],
        ["Version 2.0 came in 1999.", "Élan followed."],
        ["It ended (see below.)", "Then came others."],
        ["No end"],
    ],
)
def test_sentences_joined_by_spaces_are_found_again(sentences):
    assert split_sentences(" ".join(sentences)) == sentences
    assert split_sentences("  " + "\n ".join(sentences) + "  ") == sentences


def test_empty_text_is_one_empty_sentence():
    assert split_sentences("") == [""]


def test_lower_case_goes_on():
    assert len(split_sentences("The firm yahoo! is named so. and this goes on...")) == 1
