"""Optimizers: how gradients change parameters.

All of a network's parameters are one array, so that each optimizer is a few lines: the calls to be made at every update.
Arrays have the shape of the parameters; `rate` broadcasts against them. Parameters are changed in place, gradients left
as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy import add, divide, multiply, sqrt, subtract

from sandbox.errors import RequestError, is_count, one_line
from sandbox.nn.activations import Calls
from sandbox.nn.memory import aligned, aligned_copy
from sandbox.own import Named, look_up

OptimizerName = Literal["gd", "momentum", "nesterov", "adam", "adamw"]


class GradientDescent:
    """w <- w - rate * g"""

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

    memory = 1

    def update(self, g, step, *state):
        (v,) = state
        return [partial(multiply, v, self.momentum, v), partial(add, v, g, v), *super().update(v, step)]


class Nesterov(GradientDescent):
    """v <- momentum * v + g;  w <- w - rate * (g + momentum * v)     (Nesterov 1983, as Sutskever et al. 2013)"""

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

    def update(self, g, step, *state):
        adam = super().update(g, step, *state)
        if self.decay is None:
            return adam
        return [partial(multiply, self.parameters, self.decay, step), *GradientDescent.update(self, step, step), *adam]


@dataclass(frozen=True)
class Optimizer(Named):
    """One's own, from `update(w, g, rate, *state)`, which gives the new parameters for w and their gradients g.

    The arrays are alike, of any shape, and it works entry by entry. `state` are `memory` arrays that begin as zeros and are
    carried from one update to the next: change them in place.

    >>> sign_descent = Optimizer(lambda w, g, rate: w - rate * np.sign(g))
    >>> sign_descent.memory
    0
    """

    update: Callable[..., np.ndarray]
    memory: int = 0

    def __call__(
        self,
        parameters: np.ndarray,
        gradients: np.ndarray,
        rate: np.ndarray,
        momentum: float = 0.9,
        decay: np.ndarray | None = None,
    ) -> GradientDescent:
        """It at work on these parameters, as the other optimizers are made."""
        return _Own(self, parameters, gradients, rate)


class _Own(GradientDescent):
    """An `Optimizer` at work."""

    def __init__(self, own: Optimizer, parameters: np.ndarray, gradients: np.ndarray, rate: np.ndarray) -> None:
        self.own, self.memory = own, own.memory
        super().__init__(parameters, gradients, rate)

    def update(self, g, step, *state):
        w = self.parameters
        return [lambda: np.copyto(w, self.own.update(w, g, self.rate, *state))]


OPTIMIZERS: dict[str, type[GradientDescent]] = {
    "gd": GradientDescent,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adam": Adam,
    "adamw": AdamW,
}


def get_optimizer(name: str) -> Any:
    """What makes the optimizer called `name`, a class, or one's own, "module:name", an Optimizer.

    Raises RequestError, naming the valid ones, and where one's own does not give finite numbers or does not work entry by
    entry.
    """
    return look_up("optimizer", name, OPTIMIZERS, _own)


def _own(name: str, found: Any) -> Optimizer:
    if not isinstance(found, Optimizer) or not (is_count(found.memory) and found.memory >= 0):
        raise RequestError(f"{name} is no optimizer: sandbox.nn.Optimizer(update, memory=0) is needed")
    w, g = np.random.default_rng(0).normal(size=(2, 4, 6))
    whole, part = (_twice(found, w[:, some], g[:, some]) for some in (slice(None), slice(1, 3)))
    if whole.shape != w.shape or not np.isfinite(whole).all():
        raise RequestError(f"optimizer {name} gives {one_line(whole)}: new parameters of the same shape are needed")
    if not np.allclose(whole[:, 1:3], part, rtol=1e-12, atol=1e-12):
        raise RequestError(
            f"optimizer {name} moves a parameter differently beside others: it has to work entry by entry"
        )
    return found


def _twice(own: Optimizer, w: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The parameters after two updates with the same gradients."""
    state = [np.zeros_like(w) for _ in range(own.memory)]
    for _ in range(2):
        w = np.array(own.update(w.copy(), g.copy(), np.full_like(w, 0.01), *state))
    return w
