"""Activations: what a layer does to its weighted sums, and the chain rule backwards through it.

Every activation works in place on the buffers that the trainer made once. The derivative is written in terms of the
output A, as the textbooks do, so that Z need not be kept. `one` is the number 1 as an array of A's type: NumPy adds an
array to an array in half the time that it needs for a Python number.
"""

import numpy as np
from numpy import add, copysign, exp, maximum, multiply, negative, reciprocal, subtract, tanh

from sandbox.errors import choose


class Activation:
    """The identity, and the base of the others. `axis` is the axis of the units (softmax alone needs it).

    >>> ACTIVATIONS["sigmoid"](np.array([0.0])).item()
    0.5
    """

    name = "linear"

    def forward(self, Z: np.ndarray, T: np.ndarray, one: np.ndarray, axis: int) -> None:
        """Overwrite Z with A = g(Z). T is scratch space of the same shape."""

    def backward(self, dA: np.ndarray, A: np.ndarray, T: np.ndarray, one: np.ndarray, axis: int) -> None:
        """Overwrite dA with dZ = dA * g'(Z), g' in terms of A = g(Z). T is scratch space."""

    def __call__(self, Z: np.ndarray, axis: int = -2) -> np.ndarray:
        """g(Z) as a new array; Z ends in (units, examples)."""
        A = np.array(Z, copy=True)
        with np.errstate(over="ignore", under="ignore"):
            self.forward(A, np.empty_like(A), np.ones((), A.dtype), axis)
        return A


class Sigmoid(Activation):
    """A = 1 / (1 + exp(-Z)), with derivative A (1 - A)."""

    name = "sigmoid"

    def forward(self, Z, T, one, axis):
        negative(Z, Z)
        exp(Z, Z)
        add(Z, one, Z)
        reciprocal(Z, Z)

    def backward(self, dA, A, T, one, axis):
        subtract(one, A, T)
        multiply(T, A, T)
        multiply(dA, T, dA)


class Tanh(Activation):
    """A = tanh(Z), with derivative 1 - A^2."""

    name = "tanh"

    def forward(self, Z, T, one, axis):
        tanh(Z, Z)

    def backward(self, dA, A, T, one, axis):
        multiply(A, A, T)
        subtract(one, T, T)
        multiply(dA, T, dA)


class ReLU(Activation):
    """A = max(Z, 0), with derivative 1 where A > 0 and 0 elsewhere (at the kink too)."""

    name = "relu"

    def forward(self, Z, T, one, axis):
        subtract(one, one, T)
        maximum(Z, T, out=Z)

    def backward(self, dA, A, T, one, axis):
        np.sign(A, T)
        multiply(dA, T, dA)


class LeakyReLU(Activation):
    """A = max(Z, 0.01 Z), with derivative 1 where A > 0 and 0.01 where A < 0 (Maas, Hannun, Ng 2013)."""

    name = "leaky_relu"
    slope = 0.01

    def forward(self, Z, T, one, axis):
        multiply(Z, self.slope, T)
        maximum(Z, T, out=Z)

    def backward(self, dA, A, T, one, axis):
        copysign(one, A, T)  # 1 or -1, to 1 or the slope
        multiply(T, (1 - self.slope) / 2, T)
        add(T, (1 + self.slope) / 2, T)
        multiply(dA, T, dA)


class Softmax(Activation):
    """A = exp(Z) / sum over units of exp(Z), with dZ = A (dA - sum over units of dA A)."""

    name = "softmax"

    def forward(self, Z, T, one, axis):
        subtract(Z, Z.max(axis, keepdims=True), Z)
        exp(Z, Z)
        np.divide(Z, Z.sum(axis, keepdims=True), Z)

    def backward(self, dA, A, T, one, axis):
        multiply(dA, A, T)
        subtract(dA, T.sum(axis, keepdims=True), dA)
        multiply(dA, A, dA)


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation for activation in (Sigmoid(), Tanh(), ReLU(), LeakyReLU(), Activation(), Softmax())
}


def get_activation(name: str) -> Activation:
    """The activation called `name`. Raises RequestError, naming the valid ones."""
    return choose("activation", name, ACTIVATIONS)
