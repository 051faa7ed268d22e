r"""What theory says about the signal in a network whose weights were just drawn: variances, forward and backward.

With weights that are independent of mean zero, a weighted sum z = sum_i w_i a_i + b over n inputs has mean zero and

    q = E[z^2] = n E[w^2] E[a^2] + E[b^2]

whatever the distribution of the weights; for many inputs it is normal (central limit). A layer g then gives

    E[a] = E[g(z)]        E[a^2] = E[g(z)^2]        z normal with variance q

from which the next layer's q follows: E[a^2] is q for linear layers and q/2 for ReLU, hence Xavier's 1/n and He's 2/n.
Backwards, with the sums of a layer feeding n' units above,

    E[dz^2] = n' E[w'^2] E[dz'^2] E[g'(z)^2]

starting from the last layer's derivatives as they are, which depend on the cost and the targets (Glorot and Bengio 2010,
equations 5 and 6; He et al. 2015, sections 2.2; with the integrals of Poole et al. 2016 and Schoenholz et al. 2017).
q is computed for each example, since examples of different length have different variances; all is averaged at the end.
"""

from typing import Any

import numpy as np

from sandbox.nn.activations import get_activation
from sandbox.nn.network import Network

# The midpoint rule in steps of 1/16 standard deviation. For smooth functions it converges faster than any power of the
# step (Trefethen and Weideman 2014), and it takes ReLU's kink at 0 to within 0.02 %, where Gauss-Hermite takes 1 %.
NODES = np.arange(-8 + 1 / 32, 8, 1 / 16)
MASSES = np.exp(-np.square(NODES) / 2)
MASSES /= MASSES.sum()
AT_ONCE = 4096  # variances, so that memory stays small


def normal_means(activation: str, variances: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """E[g(z)], E[g(z)^2] and E[g'(z)^2] for normal z of mean zero and these variances, each in their shape.

    NaN for softmax, which is no function of one sum. Raises RequestError for an unknown activation.

    >>> [value.round(2).item() for value in normal_means("relu", 2.0)]
    [0.56, 1.0, 0.5]
    """
    g, variances = get_activation(activation), np.asarray(variances, float)
    means = np.full((3, variances.size), np.nan)
    for start in range(0, variances.size if activation != "softmax" else 0, AT_ONCE):
        some = slice(start, start + AT_ONCE)
        Z = np.sqrt(variances.ravel()[some])[:, None] * NODES
        A, scratch, one, slopes = np.empty_like(Z), np.empty_like(Z), np.ones(()), np.ones_like(Z)
        for call in [*g.forward(Z, A, scratch, one), *g.backward(slopes, A, Z, scratch, one)]:
            call()
        means[:, some] = [np.vecdot(values, MASSES) for values in (A, np.square(A), np.square(slopes))]
    mean, square, slope = means.reshape(3, *variances.shape)
    return mean, square, slope


def predicted_variances(
    network: Network, inputs: np.ndarray, last: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The variances of all layers' activations, and of the derivatives by their sums except the last layer's.

    `inputs` is (..., features, examples), `last` the derivatives by the last layer's sums (..., outputs, examples); the
    variances are (...), a replica each. E[w^2] is the mean square of the weights as they were drawn.

    >>> network = Network.from_parameters([[[1, -1], [1, 1]], [[1, -1]]], [[0, 0], [0]], ["relu", "linear"])
    >>> forward, backward = predicted_variances(network, np.array([[3], [1]]), np.array([[1]]))
    >>> [round(float(variance), 1) for variance in [*forward, *backward]]  # 5 - 5/pi, 10; 1/2
    [3.4, 10.0, 0.5]
    """
    square, forward, slopes = np.square(inputs, dtype=float, order="C").mean(-2), [], []
    for W, b, activation in zip(network.weights, network.biases, network.activations, strict=True):
        q = W.shape[-1] * _mean_square(W) * square + _mean_square(b)
        mean, square, slope = normal_means(activation, q)
        forward.append(square.mean(-1) - mean.mean(-1) ** 2)
        slopes.append(slope)
    square, backward = np.square(last, dtype=float, order="C").mean(-2), []
    for W, slope in zip(network.weights[:0:-1], slopes[-2::-1], strict=True):
        square = W.shape[-2] * _mean_square(W) * square * slope
        backward.append(square.mean(-1))
    return forward, backward[::-1]


def _mean_square(values: np.ndarray) -> np.ndarray:
    """E[w^2] of each replica, (..., 1)."""
    return np.square(values, dtype=float, order="C").mean((-2, -1))[..., None]  # a sum grouped alike in every layout
