"""Schedules: their values at known points, and that training uses them."""

import numpy as np
import pytest

from sandbox import Network, RequestError, fit
from sandbox.nn import Curves
from sandbox.nn.schedules import SCHEDULES, get_schedule

VALUES = {  # epoch of 1000: factor, worked out by hand
    "constant": {0: 1, 500: 1, 999: 1},
    "step": {0: 1, 99: 1, 100: 1 / 2, 250: 1 / 4, 500: 1 / 32, 999: 1 / 512},
    "exponential": {0: 1, 250: 0.31622776601683794, 500: 0.1, 750: 0.03162277660168379},
    "cosine": {0: 1, 250: 0.8535533905932737, 500: 0.5, 750: 0.14644660940672627},
    "inverse_time": {0: 1, 100: 1 / 2, 200: 1 / 3, 500: 1 / 6, 900: 1 / 10},
}


@pytest.mark.parametrize(
    ("name", "epoch", "factor"),
    [(name, epoch, factor) for name, points in VALUES.items() for epoch, factor in points.items()],
)
def test_values(name, epoch, factor):
    assert get_schedule(name)(epoch, 1000) == pytest.approx(factor, rel=1e-14)


@pytest.mark.parametrize("name", VALUES)
def test_falls_from_one_and_stays_above_zero(name):
    factors = np.array([get_schedule(name)(epoch, 77) for epoch in range(77)])
    assert factors[0] == 1
    assert (np.diff(factors) <= 0).all()
    assert (factors > 0).all()


def parameters_by_epoch(network, schedule, batch_size=None, rate=0.05):
    recorders = [Curves(w=lambda run: run.network.weights[0][..., 0, 0])]
    run = fit(
        network,
        [[1.0], [-1.0]],
        [1.0, -1.0],
        learning_rate=rate,
        schedule=schedule,
        epochs=12,
        batch_size=batch_size,
        hooks=recorders,
    )
    return np.array([w for _, w in run.curves["w"]])


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("batch_size", [None, 2])
def test_training_uses_it(name, batch_size):
    line = Network.from_parameters([[[2.0]]], [[0.0]], ["linear"])
    w, expected = 2.0, [2.0]
    for epoch in range(12):  # of (w - 1)^2 / 2
        w -= 0.05 * get_schedule(name)(epoch, 12) * (w - 1)
        expected.append(w)
    assert parameters_by_epoch(line, name, batch_size) == pytest.approx(np.array(expected), rel=1e-12)


def test_replicas_have_schedules_of_their_own():
    line = Network.from_parameters([[[2.0]]], [[0.0]], ["linear"])
    population = Network(line.sizes, line.activations, np.tile(line.parameters, (len(VALUES), 1)))
    together = parameters_by_epoch(population, list(VALUES))
    for row, name in enumerate(VALUES):
        assert together[:, row] == pytest.approx(parameters_by_epoch(line, name), rel=1e-13)


def test_every_schedule_is_tested():
    assert set(SCHEDULES) == set(VALUES)


def test_unknown_name():
    with pytest.raises(RequestError, match="unknown schedule 'cosin': did you mean 'cosine'") as error:
        get_schedule("cosin")
    assert all(name in str(error.value) for name in SCHEDULES)
