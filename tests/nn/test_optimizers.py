"""Optimizers: against textbook loops over single numbers."""

import math
from typing import Any

import numpy as np
import pytest

from sandbox import Network, RequestError, fit
from sandbox.nn import Curves, Snapshots, textbook
from sandbox.nn.optimizers import OPTIMIZERS, get_optimizer
from sandbox.nn.run import Run
from sandbox.nn.workspace import Settings

RATE, MU, DECAY, STEPS = 0.1, 0.8, 0.05, 5


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


def adamw(w, slope):
    """Loshchilov and Hutter 2019, algorithm 2, line 12, the decay times the rate as well (as PyTorch)."""
    m = v = 0.0
    for t in range(1, STEPS + 1):
        g = slope(w)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        w -= RATE * ((m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8) + DECAY * w)
        yield w


TEXTBOOK = {"gd": gd, "momentum": momentum, "nesterov": nesterov, "adam": adam, "adamw": adamw}
START = np.array([[2.0, -1.0, 0.3], [0.0, 5.0, -4.0]])
CURVATURE = np.array([[1.0, 3.0, 0.5], [2.0, 0.1, 7.0]])


def slope_of(curvature):
    return lambda w: curvature * (w - 1)  # of curvature / 2 * (w - 1)^2


def updater(name, parameters, gradients, rate):
    """A function: one update."""
    optimizer = get_optimizer(name)(parameters, gradients, np.array(rate), MU, np.array(DECAY))
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
        weight_decay=DECAY if name == "adamw" else 0.0,
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
    rate, decay = np.array(RATE, np.float32), np.array(DECAY, np.float32)
    optimizer = get_optimizer(name)(parameters, parameters.copy(), rate, MU, decay)
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


RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(7, 2)), RNG.uniform(size=(7, 1))
RATES, DECAYS = np.array([0.02, 0.1, 0.5]), np.array([0.3, 0.05, 1.0])
POPULATIONS = [
    Network(sizes, ["tanh"] * (len(sizes) - 2) + ["sigmoid"], RNG.normal(size=(3, Network.count(sizes))))
    for sizes in ([2, 3, 1], [2, 20, 20, 1])
]


def by_the_book(network, rate, decay, epochs, batches=None):
    """Parameters after each epoch, all weights and then all biases; `batches` are rows of X, for each update of each."""
    Ws, bs = [W.copy() for W in network.weights], [b.copy() for b in network.biases]
    m, v, t, seen = [0.0] * 2 * len(Ws), [0.0] * 2 * len(Ws), 0, []
    for epoch in range(epochs):
        for rows in batches[epoch] if batches else [slice(None)]:
            t += 1
            Zs, As = textbook.forward(Ws, bs, network.activations, X[rows].T)
            dA = textbook.COSTS["squared_error"][1](As[-1], Y[rows].T, len(X[rows]))
            dWs, dbs = textbook.backward(Ws, network.activations, Zs, As, dA)
            eta = (1 + math.cos(math.pi * epoch / epochs)) / 2 * rate
            for i, (theta, g) in enumerate(zip([*Ws, *bs], [*dWs, *dbs], strict=True)):
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.999 * v[i] + 0.001 * g**2
                step = m[i] / (1 - 0.9**t) / (np.sqrt(v[i] / (1 - 0.999**t)) + 1e-8)
                theta -= eta * (step + (decay * theta if i < len(Ws) else 0))
        seen.append(np.concatenate([theta.ravel() for theta in [*Ws, *bs]]))
    return seen


def flat(network):
    return np.concatenate([theta.ravel() for theta in [*network.weights, *network.biases]])


