"""Predict the vector of the next word instead of a softmax over all words.

The output layer has as many numbers as a vector has, whatever the size of the vocabulary; the word is the one with the nearest
vector. Here every word has a usual follower, which comes nine times of ten.

    python examples/word_vectors.py
"""

import keras
import numpy as np

import tf_vmf

WORDS, DIM, USUAL = 1000, 50, 0.9


def draw_pairs(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws pairs of a word and the next one, as ids."""
    follower = np.random.default_rng(0).permutation(WORDS)
    rng = np.random.default_rng(seed)
    words = rng.integers(WORDS, size=number)
    return words, np.where(rng.uniform(size=number) < USUAL, follower[words], rng.integers(WORDS, size=number))


def word_vectors() -> np.ndarray:
    """Unit vectors of all words, (WORDS, DIM); in earnest those of word2vec, fastText or an encoder."""
    vectors = np.random.default_rng(1).normal(size=(WORDS, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("float32")


def build_model() -> keras.Model:
    """A network that predicts a vector; its length says how certain the prediction is."""
    model = keras.Sequential([keras.layers.Embedding(WORDS, 64), keras.layers.Dense(DIM)])
    # With both terms of Kumar and Tsvetkov (2019), which keep the length from growing.
    loss = tf_vmf.losses.VonMisesFisherLoss(cosine_weight=0.9, length_penalty=0.02)
    model.compile(keras.optimizers.Adam(0.03), loss=loss)
    return model


def nearest_words(predictions: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The ids of the words whose vectors are nearest to the predicted directions."""
    return np.argmax(predictions @ vectors.T, axis=1)


def main() -> None:
    """Trains on pairs and prints how often the usual follower is found."""
    keras.utils.set_random_seed(0)
    vectors, model = word_vectors(), build_model()
    words, following = draw_pairs(30_000, seed=2)
    model.fit(words, vectors[following], batch_size=256, epochs=10, verbose=0)
    words, following = draw_pairs(5_000, seed=3)
    predictions = model.predict(words, verbose=0)
    right = np.mean(nearest_words(predictions, vectors) == following)
    print(f"next word found: {right:.1%} (usual follower, or the same by chance: {USUAL + (1 - USUAL) / WORDS:.1%})")
    print(
        f"numbers per prediction: {DIM} instead of {WORDS}; lengths: {np.linalg.norm(predictions, axis=1).mean():.0f}"
    )


if __name__ == "__main__":
    main()
