"""Activations: what a layer does to its weighted sums, and the chain rule backwards through it.

Every activation works on the buffers that the trainer made once: it gives the calls to be made at every epoch,
each a function of no arguments. The derivative is written in terms of the output A, as the textbooks do, so that Z need
not be kept. `one` is the number 1 as an array of A's type: NumPy adds an array to an array in half the time that it
needs for a Python number.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np
from numpy import add, copysign, divide, exp, maximum, multiply, negative, reciprocal, sign, square, subtract, tanh

from sandbox.errors import choose

Calls = Sequence[Callable[[], object]]
ActivationName = Literal["sigmoid", "tanh", "relu", "leaky_relu", "linear", "softmax"]


def sum_units(A: np.ndarray, total: np.ndarray) -> Calls:
    """The calls that write the sum over the units of A (units, ...) to `total` (1, ...), one unit after another.

    NumPy's own sum would group the terms by how the other axes lie, and so by how many replicas there are.
    """
    first, *others = (A[number : number + 1] for number in range(len(A)))
    return [partial(np.copyto, total, first), *(partial(add, total, other, total) for other in others)]


class Activation:
    """The identity, and the base of the others. Arrays start with the axis of the units.

    >>> ACTIVATIONS["sigmoid"](np.array([[0.0]])).item()
    0.5
    """

    name = "linear"

    def forward(self, Z: np.ndarray, A: np.ndarray, T: np.ndarray, one: np.ndarray) -> Calls:
        """The calls that write A = g(Z); A may be Z itself. T is scratch space of the same shape."""
        return [] if A is Z else [partial(np.copyto, A, Z)]

    def backward(self, dA: np.ndarray, A: np.ndarray, T: np.ndarray, one: np.ndarray) -> Calls:
        """The calls that overwrite dA with dZ = dA * g'(Z), g' in terms of A = g(Z). T is scratch space."""
        return []

    def __call__(self, Z: np.ndarray) -> np.ndarray:
        """g(Z) as a new array, for Z of (..., units, examples)."""
        A = np.array(np.moveaxis(Z, -2, 0), order="C")
        with np.errstate(over="ignore", under="ignore"):
            for call in self.forward(A, A, np.empty_like(A), np.ones((), A.dtype)):
                call()
        return np.moveaxis(A, 0, -2)


class Sigmoid(Activation):
    """A = 1 / (1 + exp(-Z)), with derivative A (1 - A)."""

    name = "sigmoid"

    def forward(self, Z, A, T, one):
        return [partial(negative, Z, A), partial(exp, A, A), partial(add, A, one, A), partial(reciprocal, A, A)]

    def backward(self, dA, A, T, one):
        return [partial(subtract, one, A, T), partial(multiply, T, A, T), partial(multiply, dA, T, dA)]


class Tanh(Activation):
    """A = tanh(Z), with derivative 1 - A^2."""

    name = "tanh"

    def forward(self, Z, A, T, one):
        return [partial(tanh, Z, A)]

    def backward(self, dA, A, T, one):
        return [partial(square, A, T), partial(subtract, one, T, T), partial(multiply, dA, T, dA)]


class ReLU(Activation):
    """A = max(Z, 0), with derivative 1 where A > 0 and 0 elsewhere (at the kink too)."""

    name = "relu"

    def forward(self, Z, A, T, one):
        return [partial(maximum, Z, one - one, out=A)]

    def backward(self, dA, A, T, one):
        return [partial(sign, A, T), partial(multiply, dA, T, dA)]


class LeakyReLU(Activation):
    """A = max(Z, 0.01 Z), with derivative 1 where A > 0 and 0.01 where A < 0 (Maas, Hannun, Ng 2013)."""

    name = "leaky_relu"
    slope = 0.01

    def forward(self, Z, A, T, one):
        return [partial(multiply, Z, one * self.slope, T), partial(maximum, Z, T, out=A)]

    def backward(self, dA, A, T, one):
        half, middle = one * ((1 - self.slope) / 2), one * ((1 + self.slope) / 2)
        return [
            partial(copysign, half, A, T),  # plus or minus half of what lies between the two slopes
            partial(add, T, middle, T),
            partial(multiply, dA, T, dA),
        ]


class Softmax(Activation):
    """A = exp(Z) / sum over units of exp(Z), with dZ = A (dA - sum over units of dA A)."""

    name = "softmax"

    def forward(self, Z, A, T, one):
        per_example = np.empty_like(Z[:1])
        return [
            partial(np.max, Z, 0, per_example, keepdims=True),
            partial(subtract, Z, per_example, A),
            partial(exp, A, A),
            *sum_units(A, per_example),
            partial(divide, A, per_example, A),
        ]

    def backward(self, dA, A, T, one):
        per_example = np.empty_like(A[:1])
        return [
            partial(multiply, dA, A, T),
            *sum_units(T, per_example),
            partial(subtract, dA, per_example, dA),
            partial(multiply, dA, A, dA),
        ]


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation for activation in (Sigmoid(), Tanh(), ReLU(), LeakyReLU(), Activation(), Softmax())
}


def get_activation(name: str) -> Activation:
    """The activation called `name`. Raises RequestError, naming the valid ones."""
    return choose("activation", name, ACTIVATIONS)
