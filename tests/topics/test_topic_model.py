"""`TopicModel` finds planted topics, and keeps them through files, merging and new documents."""

import inspect

import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import normalized_mutual_info_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from tests.parameters import quick
from tests.topics.conftest import small
from tests.topics.planted import SHARED, WORDS, planted_texts
from tf_vmf._errors import ArgumentError
from tf_vmf.topics import TopicModel

TEXTS, LABELS = planted_texts()
PLANTED = [word for words in WORDS.values() for word in words]


@pytest.fixture(scope="module")
def model(planted_folder):
    return TopicModel.load(planted_folder)


@pytest.fixture(scope="module")
def of_three_epochs():
    return small(epochs=3).fit(TEXTS)


@pytest.fixture(scope="module")
def of_two_epochs():
    return [small(epochs=2, random_state=seed).fit(TEXTS) for seed in (0, 1)]


@pytest.fixture
def changeable(planted_folder):
    """A copy that a test may change."""
    return TopicModel.load(planted_folder)


def test_planted_topics_are_found_with_their_words(model):
    assert normalized_mutual_info_score(LABELS, model.labels_) > 0.95
    lists = list(WORDS.values())
    topic_of_list = [np.bincount(model.labels_[label == LABELS]).argmax() for label in range(3)]
    for label, topic in enumerate(topic_of_list):
        assert set(model.topics(8)[topic]) == set(lists[label])


def test_the_first_words_of_longer_lists_are_the_shorter_lists(model):
    assert [words[:5] for words in model.topics(20)] == model.topics(5)
    assert [sorted(words) for words in model.topics(len(model.vocabulary_))] == [sorted(model.vocabulary_)] * 3


def test_topics_are_numbered_by_size(model):
    sizes = np.bincount(model.labels_, minlength=3)
    assert list(sizes) == sorted(sizes, reverse=True)


def test_proportions_are_distributions_and_name_the_planted_topic_of_new_texts(model):
    texts, labels = planted_texts(60, seed=1)
    proportions = model.transform(texts)
    assert proportions.shape == (60, 3)
    assert (proportions >= 0).all()
    np.testing.assert_allclose(proportions.sum(axis=1), 1.0, rtol=1e-12)
    assert normalized_mutual_info_score(labels, proportions.argmax(axis=1)) > 0.95


def test_a_text_without_a_known_word_gets_the_mean_proportions_of_the_training_texts(model):
    proportions = model.transform(["orbit moon", "", "unheard words"])
    np.testing.assert_allclose(proportions[1:], np.tile(model.transform(TEXTS).mean(axis=0), (2, 1)), rtol=1e-6)
    np.testing.assert_array_equal(model.known_tokens(["orbit moon", "", "unheard orbit", "moon moon"]), [2, 0, 1, 2])
    assert not model.embed(["", "x"]).any()


def test_training_texts_without_a_word_are_counted_but_not_trained_on(of_three_epochs):
    with_empty, without = small(epochs=3).fit(["", *TEXTS]), of_three_epochs
    np.testing.assert_allclose(with_empty.transform(TEXTS), without.transform(TEXTS), rtol=1e-5)
    np.testing.assert_array_equal(with_empty.labels_, [-1, *without.labels_])


def test_codes_are_unit_vectors_of_the_posterior(model):
    codes = model.embed(TEXTS[:4])
    counts = model.vectorizer_(TEXTS[:4])
    np.testing.assert_allclose(codes, model.model_.encode(counts).mean_direction, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 1.0, atol=1e-6)


def test_fit_transform_is_transform_of_the_training_texts(of_three_epochs):
    np.testing.assert_allclose(small(epochs=3).fit_transform(TEXTS), of_three_epochs.transform(TEXTS), rtol=1e-5)


