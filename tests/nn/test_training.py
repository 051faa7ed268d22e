"""Training: recorded costs, mini-batches, populations, pausing, and what it refuses."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sandbox import Hook, Network, RequestError, fit
from sandbox.nn import Curves, Run
from sandbox.nn.schedules import ScheduleName
from sandbox.nn.workspace import Settings

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
ACTIVATIONS = ["sigmoid", "sigmoid"]
SINGLE = Network.initialize([2, 3, 1], ACTIVATIONS, "xavier", np.random.RandomState(48))
POPULATION = Network([2, 3, 1], ACTIVATIONS, np.random.default_rng(1).normal(size=(20, 13)))
RATES = np.geomspace(0.05, 5, 20)
SHAPES = pytest.mark.parametrize("network", [SINGLE, POPULATION], ids=["single", "population"])
LINE_X, LINE_Y = [[1.0], [2.0], [3.0], [4.0]], [3.0, 6.0, 9.0, 12.0]


def generators(count=20):
    return [np.random.default_rng([seed, 3]) for seed in range(count)]


class StopSome(Hook):
    """Stops each replica at its own epoch."""

    def __init__(self, ends):
        self.ends = np.asarray(ends)

    def on_epoch(self, run):
        run.stop(np.flatnonzero(self.ends == run.epoch))


class TestRecordedCosts:
    def test_number_e_is_of_the_parameters_before_update_e(self, textbook):
        run = fit(SINGLE, X, Y, learning_rate=0.7, epochs=30)
        weights, biases = [W.copy() for W in SINGLE.weights], [b.copy() for b in SINGLE.biases]
        expected = []
        for _ in range(31):
            cost, dWs, dbs = textbook(weights, biases, X, Y)
            expected.append(cost)
            weights = [W - 0.7 * dW for W, dW in zip(weights, dWs, strict=True)]
            biases = [b - 0.7 * db for b, db in zip(biases, dbs, strict=True)]
        assert len(run.costs) == 30
        assert run.costs == pytest.approx(np.array(expected[:30]), rel=1e-12)
        assert run.cost == pytest.approx(expected[30], rel=1e-12)
        assert run.cost_epochs.tolist() == list(range(30))
        assert (run.epoch, run.epochs_run) == (30, 30)

    @SHAPES
    @pytest.mark.parametrize("batch_size", [None, 3])
    @pytest.mark.parametrize("chosen", [[0], [0, 7, 19], [19], [3, 4, 5], []])
    def test_thinned(self, network, batch_size, chosen):
        whole = fit(network, X, Y, epochs=20, batch_size=batch_size)
        thin = fit(network, X, Y, epochs=20, batch_size=batch_size, cost_epochs=chosen)
        assert thin.cost_epochs.tolist() == chosen
        assert np.array_equal(thin.costs, whole.costs[..., chosen])
        assert np.array_equal(thin.cost, whole.cost)

    def test_shape_in_a_population(self):
        run = fit(POPULATION, X, Y, epochs=5)
        assert run.costs.shape == (20, 5)
        assert run.cost.shape == (20,)


class TestDeterminism:
    @SHAPES
    def test_same_seed_same_bits(self, network):
        first, second = (fit(network, X, Y, epochs=50, batch_size=3, rng=4) for _ in range(2))
        assert np.array_equal(first.network.parameters, second.network.parameters)
        assert np.array_equal(first.costs, second.costs)

    def test_other_seed_other_numbers(self):
        first, second = (fit(SINGLE, X, Y, epochs=50, batch_size=3, rng=seed) for seed in (4, 5))
        assert not np.array_equal(first.network.parameters, second.network.parameters)

    def test_replicas_are_shuffled_differently(self):
        same = Network(SINGLE.sizes, SINGLE.activations, np.tile(SINGLE.parameters, (2, 1)))
        one, other = fit(same, X, Y, epochs=50, batch_size=3, rng=4).network.parameters
        assert not np.array_equal(one, other)

    @SHAPES
    @pytest.mark.parametrize("batch_size", [None, 3])
    def test_the_given_network_and_data_stay_as_they_are(self, network, batch_size):
        before, data, labels = network.parameters.copy(), X.copy(), Y.copy()
        run = fit(network, data, labels, epochs=5, batch_size=batch_size)
        assert np.array_equal(network.parameters, before)
        assert not np.shares_memory(network.parameters, run.network.parameters)
        assert np.array_equal(data, X)
        assert np.array_equal(labels, Y)

    def test_labels_may_be_flat(self):
        assert np.array_equal(fit(SINGLE, X, Y, epochs=9).costs, fit(SINGLE, X, Y.ravel(), epochs=9).costs)


def check_alone(run, alone, rel=1e-9):
    """Every replica of `run` has the numbers of the run `alone(row)`."""
    for row in range(len(run.cost)):
        single = alone(row)
        assert_allclose(run.costs[row], single.costs, rel)
        assert_allclose(run.cost[row], single.cost, rel)
        assert_allclose(run.network.parameters[row], single.network.parameters, rel)


class TestPopulation:
    def test_5000_epochs(self):
        run = fit(POPULATION, X, Y, learning_rate=RATES, epochs=5000)
        check_alone(run, lambda row: fit(POPULATION[row], X, Y, learning_rate=RATES[row], epochs=5000))

    @pytest.mark.parametrize("optimizer", ["momentum", "nesterov", "adam"])
    def test_optimizers(self, optimizer):
        options = {"epochs": 300, "optimizer": optimizer, "schedule": "cosine"}
        rates = RATES / 10
        run = fit(POPULATION, X, Y, learning_rate=rates, **options)
        check_alone(run, lambda row: fit(POPULATION[row], X, Y, learning_rate=rates[row], **options), 1e-8)

    @pytest.mark.parametrize("optimizer", ["gd", "adam", "adamw"])
    @pytest.mark.parametrize("batch_size", [None, 3])
    def test_many_that_stop_early_change_nothing_for_the_others(self, optimizer, batch_size):
        ends = np.array([*range(0, 45, 3), 999, 999, 70, 999, 80])[np.random.default_rng(3).permutation(20)]
        schedules: list[ScheduleName] = ["cosine", "constant", "step", "inverse_time"] * 5
        l1, l2 = np.linspace(0, 0.01, 20), np.linspace(0.01, 0, 20)
        decay = np.linspace(0, 0.3, 20) if optimizer == "adamw" else np.zeros(20)
        options = {"epochs": 100, "optimizer": optimizer, "batch_size": batch_size}
        run = fit(
            POPULATION,
            X,
            Y,
            learning_rate=RATES / 10,
            schedule=schedules,
            l1=l1,
            l2=l2,
            weight_decay=decay,
            hooks=[StopSome(ends)],
            rng=generators(),
            **options,
        )
        for row, end in enumerate(np.minimum(ends, 100)):
            alone = fit(
                POPULATION[row],
                X,
                Y,
                learning_rate=RATES[row] / 10,
                schedule=schedules[row],
                l1=l1[row],
                l2=l2[row],
                weight_decay=decay[row],
                rng=generators()[row],
                **options,
            )
            assert run.epochs_run[row] == end
            assert run.costs[row, :end] == pytest.approx(alone.costs[:end], rel=1e-9)
            assert np.isnan(run.costs[row, end:]).all()
            assert run.cost[row] == pytest.approx(np.append(alone.costs, alone.cost)[end], rel=1e-9)
            if end == 100:
                assert run.network.parameters[row] == pytest.approx(alone.network.parameters, rel=1e-9)

    def test_data_of_its_own_for_each_replica(self):
        rng = np.random.default_rng(2)
        own_X, own_Y = rng.normal(size=(20, 7, 2)), rng.uniform(size=(20, 7, 1))
        for batch_size in (None, 3):
            options = {"epochs": 40, "batch_size": batch_size}
            run = fit(POPULATION, own_X, own_Y, rng=generators(), hooks=[StopSome([5] * 15 + [99] * 5)], **options)
            for row in range(20):
                alone = fit(POPULATION[row], own_X[row], own_Y[row], rng=generators()[row], **options)
                end = run.epochs_run[row]
                assert run.costs[row, :end] == pytest.approx(alone.costs[:end], rel=1e-9)

    def test_inputs_or_labels_may_be_alike_for_all(self):
        own_X = np.random.default_rng(2).normal(size=(20, 4, 2))
        every_X, every_Y = np.broadcast_to(X, own_X.shape), np.broadcast_to(Y, (20, 4, 1))
        expected = fit(POPULATION, own_X, every_Y, epochs=5).costs
        for labels in (Y, Y.ravel(), every_Y[..., 0]):
            assert fit(POPULATION, own_X, labels, epochs=5).costs == pytest.approx(expected, rel=1e-12)
        expected = fit(POPULATION, every_X, every_Y, epochs=5).costs
        for labels in (every_Y, every_Y[..., 0]):
            assert fit(POPULATION, X, labels, epochs=5).costs == pytest.approx(expected, rel=1e-12)

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("batch_size", [None, 4])
    def test_nan_stays_with_its_replica(self, batch_size):
        lines = Network([1, 1], ["linear"], np.zeros((3, 2)))
        rates = [0.01, 1.0, 0.1]
        options = {"cost": "mean_squared_error", "epochs": 1000, "batch_size": batch_size}
        run = fit(lines, LINE_X, LINE_Y, learning_rate=rates, rng=generators(3), **options)
        assert math.isnan(run.cost[1])
        assert np.isnan(run.network.parameters[1]).all()
        for row in (0, 2):
            alone = fit(lines[row], LINE_X, LINE_Y, learning_rate=rates[row], rng=generators(3)[row], **options)
            assert_allclose(run.costs[row], alone.costs, rtol=1e-9, atol=1e-20)
            assert run.network.parameters[row] == pytest.approx(alone.network.parameters, rel=1e-9, abs=1e-12)


class TestPausing:
    @SHAPES
    @pytest.mark.parametrize("batch_size", [None, 3])
    @pytest.mark.parametrize("optimizer", ["gd", "adam", "adamw"])
    def test_changes_no_number(self, network, batch_size, optimizer):
        def run():
            settings = Settings("squared_error", 0.5, 60, batch_size, optimizer, schedule="cosine", l2=0.001)
            if optimizer == "adamw":
                settings = replace(settings, weight_decay=0.1)
            recorder = Curves(every=7, cost=lambda run: run.cost)
            stops = StopSome([20] * 12 + [41] * 3 + [99] * 5) if network.lead else Hook()
            return Run(network, X, Y, settings, [recorder, stops], rng=6)

        whole, paused = run().advance(), run()
        for until in (0, 1, 7, 8, 20, 21, 21, 40, 59):
            paused.advance(until)
            assert paused.epoch == until
        paused.advance(1000)
        assert paused.epoch == 60
        assert np.array_equal(whole.costs, paused.costs, equal_nan=True)
        assert np.array_equal(whole.cost, paused.cost)
        assert np.array_equal(whole.network.parameters, paused.network.parameters)
        assert [epoch for epoch, _ in whole.curves["cost"]] == [epoch for epoch, _ in paused.curves["cost"]]
        for (_, one), (_, other) in zip(whole.curves["cost"], paused.curves["cost"], strict=True):
            assert np.array_equal(one, other)

    def test_cost_and_network_belong_together_in_a_pause(self, textbook):
        run = Run(SINGLE, X, Y, Settings("squared_error", 0.5, 60))
        for until in (3, 11):
            run.advance(until)
            assert run.cost == pytest.approx(textbook(run.network.weights, run.network.biases, X, Y)[0], rel=1e-12)
            assert len(run.costs) == until

    def test_start_and_end_are_called_once(self):
        class Count(Hook):
            starts = ends = 0

            def on_start(self, run):
                self.starts += 1

            def on_end(self, run):
                self.ends += 1

        count = Count()
        run = Run(SINGLE, X, Y, Settings("squared_error", 0.5, 9), [count])
        run.advance(4)
        assert (count.starts, count.ends) == (1, 0)
        run.advance().advance()
        assert (count.starts, count.ends) == (1, 1)


class TestMiniBatches:
    @SHAPES
    @pytest.mark.parametrize("batch_size", [4, 5, 1000])
    def test_one_batch_of_all_is_the_full_batch(self, network, batch_size):
        batch = fit(network, X, Y, learning_rate=1, epochs=1, batch_size=batch_size).network.parameters
        full = fit(network, X, Y, learning_rate=1, epochs=1).network.parameters
        assert batch == pytest.approx(full, rel=1e-12, abs=1e-12)

    @pytest.mark.parametrize("batch_size", [1, 2, 3, 4])
    def test_textbook_loop_over_the_same_permutations(self, textbook, batch_size):
        run = fit(SINGLE, X, Y, learning_rate=0.7, epochs=6, batch_size=batch_size, rng=8)
        rng, costs = np.random.default_rng(8), []
        weights, biases = [W.copy() for W in SINGLE.weights], [b.copy() for b in SINGLE.biases]
        for _ in range(6):
            costs.append(textbook(weights, biases, X, Y)[0])
            order = rng.permutation(4)
            for start in range(0, 4, batch_size):
                rows = order[start : start + batch_size]  # the last batch may be smaller
                _, dWs, dbs = textbook(weights, biases, X[rows], Y[rows])
                weights = [W - 0.7 * dW for W, dW in zip(weights, dWs, strict=True)]
                biases = [b - 0.7 * db for b, db in zip(biases, dbs, strict=True)]
        assert run.costs == pytest.approx(np.array(costs), rel=1e-12)
        for ours, theirs in zip(run.network.weights + run.network.biases, weights + biases, strict=True):
            assert ours == pytest.approx(theirs, rel=1e-12)

    @pytest.mark.parametrize("batch_size", [1, 3])
    def test_populations(self, batch_size):
        options = {"epochs": 200, "batch_size": batch_size}
        run = fit(POPULATION, X, Y, learning_rate=RATES, rng=generators(), **options)
        check_alone(
            run,
            lambda row: fit(POPULATION[row], X, Y, learning_rate=RATES[row], rng=generators()[row], **options),
        )


@SHAPES
@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_float32(network, batch_size, optimizer):
    small = Network(network.sizes, network.activations, network.parameters.astype(np.float32))
    options = {"learning_rate": 0.5, "epochs": 100, "batch_size": batch_size, "optimizer": optimizer}
    run = fit(small, X, Y, schedule="cosine", l1=1e-4, l2=1e-4, **options)
    double = fit(network, X, Y, schedule="cosine", l1=1e-4, l2=1e-4, **options)
    assert run.network.parameters.dtype == run.gradients.parameters.dtype == np.float32
    assert run.costs == pytest.approx(double.costs, rel=1e-2)
    assert not np.array_equal(run.costs, double.costs)


class TestRefusals:
    def refuse(self, message, network=SINGLE, X=X, Y=Y, **options):
        with pytest.raises(RequestError, match=message) as error:
            fit(network, X, Y, **{"epochs": 5, **options})
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"epochs": 0}, "epochs is 0: a whole number of at least 1"),
            ({"epochs": 2.5}, "epochs is 2.5"),
            ({"epochs": True}, "epochs is True"),
            ({"batch_size": 0}, "batch_size is 0: a whole number of at least 1"),
            ({"learning_rate": 0}, "learning_rate is 0: a number above 0"),
            ({"learning_rate": -1.0}, "learning_rate is -1.0"),
            ({"learning_rate": math.nan}, "learning_rate is nan"),
            ({"learning_rate": "fast"}, "learning_rate is 'fast'"),
            ({"learning_rate": [0.1, 0.2]}, "learning_rate"),
            ({"l1": -0.1}, "l1 is -0.1: a number of at least 0"),
            ({"l2": math.inf}, "l2 is inf"),
            ({"optimizer": "adamw", "weight_decay": -0.1}, "weight_decay is -0.1: a number of at least 0"),
            ({"optimizer": "adamw", "weight_decay": math.nan}, "weight_decay is nan"),
            ({"weight_decay": 0.1}, "^weight_decay is for adamw: l2 is the penalty that other optimizers take$"),
            ({"momentum": 1.0}, "momentum is 1.0: a number from 0 to below 1"),
            ({"cost": "square_error"}, "unknown cost 'square_error': did you mean 'squared_error'"),
            ({"optimizer": "adm"}, "unknown optimizer 'adm': did you mean 'adam'"),
            ({"schedule": "cosin"}, "unknown schedule 'cosin': did you mean 'cosine'"),
            ({"cost": "categorical_cross_entropy"}, "logits of a softmax output, not sigmoid"),
            ({"cost_epochs": [3, 1]}, "cost_epochs"),
            ({"cost_epochs": [0, 0, 1]}, "cost_epochs"),
            ({"cost_epochs": [2, 5]}, "cost_epochs"),
            ({"cost_epochs": [-1, 2]}, "cost_epochs"),
        ],
    )
    def test_values(self, options, message):
        self.refuse(message, **options)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"learning_rate": [0.1, 0.2]}, "learning_rate"),
            ({"l1": np.ones(19)}, "l1"),
            ({"l2": [[0.1]] * 20}, "l2"),
            ({"optimizer": "adamw", "weight_decay": [0.1]}, "weight_decay"),
            ({"schedule": ["cosine"] * 3}, "schedule"),
            ({"schedule": ["cosine"]}, "schedule"),
            ({"rng": generators(3), "batch_size": 2}, "rng"),
        ],
    )
    def test_one_for_each_replica(self, options, message):
        self.refuse(message, POPULATION, **options)

    @pytest.mark.parametrize(
        ("shape", "labels", "message"),
        [
            ((4, 3), (4, 1), r"X has shape \(4, 3\): \(examples, 2\)"),
            ((4,), (4,), r"X has shape \(4,\): \(examples, 2\)"),
            ((4, 2), (5, 1), r"Y has shape \(5, 1\): \(4, 1\)"),
            ((4, 2), (4, 2), r"Y has shape \(4, 2\): \(4, 1\)"),
            ((4, 2), (5,), r"Y has shape \(5, 1\): \(4, 1\)"),
            ((3, 4, 2), (4, 1), r"shape \(3, 4, 2\) for replicas \(\)"),
            ((0, 2), (0, 1), "example"),
        ],
    )
    def test_shapes(self, shape, labels, message):
        self.refuse(message, X=np.zeros(shape), Y=np.zeros(labels))

    def test_data_for_another_number_of_replicas(self):
        self.refuse(r"shape \(3, 4, 2\) for replicas \(20,\)", POPULATION, X=np.zeros((3, 4, 2)))

    def test_more_than_one_replica_axis(self):
        self.refuse(r"replica axes \(4, 5\)", Network([2, 1], ["linear"], np.zeros((4, 5, 3))))
