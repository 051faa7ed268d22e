"""The isolation plot: what each value of a dimension can do when all the others are right.

Google's tuning playbook ("Isolation plots"): the objective of every point against one dimension, and the best point of each
value, or of each fifth of a range. A line through the best points compares values fairly, whatever the others are.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sandbox.answers.panels import BEST, LOST, OTHER, Scale, panels, wide
from sandbox.answers.statistics import Estimate, median
from sandbox.answers.trials import Group, Part, Point

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ASIDE = 0.03  # of an axis: the room at its edge for what diverged


class Isolated(NamedTuple):
    """The best point of a value, where it is along the dimension's axis, and its objective: the median over the seeds."""

    label: str
    place: float
    point: Point
    objective: Estimate


def isolated(groups: Sequence[Group], scale: Scale, name: str, *, larger: bool) -> list[Isolated]:
    """The line of the best points of a dimension `name`, without those that diverge with half of their seeds."""
    return [
        Isolated(group.label, scale.place(best.at[name]), best, objective_of(best, larger=larger))
        for group in groups
        if not (best := group.best).lost
    ]


def objective_of(point: Point, *, larger: bool) -> Estimate:
    """The median objective over a point's seeds, and its interval; infinite ends where that reaches what diverged."""
    sign = -1 if larger else 1
    return median([sign * (np.inf if trial.lost else trial.rank) for trial in point.trials])


def draw_isolation(
    parts: Mapping[Part, Sequence[Group]], scales: Mapping[str, Scale], objective: str, *, larger: bool
) -> "Figure":
    """A panel for each part: single runs faint, a ring for the median of each point, the best of each value joined."""
    figure, found = panels(len(parts))
    for axes, (part, groups) in zip(found, parts.items(), strict=True):
        scale, points = scales[part.name], [point for group in groups for point in group.points]
        sound = [
            (scale.place(point.at[part.name]), -trial.rank if larger else trial.rank)
            for point in points
            for trial in point.trials
            if not trial.lost
        ]
        x, y = np.array(sound).reshape(-1, 2).T
        low, high = _limits(axes, y)
        axes.plot(x, y, ".", color=OTHER, alpha=0.35, markersize=4, markeredgewidth=0, zorder=1)
        kept = [point for point in points if not point.lost]
        middles = [objective_of(point, larger=larger).value for point in kept]
        places = [scale.place(point.at[part.name]) for point in kept]
        axes.plot(places, middles, "o", color=OTHER, fillstyle="none", markersize=5, zorder=2)
        best = isolated(groups, scale, part.name, larger=larger)
        best.sort(key=lambda one: one.place)
        if best:
            ends = np.clip([[one.objective.low, one.objective.high] for one in best], low, high).T
            line = np.array([one.objective.value for one in best])
            style = {"color": BEST, "capsize": 3, "markersize": 7, "linewidth": 1.6, "zorder": 3}
            axes.errorbar([one.place for one in best], line, np.abs(ends - line), fmt="o-", **style)
        _lost(figure, axes, [scale.place(point.at[part.name]) for point in points if point.lost], larger=larger)
        scale.show(axes, part.name)
        axes.set_ylabel(objective.replace("_", " "))
        axes.set_title(part.words, fontsize="medium", loc="left")
        axes.grid(axis="y", alpha=0.3)
    return figure


def _limits(axes, values: np.ndarray) -> tuple[float, float]:
    """Give the axis of the objective its scale and its ends, with room at the edges."""
    if not values.size:
        axes.set_yticks([])
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if wide(values):
        axes.set_yscale("log")
        factor = (high / low) ** (2 * ASIDE)
        low, high = low / factor, high * factor
    else:
        margin = 2 * ASIDE * (high - low or abs(high) or 1.0)
        low, high = low - margin, high + margin
    axes.set_ylim(low, high)
    return low, high


def _lost(figure, axes, places: list[float], *, larger: bool) -> None:
    """A cross at the bad edge for each point that diverges with half of its seeds."""
    if places:
        edge = ASIDE if larger else 1 - ASIDE
        across = axes.get_xaxis_transform()
        style = {"color": LOST, "markersize": 8, "markeredgewidth": 1.8, "zorder": 4}
        axes.plot(places, [edge] * len(places), "x", transform=across, **style)
        words = {"xytext": (0, 8 if larger else -8), "textcoords": "offset points", "ha": "center"}
        vertical = "bottom" if larger else "top"
        axes.annotate("diverged", (np.median(places), edge), xycoords=across, color=LOST, va=vertical, **words)
