"""Three ways to one gradient: that they agree, with the trainer's own as well, and a gradient worked by hand."""

import numpy as np
import pytest
from click.testing import CliRunner

from sandbox import Network
from studies import gradients

WAYS = (gradients.by_matrices, gradients.by_loops, gradients.by_differences)
OR = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])


@pytest.mark.parametrize("way", WAYS)
def test_the_text_s_or_neuron_by_hand(way):
    """At x = (0, 0), y = 0: yhat is 0.5, so that db = 0.5 * 0.25 and both dw are 0."""
    found = way(OR, np.array([[0.0, 0.0]]), np.array([[0.0]]))
    np.testing.assert_allclose(found, [0, 0, 0.125], atol=1e-10)


@pytest.mark.parametrize("sizes", [(2, 3, 1), (3, 4, 5, 2)])
def test_they_agree_and_the_trainer_with_them(sizes):
    from sandbox.nn import gradients as trainers

    rng = np.random.default_rng(1)
    network = Network.initialize(sizes, ["tanh"] * (len(sizes) - 2) + ["sigmoid"], "xavier", rng)
    X, Y = rng.normal(size=(7, sizes[0])), rng.random((7, sizes[-1]))
    exact = trainers(network, X, Y)[1].parameters
    errors = [gradients.error_of(way(network, X, Y), exact) for way in WAYS]
    assert errors[0] < 1e-12
    assert errors[1] < 1e-12
    assert errors[2] < 1e-7


def test_the_table(monkeypatch):
    monkeypatch.setattr(gradients, "CASES", (((2, 3, 1), 4), ((2, 8, 8, 1), 20)))
    monkeypatch.setattr(gradients, "LEAST", 0.0)
    told = CliRunner().invoke(gradients.main, [])
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert [line.split()[:3] for line in lines[1:3]] == [["2-3-1", "4", "13"], ["2-8-8-1", "20", "105"]]
    assert "All three agree. With 105 parameters" in told.output
