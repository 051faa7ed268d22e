"""Hooks: when they are called, what they see at that instant, and that watching changes nothing."""

import io
import math
import re
from itertools import pairwise

import numpy as np
import pytest
from tqdm import tqdm

from sandbox import Config, Hook, Network, RequestError, fit, train_many
from sandbox import train as fit_config
from sandbox.nn import Curves, Progress, Snapshots, StopOnDivergence, gradients
from sandbox.nn.run import MEASURES

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
RATE = 0.7
SINGLE = Network([2, 3, 1], ["sigmoid", "sigmoid"], np.random.default_rng(0).normal(size=13))
POPULATION = Network([2, 3, 1], ["sigmoid", "sigmoid"], np.random.default_rng(1).normal(size=(6, 13)))
LINE = Network.from_parameters([[[0.0]]], [[0.0]], ["linear"])
LINE_X, LINE_Y = [[1.0], [2.0], [3.0], [4.0]], [3.0, 6.0, 9.0, 12.0]
SHAPES = pytest.mark.parametrize("network", [SINGLE, POPULATION], ids=["single", "population"])
BATCHES = pytest.mark.parametrize("batch_size", [None, 3])


class Calls(Hook):
    """Writes down what was called, and when."""

    def __init__(self, every=1, epochs=None):
        self.every, self.epochs, self.calls = every, epochs, []

    def on_start(self, run):
        self.calls.append(("start", run.epoch))

    def on_epoch(self, run):
        self.calls.append(("epoch", run.epoch))

    def on_end(self, run):
        self.calls.append(("end", run.epoch))


class Instants(Hook):
    """Keeps the parameters, gradients and cost of every call."""

    def __init__(self):
        self.parameters, self.gradients, self.costs = [], [], []

    def on_epoch(self, run):
        self.parameters.append(run.network.copy())
        self.gradients.append(run.gradients.copy())
        self.costs.append(run.cost)

    def last(self, run):
        self.parameters.append(run.network.copy())
        self.costs.append(run.cost)

    on_end = last


class InstantsOfBatches(Instants):
    def on_epoch(self, run):
        pass

    def on_batch(self, run):
        super().on_epoch(run)


class Stop(Hook):
    """Stops everything at one epoch, or {epoch: replicas}."""

    def __init__(self, at):
        self.at = at if isinstance(at, dict) else {at: None}

    def on_epoch(self, run):
        if run.epoch in self.at:
            run.stop(self.at[run.epoch])


def train(network, *hooks, epochs=10, batch_size=None, **options):
    return fit(network, X, Y, learning_rate=RATE, epochs=epochs, batch_size=batch_size, hooks=hooks, rng=5, **options)


class TestWhen:
    @SHAPES
    @BATCHES
    @pytest.mark.parametrize(
        ("hook", "epochs"),
        [
            (Calls, range(10)),
            (lambda: Calls(every=3), [0, 3, 6, 9]),
            (lambda: Calls(every=4), [0, 4, 8]),
            (lambda: Calls(every=100), [0]),
            (lambda: Calls(epochs=(1, 4, 7, 100)), [1, 4, 7]),
            (lambda: Calls(epochs=(7, 1)), [1, 7]),
            (lambda: Calls(epochs=()), []),
        ],
    )
    def test_epochs(self, network, batch_size, hook, epochs):
        watch = hook()
        train(network, watch, batch_size=batch_size)
        assert watch.calls == [("start", 0), *(("epoch", epoch) for epoch in epochs), ("end", 10)]

    def test_several_hooks_are_called_in_their_order(self):
        order = []

        class Named(Hook):
            def __init__(self, name, every):
                self.name, self.every = name, every

            def on_epoch(self, run):
                order.append((run.epoch, self.name))

        train(SINGLE, Named("a", 2), Named("b", 3), epochs=5)
        assert order == [(0, "a"), (0, "b"), (2, "a"), (3, "b"), (4, "a")]

    def test_batches(self):
        class Batches(Hook):
            epochs_of_batches = ()

            def on_batch(self, run):
                self.epochs_of_batches += (run.epoch,)

        watch = Batches()
        train(SINGLE, watch, epochs=3, batch_size=3)  # four examples: a batch of three and one of one
        assert watch.epochs_of_batches == (0, 0, 1, 1, 2, 2)
        watch = Batches()
        train(SINGLE, watch, epochs=3)
        assert watch.epochs_of_batches == ()


