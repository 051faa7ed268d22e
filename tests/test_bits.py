"""A run's numbers depend on its config alone, to the last bit: whatever trains beside it, and wherever."""

import dataclasses
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np
import pytest

from sandbox import Config, RequestError, train, train_many
from sandbox.data import DATASETS
from sandbox.nn import (
    Curves,
    GradientNoise,
    GradientNorms,
    InitializerHealth,
    Jaggedness,
    Measures,
    Sharpness,
    Snapshots,
    TimeToCost,
)
from sandbox.nn.costs import COSTS
from sandbox.nn.initializers import INITIALIZERS
from sandbox.nn.optimizers import OPTIMIZERS
from sandbox.nn.schedules import SCHEDULES

FIGURES = [
    "train_accuracy",
    "validation_accuracy",
    "test_accuracy",
    "validation_cost",
    "test_cost",
    "cost",
    "penalty",
    "diverged_at",
    "epochs_run",
    "pruned",
    "confusion",
]
QUADRANTS = Config(
    dataset="quadrants",
    n_examples=16,
    hidden=(),
    optimizer="adam",
    learning_rate=0.244952,
    initializer="plain",
    l2=0.00124393,
    epochs=3000,
)
CROSSES = [(), ("x1*x2",), ("x1^2", "sin(x1)"), ("x1^3", "x1*x2")]


def draw(rng):
    """A config at random; some diverge, some overflow, some stop early."""

    def one(*values):
        return values[rng.integers(len(values))]

    while True:
        name = one(*DATASETS)
        data = DATASETS[name]
        sizes = [None, 1, 2, 7, 16, 33] if name not in ("iris", "wine", "digits", "breast_cancer") else [12, 20, 31]
        options = {
            "dataset": name,
            "n_examples": one(*sizes),
            "n_validation": one(None, None, 1, 9),
            "noise": one(0.0, 0.0, 0.1, 1e200) if name in ("linear", "xor", "moons") else 0.0,
            "data_seed": one(0, 1, 2, 3),
            "crosses": one(*CROSSES) if data.n_features == 2 else (),
            "hidden": one((), (1,), (2,), (3,), (5,), (8,), (2, 3), (4, 4), (3, 1, 2), (17,), (40, 30)),
            "activation": one("sigmoid", "tanh", "relu", "leaky_relu", "linear"),
            "output": one(None, None, "linear", "tanh"),
            "initializer": one(*INITIALIZERS),
            "initializer_scale": one(0.0, 0.01, 3.0),
            "cost": one(*COSTS),
            "l1": one(0.0, 0.0, 1e-3),
            "l2": one(0.0, 0.0, 1e-2),
            "optimizer": one(*OPTIMIZERS),
            "weight_decay": 0.0,
            "learning_rate": one(0.003, 0.1, 1.0, 300.0, 300.0, 1e308),
            "schedule": one(*SCHEDULES),
            "batch_size": one(None, None, None, 1, 3, 10, 1000),
            "epochs": one(1, 12, 12, 60, 60, 130),
            "patience": one(None, None, None, 1, 5, 30),
            "min_delta": one(0.0, 1e-3),
            "monitor": one(None, None, "cost", "train_accuracy"),
            "dtype": one("float64", "float64", "float32"),
            "seed": int(rng.integers(6)),
        }
        if options["optimizer"] == "adamw":
            options["weight_decay"] = one(0.0, 0.01, 0.5)
        try:
            return Config(**options)
        except RequestError:  # a cost that is not for such data, for instance
            continue


def bits(value):
    """Something to compare that is equal where all bits are; NaN is NaN, whatever its bits."""
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
    return array.shape, str(array.dtype), array.tobytes()


