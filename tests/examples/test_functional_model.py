"""The example runs and does what it says."""

import keras
import numpy as np
import pytest
import scipy.special

from examples import functional_model


@pytest.mark.slow
def test_the_example_learns_and_its_kl_is_the_exact_constant():
    history = functional_model.main(epochs=4)
    assert history["loss"][-1] < history["loss"][0] - 2
    # KL(vMF(kappa) || uniform) on S^4 by quadrature of the marginal of the cosine, density (1 - w^2) exp(kappa w).
    w, weights = np.polynomial.legendre.leggauss(400)
    log_density = np.log1p(-(w**2)) + 50.0 * w
    log_z = scipy.special.logsumexp(log_density, b=weights)
    mean = np.sum(weights * w * np.exp(log_density - log_z))
    kl = 50.0 * mean - (log_z - np.log(np.sum(weights * (1 - w**2))))
    np.testing.assert_allclose(history["kl"], kl, rtol=1e-5)
    np.testing.assert_allclose(history["val_kl"], kl, rtol=1e-5)


@pytest.mark.slow
def test_the_model_of_the_example_is_saved_and_loaded(tmp_path):
    model = functional_model.build()
    digits = np.random.default_rng(0).uniform(size=(8, 64)).astype(np.float32)
    model.fit(digits, digits, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for one in (model, again):
        one.evaluate(digits, digits, verbose=0)  # the count of calls, from which noise is drawn, was saved too
    np.testing.assert_allclose(*(one.predict(digits, verbose=0) for one in (model, again)), rtol=1e-6)