class TestInstant:
    @SHAPES
    def test_cost_and_gradients_are_those_of_the_parameters(self, network, textbook):
        watch = Instants()
        train(network, watch)
        assert len(watch.gradients) == 10
        for seen, slopes, costs in zip(watch.parameters, watch.gradients, watch.costs, strict=False):
            for row in np.ndindex(network.lead):
                cost, dWs, dbs = textbook(seen[row].weights, seen[row].biases, X, Y)
                assert np.asarray(costs)[row] == pytest.approx(cost, rel=1e-12)
                for ours, theirs in zip(slopes[row].weights + slopes[row].biases, dWs + dbs, strict=True):
                    assert ours == pytest.approx(theirs, rel=1e-11, abs=1e-15)

    @SHAPES
    @pytest.mark.parametrize("l2", [0.0, 0.1])
    def test_the_update_is_still_to_come(self, network, l2):
        watch = Instants()
        run = train(network, watch, l2=l2)
        self.check_updates(watch)
        assert np.array_equal(watch.parameters[0].parameters, network.parameters)
        assert np.array_equal(watch.parameters[-1].parameters, run.network.parameters)

    @SHAPES
    def test_likewise_for_batches(self, network):
        watch = InstantsOfBatches()
        train(network, watch, batch_size=3)
        assert len(watch.gradients) == 20
        self.check_updates(watch)

    def check_updates(self, watch):
        for (before, after), slopes in zip(pairwise(watch.parameters), watch.gradients, strict=True):
            assert after.parameters == pytest.approx(before.parameters - RATE * slopes.parameters, rel=1e-14)

    @SHAPES
    @pytest.mark.parametrize("chosen", [None, [0]])
    def test_between_batches_too_the_cost_is_of_all_examples(self, network, chosen, textbook):
        watch = InstantsOfBatches()
        stops = Stop({1: [0, 1, 2, 3]}) if network.lead else Hook()
        train(network, watch, stops, batch_size=3, epochs=4, cost_epochs=chosen)
        for seen, costs in zip(watch.parameters, watch.costs, strict=True):
            for row in np.ndindex(network.lead):
                cost, _, _ = textbook(seen[row].weights, seen[row].biases, X, Y)
                assert np.asarray(costs)[row] == pytest.approx(cost, rel=1e-12)

    @SHAPES
    def test_with_mini_batches_the_cost_is_of_all_examples(self, network, textbook):
        watch = Instants()
        train(network, watch, batch_size=3, epochs=4)
        for seen, costs in zip(watch.parameters, watch.costs, strict=True):
            for row in np.ndindex(network.lead):
                cost, _, _ = textbook(seen[row].weights, seen[row].biases, X, Y)
                assert np.asarray(costs)[row] == pytest.approx(cost, rel=1e-12)

    @SHAPES
    def test_shapes(self, network):
        watch = Instants()
        train(network, watch, epochs=1)
        assert np.shape(watch.costs[0]) == network.lead
        assert watch.parameters[0].lead == watch.gradients[0].lead == network.lead

    def test_start_and_end_see_the_first_and_the_last_cost(self):
        class Ends(Hook):
            def on_start(self, run):
                self.first = run.cost

            def on_end(self, run):
                self.last = run.cost

        watch = Ends()
        run = train(SINGLE, watch)
        assert (watch.first, watch.last) == (run.costs[0], run.cost)

    def test_cost_is_right_where_it_is_not_recorded(self):
        watch = Instants()
        train(SINGLE, watch, cost_epochs=[0, 9])
        assert watch.costs[:-1] == train(SINGLE).costs.tolist()


