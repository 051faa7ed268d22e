"""Training as TensorFlow Playground's own code does it: number by number, every sum in its order.

`Workspace` sums in the order that is fastest, and agrees with the page to 1e-12 and better as long as a network forgets what
rounding does to it. Some do not: a difference of 1e-15 in their first weights becomes one of 1e-3 within ten epochs. Their
losses are the page's only where every addition is made in the page's order, which no matrix product does, and with the
page's exp and tanh. So this is a second way to come to the same, in plain Python, as slow as a browser. After nn.ts and
playground.ts of tensorflow/playground.
"""

from collections.abc import Callable, Iterator
from functools import partial, reduce
from operator import add, mul
from typing import Any

import numpy as np

from sandbox.errors import RequestError
from sandbox.fdlibm import exp, tanh
from sandbox.nn.network import Network

Numbers = list[float]
OUTPUTS: dict[str, Callable[[float], float]] = {
    "relu": lambda z: max(0.0, z),
    "tanh": tanh,
    "sigmoid": lambda z: 1 / (1 + exp(-z)),
    "linear": lambda z: z,
}
SLOPES: dict[str, Callable[[float], float]] = {  # by the output
    "relu": lambda output: 1.0 if output > 0 else 0.0,
    "tanh": lambda output: 1 - output * output,
    "sigmoid": lambda output: output * (1 - output),
    "linear": lambda output: 1.0,
}
NEEDED = {
    "cost": "squared_error",
    "optimizer": "gd",
    "schedule": "constant",
    "batches": "carried",
    "l1_rule": "clipped",
}  # of the settings


class Batch:
    """What the loop of training sees of a batch: the calls that learn from its points."""

    def __init__(self, *calls: Callable[[], object]) -> None:
        self.forward: list[Callable[[], object]] = []
        self.backward = list(calls)

    def __getattr__(self, name: str) -> Any:
        raise RequestError(f"arithmetic page has no arrays of {name}: hooks that look at them need arithmetic matrix")


