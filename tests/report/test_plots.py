import numpy as np
import pytest

from tests.report.errors import argument_error
from tf_vmf.report.page import plots
from tf_vmf.report.page.figures import data_uri

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


def test_an_epoch_alone_has_no_fractions_beside_it():
    axes = plots.training_curves(HISTORY[:1], best_epoch=1).axes[0]
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1.0]


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


def test_bars_are_the_variances_and_active_ones_are_blue():
    axes = plots.active_units(np.array([2.0, 0.5, 0.001])).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [2.0, 0.5, 0.001]
    colors = [bar.get_facecolor() for bar in axes.patches]
    assert colors[0] == colors[1] != colors[2]
    assert axes.get_ylabel() == "variance, 1 in the prior"


def test_a_histogram_counts_every_document(rng):
    figure = plots.histogram(rng.normal(size=123), "KL, nats")
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 123


def test_images_are_reproducible_data_uris():
    figure, same = (plots.histogram(np.arange(10.0), "x") for _ in range(2))
    assert data_uri(figure) == data_uri(same)
    assert data_uri(figure).startswith("data:image/svg+xml;base64,")
    assert data_uri(figure, "png").startswith("data:image/png;base64,iVBOR")
    with argument_error("image_format", "'gif'"):
        data_uri(figure, "gif")


def test_no_figure_is_global_and_no_setting_is_left_behind():
    from matplotlib import pyplot, rcParams  # Keras imports pyplot itself

    before, open_figures = dict(rcParams), pyplot.get_fignums()
    data_uri(plots.training_curves(HISTORY))
    assert pyplot.get_fignums() == open_figures
    assert dict(rcParams) == before
