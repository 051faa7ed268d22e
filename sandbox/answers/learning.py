"""How values learn: the curves of a metric over the epochs, a line for each value with a band over its seeds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sandbox.answers.panels import panels, short, wide

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTTED = 20  # a curve of no more points than this has a dot at each
ABOVE = 10.0  # times the highest beginning of a curve, beyond which what diverges is not followed
Floats = NDArray[np.float64]


class Band(NamedTuple):
    """Over the seeds, at each of the `steps`: the median, and the quartiles on either side; all of shape (steps,)."""

    steps: Floats
    middle: Floats
    low: Floats
    high: Floats


class Learning(NamedTuple):
    """One panel: a metric, and the bands of values by their labels; `ordered` where these are numbers in order."""

    title: str
    metric: str
    bands: Mapping[str, Band]
    ordered: bool


def band(curves: Iterable[tuple[Sequence[float], Sequence[float]]]) -> Band:
    """The band of curves (steps, values), one for each seed, at the steps that at least half of them have.

    So it ends where fewer than half of the seeds go on. Medians and quartiles are the same numbers on whatever axis.

    >>> band([([0, 1], [1.0, 0.5]), ([0, 1], [3.0, 0.1]), ([0], [2.0])]).middle.tolist()
    [2.0, 0.3]
    """
    some = [(np.asarray(steps, float), np.asarray(values, float)) for steps, values in curves]
    every = np.unique(np.concatenate([steps for steps, _ in some] or [np.empty(0)]))
    table = np.full((len(some), len(every)), np.nan)
    for row, (steps, values) in zip(table, some, strict=True):
        row[np.searchsorted(every, steps)] = values
    kept = 2 * np.isfinite(table).sum(0) >= max(len(some), 1)
    table = np.where(np.isfinite(table[:, kept]), table[:, kept], np.nan)
    quartiles = np.nanquantile if np.isnan(table).any() else np.quantile
    low, middle, high = quartiles(table, [0.25, 0.5, 0.75], axis=0) if kept.any() else np.empty((3, 0))
    return Band(every[kept], middle, low, high)


def draw_learning(some: Sequence[Learning]) -> "Figure":
    """The panels, two in a row."""
    figure, found = panels(len(some))
    last = {one.title: number for number, one in enumerate(some)}
    for number, (axes, one) in enumerate(zip(found, some, strict=True)):
        _draw(axes, one)
        if number == last[one.title]:  # the panels beside it have the same lines
            axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, handlelength=2.4)
    return figure


def _draw(axes: "Axes", one: Learning) -> None:
    styles = _styles(len(one.bands), ordered=one.ordered)
    for (label, band), style in zip(one.bands.items(), styles, strict=True):
        dots = {"marker": "o", "markersize": 4} if len(band.steps) <= DOTTED else {}
        axes.plot(band.steps, band.middle, label=short(label), linewidth=1.6, **style, **dots)
        axes.fill_between(band.steps, band.low, band.high, color=style["color"], alpha=0.16, linewidth=0)
    values = np.concatenate([np.concatenate(band[1:]) for band in one.bands.values()])
    top = ABOVE * max((band.high[0] for band in one.bands.values() if len(band.high)), default=0.0)
    if not one.metric.endswith("accuracy"):
        values = values[values <= top]
        if wide(values):
            axes.set_yscale("log")
            axes.minorticks_off()  # each takes its time, three times over
            axes.set_ylim(values.min() / 1.3, values.max() * 1.3)
        elif len(values):
            margin = 0.04 * (values.max() - values.min() or 1.0)
            axes.set_ylim(values.min() - margin, values.max() + margin)
    axes.set(xlabel="epoch", ylabel=one.metric.replace("_", " "))
    axes.set_title(one.title, fontsize="medium", loc="left")
    axes.grid(alpha=0.3)


def _styles(count: int, *, ordered: bool) -> list[dict]:
    """Dark to light for numbers in order, else colours and dashes of their own."""
    from sandbox.plots.colours import class_colour
    from sandbox.plots.curves import DASHES

    if ordered:
        from matplotlib import colormaps

        return [{"color": colormaps["viridis"](share)} for share in np.linspace(0.0, 0.9, count)]
    return [{"color": class_colour(k), "linestyle": DASHES[k % len(DASHES)]} for k in range(count)]