@pytest.mark.parametrize("kind", quick(1, [sparse.csr_matrix, np.asarray, sparse.coo_array]))
def test_counts_dense_or_sparse_give_the_topics_of_the_texts(kind, of_three_epochs):
    from_texts = of_three_epochs
    vocabulary = from_texts.vocabulary_
    counts = CountVectorizer(vocabulary=vocabulary).fit_transform(TEXTS)
    from_counts = small(epochs=3, vocabulary=vocabulary).fit(kind(counts.toarray()))
    np.testing.assert_allclose(from_counts.transform(kind(counts.toarray())), from_texts.transform(TEXTS), rtol=1e-5)
    assert from_counts.topics() == from_texts.topics()


def test_arrays_and_columns_of_strings_are_texts(model):
    pandas = pytest.importorskip("pandas")
    expected = model.transform(TEXTS[:5])
    np.testing.assert_array_equal(model.transform(np.array(TEXTS[:5])), expected)
    np.testing.assert_array_equal(model.transform(pandas.Series(TEXTS[:5], index=range(9, 14))), expected)


def test_the_same_seed_gives_the_same_model_whatever_the_global_generators_hold(of_two_epochs):
    import keras

    first, other = of_two_epochs
    keras.utils.set_random_seed(77)
    second = small(epochs=2).fit(TEXTS)
    np.testing.assert_array_equal(first.transform(TEXTS), second.transform(TEXTS))
    assert not np.allclose(first.embed(TEXTS), other.embed(TEXTS))


def test_fits_in_threads_give_the_codes_of_fits_one_after_the_other(of_two_epochs):
    from concurrent.futures import ThreadPoolExecutor

    def codes(seed):
        return small(epochs=2, random_state=seed).fit(TEXTS).embed(TEXTS)

    expected = [fitted.embed(TEXTS) for fitted in of_two_epochs]
    with ThreadPoolExecutor(2) as pool:
        for found, alone in zip(pool.map(codes, (0, 1)), expected, strict=True):
            np.testing.assert_allclose(found, alone, atol=1e-6)


def test_fitting_does_not_seed_pythons_generator():
    import random

    following = []
    for state in (5, 6):
        random.seed(state)
        small(epochs=1).fit(TEXTS)
        following.append(random.random())
    assert following[0] != following[1]


def test_the_topics_of_a_trained_document_model_are_those_of_the_estimator(model):
    parameters = {"num_topics": 3, "stop_words": "none", "random_state": 0}
    found = TopicModel.from_document_model(model.model_, TEXTS, vectorizer=model.vectorizer_, **parameters)
    np.testing.assert_array_equal(found.labels_, model.labels_)
    assert found.topics() == model.topics()
    counts = model.vectorizer_(TEXTS).numpy()
    counted = TopicModel.from_document_model(model.model_, counts, vocabulary=model.vocabulary_, **parameters)
    assert counted.topics() == model.topics()
    with pytest.raises(ArgumentError) as caught:
        TopicModel.from_document_model(model.model_, counts, vocabulary=model.vocabulary_[:-1], **parameters)
    assert (caught.value.name, caught.value.received) == ("vocabulary", str(len(model.vocabulary_) - 1))
    with pytest.raises(ArgumentError) as caught:
        TopicModel.from_document_model(model.model_, TEXTS, vocabulary=model.vocabulary_, **parameters)
    assert caught.value.name == "vectorizer"


def test_saved_and_loaded_models_agree(model, tmp_path):
    model.save(tmp_path / "model")
    loaded = TopicModel.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(TEXTS), model.transform(TEXTS))
    assert loaded.topics(12) == model.topics(12)
    np.testing.assert_array_equal(loaded.labels_, model.labels_)
    assert loaded.get_params() == model.get_params()
    assert loaded.score(TEXTS) == pytest.approx(model.score(TEXTS))
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "model")
    with pytest.raises(FileNotFoundError, match=r"topic_model\.json"):
        TopicModel.load(tmp_path)


