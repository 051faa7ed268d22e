"""Costs: how wrong the outputs are, averaged over the examples, and the derivative that starts the way back.

A cost leaves its derivative in the buffer D. Where it is computed from logits (the cross-entropies), D holds the
derivative with respect to the logits Z, which is as simple as A - Y; elsewhere with respect to the outputs A.
"""

import numpy as np
from numpy import add, multiply, subtract

from sandbox.errors import choose


class Cost:
    """Base of the costs: `(A, Y)` in, one number per replica out. `m` below is the number of examples."""

    name = ""
    output: str | None = None  # the output activation whose logits this cost needs; None: any activation
    tasks: tuple[str, ...] = ("binary", "multiclass", "regression")

    def derivative(self, A: np.ndarray, Y: np.ndarray, D: np.ndarray, per_example: np.ndarray) -> None:
        """Overwrite D with the derivative of the cost; `per_example` is 1/m as an array of D's type."""
        raise NotImplementedError

    def value(self, A, Z, Y, D, T, layout) -> np.ndarray:
        """The cost, one number per replica. D as `derivative` left it, Z the logits, T scratch of the same shape."""
        raise NotImplementedError


class SquaredError(Cost):
    """1/(2m) * sum((Y - A)^2)."""

    name = "squared_error"
    half = 0.5

    def derivative(self, A, Y, D, per_example):
        subtract(A, Y, D)
        multiply(D, per_example, D)

    def value(self, A, Z, Y, D, T, layout):
        return layout.total(D, D) * (self.half * layout.examples(D))  # D is (A - Y) / m


class MeanSquaredError(SquaredError):
    """1/m * sum((Y - A)^2): twice the squared error."""

    name = "mean_squared_error"
    half = 0.25  # D is 2 (A - Y) / m

    def derivative(self, A, Y, D, per_example):
        subtract(A, Y, D)
        multiply(D, per_example + per_example, D)


class MeanAbsoluteError(Cost):
    """1/m * sum(|Y - A|)."""

    name = "mean_absolute_error"

    def derivative(self, A, Y, D, per_example):
        subtract(A, Y, D)
        np.sign(D, D)
        multiply(D, per_example, D)

    def value(self, A, Z, Y, D, T, layout):
        subtract(A, Y, T)
        return layout.total(T, D)


class BinaryCrossEntropy(Cost):
    """-1/m * sum(Y log A + (1 - Y) log(1 - A)) with A = sigmoid(Z), as 1/m * sum(max(Z, 0) - Z Y + log(1 + exp(-|Z|))).

    Finite for logits of any size. Labels may be probabilities.
    """

    name = "binary_cross_entropy"
    output = "sigmoid"
    tasks = ("binary", "multiclass")

    def derivative(self, A, Y, D, per_example):
        subtract(A, Y, D)
        multiply(D, per_example, D)

    def value(self, A, Z, Y, D, T, layout):
        np.abs(Z, T)
        np.negative(T, T)
        np.exp(T, T)
        np.log1p(T, T)
        add(T, np.maximum(Z, 0) - Z * Y, T)  # their difference first: it is exact for labels, T is as small as the cost
        return layout.mean(T)


class CategoricalCrossEntropy(Cost):
    """-1/m * sum(Y log A) with A = softmax(Z), as 1/m * sum(logsumexp(Z) - sum(Y Z)). Y is one-hot."""

    name = "categorical_cross_entropy"
    output = "softmax"
    tasks = ("multiclass",)

    def derivative(self, A, Y, D, per_example):
        subtract(A, Y, D)
        multiply(D, per_example, D)

    def value(self, A, Z, Y, D, T, layout):
        subtract(Z, Z.max(layout.units, keepdims=True), T)
        shifted = T * Y
        np.exp(T, T)
        log_sum = np.log(T.sum(layout.units, keepdims=True))
        return layout.mean(log_sum) - layout.mean(shifted)


COSTS: dict[str, Cost] = {
    cost.name: cost
    for cost in (
        SquaredError(),
        MeanSquaredError(),
        MeanAbsoluteError(),
        BinaryCrossEntropy(),
        CategoricalCrossEntropy(),
    )
}


def get_cost(name: str) -> Cost:
    """The cost called `name`. Raises RequestError, naming the valid ones."""
    return choose("cost", name, COSTS)
