"""From a network and data to the graph: number by number for one example, array by array for many."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sandbox.errors import RequestError
from sandbox.graph.costs import cost_nodes
from sandbox.graph.graph import Pass
from sandbox.graph.node import Node
from sandbox.graph.operations import activate, add, leaf, linear, multiply, penalty, softmax_layer, softmax_unit
from sandbox.nn.checks import check_data
from sandbox.nn.network import Network

Parameters = list[tuple[Sequence[Node], Sequence[Node]]]


def example_graph(
    network: Network,
    x: Any,
    y: Any,
    cost: str = "squared_error",
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    features: Sequence[str] = (),
) -> Pass:
    """The graph of one example, every number a node of its own; computed in float64.

    x is (features,), y a number or (outputs,); `features` say what the inputs are. Nodes are named as the texts name
    them: w1, w2, b, z, yhat for a single neuron, w2[1,3] for the weight from unit 3 to unit 1 of layer 2. Raises
    RequestError where shapes do not fit.

    >>> neuron = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])
    >>> graph = example_graph(neuron, [0, 0], 0)
    >>> graph["yhat"].value.item(), graph.loss.value.item(), graph["b"].gradient.item()
    (0.5, 0.125, 0.125)
    """
    _one_network(network)
    X, Y = check_data(network, np.atleast_2d(x), np.atleast_1d(y)[None], cost)
    count, names = len(network.weights), _names(network.sizes)
    inputs = [leaf(f"x{j + 1}", "input", value, _at(features, j)) for j, value in enumerate(X[:, 0])]
    parameters: Parameters = []
    for layer, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        ws = [
            [leaf(names("w", layer, i, j), "weight", value) for j, value in enumerate(row)] for i, row in enumerate(W)
        ]
        bs = [leaf(names("b", layer, i), "bias", value) for i, value in enumerate(b[:, 0])]
        parameters.append(([w for row in ws for w in row], bs))
    nodes, below = [], inputs
    for layer, (name, (weights, biases)) in enumerate(zip(network.activations, parameters, strict=True)):
        zs = []
        for i, bias in enumerate(biases):
            row = weights[i * len(below) : (i + 1) * len(below)]
            products = [multiply(w, a) for w, a in zip(row, below, strict=True)]
            zs.append(add(names("z", layer, i), [*products, bias]))
            nodes += [*products, zs[-1]]
        letter = "yhat" if layer == count - 1 else "a"
        called = [names(letter, layer, i) for i in range(len(zs))]
        if name == "softmax":
            below = [softmax_unit(called[i], i, zs, called) for i in range(len(zs))]
        else:
            below = [activate(name, called[i], z) for i, z in enumerate(zs)]
        nodes += below
    targets = [leaf(names("y", count - 1, k), "target", value) for k, value in enumerate(Y[:, 0])]
    nodes += cost_nodes(cost, below, targets, None)
    nodes += _penalised(nodes[-1], parameters, l1, l2)
    leaves = [*inputs, *(node for pair in parameters for group in pair for node in group), *targets]
    return Pass(network, [*leaves, *nodes], below, parameters)


def batch_graph(
    network: Network, X: Any, Y: Any, cost: str = "squared_error", *, l1: float = 0.0, l2: float = 0.0
) -> Pass:
    """The graph of the vectorised pass over many examples, every array a node: Z1 = W1 A0 + b1, A1 = sigmoid(Z1), ...

    X is (examples, features), Y (examples,) or (examples, outputs); in the graph the examples are columns. Computed in
    float64. Raises RequestError where shapes do not fit.

    >>> neuron = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])
    >>> graph = batch_graph(neuron, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1])
    >>> round(graph.loss.value.item(), 6), graph["W1"].gradient.round(6).tolist()
    (0.088913, [[-0.048006, -0.038659]])
    """
    _one_network(network)
    X, Y = check_data(network, X, Y, cost)
    A = leaf("A0", "input", X, "X^T")
    parameters: Parameters = [
        ([leaf(f"W{layer}", "weight", W)], [leaf(f"b{layer}", "bias", b)])
        for layer, (W, b) in enumerate(zip(network.weights, network.biases, strict=True), 1)
    ]
    target = leaf("Y", "target", Y)
    nodes = [A, *(node for pair in parameters for group in pair for node in group), target]
    for layer, (name, ((W,), (b,))) in enumerate(zip(network.activations, parameters, strict=True), 1):
        Z = linear(f"Z{layer}", W, A, b)
        called = "Yhat" if layer == len(parameters) else f"A{layer}"
        A = softmax_layer(called, Z) if name == "softmax" else activate(name, called, Z)
        nodes += [Z, A]
    nodes += cost_nodes(cost, [A], [target], X.shape[1])
    nodes += _penalised(nodes[-1], parameters, l1, l2)
    return Pass(network, nodes, [A], parameters)


def nodes_one_by_one(network: Network) -> int:
    """About how many nodes `example_graph` comes to, without building it."""
    return sum(2 * W.size + 3 * b.size for W, b in zip(network.weights, network.biases, strict=True)) + network.sizes[0]


def _one_network(network: Network) -> None:
    if network.lead:
        raise RequestError(
            f"the network has replica axes {network.lead}: a graph is of one network, such as network[0]"
        )


def _at(features: Sequence[str], column: int) -> str:
    return features[column] if column < len(features) else ""


def _penalised(loss: Node, parameters: Parameters, l1: float, l2: float) -> list[Node]:
    """The penalty and its sum with the loss, where there is one."""
    if not l1 and not l2:
        return []
    R = penalty("R", [w for weights, _ in parameters for w in weights], l1, l2)
    return [R, add("J", [loss, R], "loss")]


def _names(sizes: Sequence[int]) -> Callable[..., str]:
    """How the quantities of one example are called: (letter, layer, unit, input), counted from 0, to a name."""
    single, layers = len(sizes) == 2 and sizes[1] == 1, len(sizes) - 1

    def name(letter: str, layer: int, unit: int, source: int | None = None) -> str:
        if single:
            return letter if source is None else f"{letter}{source + 1}"
        number = "" if layers == 1 or letter in ("y", "yhat") else str(layer + 1)
        places = [] if sizes[layer + 1] == 1 and source is None else [str(unit + 1)]
        places += [] if source is None else [str(source + 1)]
        return f"{letter}{number}" + (f"[{','.join(places)}]" if places else "")

    return name
