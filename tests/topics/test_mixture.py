"""The mixture below the topics: proportions, densities, its fit, seed words and the number of topics."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse
from scipy.integrate import quad
from scipy.special import ive
from sklearn.metrics import normalized_mutual_info_score
from sklearn.preprocessing import normalize

from tf_vmf.topics import fitting
from tf_vmf.topics.documents import CountedDocuments
from tf_vmf.topics.fitted import FittedTopics, merged_numbers
from tf_vmf.topics.fitting import cluster, fit_topics
from tf_vmf.topics.guidance import (
    check_seed_words,
    read_seed_words,
    seed_columns,
    seed_labels,
    seed_names,
    seeds_first,
)
from tf_vmf.topics.mixture import (
    PRIOR_WORDS,
    SHARPNESS,
    STEPS,
    VECTOR_TEMPERATURE,
    VECTOR_WORDS,
    TopicMixture,
    VectorSphere,
    expected_log_density,
    outlier_threshold,
    principal_components,
    row_blocks,
)
from tf_vmf.topics.selection import choose_num_topics
from tf_vmf.topics.serving import proportions_function


def clusters(rng, sizes, dim=4, spread=0.25):
    codes = [np.eye(dim)[k] + spread * rng.normal(size=(size, dim)) for k, size in enumerate(sizes)]
    codes = np.concatenate(codes)
    return codes / np.linalg.norm(codes, axis=1, keepdims=True)


def random_mixture(rng, vectors=True, emphasis=None):
    directions = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    words = rng.dirichlet(np.full(7, 0.5), size=3) + 1e-3
    words /= words.sum(axis=1, keepdims=True)
    sphere = VectorSphere(0.1 * rng.normal(size=5), directions[:4], np.eye(4)[:3], 4.0) if vectors else None
    return TopicMixture(np.array([0.2, 0.3, 0.5]), directions[:3], 7.0, words, sphere, emphasis=emphasis)


def planted(rng, num_texts=300, num_words=8, vectors=False):
    """Counts and codes of three topics, where the codes of a fifth of the texts are of no topic."""
    labels = rng.integers(3, size=num_texts)
    words = np.kron(np.eye(3), np.ones(10)) * 0.09 + 0.1 / 30
    counts = np.stack([rng.multinomial(num_words, words[label] / words[label].sum()) for label in labels])
    codes = np.eye(4)[labels] + 0.3 * rng.normal(size=(num_texts, 4))
    astray = rng.random(num_texts) < 0.2
    codes[astray] = rng.normal(size=(astray.sum(), 4))
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    return sparse.csr_matrix(counts), codes, labels


def test_proportions_are_those_of_the_written_steps(rng):
    mixture = random_mixture(rng)
    counts = rng.poisson(0.7, size=(6, 7))
    counts[2] = 0
    vectors = clusters(rng, [3, 3], dim=5)
    found = mixture.proportions(sparse.csr_matrix(counts), vectors)
    for row, vector, proportions in zip(counts, vectors, found, strict=True):
        point = mixture.vectors.components @ (vector - mixture.vectors.mean)
        votes = mixture.weights * np.exp(4.0 * VECTOR_TEMPERATURE * point[:3] / np.linalg.norm(point))
        resultant_length = ive(2, 4.0) / ive(1, 4.0)
        given = PRIOR_WORDS * mixture.weights + VECTOR_WORDS * resultant_length**2 * votes / votes.sum()
        theta = given / given.sum()
        for _ in range(STEPS):
            new = given.copy()
            for word, times in enumerate(row):
                share = theta * mixture.words[:, word]
                new += times * share / share.sum()
            theta = new / new.sum()
        expected = theta**SHARPNESS / (theta**SHARPNESS).sum()
        np.testing.assert_allclose(proportions, expected, rtol=1e-10)


@pytest.mark.parametrize("vectors", [False, True])
def test_the_graph_computes_the_same_proportions(rng, vectors):
    mixture = random_mixture(rng, vectors, emphasis=np.array([1.0, 1.0, 3.0, 1.0, 1.0, 8.0, 1.0]))
    counts = rng.poisson(0.7, size=(6, 7)).astype(np.float32)
    beside = clusters(rng, [3, 3], dim=5).astype(np.float32) if vectors else None
    function = tf.function(proportions_function(mixture))
    tensors = [tf.constant(counts)] + ([tf.constant(beside)] if vectors else [])
    np.testing.assert_allclose(
        function(*tensors), mixture.proportions(sparse.csr_matrix(counts), beside), rtol=1e-4, atol=1e-6
    )


def test_an_emphasized_word_counts_as_so_many_of_it(rng):
    emphasis = np.array([1.0, 1.0, 3.0, 1.0, 1.0, 8.0, 1.0])
    mixture = random_mixture(rng, vectors=False, emphasis=emphasis)
    counts = rng.poisson(0.7, size=(6, 7))
    repeated = replace(mixture, emphasis=None).proportions(sparse.csr_matrix(counts * emphasis))
    np.testing.assert_allclose(mixture.proportions(sparse.csr_matrix(counts)), repeated, rtol=1e-12)
    again = TopicMixture.from_arrays(mixture.to_arrays())
    np.testing.assert_allclose(again.proportions(sparse.csr_matrix(counts)), repeated, rtol=1e-12)


def test_blocks_cover_all_rows_and_do_not_change_proportions(rng, monkeypatch):
    mixture = random_mixture(rng, vectors=False)
    counts = sparse.csr_matrix(rng.poisson(0.7, size=(40, 7)))
    whole = mixture.proportions(counts)
    monkeypatch.setattr("tf_vmf.topics.mixture._BLOCK", 30)
    blocks = list(row_blocks(counts, 3))
    assert len(blocks) > 5
    assert [row for block in blocks for row in range(40)[block]] == list(range(40))
    np.testing.assert_allclose(mixture.proportions(counts), whole, rtol=1e-12)


def test_a_text_of_two_topics_has_both_and_a_long_text_of_one_is_certain(rng):
    words = np.kron(np.eye(3), np.ones(10)) * 0.09 + 0.1 / 30
    mixture = TopicMixture(np.full(3, 1 / 3), np.eye(3), 10.0, words / words.sum(axis=1, keepdims=True))
    one, two = np.zeros((2, 30))
    one[:10] = 10
    two[:20] = 5
    proportions = mixture.proportions(sparse.csr_matrix(np.stack([one, two])))
    assert proportions[0, 0] > 0.98
    np.testing.assert_allclose(proportions[1, :2], 0.5, atol=0.01)


def test_words_are_explained_by_the_topics_that_use_them(rng):
    mixture = random_mixture(rng, vectors=False)
    counts = sparse.csr_matrix(np.array([[1, 0, 2, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 3]]))
    proportions = mixture.proportions(counts)
    found = mixture.word_responsibilities(counts, proportions)
    joint = np.stack(
        [
            proportions[0] * mixture.words[:, 0],
            proportions[0] * mixture.words[:, 2],
            proportions[1] * mixture.words[:, 6],
        ]
    )
    np.testing.assert_allclose(found, joint / joint.sum(axis=1, keepdims=True))


def test_the_expected_density_is_the_integral_over_the_posterior():
    # On the circle: the average of exp(kappa cos(angle - distance)) over a posterior around 0, by quadrature.
    kappa, own, distance = 6.0, 3.0, 0.8
    bessel = lambda x: ive(0, x) * np.exp(x)  # noqa: E731
    integral = quad(
        lambda a: np.exp(own * np.cos(a) + kappa * np.cos(a - distance)) / (2 * np.pi * bessel(own) * bessel(kappa)),
        -np.pi,
        np.pi,
    )[0]
    direction = np.array([[np.cos(distance), np.sin(distance)]])
    found = expected_log_density(np.array([[1.0, 0.0]]), np.array([own]), direction, kappa)
    np.testing.assert_allclose(found, np.log(integral), rtol=1e-9)


def test_the_density_of_a_code_that_is_not_known_is_the_uniform_one_and_that_of_a_known_one_the_mixture(rng):
    mixture = random_mixture(rng, vectors=False)
    codes = clusters(rng, [4, 4], dim=5)
    np.testing.assert_allclose(mixture.log_density(codes, np.full(8, 1e-9)), 0.0, atol=1e-6)
    order = 5 / 2 - 1
    log_normalizer = order * np.log(7.0) - 2.5 * np.log(2 * np.pi) - (np.log(ive(order, 7.0)) + 7.0)
    log_uniform = -np.log(8 * np.pi**2 / 3)
    density = mixture.weights @ np.exp(log_normalizer + 7.0 * codes @ mixture.mean_directions.T).T
    np.testing.assert_allclose(mixture.log_density(codes, np.full(8, 1e8)), np.log(density) - log_uniform, atol=1e-4)


def test_arrays_of_a_file_give_the_mixture_back(rng):
    mixture = random_mixture(rng)
    again = TopicMixture.from_arrays(mixture.to_arrays() | {"another": np.zeros(1)})
    counts, vectors = sparse.csr_matrix(rng.poisson(0.7, size=(5, 7))), clusters(rng, [5], dim=5)
    np.testing.assert_allclose(again.proportions(counts, vectors), mixture.proportions(counts, vectors), rtol=1e-12)
    assert TopicMixture.from_arrays(random_mixture(rng, vectors=False).to_arrays()).vectors is None


def test_words_correct_the_clusters_of_codes(rng):
    counts, codes, labels = planted(rng)
    concentrations = np.full(len(codes), 30.0)
    of_codes = normalized_mutual_info_score(labels, cluster(codes, 3, 0))
    mixture = fit_topics(codes, concentrations, counts, 3)
    found = mixture.proportions(counts).argmax(axis=1)
    assert of_codes < 0.8
    assert normalized_mutual_info_score(labels, found) > 0.97
    truth = np.stack([np.bincount(labels[found == topic], minlength=3).argmax() for topic in range(3)])
    # 800 tokens per topic, of which 14 / 15 are of its own ten words; all 30 words as seen 8 times more in the three topics.
    own = mixture.words.reshape(3, 3, 10).sum(axis=2)[range(3), truth]
    np.testing.assert_allclose(own, (800 * 14 / 15 + 80 / 3) / (800 + 240 / 3), atol=0.02)
    assert list(mixture.weights) == sorted(mixture.weights, reverse=True)


def test_vectors_separate_topics_that_words_and_codes_do_not(rng):
    labels = rng.integers(2, size=200)
    counts = sparse.csr_matrix(rng.multinomial(4, np.full(10, 0.1), size=200))
    codes = clusters(rng, [200], dim=4, spread=0.5)
    vectors = np.eye(6)[labels] + 0.2 * rng.normal(size=(200, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    mixture = fit_topics(codes, np.full(200, 20.0), counts, 2, vectors=vectors)
    assert normalized_mutual_info_score(labels, mixture.proportions(counts, vectors).argmax(axis=1)) > 0.97


def test_vectors_are_reduced_to_their_principal_components(rng):
    vectors = rng.normal(size=(200, 80)) * np.where(np.arange(80) < 50, 2.0, 0.1) + 3.0
    mean, components = principal_components(vectors, 0)
    np.testing.assert_allclose(mean, vectors.mean(axis=0))
    assert components.shape == (50, 80)
    np.testing.assert_allclose(components @ components.T, np.eye(50), atol=1e-9)
    assert np.linalg.norm(components[:, :50]) ** 2 > 49.5
    assert principal_components(vectors[:20], 0)[1].shape == (20, 80)


def test_a_guided_topic_holds_its_words_although_another_has_most_of_them(rng):
    counts, codes, labels = planted(rng)
    columns = [np.array([25, 26]), np.array([3])]
    mixture = fit_topics(codes, np.full(len(codes), 30.0), counts, 3, guides=columns)
    assert (mixture.words[:, 25].argmax(), mixture.words[:, 3].argmax()) == (0, 1)
    found = mixture.proportions(counts).argmax(axis=1)
    assert np.bincount(labels[found == 0]).argmax() == 2
    assert np.bincount(labels[found == 1]).argmax() == 0
    seeded = counts[:, 25].toarray().ravel() > 0
    # Texts that hold a seed word by chance, beside words of another topic, stay there.
    assert (found[seeded & (labels == 2)] == 0).all()


def test_starts_see_a_sample_of_many_texts_and_all_texts_count(rng, monkeypatch):
    counts, codes, labels = planted(rng, num_texts=600)
    monkeypatch.setattr(fitting, "START_SAMPLE", 200)
    mixture = fit_topics(codes, np.full(600, 30.0), counts, 3)
    found = mixture.proportions(counts).argmax(axis=1)
    assert normalized_mutual_info_score(labels, found) > 0.97
    assert mixture.sums.words.sum() == pytest.approx(counts.sum())


def test_the_likeliest_start_goes_on(rng, monkeypatch):
    # Starts that put the texts anywhere, but for one: it is the fourth, and k-means would not know.
    counts, codes, labels = planted(rng)
    starts = [rng.integers(3, size=300) for _ in range(3)] + [labels] + [rng.integers(3, size=300)]
    given = iter(starts)
    monkeypatch.setattr(fitting, "cluster", lambda *_: next(given))
    monkeypatch.setattr(fitting, "_STEPS", 0)
    monkeypatch.setattr(fitting, "_START_STEPS", 0)
    mixture = fit_topics(codes, np.full(300, 30.0), counts, 3, restarts=5)
    np.testing.assert_allclose(np.sort(mixture.sums.sizes), np.sort(np.bincount(labels)))


def test_the_words_of_a_text_are_left_out_of_the_topics_that_judge_it(rng):
    counts, codes, _ = planted(rng, num_texts=12)
    texts = fitting.Texts(counts.astype(float), codes, np.full(12, 30.0))
    assigned = np.eye(3)[rng.integers(3, size=12)]
    found = fitting._evidence(fitting._sums(assigned, texts), texts, (), assigned)
    for text in range(12):
        others = np.arange(12) != text
        in_topics = assigned[others].T @ counts.toarray()[others]
        length = counts[text].sum()
        repeated = counts[text].toarray().ravel() > 1  # of a word that a text repeats, one occurrence is left out
        expected = counts[text] @ np.log(in_topics + 0.2).T - length * np.log(in_topics.sum(axis=1) + 0.2 * 30)
        sizes = np.log(assigned[others].sum(axis=0) + 0.1)
        sphere = fitting._sphere(assigned.T @ codes, assigned.sum(axis=0))
        sharpness = sphere[1] * 30.0 / (sphere[1] + 30.0)
        expected = np.ravel(expected) * min(1.0, 20.0 / length) + sizes + 0.3 * sharpness * codes[text] @ sphere[0].T
        if not repeated.any():
            np.testing.assert_allclose(found[text], expected, rtol=1e-9)


def test_few_texts_are_below_the_threshold_of_even_densities_and_all_of_those_apart(rng):
    density = np.concatenate([rng.normal(5.0, 1.0, size=2000), np.full(100, -4.0)])
    below = density < outlier_threshold(density)
    assert below[2000:].all()
    assert below[:2000].mean() < 0.005


def test_seed_words_are_checked_and_become_columns():
    counts = sparse.csr_matrix([[2, 0, 0], [1, 1, 2], [0, 3, 0]])
    columns = seed_columns({"one": ["a"], "two": ["b", "c"]}, ["a", "b", "c"])
    assert columns == [[0], [1, 2]]
    assert seed_columns(None, ["a"]) == []
    assert seed_labels({"one": ["a"], "two": ["b"]}) == ["one", "two"]
    assert seed_labels([["a"], ["b"]]) == ["", ""]
    with pytest.raises(ValueError, match="lists of words"):
        check_seed_words(["ab"], ["a", "b", "c"], counts)
    with pytest.raises(ValueError, match="'z'"):
        check_seed_words([["z"]], ["a", "b", "c"], counts)
    with pytest.raises(ValueError, match=r"each word in one group.*'b' in two"):
        check_seed_words({"one": ["a", "b"], "two": ["b"]}, ["a", "b", "c"], counts)


def test_groups_of_seed_words_are_read_from_a_file(tmp_path):
    path = tmp_path / "seeds.txt"
    path.write_text("# animals\n\ncats: cat, kitten  purr\nbig birds: eagle,hawk\n", encoding="utf-8")
    assert read_seed_words(path) == {"cats": ["cat", "kitten", "purr"], "big birds": ["eagle", "hawk"]}


@pytest.mark.parametrize(
    ("text", "line", "received"),
    [
        ("cats: cat\ndogs dog", 2, "dogs dog"),
        ("cats: cat\n: dog", 2, ": dog"),
        ("cats:  ,", 1, "cats"),
        ("cats: cat\ndogs: dog\ncats: kitten", 3, "'cats'"),
        ("# nothing\n", 1, "no line"),
    ],
)
def test_a_line_of_seed_words_that_does_not_fit_is_named(tmp_path, text, line, received):
    path = tmp_path / "seeds.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"seeds\.txt, line {line}\b.*{received}"):
        read_seed_words(path)


def test_a_guided_topic_of_few_documents_holds_them(rng):
    # 18 of 600 texts, all of the first topic by their other words, hold one or both of two words of their own.
    counts, codes, labels = planted(rng, num_texts=600)
    birds = np.flatnonzero(labels == 0)[:18]
    added = np.zeros((600, 2))
    added[birds[:12], 0] = added[birds[8:], 1] = 1
    counts = sparse.hstack([counts, added], format="csr")
    mixture = fit_topics(codes, np.full(600, 30.0), counts, 4, guides=[[30, 31], [3], [14], [25]])
    found = mixture.proportions(counts).argmax(axis=1)
    assert (found[birds] == 0).mean() > 0.7
    assert (labels[found == 0] == 0).mean() > 0.95
    for group, word in enumerate((3, 14, 25), start=1):
        alone = (counts[:, word].toarray().ravel() > 0) & (counts[:, [30, 31]].sum(axis=1).A1 == 0)
        assert (found[alone] == group).mean() > 0.8


def test_vectors_that_tell_little_alone_tell_more_with_their_neighbors(rng):
    # Vectors near to the one direction or the other, with noise in each text; words and codes tell nothing.
    labels = rng.integers(2, size=300)
    vectors = np.eye(12)[labels] + 0.45 * rng.normal(size=(300, 12))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    smooth = fitting._smoothed(vectors)
    near = np.argsort(-vectors @ vectors.T, axis=1)[:, : fitting._NEIGHBORS]
    once = normalize(vectors[near].sum(axis=1))
    np.testing.assert_allclose(smooth, normalize(once[near].sum(axis=1)))
    alike = lambda points: np.mean((points @ points.T)[np.equal.outer(labels, labels)])  # noqa: E731
    assert alike(smooth) > alike(vectors) + 0.3
    assert fitting._smoothed(vectors[:3]).shape == (3, 12)


def fitted_topics(counts, labels, ranking):
    """Topics that only their documents and words are asked of."""
    unused = dict.fromkeys(("mixture", "codes", "concentrations", "modes", "log_probabilities", "weights"))
    given = {"documents": CountedDocuments(sparse.csr_matrix(counts)), "ranking": np.array(ranking)}
    return FittedTopics(**unused, **given, topic_of=np.arange(3), labels=np.array(labels))


def test_a_guided_topic_that_its_documents_leave_has_no_name_and_no_seeds():
    # Words 0 and 1 are seeds of topics 0 and 1; three of four documents with word 0 alone are in topic 2.
    counts = [[1, 0, 1], [2, 0, 0], [1, 0, 0], [1, 0, 3], [0, 1, 0], [1, 1, 0], [0, 0, 0]]
    seeds, ranking = {"space": ["a"], "food": ["b"]}, [[2, 1, 0]] * 3
    lost = fitted_topics(counts, [0, 2, 2, 2, 1, 2, -1], ranking)
    with pytest.warns(
        UserWarning, match=r"Topic 0 \(c\) holds 1 of 4 documents .* 'space', .* topic 2 \(e\)"
    ) as caught:
        assert seed_names(seeds, [[0], [1]], lost, ["c", "d", "e"]) == {1: "food"}
    assert len(caught) == 1
    assert seeds_first(lost, [[0], [1]]).ranking.tolist() == [[2, 1, 0], [1, 2, 0], [2, 1, 0]]
    held = fitted_topics(counts, [0, 0, 2, 2, 1, 2, -1], ranking)  # half of them
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert seed_names(seeds, [[0], [1]], held, ["c", "d", "e"]) == {0: "space", 1: "food"}
    assert seeds_first(held, [[0], [1]]).ranking.tolist() == [[0, 2, 1], [1, 2, 0], [2, 1, 0]]


def test_of_groups_that_always_meet_one_alone_has_their_documents():
    topics = fitted_topics([[1, 1, 0], [2, 1, 0], [0, 0, 1]], [0, 0, 2], [[0, 1, 2]] * 3)
    with pytest.warns(UserWarning, match="Topic 1 .* holds 0 of 2"):
        assert seed_names([["a"], ["b"]], [[0], [1]], topics, ["c", "d", "e"]) == {}


def test_the_silhouette_finds_the_number_of_separate_clusters(rng):
    number, silhouettes = choose_num_topics(clusters(rng, [40, 40, 40, 40], dim=6, spread=0.15), 0)
    assert number == 4
    assert max(silhouettes, key=silhouettes.get) == 4


def test_merged_topics_take_the_position_of_their_smallest_member():
    assert merged_numbers(6, [[4, 1], [2, 5]]).tolist() == [0, 1, 2, 3, 1, 2]
    assert merged_numbers(3, []).tolist() == [0, 1, 2]
