"""The figures of a comparison, one of each kind for every data set: learning curves, isolation plots, Pareto fronts."""

import io
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator, NullLocator

from sandbox.answers.statistics import EQUIVALENT, LARGER, OPEN, SMALLER
from sandbox.comparison.findings import Findings
from sandbox.comparison.protocol import Cell, Comparison
from sandbox.comparison.sheet import shown_cells
from sandbox.plots.colours import INK
from sandbox.plots.figure import Figure
from sandbox.plots.picture import FAMILY

WIDTH = 6.8  # inches at 100 CSS pixels each; drawn with half as many pixels again, to be sharp
DPI = 150
COLOURS = {  # by what an arm rests on, safe for the colour-blind (Okabe and Ito, Tol)
    "neither": ("#777777", "#332288"),
    "features": ("#56B4E9", "#0072B2", "#117733"),
    "layers": ("#E69F00", "#D55E00", "#882255", "#CC79A7"),
    "both": ("#009E73", "#999933"),
}
NEAR = "near chance"
VERDICTS = {  # colour, sign and words of features minus layers
    LARGER: (COLOURS["features"][1], "\N{BLACK UP-POINTING TRIANGLE}", "features better"),
    SMALLER: (COLOURS["layers"][1], "\N{BLACK DOWN-POINTING TRIANGLE}", "layers better"),
    EQUIVALENT: ("#CCCCCC", "=", "equivalent within {:g}"),
    OPEN: ("#FFFFFF", "?", "inconclusive"),
    NEAR: ("#F3EFE4", "", "both near chance"),
}
MARKERS = "osD^vPX<>p*h"
TEXT: dict[str, Any] = {"family": FAMILY, "color": INK}


def styles(comparison: Comparison) -> dict[str, dict[str, Any]]:
    """Colour and marker of every arm, the same in all figures."""
    found, used = {}, dict.fromkeys(COLOURS, 0)
    for number, arm in enumerate(comparison.arms):
        colours = COLOURS[arm.kind]
        found[arm.name] = {"color": colours[used[arm.kind] % len(colours)], "marker": MARKERS[number % len(MARKERS)]}
        used[arm.kind] += 1
    return found


def learning_curves(findings: Findings, dataset: str) -> Figure:
    """Mean test accuracy of every arm against the number of training examples, and below it features minus layers."""
    comparison = findings.comparison
    sizes = comparison.sizes_of(dataset)
    duels = [duel for duel in findings.duels if duel.dataset == dataset]
    figure = _figure(5.6 if duels else 4.3)
    grid = figure.add_gridspec(2 if duels else 1, 1, height_ratios=[2.6, 1] if duels else None)
    axes = figure.add_subplot(grid[0])
    offsets = np.linspace(-1, 1, len(comparison.arms)) * 0.10
    for offset, (arm, style) in zip(offsets, styles(comparison).items(), strict=True):
        means = [findings.averages[Cell(arm, dataset, n)].mean for n in sizes]
        x = np.log2(sizes) + offset
        values = np.array([mean.value for mean in means])
        errors = np.abs(np.array([[mean.low, mean.high] for mean in means]).T - values)
        line = {
            "linewidth": 1.3,
            "markersize": 7,
            "elinewidth": 1.6,
            "markeredgecolor": "white",
            "markeredgewidth": 0.5,
        }
        axes.errorbar(x, values, errors, label=arm, **style, **line)
    axes.set_ylim(top=max(axes.get_ylim()[1], 1.0) + 0.01)
    axes.set_ylabel("test accuracy", **TEXT)
    axes.set_title(f"{dataset}: accuracy against training examples", loc="left", fontsize=12, **TEXT)
    _sizes(axes, sizes)
    if duels:
        _duels(figure.add_subplot(grid[1], sharex=axes), duels)
        axes.tick_params(labelbottom=False)
    figure.axes[-1].set_xlabel("training examples", **TEXT)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, **_legend())
    return figure


def _duels(axes: Axes, duels: list) -> None:
    """The paired difference, above 0 where features win; filled marks where there is a verdict."""
    axes.axhline(0, color=INK, linewidth=1)
    for duel in duels:
        value, low, high = duel.pair.difference
        clear = duel.pair.verdict != OPEN
        colour = VERDICTS[duel.pair.verdict][0] if duel.pair.verdict in (LARGER, SMALLER) else "#777777"
        errors = [[value - low], [high - value]]
        mark = {"fmt": "o", "markersize": 7, "capsize": 4, "markerfacecolor": colour if clear else "white"}
        axes.errorbar([np.log2(duel.n)], [value], errors, color=colour, **mark)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -0.02), max(high, 0.02))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_ylabel("features\n\N{MINUS SIGN} layers", **TEXT)
    _sizes(axes, tuple(duel.n for duel in duels))


