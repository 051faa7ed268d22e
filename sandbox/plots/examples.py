"""The examples of a data set as marks that shape and colour tell apart, each on its own."""

from typing import NamedTuple

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from sandbox.plots.colours import BINARY_COLOURS, VALUE_SHADES, class_colour, edge
from sandbox.plots.page import Floats

SHOWN, SHOWN_FAINT = 300, 150  # more examples than these would hide the shades
MARKERS = "o^sdvPX<>p"
_LEVELS = 13  # colours of a regression's examples


class Marks(NamedTuple):
    """Marks of one kind and colour, `size` pixels wide, with an edge unless they are faint."""

    x: ArrayLike
    y: ArrayLike
    kind: int
    colour: str
    size: float
    faint: bool = False

    def at(self, x: ArrayLike, y: ArrayLike) -> "Marks":
        """The same marks elsewhere."""
        return self._replace(x=x, y=y)

    def line(self) -> Line2D:
        """The marks alone, as a line without strokes."""
        return Line2D(
            np.asarray(self.x),
            np.asarray(self.y),
            linestyle="none",
            marker=MARKERS[self.kind % len(MARKERS)],
            markersize=self.size,
            markerfacecolor=self.colour,
            markeredgecolor=self.colour if self.faint else edge(self.colour),
            markeredgewidth=0.0 if self.faint else max(0.8, 0.11 * self.size),
            alpha=0.65 if self.faint else 1.0,
            zorder=2.5 if self.faint else 3,
        )


def marks_of(
    places: Floats, Y: Floats, task: str, values: tuple[float, float], font: float, *, faint: bool
) -> list[Marks]:
    """The examples, `faint` those of a test set: at most 300 or 150 of them, always the same ones.

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
        return [Marks(places[:, 0], Y[:, 0], 0, BINARY_COLOURS[0], size, faint)]
    kinds, heights = _kinds(Y, task, values)
    marks = []
    for kind in np.unique(kinds):
        chosen = kinds == kind
        if task == "regression":
            shade = round(kind / (_LEVELS - 1) * (len(VALUE_SHADES) - 1))
            shape, colour = 0, "#{:02x}{:02x}{:02x}".format(*VALUE_SHADES[shade])
        else:
            shape = int(kind)
            colour = BINARY_COLOURS[shape] if task == "binary" else class_colour(shape)
        y = places[chosen, 1] if flat else heights[chosen]
        marks.append(Marks(places[chosen, 0], y, shape, colour, size, faint))
    return marks


def _kinds(Y: Floats, task: str, values: tuple[float, float]) -> tuple[Floats, Floats]:
    """The class, or the step of the colour scale, of each example, and its height beside a curve."""
    if task == "regression":
        low, high = values
        return np.rint((np.clip(Y[:, 0], low, high) - low) / (high - low) * (_LEVELS - 1)), Y[:, 0]
    if task == "multiclass":
        return Y.argmax(1), np.full(len(Y), -0.06)  # along the bottom: no curve is theirs alone
    classes = (Y[:, 0] > 0.5).astype(np.float64)
    return classes, classes