def content(result):
    """Everything in a result that its config decides."""
    numbers = {name: bits(getattr(result, name)) for name in FIGURES}
    numbers |= {"costs": bits(result.costs), "cost_epochs": bits(result.cost_epochs)}
    numbers |= {"parameters": bits(result.network.parameters), "sizes": result.network.sizes}
    numbers |= {name: bits(value) for name, value in result.scores.items()}
    numbers |= {f"curve {name}": [bits(part) for part in curve] for name, curve in result.curves.items()}
    numbers |= {f"snapshot {epoch}": bits(one.parameters) for epoch, one in result.snapshots.items()}
    return numbers


def check(result, alone):
    one, other = content(result), content(alone)
    differ = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    assert differ == [], f"{differ} differ for {alone.config}"


@cache
def alone(count, seed=0):
    """Configs and what each of them comes to by itself."""
    rng = np.random.default_rng(seed)
    configs = [draw(rng) for _ in range(count)]
    return configs, [train(config) for config in configs]


def check_partitions(count, seeds=(1, 2, 3)):
    """In random orders, cut into random partitions, with random chunks and numbers of threads."""
    configs, expected = alone(count)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        order = rng.permutation(count)
        cuts = np.sort(rng.choice(count, size=rng.integers(1, 6), replace=False))
        for places in np.split(order, cuts):
            some = [configs[place] for place in places]
            chunk, workers = [None, None, 1, 2, 5][rng.integers(5)], int(rng.integers(1, 4))
            for place, result in zip(places, train_many(some, chunk=chunk, workers=workers), strict=True):
                check(result, expected[place])


def test_60_configs_in_three_partitions():
    check_partitions(60)


def test_they_are_of_every_kind():
    """The test above would say little if it drew no network that overflows, diverges or stops early."""
    _, results = alone(60)
    assert sum(result.diverged_at is not None for result in results) >= 5
    assert (
        sum(result.config.patience is not None and result.epochs_run < result.config.epochs for result in results) > 3
    )
    assert any(not np.isfinite(result.network.parameters).all() for result in results)
    for name in ("validation_f1", "test_recall", "test_r2"):
        assert sum(name in result.scores for result in results) > 3


@pytest.mark.slow
def test_500_configs_in_three_partitions_and_two_processes():
    check_partitions(500)
    configs, expected = alone(500)
    with ProcessPoolExecutor(2) as pool:
        for result, one in zip(train_many(configs, executor=pool), expected, strict=True):
            check(result, one)


def test_in_two_processes():
    configs, expected = alone(60)
    with ProcessPoolExecutor(2) as pool:
        for result, one in zip(train_many(configs[:20], executor=pool), expected, strict=False):
            check(result, one)


def test_twenty_quadrants():
    """The configs of which half came to another test accuracy when they trained together."""
    configs = [QUADRANTS.replace(seed=seed, data_seed=seed) for seed in range(20)]
    for result in train_many(configs):
        check(result, train(result.config))


def hooks():
    return [
        Measures([0, 7, 40]),
        Snapshots([0, 9]),
        GradientNorms(every=3),
        InitializerHealth((0, 8)),
        Curves(every=10, cost=lambda run: run.cost),
        GradientNoise(4, 10, (0, 8)),
        Sharpness(every=8, products=5),
        TimeToCost(0.2),
        Jaggedness(),
    ]


@pytest.mark.parametrize("some", [slice(0, 2), slice(2, None)], ids=["stateless", "all"])
def test_curves_and_snapshots(some):
    configs, _ = alone(60)
    for result in train_many(configs, hooks()[some]):
        check(result, train(result.config, hooks()[some]))


def test_curves_do_not_depend_on_who_is_stopped_in_the_same_epoch():
    base = Config(dataset="moons", n_examples=9, noise=0.4, epochs=60, patience=2, optimizer="adam", learning_rate=0.3)
    configs = [base.replace(seed=seed) for seed in range(6)]
    watch = [GradientNorms(), Measures(range(60)), Snapshots(range(60)), InitializerHealth(range(60))]
    results = train_many(configs, watch)
    assert len({result.epochs_run for result in results}) > 2
    for result in results:
        assert max(result.curves["gradient_norm"][0]) == result.epochs_run < 60
        check(result, train(result.config, watch))


