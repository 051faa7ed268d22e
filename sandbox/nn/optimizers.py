"""Optimizers: how gradients change parameters.

All of a network's parameters are one array, so that each optimizer is a few lines: the calls to be made at every update.
Arrays have the shape of the parameters; `rate` broadcasts against them. Parameters are changed in place, gradients left
as they are.
"""

from functools import partial
from typing import Any, Literal

import numpy as np
from numpy import add, divide, multiply, sqrt, subtract

from sandbox.errors import choose
from sandbox.nn.activations import Calls
from sandbox.nn.memory import aligned, aligned_copy

OptimizerName = Literal["gd", "momentum", "nesterov", "adam", "adamw"]


class GradientDescent:
    """w <- w - rate * g"""

    name = "gd"
    memory = 0  # arrays of the parameters' shape that are carried from one update to the next

    def __init__(
        self,
        parameters: np.ndarray,
        gradients: np.ndarray,
        rate: np.ndarray,
        momentum: float = 0.9,
        decay: np.ndarray | None = None,
    ) -> None:
        """`momentum` and `decay`, which broadcasts against the parameters too, are for those that have them."""
        self.parameters, self.rate, self.decay = parameters, rate, decay
        self.momentum = np.array(momentum, parameters.dtype)
        shape, dtype = parameters.shape, parameters.dtype
        self.step = aligned(shape, dtype)
        self.state = [aligned_copy(0, dtype, shape) for _ in range(self.memory)]
        self.updates = 0
        self.calls = self.update(gradients, self.step, *self.state)

    def update(self, g: np.ndarray, step: np.ndarray, *state: np.ndarray) -> Calls:
        """The calls of one update with the gradients g; step is scratch space."""
        w = self.parameters
        return [partial(multiply, g, self.rate, step), partial(subtract, w, step, w)]


class Momentum(GradientDescent):
    """v <- momentum * v + g;  w <- w - rate * v     (Polyak 1964, as PyTorch writes it)"""

    name = "momentum"
    memory = 1

    def update(self, g, step, *state):
        (v,) = state
        return [partial(multiply, v, self.momentum, v), partial(add, v, g, v), *super().update(v, step)]


class Nesterov(GradientDescent):
    """v <- momentum * v + g;  w <- w - rate * (g + momentum * v)     (Nesterov 1983, as Sutskever et al. 2013)"""

    name = "nesterov"
    memory = 1

    def update(self, g, step, *state):
        (v,) = state
        return [
            partial(multiply, v, self.momentum, v),
            partial(add, v, g, v),
            partial(multiply, v, self.momentum, step),
            partial(add, step, g, step),
            *super().update(step, step),
        ]


class Adam(GradientDescent):
    """m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;  w <- w - rate * mhat / (sqrt(vhat) + eps)

    with mhat = m / (1 - b1^t) and vhat = v / (1 - b2^t), b1 = 0.9, b2 = 0.999, eps = 1e-8 (Kingma and Ba 2015,
    algorithm 1).
    """

    name = "adam"
    memory = 2
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def update(self, g, step, *state):
        m, v = state
        number = partial(np.array, dtype=g.dtype)
        unbias_m, unbias_v = number(0), number(0)

        def count():
            self.updates += 1
            unbias_m[...] = 1 / (1 - self.beta1**self.updates)
            unbias_v[...] = 1 / (1 - self.beta2**self.updates)

        return [
            count,
            partial(multiply, m, number(self.beta1), m),
            partial(multiply, g, number(1 - self.beta1), step),
            partial(add, m, step, m),
            partial(multiply, v, number(self.beta2), v),
            partial(multiply, g, g, step),
            partial(multiply, step, number(1 - self.beta2), step),
            partial(add, v, step, v),
            partial(multiply, v, unbias_v, step),
            partial(sqrt, step, step),
            partial(add, step, number(self.epsilon), step),
            partial(divide, m, step, step),
            partial(multiply, step, unbias_m, step),
            *super().update(step, step),
        ]


class AdamW(Adam):
    """w <- w - rate * (mhat / (sqrt(vhat) + eps) + decay * w), m and v being those of Adam, which see no decay

    (Loshchilov and Hutter 2019, algorithm 2, with the scheduled rate before the decay as well, as PyTorch has it). The
    decay comes first, which is the same: Adam's step is of the gradients that are there already. Without decay it is Adam.
    """

    name = "adamw"

    def update(self, g, step, *state):
        adam = super().update(g, step, *state)
        if self.decay is None:
            return adam
        return [partial(multiply, self.parameters, self.decay, step), *GradientDescent.update(self, step, step), *adam]


OPTIMIZERS: dict[str, type[GradientDescent]] = {
    optimizer.name: optimizer for optimizer in (GradientDescent, Momentum, Nesterov, Adam, AdamW)
}


def get_optimizer(name: str) -> Any:
    """The optimizer's class called `name`. Raises RequestError, naming the valid ones."""
    return choose("optimizer", name, OPTIMIZERS)
