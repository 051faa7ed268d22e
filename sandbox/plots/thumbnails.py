"""Many data sets in one picture, a small one of each."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sandbox.plots.colours import GRID_LINE, INK, SPINE
from sandbox.plots.examples import marks_of
from sandbox.plots.figure import Figure
from sandbox.plots.plane import plane_of
from sandbox.plots.scene import widened

if TYPE_CHECKING:
    from sandbox.data import Dataset

ACROSS, SIDE = 5, 190  # pictures in a row, and pixels of a side of each
FONT = 11.0


def thumbnails(datasets: "Sequence[Dataset]") -> Figure:
    """The examples of each data set in its plane, by classes or values, with its name above."""
    across = min(ACROSS, len(datasets))
    down = math.ceil(len(datasets) / across)
    figure = Figure(
        figsize=(across * SIDE / 72, down * (SIDE + 24) / 72), dpi=72, layout="constrained", facecolor="white"
    )
    for place, data in enumerate(datasets, 1):
        axes = figure.add_subplot(down, across, place)
        points = plane_of(data).project(data.X)
        values = widened(data.Y[:, 0], 0.0)
        for marks in marks_of(points, data.Y, data.task, values, FONT, faint=False):
            axes.add_line(marks.line())
        limits = [widened(points[:, 0], 0.1)]
        limits.append(widened(points[:, 1] if points.shape[1] == 2 else data.Y[:, 0], 0.15))
        axes.set(xlim=limits[0], ylim=limits[1], xticks=[], yticks=[])
        axes.set_title(data.name, fontsize=FONT, color=INK, parse_math=False)
        axes.grid(True, color=GRID_LINE)
        for spine in axes.spines.values():
            spine.set_color(SPINE)
    return figure
