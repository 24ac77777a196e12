"""The example fits mixtures by expectation maximisation and finds the clusters that were drawn."""

import numpy as np
from sklearn.metrics import adjusted_rand_score

from examples import movmf_mixture


def test_the_example_finds_the_clusters_and_their_parameters(capsys):
    x, labels, truth = movmf_mixture.draw_clusters()
    mixture, history = movmf_mixture.fit_mixture(x, 3)
    found = np.argmax(mixture.posterior_marginal(x).probs_parameter(), axis=1)
    assert adjusted_rand_score(labels, found) > 0.98
    assert np.all(np.diff(history) > -1e-9)  # EM never lowers the likelihood
    assert history[-1] >= float(np.mean(truth.log_prob(x)))  # and ends above that of the truth
    order = [int(np.bincount(found[labels == k]).argmax()) for k in range(3)]
    np.testing.assert_allclose(mixture.components_distribution.concentration.numpy()[order], [30, 60, 120], rtol=0.15)
    movmf_mixture.main()
    assert "concentration (drawn with)" in capsys.readouterr().out
