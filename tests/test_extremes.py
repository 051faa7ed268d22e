"""Numbers at the ends of what their types hold: no warning comes out, and what is no longer finite has diverged.

Warnings are errors in these tests.
"""

import itertools
from typing import Any

import numpy as np
import pytest

from sandbox import Config, Network, RequestError, fit, train, train_many
from sandbox.data import load_dataset
from sandbox.data.crosses import parse_cross
from sandbox.nn.initializers import INITIALIZERS
from sandbox.nn.optimizers import OPTIMIZERS
from sandbox.nn.schedules import SCHEDULES
from sandbox.record import make_record
from tests.test_bits import check

EXTREMES = [1e308, 1e300, 1e200, 1e150, 3.3e38, 1e39, 1e-46, 1e-320, 5e-324, -0.0]
FIELDS = ["noise", "initializer_scale", "l1", "l2", "weight_decay", "momentum", "learning_rate", "min_delta"]
SATURATED = Config(dataset="linear", hidden=(), output="tanh", learning_rate=1.7e308, epochs=120)
"""x is 1, 2, 3, 4: weight and bias grow beyond all numbers together, and the cost stays 26.75."""


def draw(rng):
    """A config with one to three extremes; None where it is refused."""

    def one(*values):
        return values[rng.integers(len(values))]

    changes: dict[str, Any] = {
        "dataset": one("xor", "moons", "linear", "iris", "reg_gauss", "circle"),
        "n_examples": 20,
        "hidden": one((), (3,), (2, 2), (17,)),
        "crosses": one((), (), ("x1^9", "sin(x1^2)")),
        "activation": one("sigmoid", "tanh", "relu", "leaky_relu", "linear"),
        "output": one(None, "linear", "tanh"),
        "initializer": one(*INITIALIZERS),
        "cost": one("squared_error", "mean_absolute_error", "binary_cross_entropy", "categorical_cross_entropy"),
        "optimizer": one(*OPTIMIZERS),
        "schedule": one(*SCHEDULES),
        "batch_size": one(None, 1, 3, 100),
        "epochs": one(1, 2, 12, 60),
        "patience": one(None, 5),
        "dtype": one("float64", "float32"),
        "seed": int(rng.integers(5)),
    }
    changes |= {str(name): one(*EXTREMES) for name in rng.permutation(FIELDS)[: rng.integers(1, 4)]}
    if "weight_decay" in changes:
        changes["optimizer"] = "adamw"
    try:
        return Config(**changes)
    except RequestError:
        return None


def test_no_config_warns_and_all_that_is_not_finite_has_diverged():
    rng = np.random.default_rng(0)
    configs = [config for _ in range(600) if (config := draw(rng)) is not None]
    assert len(configs) > 100
    results = [train(config) for config in configs]
    for number, (result, together) in enumerate(zip(results, train_many(configs), strict=True)):
        finite = np.isfinite(result.network.parameters).all() and np.isfinite(result.cost)
        assert finite or result.diverged_at is not None
        check(together, result)
        assert make_record(result, "extreme", {}, shown=number % 20 == 0).params == result.config.params()
    assert {result.config.dtype for result in results if result.diverged_at is not None} == {"float64", "float32"}


class TestParametersThatAreNotFinite:
    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    @pytest.mark.parametrize("batch_size", [None, 3])
    def test_while_the_cost_is(self, optimizer, batch_size):
        result = train(SATURATED.replace(optimizer=optimizer, batch_size=batch_size))
        assert not np.isfinite(result.network.parameters).all()
        assert (result.cost, result.diverged_at, result.epochs_run) == (26.75, 50, 50)  # the first look at them
        assert np.isfinite(result.costs).all()
        assert not result.converged

    @pytest.mark.parametrize("epochs", [1, 3, 49, 50])
    def test_at_the_end(self, epochs):
        result = train(SATURATED.replace(epochs=epochs))
        assert (result.cost, result.diverged_at, result.epochs_run) == (26.75, epochs, epochs)

    def test_at_the_start(self):
        config = SATURATED.replace(initializer="plain", initializer_scale=1.7e308, learning_rate=0.1)
        results = [train(config.replace(seed=seed)) for seed in range(9)]
        beyond = [one for one in results if not np.isfinite(one.network.parameters).all()]
        assert beyond
        assert {(one.diverged_at, one.epochs_run) for one in beyond} == {(0, 0)}

    def test_beside_others_padded_and_where_those_have_left(self):
        base = SATURATED.replace(optimizer="adam", n_examples=9)
        rates = [0.01, 1.7e308, 0.1, 1e308, 1e306]
        configs = [
            base.replace(learning_rate=rate, hidden=hidden, patience=patience, dtype=dtype)
            for rate, hidden, patience, dtype in itertools.product(
                rates, [(), (1,), (2,), (3,)], [None, 4], ["float64", "float32"]
            )
            if dtype == "float64" or rate < 1e38
        ]
        results = train_many(configs)
        assert sum(result.diverged_at is not None for result in results) > 8
        assert sum(result.diverged_at is None for result in results) > 8
        for result in results:
            check(result, train(result.config))

    def test_a_run_says_so(self):
        record = make_record(train(SATURATED), "saturated", {})
        assert (record.last()["diverged"], record.last()["diverged_at"]) == (1, 50)


class TestNumbersThatAreTooLarge:
    @pytest.mark.parametrize("name", ["learning_rate", "l1", "l2", "weight_decay", "initializer_scale"])
    def test_for_float32(self, name):
        large: dict[str, Any] = {name: 1e150, **({"optimizer": "adamw"} if name == "weight_decay" else {})}
        assert getattr(Config(**large), name) == 1e150
        with pytest.raises(RequestError, match=rf"^{name} is 1e\+150: float32 has numbers up to 3\.4e\+38$"):
            Config(**large, dtype="float32")

    @pytest.mark.parametrize("rate", [1e150, [0.1, 1e150]])
    def test_for_a_network_of_float32(self, rate):
        lead = np.shape(rate)
        network = Network([1, 1], ["linear"], np.zeros((*lead, 2), np.float32))
        with pytest.raises(RequestError, match=r"learning_rate is .*1e\+150\]?: float32 has numbers up to"):
            fit(network, [[1.0]], [1.0], learning_rate=rate)

    def test_of_data(self):
        with pytest.raises(RequestError, match=r"noise is 1e\+308: at most 1e\+300 leaves examples finite"):
            Config(dataset="moons", noise=1e308)
        for dataset in ("moons", "spiral", "circle", "quadrants", "xor", "linear", "reg_plane", "reg_gauss"):
            data = load_dataset(dataset, n=500, noise=1e300)
            assert np.isfinite(data.X).all()
            assert np.isfinite(data.Y).all()

    def test_of_crosses_and_inputs(self):
        X = np.array([[1e300, -1e300]])
        assert np.isinf(parse_cross("x1*x2", 2)(X)).all()
        assert np.isnan(parse_cross("sin(x1^2)", 2)(X)).all()
        network = Network([2, 1], ["linear"], np.ones(3, np.float32))
        assert np.isnan(network.predict(X)).all()
