import numpy as np
import pytest
from scipy import sparse

from tests.conftest import SHARED
from tests.refusals import refused
from tf_vmf.data import Documents, load_bag_of_words
from tf_vmf.evaluation.bounds import unigram_log_probabilities, unigram_perplexity


def documents(rows):
    return Documents(sparse.csr_matrix(np.array(rows, np.int32)))


def test_perplexities_equal_those_worked_out_by_hand():
    # Train counts 3, 1, 0 -> add-one probabilities 4/7, 2/7, 1/7.
    train, test = documents([[2, 1, 0], [1, 0, 0]]), documents([[1, 0, 0], [0, 1, 2]])
    result = unigram_perplexity(train.word_counts, test)
    # Four tokens: 4/7, 2/7, 1/7, 1/7. Corpus: (7^4 / 8)^(1/4).
    assert result["unigram_perplexity"] == pytest.approx((7**4 / 8) ** 0.25, rel=1e-12)
    # Documents: 7/4 and (7^3 / 2)^(1/3); their geometric mean.
    assert result["unigram_document_perplexity"] == pytest.approx(np.sqrt(7 / 4 * (7**3 / 2) ** (1 / 3)), rel=1e-12)


def test_probabilities_sum_to_one_and_give_unseen_words_their_share():
    log_p = unigram_log_probabilities(documents([[5, 0, 2, 0]]).word_counts)
    assert np.exp(log_p).sum() == pytest.approx(1.0, abs=1e-15)
    assert np.exp(log_p[1]) == pytest.approx(1 / 11, rel=1e-12)


def test_uniform_words_have_the_vocabulary_size_as_perplexity():
    flat = documents([[3] * 8])
    assert unigram_perplexity(flat.word_counts, flat)["unigram_perplexity"] == pytest.approx(8.0, rel=1e-12)


def test_an_empty_test_document_and_another_vocabulary_are_refused():
    with refused("test", "1 of them empty"):
        unigram_perplexity(np.array([1, 1]), documents([[1, 0], [0, 0]]))
    with refused("word_counts", "(2,)", "(3,)"):
        unigram_perplexity(np.array([1, 1]), documents([[1, 0, 1]]))


def test_20_newsgroups_has_the_1205_of_the_literature_in_both_conventions():
    if not (SHARED / "data" / "20ng").is_dir():
        pytest.skip("the 20 Newsgroups files are not here")
    corpus = load_bag_of_words("20ng", data_dir=SHARED / "data")
    everything = Documents(sparse.vstack([corpus.train.counts, corpus.valid.counts]).tocsr())
    result = unigram_perplexity(everything.word_counts, corpus.test)
    assert result["unigram_perplexity"] == pytest.approx(1205, abs=1)
    assert result["unigram_document_perplexity"] == pytest.approx(1205, abs=1)
