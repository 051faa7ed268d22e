"""Early stopping: when, at what, and that what is left belongs to the best parameters."""

import pickle

import numpy as np
import pytest

from sandbox import Config, Hook, Network, RequestError, fit, train, train_many
from sandbox.nn import Curves, EarlyStopping, StopOnDivergence, gradients

LINE = Network.from_parameters([[[0.0]]], [[0.0]], ["linear"])
LINE_X, LINE_Y = [[1.0], [2.0], [3.0], [4.0]], [3.0, 6.0, 9.0, 12.0]
RATES = [0.02, 0.05, 0.12]  # momentum 0.9 overshoots with all of them, each in its own time
POPULATION = Network(LINE.sizes, LINE.activations, np.zeros((3, 2)))
WIDE = Network.initialize([1, 30, 30, 1], ["tanh", "tanh", "linear"])  # its population has the replicas in front
WIDE_POPULATION = Network(WIDE.sizes, WIDE.activations, np.stack([WIDE.parameters * scale for scale in (1, 0.5, 0.1)]))
PAIRS = pytest.mark.parametrize(("single", "population"), [(LINE, POPULATION), (WIDE, WIDE_POPULATION)])


def descend(network, rate, *hooks, epochs=120, **options):
    options = {"cost": "mean_squared_error", "optimizer": "momentum", **options}
    return fit(network, LINE_X, LINE_Y, learning_rate=rate, epochs=epochs, hooks=hooks, rng=3, **options)


def expected(costs, patience, min_delta=0.0, every=1):
    """(epochs run, best epoch) by the definition, from the costs of a whole training and its last one."""
    mark = best = np.inf
    marked_at = best_epoch = 0
    last = len(costs) - 1
    for epoch in range(0, last, every):
        if costs[epoch] < mark - min_delta:
            mark, marked_at = costs[epoch], epoch
        if costs[epoch] < best:
            best, best_epoch = costs[epoch], epoch
        if epoch - marked_at >= patience:
            return epoch, best_epoch
    return last, last if costs[last] < best else best_epoch


class Every(Hook):
    """Keeps the parameters of every epoch."""

    def __init__(self):
        self.seen = []

    def on_epoch(self, run):
        self.seen.append(run.network.parameters.copy())

    on_end = on_epoch


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("patience", "min_delta", "every"), [(1, 0, 1), (6, 0, 1), (6, 0.5, 1), (7, 0, 4), (200, 0, 3)]
)
@pytest.mark.parametrize("batch_size", [None, 3])
def test_one_network(rate, patience, min_delta, every, batch_size):
    watch = Every()
    whole = descend(LINE, rate, watch, batch_size=batch_size)
    stop, best = expected([*whole.costs, whole.cost], patience, min_delta, every)
    hook = EarlyStopping(patience, min_delta, every=every)
    run = descend(LINE, rate, hook, batch_size=batch_size)
    assert (run.epochs_run, hook.best_epoch) == (stop, best)
    assert np.array_equal(run.network.parameters, watch.seen[best])
    assert run.cost == hook.best == [*whole.costs, whole.cost][best]
    assert np.array_equal(run.costs, whole.costs[:stop])
    exact, _ = gradients(run.network, LINE_X, LINE_Y, "mean_squared_error")
    assert run.cost == pytest.approx(exact, rel=1e-9)


@PAIRS
@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("patience", [1, 5, 1000])
def test_each_replica_has_its_own_patience(single, population, patience, batch_size):
    rates = RATES if single is LINE else [0.001, 0.01, 0.05]
    run = descend(population, rates, hook := EarlyStopping(patience), batch_size=batch_size)
    whole = descend(population, rates, watch := Every(), batch_size=batch_size)
    costs = np.column_stack([whole.costs, whole.cost])
    for row in range(3):
        stop, best = expected(costs[row], patience)
        assert (run.epochs_run[row], hook.best_epoch[row]) == (stop, best)
        assert run.network.parameters[row] == pytest.approx(watch.seen[best][row], rel=1e-9)
        assert run.cost[row] == pytest.approx(costs[row, best], rel=1e-9)
        exact, _ = gradients(run.network[row], LINE_X, LINE_Y, "mean_squared_error")
        assert run.cost[row] == pytest.approx(exact, rel=1e-9, abs=1e-20)
    assert patience == 1000 or len(set(run.epochs_run.tolist())) > 1


