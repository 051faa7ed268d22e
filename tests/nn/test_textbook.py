"""The textbook: published figures, and the fast path held against it, one network, a population and one alone."""

from itertools import product

import numpy as np
import pytest

from sandbox import Network, fit
from sandbox.nn import textbook
from sandbox.nn.activations import ACTIVATIONS
from sandbox.nn.costs import COSTS
from sandbox.nn.run import Run
from sandbox.nn.workspace import Settings

GATE = np.array([[0.0, 0, 1, 1], [0, 1, 0, 1]])
OR = np.array([[0.0, 1, 1, 1]])


def fits(cost, output):
    return COSTS[cost].output in (None, output)


def test_the_or_gate():
    """One sigmoid neuron, w = (0.1, 0.6), b = 0 (the figures are those of the book that studies/published quotes)."""
    Ws, bs = [np.array([[0.1, 0.6]])], [np.array([[0.0]])]
    Zs, As = textbook.forward(Ws, bs, ["sigmoid"], GATE)
    value, derivative = textbook.COSTS["squared_error"]
    assert value(As[-1], OR, 4) == pytest.approx(0.08891294752305501, rel=1e-14)
    (dW,), (db,) = textbook.backward(Ws, ["sigmoid"], Zs, As, derivative(As[-1], OR, 4))
    assert dW.ravel() == pytest.approx([-0.04800646291552392, -0.03865882381678035], rel=1e-14)
    assert db.item() == pytest.approx(-0.03702352612570836, rel=1e-14)
    costs, (W,), (b,) = textbook.train(Ws, bs, ["sigmoid"], GATE, OR, "squared_error", 1.0, 1)
    assert costs.tolist() == [value(As[-1], OR, 4)]
    assert W.ravel() == pytest.approx([0.14800646291552392, 0.63865882381678035], rel=1e-14)
    assert b.item() == pytest.approx(0.03702352612570836, rel=1e-14)


def test_it_has_everything_that_the_fast_path_has():
    assert textbook.ACTIVATIONS.keys() == ACTIVATIONS.keys()
    assert textbook.COSTS.keys() == COSTS.keys()


@pytest.mark.parametrize("hidden", [name for name in ACTIVATIONS if name != "softmax"])
@pytest.mark.parametrize(("cost", "output"), [pair for pair in product(COSTS, ACTIVATIONS) if fits(*pair)])
def test_the_fast_path(hidden, cost, output):
    rng = np.random.default_rng(3)
    sizes, activations = [3, 5, 4, 3], [hidden, hidden, output]
    population = Network(sizes, activations, rng.normal(size=(3, Network.count(sizes)), scale=0.5))
    X, Y = rng.normal(size=(7, 3)), np.eye(3)[rng.integers(3, size=7)]
    if cost == "mean_absolute_error":
        Y = 9 * (2 * Y - 1)  # out of reach, so that no error changes its sign, where rounding would decide
    options = {"cost": cost, "learning_rate": 0.1, "epochs": 40}
    together = fit(population, X, Y, **options)
    of_populations = Run(population[0], X, Y, Settings(**options), of_populations=True).advance()
    for row in range(3):
        network = population[row]
        costs, Ws, bs = textbook.train(network.weights, network.biases, activations, X.T, Y.T, cost, 0.1, 40)
        alone = fit(network, X, Y, **options)
        for ours, parameters in (
            (together.costs[row], together.network[row]),
            (alone.costs, alone.network),
            (of_populations.costs, of_populations.network),
        )[: 3 if row == 0 else 2]:
            assert ours == pytest.approx(costs, rel=1e-9)
            for mine, theirs in zip([*parameters.weights, *parameters.biases], [*Ws, *bs], strict=True):
                assert mine == pytest.approx(theirs, rel=1e-9, abs=1e-12)
