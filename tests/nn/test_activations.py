"""Activations: against formulas written with the math module, and at both ends of the floating-point numbers."""

import math

import numpy as np
import pytest
from scipy import special

from sandbox.errors import RequestError
from sandbox.nn.activations import ACTIVATIONS, get_activation

FORMULAS = {  # g and its derivative g', in terms of z
    "sigmoid": (lambda z: 1 / (1 + math.exp(-z)), lambda z: math.exp(-z) / (1 + math.exp(-z)) ** 2),
    "tanh": (math.tanh, lambda z: 1 / math.cosh(z) ** 2),
    "relu": (lambda z: max(z, 0.0), lambda z: float(z > 0)),
    "leaky_relu": (lambda z: z if z > 0 else 0.01 * z, lambda z: 1.0 if z > 0 else 0.01),
    "linear": (lambda z: z, lambda z: 1.0),
}
Z = np.array([[-6.0, -1.5, -0.3, 0.2], [0.7, 2.0, 5.0, -0.01]])
HUGE = [1e4, 1e300, math.inf]


def each(function, values):
    return np.array([function(value) for value in values.ravel()]).reshape(values.shape)


def backward(name, dA, A):
    dZ = dA.copy()
    for call in get_activation(name).backward(dZ, A, np.empty_like(A), np.ones((), A.dtype)):
        call()
    return dZ


@pytest.mark.parametrize("name", FORMULAS)
def test_value(name):
    assert get_activation(name)(Z) == pytest.approx(each(FORMULAS[name][0], Z), rel=1e-14)


@pytest.mark.parametrize("name", FORMULAS)
def test_derivative(name):
    value, derivative = FORMULAS[name]
    dA = np.random.default_rng(0).normal(size=Z.shape)
    assert backward(name, dA, each(value, Z)) == pytest.approx(dA * each(derivative, Z), rel=1e-10)


def test_softmax_runs_over_the_units():
    assert get_activation("softmax")(Z) == pytest.approx(special.softmax(Z, axis=0), rel=1e-14)
    assert get_activation("softmax")(np.array([Z, 2 * Z]))[1] == pytest.approx(
        special.softmax(2 * Z, axis=0), rel=1e-14
    )


def test_softmax_derivative_is_its_jacobian():
    A, dA = special.softmax(Z, axis=0), np.random.default_rng(0).normal(size=Z.shape)
    dZ = backward("softmax", dA, A)
    for example in range(Z.shape[1]):
        a = A[:, example]
        jacobian = np.diag(a) - np.outer(a, a)
        assert dZ[:, example] == pytest.approx(jacobian @ dA[:, example], rel=1e-12)


def test_every_activation_is_tested():
    assert set(ACTIVATIONS) == {*FORMULAS, "softmax"}


@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize(
    ("name", "below", "above"), [("sigmoid", 0, 1), ("tanh", -1, 1), ("relu", 0, None), ("leaky_relu", None, None)]
)
def test_saturation(name, below, above, size):
    ends = [-0.01 * size if below is None else below, size if above is None else above]
    assert get_activation(name)(np.array([[-size, size]])).tolist() == [ends]


@pytest.mark.parametrize("size", [1e4, 1e300])
def test_softmax_saturates(size):
    assert get_activation("softmax")(np.array([[size], [-size], [size]])).tolist() == [[0.5], [0.0], [0.5]]


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_saturated_derivative_is_finite(name):
    A = get_activation(name)(np.array([[-1e4, 1e4], [1e4, 0.0]]))
    assert np.isfinite(backward(name, np.ones_like(A), A)).all()


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_makes_a_new_array_of_the_same_type_and_shape(name):
    given = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    before = given.copy()
    A = get_activation(name)(given)
    assert (A.dtype, A.shape) == (np.float32, (2, 3, 4))
    assert np.array_equal(given, before)
    assert backward(name, A, A).dtype == np.float32


def test_unknown_name():
    with pytest.raises(RequestError, match="unknown activation 'sigmoyd': did you mean 'sigmoid'") as error:
        get_activation("sigmoyd")
    assert all(name in str(error.value) for name in ACTIVATIONS)
