"""What activations do: each with its slope, which is what backpropagation multiplies by."""

import math
from collections.abc import Sequence

import numpy as np

from sandbox.errors import RequestError
from sandbox.nn.activations import ACTIVATIONS, get_activation
from sandbox.own import called
from sandbox.plots.colours import DASH, GRID_LINE, INK, SPINE
from sandbox.plots.figure import Figure

FUNCTION, SLOPE = "#0072B2", "#D55E00"
ACROSS, WIDTH, HEIGHT = 2, 480, 150  # pictures in a row, pixels of the whole and of a row
FONT, FAR = 11.0, 5.0  # how far z goes on either side


def activations_figure(names: Sequence[str] = ()) -> Figure:
    """Activations by name (all that work on one number, if none is given) over z, and dashed their slopes.

    Raises RequestError for a name that there is none for, and for softmax, whose outputs are of many sums at once.

    >>> [axes.get_title() for axes in activations_figure(["relu", "tanh"]).axes]
    ['relu', 'tanh']
    """
    names = list(names) or [name for name in ACTIVATIONS if name != "softmax"]
    if "softmax" in names:
        raise RequestError("softmax is of all sums of a layer at once: it has no curve")
    across, down = min(ACROSS, len(names)), math.ceil(len(names) / ACROSS)
    tall = HEIGHT * (2 if across == 1 else 1)
    figure = Figure((WIDTH / 72, (down * tall + 26) / 72), dpi=72, layout="constrained", facecolor="white")
    z = np.linspace(-FAR, FAR, 501)
    for place, name in enumerate(names, 1):
        axes = figure.add_subplot(down, across, place)
        axes.plot(z, _values(name, z), color=FUNCTION, linewidth=2, label="value", zorder=3)
        axes.plot(z, _slopes(name, z), color=SLOPE, linewidth=2, linestyle=(0, (4, 2)), label="slope", zorder=4)
        axes.axhline(0, color=DASH, linewidth=1)
        axes.axvline(0, color=DASH, linewidth=1)
        axes.grid(True, color=GRID_LINE)
        axes.set_title(called(name), fontsize=FONT, color=INK, parse_math=False)
        axes.set(xlim=(-FAR, FAR), xticks=[-4, -2, 0, 2, 4])
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, -2.0), min(high, 2.5))
        axes.tick_params(labelsize=FONT - 1, color=SPINE)
        for spine in axes.spines.values():
            spine.set_color(SPINE)
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=FONT, frameon=False
    )
    return figure


def _values(name: str, z: np.ndarray) -> np.ndarray:
    return get_activation(name)(z[None])[0]


def _slopes(name: str, z: np.ndarray) -> np.ndarray:
    """dZ for dA = 1, by the trainer's own backward step."""
    activation, Z = get_activation(name), z[None]
    slopes, one, scratch = np.ones_like(Z), np.ones(()), np.empty_like(Z)
    for call in activation.backward(slopes, np.array(activation(Z)), Z.copy(), scratch, one):
        call()
    return slopes[0]
