"""The health of a network's beginnings: what is measured, and that theory and measurement agree in wide layers."""

import math
from functools import cache, partial

import numpy as np
import pytest

from sandbox import Config, Hook, Network, fit, train
from sandbox.nn import InitializerHealth
from sandbox.nn.initializers import get_initializer
from sandbox.nn.variances import normal_means

REPLICAS, UNITS, EXAMPLES = 5, 500, 40
VARIANCES = {"plain": 0.01**2, "xavier": 1 / UNITS, "he": 2 / UNITS, "glorot_normal": 2 / (UNITS + UNITS)}


class Buffers(Hook):
    """Copies of what a run shows of a pass, at every call."""

    def __init__(self):
        self.seen = []

    def on_epoch(self, run):
        layers = [[values.copy() for values in group] for group in (run.activations, run.derivatives)]
        self.seen.append((run.network.copy(), run.inputs.copy(), *layers, run.gradients.copy()))


class BuffersOfBatches(Buffers):
    def on_epoch(self, run):
        pass

    def on_batch(self, run):
        super().on_epoch(run)


def data(lead=(), seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(*lead, 10, 3)), rng.normal(size=(*lead, 10, 2))


@pytest.mark.parametrize("lead", [(), (4,)])
@pytest.mark.parametrize("own_data", [False, True])
@pytest.mark.parametrize("hidden", [(4,), (60, 50)])  # tiny populations have their replicas last, others in front
@pytest.mark.parametrize("hook", [Buffers, BuffersOfBatches])
def test_what_a_run_shows_of_a_pass(lead, own_data, hidden, hook):
    sizes = [3, *hidden, 2]
    parameters = np.random.default_rng(1).normal(size=(*lead, Network.count(sizes)), scale=0.3)
    network = Network(sizes, ["tanh"] * len(hidden) + ["linear"], parameters)
    X, Y = data(lead if own_data else ())
    watch = hook()
    fit(network, X, Y, epochs=3, learning_rate=0.1, batch_size=4 if hook is BuffersOfBatches else None, hooks=[watch])
    assert len(watch.seen) == (9 if hook is BuffersOfBatches else 3)
    for seen, inputs, activations, derivatives, gradients in watch.seen:
        examples = inputs.shape[-1]
        A = inputs
        for W, b, ours, dZ in zip(seen.weights, seen.biases, activations, derivatives, strict=True):
            assert ours.shape == dZ.shape == (*lead, W.shape[-2], examples)
            A = W @ A + b if W is seen.weights[-1] else np.tanh(W @ A + b)
            assert np.allclose(ours, A, rtol=1e-9, atol=1e-12)
        for dZ, below, dW, db in zip(
            derivatives, [inputs, *activations], gradients.weights, gradients.biases, strict=False
        ):
            assert np.allclose(dW, dZ @ below.mT, rtol=1e-9, atol=1e-12)
            assert np.allclose(db, dZ.sum(-1, keepdims=True), rtol=1e-9, atol=1e-12)
    if hook is Buffers:
        assert np.array_equal(watch.seen[0][1], X.mT)


