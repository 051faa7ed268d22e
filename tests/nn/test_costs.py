"""Costs: against sums written out, scipy's logarithms and scikit-learn, also for logits of absurd size."""

import numpy as np
import pytest
from scipy import special
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error

from sandbox import Network, RequestError
from sandbox.nn import gradients
from sandbox.nn.costs import COSTS, get_cost

RNG = np.random.default_rng(7)
OUTPUTS, TARGETS = RNG.normal(size=(6, 2)), RNG.normal(size=(6, 2))


def cost_and_slope(Z, Y, cost, output):
    """The cost of a layer whose weighted sums are Z, and its derivative by Z (both (examples, units))."""
    units = Z.shape[1]
    network = Network.from_parameters([np.eye(units)], [np.zeros(units)], [output])
    value, _ = gradients(network, Z, Y, cost)
    slopes = [gradients(network, Z[e : e + 1], Y[e : e + 1], cost)[1].biases[0][:, 0] for e in range(len(Z))]
    return value, np.array(slopes) / len(Z)


@pytest.mark.parametrize(
    ("cost", "formula", "derivative"),
    [
        ("squared_error", lambda e: e**2 / 2, lambda e: e),
        ("mean_squared_error", lambda e: e**2, lambda e: 2 * e),
        ("mean_absolute_error", abs, lambda e: 1 if e > 0 else -1),
    ],
)
def test_errors_of_outputs(cost, formula, derivative):
    value, slope = cost_and_slope(OUTPUTS, TARGETS, cost, "linear")
    differences = (OUTPUTS - TARGETS).ravel().tolist()
    assert value == pytest.approx(sum(map(formula, differences)) / 6, rel=1e-14)
    assert slope.ravel() == pytest.approx(np.array(list(map(derivative, differences))) / 6, rel=1e-14)


def test_errors_of_one_output_against_scikit_learn():
    A, Y = OUTPUTS[:, :1], TARGETS[:, :1]
    assert cost_and_slope(A, Y, "mean_squared_error", "linear")[0] == pytest.approx(mean_squared_error(Y, A))
    assert cost_and_slope(A, Y, "squared_error", "linear")[0] == pytest.approx(mean_squared_error(Y, A) / 2)
    assert cost_and_slope(A, Y, "mean_absolute_error", "linear")[0] == pytest.approx(mean_absolute_error(Y, A))


def test_binary_cross_entropy():
    Z, Y = OUTPUTS[:, :1], np.array([[0.0], [1], [1], [0], [1], [0]])
    value, slope = cost_and_slope(Z, Y, "binary_cross_entropy", "sigmoid")
    assert value == pytest.approx(log_loss(Y.ravel(), special.expit(Z).ravel()), rel=1e-13)
    assert slope == pytest.approx((special.expit(Z) - Y) / 6, rel=1e-13)


def test_binary_cross_entropy_of_several_outputs_is_their_sum_and_labels_may_be_probabilities():
    Y = RNG.uniform(size=OUTPUTS.shape)
    expected = -(Y * special.log_expit(OUTPUTS) + (1 - Y) * special.log_expit(-OUTPUTS)).sum() / 6
    assert cost_and_slope(OUTPUTS, Y, "binary_cross_entropy", "sigmoid")[0] == pytest.approx(expected, rel=1e-13)


def test_categorical_cross_entropy():
    Z, classes = 3 * RNG.normal(size=(6, 3)), [0, 1, 2, 2, 1, 0]
    Y = np.eye(3)[classes]
    value, slope = cost_and_slope(Z, Y, "categorical_cross_entropy", "softmax")
    assert value == pytest.approx(-(Y * special.log_softmax(Z, axis=1)).sum() / 6, rel=1e-13)
    assert value == pytest.approx(log_loss(classes, special.softmax(Z, axis=1)), rel=1e-13)
    assert slope == pytest.approx((special.softmax(Z, axis=1) - Y) / 6, rel=1e-12)


@pytest.mark.parametrize("logit", [30.0, 40.0, 700.0, 1e4, 1e300])
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("sign", [-1, 1])
def test_binary_cross_entropy_of_huge_logits(logit, label, sign):
    Z, Y = np.array([[sign * logit]]), np.array([[float(label)]])
    value, slope = cost_and_slope(Z, Y, "binary_cross_entropy", "sigmoid")
    towards_label = sign * logit if label else -sign * logit
    assert value == pytest.approx(-special.log_expit(towards_label), rel=1e-13, abs=0)
    assert slope.item() == pytest.approx(special.expit(sign * logit) - label, rel=1e-13)


@pytest.mark.parametrize("logit", [30.0, 700.0, 1e4, 1e300])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_categorical_cross_entropy_of_huge_logits(logit, label):
    Z, Y = np.array([[logit, -logit, 0.0]]), np.eye(3)[[label]]
    value, slope = cost_and_slope(Z, Y, "categorical_cross_entropy", "softmax")
    assert value == pytest.approx(-special.log_softmax(Z[0])[label], rel=1e-13, abs=1e-15)
    assert slope == pytest.approx(special.softmax(Z, axis=1) - Y, rel=1e-13)


def test_every_cost_is_tested():
    assert set(COSTS) == {
        "squared_error",
        "mean_squared_error",
        "mean_absolute_error",
        "binary_cross_entropy",
        "categorical_cross_entropy",
    }


def test_unknown_name():
    with pytest.raises(RequestError, match="unknown cost 'square_error': did you mean 'squared_error'") as error:
        get_cost("square_error")
    assert all(name in str(error.value) for name in COSTS)
