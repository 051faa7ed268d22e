"""The graph of one pass: its nodes in the order of computation, and reverse-mode accumulation through them."""

from collections.abc import Sequence

import numpy as np

from sandbox.graph.node import Edge, Node
from sandbox.nn.network import Network


class Graph:
    """One forward pass, written down, and the backward pass through it.

    `nodes` are in an order in which every node comes after its parents; the last one, `loss`, is what is differentiated.
    Gradients are there from the start: the chain rule backwards through the elementary nodes, without any use of
    sandbox.nn's backpropagation.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes, self.loss = list(nodes), nodes[-1]
        self.consumers: dict[Node, list[tuple[Node, Edge]]] = {node: [] for node in nodes}
        for node in nodes:
            for edge in node.edges:
                self.consumers[edge.parent].append((node, edge))
        self._backward()

    def _backward(self) -> None:
        self.loss.gradient = np.ones_like(self.loss.value)
        with np.errstate(all="ignore"):
            for node in reversed(self.nodes):
                for edge in node.edges:
                    parent = edge.parent
                    if parent.constant or node.gradient is None:
                        continue
                    edge.gradient = edge.flow(node.gradient)
                    parent.gradient = edge.gradient if parent.gradient is None else parent.gradient + edge.gradient

    def __getitem__(self, name: str) -> Node:
        """The node called `name`."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def depths(self) -> dict[Node, int]:
        """For each node the longest way to it from a leaf; leaves have 0."""
        depths: dict[Node, int] = {}
        for node in self.nodes:
            depths[node] = max((depths[parent] + 1 for parent in node.parents), default=0)
        return depths

    def backward_order(self) -> list[Node]:
        """The nodes that have gradients, in the order in which the chain rule reaches them."""
        depths = self.depths()

        def late(node: Node) -> float:
            if node.edges and node.kind != "penalty":
                return depths[node]
            users = [depths[user] for user, _ in self.consumers[node] if user.kind != "penalty"]
            return min(users, default=0) - 0.5

        return sorted((node for node in self.nodes if node.gradient is not None), key=late, reverse=True)


class Pass(Graph):
    """The graph of a network's pass.

    `parameters` holds each layer's weight nodes, in the order of W's entries (or W itself), and its bias nodes.
    """

    def __init__(
        self,
        network: Network,
        nodes: Sequence[Node],
        outputs: Sequence[Node],
        parameters: Sequence[tuple[Sequence[Node], Sequence[Node]]],
    ) -> None:
        self.network, self.outputs, self.parameters = network, list(outputs), list(parameters)
        super().__init__(nodes)

    @property
    def gradients(self) -> Network:
        """The derivatives of the loss in the shape of a network, as sandbox.nn.gradients returns them."""
        slopes = Network(self.network.sizes, self.network.activations, np.zeros(self.network.parameters.shape))
        for W, b, (weights, biases) in zip(slopes.weights, slopes.biases, self.parameters, strict=True):
            for part, nodes in ((W, weights), (b, biases)):
                part[...] = np.reshape(np.array([node.gradient for node in nodes]), part.shape)
        return slopes

    @property
    def predictions(self) -> np.ndarray:
        """The outputs, (outputs, examples)."""
        return np.reshape(np.array([node.value for node in self.outputs]), (self.network.sizes[-1], -1))