class TestAdamW:
    """Whole networks against the textbook's gradients and algorithm 2: weights decay, biases do not."""

    NETWORKS = pytest.mark.parametrize("population", POPULATIONS, ids=["replicas last", "stacked"])

    @NETWORKS
    def test_is_algorithm_2(self, population):
        options: dict[str, Any] = {"optimizer": "adamw", "epochs": 40, "schedule": "cosine"}
        hook = Snapshots(range(40))
        run = fit(population, X, Y, learning_rate=RATES, weight_decay=DECAYS, hooks=[hook], **options)
        for row, (rate, decay) in enumerate(zip(RATES, DECAYS, strict=True)):
            own = {**options, "learning_rate": rate, "weight_decay": decay}
            alone = fit(population[row], X, Y, hooks=[hook], **own)
            settings = Settings("squared_error", **own)
            of_populations = Run(population[row], X, Y, settings, [hook], of_populations=True).advance()
            book = by_the_book(population[row], rate, decay, 40)
            for epoch in range(1, 41):
                for seen in (run.snapshots[epoch][row], alone.snapshots[epoch], of_populations.snapshots[epoch]):
                    assert flat(seen) == pytest.approx(book[epoch - 1], rel=1e-9, abs=1e-12)
            assert np.array_equal(of_populations.network.parameters, run.network[row].parameters)

    @pytest.mark.parametrize(
        ("epochs", "expected"),
        [
            (1, [0.4475000358, -0.3484997319, 0.8459996729, 0.1490000645, 0.9450000733, -0.7464997924,
                 0.0500000228, -0.1500000902, 0.2500000289]),
            (10, [0.3065137651, -0.2514374073, 0.5668799950, -0.2577043688, 0.6853907175, -0.4620338558,
                 -0.2441219042, -0.0729637708, 0.1661214746]),
            (100, [2.4435705129, -2.5232801001, 2.6460529829, -2.3870019948, 3.1278146500, -3.0136656492,
                 -1.4035513917, 1.2766122101, 3.0009061111]),
        ],
    )  # fmt: skip
    def test_is_that_of_pytorch(self, epochs, expected):
        """The figures are torch 2.13.0's, of torch.optim.AdamW in float64 with weight_decay 0 in the biases' group."""
        weights, biases = [[[0.5, -0.3], [0.8, 0.2]], [[1.0, -0.7]]], [[0.1, -0.2], [0.3]]
        network = Network.from_parameters(weights, biases, ["tanh", "sigmoid"])
        xor = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
        run = fit(network, *xor, learning_rate=0.05, optimizer="adamw", weight_decay=0.1, epochs=epochs)
        assert flat(run.network) == pytest.approx(np.array(expected), abs=1e-9)

    @NETWORKS
    def test_over_mini_batches(self, population):
        rng = np.random.default_rng(8)
        orders = [rng.permutation(7) for _ in range(6)]
        batches = [[order[start : start + 3] for start in range(0, 7, 3)] for order in orders]
        options: dict[str, Any] = {"optimizer": "adamw", "epochs": 6, "schedule": "cosine", "batch_size": 3}
        run = fit(population[0], X, Y, learning_rate=0.1, weight_decay=0.3, rng=8, **options)
        book = by_the_book(population[0], 0.1, 0.3, 6, batches)
        assert flat(run.network) == pytest.approx(book[-1], rel=1e-9, abs=1e-12)

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    @pytest.mark.parametrize("batch_size", [None, 3])
    @NETWORKS
    def test_without_decay_is_adam_to_the_bit(self, population, batch_size, dtype):
        network = Network(population.sizes, population.activations, population.parameters.astype(dtype))
        options: dict[str, Any] = {"learning_rate": 0.1, "epochs": 30, "batch_size": batch_size}
        for some in (network, network[0]):
            one, other = (fit(some, X, Y, optimizer=name, **options) for name in ("adam", "adamw"))
            assert one.network.parameters.tobytes() == other.network.parameters.tobytes()
            assert one.costs.tobytes() == other.costs.tobytes()

    @pytest.mark.parametrize("decay", [0.001, 0.5, 5.0])
    @pytest.mark.parametrize("rate", [0.01, 0.3])
    def test_an_unused_weight_shrinks_geometrically(self, rate, decay):
        """Its input is always 0, and so is its gradient: after t updates it is (1 - rate * decay)^t of what it was."""
        line = Network.from_parameters([[[3.0, -2.0]]], [[0.5]], ["linear"])
        X, options = [[0.0, 1.0], [0.0, -1.0]], {"learning_rate": rate, "optimizer": "adamw", "epochs": 50}
        run = fit(line, X, [1.0, 0.0], weight_decay=decay, hooks=[Snapshots(range(50))], **options)
        for t, network in run.snapshots.items():
            assert network.weights[0][0, 0] == pytest.approx(3 * (1 - rate * decay) ** t, rel=1e-10, abs=1e-300)

    def test_biases_do_not_decay(self):
        still = Network.from_parameters([[[3.0, -2.0]]], [[0.5]], ["linear"])
        run = fit(still, [[0, 0]], [0.5], learning_rate=0.1, optimizer="adamw", weight_decay=0.5, epochs=20)
        assert run.network.weights[0] == pytest.approx(np.array([[3.0, -2.0]]) * 0.95**20, rel=1e-12)
        assert run.network.biases[0].item() == 0.5

    def test_is_not_the_penalty(self):
        options: dict[str, Any] = {"learning_rate": 0.1, "optimizer": "adamw", "epochs": 20}
        line = Network.from_parameters([[[3.0, -2.0]]], [[0.5]], ["linear"])
        costs = [fit(line, X, Y, **{name: 0.3}, **options).cost for name in ("weight_decay", "l2")]
        assert abs(costs[0] - costs[1]) > 1e-6
        assert fit(line, X, Y, weight_decay=0.3, **options).penalty == 0
