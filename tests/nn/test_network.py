"""The network: how its parameters lie, what it predicts, and what it refuses."""

import math

import numpy as np
import pytest

from sandbox import Network, RequestError

W1, W2 = np.arange(6.0).reshape(3, 2) / 10, np.array([[0.5, -0.25, 1.0]])
B1, B2 = np.array([[0.1], [0.2], [0.3]]), np.array([[-0.4]])
X = np.array([[0.0, 0.0], [0.5, -1.0], [2.0, 3.0]])


def by_hand(x):
    """A 2-3-1 network of tanh and sigmoid in plain loops."""
    hidden = [
        math.tanh(sum(w * value for w, value in zip(row, x, strict=True)) + b) for row, (b,) in zip(W1, B1, strict=True)
    ]
    return 1 / (1 + math.exp(-(sum(w * a for w, a in zip(W2[0], hidden, strict=True)) + B2.item())))


@pytest.fixture
def network():
    return Network.from_parameters([W1, W2], [B1, B2], ["tanh", "sigmoid"])


def test_predictions(network):
    assert network.predict(X).shape == (3, 1)
    assert network.predict(X).ravel() == pytest.approx([by_hand(x) for x in X.tolist()], rel=1e-14)


def test_parameters_come_back_and_are_copies(network):
    for ours, given in zip(network.weights + network.biases, [W1, W2, B1, B2], strict=True):
        assert np.array_equal(ours, given)
        assert not np.shares_memory(ours, given)
    assert network.sizes == (2, 3, 1)
    assert network.parameters.shape == (13,)
    assert network.parameters[:3].tolist() == [0.0, 0.1, 0.1]  # the first unit's [W | b]


@pytest.mark.parametrize("biases", [[B1, B2], [[0.1, 0.2, 0.3], [-0.4]], [B1, -0.4], [B1.tolist(), [[-0.4]]]])
def test_biases_may_be_columns_or_flat_or_one_number(network, biases):
    assert np.array_equal(Network.from_parameters([W1, W2], biases, ["tanh", "sigmoid"]).parameters, network.parameters)


def test_a_single_neuron_s_weights_may_be_flat():
    flat = Network.from_parameters([[0.1, 0.6]], [0.0], ["sigmoid"])
    assert flat.weights[0].tolist() == [[0.1, 0.6]]


def test_weights_and_biases_are_views(network):
    before = network.predict(X)
    network.weights[0][1, 0] = 5.0
    network.biases[1][...] = 0.0
    again = Network.from_parameters(network.weights, network.biases, network.activations)
    assert not np.array_equal(network.predict(X), before)
    assert np.array_equal(network.predict(X), again.predict(X))
    assert 5.0 in network.parameters


def test_copies_and_single_replicas_are_apart(network):
    network.copy().weights[0][...] = 9
    population = Network([2, 3, 1], ["tanh", "sigmoid"], np.zeros((2, 13)))
    population[0].weights[0][...] = 9
    assert not (network.parameters == 9).any()
    assert not population.parameters.any()


class TestPopulation:
    population = Network([2, 3, 1], ["tanh", "sigmoid"], np.random.default_rng(0).normal(size=(4, 13)))

    def test_predicts_what_each_network_does(self):
        together = self.population.predict(X)
        assert together.shape == (4, 3, 1)
        for row in range(4):
            assert together[row] == pytest.approx(self.population[row].predict(X), rel=1e-13)

    def test_predicts_on_data_of_its_own(self):
        data = np.random.default_rng(1).normal(size=(4, 7, 2))
        together = self.population.predict(data)
        for row in range(4):
            assert together[row] == pytest.approx(self.population[row].predict(data[row]), rel=1e-13)

    def test_some_of_it(self):
        some = self.population[[2, 0]]
        assert some.lead == (2,)
        assert np.array_equal(some.parameters, self.population.parameters[[2, 0]])

    def test_from_stacked_parameters(self):
        same = Network.from_parameters(self.population.weights, self.population.biases, self.population.activations)
        assert np.array_equal(same.parameters, self.population.parameters)

    def test_layers_that_are_alike_for_all_are_repeated(self):
        network = Network.from_parameters([np.stack([W1, -W1]), W2], [B1, B2], ["tanh", "sigmoid"])
        assert network.lead == (2,)
        assert np.array_equal(network.weights[1], np.stack([W2, W2]))

    def test_one_network_predicts_on_stacked_data(self):
        data = np.random.default_rng(1).normal(size=(4, 7, 2))
        together = self.population[0].predict(data)
        for row in range(4):
            assert together[row] == pytest.approx(self.population[0].predict(data[row]), rel=1e-13)


def test_float32_is_kept():
    network = Network.from_parameters([W1.astype(np.float32), W2.astype(np.float32)], [B1, B2], ["tanh", "sigmoid"])
    assert network.parameters.dtype == np.float32
    assert network.predict(X).dtype == np.float32
    assert network.copy().parameters.dtype == np.float32
    assert Network.initialize([2, 1], ["tanh"], dtype="float32").parameters.dtype == np.float32
    assert Network.from_parameters([W1], [B1], ["tanh"], dtype=np.float32).parameters.dtype == np.float32


def test_whole_numbers_become_float64():
    assert Network.from_parameters([[[1, 2]]], [[0]], ["linear"]).parameters.dtype == np.float64


def test_saturated_networks_predict_without_a_warning():
    network = Network.from_parameters([[[1e200, -1e200]]], [[0.0]], ["sigmoid"])
    assert network.predict([[1e200, 0], [0, 1e200]]).ravel().tolist() == [1.0, 0.0]


@pytest.mark.parametrize("shape", [(2,), (3, 3), (3, 1), (4, 3, 1)])
def test_wrong_inputs(network, shape):
    with pytest.raises(RequestError, match=r"X has shape .*: \(examples, 2\) is needed"):
        network.predict(np.zeros(shape))


@pytest.mark.parametrize(
    ("weights", "biases", "activations", "message"),
    [
        ([W1, W2], [B1], ["tanh", "sigmoid"], "2 weights and 1 biases"),
        ([], [], [], "0 weights and 0 biases"),
        ([W1, W2], [B1, B2], ["tanh"], "1 activations for 2 layers"),
        ([W1, W2], [B1, B2], ["tanh", "sigmoyd"], "unknown activation 'sigmoyd'"),
        ([W1, W2.T], [B1, B2], ["tanh", "sigmoid"], r"layer 2: weights \(3, 1\) .* they are \(3, 3\) and \(3, 1\)"),
        ([W1, W2], [[[0.1], [0.2]], B2], ["tanh", "sigmoid"], r"layer 1: .* biases \(2, 1\) do not fit"),
        ([np.zeros((2, 3, 2)), np.zeros((4, 1, 3))], [B1, B2], ["tanh", "sigmoid"], "replica"),
    ],
)
def test_wrong_parameters(weights, biases, activations, message):
    with pytest.raises(RequestError, match=message) as error:
        Network.from_parameters(weights, biases, activations)
    assert "\n" not in str(error.value)


def test_wrong_number_of_parameters():
    with pytest.raises(RequestError, match=r"12 parameters for layers \(2, 3, 1\): 13 are needed"):
        Network([2, 3, 1], ["tanh", "sigmoid"], np.zeros(12))


def test_repr_says_what_it_is(network):
    assert repr(network) == "Network(2-3-1, tanh, sigmoid)"
    assert "replicas=(4,)" in repr(TestPopulation.population)
