"""Activations: what a layer does to its weighted sums, and the chain rule backwards through it.

Every activation works on the buffers that the trainer made once: it gives the calls to be made at every epoch,
each a function of no arguments. Where the derivative can be written in terms of the output A, as the textbooks do, Z need
not be kept. `one` is the number 1 as an array of A's type: NumPy adds an array to an array in half the time that it
needs for a Python number.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, Literal

import numpy as np
from numpy import add, copysign, divide, exp, maximum, multiply, negative, reciprocal, sign, square, subtract, tanh

from sandbox.errors import RequestError
from sandbox.nn.differences import check_slope
from sandbox.own import Named, look_up

Calls = Sequence[Callable[[], object]]
Function = Callable[[np.ndarray], np.ndarray]
FAR, PER_UNIT = 9, 512  # beyond FAR the normal distribution has nothing that a double would show beside 1
ActivationName = Literal[
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "linear",
    "softmax",
    "sin",
    "cos",
    "softplus",
    "swish",
    "gelu",
]


def sum_units(A: np.ndarray, total: np.ndarray) -> Calls:
    """The calls that write the sum over the units of A (units, ...) to `total` (1, ...), one unit after another.

    NumPy's own sum would group the terms by how the other axes lie, and so by how many replicas there are.
    """
    first, *others = (A[number : number + 1] for number in range(len(A)))
    return [partial(np.copyto, total, first), *(partial(add, total, other, total) for other in others)]


class Activation(Named):
    """A = g(Z) from `function` and `slope`: g and its derivative, both of arrays z of any shape, entry by entry.

    They have to be finite near zero, and the slope is held against finite differences before it is used: see
    `get_activation`. The others in this file overwrite their sums with their outputs, and need less time.

    >>> bent = Activation(lambda z: z**2 / 2, lambda z: z)
    >>> bent(np.array([[3.0]])).item()
    4.5
    """

    keeps_sums = True  # whether `backward` reads Z: then it has a buffer of its own

    def __init__(self, function: Function, slope: Function) -> None:
        self.function, self.slope = function, slope

    def forward(self, Z: np.ndarray, A: np.ndarray, T: np.ndarray, one: np.ndarray) -> Calls:
        """The calls that write A = g(Z); A may be Z itself. T is scratch space of the same shape.

        Arrays start with the axis of the units.
        """
        return [lambda: np.copyto(A, self.function(Z))]

    def backward(self, dA: np.ndarray, A: np.ndarray, Z: np.ndarray, T: np.ndarray, one: np.ndarray) -> Calls:
        """The calls that overwrite dA with dZ = dA * g'(Z). T is scratch space; Z is that of `forward` if it was kept."""
        return [lambda: multiply(dA, self.slope(Z), dA)]

    def __call__(self, Z: np.ndarray) -> np.ndarray:
        """g(Z) as a new array, for Z of (..., units, examples)."""
        A = np.array(np.moveaxis(Z, -2, 0), order="C")
        with np.errstate(over="ignore", under="ignore"):
            for call in self.forward(A, A, np.empty_like(A), np.ones((), A.dtype)):
                call()
        return np.moveaxis(A, 0, -2)


class OfOutputs(Activation):
    """The base of those whose derivative is a function of the output A."""

    keeps_sums = False

    def __init__(self) -> None:
        """They are written out as calls."""


class Linear(OfOutputs):
    """A = Z, with derivative 1."""

    def forward(self, Z, A, T, one):
        return [] if A is Z else [partial(np.copyto, A, Z)]

    def backward(self, dA, A, Z, T, one):
        return []


class Sigmoid(OfOutputs):
    """A = 1 / (1 + exp(-Z)), with derivative A (1 - A)."""

    def forward(self, Z, A, T, one):
        return [partial(negative, Z, A), partial(exp, A, A), partial(add, A, one, A), partial(reciprocal, A, A)]

    def backward(self, dA, A, Z, T, one):
        return [partial(subtract, one, A, T), partial(multiply, T, A, T), partial(multiply, dA, T, dA)]


class Tanh(OfOutputs):
    """A = tanh(Z), with derivative 1 - A^2."""

    def forward(self, Z, A, T, one):
        return [partial(tanh, Z, A)]

    def backward(self, dA, A, Z, T, one):
        return [partial(square, A, T), partial(subtract, one, T, T), partial(multiply, dA, T, dA)]


class ReLU(OfOutputs):
    """A = max(Z, 0), with derivative 1 where A > 0 and 0 elsewhere (at the kink too)."""

    def forward(self, Z, A, T, one):
        return [partial(maximum, Z, one - one, out=A)]

    def backward(self, dA, A, Z, T, one):
        return [partial(sign, A, T), partial(multiply, dA, T, dA)]


