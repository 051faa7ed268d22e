"""Functions of one's own, as a user would have them in a file: see test_own.py."""

import numpy as np

from sandbox.nn import Activation, Cost, Optimizer

BETA = 1.0


def sigmoid(z):
    return 1 / (1 + np.exp(-BETA * z))


swish = Activation(lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + BETA * z * (1 - sigmoid(z))))
wrong = Activation(np.sin, lambda z: 2 * np.cos(z))
log_cosh = Cost(lambda A, Y: np.log(np.cosh(A - Y)), lambda A, Y: np.tanh(A - Y))
sign_descent = Optimizer(lambda w, g, rate: w - rate * np.sign(g))


def ones_and_twos(rng, shape):
    return rng.integers(1, 3, shape) * rng.choice([-0.5, 0.5], shape)


def warmup(epoch, epochs):
    return min(1.0, (epoch + 1) / (0.1 * epochs))


def bump(t):
    return np.exp(-(t**2))


def radius(X):
    return np.hypot(X[:, 0], X[:, 1])
