"""Style of the figures, and images inside an HTML page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from tf_vmf._errors import ArgumentError
from tf_vmf._optional import optional

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_P = ParamSpec("_P")

# Set while a figure is drawn and while it is written; matplotlib's global settings stay as the caller has them.
STYLE = {
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": "#3d444d",
    "axes.edgecolor": "#9aa4b0",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e9ed",
    "grid.linewidth": 0.8,
    "xtick.color": "#5b6570",
    "ytick.color": "#5b6570",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.hashsalt": "tf_vmf",  # the same figure gives the same bytes
}
BLUE, ORANGE, GREEN, GREY = "#2b6cb0", "#d9731a", "#2f855a", "#8a94a0"


def new_figure(width: float, height: float) -> Figure:
    """A figure in inches that belongs to no window and no global state; pyplot is never imported."""
    with optional("demo", "Figures"):
        from matplotlib.figure import Figure
    return Figure(figsize=(width, height), layout="constrained")


def styled(plot: Callable[_P, Figure]) -> Callable[_P, Figure]:
    """Draws a figure in the reports' style."""

    @wraps(plot)
    def in_style(*args: _P.args, **kwargs: _P.kwargs) -> Figure:
        with optional("demo", "Figures"):
            from matplotlib import rc_context
        with rc_context(STYLE):
            return plot(*args, **kwargs)

    return in_style


def data_uri(figure: Figure, image_format: str = "svg") -> str:
    """The figure as a `data:` URI of an SVG or PNG image, for the `src` of an `<img>`."""
    from matplotlib import rc_context

    if image_format not in ("svg", "png"):
        raise ArgumentError("image_format", "'svg' or 'png'", repr(image_format), owner="data_uri")
    buffer = io.BytesIO()
    metadata = {"Date": None} if image_format == "svg" else {"Software": None}
    with rc_context(STYLE):
        figure.savefig(buffer, format=image_format, dpi=170, metadata=metadata, transparent=True)
    mime = "image/svg+xml" if image_format == "svg" else "image/png"
    return f"data:{mime};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
