"""Penalties: l1 * sum(|w|) + l2 / 2 * sum(w^2), biases left out, summed in plain loops here."""

import numpy as np
import pytest

from sandbox import Network, fit
from sandbox.nn import gradients
from sandbox.nn.penalties import penalty, weight_mask

X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
NETWORK = Network([2, 3, 1], ["tanh", "sigmoid"], np.random.default_rng(2).normal(size=13))
POPULATION = Network([2, 3, 1], ["tanh", "sigmoid"], np.random.default_rng(3).normal(size=(4, 13)))
RATES = [0.0, 0.1, 0.2, 0.7]


def by_hand(network, l1, l2):
    ws = [w for W in network.weights for row in W.tolist() for w in row]
    return l1 * sum(abs(w) for w in ws) + l2 / 2 * sum(w * w for w in ws)


@pytest.mark.parametrize(("l1", "l2"), [(0, 0), (0.3, 0), (0, 0.2), (0.3, 0.2)])
def test_value_and_gradient(l1, l2):
    assert penalty(NETWORK, l1, l2) == pytest.approx(by_hand(NETWORK, l1, l2), rel=1e-14)
    cost, slopes = gradients(NETWORK, X, Y)
    with_penalty, changed = gradients(NETWORK, X, Y, l1=l1, l2=l2)
    assert with_penalty - cost == pytest.approx(by_hand(NETWORK, l1, l2), abs=1e-14)
    for layer, W in enumerate(NETWORK.weights):
        added = [[l1 * (1 if w > 0 else -1) + l2 * w for w in row] for row in W.tolist()]
        assert changed.weights[layer] - slopes.weights[layer] == pytest.approx(np.array(added), abs=1e-14)
        assert np.array_equal(changed.biases[layer], slopes.biases[layer])


def test_l1_leaves_a_weight_of_zero_alone():
    zero = Network([2, 1], ["linear"], np.zeros(3))
    assert np.array_equal(gradients(zero, X, Y, l1=5.0)[1].parameters, gradients(zero, X, Y)[1].parameters)


def test_each_replica_has_its_own():
    values = penalty(POPULATION, np.array(RATES), np.array(RATES[::-1]))
    assert values == pytest.approx([by_hand(POPULATION[r], RATES[r], RATES[-1 - r]) for r in range(4)], rel=1e-14)


@pytest.mark.parametrize("batch_size", [None, 4])
def test_training_follows_it_and_the_cost_leaves_it_out(batch_size):
    run = fit(POPULATION, X, Y, learning_rate=0.5, epochs=1, l1=RATES, l2=RATES[::-1], batch_size=batch_size)
    for r in range(4):
        cost, _ = gradients(POPULATION[r], X, Y)
        _, slopes = gradients(POPULATION[r], X, Y, l1=RATES[r], l2=RATES[-1 - r])
        assert run.costs[r, 0] == pytest.approx(cost, rel=1e-12)
        expected = POPULATION.parameters[r] - 0.5 * slopes.parameters
        assert run.network.parameters[r] == pytest.approx(expected, rel=1e-12)
        assert run.penalty[r] == pytest.approx(by_hand(run.network[r], RATES[r], RATES[-1 - r]), rel=1e-12)


def test_l2_alone_shrinks_weights_geometrically():
    still = Network.from_parameters([[[3.0, -2.0]]], [[0.5]], ["linear"])
    run = fit(still, [[0, 0]], [0.5], learning_rate=0.1, l2=0.5, epochs=20)  # the cost has no slope there
    assert run.network.weights[0] == pytest.approx(np.array([[3.0, -2.0]]) * 0.95**20, rel=1e-12)
    assert run.network.biases[0].item() == 0.5


def test_mask_leaves_biases_out():
    network = Network([2, 3, 1], ["tanh", "sigmoid"], weight_mask((2, 3, 1)))
    assert all((W == 1).all() for W in network.weights)
    assert all((b == 0).all() for b in network.biases)
