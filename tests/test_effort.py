"""What does not fit this machine, or a year, is refused with the estimate, at once and with nothing left behind."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox import Config, Network, RequestError, fit, train, train_many
from sandbox.comparison.arms import Arm
from sandbox.comparison.protocol import Comparison
from sandbox.effort import CALLS, SPEED, TOGETHER, YEAR, check_effort, effort, machine_bytes
from sandbox.graph.explanation import explain
from sandbox.space import Range
from sandbox.sweeps import Sweep, choice

GB = 10**9
ENDLESS = str(10**15)
LONG = tuple(f"sin(x1^{a}*x2^{b})*x1^{c}*x2" for a in range(1, 9) for b in range(1, 9) for c in range(2, 4))
RATES = {"learning_rate": choice(0.1, 1.0)}


@pytest.mark.parametrize(
    "config",
    [
        Config(hidden=(3,), dtype="float32"),
        Config(dataset="digits", hidden=(50, 20), cost="categorical_cross_entropy", optimizer="adam"),
        Config(dataset="iris", hidden=(4,), optimizer="adamw", weight_decay=0.01, learning_rate=0.01),
        Config(dataset="moons", crosses=("x1*x2", "x1^2"), hidden=()),
    ],
)
def test_parameters_are_those_of_the_network(config):
    trained = train(config.replace(epochs=1)).network.parameters
    assert effort(config).parameters == trained.size
    held = 8 if config.optimizer in ("adam", "adamw") else 6
    assert effort(config).parameter_bytes == held * trained.nbytes


def test_estimates_are_below_what_training_takes():
    alone = train(Config(dataset="linear", hidden=(), learning_rate=0.01, epochs=5000))
    assert CALLS * 5000 <= effort(alone.config).seconds < alone.seconds
    large = train(Config(dataset="digits", hidden=(300,), dtype="float32", epochs=20))
    assert effort(large.config).seconds < large.seconds
    many = train_many([alone.config.replace(seed=seed, epochs=1000) for seed in range(2000)])
    assert sum(result.seconds for result in many) > 2000 * 1000 * TOGETHER
    A = np.ones((1000, 1000), np.float32)
    started = time.perf_counter()
    _ = A @ A
    assert (time.perf_counter() - started) * (os.cpu_count() or 1) > 2 * 1000**3 / SPEED


def test_of_a_training_that_may_stop_its_patience_is_what_is_sure():
    config = Config(dataset="linear", hidden=(), learning_rate=0.1, epochs=10**15, patience=20, min_delta=1e-6)
    assert effort(config).seconds < 1
    result = train(config)
    assert result.epochs_run < 10**6
    with pytest.raises(RequestError, match="epochs is 1000000000000000001: about"):
        train(config.replace(epochs=10**18 + 1))
    with pytest.raises(RequestError, match="epochs is 1000000000000000: about 159 years"):
        train(config.replace(patience=10**15))


def test_all_of_many_must_fit_a_year():
    config = Config(epochs=10**12)
    check_effort([config])
    runs = int(YEAR * (os.cpu_count() or 1) / (config.epochs * TOGETHER)) + 1
    with pytest.raises(RequestError, match=r"all runs would take about .* even side by side"):
        check_effort([config], runs)
    with pytest.raises(RequestError, match=r"all runs would take about"):
        Sweep("endless", config, RATES, seeds=runs).total  # noqa: B018  the plan is made here


def test_memory_is_that_of_a_shells_limit():
    code = "from sandbox.effort import machine_bytes; print(machine_bytes())"
    limit = 3 * 2**30
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert float(done.stdout) <= limit
    assert machine_bytes() > 2**28


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden": (10**9,)}, "hidden is 1000000000: its 4,000,000,001 parameters need about 217 GB"),
        ({"hidden": (2**60,)}, "hidden is 1152921504606846976: its 10^19 parameters need"),
        (
            {"hidden": (10**6, 10**6), "optimizer": "adam"},
            "hidden is 1000000,1000000: its 1,000,005,000,001 parameters",
        ),
        (
            {"dataset": "moons", "n_examples": 10**7, "hidden": (100000,)},
            "inputs and units of 10,000,000 examples need",
        ),
        (
            {"dataset": "moons", "n_validation": 10**7, "hidden": (100000,)},
            "inputs and units of 10,000,500 examples need",
        ),
        ({"epochs": 10**15}, "epochs is 1000000000000000: about 159 years even at 5 µs an epoch"),
        ({"dataset": "moons", "n_examples": 10**7, "hidden": (4, 4), "batch_size": 1, "epochs": 10**6}, "at 50,000 ms"),
    ],
    ids=str,
)
def test_a_config(changes: dict[str, Any], said):
    config = Config(**changes)  # which says what a run was, perhaps on a larger machine
    for refused in (lambda: train(config), lambda: train_many([Config(), config])):
        with pytest.raises(RequestError) as error:
            refused()
        assert said in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["seed", "epochs", "batch_size", "patience", "n_examples", "data_seed"])
def test_whole_numbers_beyond_64_bits(name):
    for value in (2**63, 10**30, 10**5000):
        changes: dict[str, Any] = {name: value}
        with pytest.raises(RequestError, match=rf"^{name} is .*: whole numbers go up to 9223372036854775807$"):
            Config(**changes)
    with pytest.raises(RequestError, match="hidden is 9223372036854775808: whole numbers go up to"):
        Config(hidden=(2**63,))


def test_texts_that_mlflow_cannot_keep():
    assert len(Config(hidden=(1,) * 3000).params()["hidden"]) == 5999
    long: list[dict[str, Any]] = [{"hidden": (1,) * 3001}, {"hidden": (1,) * 10**6}, {"crosses": ("x1*x2",) * 1200}]
    for changes in long:
        with pytest.raises(RequestError, match="MLflow keeps a value of 6000 characters at most"):
            Config(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seeds": 10**9}, "seeds is 1000000000: what is known of 1,000,000,000 runs needs about 3,000 GB"),
        ({"trials": 10**12}, "trials is 1000000000000: what is known of"),
        ({"trials": 10**12, "sampler": "random"}, "trials is 1000000000000: what is known of"),
        ({"trials": 10**12, "sampler": "sobol"}, "trials is 1000000000000: what is known of"),
        ({"trials": 10**12, "sampler": "tpe"}, "trials is 1000000000000: what is known of"),
        ({"trials": 10, "seeds": 10**9, "sampler": "tpe"}, "seeds is 1000000000: what is known of"),
        ({"space": {"hidden": choice((8,), (10**9,))}}, "hidden is 1000000000: inputs and units of 500 examples need"),
        ({"space": {"epochs": Range(1, 10**15, integer=True)}, "sampler": "sobol", "trials": 4}, "epochs is 999999"),
        (
            {"space": {name: choice(*range(1, 300)) for name in ("data_seed", "epochs", "batch_size", "patience")}},
            "the grid has 7,992,538,801 points, seeds is 3: what is known of 23,977,616,403 runs",
        ),
        (
            {"space": {"hidden": choice((1,) * 2500, ()), "crosses": choice(LONG, ())}},
            "points of the space have up to",
        ),
        ({"sampler_seed": -1}, "sampler_seed is -1: a whole number from 0 to"),
        ({"sampler_seed": 10**30}, "sampler_seed is 1000000000000000000000000000000: a whole number"),
    ],
    ids=str,
)
def test_a_sweep(changes, said):
    with pytest.raises(RequestError) as error:
        Sweep(**{"name": "large", "base": Config(dataset="moons"), "space": RATES, **changes})
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("low", "high"), [(-1e308, 1e308), (1, 10**400), (0.0, float("inf"))])
def test_a_range_without_end(low, high):
    with pytest.raises(RequestError, match=r"^range .*(too wide|below the second)"):
        Range(low, high)
    with pytest.raises(RequestError, match="too wide"):
        Range(1e-320, 1e308, log=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trials": 10**12}, "trials is 1000000000000, draws is 2, seeds is 8: what is known of"),
        ({"draws": 10**12}, "draws is 1000000000000, seeds is 8: what is known of"),
        ({"seeds": 10**9}, "repetitions times seeds 8000000000: seeds must stay below 1000000"),
        ({"repetitions": 10**9}, "repetitions times seeds 8000000000: seeds must stay below 1000000"),
        ({"epochs": 10**15}, "epochs is 1000000000000000: about 159 years"),
        (
            {"arms": (Arm("raw"), Arm("deep", (("hidden", (1,) * 3000),)))},
            "arm 'deep' has 6012 characters: MLflow keeps",
        ),
        ({"epochs": 10**11, "seeds": 100_000, "datasets": ("circle",), "sizes": (16,)}, "all runs would take about"),
    ],
    ids=str,
)
def test_a_comparison(changes, said):
    with pytest.raises(RequestError) as error:
        Comparison(**changes)
    assert said in str(error.value)


def test_costs_of_a_fit_that_have_no_room():
    network = Network([1, 1], ["linear"], np.zeros(2))
    for epochs in (10**13, 2**62):
        with pytest.raises(RequestError, match=rf"costs of {epochs} epochs have no room in memory: name fewer"):
            fit(network, [[1.0]], [1.0], epochs=epochs)


def test_an_explanation():
    with pytest.raises(RequestError, match=r"hidden is 1000000000: its 4,000,000,001 parameters need about 217 GB"):
        explain(Config(hidden=(10**9,)))
    assert explain(Config(dataset="or", epochs=10**15)).updates  # of which it shows the first


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--hidden", str(10**9)],
        ["train", "--epochs", ENDLESS],
        ["sweep", "--vary", "learning_rate=0.1,1", "--epochs", ENDLESS],
        ["sweep", "--vary", "learning_rate=0.1..1:log", "--trials", str(10**12)],
        ["compare", "--epochs", ENDLESS],
        ["compare", "--arm", "raw:", "--arm", "deep: hidden=1000000000"],
        ["explain", "or", "--hidden", str(10**9), "--png", "graph.png"],
    ],
    ids=" ".join,
)
def test_a_command_is_one_line_and_leaves_nothing(here, tmp_path, words):
    check_refused(here(*words), tmp_path)


@pytest.mark.parametrize("option", [("--seeds", 10**9), ("--trials", 10**12), ("--epochs", ENDLESS)])
def test_an_experiment_is_one_line_and_leaves_nothing(here, tmp_path, option):
    check_refused(here(*option, script="depth"), tmp_path)


def check_refused(answer, directory):
    code, output, errors = answer
    assert (code, output) == (2, "")
    assert errors.startswith("error: ")
    assert ("this machine has" in errors) or ("years even" in errors)
    assert errors.count("\n") == 1
    assert list(directory.iterdir()) == []
