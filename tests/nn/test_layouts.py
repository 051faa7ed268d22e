"""Layouts: what a replica computes is the same, to the bit, among others and alone, whatever its data are shared with."""

from itertools import product

import numpy as np
import pytest

from sandbox import Network
from sandbox.nn.layouts import MANY, LastLinear, ReplicasLast, Stacked, choose_layout, einsum
from sandbox.nn.run import Run
from sandbox.nn.workspace import Settings

DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])


def same(one, other):
    return np.asarray(one).tobytes() == np.asarray(other).tobytes()


@DTYPES
@pytest.mark.parametrize("batch_size", [None, 1, 2, 3, 5, 7])
@pytest.mark.parametrize("sizes", [(2, 1), (3, 8, 1), (2, 1, 3), (5, 4, 2), (31, 1), (2, 40, 1)])
def test_a_population_is_its_networks(sizes, batch_size, dtype):
    """Products of a row with a matrix are where BLAS minds how far apart rows are in memory."""
    rng = np.random.default_rng(0)
    activations = ["tanh"] * (len(sizes) - 2) + ["sigmoid"]
    for count, examples, own in product((2, 5), (1, 11, 60), (False, True)):
        parameters = rng.normal(size=(count, Network.count(sizes))).astype(dtype)
        population = Network(sizes, activations, parameters)
        lead = (count,) if own else ()
        X, Y = rng.normal(size=(*lead, examples, sizes[0])), rng.uniform(size=(*lead, examples, sizes[-1]))
        settings = Settings("squared_error", 0.5, 4, batch_size, "momentum")
        rngs = [[np.random.default_rng(row) for row in range(count)] for _ in range(2)]
        together = Run(population, X, Y, settings, rng=rngs[0], of_populations=True).advance()
        for row in range(count):
            data = (X[row], Y[row]) if own else (X, Y)
            for network in (population[row], population[[row]]):
                generator = np.random.default_rng(row)
                alone = Run(network, *data, settings, rng=[generator], of_populations=True).advance()
                assert same(together.costs[row], alone.costs)
                assert float(together.cost[row]) == float(np.ravel(alone.cost)[0])
                assert same(together.network.parameters[row], alone.network.parameters)


@DTYPES
@pytest.mark.parametrize("replicas", [2, 3, 17, 300, 5000])
@pytest.mark.parametrize(("o", "i", "m"), [(1, 3, 4), (3, 3, 4), (5, 9, 16), (8, 2, 1)])
def test_products_with_the_replicas_last_are_added_one_after_another(o, i, m, replicas, dtype):
    """Against sums written out: the order of terms does not depend on how many replicas there are, nor on zeros."""
    rng = np.random.default_rng(0)
    layout = ReplicasLast((replicas,), dtype)
    W = rng.normal(size=(o, i + 1, replicas)).astype(dtype)
    X = rng.normal(size=(i, m)).astype(dtype)
    Z, dZ = layout.empty(o, m), rng.normal(size=(o, m, replicas)).astype(dtype)
    dW, dA = np.empty_like(W), np.empty((i, m, replicas), dtype)
    for A in (layout.inputs(X), layout.inputs(np.broadcast_to(X, (replicas, i, m)))):
        layer = LastLinear(W, A)
        for call in [*layer.forward(Z), *layer.backward(dZ, dW, dA)]:
            call()
        each = A if A.ndim == 3 else A[..., None]
        forward, gradient, below = np.zeros_like(Z), np.zeros_like(dW), np.zeros_like(dA)
        for k in range(i + 1):
            forward = forward + W[:, k, None] * each[k]
        for k in range(m):
            gradient = gradient + dZ[:, None, k] * each[:, k]
        for k in range(o):
            below = below + W[k, :-1, None] * dZ[k]
        assert same(Z, forward)
        assert same(dW, gradient)
        assert same(dA + 0.0, below + 0.0)  # of a zero's sign nothing depends


def test_the_layout_follows_from_the_network_alone():
    assert choose_layout((2, 3, 1), 4) is ReplicasLast
    assert choose_layout((2, 3, 1), 4, batch_size=2) is Stacked
    assert choose_layout((2, 8, 8, 1), 256) is Stacked
    assert choose_layout((30, 1), 426) is Stacked  # the first layer counts too
    assert MANY > 0
    assert einsum("i->", np.ones(3)) == 3
