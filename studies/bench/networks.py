"""The networks and data that every contestant trains, as plain arrays: nobody gets a head start."""

from dataclasses import dataclass

import numpy as np

from sandbox.data import load_parts
from sandbox.nn.network import Network

SQUARED, ENTROPY = "squared_error", "binary_cross_entropy"


@dataclass(frozen=True)
class Work:
    """One network to train: layer sizes, hidden activation (the output is a sigmoid), cost, data, epochs."""

    sizes: tuple[int, ...]
    activation: str
    cost: str
    X: np.ndarray  # (examples, features)
    Y: np.ndarray  # (examples, 1)
    epochs: int
    dtype: str = "float64"
    batch_size: int | None = None
    learning_rate: float = 0.5

    @property
    def activations(self) -> list[str]:
        return [self.activation] * (len(self.sizes) - 2) + ["sigmoid"]

    def network(self, seed: int = 0) -> Network:
        return Network.initialize(self.sizes, self.activations, "xavier", np.random.default_rng(seed), self.dtype)

    def weights(self, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
        """(W, b) of each layer, b of shape (units, 1)."""
        network = self.network(seed)
        return [(W.copy(), b.copy()) for W, b in zip(network.weights, network.biases, strict=True)]


GATE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([[0.0], [1.0], [1.0], [0.0]])


def xor(epochs: int, dtype: str = "float64", hidden: tuple[int, ...] = (3,)) -> Work:
    """The XOR gate, 2-3-1, sigmoid everywhere, squared error."""
    return Work((2, *hidden, 1), "sigmoid", SQUARED, GATE, XOR, epochs, dtype, learning_rate=1.0)


def clouds(epochs: int, dtype: str) -> Work:
    """2-8-8-1 tanh on 256 examples, cross-entropy."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(256, 2))
    return Work((2, 8, 8, 1), "tanh", ENTROPY, X, 1.0 * (X[:, :1] * X[:, 1:] > 0), epochs, dtype, learning_rate=0.1)


def breast_cancer(epochs: int) -> Work:
    """30-16-1 tanh on the Wisconsin data, mini-batches of 32."""
    data = load_parts("breast_cancer", n=426).train  # all that are not for testing
    return Work((30, 16, 1), "tanh", ENTROPY, data.X, data.Y, epochs, batch_size=32, learning_rate=0.1)


def wide(epochs: int) -> Work:
    """64-256-256-1 ReLU in float32, mini-batches of 256."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2048, 64))
    Y = 1.0 * (X[:, :1] * X[:, 1:2] > 0)
    return Work((64, 256, 256, 1), "relu", ENTROPY, X, Y, epochs, "float32", batch_size=256, learning_rate=0.05)
