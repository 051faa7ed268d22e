"""Optimizers: against textbook loops over single numbers."""

import math

import numpy as np
import pytest

from sandbox import Network, RequestError, fit
from sandbox.nn import Curves
from sandbox.nn.optimizers import OPTIMIZERS, get_optimizer

RATE, MU, STEPS = 0.1, 0.8, 5


def gd(w, slope):
    for _ in range(STEPS):
        w -= RATE * slope(w)
        yield w


def momentum(w, slope):
    """Heavy ball: a step is the last one times mu, and the gradient's (Polyak 1964)."""
    last = 0.0
    for _ in range(STEPS):
        step = MU * last - RATE * slope(w)
        w, last = w + step, step
        yield w


def nesterov(w, slope):
    """The gradient is taken where momentum alone would lead (Sutskever et al. 2013, equations 3 and 4).

    The place where it is taken is what an optimizer that is given gradients keeps as the parameters.
    """
    v = 0.0
    for _ in range(STEPS):
        v = MU * v - RATE * slope(w + MU * v)
        w += v
        yield w + MU * v


def adam(w, slope):
    """Kingma and Ba 2015, algorithm 1."""
    m = v = 0.0
    for t in range(1, STEPS + 1):
        g = slope(w)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        w -= RATE * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        yield w


TEXTBOOK = {"gd": gd, "momentum": momentum, "nesterov": nesterov, "adam": adam}
START = np.array([[2.0, -1.0, 0.3], [0.0, 5.0, -4.0]])
CURVATURE = np.array([[1.0, 3.0, 0.5], [2.0, 0.1, 7.0]])


def slope_of(curvature):
    return lambda w: curvature * (w - 1)  # of curvature / 2 * (w - 1)^2


def updater(name, parameters, gradients, rate):
    """A function: one update."""
    optimizer = get_optimizer(name)(parameters, gradients, np.array(rate), MU)
    return lambda: [call() for call in optimizer.calls]


@pytest.mark.parametrize("name", TEXTBOOK)
def test_five_updates(name):
    parameters, gradients = START.copy(), np.empty_like(START)
    update = updater(name, parameters, gradients, RATE)
    loops = [
        list(TEXTBOOK[name](w, slope_of(c)))
        for w, c in zip(START.ravel().tolist(), CURVATURE.ravel().tolist(), strict=True)
    ]
    for number in range(STEPS):
        gradients[...] = slope_of(CURVATURE)(parameters)
        before = gradients.copy()
        update()
        assert parameters.ravel() == pytest.approx([loop[number] for loop in loops], rel=1e-12)
        assert np.array_equal(gradients, before)


@pytest.mark.parametrize("name", TEXTBOOK)
def test_five_epochs_of_fit(name):
    line = Network.from_parameters([[[2.0]]], [[0.0]], ["linear"])
    run = fit(
        line,
        [[1.0], [-1.0]],  # symmetric about 0, so that the bias stays 0 and the weight is alone
        [1.0, -1.0],
        learning_rate=RATE,
        optimizer=name,
        momentum=MU,
        epochs=STEPS,
        hooks=[Curves(w=lambda run: run.network.weights[0][0, 0])],
    )
    expected = list(TEXTBOOK[name](2.0, lambda w: w - 1))
    assert [w for _, w in run.curves["w"]][1:] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", TEXTBOOK)
def test_replicas_have_rates_of_their_own(name):
    population, rates = START.copy(), np.array([[0.1], [0.4]])
    everyone = [(population, rates), *((row.copy(), rate) for row, rate in zip(START, rates, strict=True))]
    for parameters, rate in everyone:
        gradients = np.empty_like(parameters)
        update = updater(name, parameters, gradients, rate)
        for _ in range(STEPS):
            gradients[...] = parameters - 1
            update()
    assert population == pytest.approx(np.array([parameters for parameters, _ in everyone[1:]]), rel=1e-14)


@pytest.mark.parametrize("name", TEXTBOOK)
def test_float32_is_kept(name):
    parameters = START.astype(np.float32)
    optimizer = get_optimizer(name)(parameters, parameters.copy(), np.array(RATE, np.float32), MU)
    for call in optimizer.calls:
        call()
    assert (parameters != START).any()
    assert {call.args[-1].dtype for call in optimizer.calls if hasattr(call, "args")} == {np.dtype(np.float32)}
    assert all(state.dtype == np.float32 for state in optimizer.state)


def test_every_optimizer_is_tested():
    assert set(OPTIMIZERS) == set(TEXTBOOK)


def test_unknown_name():
    with pytest.raises(RequestError, match="unknown optimizer 'adm': did you mean 'adam'") as error:
        get_optimizer("adm")
    assert all(name in str(error.value) for name in OPTIMIZERS)
