"""The examples of the von Mises-Fisher loss find what was drawn."""

import keras
import numpy as np
import pytest

from examples import particle_directions, word_vectors


@pytest.mark.slow
def test_cones_of_predicted_directions_hold_their_share():
    keras.utils.set_random_seed(1)
    model = particle_directions.build_model()
    model.fit(*particle_directions.draw_particles(8000, seed=3), batch_size=256, epochs=10, verbose=0)
    seen, directions = particle_directions.draw_particles(4000, seed=4)
    for probability in (0.5, 0.9):
        # The binomial error is 0.008 at most; what was measured is no exact vMF law given the energy.
        assert particle_directions.coverage(model, seen, directions, probability) == pytest.approx(
            probability, abs=0.05
        )


def test_the_usual_follower_is_found_by_its_vector():
    keras.utils.set_random_seed(1)
    vectors, model = word_vectors.word_vectors(), word_vectors.build_model()
    words, following = word_vectors.draw_pairs(30_000, seed=5)
    model.fit(words, vectors[following], batch_size=256, epochs=8, verbose=0)
    words, following = word_vectors.draw_pairs(2000, seed=6)
    found = word_vectors.nearest_words(model.predict(words, verbose=0), vectors)
    assert np.mean(found == following) > 0.85
