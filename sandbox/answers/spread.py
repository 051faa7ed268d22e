"""The spread over seeds: what chance alone does to a network, and where the first seed lies in it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sandbox.answers.panels import BEST, LOST, OTHER, panels, short, wide
from sandbox.answers.statistics import Estimate, median, proportion
from sandbox.answers.trials import Part, Point

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MANY = 30  # seeds, from which on their spread is shown
BINS = 40


class Spread(NamedTuple):
    """The figures of a point's seeds (seeds,), in their order, infinite where one was lost; `seed` is the first."""

    words: str
    seed: int
    figures: np.ndarray

    @property
    def median(self) -> Estimate:
        """With its interval."""
        return median(self.figures)

    @property
    def better(self) -> Estimate:
        """The share of the other seeds that come to a smaller figure than the first."""
        return proportion(self.figures[1:] < self.figures[0])


def spreads(points: Mapping[Part, Sequence[Point]], *, larger: bool) -> dict[Part, list[Spread]]:
    """The spread of every point with so many seeds that it can be seen. Where larger is better, signs are turned."""
    found: dict[Part, list[Spread]] = {}
    sign = -1 if larger else 1
    for part, some in points.items():
        for point in some:
            trials = sorted(point.trials, key=lambda trial: trial.seed)
            figures = [np.inf if one.figure is None else sign * one.figure + 0.0 for one in trials]
            if len(trials) >= MANY and len({*figures}) > 2:  # else a share says all of it
                word = ", ".join(str(value) for value in point.at.values())
                found.setdefault(part, []).append(Spread(word, trials[0].seed, np.array(figures)))
    return found


def sentence(one: Spread, figure: str, *, larger: bool) -> str:
    """What it says."""
    sign, words = -1 if larger else 1, figure.replace("_", " ")
    middle, share = one.median, one.better
    ends = sorted((sign * middle.low, sign * middle.high))
    sound = one.figures[np.isfinite(one.figures)]
    lost = len(one.figures) - len(sound)
    said = (
        f"{one.words}: over {len(one.figures):,} seeds the {words} has the median {sign * middle.value + 0.0:.4g} "
        f"[{ends[0]:.4g}, {ends[1]:.4g}]"
    )
    if len(sound):
        low, high = sorted((sign * sound.min(), sign * sound.max()))
        said += f" and goes from {low:.4g} to {high:.4g}"
    if lost:
        said += f"; {lost:,} diverged"
    first = sign * one.figures[0]
    own = f"has {first:.4g}" if np.isfinite(first) else "diverged"
    than = f"{100 * share.value:.3g} % [{100 * share.low:.3g}, {100 * share.high:.3g}] of the others do better"
    return f"{said}. The first of them (seed {one.seed}) {own}: {than}."


def draw_spread(parts: Mapping[Part, Sequence[Spread]], figure: str, *, larger: bool, most: int) -> "Figure":
    """A histogram for each point, with a line where its first seed is."""
    shown = [one for some in parts.values() for one in some][:most]
    drawn, found = panels(len(shown))
    sign = -1 if larger else 1
    for axes, one in zip(found, shown, strict=True):
        values = sign * one.figures[np.isfinite(one.figures)]
        if len(values):
            log = wide(values)
            edges = np.geomspace(values.min(), values.max(), BINS + 1) if log else BINS
            axes.hist(values, bins=edges if values.min() < values.max() else 1, color=OTHER, alpha=0.6)
            axes.set_xscale("log" if log else "linear")
        if np.isfinite(one.figures[0]):
            axes.axvline(sign * one.figures[0], color=LOST, linewidth=2)
            words = {"xytext": (4, -10), "textcoords": "offset points", "color": LOST}
            axes.annotate(
                f"the first (seed {one.seed})", (sign * one.figures[0], 1), xycoords=axes.get_xaxis_transform(), **words
            )
        axes.axvline(sign * one.median.value, color=BEST, linewidth=1.5, linestyle="--")
        axes.set_xlabel(figure.replace("_", " "))
        axes.set_ylabel("seeds")
        axes.set_title(
            f"{short(one.words) if len(shown) > 1 else one.words} (dashed: the median)", fontsize="medium", loc="left"
        )
    return drawn