class TestStop:
    @SHAPES
    @BATCHES
    @pytest.mark.parametrize("at", [0, 4, 9])
    def test_leaves_things_as_they_are_at_that_epoch(self, network, batch_size, at):
        calls = Calls()
        run = train(network, calls, Stop(at), batch_size=batch_size)
        whole = train(network, batch_size=batch_size)
        assert np.all(run.epochs_run == at)
        assert calls.calls[-2:] == [("epoch", at), ("end", at)]
        assert np.array_equal(run.costs, whole.costs[..., :at])
        assert np.array_equal(run.cost, whole.costs[..., at])
        assert run.cost_epochs.tolist() == list(range(at))
        expected = train(network, epochs=at, batch_size=batch_size).network if at else network
        assert np.array_equal(run.network.parameters, expected.parameters)

    @SHAPES
    def test_before_the_first_epoch(self, network):
        class Never(Calls):
            def on_start(self, run):
                run.stop()

        calls = Never()
        run = train(network, calls)
        assert calls.calls == [("end", 0)]
        assert np.all(run.epochs_run == 0)
        assert np.array_equal(run.network.parameters, network.parameters)
        assert np.array_equal(run.cost, train(network).costs[..., 0])

    def test_in_the_middle_of_an_epoch(self, textbook):
        class SecondBatch(InstantsOfBatches):
            def on_batch(self, run):
                super().on_batch(run)
                if len(self.gradients) == 2:
                    run.stop()

        watch = SecondBatch()
        run = train(SINGLE, watch, batch_size=3)
        assert len(watch.gradients) == 2
        assert np.array_equal(run.network.parameters, watch.parameters[1].parameters)
        cost, _, _ = textbook(run.network.weights, run.network.biases, X, Y)
        assert run.cost == pytest.approx(cost, rel=1e-12)

    @BATCHES
    @pytest.mark.parametrize(
        "at", [{2: [0]}, {0: [1, 4], 3: [2], 8: 5}, {1: [0, 1, 2], 2: [3, 4]}, {3: [0, 1, 2, 3, 4, 5]}]
    )
    def test_single_replicas(self, at, batch_size):
        run = train(POPULATION, Stop(at), batch_size=batch_size)
        whole = train(POPULATION, batch_size=batch_size)
        instants = Instants()
        train(POPULATION, instants, batch_size=batch_size)
        ends = {replica: epoch for epoch, replicas in at.items() for replica in np.atleast_1d(replicas)}
        for replica in range(6):
            end = ends.get(replica, 10)
            assert run.epochs_run[replica] == end
            assert run.costs[replica, :end] == pytest.approx(whole.costs[replica, :end], rel=1e-12)
            assert np.isnan(run.costs[replica, end:]).all()
            last = instants.parameters[end].parameters[replica]
            assert run.network.parameters[replica] == pytest.approx(last, rel=1e-12)
            assert run.cost[replica] == pytest.approx(instants.costs[end][replica], rel=1e-12)

    def test_hooks_keep_seeing_the_whole_population(self):
        watch = Instants()
        train(POPULATION, Stop({2: [0, 1, 2], 5: [3]}), watch)
        plain = Instants()
        train(POPULATION, plain)
        for epoch in range(10):
            assert watch.costs[epoch].shape == (6,)
            assert watch.costs[epoch][:3] == pytest.approx(plain.costs[min(epoch, 2)][:3], rel=1e-12)
            assert watch.costs[epoch][4:] == pytest.approx(plain.costs[epoch][4:], rel=1e-12)
            assert watch.parameters[epoch].parameters[3] == pytest.approx(
                plain.parameters[min(epoch, 5)].parameters[3], rel=1e-12
            )
            assert watch.gradients[epoch].parameters[4:] == pytest.approx(
                plain.gradients[epoch].parameters[4:], rel=1e-11
            )


@SHAPES
@BATCHES
@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_hooks_change_no_number(network, batch_size, optimizer):
    hooks = [
        Calls(every=7),
        Instants(),
        InstantsOfBatches(),
        StopOnDivergence(),
        Snapshots([3, 50]),
        Curves(every=11, cost=lambda run: run.cost, slope=lambda run: run.gradients.weights[0][..., 0, 0]),
    ]
    watched = train(network, *hooks, epochs=60, batch_size=batch_size, optimizer=optimizer)
    alone = train(network, epochs=60, batch_size=batch_size, optimizer=optimizer)
    assert np.array_equal(watched.costs, alone.costs)
    assert np.array_equal(watched.network.parameters, alone.network.parameters)