class PageWorkspace:
    """A network as the page has it, layers of units with their incoming weights, in the place of a Workspace.

    X is (features, examples) and Y (1, examples), `settings` those of a network of the page: squared error, plain gradient
    descent, batches that are carried, L1 that clips.
    """

    scheduled = False

    def __init__(self, network: Network, X: np.ndarray, Y: np.ndarray, settings: Any) -> None:
        if network.lead or X.ndim > 2 or Y.shape[0] != 1 or not set(network.activations) <= OUTPUTS.keys():
            raise RequestError(
                "arithmetic page trains one network of the page's activations, with one output, at a time"
            )
        for name, value in NEEDED.items():
            if getattr(settings, name) != value and not (name == "l1_rule" and not settings.l1):
                raise RequestError(f"{name} is {getattr(settings, name)!r}: arithmetic page needs {value!r}")
        self.settings, self._network, self._shown = settings, network.copy(), False
        self.points: list[Numbers] = X.T.tolist()
        self.targets: Numbers = Y[0].tolist()
        self.outputs, self.slopes = ([table[name] for name in network.activations] for table in (OUTPUTS, SLOPES))
        self._read()
        self.dead: list[list[list[bool]]] = [np.zeros(W.shape, bool).tolist() for W in network.weights]
        self._forget()
        size, count = settings.batch_size, len(self.points)
        if size is None or size > count:
            raise RequestError(f"batch_size is {size}: 1 to {count} are possible, of as many points, for an update")
        left = count % size
        learn = [partial(self._learn, start, start + size) for start in range(0, count - left, size)]
        self.batches = [Batch(one) for one in learn]
        self._later = [Batch(partial(self._learn, count - left, count), learn[0]), *self.batches[1:]]
        self.full, self.penalties, self.update = Batch(), [], [self._update]

    def passes(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch; what is left at its end is learnt from with the next one's first."""
        if self._shown:
            self._read()
        return iter(self._later if epoch else self.batches)

    def _read(self) -> None:
        """Take the numbers of the network that others see."""
        self.weights: list[list[Numbers]] = [W.tolist() for W in self._network.weights]
        self.biases: list[Numbers] = [b[:, 0].tolist() for b in self._network.biases]
        self._shown = False

    @property
    def network(self) -> Network:
        """The network as it is, always the same object; whoever writes to it changes what is trained."""
        self._shown = True
        for W, b, rows, biases in zip(
            self._network.weights, self._network.biases, self.weights, self.biases, strict=True
        ):
            W[...], b[:, 0] = rows, biases
        return self._network

    @property
    def gradient(self) -> Network:
        """The gradients of the last batch."""
        slopes = [np.array(rows) / max(self.count, 1) for rows in self.by_weights]
        biases = [np.array(one) / max(self.count, 1) for one in self.by_biases]
        return Network.from_parameters(slopes, biases, self._network.activations)

    def evaluate(self) -> float:
        """The loss on all points: the mean of half the squared errors."""
        total = 0.0
        for inputs, target in zip(self.points, self.targets, strict=True):
            error = self._forward(inputs)[-1][0] - target
            total += 0.5 * (error * error)
        return total / len(self.points)

    def _forward(self, inputs: Numbers) -> list[Numbers]:
        """The outputs of every layer, inputs first. Each sum begins with the bias."""
        layers = [inputs]
        for rows, biases, output in zip(self.weights, self.biases, self.outputs, strict=True):
            below = layers[-1]
            sums = (reduce(add, map(mul, row, below), bias) for row, bias in zip(rows, biases, strict=True))
            layers.append([output(one) for one in sums])
        return layers

    def _learn(self, start: int, stop: int) -> None:
        """Add up the error's derivatives at some points, one after another."""
        for inputs, target in zip(self.points[start:stop], self.targets[start:stop], strict=True):
            layers = self._forward(inputs)
            by_outputs = [layers[-1][0] - target]
            for number in range(len(self.weights) - 1, -1, -1):
                slope, below = self.slopes[number], layers[number]
                by_sums = [one * slope(output) for one, output in zip(by_outputs, layers[number + 1], strict=True)]
                weights, biases = self.by_weights[number], self.by_biases[number]
                for unit, one in enumerate(by_sums):
                    biases[unit] += one
                    weights[unit] = [before + one * value for before, value in zip(weights[unit], below, strict=True)]
                if number:
                    columns = zip(*self.weights[number], strict=True)
                    by_outputs = [reduce(add, map(mul, column, by_sums), 0.0) for column in columns]
            self.count += 1

    def _forget(self) -> None:
        self.by_weights = [[[0.0] * len(row) for row in rows] for rows in self.weights]
        self.by_biases = [[0.0] * len(biases) for biases in self.biases]
        self.count = 0

    def _update(self) -> None:
        if self._shown:
            self._read()
        rate, count = self.settings.learning_rate, self.count
        share, l1, l2 = rate / count, rate * self.settings.l1, rate * self.settings.l2
        for number, rows in enumerate(self.weights):
            pairs = zip(self.biases[number], self.by_biases[number], strict=True)
            self.biases[number] = [bias - rate * one / count for bias, one in pairs]
            for unit, row in enumerate(rows):
                moved = [weight - share * one for weight, one in zip(row, self.by_weights[number][unit], strict=True)]
                if l2:
                    moved = [one - l2 * weight for one, weight in zip(moved, row, strict=True)]
                if l1:
                    self._shrink(self.dead[number][unit], row, moved, l1)
                rows[unit] = moved
        self._forget()

    @staticmethod
    def _shrink(dead: list[bool], row: Numbers, moved: Numbers, l1: float) -> None:
        """L1: what is taken across zero is dead, and stays zero."""
        for place, (weight, one) in enumerate(zip(row, moved, strict=True)):
            further = one - l1 * ((weight > 0) - (weight < 0))
            dead[place] = dead[place] or one * further < 0
            moved[place] = 0.0 if dead[place] else further
