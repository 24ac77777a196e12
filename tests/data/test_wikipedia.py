"""The embedded corpus: as many paragraphs as the articles hold, and prose only."""

import re

import numpy as np
import pytest

pytest.importorskip("gensim")

from tf_vmf.data import load_bag_of_words
from tf_vmf.data.corpora import SHORTEST_PARAGRAPH, paragraphs, read_wikipedia

PROSE = "'''Long''' sentences about [[the moon|moons]] and ''ships'' go on. " * 6

ARTICLE = f"""{{{{Infobox | name = x }}}}
[[File:Moon.jpg|thumb|A caption with a [[link]] in it {"and more " * 40}]]{PROSE}<ref>Some {"ref " * 90}</ref>

== A heading {"very " * 60} long ==
* A list item {"that goes on " * 30}
:<math>x = {"y + " * 90}</math>
<gallery>
File:Ship.jpg|{"A gallery caption " * 20}
</gallery>
{{| class="wikitable"
|-
| cell {"of a table " * 40}
|}}
<source lang="c">
{"int code = 0; " * 30}
</source>
Short.
{PROSE} See https://example.org/page for more (, ).
[[Category:{"Moons " * 50}]]
"""


def test_markup_leaves_prose_alone():
    from gensim.corpora.wikicorpus import filter_wiki

    prose = ("Long sentences about moons and ships go on. " * 6).strip()
    assert list(paragraphs(ARTICLE, filter_wiki)) == [prose, f"{prose} See for more ."]


@pytest.fixture(scope="module")
def documents():
    return list(read_wikipedia())


def test_there_are_about_4200_documents_of_380000_words(documents):
    assert 4100 < len(documents) < 4300
    assert 370_000 < sum(len(document.text.split()) for document in documents) < 390_000
    assert min(len(document.text) for document in documents) >= SHORTEST_PARAGRAPH


def test_no_markup_is_left(documents):
    for document in documents:
        assert not re.search(r"''|\[\[|\]\]|\{\||\|\}|<ref|</|https?:|^[*#:;|!=]|(?i:\bfile:|category:)", document.text)


def test_titles_are_those_of_articles(documents):
    titles = {document.title for document in documents}
    assert {"Albert Einstein", "Apollo 11", "Alkali metal"} <= titles
    assert 90 < len(titles) <= 106


@pytest.fixture(scope="module")
def corpus():
    return load_bag_of_words("wikipedia", seed=0)


def test_the_default_corpus_has_2000_words_and_no_stop_words(corpus):
    assert len(corpus.vocabulary) == len(set(corpus.vocabulary)) == 2000
    assert not {"the", "and", "of", "is"} & set(corpus.vocabulary)
    assert {"lincoln", "apollo", "century"} <= set(corpus.vocabulary)


def test_a_tenth_is_validation_and_a_tenth_test(corpus):
    sizes = np.array([len(corpus.train), len(corpus.valid), len(corpus.test)])
    np.testing.assert_allclose(sizes / sizes.sum(), [0.8, 0.1, 0.1], atol=0.001)
    texts = [text for split in (corpus.train, corpus.valid, corpus.test) for text in split.texts]
    assert len(texts) == sizes.sum()


def test_the_label_is_the_article(corpus):
    named = [corpus.label_names[label] for label in corpus.test.labels]
    assert named == list(corpus.test.titles)


def test_a_unigram_model_has_the_perplexity_seen_in_an_independent_preparation(corpus):
    """1,535 with another tokeniser and split; here within 8 % of it."""
    train = np.asarray(corpus.train.counts.sum(axis=0)).ravel()
    test = np.asarray(corpus.test.counts.sum(axis=0)).ravel()
    perplexity = np.exp(-(test @ np.log(train / train.sum())) / test.sum())
    assert abs(perplexity / 1535 - 1) < 0.08


def test_the_vocabulary_is_the_most_frequent_of_train(corpus):
    """Counts fall along the vocabulary in train; test documents could not have produced this order."""
    assert np.all(np.diff(np.asarray(corpus.train.counts.sum(axis=0)).ravel()) <= 0)
    assert not np.all(np.diff(np.asarray(corpus.test.counts.sum(axis=0)).ravel()) <= 0)


def test_the_same_seed_gives_the_same_corpus(corpus):
    again, other = load_bag_of_words("wikipedia", seed=0), load_bag_of_words("wikipedia", seed=1)
    assert again.statistics == corpus.statistics
    assert (again.test.counts != corpus.test.counts).nnz == 0
    assert other.test.texts != corpus.test.texts
