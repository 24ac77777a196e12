"""The example chooses the number of clusters that were drawn and finds their parameters."""

import numpy as np
from sklearn.metrics import adjusted_rand_score

from examples import movmf_mixture
from tf_vmf.distributions import VonMisesFisherMixture


def test_the_example_finds_the_clusters_and_their_parameters(capsys):
    x, labels, truth = movmf_mixture.draw_clusters()
    criterion = movmf_mixture.choose_number(x, range(2, 5))
    assert min(criterion, key=criterion.get) == 3
    mixture = VonMisesFisherMixture(3, n_init=3, random_state=0).fit(x)
    assert adjusted_rand_score(labels, mixture.predict(x)) > 0.98
    assert mixture.score(x) >= truth.score(x)
    order = np.argmax(truth.mean_directions_ @ mixture.mean_directions_.T, axis=1)
    np.testing.assert_allclose(mixture.concentrations_[order], [30, 60, 120], rtol=0.15)
    movmf_mixture.main()
    assert "concentration (drawn with)" in capsys.readouterr().out
