"""Weights and biases written on one line: layers with ; between, units with |, numbers with commas."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sandbox.errors import RequestError
from sandbox.nn.network import Network


def with_numbers(network: Network, weights: str | None, biases: str | None) -> Network:
    """The network in float64, with these weights and biases where they are given. Raises RequestError.

    >>> network = Network.initialize([2, 1], ["sigmoid"])
    >>> with_numbers(network, "0.1,0.6", None).weights[0]
    array([[0.1, 0.6]])
    """
    network = Network(network.sizes, network.activations, network.parameters.astype(np.float64))
    for parts, text, parse in ((network.weights, weights, parse_weights), (network.biases, biases, parse_biases)):
        for part, array in zip(parts, parse(text, network.sizes) if text else (), strict=False):
            part[...] = array
    return network


def parse_weights(text: str, sizes: Sequence[int]) -> list[np.ndarray]:
    """W of each layer, (units out, units in), for a network of layer `sizes`.

    Raises RequestError that says what is there and what would be right.

    >>> parse_weights("1,2 | 3,4 | 5,6 ; 7,8,9", [2, 3, 1])[1]
    array([[7., 8., 9.]])
    """
    layers = _split(text, sizes, "--weights")
    return [
        _numbers([unit.split(",") for unit in layer.split("|")], shape, f"--weights, layer {number}")
        for number, (layer, shape) in enumerate(zip(layers, _shapes(sizes), strict=True), 1)
    ]


def parse_biases(text: str, sizes: Sequence[int]) -> list[np.ndarray]:
    """b of each layer, (units out, 1), for a network of layer `sizes`; raises RequestError likewise.

    >>> parse_biases("0,0,1 ; -1", [2, 3, 1])[1]
    array([[-1.]])
    """
    layers = _split(text, sizes, "--bias")
    return [
        _numbers([layer.split(",")], (1, n_out), f"--bias, layer {number}").T
        for number, (layer, (n_out, _)) in enumerate(zip(layers, _shapes(sizes), strict=True), 1)
    ]


def _shapes(sizes: Sequence[int]) -> list[tuple[int, int]]:
    return [(n_out, n_in) for n_in, n_out in pairwise(sizes)]


def _split(text: str, sizes: Sequence[int], option: str) -> list[str]:
    layers = text.split(";")
    if len(layers) != len(sizes) - 1:
        raise RequestError(
            f"{option} is for {_counted(len(layers), 'layer')}: the network {'-'.join(map(str, sizes))} has "
            f"{len(sizes) - 1} (layers have ; between them, and --hidden says how many there are)"
        )
    return layers


def _numbers(rows: list[list[str]], shape: tuple[int, int], where: str) -> np.ndarray:
    n_out, n_in = shape
    if len(rows) != n_out or any(len(row) != n_in for row in rows):
        found = " | ".join(str(len(row)) for row in rows[:6]) + (" | ..." if len(rows) > 6 else "")
        units = f"{_counted(n_out, 'unit')} of " if n_out > 1 else ""
        between = ", units with | between" if "weights" in where else ""
        raise RequestError(
            f"{where}: {units}{_counted(n_in, 'number')} with commas between are needed{between}; there are {found}"
        )
    try:
        array = np.array([[float(number) for number in row] for row in rows])
    except ValueError:
        raise RequestError(f"{where}: {'|'.join(','.join(row) for row in rows)!r} is not made of numbers") from None
    if not np.isfinite(array).all():
        raise RequestError(f"{where}: every number must be finite")
    return array


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("s" if count != 1 else "")
