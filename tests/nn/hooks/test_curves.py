"""Hooks that keep curves or call a function: gradient norms, the paths of weights, callbacks."""

import numpy as np
import pytest

from sandbox import Config, Network, RequestError, fit, train, train_many
from sandbox.nn import Callback, GradientNorms, WeightPath, gradients

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
SINGLE = Network([2, 3, 1], ["sigmoid", "sigmoid"], np.random.default_rng(0).normal(size=13))
POPULATION = Network([2, 3, 1], ["sigmoid", "sigmoid"], np.random.default_rng(1).normal(size=(6, 13)))
SHAPES = pytest.mark.parametrize("network", [SINGLE, POPULATION], ids=["single", "population"])


class TestGradientNorms:
    @SHAPES
    @pytest.mark.parametrize("l2", [0.0, 0.1])
    def test_square_roots_of_sums_of_squares(self, network, l2):
        networks = {}
        keep = Callback(lambda run: networks.setdefault(run.epoch, run.network.copy()))
        run = fit(network, X, Y, epochs=6, l2=l2, hooks=[keep, GradientNorms(every=2)])
        assert set(run.curves) == {"gradient_norm", "gradient_norm/layer1", "gradient_norm/layer2"}
        for place, epoch in enumerate((0, 2, 4)):
            for row in np.ndindex(network.lead):
                _, slopes = gradients(networks[epoch][row], X, Y, l2=l2)
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


class TestCallback:
    @SHAPES
    def test_is_called_at_its_epochs(self, network):
        seen = []
        fit(
            network, X, Y, epochs=8, hooks=[Callback(lambda run: seen.append((run.epoch, np.shape(run.cost))), every=3)]
        )
        assert seen == [(epoch, network.lead) for epoch in (0, 3, 6)]

    def test_can_stop_training(self):
        run = fit(SINGLE, X, Y, epochs=80, hooks=[Callback(lambda run: run.stop() if run.epoch == 5 else None)])
        assert run.epochs_run == 5

    @pytest.mark.parametrize("wrong", [lambda: None, lambda run, epoch: None, lambda *, run: None, "print", None])
    def test_a_function_of_other_arguments(self, wrong):
        with pytest.raises(TypeError, match=r"must be a function of one argument, the run|is not a callable"):
            Callback(wrong)
