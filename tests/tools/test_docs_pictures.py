"""The numbers in the picture of concentrations are those of the closed form in three dimensions."""

import re

import numpy as np
import pytest


@pytest.mark.slow
def test_the_picture_names_the_kl_and_the_mean_cosine():
    pytest.importorskip("matplotlib")
    from tools.docs_pictures import draw_concentrations

    figure = draw_concentrations()
    titles = [panel.get_title() for panel in figure.axes]
    assert len(titles) == 3
    for title, kappa in zip(titles, (1.0, 10.0, 100.0), strict=True):
        cosine = 1 / np.tanh(kappa) - 1 / kappa
        kl = kappa * cosine - np.log(np.sinh(kappa) / kappa)
        shown = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", title)]
        np.testing.assert_allclose(shown, [kappa, kl, cosine], atol=0.0051)
    import matplotlib.pyplot as plt

    plt.close(figure)
