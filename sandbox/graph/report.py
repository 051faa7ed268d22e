"""An explanation as primitives, for JSON."""

from typing import Any

import numpy as np

from sandbox.graph.explanation import Explanation, Update
from sandbox.graph.graph import Graph
from sandbox.graph.node import Edge, Node
from sandbox.nn.network import Network


def report(explanation: Explanation) -> dict[str, Any]:
    """Everything that the text says, numbers in full; numbers that are not finite are null.

    `nodes` are in the order of computation, each with its `edges` to its parents: local, upstream and resulting
    gradient. Arrays are lists of rows, with the examples in columns.
    """
    graph = explanation.graph
    return {
        "config": explanation.config.to_dict(),
        "example": explanation.example,
        "examples": len(explanation.rows),
        "sizes": list(graph.network.sizes),
        "activations": list(graph.network.activations),
        "note": explanation.note,
        "cost": plain(graph.loss.value),
        "outputs": plain(graph.predictions),
        "nodes": graph_report(graph),
        "gradients": _parameters(graph.gradients),
        "updates": [_update(update) for update in explanation.updates],
    }


def graph_report(graph: Graph) -> list[dict[str, Any]]:
    """The nodes, in the order of computation."""
    return [_node(node) for node in graph.nodes]


def plain(value: Any) -> Any:
    """A number or nested lists of numbers, None where they are not finite or not there."""
    if value is None:
        return None
    array = np.asarray(value, np.float64) + 0.0  # no -0
    numbers = np.array(array, object)
    numbers[~np.isfinite(array)] = None
    return numbers.tolist()


def _node(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "kind": node.kind,
        "formula": node.formula,
        "shape": list(node.value.shape),
        "value": plain(node.value),
        "gradient": plain(node.gradient),
        "edges": [_edge(node, edge) for edge in node.edges],
    }


def _edge(node: Node, edge: Edge) -> dict[str, Any]:
    return {
        "parent": edge.parent.name,
        "formula": edge.formula,
        "rule": edge.rule,
        "local": plain(edge.local),
        "upstream": plain(node.gradient),
        "gradient": plain(edge.gradient),
    }


def _update(update: Update) -> dict[str, Any]:
    return {
        "update": update.number,
        "learning_rate": update.learning_rate,
        "gradients": _parameters(update.before.gradients),
        **_parameters(update.after.network),
        "cost": plain(update.after.loss.value),
        "outputs": plain(update.after.predictions),
    }


def _parameters(network: Network) -> dict[str, Any]:
    return {"weights": [plain(W) for W in network.weights], "biases": [plain(b) for b in network.biases]}
