"""Training from weights of one's own, in Python and by the command."""

import json

import numpy as np
import pytest

from sandbox import Config, Network, RequestError, fit, train
from sandbox.train import build

OR = Config(dataset="or", hidden=(), epochs=5000)
GIVEN = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])


def test_it_is_what_the_trainer_makes_of_these_weights():
    """The texts' OR gate: 0.088913 before the first update, 0.000528 after 5000 (see `fit`)."""
    result = train(OR, start=GIVEN)
    run = fit(GIVEN, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1], learning_rate=1.0, epochs=5000)
    np.testing.assert_allclose(result.costs, run.costs, rtol=1e-12)
    assert (round(result.costs[0].item(), 6), round(result.cost, 6)) == (0.088913, 0.000528)
    np.testing.assert_array_equal(GIVEN.weights[0], [[0.1, 0.6]])


@pytest.mark.parametrize("fields", [{}, {"dtype": "float32"}, {"batch_size": 3}, {"optimizer": "adam"}])
def test_from_the_networks_own_beginning_it_is_the_same_to_the_bit(fields):
    config = Config(dataset="moons", n_examples=20, hidden=(4, 3), epochs=40, **fields)
    ours, drawn = train(config, start=build(config)), train(config)
    np.testing.assert_array_equal(ours.costs, drawn.costs)
    np.testing.assert_array_equal(ours.network.parameters, drawn.network.parameters)


def test_a_network_that_does_not_fit_is_one_line():
    for config in (
        OR.replace(hidden=(3,)),
        OR.replace(crosses=("x1*x2",)),
        OR.replace(output="tanh"),
        Config(dataset="iris"),
    ):
        with pytest.raises(RequestError, match=r"^start is Network\(2-1, sigmoid\): a network of .* is needed$"):
            train(config, start=GIVEN)


def test_the_command(here):
    words = ("train", "--dataset", "or", "--hidden", "none", "--epochs", 5000)
    code, output, errors = here(*words, "--weights", "0.1,0.6", "--bias", 0, "--json")
    assert code == 0, errors
    assert json.loads(output)["cost"] == pytest.approx(0.000528, abs=5e-7)
    code, output, _ = here(*words, "--weights", "0.1,0.6", "--no-track")
    result = train(OR, start=GIVEN)
    weights = ", ".join(f"{one:.6g}" for one in result.network.weights[0][0])
    assert f"weights {weights}; bias {result.network.biases[0].item():.6g}" in output
    assert f"at 0, 1              {result.predict([[0, 1]]).item():.6g} (target 1)" in output
    code, output, errors = here(*words, "--weights", "0.1", "--no-track")
    assert (code, output, "2 numbers with commas between are needed" in errors) == (2, "", True)
