"""The textbook's NumPy: clear, a new array for every expression, the cost kept at every epoch."""

import numpy as np

from studies.bench.networks import Work


def train(work: Work, seed: int = 0) -> np.ndarray:
    """Full batch, sigmoid everywhere, squared error; the costs, one for each epoch."""
    (W1, b1), (W2, b2) = work.weights(seed)
    X, Y = work.X.T.astype(work.dtype), work.Y.T.astype(work.dtype)
    m, rate, costs = X.shape[1], work.learning_rate, []
    for _ in range(work.epochs):
        Z1 = np.dot(W1, X) + b1
        A1 = 1 / (1 + np.exp(-Z1))
        Z2 = np.dot(W2, A1) + b2
        A2 = 1 / (1 + np.exp(-Z2))
        costs.append(np.sum((Y - A2) ** 2) / (2 * m))
        dZ2 = (A2 - Y) / m * A2 * (1 - A2)
        dW2 = np.dot(dZ2, A1.T)
        db2 = np.sum(dZ2, axis=1, keepdims=True)
        dZ1 = np.dot(W2.T, dZ2) * A1 * (1 - A1)
        dW1 = np.dot(dZ1, X.T)
        db1 = np.sum(dZ1, axis=1, keepdims=True)
        W1 = W1 - rate * dW1
        b1 = b1 - rate * db1
        W2 = W2 - rate * dW2
        b2 = b2 - rate * db2
    return np.array(costs)


def by_hand(work: Work, seed: int = 0) -> np.ndarray:
    """What our trainer does for this network, written out without a trainer: the floor of its overhead."""
    layers = work.weights(seed)
    sizes = [(b.size, W.shape[1] + 1) for W, b in layers]
    parameters = np.concatenate([np.hstack(layer).ravel() for layer in layers])
    cut = sizes[0][0] * sizes[0][1]
    gradients, step = np.zeros_like(parameters), np.zeros_like(parameters)
    V1, V2 = parameters[:cut].reshape(sizes[0]), parameters[cut:].reshape(sizes[1])
    dV1, dV2 = gradients[:cut].reshape(sizes[0]), gradients[cut:].reshape(sizes[1])
    m, hidden = len(work.X), sizes[0][0]
    X, Y = np.vstack([work.X.T, np.ones(m)]), work.Y.T
    A1 = np.ones((hidden + 1, m))
    H, A2 = A1[:-1], np.empty((1, m))
    D2, D1, T1, T2 = np.empty((1, m)), np.empty((hidden, m)), np.empty((hidden, m)), np.empty((1, m))
    flat, X_T, A1_T, W2_T = D2.reshape(-1), X.T, A1.T, V2[:, :-1].T
    one, share, rate = np.ones(()), np.array(1 / m), np.array(work.learning_rate)
    costs, half = np.empty(work.epochs), m / 2
    dot, exp, add, negative, reciprocal = np.dot, np.exp, np.add, np.negative, np.reciprocal
    subtract, multiply = np.subtract, np.multiply
    for epoch in range(work.epochs):
        dot(V1, X, H)
        negative(H, H)
        exp(H, H)
        add(H, one, H)
        reciprocal(H, H)
        dot(V2, A1, A2)
        negative(A2, A2)
        exp(A2, A2)
        add(A2, one, A2)
        reciprocal(A2, A2)
        subtract(A2, Y, D2)
        multiply(D2, share, D2)
        costs[epoch] = dot(flat, flat) * half
        subtract(one, A2, T2)
        multiply(T2, A2, T2)
        multiply(D2, T2, D2)
        dot(D2, A1_T, dV2)
        multiply(W2_T, D2, D1)
        subtract(one, H, T1)
        multiply(T1, H, T1)
        multiply(D1, T1, D1)
        dot(D1, X_T, dV1)
        multiply(gradients, rate, step)
        subtract(parameters, step, parameters)
    return costs
