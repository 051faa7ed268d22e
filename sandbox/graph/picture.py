"""The graph as a picture: values in blue, gradients in vermilion, from the inputs on the left to the loss on the right."""

from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from sandbox.graph.explanation import Explanation, graph_of
from sandbox.graph.format import matrix, shape
from sandbox.graph.graph import Graph
from sandbox.graph.layout import Box, lay_out, upright_user
from sandbox.graph.node import PARAMETERS, Edge, Node
from sandbox.plots.figure import Figure

VALUE, GRADIENT, INK, LINE = "#005A9C", "#B84A00", "#222222", "#8A8A8A"
FILLS = {
    "input": "#F1F1F1",
    "target": "#F1F1F1",
    "weight": "#FFF6D6",
    "bias": "#FFF6D6",
    "variable": "#FFF6D6",
    "loss": "#E9F3EA",
}
FONT, WIDE, HIGH = 10.0, 0.602, 1.35  # of DejaVu Sans Mono: points, a character's width and a line's height in points
MARGIN, HEAD, GAP = 20.0, 52.0, 84.0
DOTS = 110  # per inch
TIMES, MINUS = "\N{MULTIPLICATION SIGN}", "\N{MINUS SIGN}"
DIGITS, ROWS, COLUMNS = 5, 4, 4
WRAP = 40  # characters of a formula in one line
LEGIBLE = 16  # products in a column


def draw_explanation(explanation: Explanation) -> tuple[Figure, str]:
    """The picture of an explanation's graph, and what to say about it: beyond some nodes it is drawn with arrays."""
    graph, note = explanation.graph, ""
    if not explanation.vectorised and max(W.size for W in graph.network.weights) > LEGIBLE:
        note = f" (drawn with arrays: {len(graph.nodes)} nodes would be too many to see)"
        graph = graph_of(explanation.config, graph.network, explanation.rows, True)
    return draw(graph, explanation.title), note


def draw(graph: Graph, title: str = "") -> Figure:
    """The whole graph, as large as it needs to be.

    In each box stand the node's name and formula, its value and the gradient of the loss by it; on the lines the local
    gradients, where they are single numbers and there is room.
    """
    places = lay_out(graph, _size, GAP)
    legend = [
        ("value", VALUE),
        (f"∂ gradient of {graph.loss.name}", GRADIENT),
        (f"{TIMES}n local gradient", GRADIENT),
        (f"a gradient is the next one along the line {TIMES}n, summed over the lines", INK),
    ]
    if any(node.value.ndim for node in graph.nodes):
        legend = [*legend[:2], ("of large arrays the first rows and columns are shown", INK)]
    if any(node.kind == "penalty" for node in graph.nodes):
        legend.append(("(R is of every weight: its lines are left out)", INK))
    heading = max(len(title) * 1.15, sum(len(text) + 3 for text, _ in legend)) * FONT * WIDE
    width = max(max(box.right for box in places.values()), heading) + 2 * MARGIN
    height = max(box.top for box in places.values()) + 2 * MARGIN + HEAD
    figure = Figure((width / 72, height / 72), dpi=DOTS, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-MARGIN, width - MARGIN), ylim=(-MARGIN, height - MARGIN))
    axes.set_axis_off()
    _write(axes, 0, height - MARGIN - 22, title, INK, size=1.15 * FONT, weight="bold")
    x = 0.0
    for text, colour in legend:
        _write(axes, x, height - MARGIN - 42, text, colour)
        x += (len(text) + 3) * FONT * WIDE
    for node in graph.nodes:
        for edge in node.edges:
            if node.kind != "penalty":  # every weight is in it
                _line(axes, graph, node, edge, places)
    for box in places.values():
        _draw_box(axes, box)
    return figure


