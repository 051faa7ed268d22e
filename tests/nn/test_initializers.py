"""Initializers: the published formulas, their statistics over a large matrix, and where the randomness comes from."""

import math
import random

import numpy as np
import pytest
from numpy.testing import assert_equal

from sandbox import Network, RequestError
from sandbox.nn.initializers import INITIALIZERS, get_initializer

N_OUT, N_IN = 300, 400
VARIANCES = {
    "plain": 0.01**2,
    "xavier": 1 / N_IN,
    "he": 2 / N_IN,
    "glorot_normal": 2 / (N_IN + N_OUT),
    "glorot_uniform": 2 / (N_IN + N_OUT),  # of U(-a, a): a^2 / 3
    "playground": 1 / 12,  # of U(-1/2, 1/2)
    "orthogonal": 1 / N_IN,  # 300 rows of length one, 400 numbers each
}
NORMAL_SCALES = {"plain": 0.01, "xavier": 1 / math.sqrt(3), "he": math.sqrt(2 / 3), "glorot_normal": math.sqrt(2 / 8)}


def draw(name, shape=(N_OUT, N_IN), seed=0):
    return get_initializer(name)(np.random.default_rng(seed), shape)


@pytest.mark.parametrize("name", VARIANCES)
def test_mean_and_variance(name):
    W, count, variance = draw(name), N_OUT * N_IN, VARIANCES[name]
    assert W.shape == (N_OUT, N_IN)
    assert abs(W.mean()) < 5 * math.sqrt(variance / count)
    assert abs(W.var() - variance) < 5 * variance * math.sqrt(2 / count)  # standard error of a normal's variance


def test_uniform_stays_within_its_limit_and_comes_near_it():
    W, limit = draw("glorot_uniform"), math.sqrt(6 / (N_IN + N_OUT))
    assert 0.999 * limit < np.abs(W).max() <= limit


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (5, 5), (1, 3), (3, 1), (1, 1)])
def test_orthogonal(shape):
    W = draw("orthogonal", shape)
    product = W @ W.T if shape[0] <= shape[1] else W.T @ W
    assert W.shape == shape
    assert product == pytest.approx(np.eye(min(shape)), abs=1e-14)


def test_orthogonal_has_no_preferred_sign():
    rng = np.random.default_rng(0)
    first = np.array([get_initializer("orthogonal")(rng, (2, 2))[0, 0] for _ in range(1000)])
    assert abs(np.sign(first).mean()) < 5 / math.sqrt(1000)


def test_zeros():
    assert not draw("zeros").any()


def test_every_initializer_is_tested():
    assert set(INITIALIZERS) == {*VARIANCES, "constant", "zeros"}


@pytest.mark.parametrize("name", NORMAL_SCALES)
@pytest.mark.parametrize("source", [np.random.default_rng, np.random.RandomState])
def test_draws_are_the_formula_s(name, source):
    expected = NORMAL_SCALES[name] * source(3).standard_normal((5, 3))
    assert get_initializer(name)(source(3), (5, 3)) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_layer_by_layer_from_one_stream_with_zero_biases(name):
    network = Network.initialize([2, 4, 3], ["tanh", "linear"], name, np.random.default_rng(9))
    rng = np.random.default_rng(9)
    for W, shape in zip(network.weights, [(4, 2), (3, 4)], strict=True):
        assert np.array_equal(W, get_initializer(name)(rng, shape))
    assert not any(b.any() for b in network.biases)


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_legacy_random_state_works(name):
    first, second = (get_initializer(name)(np.random.RandomState(48), (4, 3)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_global_random_states_are_not_touched(name):
    before, python_before = np.random.get_state(), random.getstate()  # noqa: NPY002
    Network.initialize([2, 4, 3], ["tanh", "linear"], name)
    assert_equal(np.random.get_state(), before)  # noqa: NPY002
    assert random.getstate() == python_before


def test_a_function_is_an_initializer():
    network = Network.initialize([2, 3], ["linear"], lambda rng, shape: np.full(shape, 0.5))
    assert np.array_equal(network.weights[0], np.full((3, 2), 0.5))


def test_unknown_name():
    with pytest.raises(RequestError, match="unknown initializer 'xaver': did you mean 'xavier'") as error:
        get_initializer("xaver")
    assert all(name in str(error.value) for name in INITIALIZERS)