def test_a_model_of_counts_survives_its_files(tmp_path):
    counts = CountVectorizer(vocabulary=PLANTED).fit_transform(TEXTS)
    fitted = small(epochs=2, vocabulary=PLANTED).fit(counts)
    fitted.save(tmp_path / "model")
    loaded = TopicModel.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(counts), fitted.transform(counts))
    assert loaded.vectorizer_ is None
    with pytest.raises(ValueError, match="fitted on counts"):
        loaded.transform(TEXTS)


def test_merged_topics_have_the_sum_of_their_proportions(changeable, model):
    before = model.transform(TEXTS)
    changeable.set_topic_labels({2: "kept", 0: "gone", 1: "also gone"})
    changeable.merge_topics([[1, 0]])
    after = changeable.transform(TEXTS)
    np.testing.assert_allclose(after, np.stack([before[:, 0] + before[:, 1], before[:, 2]], axis=1), rtol=1e-6)
    assert changeable.topic_labels()[1] == "kept"
    assert changeable.topic_labels()[0] == "gone"  # topics are numbered by size
    assert set(changeable.topics(8)[1]) == set(model.topics(8)[2])
    assert changeable.get_feature_names_out().tolist() == ["topicmodel0", "topicmodel1"]


@pytest.mark.parametrize("groups", [[[0]], [[0, 3]], [[0, 1], [1, 2]], [[1, 1]], [[-1, 0]]])
def test_groups_that_cannot_be_merged_are_refused(model, groups):
    with pytest.raises(ValueError, match="`groups`"):
        model.merge_topics(groups)


def test_words_find_their_topic(model):
    for label, words in enumerate(WORDS.values()):
        topic = np.bincount(model.labels_[label == LABELS]).argmax()
        found = model.find_topics(words[0])
        assert found[0][0] == topic
        assert found[0][1] > 0.8
        assert sum(p for _, p in found) == pytest.approx(1.0)
        assert model.find_topics(words[:3], 1)[0][0] == topic
    assert model.find_topics(SHARED[0])[0][1] < 0.8
    with pytest.raises(ValueError, match="Similar words: orbit"):
        model.find_topics("orbits")


def test_seed_words_become_the_first_topics_and_name_them():
    guided = small(seed_words={"cooking": ["bread", "oven"], "astronomy": ["moon", "comet"]}).fit(TEXTS)
    assert guided.topic_labels()[:2] == ["cooking", "astronomy"]
    assert set(guided.topics(8)[0]) == set(WORDS["food"])
    assert set(guided.topics(8)[1]) == set(WORDS["space"])


def test_topics_after_the_guided_ones_are_numbered_by_the_texts_that_they_have():
    # Sizes of the mixture and counts of the largest proportions need not have one order.
    fitted = small(6, epochs=3, seed_words=[["goal"]]).fit(TEXTS)
    sizes = np.bincount(fitted.labels_, minlength=6)
    assert sizes[1:].tolist() == sorted(sizes[1:], reverse=True)
    np.testing.assert_array_equal(fitted.labels_, fitted.transform(TEXTS).argmax(axis=1))


def test_without_a_number_the_criterion_finds_the_planted_one(tmp_path):
    fitted = small(None).fit(TEXTS)
    assert fitted.num_topics_ == 3
    assert max(fitted.silhouettes_, key=fitted.silhouettes_.get) == 3
    fitted.save(tmp_path / "model")
    assert TopicModel.load(tmp_path / "model").silhouettes_ == pytest.approx(fitted.silhouettes_)


def test_outliers_are_the_asked_share_of_the_training_texts_and_texts_without_known_words(model):
    assert model.outliers(share=0.1).mean() == pytest.approx(0.1, abs=1 / len(TEXTS))
    assert not model.outliers(share=0.0).any()
    assert model.outliers(["", TEXTS[0]], share=0.0).tolist() == [True, False]


