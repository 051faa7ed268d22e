"""Several curves in one picture: each is there, where it belongs, and one that leaves ends with an arrow."""

import io

import numpy as np
import pytest
from PIL import Image

from sandbox.errors import RequestError
from sandbox.plots import curves_figure, curves_png

EPOCHS = np.arange(50)
SETTLING = {"slow": (EPOCHS, 3 - 3 * 0.9**EPOCHS), "fast": (EPOCHS, 3 - 3 * 0.5**EPOCHS)}
EXPLODING = (EPOCHS, 45 * (-15.7) ** EPOCHS)


def test_curves_are_drawn_as_given_and_named():
    axes = curves_figure(SETTLING, title="two", y_label="w").axes[0]
    assert [line.get_label() for line in axes.lines] == ["slow", "fast"]
    for line, (x, y) in zip(axes.lines, SETTLING.values(), strict=True):
        assert np.array_equal(line.get_xydata(), np.column_stack([x, y]))
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["slow", "fast"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "w")
    assert len({line.get_linestyle() for line in axes.lines}) == len({line.get_color() for line in axes.lines}) == 2


@pytest.mark.parametrize("sign", [1, -1])
def test_a_curve_that_leaves_ends_with_an_arrow_at_that_edge(sign):
    leaving = (EPOCHS, sign * EXPLODING[1])
    axes = curves_figure({**SETTLING, "leaving": leaving}, y_limits=(-10, 10)).axes[0]
    *_, curve, arrow = axes.lines
    assert np.asarray(curve.get_xydata()).tolist() == [[0, 45 * sign]]
    assert arrow.get_marker() == ("^" if sign > 0 else "v")
    assert (np.asarray(arrow.get_ydata()) > 0.5) == (sign > 0)


def test_beyond_a_limit_the_axis_is_logarithmic_and_everything_lies_within():
    axes = curves_figure({"w": EXPLODING}, y_linear=10).axes[0]
    assert axes.get_yscale() == "symlog"
    assert axes.get_legend() is None
    low, high = axes.get_ylim()
    assert low < EXPLODING[1].min() < EXPLODING[1].max() < high
    ticks = axes.get_yticks()
    assert 0 in ticks
    assert 5 <= len(ticks) <= 9


@pytest.mark.parametrize(
    "series",
    [{}, {"one": ([0], [1])}, {"nothing": ([], [])}, {"wild": ([0, 1, 2], [np.nan, np.inf, 1e308])}],
)
def test_there_is_a_picture_of_anything(series):
    for y_linear in (None, 1.0):
        with Image.open(io.BytesIO(curves_png(series, y_linear=y_linear, size=(320, 200)))) as image:
            assert image.size == (320, 200)


def test_what_does_not_fit_together_is_refused_by_name():
    with pytest.raises(RequestError, match=r"'w' needs one y for each x.*\(2,\) and \(3,\)"):
        curves_png({"w": ([0, 1], [0, 1, 2])})
