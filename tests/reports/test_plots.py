import numpy as np
import pytest

from tf_vmf.analysis import Projection
from tf_vmf.reports import plots
from tf_vmf.reports.code_map import code_map
from tf_vmf.reports.figures import data_uri

HISTORY = [
    {"epoch": e, "loss": 100.0 - e, "val_loss": 101.0 - e, "nll": 90.0 - e, "kl": 10.0, "perplexity": 900.0 / e,
     "val_perplexity": 950.0 / e, "learning_rate": 10.0**-e}
    for e in range(1, 5)
]  # fmt: skip


def test_training_curves_show_every_quantity_there_is():
    figure = plots.training_curves(HISTORY, best_epoch=3, unigram_perplexity=1000.0)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title.split()[0].strip(",") for title in titles] == [
        "Perplexity",
        "Loss",
        "NLL",
        "KL",
        "Learning",
    ]
    training, validation = figure.axes[1].lines[:2]
    np.testing.assert_array_equal(training.get_xydata(), [(e, 100.0 - e) for e in range(1, 5)])
    np.testing.assert_array_equal(validation.get_ydata(), [101.0 - e for e in range(1, 5)])


@pytest.mark.parametrize(("last", "scale"), [(1e-3, "log"), (0.0, "linear")])
def test_a_learning_rate_that_ends_at_zero_is_drawn_to_the_end(last, scale):
    rows = [{"loss": 1.0, "learning_rate": rate} for rate in (0.1, 0.01, last)]
    rate = plots.training_curves(rows).axes[-1]
    assert rate.get_yscale() == scale
    assert rate.lines[0].get_ydata().tolist() == [0.1, 0.01, last]


def test_training_curves_take_rows_as_csv_gives_them_and_gaps():
    rows = [{key: str(value) for key, value in row.items()} for row in HISTORY]
    rows[1]["val_loss"] = ""
    values = plots.training_curves(rows).axes[1].lines[1].get_ydata()
    assert np.isnan(values[1])
    assert values[2] == 98.0
    assert plots.training_curves([{"loss": 1.0}]).axes[0].lines[0].get_xdata().tolist() == [1.0]


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_up_to_twenty_labels_have_a_colour_each(rng):
    labels = np.repeat(np.arange(20), 3)
    figure = code_map(Projection(rng.normal(size=(60, 2)), "tsne"), labels, [f"label{i}" for i in range(20)])
    assert legend_of(figure) == [f"label{i}" for i in range(20)]
    colours = {tuple(points.get_facecolor()[0]) for points in figure.axes[0].collections}
    assert len(colours) == 20


def test_of_more_labels_the_twelve_most_frequent_have_colours_and_the_rest_is_grey(rng):
    labels = np.concatenate([np.arange(30), np.repeat(np.arange(5, 17), 4)])
    figure = code_map(Projection(rng.normal(size=(len(labels), 2)), "tsne"), labels, [f"label{i}" for i in range(30)])
    assert legend_of(figure) == ["18 other labels"] + [f"label{i}" for i in range(5, 17)]
    red, green, blue, _ = figure.axes[0].collections[0].get_facecolor()[0]
    assert max(red, green, blue) - min(red, green, blue) < 0.06


def test_the_sphere_is_drawn_as_two_equal_area_hemispheres(rng):
    points = rng.normal(size=(20000, 3))
    points /= np.linalg.norm(points, axis=-1, keepdims=True)
    figure = code_map(Projection(points, "codes"))
    drawn = [axes.collections[0].get_offsets() for axes in figure.axes]
    assert sum(map(len, drawn)) == 20000
    for disk in drawn:
        # Points spread evenly over the hemisphere are even over the disk: the squared radius is uniform, mean 1/2.
        squared_radius = np.sum(np.square(disk), axis=-1)
        assert squared_radius.max() <= 1.0 + 1e-9
        assert squared_radius.mean() == pytest.approx(0.5, abs=5 * np.sqrt(1 / 12 / len(disk)))
    pole, back = code_map(Projection(np.array([[0, 0, 1.0], [1, 0, 0], [0.6, 0, -0.8]]), "codes")).axes
    np.testing.assert_allclose(pole.collections[0].get_offsets(), [[0, 0], [1, 0]], atol=1e-12)
    # From behind, left and right change sides.
    np.testing.assert_allclose(back.collections[0].get_offsets(), [[-0.6 / np.sqrt(1.8), 0]], atol=1e-12)


def test_bars_are_the_variances_and_active_ones_are_blue():
    axes = plots.active_units(np.array([2.0, 0.5, 0.001])).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [2.0, 0.5, 0.001]
    colours = [bar.get_facecolor() for bar in axes.patches]
    assert colours[0] == colours[1] != colours[2]
    assert axes.get_ylabel() == "variance, 1 in the prior"


def test_a_histogram_counts_every_document(rng):
    figure = plots.histogram(rng.normal(size=123), "KL, nats")
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 123


def test_images_are_reproducible_data_uris():
    figure, same = (plots.histogram(np.arange(10.0), "x") for _ in range(2))
    assert data_uri(figure) == data_uri(same)
    assert data_uri(figure).startswith("data:image/svg+xml;base64,")
    assert data_uri(figure, "png").startswith("data:image/png;base64,iVBOR")
    with pytest.raises(ValueError, match="image_format='gif'"):
        data_uri(figure, "gif")


def test_no_figure_is_global_and_no_setting_is_left_behind():
    from matplotlib import pyplot, rcParams  # Keras imports pyplot itself

    before, open_figures = dict(rcParams), pyplot.get_fignums()
    data_uri(plots.training_curves(HISTORY))
    assert pyplot.get_fignums() == open_figures
    assert dict(rcParams) == before