@PAIRS
def test_validation_data_decide(single, population):
    X, Y = [[1.0], [2.0]], [2.0, 4.0]  # y = 2x, past which the training data lead

    def validation(run):
        return gradients(run.network, X, Y, "mean_squared_error")[0]

    rates = [0.002, 0.005, 0.01]
    options = {"optimizer": "gd", "epochs": 200}
    whole = descend(population, rates, Curves(cost=validation), watch := Every(), **options)
    costs = np.array([value for _, value in whole.curves["cost"]])
    run = descend(population, rates, hook := EarlyStopping(5, X=X, Y=Y), **options)
    for row in range(3):
        stop, best = expected(costs[:, row], 5)
        assert (run.epochs_run[row], hook.best_epoch[row]) == (stop, best)
        assert hook.best[row] == pytest.approx(costs[best, row], rel=1e-9)
        assert run.network.parameters[row] == pytest.approx(watch.seen[best][row], rel=1e-9)
        assert run.cost[row] == pytest.approx([*whole.costs[row], whole.cost[row]][best], rel=1e-9)
        alone = descend(population[row], rates[row], EarlyStopping(5, X=X, Y=Y), **options)
        assert alone.epochs_run == stop
        assert alone.network.parameters == pytest.approx(run.network.parameters[row], rel=1e-9)
    assert run.epochs_run.min() < 200


def test_a_tiny_improvement_does_not_count_but_is_kept():
    run = descend(LINE, 0.01, hook := EarlyStopping(3, min_delta=100), optimizer="gd")
    whole = descend(LINE, 0.01, optimizer="gd")
    assert (run.epochs_run, hook.best_epoch) == (3, 3)
    assert run.cost == whole.costs[3] < whole.costs[0]


def test_results_belong_to_the_best_parameters():
    config = Config(
        dataset="moons", n_examples=40, noise=0.2, hidden=(8,), cost="binary_cross_entropy", optimizer="momentum"
    )
    configs = [config.replace(learning_rate=rate, seed=seed, epochs=300) for rate in (1, 8, 30) for seed in range(3)]
    test = train(configs[0].replace(epochs=1)).problem.test
    assert test is not None
    for hooks in ([EarlyStopping(10)], [EarlyStopping(10, X=test.X, Y=test.Y)]):
        results = train_many(configs, hooks)
        assert any(result.epochs_run < 300 for result in results)
        for result in results:
            data = result.problem.train
            assert result.cost == pytest.approx(gradients(result.network, data.X, data.Y, config.cost)[0], rel=1e-9)
            for part, accuracy in ((data, result.train_accuracy), (test, result.test_accuracy)):
                assert accuracy == ((result.network.predict(part.X) > 0.5) == part.Y).mean()
        assert pickle.loads(pickle.dumps(hooks[0])).patience == 10  # for an executor
        if hooks[0].X is None:
            assert all(result.cost == result.best_cost for result in results)


@pytest.mark.parametrize("order", [1, -1])
def test_a_network_that_diverged_stays_diverged_and_the_others_are_restored(order):
    rates = [0.05, 1.0, 0.02]
    hooks = [StopOnDivergence(), EarlyStopping(15)]
    run = descend(POPULATION, rates, *hooks[::order])
    alone = [descend(LINE, rate, StopOnDivergence()) for rate in rates]
    assert run.diverged_at.tolist() == [-1, alone[1].diverged_at, -1]
    assert run.cost[1] == pytest.approx(alone[1].cost, rel=1e-9)
    for row in (0, 2):
        exact, _ = gradients(run.network[row], LINE_X, LINE_Y, "mean_squared_error")
        assert run.cost[row] == pytest.approx(exact, rel=1e-9)
    single = descend(LINE, 1.0, *[StopOnDivergence(), EarlyStopping(15)][::order])
    assert (single.diverged_at, single.cost) == (alone[1].diverged_at, alone[1].cost)


