"""Descent by finite differences, as chapter 1 of "Modern Computer Vision with PyTorch" has it, and how long it takes.

Every derivative is the difference of two losses whose parameters are 0.0001 apart. In the book parameters are float32 and
losses float64, as here, so that its figures come out to the last digit.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import numpy as np

from sandbox import Network
from studies.gradients import by_matrices

HIDDEN = [[-0.0053, 0.3793], [-0.5820, -0.5204], [-0.2723, 0.1896]]
HIDDEN_BIASES = [-0.0140, 0.5607, -0.0628]
OUTPUT, OUTPUT_BIAS = [[0.1528, -0.1745, -0.1135]], [-0.5516]
NAMES = ["sigmoid", "linear"]
UPDATES, RATE = 100, 0.01
REPEATS = 7
x = np.array([[1.0], [2.0], [3.0], [4.0]])


def forward_differences(
    loss: Callable[..., np.floating], parameters: list[np.ndarray], rate: float, updates: int
) -> list[np.ndarray]:
    """Gradient descent the book's way: each derivative is (loss(p + 0.0001) - loss(p)) / 0.0001."""
    for _ in range(updates):
        before, stepped = loss(*parameters), [array.copy() for array in parameters]
        for array, new in zip(parameters, stepped, strict=True):
            for index, value in np.ndenumerate(array):
                array[index] += 0.0001
                new[index] -= rate * (loss(*parameters) - before) / 0.0001
                array[index] = value
        parameters = stepped
    return parameters


def toy_network() -> Network:
    """The toy network as the book starts it: its numbers rounded to float32, exact from there."""
    start = Network.from_parameters([HIDDEN, OUTPUT], [HIDDEN_BIASES, OUTPUT_BIAS], NAMES, dtype=np.float32)
    return Network(start.sizes, NAMES, start.parameters.astype(np.float64))


def toy_output(W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray) -> np.ndarray:
    """The toy network's output for x = (1, 1); the target is 0."""
    return 1 / (1 + np.exp(-(np.dot([[1, 1]], W1.T) + b1))) @ W2.T + b2


def toy_descent() -> Network:
    """The toy network after the book's 100 updates."""
    start = [np.array(values, np.float32) for values in (HIDDEN, HIDDEN_BIASES, OUTPUT, OUTPUT_BIAS)]
    W1, b1, W2, b2 = forward_differences(lambda *p: np.mean(toy_output(*p) ** 2), start, RATE, UPDATES)
    return Network.from_parameters([W1, W2], [b1, b2], NAMES, dtype=np.float64)


def toy_retraced() -> float:
    """The book's prediction after 100 updates."""
    return toy_descent().predict([[1, 1]]).item()


def line_retraced() -> float:
    """The book's w after 1000 updates at rate 1."""
    zeros = [np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32)]
    return forward_differences(lambda w, b: np.mean((x * w + b - 3 * x) ** 2), zeros, 1.0, 1000)[0].item()


def backpropagation_descent() -> Network:
    """The toy network after as many updates by backpropagation, in plain NumPy as well.

    The cost of `by_matrices` has the factor 1/2 that the book's has not, hence twice the rate.
    """
    network, X, Y = toy_network(), np.array([[1.0, 1.0]]), np.array([[0.0]])
    for _ in range(UPDATES):
        network.parameters -= 2 * RATE * by_matrices(network, X, Y)
    return network


class Times(NamedTuple):
    """Seconds that the toy network's descent takes: medians of REPEATS, taken by turns."""

    differences: float
    backpropagation: float

    @property
    def ratio(self) -> float:
        return self.differences / self.backpropagation

    def __str__(self) -> str:
        return (
            f"Finite differences, as the book descends, take {self.ratio:.1f} times as long as backpropagation: "
            f"{self.differences * 1e3:.1f} ms against {self.backpropagation * 1e3:.1f} ms\n"
            f"for {UPDATES} updates of {toy_network().parameters.size} parameters (medians of {REPEATS}, this run). "
            "The factor grows with the parameters:\nsee .venv/bin/python -m studies.gradients"
        )


def measure_times() -> Times:
    """Both descents, timed."""
    taken: dict[Callable[[], Network], list[float]] = {toy_descent: [], backpropagation_descent: []}
    for _ in range(REPEATS):
        for descend, seconds in taken.items():
            started = time.perf_counter()
            descend()
            seconds.append(time.perf_counter() - started)
    return Times(*map(median, taken.values()))
