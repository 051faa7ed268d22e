"""A network as neurons and layers: its weights as lines, blue below 0 and orange above, the wider the larger."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from sandbox.errors import RequestError
from sandbox.nn.network import Network
from sandbox.own import called
from sandbox.plots.colours import BINARY_COLOURS, INK, SPINE
from sandbox.plots.figure import Figure

MOST = 8  # units of a layer that are drawn
WRITTEN = 8  # weights between two layers whose numbers are written
FONT, RADIUS = 12.0, 20.0
STEP, APART = 66.0, 112.0  # pixels between units, and between layers
WIDEST = 5.0


def network_figure(network: Network, inputs: Sequence[str] = (), *, title: str = "") -> Figure:
    """The network's units in columns, each with its bias, and its weights between them.

    `inputs` are the names of the inputs. Of a layer of more than 8 units the first 7 are shown and the last. Raises
    RequestError for a population.

    >>> from sandbox import Network
    >>> gate = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])
    >>> [text.get_text() for text in network_figure(gate, ["x1", "x2"]).axes[0].texts][:2]
    ['0.1', '0.6']
    """
    if network.lead:
        raise RequestError(f"the network has replica axes {network.lead}: one network is needed, such as network[0]")
    names = [inputs[at] if at < len(inputs) else f"x{at + 1}" for at in range(network.sizes[0])]
    shown = [_shown(size) for size in network.sizes]
    margin = 30 + 0.55 * FONT * min(14, max(len(name) for name in names))
    width = max(480.0, (len(shown) - 1) * APART + margin + 110)
    height = max(len(column) for column in shown) * STEP + 70
    figure = Figure((width / 72, height / 72), dpi=72, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    pitch = (width - margin - 100) / max(1, len(shown) - 1)
    xs = [margin + RADIUS + at * pitch for at in range(len(shown))]
    middle = (height - 10) / 2
    ys = [{unit: middle + ((len(column) - 1) / 2 - at) * STEP for at, unit in enumerate(column)} for column in shown]
    for layer, W in enumerate(network.weights):
        _weights(axes, W, (xs[layer], ys[layer]), (xs[layer + 1], ys[layer + 1]))
    for layer, places in enumerate(ys):
        for unit, y in places.items():
            if layer == 0:
                name = names[unit] if len(names[unit]) <= 14 else f"{names[unit][:13]}…"
                _write(axes, xs[0] - RADIUS - 5, y, name, ha="right")
                _circle(axes, xs[0], y, "#F1F1F1")
            else:
                _circle(axes, xs[layer], y, "#FFF6D6")
                bias = _number(network.biases[layer - 1][unit, 0])
                _write(axes, xs[layer], y, bias, size=(0.82 if len(bias) < 6 else 0.68) * FONT)
        if len(places) < network.sizes[layer]:
            _write(axes, xs[layer], (places[MOST - 2] + places[network.sizes[layer] - 1]) / 2, "⋮", size=1.4 * FONT)
        what = called(network.activations[layer - 1]) if layer else "inputs"
        more = f"{network.sizes[layer]} " if len(places) < network.sizes[layer] else ""
        _write(axes, xs[layer], 18, f"{more}{what}", color=SPINE)
    _write(axes, xs[-1] + RADIUS + 6, ys[-1][0] if len(ys[-1]) == 1 else middle, "ŷ", ha="left", size=1.2 * FONT)
    text = title or "lines: weights (blue below 0, orange above); in the circles: biases"
    _write(axes, width / 2, height - 16, text if len(text) < 80 else f"{text[:79]}…")
    return figure


def _shown(size: int) -> list[int]:
    return list(range(size)) if size <= MOST else [*range(MOST - 1), size - 1]


def _weights(
    axes: Axes, W: np.ndarray, start: tuple[float, dict[int, float]], end: tuple[float, dict[int, float]]
) -> None:
    """The lines between two layers, with numbers where these are few, at places along them where they do not meet."""
    (x0, tails), (x1, tips) = start, end
    largest = np.nanmax(np.abs(W), initial=0.0) or 1.0
    written = len(tails) * len(tips) <= WRITTEN
    for at, (unit, tip) in enumerate(tips.items()):
        for source, tail in tails.items():
            weight = float(W[unit, source])
            colour = BINARY_COLOURS[int(weight > 0)]
            wide = 0.5 + (WIDEST - 0.5) * min(1.0, abs(weight) / largest) if np.isfinite(weight) else 0.5
            axes.plot([x0, x1], [tail, tip], color=colour, linewidth=wide, alpha=0.75, zorder=1, solid_capstyle="butt")
            if written:
                share = 0.3 if len(tips) == 1 else 0.3 + 0.36 * at / (len(tips) - 1)
                x, y = x0 + share * (x1 - x0), tail + share * (tip - tail)
                box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
                _write(axes, x, y, _number(weight), size=0.86 * FONT, color=colour, bbox=box, zorder=2)


def _circle(axes: Axes, x: float, y: float, colour: str) -> None:
    axes.add_patch(Circle((x, y), RADIUS, facecolor=colour, edgecolor=INK, linewidth=1.2, zorder=3))


def _write(
    axes: Axes, x: float, y: float, text: str, *, ha: Any = "center", size: float = FONT, color: str = INK, **how: Any
) -> None:
    axes.text(
        x, y, text, ha=ha, va="center_baseline", fontsize=size, color=color, parse_math=False, **{"zorder": 5, **how}
    )


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else "?"
