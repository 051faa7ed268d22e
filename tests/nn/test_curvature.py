"""Sharpness against whole Hessians: by formula, and by differences of the reference's gradients."""

import numpy as np
import pytest

from sandbox import Config, Network, RequestError, train
from sandbox.nn import sharpness, textbook
from sandbox.nn.curvature import STEP, _largest_eigenvalues

RNG = np.random.default_rng(7)
X, Y = RNG.normal(size=(12, 2)), (RNG.uniform(size=(12, 1)) > 0.5).astype(float)
ONES = np.column_stack([X, np.ones(12)])


def hessian(network, X, Y, cost):
    """(P, P) by central differences of the gradients of sandbox.nn.textbook."""

    def slopes(parameters):
        moved = Network(network.sizes, network.activations, parameters)
        Zs, As = textbook.forward(moved.weights, moved.biases, moved.activations, X.T)
        dA = textbook.COSTS[cost][1](As[-1], Y.T, len(X))
        dWs, dbs = textbook.backward(moved.weights, moved.activations, Zs, As, dA)
        return np.concatenate([np.hstack(layer).ravel() for layer in zip(dWs, dbs, strict=True)])

    moves = 1e-5 * np.eye(network.parameters.size)
    return np.array([slopes(network.parameters + move) - slopes(network.parameters - move) for move in moves]) / 2e-5


def largest(H):
    return np.linalg.eigvalsh((H + H.T) / 2)[-1]