class TestContract:
    @pytest.mark.parametrize("name", ["on_epcoh", "on_begin", "on_epochs", "onEpoch"])
    def test_misspelt_method(self, name):
        with pytest.raises(TypeError, match=rf"Wrong\.{name} is no hook method; there are on_start, on_epoch"):
            type("Wrong", (Hook,), {name: lambda self, run: None})

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("evry", "every"),
            ("epoch", "epochs"),
            ("Epochs", "epochs"),
            ("epoches", "epochs"),
            ("stateles", "stateless"),
        ],
    )
    def test_misspelt_attribute(self, name, meant):
        with pytest.raises(TypeError, match=rf"Wrong\.{name} is nothing that a hook has: did you mean '{meant}'"):
            type("Wrong", (Hook,), {name: 10})

    @pytest.mark.parametrize("name", ["seen", "names", "rates", "at_epoch", "_every", "best_epoch", "step", "growth"])
    def test_attributes_of_its_own(self, name):
        assert getattr(type("Right", (Hook,), {name: 10}), name) == 10

    @pytest.mark.parametrize("name", ["on_start", "on_epoch", "on_batch", "on_end"])
    @pytest.mark.parametrize("method", [lambda self: None, lambda self, run, epoch: None, lambda self, *, run: None])
    def test_wrong_arguments(self, name, method):
        with pytest.raises(TypeError, match=rf"Wrong\.{name} must take \(self, run\)"):
            type("Wrong", (Hook,), {name: method})

    def test_right_ones(self):
        class Right(Curves):
            once = 1

            def on_end(self, run, more=None):
                self.ended = True

        hook = Right()
        train(SINGLE, hook)
        assert hook.ended


class TestOnStart:
    @SHAPES
    @BATCHES
    def test_shows_a_pass_of_the_first_parameters(self, network, batch_size):
        class Start(Hook):
            def on_start(self, run):
                self.inputs = run.inputs.copy()
                self.activations = [values.copy() for values in run.activations]
                self.derivatives = [values.copy() for values in run.derivatives]
                self.gradients = run.gradients.copy()

        hook, first = Start(), InstantsOfBatches() if batch_size else Instants()
        run = train(network, hook, first, batch_size=batch_size)
        assert np.array_equal(hook.inputs, X.T)
        assert hook.activations[-1].mT == pytest.approx(network.predict(X), rel=1e-12)
        _, slopes = gradients(network, X, Y)
        assert hook.gradients.parameters == pytest.approx(slopes.parameters, rel=1e-12)
        assert hook.derivatives[-1].sum(-1) == pytest.approx(slopes.biases[-1][..., 0], rel=1e-12)
        assert np.array_equal(run.costs, train(network, batch_size=batch_size).costs)


class TestPruning:
    @SHAPES
    def test_says_who_was_given_up(self, network):
        class Prune(Hook):
            epochs = (4,)

            def on_epoch(self, run):
                run.stop([1, 3] if run.lead else None, pruned=True)
                run.stop([0, 1] if run.lead else None)

        run = train(network, Prune())
        if network.lead:
            assert run.pruned.tolist() == [False, True, False, True, False, False]
            assert run.epochs_run.tolist() == [4, 4, 10, 4, 10, 10]
        else:
            assert run.pruned is True
            assert run.epochs_run == 4

    def test_is_told_by_the_result(self):
        class Prune(Hook):
            epochs = (4,)

            def on_epoch(self, run):
                run.stop([0] if run.lead else None, pruned=True)

        results = train_many([Config(seed=seed, epochs=10) for seed in range(3)], [Prune()])
        assert [(result.pruned, result.epochs_run) for result in results] == [(True, 4), (False, 10), (False, 10)]
        assert fit_config(Config(epochs=10), [Prune()]).pruned