def test_the_score_is_the_bound_per_token_and_rises_with_training(model):
    counts = model.vectorizer_(TEXTS[:50])
    bound = float(tf.reduce_sum(model.model_.elbo(counts, seed=3))) / float(tf.reduce_sum(counts))
    assert model.score(TEXTS[:50]) == pytest.approx(bound, rel=0.03)  # other noise
    assert model.score(TEXTS) > small(epochs=1).fit(TEXTS).score(TEXTS)
    with pytest.raises(ArgumentError) as caught:
        model.score([""])
    assert (caught.value.name, caught.value.received) == ("X", "none")


def test_it_is_an_estimator():
    estimator = small(vocabulary_size=20)
    assert clone(estimator).get_params() == estimator.get_params()
    parameters = inspect.signature(TopicModel.__init__).parameters
    assert [p.kind for p in parameters.values()][2:] == [inspect.Parameter.KEYWORD_ONLY] * (len(parameters) - 2)
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        estimator.transform(TEXTS)


def test_it_works_in_a_pipeline():
    words = CountVectorizer(vocabulary=PLANTED)
    pipeline = make_pipeline(words, small(epochs=2, vocabulary=PLANTED))
    assert pipeline.fit_transform(TEXTS).shape == (len(TEXTS), 3)
    assert np.isfinite(pipeline.score(TEXTS))


@pytest.mark.slow
def test_it_works_in_a_grid_search():
    search = GridSearchCV(small(), {"epochs": [1, 30]}, cv=2).fit(TEXTS)
    assert search.best_params_ == {"epochs": 30}


def test_pandas_output_has_the_names_of_the_features(model):
    pytest.importorskip("pandas")
    frame = clone(model).set_params(epochs=1).set_output(transform="pandas").fit(TEXTS).transform(TEXTS[:2])
    assert list(frame.columns) == ["topicmodel0", "topicmodel1", "topicmodel2"]