def isolation(findings: Findings, dataset: str) -> Figure:
    """Every trial's validation accuracy by arm, the best marked: what each arm can do when its nuisances are right."""
    comparison = findings.comparison
    sizes = sorted({cell.n for cell in shown_cells(comparison) if cell.dataset == dataset})
    columns = min(2, len(sizes))
    rows = -(-len(sizes) // columns)
    arms = [arm.name for arm in comparison.arms]
    figure = _figure(0.7 + rows * (0.6 + 0.27 * len(arms)))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, n in zip(panels.flat, sizes, strict=False):
        for place, arm in enumerate(arms):
            trials = findings.trials(Cell(arm, dataset, n))
            scores = [np.mean([run.score for run in draws]) for repetition in trials for draws in repetition]
            style = styles(comparison)[arm]
            height = -place + np.linspace(-0.18, 0.18, len(scores))
            axes.plot(
                scores, height, style["marker"], color=style["color"], markersize=4, alpha=0.45, markeredgewidth=0
            )
            best = {"markersize": 9, "markeredgecolor": INK, "markeredgewidth": 1.2}
            axes.plot([findings.averages[Cell(arm, dataset, n)].validation], [-place], **style, **best)
        axes.set_title(f"{n} training examples", loc="left", fontsize=11, **TEXT)
        axes.set_yticks([-place for place in range(len(arms))], labels=arms)
        _plain(axes)
        axes.grid(True, axis="x", color="#dddddd")
    for place, axes in enumerate(panels.flat):
        axes.set_visible(place < len(sizes))
        axes.tick_params(labelbottom=place + columns >= len(sizes))
    figure.supxlabel("validation accuracy (a dot a trial, the large mark the winner)", fontsize=11, **TEXT)
    figure.suptitle(f"{dataset}: the best over the nuisances, for each arm", x=0.01, ha="left", fontsize=12, **TEXT)
    return figure


def budget(findings: Findings, dataset: str) -> Figure:
    """The best validation accuracy that is to be expected of as many trials, for each arm: what a budget buys."""
    comparison = findings.comparison
    sizes = sorted({cell.n for cell in shown_cells(comparison) if cell.dataset == dataset})
    figure = _figure(4.2)
    panels = figure.subplots(1, len(sizes), sharey=True, squeeze=False)[0]
    for axes, n in zip(panels, sizes, strict=True):
        for arm, style in styles(comparison).items():
            trials = findings.trials(Cell(arm, dataset, n))
            scores = np.array([[draws[0].score for draws in repetition] for repetition in trials])
            best = expected_best(scores).mean(axis=0)
            axes.plot(np.arange(1, len(best) + 1), best, label=arm, **style, markersize=4, linewidth=1.3)
        axes.set_title(f"{n} examples", loc="left", fontsize=11, **TEXT)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        _plain(axes)
        axes.grid(True, axis="y", color="#dddddd")
    panels[0].set_ylabel("validation accuracy", **TEXT)
    for axes in panels:
        axes.set_xlabel("trials", **TEXT)
    figure.suptitle(f"{dataset}: the best to expect of so many trials", x=0.01, ha="left", fontsize=12, **TEXT)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, **_legend())
    return figure


def expected_best(scores: np.ndarray) -> np.ndarray:
    """The expected highest of k scores, k = 1..T, of scores (..., T) drawn without replacement (Dodge et al. 2019).

    >>> expected_best(np.array([1.0, 3.0, 2.0])).tolist()
    [2.0, 2.6666666666666665, 3.0]
    """
    from scipy.special import comb

    ordered, count = np.sort(scores, axis=-1), scores.shape[-1]
    ranks = np.arange(count)
    shares = np.array([comb(ranks, k - 1) / comb(count, k) for k in range(1, count + 1)])  # the highest has this rank
    return ordered @ shares.T