class TestMeasure:
    CONFIGS = tuple(
        Config(dataset=name, n_examples=12, noise=0.1, seed=seed, epochs=20)
        for seed, name in enumerate(("moons", "xor", "xor"))
    )

    def test_of_all_and_of_some(self):
        class Last(Hook):
            def on_end(self, run):
                self.all = {name: run.measure(name) for name in MEASURES}
                self.some = {name: run.measure(name, [2, 0]) for name in MEASURES}
                self.final = run.measure("final_cost")

        hook = Last()
        results = train_many(self.CONFIGS, [hook])
        for name, values in hook.all.items():
            known = [vars(result).get(name, result.scores.get(name, np.nan)) for result in results]
            assert np.array_equal(values, known, equal_nan=True)
            assert np.array_equal(hook.some[name], [values[2], values[0]], equal_nan=True)
        assert hook.final.tolist() == [result.cost for result in results]
        assert len({result.validation_accuracy for result in results}) > 1

    def test_alone(self):
        class Last(Hook):
            def on_end(self, run):
                self.values = {name: run.measure(name) for name in MEASURES}

        hook = Last()
        result = fit_config(self.CONFIGS[0], [hook])
        for name, value in hook.values.items():
            assert isinstance(value, float)
            assert np.array_equal(value, vars(result).get(name, result.scores.get(name, np.nan)), equal_nan=True)

    def test_is_nan_where_there_is_none(self):
        class Last(Hook):
            def on_end(self, run):
                self.values = [run.measure(name) for name in ("test_accuracy", "validation_cost")]

        hook = Last()
        result = fit_config(Config(epochs=5), [hook])
        assert np.isnan(hook.values).all()
        assert (result.test_accuracy, result.validation_cost) == (None, None)

    def test_another_name(self):
        class Wrong(Hook):
            def on_start(self, run):
                run.measure("validation_acuracy")

        with pytest.raises(
            RequestError, match=r"unknown measure 'validation_acuracy': did you mean 'validation_accuracy'"
        ):
            fit_config(Config(epochs=5), [Wrong()])
        with pytest.raises(RequestError, match=r"unknown measure 'validation_acuracy': Valid: cost$"):
            train(SINGLE, Wrong())


class TestStopOnDivergence:
    def costs_by_hand(self, rate, epochs):
        """y = 3x, mean squared error, in plain loops: the cost before each update."""
        w = b = 0.0
        costs = []
        for _ in range(epochs):
            errors = [w * x + b - y for (x,), y in zip(LINE_X, LINE_Y, strict=True)]
            costs.append(sum(error**2 for error in errors) / 4)
            w -= rate * sum(2 * error * x for error, (x,) in zip(errors, LINE_X, strict=True)) / 4
            b -= rate * sum(2 * error for error in errors) / 4
        return costs

    def fit(self, network, rate, epochs, *hooks):
        return fit(network, LINE_X, LINE_Y, cost="mean_squared_error", learning_rate=rate, epochs=epochs, hooks=hooks)

    @pytest.mark.parametrize("epochs", [20, 50, 51, 1000])
    def test_line_at_rate_1(self, epochs):
        run = self.fit(LINE, 1.0, epochs, StopOnDivergence())
        expected = self.costs_by_hand(1.0, 20)
        first = next(epoch for epoch, cost in enumerate(expected) if cost > 1e6 * expected[0])
        assert run.diverged_at == run.epochs_run == first
        assert run.costs == pytest.approx(np.array(expected[:first]), rel=1e-9)
        assert run.cost == pytest.approx(expected[first], rel=1e-9)

    def test_lets_others_be(self):
        population = Network(LINE.sizes, LINE.activations, np.zeros((3, 2)))
        run = self.fit(population, [0.01, 1.0, 0.1], 1000, StopOnDivergence())
        alone = [self.fit(LINE, rate, 1000, StopOnDivergence()) for rate in (0.01, 1.0, 0.1)]
        assert run.diverged_at.tolist() == [-1, alone[1].diverged_at, -1]
        assert run.epochs_run.tolist() == [1000, alone[1].diverged_at, 1000]
        for row, single in enumerate(alone):
            assert run.costs[row, : single.epochs_run] == pytest.approx(single.costs, rel=1e-9)
            assert run.cost[row] == pytest.approx(single.cost, rel=1e-9)

    def test_a_network_that_learns_is_not_stopped(self):
        run = self.fit(LINE, 0.1, 200, StopOnDivergence())
        assert run.diverged_at is None
        assert run.epochs_run == 200

    @pytest.mark.parametrize("start", [math.nan, math.inf, 1e200])
    @pytest.mark.parametrize("lead", [(), (2,)])
    def test_a_cost_that_is_not_finite_from_the_start(self, start, lead):
        network = Network(LINE.sizes, LINE.activations, np.full((*lead, 2), start))
        run = self.fit(network, 0.1, 200, StopOnDivergence())
        assert np.array_equal(run.diverged_at, np.zeros(lead) if lead else 0)
        assert run.costs.size == 0
        assert not np.isfinite(run.cost).any()

    @pytest.mark.parametrize("at", [{0: [0, 1, 2]}, {20: [0], 49: [1]}, {20: [0, 1, 2], 50: [3]}, {120: [0, 1]}])
    def test_replicas_that_another_hook_stopped_have_not_diverged(self, at):
        population = Network(LINE.sizes, LINE.activations, np.zeros((4, 2)))
        for hooks in ([StopOnDivergence(), Stop(at)], [Stop(at), StopOnDivergence()]):
            run = self.fit(population, 0.1, 200, *hooks)
            assert run.diverged_at.tolist() == [-1] * 4
            ends = {replica: epoch for epoch, replicas in at.items() for replica in replicas}
            assert run.epochs_run.tolist() == [ends.get(replica, 200) for replica in range(4)]

    @pytest.mark.parametrize("lead", [(), (2,)])
    def test_divergence_before_another_hook_stops_it(self, lead):
        network = Network(LINE.sizes, LINE.activations, np.zeros((*lead, 2)))
        first = self.fit(LINE, 1.0, 1000, StopOnDivergence()).diverged_at
        for hooks in ([StopOnDivergence(), Stop(30)], [Stop(30), StopOnDivergence()]):
            run = self.fit(network, 1.0, 1000, *hooks)
            assert np.all(run.diverged_at == first)
            assert np.all(run.epochs_run == first)


