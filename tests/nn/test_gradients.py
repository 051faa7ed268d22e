"""Gradients: against finite differences for networks of any shape, and against sums written out."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sandbox import Network, RequestError, gradient_check
from sandbox.nn import gradients
from sandbox.nn.activations import ACTIVATIONS
from sandbox.nn.costs import COSTS

XOR_X, XOR_Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
OUTPUTS = {"binary_cross_entropy": ["sigmoid"], "categorical_cross_entropy": ["softmax"]}
KINKED = {"relu", "leaky_relu"}
MARGIN = 1e-3  # a hundred times the step of the finite differences


def away_from_zero(*arrays):
    return all(np.abs(array).min(initial=np.inf) > MARGIN for array in arrays)


def pre_activations(network, X):
    """Z of every layer, and the outputs last: the forward pass written with einsum."""
    A, Zs = X, []
    for W, b, name in zip(network.weights, network.biases, network.activations, strict=True):
        Zs.append(np.einsum("...oi,...ei->...eo", W, A) + b[..., None, :, 0])
        A = ACTIVATIONS[name](Zs[-1].mT).mT
    return Zs, A


@st.composite
def problems(draw):
    """A network, data, a cost and penalties at which the cost is differentiable."""
    cost = draw(st.sampled_from(sorted(COSTS)))
    hidden = draw(st.lists(st.integers(1, 6), max_size=3))
    sizes = [draw(st.integers(1, 4)), *hidden, draw(st.integers(1, 3))]
    activations = [draw(st.sampled_from(sorted(ACTIVATIONS))) for _ in hidden]
    activations.append(draw(st.sampled_from(OUTPUTS.get(cost, sorted(ACTIVATIONS)))))
    lead = draw(st.sampled_from([(), (3,), (2, 2)]))
    l1, l2 = draw(st.sampled_from([0.0, 0.02])), draw(st.sampled_from([0.0, 0.3]))
    own_data = draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    network = Network(sizes, activations, rng.normal(size=(*lead, Network.count(sizes))))
    front = (*(lead if own_data else ()), draw(st.integers(1, 9)))
    X, Y = rng.normal(size=(*front, sizes[0])), rng.normal(size=(*front, sizes[-1]))
    if cost == "binary_cross_entropy":
        Y = rng.uniform(size=Y.shape)
    elif cost == "categorical_cross_entropy":
        Y = np.eye(sizes[-1])[rng.integers(sizes[-1], size=front)]
    Zs, outputs = pre_activations(network, X)
    assume(away_from_zero(*(Z for Z, name in zip(Zs, activations, strict=True) if name in KINKED)))
    assume(cost != "mean_absolute_error" or away_from_zero(outputs - Y))
    assume(l1 == 0 or away_from_zero(*network.weights))
    return network, X, Y, cost, l1, l2


@given(problems())
@settings(max_examples=150, deadline=None)
def test_matches_finite_differences(problem):
    network, X, Y, cost, l1, l2 = problem
    assert gradient_check(network, X, Y, cost, l1=l1, l2=l2) < 1e-6


@given(problems())
@settings(max_examples=50, deadline=None)
def test_is_the_mean_over_examples(problem):
    network, X, Y, cost, l1, l2 = problem
    count = X.shape[-2]
    ones = [gradients(network, X[..., e : e + 1, :], Y[..., e : e + 1, :], cost, l1=l1, l2=l2) for e in range(count)]
    value, slopes = gradients(network, X, Y, cost, l1=l1, l2=l2)
    assert value == pytest.approx(sum(one[0] for one in ones) / count, rel=1e-12, abs=1e-12)
    loop = sum(one[1].parameters for one in ones) / count
    assert slopes.parameters == pytest.approx(loop, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_check_finds_a_derivative_that_is_one_percent_off(name, monkeypatch):
    activation = ACTIVATIONS[name]
    right = activation.backward

    def wrong(dA, A, Z, T, one):
        return [*right(dA, A, Z, T, one), lambda: np.multiply(dA, 1.01, dA)]

    network = Network.initialize([2, 3, 1], [name, "sigmoid"], "xavier", np.random.default_rng(0))
    network.biases[0][...] = [[0.3], [-0.2], [0.5]]
    assert gradient_check(network, XOR_X, XOR_Y, "binary_cross_entropy") < 1e-6
    monkeypatch.setattr(activation, "backward", wrong)
    assert gradient_check(network, XOR_X, XOR_Y, "binary_cross_entropy") > 1e-3


@pytest.mark.parametrize("sizes", [[2, 3, 1], [2, 1], [2, 4, 3, 1]])
def test_matches_the_textbook(textbook, sizes):
    network = Network.initialize(sizes, ["sigmoid"] * (len(sizes) - 1), "he", np.random.default_rng(5))
    cost, slopes = gradients(network, XOR_X, XOR_Y)
    expected, dWs, dbs = textbook(network.weights, network.biases, XOR_X, XOR_Y)
    assert cost == pytest.approx(expected, rel=1e-12)
    for ours, theirs in zip(slopes.weights + slopes.biases, dWs + dbs, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-16)


def test_a_population_has_the_gradients_of_its_networks():
    population = Network([2, 3, 1], ["tanh", "sigmoid"], np.random.default_rng(1).normal(size=(5, 13)))
    costs, slopes = gradients(population, XOR_X, XOR_Y)
    assert costs.shape == (5,)
    for row in range(5):
        cost, alone = gradients(population[row], XOR_X, XOR_Y)
        assert costs[row] == pytest.approx(cost, rel=1e-12)
        assert slopes.parameters[row] == pytest.approx(alone.parameters, rel=1e-12, abs=1e-16)


def test_network_and_data_stay_as_they_are():
    network = Network.initialize([2, 3, 1], ["tanh", "sigmoid"])
    before, X, Y = network.parameters.copy(), XOR_X.copy(), XOR_Y.copy()
    gradients(network, X, Y, l1=0.1)
    gradient_check(network, X, Y)
    assert np.array_equal(network.parameters, before)
    assert np.array_equal(X, XOR_X)
    assert np.array_equal(Y, XOR_Y)


def test_wrong_shapes_are_refused():
    network = Network.initialize([2, 3, 1], ["tanh", "sigmoid"])
    with pytest.raises(RequestError, match=r"X has shape \(4, 3\): \(examples, 2\)"):
        gradients(network, np.ones((4, 3)), XOR_Y)
    with pytest.raises(RequestError, match=r"Y has shape \(3, 1\): \(4, 1\)"):
        gradient_check(network, XOR_X, XOR_Y[:3])
    with pytest.raises(RequestError, match="softmax output, not sigmoid"):
        gradients(network, XOR_X, XOR_Y, "categorical_cross_entropy")
