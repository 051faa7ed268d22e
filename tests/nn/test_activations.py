"""Activations: against formulas written with the math module, and at both ends of the floating-point numbers."""

import math
import statistics

import numpy as np
import pytest
from scipy import special

from sandbox.errors import RequestError
from sandbox.nn.activations import ACTIVATIONS, get_activation

normal = statistics.NormalDist()
FORMULAS = {  # g and its derivative g', in terms of z
    "sigmoid": (lambda z: 1 / (1 + math.exp(-z)), lambda z: math.exp(-z) / (1 + math.exp(-z)) ** 2),
    "tanh": (math.tanh, lambda z: 1 / math.cosh(z) ** 2),
    "relu": (lambda z: max(z, 0.0), lambda z: float(z > 0)),
    "leaky_relu": (lambda z: z if z > 0 else 0.01 * z, lambda z: 1.0 if z > 0 else 0.01),
    "linear": (lambda z: z, lambda z: 1.0),
    "sin": (math.sin, math.cos),
    "cos": (math.cos, lambda z: -math.sin(z)),
    "softplus": (lambda z: math.log1p(math.exp(z)), lambda z: 1 / (1 + math.exp(-z))),
    "swish": (
        lambda z: z / (1 + math.exp(-z)),
        lambda z: (1 + math.exp(-z) * (1 + z)) / (1 + math.exp(-z)) ** 2,
    ),
    "gelu": (lambda z: z * normal.cdf(z), lambda z: normal.cdf(z) + z * normal.pdf(z)),
}
Z = np.array([[-6.0, -1.5, -0.3, 0.2], [0.7, 2.0, 5.0, -0.01]])
HUGE = [1e4, 1e300, math.inf]


def each(function, values):
    return np.array([function(value) for value in values.ravel()]).reshape(values.shape)


def backward(name, dA, Z):
    """dA g'(Z), after a pass forward that leaves the sums Z as they are only where the activation keeps them."""
    activation, dZ, sums = get_activation(name), dA.copy(), Z.copy()
    A = np.empty_like(sums) if activation.keeps_sums else sums
    T, one = np.empty_like(sums), np.ones((), sums.dtype)
    with np.errstate(over="ignore"):
        for call in [*activation.forward(sums, A, T, one), *activation.backward(dZ, A, sums, T, one)]:
            call()
    return dZ


@pytest.mark.parametrize("name", FORMULAS)
def test_value(name):
    assert get_activation(name)(Z) == pytest.approx(each(FORMULAS[name][0], Z), rel=1e-14, abs=1e-12)


@pytest.mark.parametrize("name", FORMULAS)
def test_derivative(name):
    dA = np.random.default_rng(0).normal(size=Z.shape)
    assert backward(name, dA, Z) == pytest.approx(dA * each(FORMULAS[name][1], Z), rel=1e-10, abs=1e-12)


def test_softmax_runs_over_the_units():
    assert get_activation("softmax")(Z) == pytest.approx(special.softmax(Z, axis=0), rel=1e-14)
    assert get_activation("softmax")(np.array([Z, 2 * Z]))[1] == pytest.approx(
        special.softmax(2 * Z, axis=0), rel=1e-14
    )


def test_softmax_derivative_is_its_jacobian():
    A, dA = special.softmax(Z, axis=0), np.random.default_rng(0).normal(size=Z.shape)
    dZ = backward("softmax", dA, Z)
    for example in range(Z.shape[1]):
        a = A[:, example]
        jacobian = np.diag(a) - np.outer(a, a)
        assert dZ[:, example] == pytest.approx(jacobian @ dA[:, example], rel=1e-12)


def test_every_activation_is_tested():
    assert set(ACTIVATIONS) == {*FORMULAS, "softmax"}


@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize(
    ("name", "below", "above"),
    [("sigmoid", 0, 1), ("tanh", -1, 1), ("relu", 0, None), ("leaky_relu", None, None), ("softplus", 0, None)],
)
def test_saturation(name, below, above, size):
    ends = [-0.01 * size if below is None else below, size if above is None else above]
    assert get_activation(name)(np.array([[-size, size]])).tolist() == [ends]


@pytest.mark.parametrize("size", [1e4, 1e300])
@pytest.mark.parametrize("name", ["swish", "gelu"])
def test_those_with_a_dip_saturate(name, size):
    assert get_activation(name)(np.array([[-size, size]])).tolist() == [[0.0, size]]


def test_gelu_is_right_to_1e_12_everywhere():
    z = np.linspace(-12, 12, 20_001)[None]
    assert get_activation("gelu")(z) == pytest.approx(z * special.ndtr(z), rel=0, abs=1e-12)


@pytest.mark.parametrize("size", [1e4, 1e300])
def test_softmax_saturates(size):
    assert get_activation("softmax")(np.array([[size], [-size], [size]])).tolist() == [[0.5], [0.0], [0.5]]


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_saturated_derivative_is_finite(name):
    Z = np.array([[-1e4, 1e4], [1e4, 0.0]])
    assert np.isfinite(backward(name, np.ones_like(Z), Z)).all()


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_makes_a_new_array_of_the_same_type_and_shape(name):
    given = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    before = given.copy()
    A = get_activation(name)(given)
    assert (A.dtype, A.shape) == (np.float32, (2, 3, 4))
    assert np.array_equal(given, before)
    assert backward(name, A, given).dtype == np.float32


def test_unknown_name():
    with pytest.raises(RequestError, match="unknown activation 'sigmoyd': did you mean 'sigmoid'") as error:
        get_activation("sigmoyd")
    assert all(name in str(error.value) for name in ACTIVATIONS)
