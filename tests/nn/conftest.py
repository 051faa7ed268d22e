"""An independent reference for the trainer: the textbook's sums written out, one example and one unit at a time."""

import math

import numpy as np
import pytest


def _sigmoid(z):
    return 1 / (1 + math.exp(-z))


def _textbook(weights, biases, X, Y):
    """Cost and gradients (dWs, dbs) of a network of sigmoids with 1/(2m) * sum((Y - Yhat)^2).

    `weights[l]` is (units out, units in), `biases[l]` (units out, 1), X (examples, features), Y (examples, outputs).
    """
    cost = 0.0
    dWs, dbs = [np.zeros_like(W) for W in weights], [np.zeros_like(b) for b in biases]
    for x, y in zip(X, Y, strict=True):
        values = [list(x)]
        for W, b in zip(weights, biases, strict=True):
            below = values[-1]
            values.append(
                [
                    _sigmoid(sum(w * a for w, a in zip(row, below, strict=True)) + bias)
                    for row, (bias,) in zip(W, b, strict=True)
                ]
            )
        cost += sum((target - a) ** 2 for target, a in zip(y, values[-1], strict=True)) / (2 * len(X))
        delta = [(a - target) / len(X) * a * (1 - a) for a, target in zip(values[-1], y, strict=True)]
        for W, dW, db, below in reversed(list(zip(weights, dWs, dbs, values[:-1], strict=True))):
            for i, d in enumerate(delta):
                db[i, 0] += d
                for j, a in enumerate(below):
                    dW[i, j] += d * a
            delta = [sum(W[i][j] * d for i, d in enumerate(delta)) * a * (1 - a) for j, a in enumerate(below)]
    return cost, dWs, dbs


@pytest.fixture(scope="session")
def textbook():
    """A function `(weights, biases, X, Y) -> cost, dWs, dbs`."""
    return _textbook
