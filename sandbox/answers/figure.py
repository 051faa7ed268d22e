"""The figure of an answer: a panel for each of its parts, a dot with its interval for each value."""

import math
from typing import TYPE_CHECKING

from sandbox.answers.answer import Answer, Row
from sandbox.answers.panels import BEST, DPI, LOST, OTHER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL, HEIGHT, ROOM = 4.2, 0.34, 1.3  # inches: the width of a panel, the height of a value, and what is beside them
BESIDE = 3  # panels
LONGEST = 34  # characters of a value's label


def draw(answer: Answer, title: str = "") -> "Figure":
    """Values from top to bottom, the figure that is compared from left to right. Where too many diverged is a cross."""
    from matplotlib.figure import Figure

    parts = [*answer.parts]
    across = 2 if len(parts) == 4 else min(len(parts), BESIDE)
    down = math.ceil(len(parts) / across)
    most = max(map(len, answer.parts.values()))
    height = HEIGHT * max(most, 3) + ROOM
    figure = Figure(figsize=(PANEL * across, height * down), layout="constrained", dpi=DPI)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes in panels[len(parts) :]:
        axes.set_axis_off()
    for axes, part in zip(panels, parts, strict=False):
        rows, best = answer.parts[part], answer.best(part)
        for place, row in enumerate(rows):
            if row.sound:
                colour = BEST if row is best else OTHER
                low, high = row.mean.value - row.mean.low, row.mean.high - row.mean.value
                axes.errorbar(row.mean.value, place, xerr=[[low], [high]], fmt="o", color=colour, capsize=3)
        left = axes.get_xlim()[0]
        for place, row in enumerate(rows):
            if not row.sound:
                axes.plot(left, place, "x", color=LOST, clip_on=False, markersize=8)
                axes.annotate(
                    f" {_why(row)}", (left, place), va="center", color=LOST, xytext=(6, 0), textcoords="offset points"
                )
        axes.set_yticks(range(len(rows)), [_short(row.label) for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(answer.figure.replace("_", " "))
        axes.set_title(part.words, fontsize="medium", loc="left")
        axes.locator_params(axis="x", nbins=5)
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    if title:
        figure.suptitle(title, fontsize="medium")
    return figure


def _why(row: Row) -> str:
    if not row.without:
        return "too few seeds"
    return f"{row.without} of {row.runs} {'diverged' if not row.missing else 'without'}"


def _short(label: str) -> str:
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 3]}..."
