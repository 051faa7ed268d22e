r"""The reference: a network, its cost and its training as the textbooks write them. Read this file first.

X is (features, examples), Y (outputs, examples), m the number of examples. Layer l has weights W (units, units below) and
biases b (units, 1); with A0 = X it computes, and on the way back gets from the derivatives dA of its outputs,

    Z = W A + b         A = g(Z)                                                       forward
    dZ = dA * g'(Z)     dW = dZ A_below^T     db = sum of dZ over examples             backward
    dA_below = W^T dZ                                                                  (Rumelhart, Hinton, Williams 1986)

    W <- W - rate * dW        b <- b - rate * db                                       gradient descent

No buffers, no populations: everything else in this room is the same mathematics in fewer and larger calls, and is held
against this file by tests.
"""

from math import erf, pi, sqrt

import numpy as np

Phi = np.vectorize(lambda z: (1 + erf(z / sqrt(2))) / 2)  # the normal distribution's share below z

ACTIVATIONS = {  # name -> g(Z), and g'(Z), where A = g(Z)
    "sigmoid": (lambda Z: 1 / (1 + np.exp(-Z)), lambda Z, A: A * (1 - A)),
    "tanh": (lambda Z: np.tanh(Z), lambda Z, A: 1 - A**2),
    "relu": (lambda Z: np.maximum(Z, 0), lambda Z, A: 1.0 * (Z > 0)),
    "leaky_relu": (lambda Z: np.maximum(Z, 0.01 * Z), lambda Z, A: np.where(Z > 0, 1.0, 0.01)),
    "linear": (lambda Z: Z, lambda Z, A: np.ones_like(Z)),
    "sin": (lambda Z: np.sin(Z), lambda Z, A: np.cos(Z)),
    "cos": (lambda Z: np.cos(Z), lambda Z, A: -np.sin(Z)),
    "softplus": (lambda Z: np.log(1 + np.exp(Z)), lambda Z, A: 1 / (1 + np.exp(-Z))),
    "swish": (lambda Z: Z / (1 + np.exp(-Z)), lambda Z, A: (1 + np.exp(-Z) * (1 + Z)) / (1 + np.exp(-Z)) ** 2),
    "gelu": (lambda Z: Z * Phi(Z), lambda Z, A: Phi(Z) + Z * np.exp(-(Z**2) / 2) / sqrt(2 * pi)),
    "softmax": (lambda Z: np.exp(Z) / np.exp(Z).sum(0), None),  # whose units depend on each other: see `backward`
}

COSTS = {  # name -> the cost of outputs A, a mean over the m examples, and its derivative by A
    "squared_error": (lambda A, Y, m: ((Y - A) ** 2).sum() / (2 * m), lambda A, Y, m: (A - Y) / m),
    "mean_squared_error": (lambda A, Y, m: ((Y - A) ** 2).sum() / m, lambda A, Y, m: 2 * (A - Y) / m),
    "mean_absolute_error": (lambda A, Y, m: np.abs(Y - A).sum() / m, lambda A, Y, m: np.sign(A - Y) / m),
    "binary_cross_entropy": (
        lambda A, Y, m: -(Y * np.log(A) + (1 - Y) * np.log(1 - A)).sum() / m,
        lambda A, Y, m: (A - Y) / (A * (1 - A)) / m,
    ),
    "categorical_cross_entropy": (lambda A, Y, m: -(Y * np.log(A)).sum() / m, lambda A, Y, m: -Y / A / m),
}


def forward(Ws, bs, activations, X):
    """Every layer's sums Z and outputs A, those of the inputs first."""
    Zs, As = [X], [X]
    for W, b, name in zip(Ws, bs, activations, strict=True):
        Zs.append(W @ As[-1] + b)
        As.append(ACTIVATIONS[name][0](Zs[-1]))
    return Zs, As


def backward(Ws, activations, Zs, As, dA):
    """The cost's derivatives (dWs, dbs), from dA, that by the last outputs."""
    dWs, dbs = [], []
    for layer in reversed(range(len(Ws))):
        Z, A, derivative = Zs[layer + 1], As[layer + 1], ACTIVATIONS[activations[layer]][1]
        # every output of a softmax depends on every sum: da_i / dz_j = a_i (delta_ij - a_j)
        dZ = A * (dA - (dA * A).sum(0)) if derivative is None else dA * derivative(Z, A)
        dWs.insert(0, dZ @ As[layer].T)
        dbs.insert(0, dZ.sum(1, keepdims=True))
        dA = Ws[layer].T @ dZ
    return dWs, dbs


def train(Ws, bs, activations, X, Y, cost, rate, epochs):
    """The costs before each update (epochs,), and the weights and biases after the last; the given ones stay."""
    value, derivative = COSTS[cost]
    costs, m = [], X.shape[1]
    for _ in range(epochs):
        Zs, As = forward(Ws, bs, activations, X)
        costs.append(value(As[-1], Y, m))
        dWs, dbs = backward(Ws, activations, Zs, As, derivative(As[-1], Y, m))
        Ws = [W - rate * dW for W, dW in zip(Ws, dWs, strict=True)]
        bs = [b - rate * db for b, db in zip(bs, dbs, strict=True)]
    return np.array(costs), Ws, bs
