"""Importance: which dimensions decide whether a run is among the best, as a picture, a table and a sentence."""

import csv
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from sandbox.answers.panels import BEST, panels
from sandbox.answers.statistics import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_importance(shares: Mapping[str, Estimate]) -> "Figure":
    """A bar for each dimension, the largest at the top, with its interval where there is one."""
    figure, (axes,) = panels(1, size=(6.6, 1.1 + 0.4 * max(len(shares), 2)))
    values = [share.value for share in shares.values()]
    axes.barh(range(len(values)), values, color=BEST, alpha=0.55, height=0.55)
    for place, share in enumerate(shares.values()):
        if np.isfinite(share.low):
            axes.plot([share.low, share.high], [place, place], color="black", linewidth=1.6, marker="|", markersize=9)
    axes.set_yticks(range(len(values)), [name.replace("_", " ") for name in shares])
    axes.set(xlim=(0, 1), ylim=(len(values) - 0.5, -0.5), xlabel="share of the importance (PED-ANOVA)")
    axes.grid(axis="x", alpha=0.3)
    return figure


def table(shares: Mapping[str, Estimate]) -> bytes:
    """A line for each dimension, in full precision; no ends where there is no interval."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["dimension", "importance", "low", "high"])
    for name, share in shares.items():
        writer.writerow([name, share.value, *(end if np.isfinite(end) else "" for end in share[1:])])
    return text.getvalue().encode()


def sentence(shares: Mapping[str, Estimate]) -> str:
    """What they say, and no more: whether one is known to matter more than another is read off the intervals."""
    told = [
        f"{name.replace('_', ' ')} {share.value:.2f}"
        + (f" [{share.low:.2f}, {share.high:.2f}]" if np.isfinite(share.low) else "")
        for name, share in shares.items()
    ]
    first, second, *_ = shares.values()
    clear = "" if first.low > second.high else "; which of them matters most cannot be told"
    return f"Share of the importance: {', '.join(told)}{clear}."
