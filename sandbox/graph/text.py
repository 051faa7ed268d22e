"""An explanation as text: for one example as tables of its nodes. (The arrays of a batch: sandbox.graph.arrays.)"""

import numpy as np

from sandbox.graph import arrays
from sandbox.graph.explanation import Explanation, Update
from sandbox.graph.format import number, table
from sandbox.graph.graph import Graph
from sandbox.graph.node import PARAMETERS


def render(explanation: Explanation) -> str:
    """The whole explanation: forward, backward, updates."""
    vectorised, note = explanation.vectorised, [explanation.note] if explanation.note else []
    parts = [explanation.title, *note, *passes(explanation.graph, vectorised)]
    for update in explanation.updates:
        parts.append(f"\nupdate {update.number} of {len(explanation.updates)}: {rule(explanation, update)}")
        parts.append(arrays.updated(update) if vectorised else updated(update))
        parts.append(outcome(update))
    return "\n".join(parts)


def passes(graph: Graph, vectorised: bool = False) -> list[str]:
    """Forward and backward."""
    return [
        "\nforward: every node from those before it",
        arrays.forward(graph) if vectorised else forward(graph),
        f"\nbackward: upstream gradient times local gradient, from {graph.loss.name} to {_ends(graph)}",
        arrays.backward(graph) if vectorised else backward(graph),
    ]


def forward(graph: Graph) -> str:
    """A row for every node: its formula and its value."""
    rows = [("node", "formula", "value")]
    for node in graph.nodes:
        formula = node.formula if node.edges else f"{node.kind} {node.formula}".strip()
        rows.append((node.name, formula, number(node.value)))
    return table(rows)


def backward(graph: Graph) -> str:
    """A row for every edge that a gradient flows along, and the sum where several meet."""
    top = graph.loss.name
    rows = [("gradient", "through", "upstream", "local gradient", "", "upstream * local")]
    for node in graph.backward_order():
        name, users = f"d{top}/d({node.name})" if "*" in node.name else f"d{top}/d{node.name}", graph.consumers[node]
        for user, edge in users:
            local, flowed = number(edge.local), number(edge.gradient)
            rows.append((name, user.name, number(user.gradient), edge.formula, local, flowed))
        if len(users) != 1:
            rows.append((name, "their sum" if users else "itself", "", "", "", number(node.gradient)))
    return table(rows)


def rule(explanation: Explanation, update: Update) -> str:
    """How the update comes about."""
    optimizer, rate = explanation.config.optimizer, number(update.learning_rate)
    return f"parameter - {rate} * gradient" if optimizer == "gd" else f"{optimizer} with learning rate {rate}"


def updated(update: Update) -> str:
    """A row for every parameter: before, gradient, after."""
    names = [node.name for node in update.before.nodes if node.kind in PARAMETERS]
    flat = [np.concatenate([W.ravel(), b.ravel()]) for layer in update.layers() for W, b in zip(*layer, strict=True)]
    columns = [np.concatenate(flat[kind::3]) for kind in range(3)]
    rows = [("parameter", "before", "gradient", "after")]
    for name, before, gradient, after in zip(names, *columns, strict=True):
        rows.append((name, number(before, None), number(gradient, None), number(after, None)))
    return table(rows)


def outcome(update: Update) -> str:
    """The cost after the update, of one example the outputs too, in full."""
    nodes = [update.after.loss]
    if not update.after.loss.value.ndim and not update.after.outputs[0].value.ndim:
        nodes = [*update.after.outputs, *nodes]
    numbers = ", ".join(f"{node.name} = {number(node.value, None)}" for node in nodes)
    return f"  after it {numbers} (before: {number(update.before.loss.value, None)})"


def _ends(graph: Graph) -> str:
    variables = [node.name for node in graph.nodes if node.kind == "variable"]
    return ", ".join(variables) or "the parameters"