def answer(findings: Findings) -> Figure:
    """The answer in one picture: features minus layers by data set and size, each in its verdict's colour and sign."""
    comparison = findings.comparison
    sizes = sorted({duel.n for duel in findings.duels})
    datasets = list(dict.fromkeys(duel.dataset for duel in findings.duels))
    figure = _figure(1.5 + 0.52 * len(datasets))
    axes = figure.add_subplot()
    for duel in findings.duels:
        x, y = sizes.index(duel.n), datasets.index(duel.dataset)
        kind = NEAR if duel.near_chance else duel.pair.verdict
        colour, sign, _ = VERDICTS[kind]
        ink = "white" if kind in (LARGER, SMALLER) else INK
        axes.add_patch(Rectangle((x - 0.47, y - 0.45), 0.94, 0.9, facecolor=colour, edgecolor="#bbbbbb"))
        difference = f"{round(duel.pair.difference.value, 3) + 0.0:+.3f}".replace("-", "\N{MINUS SIGN}")
        words = "chance" if duel.near_chance else f"{sign} {difference}"
        style = {"ha": "center", "va": "center", "fontsize": 10 if len(sizes) < 6 else 8.5, "family": FAMILY}
        axes.text(x, y, words, color=ink, **style)
    axes.set(xlim=(-0.5, len(sizes) - 0.5), ylim=(len(datasets) - 0.5, -0.5))
    axes.set_xticks(range(len(sizes)), labels=list(map(str, sizes)))
    axes.set_yticks(range(len(datasets)), labels=datasets)
    axes.set_xlabel("training examples", **TEXT)
    axes.tick_params(length=0, labelsize=10, colors=INK)
    axes.spines[:].set_visible(False)
    axes.set_title("test accuracy: features \N{MINUS SIGN} hidden layers", loc="left", fontsize=12, **TEXT)
    shown = {NEAR if duel.near_chance else duel.pair.verdict for duel in findings.duels}
    key = [
        Patch(facecolor=colour, edgecolor="#bbbbbb", label=f"{sign} {words.format(comparison.margin)}".strip())
        for kind, (colour, sign, words) in VERDICTS.items()
        if kind in shown
    ]
    figure.legend(handles=key, loc="outside lower center", ncols=3, **_legend())
    return figure


def pareto(findings: Findings, dataset: str) -> Figure:
    """Accuracy against parameters and against training time, with the front of those that nothing beats in both."""
    comparison = findings.comparison
    n = comparison.middle_size(dataset)
    figure = _figure(4.2)
    panels = figure.subplots(1, 2, sharey=True)
    averages = [findings.averages[Cell(arm.name, dataset, n)] for arm in comparison.arms]
    for axes, name, words in zip(
        panels, ("parameters", "seconds"), ("parameters", "milliseconds to train"), strict=True
    ):
        scale = 1000 if name == "seconds" else 1
        spots = np.array([[scale * getattr(average, name), average.mean.value] for average in averages])
        front = pareto_front(spots)
        axes.step(*spots[front].T, where="post", color="#999999", linewidth=1.5, linestyle=(0, (4, 2)), zorder=1)
        for spot, average in zip(spots, averages, strict=True):
            style = styles(comparison)[average.cell.arm]
            errors = [[average.mean.value - average.mean.low], [average.mean.high - average.mean.value]]
            look = {"markersize": 9, "markeredgecolor": "white", "linestyle": "none", "elinewidth": 1.6}
            axes.errorbar(*spot[:, None], errors, label=average.cell.arm, **style, **look)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(_round_logs(spots[:, 0]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xlabel(words, **TEXT)
        _plain(axes)
        axes.grid(True, axis="y", color="#dddddd")
    panels[0].set_ylabel("test accuracy", **TEXT)
    figure.suptitle(f"{dataset}, {n} training examples: what accuracy costs", x=0.01, ha="left", fontsize=12, **TEXT)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, **_legend())
    return figure


def pareto_front(spots: np.ndarray) -> list[int]:
    """Which of spots (points, 2) are better than all that cost no more: cost in the first column, worth in the second."""
    front: list[int] = []
    for place in np.lexsort((-spots[:, 1], spots[:, 0])):
        if not front or spots[place, 1] > spots[front[-1], 1]:
            front.append(int(place))
    return front


def png(figure: Figure) -> bytes:
    """The figure as PNG bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()


def _figure(height: float) -> Figure:
    figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _legend() -> dict[str, Any]:
    return {"frameon": False, "fontsize": 10, "labelcolor": INK}


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=10, colors=INK)
    axes.set_axisbelow(True)


def _sizes(axes: Axes, sizes: tuple[int, ...]) -> None:
    _plain(axes)
    axes.set_xticks(np.log2(sizes), labels=list(map(str, sizes)))
    axes.grid(True, axis="y", color="#dddddd")


def _round_logs(values: np.ndarray) -> Any:
    """Ticks at 1, 2 and 5 times powers of ten; where that would be many, at the powers alone."""
    from matplotlib.ticker import LogLocator

    decades = np.log10(values.max() / values.min())
    return LogLocator(10, subs=(1, 2, 5) if decades < 1.7 else (1, 3) if decades < 2.5 else (1,))