@pytest.mark.parametrize("hidden", [(4,), (60, 50)])
@pytest.mark.parametrize("own_data", [False, True])
def test_stopped_replicas_have_none(hidden, own_data):
    class Stop(Hook):
        epochs = (1,)

        def on_epoch(self, run):
            run.stop([0, 2, 3])

    sizes = [3, *hidden, 2]
    network = Network(sizes, ["tanh"] * len(sizes[1:]), np.random.default_rng(1).normal(size=(4, Network.count(sizes))))
    X, Y = data((4,) if own_data else ())
    watch, alone = Buffers(), Buffers()
    fit(network, X, Y, epochs=4, learning_rate=0.1, hooks=[Stop(), watch])
    fit(network, X, Y, epochs=4, learning_rate=0.1, hooks=[alone])
    for epoch, (seen, expected) in enumerate(zip(watch.seen, alone.seen, strict=True)):
        for ours, theirs in zip([*seen[2], *seen[3]], [*expected[2], *expected[3]], strict=True):
            assert np.allclose(ours[1], theirs[1], rtol=1e-9, atol=1e-15)
            assert np.isnan(ours[[0, 2, 3]]).all() == (epoch >= 1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_means_and_variances_of_every_layer(dtype):
    network = Network.initialize([3, 5, 4, 2], ["sigmoid", "relu", "softmax"], dtype=dtype)
    X, Y = data()
    watch = Buffers()
    run = fit(network, X, Y, epochs=8, learning_rate=0.1, hooks=[watch, InitializerHealth([0, 5])])
    assert {epoch for points in run.curves.values() for epoch, _ in points} == {0, 5}
    for kind, place in (("activation", 2), ("gradient", 3)):
        for layer in range(3):
            for name, function in (("mean", np.mean), ("variance", np.var)):
                points = dict(run.curves[f"health/{kind}_{name}/layer{layer + 1}"])
                for epoch in (0, 5):
                    expected = function(watch.seen[epoch][place][layer].astype(float))
                    assert points[epoch] == pytest.approx(expected, rel=1e-6, abs=1e-12)
    theory = {name for name in run.curves if "theory" in name}
    assert theory == {
        *(f"health/activation_variance_theory/layer{layer}" for layer in (1, 2)),  # not of the softmax
        *(f"health/gradient_variance_theory/layer{layer}" for layer in (1, 2)),
    }


@cache
def wide(initializer, activation, hidden=2):
    """A population of wide networks: measured and predicted variances, averaged over draws of the weights.

    The targets are so large that the last layer's derivatives do not depend on the weights, as theory assumes.
    """
    sizes = [UNITS] * (hidden + 1) + [UNITS]
    draw, rng = get_initializer(initializer), np.random.default_rng(7)
    networks = [
        Network.initialize(sizes, [activation] * hidden + ["linear"], draw, rng, np.float32) for _ in range(REPLICAS)
    ]
    population = Network(sizes, networks[0].activations, np.stack([one.parameters for one in networks]))
    X, Y = (
        rng.normal(size=(EXAMPLES, UNITS)) * rng.uniform(0.2, 1.5, (EXAMPLES, 1)),
        1000 * rng.normal(size=(EXAMPLES, UNITS)),
    )
    run = fit(population, X, Y, epochs=1, learning_rate=1e-9, hooks=[InitializerHealth()])
    curves = {name.removeprefix("health/"): points[0][1].mean() for name, points in run.curves.items()}
    return X, curves


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("initializer", ["plain", "xavier", "he", "glorot_normal"])
def test_theory_is_what_wide_layers_measure(initializer, activation):
    _, curves = wide(initializer, activation)
    assert len(curves) == 4 * 3 + 3 + 2
    for layer in (1, 2, 3):
        measured, theory = (curves[f"activation_variance{part}/layer{layer}"] for part in ("", "_theory"))
        assert measured == pytest.approx(theory, rel=0.06)
    for layer in (1, 2):
        measured, theory = (curves[f"gradient_variance{part}/layer{layer}"] for part in ("", "_theory"))
        assert measured == pytest.approx(theory, rel=0.06)


@pytest.mark.parametrize("initializer", VARIANCES)
@pytest.mark.parametrize(("activation", "kept"), [("linear", 1.0), ("relu", 0.5)])
def test_theory_is_the_published_factor_from_layer_to_layer(initializer, activation, kept):
    """Glorot and Bengio 2010, equations 5 and 6: n Var(w) for linear units; He et al. 2015: half of it for ReLU."""
    X, curves = wide(initializer, activation)
    factor, square = UNITS * VARIANCES[initializer], np.square(X).mean()
    for layer in (1, 2):
        variance = square * factor * (kept * factor) ** (layer - 1)  # of the weighted sums
        if activation == "relu":
            variance *= 1 / 2 - 1 / (
                2 * math.pi
            )  # a part of it, E[a]^2, is no variance; 1/pi of it only where examples
        theory = curves[f"activation_variance_theory/layer{layer}"]  # are alike: these differ in length
        assert theory == pytest.approx(variance, rel=0.01 if activation == "linear" else 0.15)
    last = curves["gradient_variance/layer3"]
    for layer in (1, 2):
        theory = curves[f"gradient_variance_theory/layer{layer}"]
        assert theory == pytest.approx(last * (kept * factor) ** (3 - layer), rel=0.02)


@pytest.mark.parametrize("variance", [0.0, 1e-4, 0.3, 1.0, 9.0, 100.0])
@pytest.mark.parametrize("activation", ["linear", "relu", "leaky_relu", "tanh", "sigmoid"])
def test_means_of_a_normal_variable(activation, variance):
    """Against closed forms, and against scipy's adaptive quadrature."""
    from scipy.integrate import quad

    def expectation(function):
        if variance == 0:
            return function(0.0)
        density = lambda z: math.exp(-z * z / (2 * variance)) / math.sqrt(2 * math.pi * variance)  # noqa: E731
        end = 10 * math.sqrt(variance)
        halves = (quad(lambda z: function(z) * density(z), *ends, limit=200)[0] for ends in ((-end, 0), (0, end)))
        return sum(halves)

    def g(z):
        return {
            "linear": z,
            "relu": max(z, 0),
            "leaky_relu": max(z, 0.01 * z),
            "tanh": math.tanh(z),
            "sigmoid": 1 / (1 + math.exp(-z)),
        }[activation]

    def slope(z):
        return {
            "linear": 1,
            "relu": float(z > 0),
            "leaky_relu": 1 if z > 0 else 0.01,
            "tanh": 1 - math.tanh(z) ** 2,
            "sigmoid": g(z) * (1 - g(z)),
        }[activation]

    mean, square, slopes = (value.item() for value in normal_means(activation, variance))
    rel = 2e-3 if "relu" in activation or variance > 10 else 1e-4  # kinked, or as good as that
    close = partial(pytest.approx, rel=rel, abs=1e-9)
    assert mean == close(expectation(g))
    assert square == close(expectation(lambda z: g(z) ** 2))
    if variance or "relu" not in activation:  # no slope at the kink
        assert slopes == close(expectation(lambda z: slope(z) ** 2))


def test_weights_of_zero_predict_and_measure_no_signal():
    curves = train(
        Config(dataset="circle", hidden=(9, 9), activation="tanh", initializer="zeros", epochs=1), [InitializerHealth()]
    ).curves
    for layer in (1, 2):
        for kind in ("activation", "gradient"):
            for part in ("", "_theory"):
                assert curves[f"health/{kind}_variance{part}/layer{layer}"][1] == 0


def test_curves_are_names_that_mlflow_accepts():
    from mlflow.utils.validation import _validate_metric_name

    curves = train(Config(dataset="iris", epochs=3), [InitializerHealth(range(3))]).curves
    assert len(curves) >= 8
    for name in curves:
        _validate_metric_name(name)
