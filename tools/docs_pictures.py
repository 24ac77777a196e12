"""Draws the pictures of the documentation's tutorials.

python -m tools.docs_pictures            # kappa.png and digits.png
python -m tools.docs_pictures REPORT     # docs/report.png: the head of that page of topics, in Chromium
"""

from __future__ import annotations

import pathlib
import shutil
import sys

import keras
import numpy as np
from matplotlib import pyplot as plt
from matplotlib import rc_context
from mpl_toolkits.mplot3d import Axes3D
from sklearn.datasets import load_digits

from tf_vmf.distributions import VonMisesFisher
from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.math import kl_to_uniform, mean_resultant_length
from tf_vmf.report.page.figures import STYLE
from tools.results_table import ROOT

TUTORIALS = ROOT / "docs" / "tutorials"
_MEAN = np.array([0.8, -0.3, 0.52]) / np.linalg.norm([0.8, -0.3, 0.52])
_POINTS = 400


def draw_concentrations() -> plt.Figure:
    """Samples of von Mises-Fisher distributions with concentration 1, 10 and 100, with their KL to the uniform distribution."""
    figure, panels = plt.subplots(1, 3, figsize=(9, 3.4), subplot_kw={"projection": "3d"})
    for panel, kappa in zip(panels, (1.0, 10.0, 100.0), strict=True):
        samples = VonMisesFisher(_MEAN, kappa).sample(_POINTS, seed=(1, 2)).numpy()
        _draw_sphere(panel)
        panel.scatter(*samples.T, s=7, color="#0072b2", depthshade=True)
        panel.quiver(0, 0, 0, *(1.45 * _MEAN), color="#d55e00", linewidth=2.5, arrow_length_ratio=0.15)
        kl, cosine = float(kl_to_uniform(kappa, 3)), float(mean_resultant_length(kappa, 3))
        panel.set_title(
            f"$\\kappa$ = {kappa:.0f}\nKL {kl:.2f} nats, mean cosine {cosine:.2f}", loc="center", y=0.98, fontsize=10
        )
    return figure


def draw_digits() -> plt.Figure:
    """Codes of 500 handwritten digits on the sphere in three dimensions, from an autoencoder that saw no label."""
    keras.utils.set_random_seed(0)
    digits = load_digits()
    x = digits.data.astype("float32") / 16
    pixels = keras.Input((64,))
    h = keras.layers.Dense(128, activation="relu")(pixels)
    z = VonMisesFisherLatent(3, concentration=50.0)(h)
    hidden = keras.layers.Dense(128, activation="relu")(z)
    model = keras.Model(pixels, keras.layers.Dense(64, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(3e-3), loss="binary_crossentropy", loss_weights=[64])
    model.fit(x, x, batch_size=64, epochs=80, verbose=0)
    latent = next(layer for layer in model.layers if isinstance(layer, VonMisesFisherLatent))
    encoder = keras.Model(pixels, h)
    codes = latent.posterior(encoder.predict(x[:500], verbose=0)).mean_direction.numpy()
    figure, panels = plt.subplots(1, 2, figsize=(9, 4.4), subplot_kw={"projection": "3d"})
    for panel, azimuth in zip(panels, (-60, 120), strict=True):
        panel.view_init(elev=15, azim=azimuth)
        towards = _direction(15, azimuth)
        _draw_sphere(panel)
        for label in range(10):
            front = codes[(digits.target[:500] == label) & (codes @ towards > 0.05)]
            for point in front:
                panel.text(*(1.03 * point), str(label), color=plt.colormaps["tab10"](label), fontsize=10, ha="center")
    return figure


def photograph(report: pathlib.Path, file: pathlib.Path) -> None:
    """The head of a report as Chromium shows it, 1,280 pixels wide."""
    from playwright.sync_api import sync_playwright

    browser_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(report.resolve().as_uri())
        page.locator(".explorer.works").wait_for()
        page.wait_for_timeout(500)
        page.screenshot(path=str(file))
        browser.close()


def _direction(elevation: float, azimuth: float) -> np.ndarray:
    """The unit vector from the centre towards the viewer."""
    e, a = np.deg2rad([elevation, azimuth])
    return np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])


def _draw_sphere(panel: Axes3D) -> None:
    u, v = np.mgrid[0 : 2 * np.pi : 25j, 0 : np.pi : 13j]
    sphere = np.cos(u) * np.sin(v), np.sin(u) * np.sin(v), np.cos(v)
    panel.plot_wireframe(*sphere, color="#999999", linewidth=0.4, alpha=0.5)
    panel.set_box_aspect((1, 1, 1), zoom=1.35)
    panel.set_axis_off()


def main(arguments: list[str]) -> None:
    if arguments:
        photograph(pathlib.Path(arguments[0]), ROOT / "docs" / "report.png")
        return
    with rc_context(STYLE):
        for name, draw in (("kappa", draw_concentrations), ("digits", draw_digits)):
            figure = draw()
            figure.subplots_adjust(left=0, right=1, bottom=0, top=0.9, wspace=0)
            figure.savefig(TUTORIALS / f"{name}.png", dpi=110, bbox_inches="tight", metadata={"Software": None})


if __name__ == "__main__":
    main(sys.argv[1:])