def test_where_a_network_diverged_does_not_depend_on_what_is_recorded():
    config = Config(dataset="linear", hidden=(), cost="mean_squared_error", learning_rate=0.13, epochs=1000)
    whole = train(config)
    assert whole.diverged_at is not None
    assert whole.diverged_at > 40  # where not every epoch is looked at
    assert np.isfinite(whole.costs).all()
    for points in (2, 10, 200, 999):
        thin = train(config, curve_points=points)
        assert (thin.diverged_at, thin.cost) == (whole.diverged_at, whole.cost)
        assert np.array_equal(thin.network.parameters, whole.network.parameters, equal_nan=True)


HASH = """
import hashlib
from sandbox import Config, train_many
config = Config(dataset="circle", hidden=(60, 60), activation="tanh", epochs=8, initializer="orthogonal")
results = train_many([config.replace(seed=seed) for seed in range(3)], workers=3)
print(hashlib.sha256(b"".join(one.network.parameters.tobytes() + one.costs.tobytes() for one in results)).hexdigest())
"""


def test_the_number_of_blas_threads():
    """In matrices of this size two threads group sums differently than one."""
    said = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", HASH], env=environment, capture_output=True, text=True, check=True)
        said.add(done.stdout)
    assert len(said) == 1


def test_thinned_curves_change_nothing_else():
    configs, expected = alone(60)
    for result, one in zip(train_many(configs, curve_points=5), expected, strict=True):
        assert {name: content(result)[name] for name in [*FIGURES, "parameters"]} == {
            name: content(one)[name] for name in [*FIGURES, "parameters"]
        }


OTHERS = {
    "dataset": "circle",
    "n_examples": 9,
    "n_validation": 7,
    "noise": 0.2,
    "data_seed": 1,
    "mislabelled": 0.3,
    "playground_seed": "0.5",
    "omit": ("x2",),
    "crosses": ("x1*x2",),
    "hidden": (4,),
    "activation": "relu",
    "output": "tanh",
    "initializer": "orthogonal",
    "initializer_scale": 0.5,
    "bias_scale": 0.5,
    "initial_bias": 0.3,
    "cost": "mean_absolute_error",
    "l1": 0.01,
    "l1_rule": "clipped",
    "l2": 0.01,
    "optimizer": "nesterov",
    "weight_decay": 0.1,
    "momentum": 0.5,
    "learning_rate": 0.2,
    "schedule": "cosine",
    "batch_size": 3,
    "batches": "carried",
    "epochs": 25,
    "patience": 4,
    "min_delta": 0.01,
    "monitor": "train_accuracy",
    "dtype": "float32",
    "arithmetic": "page",
    "seed": 1,
}
LINK = "https://playground.tensorflow.org/#networkShape=3&seed=1&percTrainData=10"


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Config)])
def test_a_pair_that_differs_in_one_field(field):
    base = Config(
        dataset="moons",
        n_examples=8,
        data_seed=3,  # a draw with which every field counts, patience and its min_delta as well as the last epochs
        initializer="plain",
        initializer_scale=1.0,
        optimizer="momentum",
        learning_rate=0.5,
        epochs=30,
        patience=6,
        min_delta=0.001,
    )
    if field == "weight_decay":
        base = base.replace(optimizer="adamw", weight_decay=0.2)
    if field == "playground_seed":
        base = base.replace(dataset="playground_xor")
    if field == "arithmetic":
        base = Config.from_playground(LINK).replace(arithmetic="matrix", epochs=4)
    if field == "l1_rule":
        base = base.replace(l1=0.05)
    for batch_size in (None, 4) if field not in ("batches", "arithmetic") else (4,):
        one = base.replace(batch_size=batch_size, noise=0.5 if field in ("patience", "min_delta") else 0.0)
        pair = [one, one.replace(**{field: OTHERS[field]})]
        apart = [train(config) for config in pair]
        assert content(apart[0]) != content(apart[1])
        for result, single in zip(train_many(pair), apart, strict=True):
            check(result, single)