class TestRecorder:
    @SHAPES
    def test_keeps_what_the_functions_return(self, network):
        instants = Instants()
        functions = {"w": lambda run: run.network.weights[0][..., 0, 0], "cost": lambda run: run.cost}
        run = train(network, instants, Curves(every=4, **functions))
        assert set(run.curves) == {"w", "cost"}
        for name in run.curves:
            assert [epoch for epoch, _ in run.curves[name]] == [0, 4, 8, 10]
        for epoch, value in run.curves["w"]:
            assert np.array_equal(value, instants.parameters[epoch].weights[0][..., 0, 0])
        for epoch, value in run.curves["cost"]:
            assert np.array_equal(value, instants.costs[epoch])

    @SHAPES
    def test_an_epoch_is_there_once_when_training_stops(self, network):
        run = train(network, Stop(4), Curves(every=2, cost=lambda run: run.cost))
        assert [epoch for epoch, _ in run.curves["cost"]] == [0, 2, 4]


class TestSnapshots:
    @SHAPES
    def test_networks_of_the_epochs_and_the_end(self, network):
        run = train(network, Snapshots([0, 3, 7, 99]))
        assert sorted(run.snapshots) == [0, 3, 7, 10]
        for epoch, kept in run.snapshots.items():
            expected = train(network, epochs=epoch).network if epoch else network
            assert np.array_equal(kept.parameters, expected.parameters)
            assert not np.shares_memory(kept.parameters, run.network.parameters)


class TestProgress:
    def bar(self, total):
        return tqdm(total=total, file=io.StringIO(), mininterval=0, ncols=80)

    @SHAPES
    @BATCHES
    def test_real_bar(self, network, batch_size):
        bar = self.bar(1000)
        run = train(network, Progress(bar), epochs=1000, batch_size=batch_size)
        text = bar.fp.getvalue()
        assert bar.n == 1000
        assert "1000/1000" in text
        assert f"cost {np.median(run.cost):.4g}" in text
        assert len(re.findall("\r", text)) >= 10

    def test_stopped_early(self):
        bar = self.bar(1000)
        train(SINGLE, Progress(bar, every=10), Stop(25), epochs=1000)
        assert bar.n == 25

    @pytest.mark.filterwarnings("error")
    def test_costs_that_are_not_numbers(self):
        for lead in ((), (2,)):
            bar = self.bar(5)
            network = Network(LINE.sizes, LINE.activations, np.full((*lead, 2), np.nan))
            fit(network, LINE_X, LINE_Y, epochs=5, hooks=[Progress(bar, every=1)])
            assert bar.n == 5
