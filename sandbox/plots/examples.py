"""The examples of a data set as marks that shape and colour tell apart, each on its own."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from sandbox.plots import shading
from sandbox.plots.plane import Floats

SHOWN, SHOWN_FAINT = 300, 150  # more examples than these would hide the shades
MARKERS = "o^sdvPX<>p"
_LEVELS = 13  # colours of a regression's examples: one artist a colour is quicker than a scatter


def draw_examples(
    axes: Axes, places: Floats, Y: Floats, task: str, values: tuple[float, float], font: float, *, faint: bool
) -> None:
    """Draw the examples, `faint` those of a test set: at most 300 or 150 of them, always the same ones.

    places (examples, 2) in the plane, or (examples, 1) along a curve, where Y (examples, outputs) gives the
    heights; values: the lowest and the highest value of a regression's colours; font: the picture's.
    """
    most = SHOWN_FAINT if faint else SHOWN
    if len(places) > most:
        kept = np.sort(np.random.default_rng(0).choice(len(places), most, replace=False))
        places, Y = places[kept], Y[kept]
    size = font * (0.75 if len(places) <= 10 else 0.5 if len(places) <= 100 else 0.42) * (0.75 if faint else 1)
    flat = places.shape[1] == 2
    if task == "regression" and not flat:
        mark(axes, places[:, 0], Y[:, 0], 0, shading.BINARY_COLOURS[0], size, faint=faint)
        return
    kinds, heights = _kinds(Y, task, values)
    for kind in np.unique(kinds):
        chosen = kinds == kind
        if task == "regression":
            shade = round(kind / (_LEVELS - 1) * (len(shading.VALUE_SHADES) - 1))
            shape, colour = 0, "#{:02x}{:02x}{:02x}".format(*shading.VALUE_SHADES[shade])
        else:
            shape = int(kind)
            colour = shading.BINARY_COLOURS[shape] if task == "binary" else shading.class_colour(shape)
        y = places[chosen, 1] if flat else heights[chosen]
        mark(axes, places[chosen, 0], y, shape, colour, size, faint=faint)


def mark(axes: Axes, x: ArrayLike, y: ArrayLike, kind: int, colour: str, size: float, *, faint: bool = False) -> None:
    """Draw marks of one kind and colour, `size` pixels wide, with an edge unless they are faint."""
    axes.plot(
        np.asarray(x),
        np.asarray(y),
        linestyle="none",
        marker=MARKERS[kind % len(MARKERS)],
        markersize=size,
        markerfacecolor=colour,
        markeredgecolor=colour if faint else shading.edge(colour),
        markeredgewidth=0.0 if faint else max(0.8, 0.11 * size),
        alpha=0.65 if faint else 1.0,
        zorder=2.5 if faint else 3,
    )


def _kinds(Y: Floats, task: str, values: tuple[float, float]) -> tuple[Floats, Floats]:
    """The class, or the step of the colour scale, of each example, and its height beside a curve."""
    if task == "regression":
        low, high = values
        return np.rint((np.clip(Y[:, 0], low, high) - low) / (high - low) * (_LEVELS - 1)), Y[:, 0]
    if task == "multiclass":
        return Y.argmax(1), np.full(len(Y), -0.06)  # along the bottom: no curve is theirs alone
    classes = (Y[:, 0] > 0.5).astype(np.float64)
    return classes, classes
