"""Where the nodes of a graph stand in its picture: in columns from left to right, in points.

A column holds the nodes at one depth of the computation. Leaves that have one use (weights and biases, targets, the
penalty) stand above or below the node that uses them, so that no line passes under a box.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from sandbox.graph.graph import Graph
from sandbox.graph.node import Node

ABOVE, BELOW = ("weight", "target", "penalty"), ("bias",)
NEAR, APART = 22.0, 14.0  # between a leaf and its user, between strangers


@dataclass
class Box:
    """A node's place: its middle, width and height."""

    node: Node
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.y - self.height / 2

    @property
    def top(self) -> float:
        return self.y + self.height / 2


@dataclass
class Group:
    """A node with its leaves, from top to bottom. `offset` is from the group's middle up to the node's."""

    boxes: list[Box]
    main: Box

    @property
    def height(self) -> float:
        return sum(box.height for box in self.boxes) + NEAR * (len(self.boxes) - 1)

    @property
    def offset(self) -> float:
        above = self.boxes[: self.boxes.index(self.main)]
        return self.height / 2 - sum(box.height + NEAR for box in above) - self.main.height / 2

    def place(self, middle: float) -> None:
        y = middle + self.height / 2
        for box in self.boxes:
            box.y = y - box.height / 2
            y -= box.height + NEAR


def lay_out(graph: Graph, size: Callable[[Node], tuple[float, float]], gap: float) -> dict[Node, Box]:
    """A box for each node, of the `size` (width, height) that it needs, columns `gap` apart; all coordinates above 0."""
    boxes = {node: Box(node, *size(node)) for node in graph.nodes}
    users = {node: upright_user(graph, node) for node in graph.nodes}
    leaves: dict[Node, list[Box]] = {node: [] for node in graph.nodes}
    for node, its in users.items():
        if its is not None:
            leaves[its].append(boxes[node])
    depths, columns = graph.depths(), {}
    for node in graph.nodes:
        if users[node] is None:
            above = [box for box in leaves[node] if box.node.kind in ABOVE]
            below = [box for box in leaves[node] if box.node.kind in BELOW]
            depth = depths[node] if node.kind != "target" else depths[graph.consumers[node][0][0]] - 1
            columns.setdefault(depth, []).append(Group([*above, boxes[node], *below], boxes[node]))
    x = 0.0
    for depth in sorted(columns):
        inside = [box for group in columns[depth] for box in group.boxes]
        width = max(box.width for box in inside)
        for group in columns[depth]:
            group.main.width = width  # so that a line to the right passes no box of its own column
            for box in group.boxes:
                box.x = x + box.width / 2
        x += width + gap
        _stack(columns[depth], {node: box for node, box in boxes.items() if users[node] is None})
    lowest = min(box.bottom for box in boxes.values())
    for box in boxes.values():
        box.y -= lowest
    return boxes


def upright_user(graph: Graph, leaf: Node) -> Node | None:
    """The node that a leaf stands above or below, its first use; None for a node that has a place of its own."""
    if leaf.kind not in (*ABOVE, *BELOW):
        return None
    user = graph.consumers[leaf][0][0]
    targets = sum(parent.kind == "target" for parent in user.parents)
    return None if leaf.kind == "target" and targets > 1 else user


def _stack(groups: list[Group], placed: dict[Node, Box]) -> None:
    """Put a column's groups at the height of what they are computed from, pushed apart where they would overlap.

    Where that is not in their order, they stand close together instead.
    """
    wanted = []
    for group in groups:
        parents = [placed[parent].y for parent in group.main.node.parents if parent in placed]
        wanted.append(sum(parents) / len(parents) - group.offset if parents else 0.0)
    if any(above < below for above, below in pairwise(wanted)):
        wanted = [sum(wanted) / len(wanted)] * len(wanted)
    middles = list(wanted)
    for at, (above, below) in enumerate(pairwise(groups), 1):
        middles[at] = min(middles[at], middles[at - 1] - (above.height + below.height) / 2 - APART)
    shift = sum(wanted) / len(wanted) - sum(middles) / len(middles)
    for group, middle in zip(groups, middles, strict=True):
        group.place(middle + shift)
