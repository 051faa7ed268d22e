"""Padding: networks of different widths in the same arrays, the missing units having weights of zero.

A unit without incoming and outgoing weights changes nothing, and stays so where its gradients are masked. Twenty
architectures then train as a few populations, which share the interpreter's time.
"""

from collections.abc import Sequence

import numpy as np

from sandbox.nn.network import Network


def common_sizes(networks: Sequence[Network]) -> tuple[int, ...]:
    """The layer sizes that all of these networks, of equal depth, fit into."""
    return tuple(max(sizes) for sizes in zip(*(network.sizes for network in networks), strict=True))


def pad(network: Network, sizes: tuple[int, ...]) -> Network:
    """The network with more units, whose weights and biases are zero; its outputs are the same."""
    if network.sizes == sizes:
        return network
    padded = Network(sizes, network.activations, np.zeros(Network.count(sizes), network.parameters.dtype))
    for W, b, small_W, small_b in zip(padded.weights, padded.biases, network.weights, network.biases, strict=True):
        n_out, n_in = small_W.shape
        W[:n_out, :n_in], b[:n_out] = small_W, small_b
    return padded


def crop(network: Network, sizes: tuple[int, ...]) -> Network:
    """The network that `pad` was given: the first units of every layer."""
    if network.sizes == sizes:
        return network
    weights = [W[:n_out, :n_in] for W, n_in, n_out in zip(network.weights, sizes, sizes[1:], strict=False)]
    biases = [b[:n_out] for b, n_out in zip(network.biases, sizes[1:], strict=True)]
    return Network.from_parameters(weights, biases, network.activations, network.parameters.dtype)


def mask(network: Network, sizes: tuple[int, ...]) -> np.ndarray:
    """(P,) ones where the padded network has a parameter of this one, zeros elsewhere."""
    return pad(Network(network.sizes, network.activations, np.ones_like(network.parameters)), sizes).parameters
