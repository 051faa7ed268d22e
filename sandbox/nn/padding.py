"""Keeping the units that pad a smaller network at zero, whatever the others come to.

A missing unit has weights of zero, so that it adds products with zero to sums that begin at 0.0, which changes no bit of
them: it is as if it were not there. But zero times infinity is NaN, and a network may overflow. So zeros are written
over what padding computes, by a bitwise "and" with the numbers' bits (all set where something is there, none elsewhere),
at the three places from which it would spread: the gradients, and in layers above the first hidden one the weighted
sums and their derivatives.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from sandbox.nn.network import split_layers


class Padding:
    """Where the networks of a population with the replicas last have parameters: `mask` is (R, P), true where they do."""

    def __init__(self, layout: Any, mask: np.ndarray, sizes: tuple[int, ...]) -> None:
        self.bits = np.dtype(f"i{layout.dtype.itemsize}")
        self.parameters = np.array(np.where(mask.T, -1, 0), self.bits, order="C")
        self.units = [block[:, -1:] for block in split_layers(self.parameters, sizes, axis=0)]  # a unit has a bias

    def clear_parameters(self, gradients: np.ndarray) -> Callable[[], object]:
        """The call that makes the gradients (P, R) of missing parameters zero."""
        return self._clear(gradients, self.parameters)

    def clear_units(self, values: np.ndarray, layer: int) -> Callable[[], object]:
        """The call that makes the values (units, examples, R) of a layer's missing units zero."""
        return self._clear(values, np.array(np.broadcast_to(self.units[layer], values.shape), order="C"))

    def _clear(self, values: np.ndarray, keep: np.ndarray) -> Callable[[], object]:
        bits = values.view(self.bits)
        return partial(np.bitwise_and, bits, keep, bits)
