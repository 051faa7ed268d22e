"""The vectorised pass as text: a block for each array, with its shape."""

from typing import Any

from sandbox.graph.explanation import Update
from sandbox.graph.format import matrix, shape
from sandbox.graph.graph import Graph
from sandbox.graph.node import Edge, Node


def forward(graph: Graph) -> str:
    """Every array: its formula, shape and values, the examples in columns."""
    return "\n".join(block(_described(node), node.value) for node in graph.nodes)


def backward(graph: Graph) -> str:
    """Every gradient, how it comes from the upstream one, and the local gradient where that is no array from above."""
    top, blocks = graph.loss.name, []
    for node in graph.backward_order():
        name, users = f"d{top}/d{node.name}", graph.consumers[node]
        for user, edge in users:
            blocks.append(block(f"{name} = {_rule(edge, f'd{top}/d{user.name}')}", edge.gradient))
            if user.kind == "activation" and edge.local is not None and edge.local.ndim == 2:
                blocks.append(block(f"local gradient {edge.formula}", edge.local, indent=6))
        if len(users) != 1:
            blocks.append(block(f"{name}, their sum" if users else name, node.gradient))
    return "\n".join(blocks)


def updated(update: Update) -> str:
    """Every parameter array: before, gradient, after."""
    lines = []
    for layer, parts in enumerate(update.layers(), 1):
        for letter, trio in zip("Wb", parts, strict=True):
            lines.append(f"  {letter}{layer} {shape(trio[0])}")
            for what, value in zip(("before", "gradient", "after"), trio, strict=True):
                rows = matrix(value, None)
                lines += [f"    {what if at == 0 else '':10}{row}" for at, row in enumerate(rows)]
    return "\n".join(lines)


def block(title: str, value: Any, indent: int = 2) -> str:
    """A title, the shape, and the values below, a little further in; a single number stands in the title's line."""
    lines, space = matrix(value), " " * indent
    if not shape(value):
        return f"{space}{title} = {lines[0]}"
    return "\n".join([f"{space}{title}   {shape(value)}", *(f"{space}    {line}" for line in lines)])


def _described(node: Node) -> str:
    if not node.edges:
        return f"{node.name}, {node.kind}"
    return f"{node.name} = {node.formula}"


def _rule(edge: Edge, upstream: str) -> str:
    local = f"({edge.formula})" if " " in edge.formula else edge.formula
    return edge.rule.replace("upstream", upstream).replace("local", local)
