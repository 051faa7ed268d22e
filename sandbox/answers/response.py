"""The response: the objective over two dimensions at once, where the best values of one may depend on the other."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.answers.isolation import objective_of
from sandbox.answers.panels import LOST, Scale, panels, wide
from sandbox.answers.trials import Point, word

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEWEST = 12  # points between which the response is shaded
NUMBERED = 30  # dots with numbers
LARGEST = 12  # values of a dimension whose cells have numbers


def draw_response(
    points: Mapping[str, Sequence[Point]],
    pair: tuple[str, str],
    scales: Mapping[str, Scale],
    objective: str,
    *,
    larger: bool,
) -> "Figure":
    """A panel for each problem's points: the median objective over the seeds at each place, the best over other dimensions.

    Cells with their numbers where both dimensions have a few values; else a dot for each point, and shades between them
    where both are ranges. Lighter is better; a cross is where half of the seeds diverge.
    """
    figure, found = panels(len(points))
    for axes, (where, some) in zip(found, points.items(), strict=True):
        best: dict[tuple[str, str], Point] = {}
        for point in sorted(some, key=lambda one: one.rank):
            best.setdefault((word(point.at[pair[0]]), word(point.at[pair[1]])), point)
        kept = [point for point in best.values() if not point.lost]
        values = np.array([objective_of(point, larger=larger).value for point in kept])
        few = all(len(scales[name].values or ()) in range(1, LARGEST + 1) for name in pair)
        (_cells if few else _dots)(axes, pair, scales, best.values(), kept, _colours(values, larger=larger), values)
        axes.set_title(where, fontsize="medium", loc="left")
        if axes.collections or axes.images:
            told = f"median {objective.replace('_', ' ')}"
            figure.colorbar((axes.images or axes.collections)[-1], ax=axes, label=told)
    return figure


def _colours(values: np.ndarray, *, larger: bool) -> dict[str, Any]:
    """The colours of the objective: safe for the colour-blind, and lighter where it is better."""
    from matplotlib.colors import LogNorm, Normalize

    low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    if high - low <= 1e-12 * max(abs(high), 1e-300):
        low, high = low - 0.5 * abs(low or 1), high + 0.5 * abs(high or 1)
    return {"cmap": "cividis" if larger else "cividis_r", "norm": (LogNorm if wide(values) else Normalize)(low, high)}


def _cells(axes: "Axes", pair, scales, every, kept, colours, values) -> None:
    from matplotlib.cm import ScalarMappable

    rows, columns = ([word(one) for one in scales[name].values] for name in pair)
    table = np.full((len(rows), len(columns)), np.nan)
    places = [(rows.index(word(point.at[pair[0]])), columns.index(word(point.at[pair[1]]))) for point in kept]
    for place, value in zip(places, values, strict=True):
        table[place] = value
    if kept:
        axes.imshow(table, aspect="auto", origin="lower", **colours)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(-0.5, len(rows) - 0.5))
    size = "medium" if len(columns) <= 6 else "small"
    for (row, column), value in zip(places, values, strict=True):
        light = ScalarMappable(**colours).to_rgba(value)[:3] @ np.array([0.299, 0.587, 0.114]) > 0.5
        ink = "black" if light else "white"
        axes.text(column, row, f"{value:.3g}", ha="center", va="center", color=ink, fontsize=size)
    for point in (one for one in every if one.lost):
        place = columns.index(word(point.at[pair[1]])), rows.index(word(point.at[pair[0]]))
        axes.plot(*place, "x", color=LOST, markersize=10, markeredgewidth=2)
    for name, upwards in zip(pair, (True, False), strict=True):
        Scale(scales[name].values).show(axes, name, upwards=upwards)


def _dots(axes: "Axes", pair, scales, every, kept, colours, values) -> None:
    upwards, along = sorted(pair, key=lambda name: scales[name].values is None)
    places = [[scales[name].place(point.at[name]) for name in (along, upwards)] for point in kept]
    x, y = np.array(places).reshape(-1, 2).T
    for name, up in ((along, False), (upwards, True)):
        scales[name].show(axes, name, upwards=up)
    if all(scales[name].values is None for name in pair) and len(kept) >= FEWEST:
        u, v = (np.log(p) if scales[name].log else p for name, p in ((along, x), (upwards, y)))
        _shades(axes, (u, v), (x, y), values, colours)
    if kept:
        axes.scatter(x, y, c=values, s=90, edgecolor="#555555", linewidth=0.8, zorder=3, **colours)
        for at, up, value in zip(x, y, values, strict=True) if len(kept) <= NUMBERED else ():
            axes.annotate(
                f"{value:.3g}", (at, up), xytext=(0, 8), textcoords="offset points", ha="center", fontsize="small"
            )
    for point in every:
        if point.lost:
            place = [[scales[name].place(point.at[name])] for name in (along, upwards)]
            axes.plot(place[0], place[1], "x", color=LOST, markersize=9, markeredgewidth=2, zorder=4)


def _shades(axes: "Axes", spread: tuple, places: tuple, values: np.ndarray, colours: dict[str, Any]) -> None:
    """Shades between points, as the triangles between them have it where both axes are as they are drawn."""
    from matplotlib.tri import Triangulation

    try:
        triangles = Triangulation(*spread).triangles
    except (RuntimeError, ValueError):  # they lie on a line
        return
    axes.tripcolor(
        Triangulation(places[0], places[1], triangles), values, shading="gouraud", alpha=0.55, zorder=1, **colours
    )
