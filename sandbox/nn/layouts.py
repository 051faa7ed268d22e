"""How arrays lie in memory: the three contractions of a linear layer, and the sums over examples.

Everything else in the trainer is elementwise and does not know. A linear layer is written with its bias folded in: W has
the bias as its last column, A has a row of ones at its end, so that one product gives W A + b and one gives dW and db.
"""

from typing import Any

import numpy as np

from sandbox.nn.network import split_layers


class Linear:
    """One linear layer of a stacked layout, bound to its buffers.

    Z = W A        dW = dZ A^T        dA = W^T dZ     (without the bias's column)
    """

    __slots__ = ("A", "A_T", "W", "W_T", "contract", "dA", "dW")

    def __init__(self, W: np.ndarray, dW: np.ndarray, A: np.ndarray, dA: np.ndarray | None) -> None:
        self.W, self.W_T = W, W[..., :-1].mT
        self.A, self.A_T = A, A.mT
        self.dW, self.dA = dW, dA
        flat = W.ndim == A.ndim == 2  # np.dot costs half of np.matmul where matrices are tiny
        self.contract: Any = np.dot if flat else np.matmul

    def forward(self, Z: np.ndarray) -> None:
        self.contract(self.W, self.A, Z)

    def backward(self, dZ: np.ndarray) -> None:
        self.contract(dZ, self.A_T, self.dW)
        if self.dA is not None:
            self.contract(self.W_T, dZ, self.dA)


class Stacked:
    """Matrices stacked along leading axes: arrays are (..., units, examples), parameters (..., P)."""

    units, axes = -2, (-2, -1)
    linear = Linear

    def __init__(self, lead: tuple[int, ...], dtype: Any) -> None:
        self.lead, self.dtype = lead, np.dtype(dtype)

    def empty(self, units: int, examples: int, lead: tuple[int, ...] | None = None) -> np.ndarray:
        """A buffer for one layer's values."""
        return np.empty((*(self.lead if lead is None else lead), units, examples), self.dtype)

    def with_ones(
        self, units: int, examples: int, lead: tuple[int, ...] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """A buffer with a row of ones below, for the biases of the layer that reads it; and the part above the ones."""
        A = self.empty(units + 1, examples, lead)
        A[..., -1, :] = 1
        return A, A[..., :-1, :]

    def arrange(self, parameters: np.ndarray) -> np.ndarray:
        """Parameters (..., P) copied into this layout's order."""
        return np.array(parameters, self.dtype, order="C")

    def canonical(self, parameters: np.ndarray) -> np.ndarray:
        """This layout's parameters as a view of shape (..., P)."""
        return parameters

    def layers(self, parameters: np.ndarray, sizes: tuple[int, ...]) -> list[np.ndarray]:
        """Views [W | b], a layer each."""
        return split_layers(parameters, sizes)

    def per_replica(self, values: Any) -> np.ndarray:
        """One number for all, or one per replica, such that it broadcasts against the parameters."""
        values = np.asarray(values, self.dtype)
        return values[..., None] if values.ndim else values

    def per_parameter(self, values: np.ndarray) -> np.ndarray:
        """P numbers, alike for all replicas, such that they broadcast against the parameters."""
        return np.asarray(values, self.dtype)

    def examples(self, A: np.ndarray) -> int:
        return A.shape[-1]

    def total(self, S: np.ndarray, T: np.ndarray) -> np.ndarray:
        """The sum of S * T over units and examples, one number per replica."""
        if S.ndim == 2:
            return np.dot(S.reshape(-1), T.reshape(-1))
        shape = (*S.shape[:-2], -1)
        return np.vecdot(S.reshape(shape), T.reshape(shape))

    def mean(self, T: np.ndarray) -> np.ndarray:
        """The sum over units and mean over examples, one number per replica."""
        return T.sum(self.axes) / T.shape[-1]
