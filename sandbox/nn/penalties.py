"""Penalties on large weights, apart from the cost: l1 * sum(|w|) + l2 / 2 * sum(w^2), biases left out.

The convention of TensorFlow Playground and of weight decay: not divided by the number of examples. Weight decay apart
from the gradients is the optimizer adamw's, and leaves biases out, too.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from sandbox.nn.memory import aligned, aligned_copy
from sandbox.nn.network import Network, split_layers


def weight_mask(sizes: tuple[int, ...]) -> np.ndarray:
    """(P,) ones where the parameter is a weight, zeros where it is a bias."""
    mask = np.ones(Network.count(sizes))
    for block in split_layers(mask, sizes):
        block[:, -1] = 0
    return mask


def penalty(network: Network, l1: Any = 0.0, l2: Any = 0.0) -> Any:
    """The penalty of a network, or (R,) of a population; `l1` and `l2` are numbers or (R,). Inf where it overflows."""
    with np.errstate(over="ignore", invalid="ignore"):  # weights of replicas that diverged
        total = sum(
            l1 * np.abs(W).sum((-2, -1)) + np.multiply(l2, 0.5) * np.square(W).sum((-2, -1))
            for W in map(np.ascontiguousarray, network.weights)  # whose sums are grouped alike in every layout
        )
    return total if network.lead else float(total)


def penalty_calls(
    layout: Any, l1: Any, l2: Any, sizes: tuple[int, ...], w: np.ndarray, g: np.ndarray
) -> list[Callable[[], object]]:
    """The calls that add the penalties' derivative, l1 * sign(w) + l2 * w, to the gradients g; none without penalty."""
    mask, step = layout.per_parameter(weight_mask(sizes)), aligned(w.shape, w.dtype)
    calls: list[Callable[[], object]] = []
    for rate, slope in ((l2, np.positive), (l1, np.sign)):
        if np.any(rate):
            rates = layout.per_replica(rate) * mask
            calls += [partial(slope, w, step), partial(np.multiply, step, rates, step), partial(np.add, g, step, g)]
    return calls


def decays(layout: Any, rate: Any, sizes: tuple[int, ...], w: np.ndarray) -> np.ndarray | None:
    """The weight decay of every parameter, in the shape of the parameters w: `rate`, one or (R,), and 0 for biases.

    None where nothing decays.
    """
    if not np.any(rate):
        return None
    return aligned_copy(layout.per_replica(rate) * layout.per_parameter(weight_mask(sizes)), w.dtype, w.shape)
