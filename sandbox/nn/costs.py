"""Costs: how wrong the outputs are, averaged over the examples, and the derivative that starts the way back.

A cost leaves its derivative in the buffer D. Where it is computed from logits (the cross-entropies), D holds the
derivative with respect to the logits Z, which is as simple as A - Y; elsewhere with respect to the outputs A. Like an
activation, a cost gives the calls to be made at every epoch.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy import multiply, sign, subtract

from sandbox.errors import RequestError
from sandbox.nn.activations import Calls, sum_units
from sandbox.nn.differences import check_slope
from sandbox.own import Named, look_up

Loss = Callable[[np.ndarray, np.ndarray], np.ndarray]
CostName = Literal[
    "squared_error",
    "mean_squared_error",
    "mean_absolute_error",
    "binary_cross_entropy",
    "categorical_cross_entropy",
]


class Cost(Named):
    """1/m * sum(function(A, Y)) over m examples, from `function` and its derivative by A, `slope`.

    Outputs A and targets Y are arrays alike, of any shape; both functions work entry by entry and have to be finite for A
    between 0 and 1. The slope is held against finite differences before it is used: see `get_cost`. The others in this file
    compute the same in fewer calls, or from the logits.

    >>> Cost(lambda A, Y: np.log(np.cosh(A - Y)), lambda A, Y: np.tanh(A - Y)).output is None
    True
    """

    output: str | None = None  # the output activation whose logits this cost needs; None: any activation
    tasks: tuple[str, ...] = ("binary", "multiclass", "regression")

    def __init__(self, function: Loss, slope: Loss) -> None:
        self.function, self.slope = function, slope

    def __call__(self, A: np.ndarray, Y: np.ndarray) -> float:
        """The cost of outputs A (outputs, examples)."""
        return float(np.sum(self.function(A, Y)) / A.shape[-1])

    def derivative(self, A: np.ndarray, Y: np.ndarray, D: np.ndarray, per_example: np.ndarray) -> Calls:
        """The calls that overwrite D with the derivative; `per_example` is 1/m as an array of D's type."""
        return [lambda: multiply(self.slope(A, Y), per_example, D)]

    def value(
        self, A: np.ndarray, Z: np.ndarray, Y: np.ndarray, D: np.ndarray, T: np.ndarray, layout: Any
    ) -> Callable[[], Any]:
        """The call that gives the cost, one number per replica: D as `derivative` left it, Z the logits, T scratch.

        Y may be read once, when this is made.
        """
        total, per_example = layout.total(T, np.ones_like(T)), 1 / layout.examples(D)

        def value():
            np.copyto(T, self.function(A, Y))
            return total() * per_example

        return value


class OfErrors(Cost):
    """The base of those whose derivative is that of squared errors, or of logits, which is the same: A - Y over m."""

    def __init__(self) -> None:
        """They are written out as calls."""

    def derivative(self, A, Y, D, per_example):
        return [partial(subtract, A, Y, D), partial(multiply, D, per_example, D)]


class SquaredError(OfErrors):
    """1/(2m) * sum((Y - A)^2)."""

    def value(self, A, Z, Y, D, T, layout):
        total, scale = layout.total(D, D), layout.examples(D) / 2  # D is (A - Y) / m
        return lambda: total() * scale


class MeanSquaredError(OfErrors):
    """1/m * sum((Y - A)^2): twice the squared error."""

    def derivative(self, A, Y, D, per_example):
        return super().derivative(A, Y, D, per_example + per_example)

    def value(self, A, Z, Y, D, T, layout):
        total, scale = layout.total(D, D), layout.examples(D) / 4  # D is 2 (A - Y) / m
        return lambda: total() * scale


class MeanAbsoluteError(OfErrors):
    """1/m * sum(|Y - A|)."""

    def derivative(self, A, Y, D, per_example):
        return [partial(subtract, A, Y, D), partial(sign, D, D), partial(multiply, D, per_example, D)]

    def value(self, A, Z, Y, D, T, layout):
        total = layout.total(T, D)

        def value():
            subtract(A, Y, T)
            return total()

        return value


class BinaryCrossEntropy(OfErrors):
    """-1/m * sum(Y log A + (1 - Y) log(1 - A)), A = sigmoid(Z): 1/m * sum(max(Z, 0) - Z Y + log(1 + exp(-|Z|))).

    Finite for logits of any size. Labels may be probabilities.
    """

    output = "sigmoid"
    tasks = ("binary", "multiclass")

    def value(self, A, Z, Y, D, T, layout):
        # max(Z, 0) - Z Y is half of |Z| + (1 - 2Y) Z: for labels exact, and never below 0
        turned, doubled, ones = np.empty_like(Z), np.empty_like(Z), np.ones_like(Z)
        turned[...] = 1 - 2 * Y
        soft, hard = layout.total(T, ones), layout.total(doubled, ones)
        per_example = 1 / layout.examples(Z)

        def value():
            np.abs(Z, T)
            multiply(Z, turned, doubled)
            np.add(doubled, T, doubled)
            np.negative(T, T)
            np.exp(T, T)
            np.log1p(T, T)
            return (soft() + 0.5 * hard()) * per_example

        return value


class CategoricalCrossEntropy(OfErrors):
    """-1/m * sum(Y log A) with A = softmax(Z), as 1/m * sum(logsumexp(Z) - sum(Y Z)). Y is one-hot."""

    output = "softmax"
    tasks = ("multiclass",)

    def value(self, A, Z, Y, D, T, layout):
        shifted, sums = np.empty_like(Z), np.empty_like(Z[:1])
        logs, chosen = layout.total(sums, np.ones_like(sums)), layout.total(shifted, np.ones_like(shifted))
        calls = [partial(np.exp, T, T), *sum_units(T, sums), partial(np.log, sums, sums)]
        per_example = 1 / layout.examples(Z)

        def value():
            subtract(Z, Z.max(0, keepdims=True), T)
            multiply(T, Y, shifted)
            for call in calls:
                call()
            return (logs() - chosen()) * per_example

        return value


COSTS: dict[str, Cost] = {
    "squared_error": SquaredError(),
    "mean_squared_error": MeanSquaredError(),
    "mean_absolute_error": MeanAbsoluteError(),
    "binary_cross_entropy": BinaryCrossEntropy(),
    "categorical_cross_entropy": CategoricalCrossEntropy(),
}


def get_cost(name: str) -> Cost:
    """The cost called `name`, or one's own, "module:name".

    Raises RequestError, naming the valid ones; and where one's own is not finite for outputs between 0 and 1, does not work
    entry by entry, or has another slope than finite differences say.
    """
    return look_up("cost", name, COSTS, _own)


def _own(name: str, found: Any) -> Cost:
    if not isinstance(found, Cost):
        raise RequestError(
            f"{name} is no cost: sandbox.nn.Cost(function, slope) is needed, both of outputs A and targets Y"
        )
    A, Y = (grid.ravel() for grid in np.meshgrid(np.linspace(0.031, 0.967, 20), [0.0, 0.3001, 1.0]))
    check_slope(f"cost {name}", found.function, found.slope, A, Y)
    return found
