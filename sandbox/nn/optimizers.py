"""Optimizers: how gradients change parameters.

All of a network's parameters are one array, so that each optimizer is a few lines. Arrays have the shape of the
parameters; `rate` broadcasts against them. They write in place, and leave the gradients as they are.
"""

from typing import Any

import numpy as np
from numpy import add, multiply, subtract

from sandbox.errors import choose


class GradientDescent:
    """w <- w - rate * g"""

    name = "gd"
    memory = 0  # arrays of the parameters' shape that are carried from one update to the next

    def __init__(self, parameters: np.ndarray, momentum: float = 0.9) -> None:
        self.step = np.empty_like(parameters)
        self.momentum = momentum
        self.state = [np.zeros_like(parameters) for _ in range(self.memory)]
        self.updates = 0

    def update(self, parameters: np.ndarray, gradients: np.ndarray, rate: np.ndarray) -> None:
        multiply(gradients, rate, self.step)
        subtract(parameters, self.step, parameters)


class Momentum(GradientDescent):
    """v <- momentum * v + g;  w <- w - rate * v     (Polyak 1964, as PyTorch writes it)"""

    name = "momentum"
    memory = 1

    def update(self, parameters, gradients, rate):
        (v,) = self.state
        multiply(v, self.momentum, v)
        add(v, gradients, v)
        super().update(parameters, v, rate)


class Nesterov(GradientDescent):
    """v <- momentum * v + g;  w <- w - rate * (g + momentum * v)     (Nesterov 1983, as Sutskever et al. 2013)"""

    name = "nesterov"
    memory = 1

    def update(self, parameters, gradients, rate):
        (v,) = self.state
        multiply(v, self.momentum, v)
        add(v, gradients, v)
        multiply(v, self.momentum, self.step)
        add(self.step, gradients, self.step)
        super().update(parameters, self.step, rate)


class Adam(GradientDescent):
    """m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;  w <- w - rate * mhat / (sqrt(vhat) + eps)

    with mhat = m / (1 - b1^t) and vhat = v / (1 - b2^t), b1 = 0.9, b2 = 0.999, eps = 1e-8 (Kingma and Ba 2015,
    algorithm 1).
    """

    name = "adam"
    memory = 2
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def update(self, parameters, gradients, rate):
        m, v = self.state
        step = self.step
        self.updates += 1
        multiply(m, self.beta1, m)
        multiply(gradients, 1 - self.beta1, step)
        add(m, step, m)
        multiply(v, self.beta2, v)
        multiply(gradients, gradients, step)
        multiply(step, 1 - self.beta2, step)
        add(v, step, v)
        multiply(v, 1 / (1 - self.beta2**self.updates), step)
        np.sqrt(step, step)
        add(step, self.epsilon, step)
        np.divide(m, step, step)
        multiply(step, 1 / (1 - self.beta1**self.updates), step)
        super().update(parameters, step, rate)


OPTIMIZERS: dict[str, type[GradientDescent]] = {
    optimizer.name: optimizer for optimizer in (GradientDescent, Momentum, Nesterov, Adam)
}


def get_optimizer(name: str) -> Any:
    """The optimizer's class called `name`. Raises RequestError, naming the valid ones."""
    return choose("optimizer", name, OPTIMIZERS)
