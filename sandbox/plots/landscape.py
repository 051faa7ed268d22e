"""The landscape of a cost: steps of descent along one weight, or a surface and its contours with the path of training."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from sandbox.plots.colours import GRID_LINE, INK, SPINE, VALUE_SHADES
from sandbox.plots.cost import LOGARITHMIC_FROM
from sandbox.plots.figure import Figure

if TYPE_CHECKING:
    from sandbox.landscape import Landscape

CURVE, STEPS = "#0072B2", "#D55E00"
FONT, WIDTH = 11.0, 480
SHADES = ListedColormap(VALUE_SHADES / 255.0)
LEVELS = 14


def descent_figure(line: "Landscape") -> Figure:
    """The cost along one weight, a picture for each learning rate, steps as arrows; a title says how they end.

    >>> from sandbox import Config, train
    >>> from sandbox.landscape import of_one
    >>> line = of_one(train(Config(dataset="or", hidden=(), epochs=1)), "W1[1,1]", rates=[1, 1000], steps=10)
    >>> [axes.get_title() for axes in descent_figure(line).axes]
    ['rate 1: comes down', 'rate 1000: comes down']
    """
    count = len(line.paths)
    across, down = min(2, count), math.ceil(count / 2)
    figure = Figure((WIDTH / 72, (195 * down + 30) / 72), dpi=72, layout="constrained", facecolor="white")
    low, high = line.grid[0, 0], line.grid[-1, 0]
    bottom, top = _limits(line.costs)
    for place, (name, path) in enumerate(line.paths.items(), 1):
        axes, x, y = figure.add_subplot(down, across, place), path[:, 0], line.heights[name]
        axes.plot(line.grid[:, 0], line.costs, color=CURVE, linewidth=2, zorder=2)
        for step in range(len(x) - 1):
            ends = {"xy": (x[step + 1], y[step + 1]), "xytext": (x[step], y[step])}
            arrow = {"arrowstyle": "-|>", "color": STEPS, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}
            drawn = axes.annotate("", **ends, arrowprops=arrow, annotation_clip=False, zorder=3)
            drawn.set_in_layout(False)  # it may end far beyond
            assert drawn.arrow_patch is not None
            drawn.arrow_patch.set_clip_path(axes.patch)
        axes.plot(x, y, "o", color=STEPS, markersize=4, zorder=4)
        axes.plot(x[:1], y[:1], "o", color="white", markeredgecolor=INK, markersize=8, zorder=5)
        axes.set(xlim=(low, high), ylim=(bottom, top))
        axes.set_title(f"rate {name}: {line.ending(name)}", fontsize=FONT, color=INK, parse_math=False)
        _plain(axes, line.names[0], line.label if place % 2 else "")
    return figure


def landscape_figure(plane: "Landscape", *, title: str = "") -> Figure:
    """The cost over a plane, as a surface above and as contours below, with the paths: ○ where one starts, ★ where it ends.

    Heights are logarithms where the costs are positive and span more than a factor of 20.

    >>> from sandbox import Config, train
    >>> from sandbox.landscape import of_result
    >>> from sandbox.nn import Snapshots
    >>> result = train(Config(dataset="or", hidden=(), epochs=100), [Snapshots(range(101))])
    >>> landscape_figure(of_result(result, ["W1[1,1]", "W1[1,2]"])).axes[1].get_xlabel()
    'W1[1,1]'
    """
    figure = Figure((WIDTH / 72, 800 / 72), dpi=72, facecolor="white")
    x, y = np.meshgrid(*plane.grid.T)
    logarithmic = bool(
        np.nanmin(plane.costs) > 0 and np.nanmax(plane.costs) > LOGARITHMIC_FROM * np.nanmin(plane.costs)
    )
    low, high = np.nanmin(plane.costs), np.nanmax(plane.costs)
    heights = np.log10(plane.costs) if logarithmic else plane.costs
    name = f"log₁₀ {plane.label}" if logarithmic else plane.label
    solid: Any = figure.add_axes((0.0, 0.53, 0.96, 0.45), projection="3d")
    solid.plot_surface(x, y, heights, cmap=SHADES, rcount=60, ccount=60, linewidth=0, antialiased=True, alpha=0.85)
    flat = figure.add_axes((0.15, 0.075, 0.66, 0.40))
    drawn = flat.contourf(x, y, heights, levels=LEVELS, cmap=SHADES)
    flat.contour(x, y, heights, levels=LEVELS, colors="white", linewidths=0.6, linestyles="solid")
    for number, (called, path) in enumerate(plane.paths.items()):
        costs = plane.heights[called]
        inside = np.log10(np.clip(costs, low, high)) if logarithmic else costs
        solid.plot(path[:, 0], path[:, 1], inside, color=STEPS, linewidth=2.2, zorder=10)
        for axes, ends in ((flat, path.T), (solid, [*path.T, inside])):
            first, last = [[part[:1] for part in ends], [part[-1:] for part in ends]]
            axes.plot(*first, "o", color="white", markeredgecolor=INK, markersize=8, zorder=11)
            axes.plot(*last, "*", color="white", markeredgecolor=INK, markersize=14, zorder=12)
        flat.plot(path[:, 0], path[:, 1], color="white", linewidth=3.4, zorder=8)
        flat.plot(path[:, 0], path[:, 1], "-", color=STEPS, linewidth=2, zorder=9)
        if len(plane.paths) > 1:
            place = {
                "xytext": (8, 9 - 24 * (number % 2)),
                "textcoords": "offset points",
                "fontsize": FONT,
                "zorder": 13,
            }
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8}
            flat.annotate(f"rate {called}", (path[-1, 0], path[-1, 1]), bbox=box, color=INK, **place)
        if len(path) <= 60:
            flat.plot(path[:, 0], path[:, 1], ".", color=STEPS, markersize=6, zorder=9)
    _plain(flat, *plane.names)
    flat.grid(False)
    bar = figure.colorbar(drawn, cax=figure.add_axes((0.83, 0.075, 0.035, 0.40)))
    bar.ax.tick_params(labelsize=FONT - 1)
    bar.set_label(name, fontsize=FONT, parse_math=False)
    for axis, text in ((solid.xaxis, plane.names[0]), (solid.yaxis, plane.names[1]), (solid.zaxis, name)):
        axis.set_label_text(text, fontsize=FONT - 0.5, parse_math=False)
        axis.set_tick_params(labelsize=FONT - 2)
    solid.locator_params(nbins=5)
    solid.view_init(elev=38, azim=-60)
    solid.set_box_aspect((1, 1, 0.75), zoom=0.95)
    figure.text(0.5, 0.985, title, ha="center", va="top", fontsize=FONT + 0.5, color=INK, parse_math=False)
    return figure


def _limits(costs: np.ndarray) -> tuple[float, float]:
    finite = costs[np.isfinite(costs)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    margin = 0.08 * (high - low) or 1.0
    return low - margin, high + margin


def _plain(axes: Axes, x_name: str, y_name: str) -> None:
    """Names, ticks and grid as the other pictures have them."""
    axes.set_xlabel(x_name, fontsize=FONT, color=INK, parse_math=False)
    axes.set_ylabel(y_name, fontsize=FONT, color=INK, parse_math=False)
    axes.tick_params(labelsize=FONT - 1, color=SPINE)
    axes.locator_params(nbins=6)
    axes.grid(True, color=GRID_LINE)
    for spine in axes.spines.values():
        spine.set_color(SPINE)
