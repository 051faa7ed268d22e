"""The costs as nodes: from outputs to errors to the one number that all gradients are of."""

from collections.abc import Sequence

import numpy as np

from sandbox.errors import RequestError, one_line
from sandbox.graph.node import Edge, Node
from sandbox.graph.operations import joined, sigmoid, subtract
from sandbox.nn.costs import get_cost
from sandbox.own import is_own

OF_ERRORS = ("squared_error", "mean_squared_error", "mean_absolute_error")
CROSS_ENTROPIES = ("binary_cross_entropy", "categorical_cross_entropy")


def cost_nodes(cost: str, outputs: Sequence[Node], targets: Sequence[Node], examples: int | None) -> list[Node]:
    """The error nodes, where the cost has such, and last the loss L of one example or the cost C of many.

    `outputs` and `targets` are a node for each output where `examples` is None: one example; otherwise one node each,
    (outputs, examples), and the cost is the average over examples. The cross-entropies' values are computed from the
    logits; their gradients go by way of the probabilities, as by hand. Raises RequestError for a cost that is not
    written here.
    """
    if is_own(cost):
        return [_own(cost, outputs, targets, examples)]
    if cost not in (*OF_ERRORS, *CROSS_ENTROPIES):
        known = ", ".join((*OF_ERRORS, *CROSS_ENTROPIES))
        raise RequestError(f"the graph of the cost {one_line(cost)} is not known. Valid: {known}")
    if cost in CROSS_ENTROPIES:
        return [_cross_entropy(cost, outputs, targets, examples)]
    letter = "e" if examples is None else "E"
    errors = [
        subtract(output.name.replace("yhat", letter).replace("Yhat", letter), target, output)
        for output, target in zip(outputs, targets, strict=True)
    ]
    return [*errors, _of_errors(cost, errors, examples)]


def _of_errors(cost: str, errors: Sequence[Node], examples: int | None) -> Node:
    many, m = examples is not None, examples or 1
    share = f" / {m}" if many else ""
    if cost == "squared_error":
        total, power, divisor = (lambda e: (e**2).sum() / (2 * m)), "{}^2", f" / (2 * {m})" if many else " / 2"
        edges = [Edge(e, e.value / m, f"{e.name}{share}") for e in errors]
    elif cost == "mean_squared_error":
        total, power, divisor = (lambda e: (e**2).sum() / m), "{}^2", share
        edges = [Edge(e, 2 * e.value / m, f"2 * {e.name}{share}") for e in errors]
    else:
        total, power, divisor = (lambda e: np.abs(e).sum() / m), "|{}|", share
        edges = [Edge(e, np.sign(e.value) / m, f"sign({e.name}){share}") for e in errors]
    formula = _summed([power.format(e.name) for e in errors], many) + divisor
    value = np.asarray(sum(total(error.value) for error in errors))
    return Node("C" if many else "L", "loss", value, formula, tuple(edges))


def _own(cost: str, outputs: Sequence[Node], targets: Sequence[Node], examples: int | None) -> Node:
    own, called, m = get_cost(cost), cost.partition(":")[2], examples or 1
    y, a = (np.array([node.value for node in nodes]) for nodes in (targets, outputs))
    value, slopes = np.sum(own.function(a, y)) / m, np.asarray(own.slope(a, y)) / m
    share = "" if examples is None else f" / {m}"
    pairs = [f"({output.name}, {target.name})" for output, target in zip(outputs, targets, strict=True)]
    edges = [
        Edge(output, np.asarray(slope), f"{called}'{pair}{share}")
        for output, slope, pair in zip(outputs, slopes, pairs, strict=True)
    ]
    formula = _summed([f"{called}{pair}" for pair in pairs], examples is not None) + share
    return Node("L" if examples is None else "C", "loss", np.asarray(value), formula, (*map(Edge, targets), *edges))


def _cross_entropy(cost: str, outputs: Sequence[Node], targets: Sequence[Node], examples: int | None) -> Node:
    many, m = examples is not None, examples or 1
    y = np.array([target.value for target in targets])  # (nodes, ...), as p and z below
    p = np.array([output.value for output in outputs])
    if cost == "binary_cross_entropy":
        z = np.array([output.parents[0].value for output in outputs])
        value = (np.logaddexp(0, z) - y * z).sum() / m
        local = ((1 - y) / sigmoid(-z) - y / sigmoid(z)) / m
        term = "({y} * log({p}) + (1 - {y}) * log(1 - {p}))"
        slope = "(1 - {y}) / (1 - {p}) - {y} / {p}"
    else:
        z = np.array([parent.value for parent in outputs[0].parents])
        value = (np.logaddexp.reduce(z, axis=1 if many else 0).sum() - (y * z).sum()) / m
        local = -y / p / m
        term, slope = "{y} * log({p})", "-{y} / {p}"
    edges = [Edge(target) for target in targets]
    terms = []
    for output, target, slopes in zip(outputs, targets, local, strict=True):
        texts = {"y": target.name, "p": output.name}
        formula = slope.format(**texts)
        edges.append(Edge(output, np.asarray(slopes), f"({formula}) / {m}" if many else formula))
        terms.append(term.format(**texts))
    formula = f"-{_summed(terms, many)}{f' / {m}' if many else ''}"
    return Node("C" if many else "L", "loss", np.asarray(value), formula, tuple(edges))


def _summed(terms: Sequence[str], many: bool) -> str:
    if many:
        return f"sum({terms[0]})"
    return terms[0] if len(terms) == 1 else f"({joined(terms)})"
