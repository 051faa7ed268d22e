"""From Config to Result: what a Result holds, and that training many is training each."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sandbox import Config, Hook, RequestError, train, train_many
from sandbox.data import load_parts
from sandbox.nn import Curves, Snapshots, gradients
from sandbox.train import build, spread

OR = Config(dataset="or", hidden=(), epochs=300)
XOR = Config(dataset="xor", epochs=120)
MOONS = Config(dataset="moons", n_examples=40, activation="tanh", cost="binary_cross_entropy", epochs=60)
IRIS = Config(dataset="iris", hidden=(5,), cost="categorical_cross_entropy", learning_rate=0.5, epochs=150)
LINE = Config(dataset="linear", hidden=(), cost="mean_squared_error", learning_rate=0.01, epochs=200)
DIVERGING = LINE.replace(learning_rate=1.0)


class StopAt(Hook):
    def __init__(self, epoch):
        self.epochs = (epoch,)

    def on_epoch(self, run):
        run.stop()


def same(one, other, rel=0.0):
    """Whether two results hold the same numbers, to the last bit unless told otherwise."""
    assert one.config == other.config
    assert_allclose(one.costs, other.costs, rel)
    assert np.array_equal(one.cost_epochs, other.cost_epochs)
    assert_allclose(one.cost, other.cost, rel)
    assert_allclose(one.network.parameters, other.network.parameters, 1e3 * rel, 1e3 * rel)
    for name in ("train_accuracy", "test_accuracy", "diverged_at", "epochs_run"):
        assert getattr(one, name) == getattr(other, name)
    assert one.penalty == pytest.approx(other.penalty, rel=1e3 * rel)
    assert one.curves.keys() == other.curves.keys()
    for name in one.curves:
        assert np.array_equal(one.curves[name][0], other.curves[name][0])
        assert_allclose(one.curves[name][1], other.curves[name][1], 1e3 * rel, 1e3 * rel)
    assert one.snapshots.keys() == other.snapshots.keys()
    for epoch, network in one.snapshots.items():
        assert_allclose(network.parameters, other.snapshots[epoch].parameters, 1e3 * rel, 1e3 * rel)


class TestResult:
    def test_numbers(self):
        result = train(OR)
        assert result.config == OR
        assert result.costs.shape == result.cost_epochs.shape == (300,)
        assert result.cost_epochs.tolist() == list(range(300))
        assert result.epochs_run == 300
        assert result.diverged_at is None
        assert result.seconds > 0
        assert result.penalty == 0
        assert isinstance(result.cost, float)
        assert result.best_cost == result.cost < result.costs.min()
        assert (result.curves, result.snapshots) == ({}, {})

    def test_first_network_is_drawn_from_the_seed(self):
        network, rng = build(XOR.replace(seed=7)), np.random.default_rng(7)
        assert_allclose(network.weights[0], rng.standard_normal((3, 2)) / math.sqrt(2), 1e-15)
        assert_allclose(network.weights[1], rng.standard_normal((1, 3)) / math.sqrt(3), 1e-15)
        assert not network.biases[0].any()
        assert network.activations == ("sigmoid", "sigmoid")

    def test_scale_of_the_plain_initializer(self):
        small, large = (build(XOR.replace(initializer="plain", initializer_scale=s)) for s in (0.01, 2.0))
        assert_allclose(large.weights[0], 200 * small.weights[0], 1e-12)

    def test_costs_are_those_of_the_textbook(self):
        """One sigmoid neuron on OR in plain loops: 1/(2m) * sum((Y - Yhat)^2), learning rate 1."""
        rows, (w1, w2), b, costs = [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 1)], build(OR).weights[0][0], 0.0, []
        for _ in range(301):
            outputs = [1 / (1 + math.exp(-(w1 * x1 + w2 * x2 + b))) for x1, x2, _ in rows]
            costs.append(sum((y - a) ** 2 for a, (_, _, y) in zip(outputs, rows, strict=True)) / 8)
            deltas = [(a - y) * a * (1 - a) / 4 for a, (_, _, y) in zip(outputs, rows, strict=True)]
            w1 -= sum(d * x1 for d, (x1, _, _) in zip(deltas, rows, strict=True))
            w2 -= sum(d * x2 for d, (_, x2, _) in zip(deltas, rows, strict=True))
            b -= sum(deltas)
        result = train(OR)
        assert_allclose(result.costs, costs[:300], 1e-10)
        assert result.cost == pytest.approx(costs[300], rel=1e-10)

    def test_same_config_same_bits(self):
        for config in (XOR, MOONS.replace(batch_size=7)):
            first, second = train(config), train(config)
            assert np.array_equal(first.costs, second.costs)
            assert np.array_equal(first.network.parameters, second.network.parameters)

    def test_seeds_count(self):
        config = MOONS.replace(batch_size=7)
        costs = {train(config.replace(**changes)).cost for changes in ({}, {"seed": 1}, {"data_seed": 1})}
        assert len(costs) == 3

    def test_seed_shuffles(self):
        config = MOONS.replace(hidden=(), initializer="zeros", batch_size=7)
        assert train(config).cost != train(config.replace(seed=1)).cost

    def test_penalty_is_apart_from_the_cost(self):
        result = train(XOR.replace(l1=0.01, l2=0.02))
        ws = np.concatenate([W.ravel() for W in result.network.weights])
        assert result.penalty == pytest.approx(0.01 * np.abs(ws).sum() + 0.01 * (ws**2).sum(), rel=1e-12)
        cost, _ = gradients(result.network, result.problem.train.X, result.problem.train.Y)
        assert result.cost == pytest.approx(cost, rel=1e-12)

    def test_float32(self):
        result = train(XOR.replace(dtype="float32"))
        assert result.network.parameters.dtype == np.float32
        assert_allclose(result.costs, train(XOR).costs, 1e-4)


class TestAccuracy:
    def test_gates_have_no_test_part(self):
        result = train(OR)
        assert (result.train_accuracy, result.test_accuracy) == (1.0, None)

    def test_cross_lets_one_neuron_learn_xor(self):
        config = XOR.replace(hidden=(), epochs=1000)
        assert train(config.replace(crosses=("x1*x2",))).train_accuracy == 1
        without = train(config).train_accuracy
        assert without is not None
        assert without <= 0.75

    def test_binary(self):
        result = train(MOONS)
        parts = load_parts("moons", n=40)
        for accuracy, data in ((result.train_accuracy, parts.train), (result.test_accuracy, parts.test)):
            assert data is not None
            right = [
                (output > 0.5) == (y == 1)
                for output, y in zip(result.network.predict(data.X)[:, 0], data.Y[:, 0], strict=True)
            ]
            assert accuracy == sum(right) / len(right)
        assert result.test_accuracy is not None
        assert 0.5 < result.test_accuracy < 1

    @pytest.mark.parametrize("config", [MOONS, IRIS], ids=["moons", "iris"])
    def test_of_so_many_validation_examples_as_asked(self, config):
        few, usual = train(config.replace(n_validation=7)), train(config)
        parts = load_parts(config.dataset, n=config.n_examples, n_validation=7)
        assert parts.validation is not None
        cost, _ = gradients(few.network, few.problem.inputs(parts.validation.X), parts.validation.Y, config.cost)
        assert few.validation_cost == pytest.approx(cost, rel=1e-12)
        assert few.validation_accuracy in [right / 7 for right in range(8)]
        assert few.costs.tobytes() == usual.costs.tobytes()
        assert few.network.parameters.tobytes() == usual.network.parameters.tobytes()
        assert (few.test_cost, few.test_accuracy) == (usual.test_cost, usual.test_accuracy)

    def test_multiclass(self):
        result = train(IRIS)
        parts = load_parts("iris")
        for accuracy, data in ((result.train_accuracy, parts.train), (result.test_accuracy, parts.test)):
            assert data is not None
            right = [
                max(range(3), key=outputs.__getitem__) == list(y).index(1)
                for outputs, y in zip(result.network.predict(data.X).tolist(), data.Y, strict=True)
            ]
            assert accuracy == sum(right) / len(right)
        assert result.train_accuracy is not None
        assert result.train_accuracy > 0.9

    def test_regression_has_none(self):
        result = train(LINE.replace(noise=0.1))
        assert (result.train_accuracy, result.test_accuracy) == (None, None)


class TestMany:
    def test_mixed_shapes_in_the_given_order(self):
        configs = [
            XOR,
            MOONS,
            XOR.replace(learning_rate=0.1, seed=3),
            OR,
            XOR.replace(hidden=(4, 2), activation="relu", initializer="he"),
            MOONS.replace(dataset="circle", seed=1),
            XOR.replace(optimizer="adam", learning_rate=0.05),
            XOR.replace(schedule="cosine", l1=0.001, l2=0.01),
            XOR,
            LINE,
            XOR.replace(crosses=("x1*x2",)),
            MOONS.replace(dataset="circle", crosses=("x1^2", "x2^2")),
            MOONS.replace(dataset="spiral", crosses=("sin(x1)", "sin(x2)"), learning_rate=0.2),
            XOR.replace(batch_size=3),
            XOR.replace(batch_size=3, seed=5, schedule="step"),
            IRIS,
            IRIS.replace(seed=4, l2=0.01),
            XOR.replace(optimizer="adam", learning_rate=0.02, seed=9),
            XOR.replace(dataset="and", l1=0.01),
        ]
        for config, result in zip(configs, train_many(configs), strict=True):
            assert result.config == config
            same(result, train(config))

    def test_float32(self):
        configs = [XOR.replace(dtype=dtype, seed=seed) for seed in range(4) for dtype in ("float32", "float64")]
        for config, result in zip(configs, train_many(configs), strict=True):
            assert result.network.parameters.dtype == config.dtype
            same(result, train(config), rel=0.0)

    def test_none(self):
        assert train_many([]) == []

    def test_hooks_collect_for_every_one(self):
        def hooks():
            return [Snapshots([0, 50]), Curves(every=40, slope=lambda run: run.gradients.weights[0][..., 0, 0])]

        configs = [XOR, OR, XOR.replace(seed=1), XOR.replace(seed=2, learning_rate=0.3)]
        for config, result in zip(configs, train_many(configs, hooks()), strict=True):
            alone = train(config, hooks())
            assert sorted(result.snapshots) == [0, 50, config.epochs]
            assert np.array_equal(result.snapshots[0].parameters, build(config).parameters)
            assert np.array_equal(result.snapshots[config.epochs].parameters, result.network.parameters)
            assert result.curves["slope"][0].tolist() == [*range(0, config.epochs, 40), config.epochs]
            same(result, alone)

    def test_a_hook_can_stop_them(self):
        for result in [*train_many([XOR, XOR.replace(seed=1)], [StopAt(30)]), train(XOR, [StopAt(30)])]:
            assert result.epochs_run == len(result.costs) == 30
            assert result.diverged_at is None
            whole = train(result.config)
            assert_allclose(result.costs, whole.costs[:30], 1e-9)
            assert result.cost == pytest.approx(whole.costs[30], rel=1e-9)


class TestCurvePoints:
    @pytest.mark.parametrize("points", [2, 5, 50, 119, 120, 200])
    def test_the_first_ones_the_last_one_and_evenly_between(self, points):
        whole = train(XOR)
        for result in [train(XOR, curve_points=points), *train_many([XOR, XOR], curve_points=points)]:
            epochs = result.cost_epochs
            assert len(epochs) == min(points, 120)
            assert (epochs[0], epochs[-1]) == (0, 119)
            first = points // 5
            assert epochs[:first].tolist() == list(range(first))
            assert np.ptp(np.diff(epochs[first:])) <= 1 + (points >= 100)  # 100 is one of them
            assert points < 100 or {1, 10, 100} <= {*epochs.tolist()}
            assert_allclose(result.costs, whole.costs[epochs], 1e-9)
            assert result.cost == pytest.approx(whole.cost, rel=1e-9)

    def test_none_is_every_epoch(self):
        assert spread(7, None).tolist() == list(range(7))

    @pytest.mark.parametrize("points", [0, 1, -3])
    def test_fewer_than_two_are_refused(self, points):
        with pytest.raises(RequestError, match=f"curve_points is {points}"):
            train(XOR, curve_points=points)


@pytest.mark.filterwarnings("error")
class TestDivergence:
    @pytest.mark.parametrize("points", [None, 100])
    def test_stops_and_says_where(self, points):
        result = train(DIVERGING, curve_points=points)
        assert result.diverged_at == result.epochs_run < 50
        assert len(result.costs) == len(result.cost_epochs)
        assert (result.cost_epochs < result.diverged_at).all()
        assert np.isfinite(result.costs).all()
        assert result.cost > 1e6 * result.costs[0]
        assert result.best_cost == result.costs.min()

    def test_leaves_the_others_alone(self):
        configs = [LINE, DIVERGING, LINE.replace(learning_rate=0.1), DIVERGING.replace(seed=3)]
        results = train_many(configs, [Snapshots([0, 100]), Curves(cost=lambda run: run.cost)])
        assert [result.diverged_at is None for result in results] == [True, False, True, False]
        for config, result in zip(configs, results, strict=True):
            same(result, train(config, [Snapshots([0, 100]), Curves(cost=lambda run: run.cost)]))
        for diverged in (results[1], results[3]):
            assert list(diverged.snapshots) == [0]
            assert np.isfinite(diverged.curves["cost"][1][:-1]).all()

    def test_stopped_by_another_hook_before_anybody_looked(self):
        for result in [train(DIVERGING, [StopAt(30)]), *train_many([DIVERGING, DIVERGING], [StopAt(30)])]:
            assert result.diverged_at == train(DIVERGING).diverged_at
            assert np.isfinite(result.costs).all()

    def test_a_cost_that_was_never_finite(self):
        config = LINE.replace(noise=1e200)
        for result in [train(config), *train_many([config, config.replace(seed=1)])]:
            assert result.diverged_at == result.epochs_run == len(result.costs) == 0
            assert math.isinf(result.cost)
            assert math.isnan(result.best_cost)


def test_a_request_that_the_data_refuse():
    with pytest.raises(RequestError, match="iris"):
        train(IRIS.replace(n_examples=100_000))