@pytest.mark.parametrize(
    ("activation", "output", "cost"),
    [
        ("sigmoid", "sigmoid", "squared_error"),
        ("tanh", "linear", "mean_squared_error"),
        ("tanh", "sigmoid", "binary_cross_entropy"),
        ("relu", "linear", "squared_error"),
        ("leaky_relu", "tanh", "squared_error"),
        ("tanh", "softmax", "categorical_cross_entropy"),
        ("sigmoid", "softmax", "squared_error"),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_is_the_whole_hessians_largest_eigenvalue(activation, output, cost, seed):
    targets = np.eye(3)[np.arange(12) % 3] if output == "softmax" else Y
    sizes = (2, 4, targets.shape[1])
    parameters = np.random.default_rng(seed).normal(size=Network.count(sizes))
    network = Network(sizes, [activation, output], parameters)
    expected = largest(hessian(network, X, targets, cost))
    assert sharpness(network, X, targets, cost) == pytest.approx(expected, rel=1e-5)


def test_of_a_line_and_of_logistic_regression_by_formula():
    """mean of x x^T, and mean of p (1 - p) x x^T, x with a 1 for the bias; the L2 penalty adds to the weights' diagonal."""
    w = np.array([0.4, -1.0, 0.2])
    line, logistic = (Network((2, 1), [output], w) for output in ("linear", "sigmoid"))
    penalty = np.diag([0.3, 0.3, 0.0])
    p = 1 / (1 + np.exp(-ONES @ w))
    curved = (p * (1 - p))[:, None]
    for network, H in ((line, ONES.T @ ONES / 12), (logistic, ONES.T @ (ONES * curved) / 12)):
        cost = "squared_error" if network is line else "binary_cross_entropy"
        assert sharpness(network, X, Y, cost) == pytest.approx(largest(H), rel=1e-6)
        assert sharpness(network, X, Y, cost, l2=0.3) == pytest.approx(largest(H + penalty), rel=1e-6)


def test_a_population_has_the_bits_of_each_alone():
    population = Network((2, 5, 1), ["tanh", "sigmoid"], RNG.normal(size=(4, 21)))
    own = RNG.normal(size=(4, 12, 2))
    for data in (X, own):
        together = sharpness(population, data, Y if data is X else np.stack([Y] * 4), l2=[0, 0.1, 0.2, 0])
        for row, l2 in enumerate((0, 0.1, 0.2, 0)):
            alone = sharpness(population[row], data if data is X else data[row], Y, l2=l2)
            assert isinstance(alone, float)
            assert alone == together[row]
    one = [sharpness(population[row], X[:1], Y[:1]) for row in range(4)]
    assert sharpness(population, X[:1], Y[:1]).tolist() == one
    assert sharpness(population[:1], X[None, :1], Y[None, :1]).tolist() == one[:1]


def test_single_precision_is_computed_in_double():
    network = Network((2, 5, 1), ["tanh", "sigmoid"], RNG.normal(size=21).astype(np.float32))
    double = Network(network.sizes, network.activations, network.parameters.astype(float))
    assert sharpness(network, X, Y) == sharpness(double, X, Y)


@pytest.mark.parametrize("side", [1, -1])
def test_a_kink_within_the_step_is_not_stepped_over(side):
    """An example x = 0 just beside the kink of v relu(w x + b) + c, by (w, b, v, c), at v = 1, c = 0 and an error of -1.

    Where it is awake the output is v b + c: H is the square of its slopes (0, 1, 0, 1), plus the error times what b and v
    have in common. Asleep it is c.
    """
    network = Network.from_parameters([[[1.0]], [[1.0]]], [[side * STEP / 2], [0.0]], ["relu", "linear"])
    awake = np.array([[0, 0, 0, 0], [0, 1, -1, 1], [0, -1, 0, 0], [0, 1, 0, 1]])
    asleep = np.diag([0, 0, 0, 1])
    assert sharpness(network, [[0.0]], [1.0]) == pytest.approx(largest(awake if side > 0 else asleep), rel=1e-5)


def test_what_is_not_finite_is_nan_and_harms_no_other():
    parameters = RNG.normal(size=(3, 21))
    population = Network((2, 5, 1), ["tanh", "linear"], parameters.copy())
    population.parameters[1] = np.inf
    values = sharpness(population, X, Y)
    assert np.isnan(values[1])
    assert values[[0, 2]].tolist() == [sharpness(population[row], X, Y) for row in (0, 2)]


def test_a_network_that_nothing_moves_has_no_curvature():
    dead = Network.from_parameters([[[0.0, 0.0]]], [[-1.0]], ["relu"])
    assert sharpness(dead, X, Y) == 0


@pytest.mark.parametrize("spectrum", [[-1, -1, -1, -1], [-3, -2, -1, -0.5], [0, 0, 0, 2], [5, 1, -9, 0], [4, 4, 4, 4]])
def test_of_matrices_of_which_products_soon_lead_nowhere_new(spectrum):
    Q, _ = np.linalg.qr(RNG.normal(size=(4, 4)))
    H = Q @ np.diag(spectrum) @ Q.T
    found = _largest_eigenvalues(lambda v: v @ H, (2, 4), 4)
    assert found == pytest.approx([max(spectrum)] * 2, abs=1e-12)


def test_fewer_products_than_parameters_find_it_too():
    network = Network((2, 20, 1), ["tanh", "linear"], RNG.normal(size=81))
    expected = largest(hessian(network, X, Y, "squared_error"))
    assert sharpness(network, X, Y, products=15) == pytest.approx(expected, rel=1e-4)


def test_wrong_shapes_are_refused():
    with pytest.raises(RequestError, match=r"X has shape \(12, 3\)"):
        sharpness(Network((2, 1), ["linear"], np.zeros(3)), ONES, Y)
    with pytest.raises(RequestError, match="products is 0: a whole number of at least 1 is needed"):
        sharpness(Network((2, 1), ["linear"], np.zeros(3)), X, Y, products=0)


@pytest.mark.parametrize("seed", range(3))
def test_two_over_the_sharpness_is_where_a_line_diverges(seed):
    """A quadratic: a rate one percent below 2 / sharpness finds the least squares, one percent above it diverges."""
    base = Config(
        dataset="moons", n_examples=50, noise=0.1, hidden=(), output="linear", epochs=3000, seed=seed, data_seed=seed
    )
    start = train(base.replace(learning_rate=1e-9, epochs=1))
    data = start.problem.train
    threshold = 2 / sharpness(start.network, data.X, data.Y)
    design = np.column_stack([data.X, np.ones(50)])
    rest = data.Y - design @ np.linalg.lstsq(design, data.Y)[0]
    below, above = (train(base.replace(learning_rate=share * threshold)) for share in (0.99, 1.01))
    assert below.diverged_at is None
    assert below.cost == pytest.approx(np.square(rest).sum() / 100, rel=1e-6)
    assert above.diverged_at is not None
