"""What networks come to on examples that they are not training on: outputs and costs, each network's for itself."""

from typing import Any

import numpy as np

from sandbox.nn.checks import check_data
from sandbox.nn.costs import get_cost
from sandbox.nn.layouts import Stacked
from sandbox.nn.network import Network
from sandbox.nn.propagation import Propagation

AT_ONCE = 1_000_000  # values of one layer that are computed at once


def evaluate(network: Network, X: Any, Y: Any, cost: str) -> tuple[np.ndarray, np.ndarray]:
    """Outputs (R, examples, outputs) and costs (R,) of a population, to the bit those of each network alone.

    X is (examples, inputs) and Y (examples, outputs), or with the replicas' axis in front.

    >>> network = Network([1, 1], ["linear"], np.array([[1.0, 0.0], [2.0, 0.0]]))
    >>> outputs, costs = evaluate(network, [[1], [2]], [1, 2], "squared_error")
    >>> outputs[..., 0].tolist(), costs.tolist()
    ([[1.0, 2.0], [2.0, 4.0]], [0.0, 1.25])
    """
    X, Y = check_data(network, X, Y, cost)
    (count,), examples = network.lead, X.shape[-1]
    outputs = np.empty((count, examples, network.sizes[-1]), network.parameters.dtype)
    costs = np.empty(count, network.parameters.dtype)
    step = max(1, AT_ONCE // (examples * max(network.sizes)))
    for start in range(0, count, step):
        some = slice(start, start + step)
        own_X, own_Y = (data[some] if data.ndim > 2 else data for data in (X, Y))
        A, costs[some] = _forward(network[some], own_X, own_Y, cost)
        outputs[some] = A.mT
    return outputs, costs


def _forward(network: Network, X: np.ndarray, Y: np.ndarray, cost: str) -> tuple[np.ndarray, np.ndarray]:
    """The same for as many as are computed at once, X and Y with the examples last: outputs with the examples last."""
    count = len(network.parameters)
    if count == 1:
        X, Y = (data[0] if data.ndim > 2 else data for data in (X, Y))
    lead = (max(count, 2) if X.shape[-1] == 1 else count,)  # a single number would make NumPy take other ways
    layout = Stacked(lead, network.parameters.dtype)
    parameters = layout.arrange(np.broadcast_to(network.parameters, (*lead, network.parameters.shape[-1])))
    made = (layout, network.sizes, network.activations, get_cost(cost), parameters, np.empty_like(parameters))
    with np.errstate(all="ignore"):
        one_pass = Propagation(*made, layout.inputs(X), layout.targets(Y))
        value = one_pass.evaluate()
    return layout.leading(one_pass.activations[-1])[:count], value[:count]
