"""Panels of a figure, side by side, and the axes of a dimension's values and of an objective."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sandbox.answers.trials import word

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEST, OTHER, LOST = "#0072b2", "#555555", "#d55e00"  # blue, grey and vermilion (Okabe and Ito 2008)
PANEL, ALONE = (4.6, 3.5), (6.6, 4.2)  # inches
DPI = 110
BESIDE = 2  # panels, so that letters can be read where all are 900 pixels wide
LONGEST = 18  # characters of a category
WIDE = 20.0  # largest over smallest value from which an axis is logarithmic


class Scale(NamedTuple):
    """The axis of a dimension: its `values` in order where they are a few, else a range; `ends` where they are numbers."""

    values: Sequence[Any] | None
    ends: tuple[float, float] | None = None
    log: bool = False

    def place(self, value: Any) -> float:
        """Where a value is along the axis: itself, or its number among the categories."""
        if self.ends is not None:
            return float(value)
        known = [word(one) for one in self.values or ()]
        return float(known.index(word(value)) if word(value) in known else len(known))

    def share(self, value: Any) -> float:
        """How far it is from the lower end to the upper one, on the axis."""
        assert self.ends is not None
        low, high, value = map(math.log, (*self.ends, value)) if self.log else (*self.ends, value)
        return (value - low) / (high - low)

    def show(self, axes: "Axes", name: str, *, upwards: bool = False) -> None:
        """Give one of the axes its scale, ticks and name."""
        from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

        axis = axes.yaxis if upwards else axes.xaxis
        if self.ends is not None and self.log:
            (axes.set_yscale if upwards else axes.set_xscale)("log")
        if self.values is not None:
            labels = [short(word(value)) for value in self.values]
            axis.set_ticks([self.place(value) for value in self.values], labels=labels)
            axis.set_ticks([], minor=True)
            if not upwards and sum(map(len, labels)) + 2 * len(labels) > 40:
                axes.tick_params(axis="x", labelrotation=30)
                for label in axes.get_xticklabels():
                    label.set(ha="right", rotation_mode="anchor")
            if self.ends is None:
                (axes.set_ylim if upwards else axes.set_xlim)(-0.5, len(self.values) - 0.5)
        elif self.ends is not None and self.log:
            few = math.log10(self.ends[1] / self.ends[0]) < 2
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=8))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_locator(NullLocator())
        (axes.set_ylabel if upwards else axes.set_xlabel)(name.replace("_", " "))


def panels(count: int, across: int = BESIDE, size: tuple[float, float] = PANEL) -> "tuple[Figure, list[Axes]]":
    """A figure with so many panels."""
    from matplotlib.figure import Figure

    across = min(across, count)
    down = math.ceil(count / across)
    width, height = ALONE if count == 1 and size == PANEL else (size[0] * across, size[1] * down)
    figure = Figure(figsize=(width, height), layout="constrained", dpi=DPI)
    found = [*figure.subplots(down, across, squeeze=False).ravel()]
    for axes in found[count:]:
        axes.set_axis_off()
    for axes in found[:count]:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, found[:count]


def wide(values: Sequence[float] | np.ndarray) -> bool:
    """Whether these are seen better on a logarithmic axis."""
    values = np.asarray(values, float)
    return bool(len(values) and values.min() > 0 and values.max() > WIDE * values.min())


def short(label: str) -> str:
    """A label that fits below an axis."""
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 3]}..."


def png(figure: "Figure") -> bytes:
    """A figure as PNG bytes: drawn once, where `savefig` draws one that lays itself out a second time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    from sandbox.plots.picture import encode

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return encode(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"))
