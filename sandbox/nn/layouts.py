"""How arrays lie in memory: the three contractions of a linear layer, and the sums over examples.

Everything else in the trainer is elementwise and does not know. A linear layer is written with its bias folded in: W
has the bias as its last column, A has a row of ones below, so that one product gives W A + b and one gives dW and db.

Buffers are seen with the axis of the units in front, whatever their order in memory.

What a replica comes to depends on nobody beside it, to the bit. Which layout a network trains in follows from its own
shape. With the replicas in front each of them is a matrix product of its own, whose operands lie as they do when it is
alone; with the replicas last einsum adds products one after another, for every replica alike. Sums over units are made
one by one, because NumPy groups the terms of a sum by how its axes happen to lie.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from sandbox.nn.activations import Calls
from sandbox.nn.memory import aligned, aligned_copy
from sandbox.nn.network import split_layers

# np.einsum as it is in C: its wrappers in Python cost as much as a tiny sum
einsum: Any = vars(np.einsum)["__wrapped__"].__globals__["c_einsum"]
TINY = 600  # products of a pass up to which a network trains faster with the replicas last (measured)
MANY = 4000  # products of a unit from which on einsum is faster unit by unit: at once it copies what it broadcasts
FEW = 4  # units out up to which products and sums one after another are faster than einsum, where arrays are not
SHORT = 3000  # so short that the number of calls is all that matters


class Linear:
    """One linear layer, bound to its buffers. A is (units in + 1, ..., examples), W (..., units out, units in + 1).

    Z = W A        dW = dZ A^T        dA = W^T dZ     (without the bias's column)
    """

    def __init__(self, W: np.ndarray, A: np.ndarray) -> None:
        self.W, self.A = W, A
        flat = W.ndim == A.ndim == 2  # np.dot costs half of np.matmul where matrices are tiny
        self.contract: Any = np.dot if flat else np.matmul

    def forward(self, Z: np.ndarray) -> Calls:
        """The calls that overwrite Z."""
        return [partial(self.contract, self.W, matrices(self.A), matrices(Z))]

    def backward(self, dZ: np.ndarray, dW: np.ndarray, dA: np.ndarray | None) -> Calls:
        """The calls that overwrite dW and, where there is a layer below, dA."""
        dZ, W_T = matrices(dZ), self.W[..., :-1].mT
        calls: list[Callable[[], object]] = [partial(self.contract, dZ, matrices(self.A).mT, dW)]
        if dA is not None:
            calls.extend(self._spread(W_T, dZ, matrices(dA)))
        return calls

    def _spread(self, W_T: np.ndarray, dZ: np.ndarray, dA: np.ndarray) -> Calls:
        """The calls for dA = W^T dZ. Of one unit that is an outer product, which BLAS does not do."""
        if W_T.shape[-1] > 1:
            return [partial(self.contract, W_T, dZ, dA)]
        if self.contract is np.dot:
            return [partial(np.multiply, W_T, dZ, dA)]
        wide = np.zeros((*W_T.shape[:-1], 2), W_T.dtype)  # with a second unit of zeros it is a matrix product
        tall = np.zeros((*dZ.shape[:-2], 2, dZ.shape[-1]), dZ.dtype)
        copies = [partial(np.copyto, wide[..., :1], W_T), partial(np.copyto, tall[..., :1, :], dZ)]
        return [*copies, partial(np.matmul, wide, tall, dA)]


def matrices(A: np.ndarray) -> np.ndarray:
    """A view of a buffer (units, ..., examples) as stacked matrices (..., units, examples)."""
    return A if A.ndim == 2 else A.swapaxes(0, 1) if A.ndim == 3 else np.moveaxis(A, 0, -2)


class Stacked:
    """One network, or matrices stacked along replica axes: buffers are (units, ..., examples), parameters (..., P).

    In memory each replica's matrix is of one piece, so that its product is the same among others and alone.
    """

    smallest_chunk = 16  # replicas: with fewer, the calls cost more than their work
    linear: Any = Linear

    def __init__(self, lead: tuple[int, ...], dtype: Any) -> None:
        self.lead, self.dtype = lead, np.dtype(dtype)

    def empty(self, units: int, examples: int, lead: tuple[int, ...] | None = None) -> np.ndarray:
        """A buffer for one layer's values."""
        return np.moveaxis(aligned((*(self.lead if lead is None else lead), units, examples), self.dtype), -2, 0)

    def with_ones(
        self, units: int, examples: int, lead: tuple[int, ...] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """A buffer with a row of ones below, for the biases of the layer that reads it; and the part above."""
        A = self.empty(units + 1, examples, lead)
        A[-1] = 1
        return A, A[:-1]

    def leading(self, buffer: np.ndarray) -> np.ndarray:
        """A view of a buffer with the replicas in front, (..., units, examples)."""
        return matrices(buffer)

    def inputs(self, X: np.ndarray) -> np.ndarray:
        """X (features, examples), or with the replicas' axis in front, as a buffer with the row of ones below."""
        A, above = self.with_ones(X.shape[-2], X.shape[-1], X.shape[:-2])
        self.leading(above)[...] = X
        return A

    def targets(self, Y: np.ndarray) -> np.ndarray:
        """Y (outputs, examples), or with the replicas' axis in front, as a buffer: NumPy is slow where it broadcasts."""
        buffer = self.empty(Y.shape[-2], Y.shape[-1])
        self.leading(buffer)[...] = Y
        return buffer

    def arrange(self, parameters: np.ndarray) -> np.ndarray:
        """Parameters (..., P) copied into this layout's order."""
        return aligned_copy(parameters, self.dtype)

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

    def total(self, S: np.ndarray, T: np.ndarray) -> Callable[[], Any]:
        """The call that sums S * T over units and examples, one number per replica."""
        if S.ndim == 2:
            return partial(np.dot, S.reshape(-1), T.reshape(-1))

        def total():
            first, *others = np.vecdot(S, T)
            return sum(others, first)

        return total


class LastLinear(Linear):
    """A linear layer with the replicas last: o, i, m, r stand for units out, units in, examples, replicas.

    A is (units in + 1, examples) where all replicas read the same. einsum's innermost loop runs along the replicas, two
    at least, and adds one product to each of their sums, which begin at 0.0. Products with a zero thus change no sum.
    """

    def __init__(self, W: np.ndarray, A: np.ndarray) -> None:
        self.W, self.A, self.letters = W, A, "im" if A.ndim == 2 else "imr"

    def forward(self, Z: np.ndarray) -> Calls:
        # where the units in lie next to the replicas, einsum runs through both at once, and copies nothing
        if self.A.ndim == 2:
            return [partial(einsum, "im,oir->omr", np.asfortranarray(self.A), self.W, out=Z)]
        if len(self.A) * Z[0].size >= 2 * MANY:
            return [partial(einsum, "imr,ir->mr", self.A, W, out=z) for W, z in zip(self.W, Z, strict=True)]
        if len(Z) <= 2 or self.A.size < SHORT:
            return [partial(einsum, "imr,oir->omr", self.A, self.W, out=Z)]
        A = aligned((self.A.shape[1], self.A.shape[0], self.A.shape[2]), self.A.dtype).swapaxes(0, 1)
        return [partial(np.copyto, A, self.A), partial(einsum, "imr,oir->omr", A, self.W, out=Z)]

    def backward(self, dZ: np.ndarray, dW: np.ndarray, dA: np.ndarray | None) -> Calls:
        gradient = partial(einsum, f"omr,{self.letters}->oir", dZ, self.A, out=dW)
        return [gradient] if dA is None else [gradient, *self._below(dZ, dA)]

    def _below(self, dZ: np.ndarray, dA: np.ndarray) -> Calls:
        """The calls for dA = W^T dZ, a sum over the units out. The sign of a zero is no matter: dW adds it to 0.0."""
        W = self.W[:, :-1]
        if len(dZ) > 1 and dZ.size >= MANY:
            return [partial(einsum, "or,omr->mr", W[:, i], dZ, out=below) for i, below in enumerate(dA)]
        if len(dZ) > FEW or (len(dZ) > 1 and dA.size < SHORT):
            return [partial(einsum, "oir,omr->imr", W, dZ, out=dA)]
        product, calls = aligned(dA.shape, dA.dtype), [partial(np.multiply, W[0, :, None], dZ[0], dA)]
        for weights, slopes in zip(W[1:], dZ[1:], strict=True):
            calls += [partial(np.multiply, weights[:, None], slopes, product), partial(np.add, dA, product, dA)]
        return calls


class ReplicasLast(Stacked):
    """Replicas along the last axis, two at least: arrays are (units, examples, R), parameters (P, R).

    One call then works on a unit of all replicas at once, where a stacked layout makes a product for each replica.
    """

    smallest_chunk = 1000
    linear: Any = LastLinear

    def empty(self, units: int, examples: int, lead: tuple[int, ...] | None = None) -> np.ndarray:
        return aligned((units, examples, *(self.lead if lead is None else lead)), self.dtype)

    def leading(self, buffer: np.ndarray) -> np.ndarray:
        return buffer if buffer.ndim == 2 else np.moveaxis(buffer, -1, 0)

    def arrange(self, parameters: np.ndarray) -> np.ndarray:
        return aligned_copy(parameters.T, self.dtype)

    def canonical(self, parameters: np.ndarray) -> np.ndarray:
        return parameters.T

    def layers(self, parameters: np.ndarray, sizes: tuple[int, ...]) -> list[np.ndarray]:
        return split_layers(parameters, sizes, axis=0)

    def per_replica(self, values: Any) -> np.ndarray:
        return np.asarray(values, self.dtype)

    def per_parameter(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(values, self.dtype)[:, None]

    def examples(self, A: np.ndarray) -> int:
        return A.shape[1]

    def total(self, S: np.ndarray, T: np.ndarray) -> Callable[[], Any]:
        return partial(einsum, "kmr,kmr->r", S, T)


def choose_layout(sizes: tuple[int, ...], examples: int, batch_size: int | None = None) -> type[Stacked]:
    """The layout in which a population of these layer sizes trains fastest; it does not depend on how many they are."""
    products = examples * sum(n_out * (n_in + 1) for n_in, n_out in pairwise(sizes))
    return ReplicasLast if batch_size is None and products <= TINY else Stacked
