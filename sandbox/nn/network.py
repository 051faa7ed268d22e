"""The network: layers of weights, biases and activations. One network, or a population of them in the same arrays."""

from collections.abc import Sequence
from itertools import pairwise
from os import PathLike
from typing import Any

import numpy as np

from sandbox.errors import RequestError
from sandbox.nn.activations import get_activation
from sandbox.nn.initializers import InitializerName, get_initializer
from sandbox.nn.storage import read_arrays, write_arrays
from sandbox.own import Own, name_of


class Network:
    """Layers A -> g(W A + b), all parameters in one array.

    `parameters` has shape (..., P). Whatever stands before P is replicas: nothing for one network, (R,) for a population
    of R. Layer by layer it holds the rows of [W | b], W being (units out, units in) and b (units out, 1). `weights`
    and `biases` are lists of views into it, so that writing to them changes the network.

    >>> or_gate = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])
    >>> or_gate.predict([[0, 0], [1, 1]]).round(4).tolist()
    [[0.5], [0.6682]]
    """

    def __init__(self, sizes: Sequence[int], activations: Sequence[Own], parameters: np.ndarray) -> None:
        self.sizes = tuple(int(size) for size in sizes)
        self.activations: tuple[str, ...] = tuple(name_of("activation", one) for one in activations)
        if len(self.sizes) != len(self.activations) + 1:
            raise RequestError(
                f"{len(self.activations)} activations for {len(self.sizes) - 1} layers: give one for each layer"
            )
        for name in self.activations:
            get_activation(name)
        if parameters.shape[-1] != self.count(self.sizes):
            raise RequestError(
                f"{parameters.shape[-1]} parameters for layers {self.sizes}: {self.count(self.sizes)} are needed"
            )
        self.parameters = parameters
        blocks = split_layers(parameters, self.sizes)
        self.weights = [block[..., :-1] for block in blocks]
        self.biases = [block[..., -1:] for block in blocks]

    @classmethod
    def from_parameters(
        cls, weights: Sequence[Any], biases: Sequence[Any], activations: Sequence[Own], dtype: Any = None
    ) -> "Network":
        """A network with the given numbers, copied.

        `weights[l]` is (..., units out, units in), a single neuron's may be flat; `biases[l]` is (..., units out, 1),
        (units out,) or one number. `activations` are names such as ["sigmoid", "sigmoid"], or one's own, which have to be at
        the top of a module. The type is float64 unless
        the weights are float32 or `dtype` says otherwise. Raises RequestError where the shapes do not fit.
        """
        Ws = [np.atleast_2d(np.asarray(W)) for W in weights]
        if not Ws or len(Ws) != len(biases):
            raise RequestError(f"{len(Ws)} weights and {len(biases)} biases: give one of each for every layer")
        if dtype is None:
            dtype = np.float32 if all(W.dtype == np.float32 for W in Ws) else np.float64
        sizes = [Ws[0].shape[-1], *(W.shape[-2] for W in Ws)]
        try:
            lead = np.broadcast_shapes(*(W.shape[:-2] for W in Ws))
        except ValueError:
            raise RequestError(f"weights of shapes {[W.shape for W in Ws]}: the replica axes must agree") from None
        network = cls(sizes, activations, np.empty((*lead, cls.count(sizes)), dtype))
        for number, (W, b) in enumerate(zip(Ws, biases, strict=True)):
            b = np.asarray(b)
            b = b[:, None] if b.ndim == 1 else b
            try:
                network.weights[number][...] = W.reshape(*W.shape[:-1], sizes[number])  # one column is not stretched
                network.biases[number][...] = b
            except ValueError:
                raise RequestError(
                    f"layer {number + 1}: weights {W.shape} and biases {b.shape} do not fit; with {sizes[number]} units "
                    f"in and {sizes[number + 1]} out they are {(sizes[number + 1], sizes[number])} and "
                    f"{(sizes[number + 1], 1)}"
                ) from None
        return network

    @classmethod
    def initialize(
        cls,
        sizes: Sequence[int],
        activations: Sequence[Own],
        initializer: InitializerName | Own = "xavier",
        rng: Any = None,
        dtype: Any = np.float64,
        bias_scale: float = 0.0,
        bias: float = 0.0,
    ) -> "Network":
        """A new network of layers `sizes`, weights drawn layer by layer from `rng`.

        Biases are `bias`, plus `bias_scale` times standard normal numbers, drawn after all weights.

        `initializer` is a name or a function `(rng, (n_out, n_in)) -> array`; `rng` is a numpy.random.Generator
        (default: a fresh one of seed 0).
        """
        draw = get_initializer(initializer)
        rng = np.random.default_rng(0) if rng is None else rng
        network = cls(sizes, activations, np.zeros(cls.count(sizes), dtype))
        with np.errstate(over="ignore"):  # weights too large for the type are infinite: such a network diverges
            for W in network.weights:
                W[...] = draw(rng, W.shape)
            for b in network.biases:
                b[...] = bias + bias_scale * rng.standard_normal(b.shape) if bias_scale else bias
        return network

    @staticmethod
    def count(sizes: Sequence[int]) -> int:
        """How many parameters, weights and biases, a network of these layer sizes has."""
        return sum(n_out * (n_in + 1) for n_in, n_out in pairwise(sizes))

    @property
    def lead(self) -> tuple[int, ...]:
        """The replica axes: () for one network, (R,) for a population."""
        return self.parameters.shape[:-1]

    def __getitem__(self, replica: Any) -> "Network":
        """One network (or some) of a population, as a copy."""
        return Network(self.sizes, self.activations, self.parameters[replica].copy())

    def copy(self) -> "Network":
        """A network with the same numbers in arrays of its own."""
        return Network(self.sizes, self.activations, np.array(self.parameters, order="C"))

    def predict(self, X: Any) -> np.ndarray:
        """Outputs (..., examples, outputs) for X of (examples, features), or (..., examples, features)."""
        with np.errstate(over="ignore"):  # numbers too large for float32 are infinite there
            X = np.asarray(X, self.parameters.dtype)
        if X.ndim < 2 or X.shape[-1] != self.sizes[0]:
            raise RequestError(f"X has shape {X.shape}: (examples, {self.sizes[0]}) is needed")
        A = X.mT
        with np.errstate(invalid="ignore", over="ignore"):
            for W, b, name in zip(self.weights, self.biases, self.activations, strict=True):
                A = get_activation(name)(W @ A + b)
        return A.mT

    def save(self, path: str | PathLike[str], *, epoch: int = 0) -> None:
        """Write sizes, activations, parameters and an epoch to the file `path`, NumPy's .npz without pickle.

        A file that is there is replaced in one step. Raises OSError where it cannot be written.
        """
        write_arrays(path, sizes=self.sizes, activations=self.activations, parameters=self.parameters, epoch=epoch)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Network":
        """The network in a file that `save` wrote. Raises RequestError for a file that is not there, damaged or foreign."""
        arrays = read_arrays(path)
        try:
            return cls(arrays["sizes"].tolist(), arrays["activations"].tolist(), arrays["parameters"])
        except RequestError as error:
            raise RequestError(f"{path}: {error}") from None

    def __repr__(self) -> str:
        lead = f", replicas={self.lead}" if self.lead else ""
        return f"Network({'-'.join(map(str, self.sizes))}, {', '.join(self.activations)}{lead})"


def split_layers(parameters: np.ndarray, sizes: Sequence[int], axis: int = -1) -> list[np.ndarray]:
    """Views [W | b] of (..., units out, units in + 1), a layer each, into parameters whose axis `axis` is P."""
    axis %= parameters.ndim
    blocks, start = [], 0
    for n_in, n_out in pairwise(sizes):
        stop = start + n_out * (n_in + 1)
        part = parameters[(slice(None),) * axis + (slice(start, stop),)]
        blocks.append(part.reshape(*part.shape[:axis], n_out, n_in + 1, *part.shape[axis + 1 :]))
        start = stop
    return blocks
