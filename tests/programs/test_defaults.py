"""What a first run reaches that is given nothing but the text."""

import pytest

from tests.conftest import SHARED
from tf_vmf import programs
from tf_vmf.data.corpora import read_wikipedia
from tf_vmf.programs.configs import DocumentConfig


def assert_the_code_tells_more_than_it_costs(folder, **text):
    """Better than word frequencies alone, and paid back by what the code tells of the document."""
    config = DocumentConfig(**text, num_importance_samples=1)  # of another bound than that which is asserted
    metrics = programs.train_documents(config, folder / "run", verbose=False).metrics
    test = metrics["test"]
    assert test["perplexity"] <= 0.95 * metrics["baseline"]["unigram_perplexity"], metrics
    assert test["code_gain"] > test["kl"], test


@pytest.mark.slow
def test_defaults_suit_wikipedia_articles(tmp_path):
    assert_the_code_tells_more_than_it_costs(tmp_path, corpus="wikipedia")


@pytest.mark.slow
@pytest.mark.parametrize("every", [1, 13], ids=["in a row", "of 300 articles"])  # those in a row share their articles
def test_three_hundred_documents_are_enough(every, tmp_path):
    paragraphs = [" ".join(text.text.split()) for text in read_wikipedia()]
    (tmp_path / "few.txt").write_text("\n".join(paragraphs[::every][:300]), encoding="utf-8")
    assert_the_code_tells_more_than_it_costs(tmp_path, train_files=(str(tmp_path / "few.txt"),))


@pytest.mark.slow
@pytest.mark.parametrize(("corpus", "one_of"), [("M10", 1), ("SearchSnippets", 3), ("BBC_News", 2)])
def test_defaults_suit_titles_snippets_and_news(corpus, one_of, tmp_path):
    path = SHARED / "data/topics" / corpus / "corpus.tsv"
    if not path.is_file():
        pytest.skip("The corpus is not part of the repository.")
    lines = path.read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "some.tsv").write_text("".join(lines[::one_of]), encoding="utf-8")
    assert_the_code_tells_more_than_it_costs(
        tmp_path, train_files=(str(tmp_path / "some.tsv"),), text_column=0, label_column=2
    )