class LeakyReLU(OfOutputs):
    """A = max(Z, 0.01 Z), with derivative 1 where A > 0 and 0.01 where A < 0 (Maas, Hannun, Ng 2013)."""

    below = 0.01

    def forward(self, Z, A, T, one):
        return [partial(multiply, Z, one * self.below, T), partial(maximum, Z, T, out=A)]

    def backward(self, dA, A, Z, T, one):
        half, middle = one * ((1 - self.below) / 2), one * ((1 + self.below) / 2)
        return [
            partial(copysign, half, A, T),  # plus or minus half of what lies between the two slopes
            partial(add, T, middle, T),
            partial(multiply, dA, T, dA),
        ]


class Softmax(OfOutputs):
    """A = exp(Z) / sum over units of exp(Z), with dZ = A (dA - sum over units of dA A)."""

    def forward(self, Z, A, T, one):
        per_example = np.empty_like(Z[:1])
        return [
            partial(np.max, Z, 0, per_example, keepdims=True),
            partial(subtract, Z, per_example, A),
            partial(exp, A, A),
            *sum_units(A, per_example),
            partial(divide, A, per_example, A),
        ]

    def backward(self, dA, A, Z, T, one):
        per_example = np.empty_like(A[:1])
        return [
            partial(multiply, dA, A, T),
            *sum_units(T, per_example),
            partial(subtract, dA, per_example, dA),
            partial(multiply, dA, A, dA),
        ]


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z))."""
    return 1 / (1 + exp(-z))


def swish(z: np.ndarray) -> np.ndarray:
    """z sigmoid(z), PyTorch's SiLU (Elfwing, Uchibe, Doya 2018; Ramachandran, Zoph, Le 2017)."""
    return z / (1 + exp(-z))


def swish_slope(z: np.ndarray) -> np.ndarray:
    """sigmoid(z) (1 + z (1 - sigmoid(z)))."""
    s = sigmoid(z)
    return s * (1 + z * (1 - s))


def softplus(z: np.ndarray) -> np.ndarray:
    """log(1 + exp(z)) (Dugas et al. 2001)."""
    return np.logaddexp(z.dtype.type(0), z)


def gelu(z: np.ndarray) -> np.ndarray:
    """z Phi(z), Phi being the normal distribution's share below z (Hendrycks and Gimpel 2016)."""
    return z * normal_share(z)


def gelu_slope(z: np.ndarray) -> np.ndarray:
    """Phi(z) + z phi(z)."""
    return normal_share(z) + z * (exp(-z * z / 2) / math.sqrt(2 * math.pi))


def normal_share(z: np.ndarray) -> np.ndarray:
    """Phi(z) to 1e-13: between nodes of which Phi and its slope are known, by the cubic of both (Hermite)."""
    value, slope = _normal_nodes()
    place = (np.clip(np.nan_to_num(z), -FAR, FAR) + FAR) * PER_UNIT
    left = np.minimum(place.astype(np.intp), len(value) - 2)
    t = place - left
    rising = t * t * (3 - 2 * t)
    bent = (1 - t) * (1 - t) * t * slope[left] - t * t * (1 - t) * slope[left + 1]
    return (value[left] + rising * (value[left + 1] - value[left]) + bent).astype(z.dtype)


@cache
def _normal_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Phi, and its slope from one node to the next, at nodes from -FAR to FAR."""
    z = np.arange(-FAR * PER_UNIT, FAR * PER_UNIT + 1) / PER_UNIT
    share = np.array([math.erfc(-one / math.sqrt(2)) / 2 for one in z])
    share[0] = 0  # whatever large number it is multiplied by
    return share, exp(-z * z / 2) / math.sqrt(2 * math.pi) / PER_UNIT


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Sigmoid(),
    "tanh": Tanh(),
    "relu": ReLU(),
    "leaky_relu": LeakyReLU(),
    "linear": Linear(),
    "softmax": Softmax(),
    "sin": Activation(np.sin, np.cos),
    "cos": Activation(np.cos, lambda z: -np.sin(z)),
    "softplus": Activation(softplus, sigmoid),
    "swish": Activation(swish, swish_slope),
    "gelu": Activation(gelu, gelu_slope),
}

SIGNED = ("tanh",)  # as outputs, they have two classes at -1 and 1


def get_activation(name: str) -> Activation:
    """The activation called `name`, or one's own, "module:name".

    Raises RequestError, naming the valid ones; and where one's own is not finite between -4 and 4, does not work entry by
    entry, or has another slope than finite differences say.
    """
    return look_up("activation", name, ACTIVATIONS, _own)


def _own(name: str, found: Any) -> Activation:
    if not isinstance(found, Activation):
        raise RequestError(f"{name} is no activation: sandbox.nn.Activation(function, slope) is needed, both of z")
    if found.keeps_sums:
        check_slope(f"activation {name}", found.function, found.slope, np.linspace(-4.03, 4.07, 60))
        check_slope(f"activation {name}", found.function, found.slope, np.zeros(1), kinks=True)
    return found