def test_restoring_in_the_middle_goes_on_from_there():
    class Back(Hook):
        def on_epoch(self, run):
            if run.epoch == 2:
                self.kept = run.network.parameters.copy(), np.array(run.cost)
            if run.epoch == 6:
                run.restore(*self.kept, None if single else [1, 2])
                assert np.array_equal(
                    run.network.parameters[..., 1:, :] if not single else run.network.parameters,
                    self.kept[0][1:] if not single else self.kept[0],
                )

    for network in (LINE, POPULATION):
        single = not network.lead
        run = descend(network, 0.01, Back(), optimizer="gd", epochs=20)
        plain = descend(network, 0.01, optimizer="gd", epochs=20)
        rows = [...] if single else [1, 2]
        for row in rows:
            assert np.array_equal(run.costs[row][:7], plain.costs[row][:7])
            assert np.all(run.costs[row][7] > plain.costs[row][7])
            exact, _ = gradients(run.network if single else run.network[row], LINE_X, LINE_Y, "mean_squared_error")
            assert np.asarray(run.cost)[row] == pytest.approx(exact, rel=1e-9)
        if not single:
            assert np.array_equal(run.costs[0], plain.costs[0])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"patience": 0}, "patience is 0: a whole number of epochs"),
        ({"patience": 1.5}, "patience is 1.5"),
        ({"patience": 5, "min_delta": -1}, "min_delta is -1: a number of at least 0"),
        ({"patience": 5, "min_delta": np.nan}, "min_delta is nan"),
        ({"patience": 5, "X": [[1.0]]}, "give both"),
        ({"patience": 5, "Y": [[1.0]]}, "give both"),
        ({"patience": 5, "X": [[1.0, 2.0]], "Y": [1.0]}, r"X has shape \(1, 2\): \(examples, 1\)"),
        ({"patience": 5, "X": [[1.0]], "Y": [1.0, 2.0]}, r"Y has shape \(2, 1\)"),
    ],
)
def test_wrong_requests(options, said):
    with pytest.raises(RequestError, match=said):
        descend(LINE, 0.01, EarlyStopping(**options))


MOONS = Config(
    dataset="moons",
    n_examples=30,
    noise=0.3,
    hidden=(6,),
    activation="tanh",
    cost="binary_cross_entropy",
    optimizer="adam",
    learning_rate=0.1,
    epochs=400,
)


class Looks(Hook):
    """Keeps what is monitored, and the network, at every epoch."""

    stateless = True

    def __init__(self, name):
        self.name, self.values, self.networks = name, [], []

    def on_epoch(self, run):
        self.values.append(run.measure(self.name))
        self.networks.append(run.network.parameters.copy())

    on_end = on_epoch


@pytest.mark.parametrize("monitor", ["cost", "validation_cost", "validation_accuracy", "train_accuracy"])
@pytest.mark.parametrize(("patience", "min_delta"), [(1, 0.0), (9, 0.001), (25, 0.0), (40, 0.02)])
def test_a_patience_in_the_config(monitor, patience, min_delta):
    looks = Looks(monitor)
    train(MOONS, [looks])
    values = np.array(looks.values) * (-1 if monitor.endswith("accuracy") else 1)
    stop, best = expected(values, patience, min_delta, max(1, patience // 10))
    result = train(MOONS.replace(patience=patience, min_delta=min_delta, monitor=monitor))
    assert result.epochs_run == stop
    assert stop < 400 or monitor == "cost"  # which may fall all the way
    assert np.array_equal(result.network.parameters, looks.networks[best])
    assert result.costs.shape == (stop,)
    assert not result.pruned


def test_by_default_the_validation_cost_is_monitored_where_there_is_one():
    config = MOONS.replace(patience=10)
    explicit, default = (train(one) for one in (config.replace(monitor="validation_cost"), config))
    assert np.array_equal(explicit.network.parameters, default.network.parameters)
    assert (
        train(Config(patience=3, epochs=2000, learning_rate=3.0, hidden=(2,))).epochs_run > 3
    )  # the XOR gate has none


def test_configs_without_a_patience_train_on_beside_those_that_have_one():
    configs = [MOONS.replace(patience=patience, seed=seed) for patience in (None, 5) for seed in range(2)]
    patient, stopped = np.split(np.array([result.epochs_run for result in train_many(configs)]), 2)
    assert patient.tolist() == [400, 400]
    assert (stopped < 400).all()


def test_lists_are_one_for_each_replica():
    hook = EarlyStopping([1, None, 30], min_delta=[100.0, 0.0, 0.0], every=[1, 1, 3])
    run = descend(POPULATION, RATES, hook)
    whole = descend(POPULATION, RATES)
    costs = np.column_stack([whole.costs, whole.cost])
    assert run.epochs_run[0] == 1
    assert run.epochs_run[1] == 120
    assert (run.epochs_run[2], hook.best_epoch[2]) == expected(costs[2], 30, every=3)
