"""Nodes of a computational graph, and the edges between them: what the chain rule is made of."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CONSTANTS = ("input", "target")
PARAMETERS = ("weight", "bias")


@dataclass(eq=False)
class Edge:
    """A node's dependence on one parent.

    `local` is the local gradient, the derivative of the node by the parent; `formula` says how it is computed. The
    upstream gradient (of the loss by the node) times the local one flows on to the parent; where arrays are not
    multiplied entry by entry, `pull` does it, and `rule` says how. `gradient` is what flowed, once the graph has gone
    backward; None where the parent is data.
    """

    parent: "Node"
    local: np.ndarray | None = None
    formula: str = ""
    pull: Callable[[np.ndarray], np.ndarray] | None = None
    rule: str = "upstream * local"
    gradient: np.ndarray | None = None

    def flow(self, upstream: np.ndarray) -> np.ndarray | None:
        """What the parent receives for an upstream gradient; None where nothing is to be known."""
        if self.pull is not None:
            return np.asarray(self.pull(upstream))
        return None if self.local is None else np.asarray(upstream * self.local)


@dataclass(eq=False)
class Node:
    """One quantity of the pass: its value, how it came about, and the gradient of the loss by it.

    `value` is a number () or an array (units, examples), `gradient` is alike, None for data. `kind` is one of input,
    target, weight, bias, product, sum, activation, error, penalty, loss.
    """

    name: str
    kind: str
    value: np.ndarray
    formula: str = ""
    edges: tuple[Edge, ...] = ()
    gradient: np.ndarray | None = None

    @property
    def constant(self) -> bool:
        """Whether it is data, which no gradient is computed for."""
        return self.kind in CONSTANTS

    @property
    def parents(self) -> list["Node"]:
        """The nodes that it is computed from."""
        return [edge.parent for edge in self.edges]

    def __repr__(self) -> str:
        return f"Node({self.name} = {self.formula or self.kind}: {self.value})"
