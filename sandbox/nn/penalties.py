"""Penalties on large weights, apart from the cost: l1 * sum(|w|) + l2 / 2 * sum(w^2), biases left out.

The convention of TensorFlow Playground and of weight decay: not divided by the number of examples. Weight decay apart
from the gradients is the optimizer adamw's, and leaves biases out, too.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from sandbox.nn.memory import aligned, aligned_copy
from sandbox.nn.network import Network, split_layers

L1Rule = Literal["subgradient", "clipped"]


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


class Clipping:
    """L1 after the update: every weight moves by rate * l1 towards zero, and one that this takes across zero is dead.

    A dead weight is zero for good, as TensorFlow Playground has it. The sign is that of the weight before the update.
    (Without the deaths it is the clipping of Langford, Li, Zhang 2009, and Tsuruoka et al. 2009.) `alive` has the shape of
    the parameters: ones, and zeros for the dead. `before` and `after` are the calls on either side of an update.
    """

    def __init__(self, layout: Any, l1: Any, sizes: tuple[int, ...], w: np.ndarray, rate: np.ndarray) -> None:
        self.alive = aligned_copy(1, w.dtype, w.shape)
        rates = layout.per_replica(l1) * layout.per_parameter(weight_mask(sizes))
        step, moved, kept = aligned(w.shape, w.dtype), aligned(w.shape, w.dtype), np.empty(w.shape, bool)
        self.before: list[Callable[[], object]] = [partial(np.sign, w, step), partial(np.multiply, step, rates, step)]
        self.after: list[Callable[[], object]] = [
            partial(np.multiply, step, rate, step),
            partial(np.subtract, w, step, moved),
            partial(np.multiply, w, moved, step),
            partial(np.less, step, 0, kept),
            partial(np.logical_not, kept, kept),  # so that NaN stays what it is
            partial(np.multiply, self.alive, kept, self.alive),
            partial(np.multiply, moved, self.alive, w),
        ]
