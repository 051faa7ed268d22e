"""Penalties on large weights, apart from the cost: l1 * sum(|w|) + l2 / 2 * sum(w^2), biases left out.

The convention of TensorFlow Playground and of weight decay: not divided by the number of examples.
"""

from typing import Any

import numpy as np

from sandbox.nn.network import Network, split_layers


def weight_mask(sizes: tuple[int, ...]) -> np.ndarray:
    """(P,) ones where the parameter is a weight, zeros where it is a bias."""
    mask = np.ones(Network.count(sizes))
    for block in split_layers(mask, sizes):
        block[:, -1] = 0
    return mask


def penalty(network: Network, l1: Any = 0.0, l2: Any = 0.0) -> Any:
    """The penalty of a network, or (R,) of a population; `l1` and `l2` are numbers or (R,)."""
    total = sum(
        l1 * np.abs(W).sum((-2, -1)) + np.multiply(l2, 0.5) * np.square(W).sum((-2, -1)) for W in network.weights
    )
    return total if network.lead else float(total)


class PenaltyGradient:
    """Adds the penalties' derivative, l1 * sign(w) + l2 * w, to gradients; false where there is no penalty."""

    def __init__(self, layout: Any, l1: Any, l2: Any, sizes: tuple[int, ...]) -> None:
        mask = layout.per_parameter(weight_mask(sizes))
        self.l1, self.l2 = (layout.per_replica(rate) * mask if np.any(rate) else None for rate in (l1, l2))

    def __bool__(self) -> bool:
        return self.l1 is not None or self.l2 is not None

    def add(self, parameters: np.ndarray, gradients: np.ndarray) -> None:
        if self.l2 is not None:
            gradients += self.l2 * parameters
        if self.l1 is not None:
            gradients += self.l1 * np.sign(parameters)
