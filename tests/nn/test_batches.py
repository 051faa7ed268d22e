"""Batches in one order, and batches that are carried over the end of an epoch; and L1 that clips: each by hand."""

import numpy as np
import pytest

from sandbox import Network, RequestError, fit
from sandbox.nn import Hook

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(11, 2)), RNG.normal(size=(11, 1))
ONE = Network.initialize([2, 3, 1], ["tanh", "linear"], "xavier", np.random.default_rng(2), bias=0.1)
SEVERAL = Network([2, 3, 1], ["tanh", "linear"], RNG.normal(size=(6, 13)))
LARGE = Network.initialize([2, 40, 1], ["tanh", "linear"], "xavier", np.random.default_rng(2))  # in the other layout


def groups(batches, size, epochs):
    """The examples of every update, as the words say it: in order, and what is left with the next epoch's first."""
    left: list[int] = []
    count = len(X)
    for _ in range(epochs):
        starts = range(0, count, size)
        for start in starts:
            some = list(range(start, min(start + size, count)))
            if batches == "carried" and len(some) < size:
                left = some
                continue
            yield left + some
            left = []


def by_hand(network, textbook, batches, size, epochs, rate=0.2):
    weights, biases = [W.copy() for W in network.weights], [b.copy() for b in network.biases]
    for some in groups(batches, size, epochs):
        _, dWs, dbs = textbook(weights, biases, X[some], Y[some], activations=network.activations)
        weights = [W - rate * dW for W, dW in zip(weights, dWs, strict=True)]
        biases = [b - rate * db for b, db in zip(biases, dbs, strict=True)]
    return Network.from_parameters(weights, biases, network.activations)


def slopes(weights, biases, X, Y, activations):
    """Half the mean squared error and its derivatives, of a tanh layer and a linear one: independent of the trainer."""
    A1 = np.tanh(weights[0] @ X.T + biases[0])
    error = weights[1] @ A1 + biases[1] - Y.T
    dZ1 = (weights[1].T @ error) * (1 - A1**2)
    m = len(X)
    dWs = [dZ1 @ X / m, error @ A1.T / m]
    return (error**2).sum() / (2 * m), dWs, [dZ1.sum(1, keepdims=True) / m, error.sum(1, keepdims=True) / m]


@pytest.mark.parametrize("network", [ONE, LARGE], ids=["tiny", "large"])
@pytest.mark.parametrize("size", [1, 3, 4, 6, 11])
@pytest.mark.parametrize("batches", ["in_order", "carried"])
def test_one_network_by_hand(network, batches, size):
    run = fit(network, X, Y, learning_rate=0.2, epochs=5, batch_size=size, batches=batches)
    expected = by_hand(network, slopes, batches, size, 5)
    np.testing.assert_allclose(run.network.parameters, expected.parameters, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("batches", ["in_order", "carried"])
def test_each_of_a_population_by_hand_also_where_some_stop(batches):
    class Half(Hook):
        def on_epoch(self, run):
            if run.epoch == 2:
                run.stop([0, 2, 4])

    run = fit(SEVERAL, X, Y, learning_rate=0.2, epochs=5, batch_size=4, batches=batches, hooks=[Half()])
    for row in range(6):
        if row % 2:  # the others went on, in arrays that were made anew
            expected = by_hand(SEVERAL[row], slopes, batches, 4, 5)
            np.testing.assert_allclose(run.network.parameters[row], expected.parameters, rtol=1e-9, atol=1e-13)


def test_the_rest_of_an_epoch_makes_no_update_of_its_own():
    counted = {}
    for batches in ("in_order", "carried", "shuffled"):

        class Count(Hook):
            def __init__(self, number):
                self.number = number

            def on_batch(self, run):
                self.number.append(run.inputs.shape[-1])

        counted[batches] = []
        fit(ONE, X, Y, epochs=2, batch_size=4, batches=batches, hooks=[Count(counted[batches])])
    assert counted == {"in_order": [4, 4, 3] * 2, "carried": [4, 4, 7, 4], "shuffled": [4, 4, 3] * 2}


@pytest.mark.parametrize("network", [ONE, SEVERAL], ids=["single", "population"])
def test_pausing_and_thinning_change_nothing(network):
    options = {
        "epochs": 6,
        "batch_size": 4,
        "learning_rate": 0.3,
        "l1": 0.05,
        "l1_rule": "clipped",
        "batches": "carried",
    }
    whole = fit(network, X, Y, **options)
    thin = fit(network, X, Y, cost_epochs=[0, 3], **options)
    assert whole.network.parameters.tobytes() == thin.network.parameters.tobytes()


def test_clipped_l1_by_hand():
    rate, l1 = 0.2, 0.3
    weights, biases = [W.copy() for W in ONE.weights], [b.copy() for b in ONE.biases]
    dead = [np.zeros(W.shape, bool) for W in weights]
    for some in groups("carried", 4, 12):
        _, dWs, dbs = slopes(weights, biases, X[some], Y[some], ())
        for layer, (W, dW) in enumerate(zip(weights, dWs, strict=True)):
            moved = W - rate * dW
            further = moved - rate * l1 * np.sign(W)
            dead[layer] |= moved * further < 0
            weights[layer] = np.where(dead[layer], 0, further)
        biases = [b - rate * db for b, db in zip(biases, dbs, strict=True)]
    assert 0 < sum(one.sum() for one in dead) < 9
    options = {
        "epochs": 12,
        "batch_size": 4,
        "batches": "carried",
        "l1": l1,
        "l1_rule": "clipped",
        "learning_rate": rate,
    }
    for network in (ONE, Network(ONE.sizes, ONE.activations, np.stack([ONE.parameters] * 3))):
        found = fit(network, X, Y, **options).network
        found = found[0] if found.lead else found
        for W, expected, gone in zip(found.weights, weights, dead, strict=True):
            np.testing.assert_allclose(W, expected, rtol=1e-9, atol=1e-13)
            assert (W == 0).tolist() == gone.tolist()


def test_without_l1_the_rule_changes_no_bit():
    one, other = (fit(ONE, X, Y, epochs=9, l1_rule=rule).network.parameters for rule in ("subgradient", "clipped"))
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"batches": "random", "batch_size": 2}, "unknown batches 'random'"),
        ({"l1_rule": "hard"}, "unknown l1_rule 'hard'"),
        ({"arithmetic": "exact"}, "unknown arithmetic 'exact'"),
        ({"batches": "carried", "batch_size": 12}, "batches that are carried need as many examples, 11 are there"),
    ],
)
def test_wrong_words(options, why):
    with pytest.raises(RequestError, match=why):
        fit(ONE, X, Y, epochs=1, **options)
