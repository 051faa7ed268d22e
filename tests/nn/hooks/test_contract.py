"""The contract, for every hook there is: its methods, that it minds no population, and that it changes no number."""

import inspect
import io

import numpy as np
import pytest
from tqdm import tqdm

from sandbox import Config, Hook, Network, RequestError, fit, train_many
from sandbox.nn import (
    Checkpoint,
    Curves,
    EarlyStopping,
    GradientNoise,
    GradientNorms,
    InitializerHealth,
    Jaggedness,
    Measures,
    PrintEvery,
    Progress,
    Sharpness,
    Snapshots,
    StopOnDivergence,
    TimeToCost,
    WeightPath,
    hooks,
)

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
SINGLE = Network([2, 3, 1], ["sigmoid", "sigmoid"], np.random.default_rng(0).normal(size=13))
POPULATION = Network([2, 3, 1], ["sigmoid", "sigmoid"], np.random.default_rng(1).normal(size=(6, 13)))
WIDE = Network.initialize([2, 40, 40, 1], ["relu", "tanh", "sigmoid"])  # its population has the replicas in front
WIDE_POPULATION = Network(WIDE.sizes, WIDE.activations, np.stack([WIDE.parameters, WIDE.parameters / 2]))
NETWORKS = {"single": SINGLE, "population": POPULATION, "wide": WIDE, "wide population": WIDE_POPULATION}
SHAPES = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
BATCHES = pytest.mark.parametrize("batch_size", [None, 3])

MAKERS = {
    "Checkpoint": lambda path: Checkpoint(path / "network.npz", every=7),
    "EarlyStopping": lambda path: EarlyStopping(1000),
    "EarlyStopping on data": lambda path: EarlyStopping(1000, X=X[:2], Y=Y[:2]),
    "GradientNoise": lambda path: GradientNoise(2, 10),
    "GradientNorms": lambda path: GradientNorms(),
    "InitializerHealth": lambda path: InitializerHealth(range(40)),
    "Jaggedness": lambda path: Jaggedness(50),
    "Measures": lambda path: Measures([0, 7]),
    "PrintEvery": lambda path: PrintEvery(7, [].append),
    "Progress": lambda path: Progress(tqdm(total=40, file=io.StringIO()), every=7),
    "Curves": lambda path: Curves(cost=lambda run: run.cost),
    "Sharpness": lambda path: Sharpness(every=5, products=4),
    "Snapshots": lambda path: Snapshots([0, 7, 39]),
    "StopOnDivergence": lambda path: StopOnDivergence(),
    "TimeToCost": lambda path: TimeToCost(
        10.0
    ),  # which all have at once: a network that is still on its way has no number
    "WeightPath": lambda path: WeightPath(w=(0, 1, 1), b=(1, 0)),
}
STATELESS = {"GradientNorms", "Measures", "Snapshots"}
EVERY = pytest.mark.parametrize("name", MAKERS)
EVERY_FOR_FIT = pytest.mark.parametrize("name", [name for name in MAKERS if name != "Measures"])  # needs parts of data


def train(network, *hooks, epochs=40, **options):
    return fit(network, X, Y, learning_rate=0.7, epochs=epochs, hooks=hooks, rng=5, **options)


def test_none_is_forgotten():
    public = {value for value in vars(hooks).values() if inspect.isclass(value) and issubclass(value, Hook)}
    assert public - {Hook} == {type(make(__import__("pathlib").Path())) for make in MAKERS.values()}
    assert set(hooks.__all__) == {one.__name__ for one in public} | {"load_checkpoint"}


@EVERY
def test_methods_take_the_run_and_what_is_not_overridden_does_nothing(name, tmp_path):
    hook = MAKERS[name](tmp_path)
    for method in ("on_start", "on_epoch", "on_batch", "on_end"):
        assert list(inspect.signature(getattr(hook, method)).parameters) == ["run"]
        if getattr(type(hook), method) is getattr(Hook, method):
            assert getattr(hook, method)(None) is None
    assert type(hook).on_epoch is not Hook.on_epoch
    assert hook.stateless == (name in STATELESS)


@EVERY_FOR_FIT
@SHAPES
@BATCHES
@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_watching_changes_no_number(name, network, batch_size, optimizer, tmp_path):
    options = {"batch_size": batch_size, "optimizer": optimizer, "l2": 0.01}
    alone = train(network, **options)
    watched = train(network, MAKERS[name](tmp_path), **options)
    assert np.array_equal(watched.costs, alone.costs)
    if not name.startswith("EarlyStopping"):
        assert np.array_equal(watched.cost, alone.cost)
        assert np.array_equal(watched.network.parameters, alone.network.parameters)


@EVERY_FOR_FIT
@SHAPES
@pytest.mark.parametrize("until", [1, 15, 39])
def test_curves_have_a_value_for_each_replica_whoever_is_stopped(name, network, until, tmp_path):
    class StopFirst(Hook):
        def on_epoch(self, run):
            if run.epoch == until:
                run.stop([0])

    for order in (1, -1):
        run = train(network, *[StopFirst(), MAKERS[name](tmp_path)][::order])
        assert np.atleast_1d(run.epochs_run)[0] == until
        for points in run.curves.values():
            assert all(value.shape == network.lead for _, value in points)
            assert all(np.isfinite(value[1:] if network.lead else value).all() for _, value in points)


@EVERY
def test_populations_one_after_another(name, tmp_path):
    configs = [Config(hidden=(units,), epochs=30, seed=seed) for units in (2, 8) for seed in range(2)]
    results = train_many(configs, [MAKERS[name](tmp_path)], workers=1)
    alone = train_many(configs)
    for result, one in zip(results, alone, strict=True):
        assert result.costs == pytest.approx(one.costs, rel=1e-9)


@EVERY
@pytest.mark.parametrize("wrong", ["on_epcoh", "on_finish"])
def test_a_misspelt_method_of_a_hook_derived_from_it(name, wrong, tmp_path):
    with pytest.raises(TypeError, match=rf"Wrong\.{wrong} is no hook method"):
        type("Wrong", (type(MAKERS[name](tmp_path)),), {wrong: lambda self, run: None})


@EVERY_FOR_FIT
@pytest.mark.parametrize("every", [0, -1, 1.5, "2", None, True])
def test_every_below_one_is_refused_when_training_starts(name, every, tmp_path):
    hook = MAKERS[name](tmp_path)
    hook.every = every
    with pytest.raises(RequestError, match=rf"every is {every!r} in {name.partition(' ')[0]}: a whole number"):
        train(SINGLE, hook)


@pytest.mark.parametrize("wrong", [Snapshots, print, "cost", None])
def test_what_is_no_hook_is_refused(wrong):
    with pytest.raises(RequestError, match="is no hook: give instances of Hook, such as"):
        train(SINGLE, wrong)


def test_a_bar_is_closed_by_who_made_it():
    configs = [Config(hidden=(units,), epochs=300) for units in (2, 8, 40)]
    with tqdm(total=900, file=io.StringIO(), mininterval=0) as bar:
        train_many(configs, [Progress(bar)])
        assert bar.n == 900
        assert "900/900" in bar.fp.getvalue().rpartition("\r")[2]
        bar.update()
        assert bar.n == 901