def test_the_export_serves_the_proportions_of_texts(model, tmp_path):
    model.export(tmp_path / "export", examples=TEXTS[:9])
    served = tf.saved_model.load(str(tmp_path / "export")).signatures
    texts = [*TEXTS[:5], "", "unheard"]
    near = served["nearest_text"](texts=tf.constant(texts), num_neighbors=tf.constant(2))
    assert near["neighbors"][5:].numpy().tolist() == [[b"", b""]] * 2
    assert near["similarities"][5:].numpy().tolist() == [[0.0, 0.0]] * 2
    assert [row[0].decode() for row in near["neighbors"][:5].numpy()] == TEXTS[:5]
    result = served["topics_text"](texts=tf.constant(texts))
    labels = served["topic_labels"](first=tf.constant(0), number=tf.constant(99))["labels"].numpy()
    assert [label.decode() for label in labels] == model.topic_labels()
    np.testing.assert_allclose(result["proportions"], model.transform(texts), atol=1e-5)
    np.testing.assert_array_equal(result["topic"][:5], model.transform(TEXTS[:5]).argmax(axis=1))
    assert result["topic"][5:].numpy().tolist() == [-1, -1]
    assert result["label"][5:].numpy().tolist() == [b"no known word"] * 2
    np.testing.assert_array_equal(result["tokens"], model.known_tokens(texts))
    assert result["label"][0].numpy().decode() == model.topic_labels()[int(result["topic"][0])]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_topics": 0}, "num_topics"),
        ({"num_topics": 2.5}, "num_topics"),
        ({"latent_dim": 1}, "latent_dim"),
        ({"epochs": 0}, "epochs"),
        ({"relevance_weight": 1.5}, "relevance_weight"),
        ({"exclusivity": -1.0}, "exclusivity"),
        ({"seed_words": [["orbit"]] * 4}, "seed_words"),
        ({"vocabulary": ["orbit", "orbit"]}, "vocabulary"),
        ({"num_topics": 181}, "at least 181 documents"),
    ],
)
def test_bad_arguments_are_refused_by_name_before_training(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(**arguments).fit(TEXTS)


def test_documents_of_the_wrong_kind_are_refused(model):
    with pytest.raises(TypeError, match="one string"):
        model.transform("orbit moon")
    with pytest.raises(TypeError, match=r"documents\[1\] of type float"):
        model.transform(["orbit", float("nan")])
    with pytest.raises(ValueError, match="vocabulary=None"):
        small().fit(np.ones((4, 3)))
    counted = small(vocabulary=["orbit", "moon"])
    with pytest.raises(ValueError, match=r"shape \(n, 2\)"):
        counted.fit(np.ones((4, 3)))
    with pytest.raises(ValueError, match="finite and >= 0"):
        counted.fit(-np.ones((4, 2)))


def test_words_are_ranked_anew_without_training(changeable, model):
    codes = changeable.embed(TEXTS)
    size = len(model.vocabulary_)
    assert changeable.update_words(coherent_words=False, exclusivity=0.0).topics(size) != model.topics(size)
    np.testing.assert_array_equal(changeable.embed(TEXTS), codes)
    assert changeable.update_words(coherent_words=True, exclusivity=3.0).topics(12) == model.topics(12)
    with pytest.raises(ValueError, match="epochs"):
        changeable.update_words(epochs=3)
    with pytest.raises(ValueError, match="exclusivity"):
        changeable.update_words(exclusivity=-1.0)


def test_words_that_do_not_occur_come_last_and_words_without_documents_do_no_harm():
    absent = ["absent", "missing"]
    fitted = small(epochs=2, vocabulary=[*absent, *PLANTED]).fit(TEXTS)
    assert all(set(words[-2:]) == set(absent) for words in fitted.topics(len(PLANTED) + 2))


def test_one_topic_is_allowed():
    fitted = small(1, epochs=2).fit(TEXTS)
    np.testing.assert_allclose(fitted.transform(TEXTS), 1.0)
    assert len(fitted.topics(5)) == 1


def test_fractional_counts_are_counts():
    counts = CountVectorizer(vocabulary=PLANTED).fit_transform(TEXTS) * 0.5
    fitted = small(epochs=2, vocabulary=PLANTED).fit(counts)
    np.testing.assert_allclose(fitted.transform(counts).sum(axis=1), 1.0)


def test_a_fitted_model_can_be_pickled(model):
    import pickle

    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(copy.transform(TEXTS[:9]), model.transform(TEXTS[:9]), rtol=1e-6)
    assert copy.topics() == model.topics()


def of_two_letters(text):
    """A text without spaces, as words of two letters."""
    return [text[start : start + 2] for start in range(0, len(text), 2)]


def test_a_tokenizer_finds_the_words_of_texts_without_spaces(tmp_path):
    pairs = [["ab", "cd", "ef", "gh"], ["ij", "kl", "mn", "op"]]
    texts = ["".join(np.random.default_rng(i).choice(pairs[i % 2], 8)) for i in range(80)]
    fitted = small(2, epochs=20, tokenizer=of_two_letters).fit(texts)
    assert set(fitted.vocabulary_) == {*pairs[0], *pairs[1]}
    assert {frozenset(words) for words in fitted.topics(4)} == {frozenset(words) for words in pairs}
    assert fitted.known_tokens(["abcdijzz"]).tolist() == [3]
    expected = fitted.transform(texts)
    fitted.save(tmp_path / "model")
    with pytest.warns(UserWarning, match="tokenizer=of_two_letters"):
        loaded = TopicModel.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform([" ".join(of_two_letters(text)) for text in texts]), expected)
    np.testing.assert_array_equal(loaded.set_params(tokenizer=of_two_letters).transform(texts), expected)
    np.testing.assert_array_equal(fitted.vectorizer_(["ab cd ij zz"]).numpy().sum(), 3)
    with pytest.raises(ArgumentError) as caught:
        small(2, tokenizer="jieba").fit(texts)
    assert (caught.value.name, caught.value.received) == ("tokenizer", "'jieba'")
    with pytest.raises(ArgumentError) as caught:
        small(2, tokenizer=lambda text: text).fit(texts)
    assert caught.value.name == "tokenizer"
