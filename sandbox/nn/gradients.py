"""Gradients by backpropagation, and their check against finite differences."""

from typing import Any

import numpy as np

from sandbox.nn.checks import check_data
from sandbox.nn.costs import CostName, get_cost
from sandbox.nn.layouts import Stacked
from sandbox.nn.network import Network
from sandbox.nn.penalties import penalty, penalty_calls
from sandbox.nn.propagation import Propagation
from sandbox.own import Own


def gradients(
    network: Network, X: Any, Y: Any, cost: CostName | Own = "squared_error", *, l1: float = 0.0, l2: float = 0.0
) -> tuple[Any, Network]:
    """The cost with its penalties, (...) one per replica, and its derivatives in the shape of a network.

    X is (..., examples, features), Y (..., examples, outputs). Raises RequestError where shapes do not fit. The formulas
    are those of backpropagation (Rumelhart, Hinton, Williams 1986), written out in sandbox.nn.propagation.

    >>> neuron = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])
    >>> cost, slopes = gradients(neuron, [[0, 0]], [0])
    >>> float(cost), slopes.weights[0].tolist(), slopes.biases[0].tolist()
    (0.125, [[0.0, 0.0]], [[0.125]])
    """
    X, Y = check_data(network, X, Y, cost)
    layout = Stacked(network.lead, network.parameters.dtype)
    parameters = layout.arrange(network.parameters)
    slopes = np.zeros_like(parameters)
    with np.errstate(all="ignore"):
        made = (layout, network.sizes, network.activations, get_cost(cost), parameters, slopes)
        one_pass = Propagation(*made, layout.inputs(X), layout.targets(Y))
        value = one_pass.evaluate() + penalty(network, l1, l2)
        for call in [*one_pass.backward, *penalty_calls(layout, l1, l2, network.sizes, parameters, slopes)]:
            call()
    return value, Network(network.sizes, network.activations, slopes)


def gradient_check(
    network: Network,
    X: Any,
    Y: Any,
    cost: CostName | Own = "squared_error",
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    step: float = 1e-5,
) -> float:
    """The largest relative error of backpropagation against central differences (C(w + h) - C(w - h)) / 2h.

    The error of a derivative is relative to itself, but at least to a hundredth of the largest derivative: differences
    of costs carry a rounding error of their own (about 1e-11), next to which tiny derivatives say nothing. In float64
    a correct gradient stays below 1e-6 wherever the function is differentiable within `step`. All replicas of a
    population are checked at once.

    >>> network = Network.initialize([2, 3, 1], ["tanh", "sigmoid"], "xavier", np.random.default_rng(1))
    >>> gradient_check(network, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], "binary_cross_entropy") < 1e-6
    True
    """
    _, exact = gradients(network, X, Y, cost, l1=l1, l2=l2)
    differences = np.empty_like(exact.parameters)
    moved = network.copy()
    for index in range(network.parameters.shape[-1]):
        centre = network.parameters[..., index]
        costs = []
        for move in (step, -step):
            moved.parameters[..., index] = centre + move
            costs.append(gradients(moved, X, Y, cost, l1=l1, l2=l2)[0])
        moved.parameters[..., index] = centre
        differences[..., index] = (costs[0] - costs[1]) / (2 * step)
    largest = np.abs(exact.parameters).max(-1, keepdims=True)
    scale = np.maximum(np.maximum(np.abs(exact.parameters), np.abs(differences)), np.maximum(largest / 100, 1e-4))
    return float((np.abs(exact.parameters - differences) / scale).max())
