"""Hooks that keep curves: gradient norms, the paths of weights, what a network comes to on other data."""

import numpy as np
import pytest

from sandbox import Config, Network, RequestError, fit, train, train_many
from sandbox.nn import GradientNorms, Measures, Snapshots, WeightPath, gradients

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
SINGLE = Network([2, 3, 1], ["sigmoid", "sigmoid"], np.random.default_rng(0).normal(size=13))
POPULATION = Network([2, 3, 1], ["sigmoid", "sigmoid"], np.random.default_rng(1).normal(size=(6, 13)))
SHAPES = pytest.mark.parametrize("network", [SINGLE, POPULATION], ids=["single", "population"])


class TestGradientNorms:
    @SHAPES
    @pytest.mark.parametrize("l2", [0.0, 0.1])
    def test_square_roots_of_sums_of_squares(self, network, l2):
        run = fit(network, X, Y, epochs=6, l2=l2, hooks=[Snapshots(range(6)), GradientNorms(every=2)])
        assert set(run.curves) == {"gradient_norm", "gradient_norm/layer1", "gradient_norm/layer2"}
        for place, epoch in enumerate((0, 2, 4)):
            for row in np.ndindex(network.lead):
                _, slopes = gradients(run.snapshots[epoch][row], X, Y, l2=l2)
                squares = [
                    sum(float(value) ** 2 for value in [*dW.flat, *db.flat])
                    for dW, db in zip(slopes.weights, slopes.biases, strict=True)
                ]
                for name, square in {
                    "gradient_norm": sum(squares),
                    "gradient_norm/layer1": squares[0],
                    "gradient_norm/layer2": squares[1],
                }.items():
                    assert run.curves[name][place][0] == epoch
                    assert run.curves[name][place][1][row] == pytest.approx(square**0.5, rel=1e-9)

    def test_mixed_widths_have_the_norms_that_they_have_alone(self):
        configs = [Config(hidden=(units,), epochs=20, seed=units) for units in (2, 3, 4, 5, 9)]
        for config, result in zip(configs, train_many(configs, [GradientNorms()]), strict=True):
            alone = train(config, [GradientNorms()])
            assert result.curves.keys() == alone.curves.keys()
            for name, (epochs, norms) in alone.curves.items():
                assert result.curves[name][0].tolist() == epochs.tolist()
                assert result.curves[name][1] == pytest.approx(norms, rel=1e-9)


class TestWeightPath:
    @pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
    def test_y_is_3x(self, rate):
        """w and b by hand, mean squared error (Modern Computer Vision with PyTorch, chapter 1)."""
        x, y = np.arange(1.0, 5), 3 * np.arange(1.0, 5)
        config = Config(dataset="linear", hidden=(), initializer="zeros", cost="mean_squared_error", learning_rate=rate)
        curves = train(config.replace(epochs=100), [WeightPath(w=(0, 0, 0), b=(0, 0))]).curves
        w = b = 0.0
        for epoch in range(101):
            assert curves["w"][1][epoch] == pytest.approx(w, rel=1e-9)
            assert curves["b"][1][epoch] == pytest.approx(b, rel=1e-9)
            error = w * x + b - y
            w, b = w - rate * (2 * error * x).mean(), b - rate * (2 * error).mean()
        assert curves["w"][0].tolist() == list(range(101))

    @SHAPES
    def test_places(self, network):
        hook = WeightPath(every=3, first=(0, 2, 1), second=(1, 0, 2), bias=(0, 1))
        run = fit(network, X, Y, epochs=7, hooks=[hook])
        for name, block in {
            "first": lambda net: net.weights[0][..., 2, 1],
            "second": lambda net: net.weights[1][..., 0, 2],
            "bias": lambda net: net.biases[0][..., 1, 0],
        }.items():
            epochs, values = zip(*run.curves[name], strict=True)
            assert epochs == (0, 3, 6, 7)
            assert np.array_equal(values[0], block(network))
            assert np.array_equal(values[-1], block(run.network))

    @pytest.mark.parametrize("place", [(2, 0, 0), (0, 3, 0), (0, 0, 2), (0,), (0, 0, 0, 0), (-1, 0, 0), "w", (0, "1")])
    def test_no_such_parameter(self, place):
        with pytest.raises(RequestError, match=r"WeightPath: w=.* is nowhere in Network.2-3-1.*a weight is"):
            fit(SINGLE, X, Y, epochs=1, hooks=[WeightPath(w=place)])
        with pytest.raises(RequestError, match="follows nothing"):
            WeightPath()


PARTS = ("train", "validation", "test")


class TestMeasures:
    MOONS = Config(dataset="moons", n_examples=20, epochs=30)

    def test_are_those_of_the_network_then(self):
        results = train_many(
            [self.MOONS.replace(seed=seed) for seed in range(3)], [Measures([0, 10]), Snapshots([0, 10])]
        )
        for result in results:
            problem, curves = result.problem, result.curves
            assert set(curves) == {f"{part}_accuracy" for part in PARTS} | {"validation_cost", "test_cost"}
            for part in PARTS:
                data = getattr(problem, part)
                for place, epoch in enumerate((0, 10, 30)):
                    network = result.snapshots[epoch]
                    right = (network.predict(problem.inputs(data.X)) > 0.5) == (data.Y == 1)
                    assert curves[f"{part}_accuracy"][0].tolist() == [0, 10, 30]
                    assert curves[f"{part}_accuracy"][1][place] == right.mean()
                    if part != "train":
                        cost, _ = gradients(network, data.X, data.Y)
                        assert curves[f"{part}_cost"][1][place] == pytest.approx(cost, rel=1e-12)
            assert result.validation_cost == curves["validation_cost"][1][-1]
            assert result.train_accuracy == curves["train_accuracy"][1][-1]

    def test_what_is_not_there_is_left_out(self):
        assert set(train(Config(epochs=9), [Measures([0])]).curves) == {"train_accuracy"}
        plane = Config(dataset="reg_plane", n_examples=9, epochs=9)
        assert set(train(plane, [Measures([0])]).curves) == {"validation_cost", "test_cost"}
        assert set(train(plane, [Measures([0], ["test_cost"])]).curves) == {"test_cost"}
        assert train(Config(dataset="linear", hidden=(), epochs=9), [Measures([0])]).curves == {}

    def test_epochs_may_follow_from_their_number(self):
        configs = [self.MOONS.replace(epochs=epochs) for epochs in (10, 40)]
        for result in train_many(configs, [Measures(half), Snapshots(half)]):
            whole = result.config.epochs
            assert result.curves["validation_cost"][0].tolist() == list(result.snapshots) == [0, whole // 2, whole]

    def test_without_parts_there_is_the_cost_alone(self):
        with pytest.raises(RequestError, match=r"unknown measure 'train_accuracy': Valid: cost$"):
            fit(SINGLE, X, Y, epochs=1, hooks=[Measures([0])])


def half(epochs):
    return [0, epochs // 2]