def _lines(node: Node) -> list[tuple[str, str]]:
    """What a box says, each line with its colour."""
    name, formula = _pretty(node.name), _pretty(node.formula)
    if node.kind == "product" or (not node.edges and node.kind != "input"):
        formula = ""
    elif node.kind == "sum" and len(name) + len(formula) > 24:
        formula = "sum"
    together = f"{name} = {formula}" if formula else name
    lines = [(together, INK)] if len(together) <= WRAP else [(text, INK) for text in (name, *wrap(formula, WRAP))]
    if node.value.ndim:
        lines.append((shape(node.value), LINE))
    lines += [(line, VALUE) for line in _matrix(node.value)]
    if node.gradient is not None:
        rows = _matrix(node.gradient)
        lines += [(("∂ " if at == 0 else "  ") + row, GRADIENT) for at, row in enumerate(rows)]
    return lines


def _matrix(value: Any) -> list[str]:
    return matrix(value, DIGITS - bool(np.ndim(value)), rows=ROWS, columns=COLUMNS, minus=MINUS)


def _size(node: Node) -> tuple[float, float]:
    lines = _lines(node)
    return max(len(text) for text, _ in lines) * FONT * WIDE + 14, len(lines) * FONT * HIGH + 8


def _pretty(text: str) -> str:
    for plain, pretty in (("yhat", "ŷ"), ("Yhat", "Ŷ"), ("^2", "²"), ("^T", "ᵀ"), ("*", "·"), ("-", MINUS)):
        text = text.replace(plain, pretty)
    return text


def _write(axes: Axes, x: float, y: float, text: str, colour: str, *, size: float = FONT, **style: Any) -> None:
    axes.text(
        x, y, text, color=colour, fontsize=size, fontfamily="DejaVu Sans Mono", va="center", parse_math=False, **style
    )


def _draw_box(axes: Axes, box: Box) -> None:
    parameter = box.node.kind in PARAMETERS
    patch = FancyBboxPatch(
        (box.left, box.bottom),
        box.width,
        box.height,
        boxstyle="round,pad=0,rounding_size=5",
        facecolor=FILLS.get(box.node.kind, "white"),
        edgecolor=INK if parameter else LINE,
        linewidth=1.3 if parameter else 1.0,
        zorder=3,
    )
    axes.add_patch(patch)
    for at, (text, colour) in enumerate(_lines(box.node)):
        weight = "bold" if at == 0 else "normal"
        _write(axes, box.left + 7, box.top - 4 - (at + 0.5) * FONT * HIGH, text, colour, weight=weight, zorder=4)


def _line(axes: Axes, graph: Graph, node: Node, edge: Edge, places: dict[Node, Box]) -> None:
    """The line from a parent to a node, with its local gradient where that is one number."""
    start, end = places[edge.parent], places[node]
    upright = upright_user(graph, edge.parent) is node
    if upright:
        down = start.y > end.y
        x = end.left + 16
        tail, tip = (x, start.bottom if down else start.top), (x, end.top if down else end.bottom)
    else:
        tail, tip = (start.right, start.y), (end.left, end.y)
    arrow = FancyArrowPatch(
        tail, tip, arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0, color=LINE, linewidth=1.0, zorder=1
    )
    axes.add_patch(arrow)
    if edge.local is None or edge.local.ndim or edge.gradient is None:
        return
    label = TIMES + _matrix(edge.local)[0]
    size = 0.9 * FONT
    half = len(label) * size * WIDE / 2
    into = [e for e in node.edges if not e.parent.constant and upright_user(graph, e.parent) is not node]
    backdrop = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    if upright:
        _write(axes, tail[0] + 6, (tail[1] + tip[1]) / 2, label, GRADIENT, size=size)
    elif len(into) == 1:  # the label has the tip to itself
        _write(axes, tip[0] - 13 - half, tip[1], label, GRADIENT, size=size, ha="center", bbox=backdrop, zorder=2)
    elif len(graph.consumers[edge.parent]) == 1:
        _write(axes, tail[0] + 5 + half, tail[1], label, GRADIENT, size=size, ha="center", bbox=backdrop, zorder=2)
