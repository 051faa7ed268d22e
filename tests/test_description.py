"""What a run says of itself on its page in MLflow."""

import re
import shlex

import numpy as np
import pytest

from sandbox import Config, Dataset, Network, fit, log_run, train
from sandbox.cli import cli
from sandbox.config import FIELDS
from sandbox.description import command, description, figures
from sandbox.record import make_record
from sandbox.space import Range, choice
from sandbox.sweeps import Sweep, run_sweep
from tests.own_functions import swish

NOTE = "mlflow.note.content"
CONFIGS = [
    Config(),
    Config(dataset="iris", cost="categorical_cross_entropy", hidden=(), seed=7),
    Config(dataset="moons", n_examples=60, n_validation=50, noise=0.1, data_seed=3, crosses=("x1*x2", "sin(x1)")),
    Config(dataset="y > sin(x1)", hidden=(8, 8), activation="tanh", initializer="plain", initializer_scale=0.1),
    Config(optimizer="adamw", weight_decay=1e-5, learning_rate=1 / 3, schedule="cosine", batch_size=2, dtype="float32"),
    Config(optimizer="momentum", momentum=0.5, l1=0.001, l2=1e-300, bias_scale=0.1, epochs=12),
    Config(dataset="moons", patience=5, min_delta=0.001, monitor="validation_accuracy", output="tanh"),
    Config(activation=swish, crosses=(), dataset="circle"),
    Config(dataset="circle", crosses=("tests.own_functions:bump(x1)",)),
]


def parsed(text):
    """The config that a command is for, read as the command line reads it."""
    program, name, *words = shlex.split(text)
    assert (program, name) == ("sandbox", "train")
    context = cli.commands["train"].make_context("train", words)
    return Config.from_params({name: text for name in FIELDS if (text := context.params[name]) is not None})


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: command(config, {})[14:60])
def test_the_command_is_for_exactly_this_config(config):
    assert parsed(command(config, {})) == config


def test_only_what_differs_from_the_defaults_is_in_it():
    assert command(Config(), {}) == "sandbox train"
    config = Config(dataset="moons", crosses=("x1*x2",), hidden=())
    assert command(config, {}) == "sandbox train --dataset moons --crosses 'x1*x2' --hidden none"


def test_weights_that_were_given_are_in_it_too():
    tags = {"start.weights": "1, 2 | 3, 4; 5, 6", "start.bias": "0", "sweep": "s"}
    assert command(Config(), tags) == "sandbox train --weights '1, 2 | 3, 4; 5, 6' --bias 0"
    long = description(train(Config(epochs=2)), (), {"start.weights": "1" * 500})
    assert "--weights NUMBERS`" in long
    assert "NUMBERS: those" in long


def test_data_and_functions_of_ones_own_are_named():
    X = np.random.default_rng(0).normal(size=(60, 2))
    data = Dataset("mine", X, (X[:, :1] > 0).astype(float), ("a", "b"), "binary")
    config = Config(dataset=data, activation=swish, crosses=("tests.own_functions:bump(a)",), epochs=2)
    text = description(train(config), (), {})
    assert "--dataset FILE --target COLUMN " in text
    assert f"the file of `{config.dataset}`" in text
    assert "where `tests.own_functions` can be imported" in text


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            Config(dataset="moons", n_examples=60, epochs=1200),
            r"test accuracy 0\.\d+, cost 0\.\d+ after 1,200 epochs, 13 p",
        ),
        (Config(dataset="xor", epochs=2), r"train accuracy (0|1)\S*, cost 0\.\d+ after 2 epochs, 13 parameters"),
        (Config(dataset="reg_plane", hidden=(), epochs=2), r"test cost \S+, cost \S+ after 2 epochs, 3 parameters"),
        (Config(dataset="linear", hidden=(), learning_rate=99), r"diverged at epoch \d+, 2 parameters"),
    ],
    ids=["classes", "a gate", "values", "diverged"],
)
def test_the_figures_in_a_line(config, said):
    assert re.match(said, figures(train(config)))


def pictures_of(plain, run):
    """The pictures that a run's description shows, each of its own run and there."""
    text = plain.get_run(run).data.tags[NOTE]
    shown = re.findall(r"get-artifact\?path=(\S+)&run_uuid=(\w+)\)", text)
    assert {owner for _, owner in shown} == {run}
    names = [name for name, _ in shown]
    assert set(names) <= {file.path for file in plain.list_artifacts(run)}
    return names


def test_every_run_of_a_sweep_shows_its_own_pictures(store, plain, root):
    space = {"hidden": choice((), (4,)), "learning_rate": Range(0.1, 1.0)}
    sweep = Sweep("described", Config(dataset="moons", n_examples=40, epochs=30), space, "sobol", trials=3, seeds=1)
    assert run_sweep(sweep, store, root, quiet=True).done == 3
    experiment = plain.get_experiment_by_name("described").experiment_id
    runs = plain.search_runs([experiment], "tags.config_key != ''")
    configs = []
    for run in runs:
        assert pictures_of(plain, run.info.run_id) == ["boundary.png", "cost.png"]
        configs.append(parsed(run.data.tags[NOTE].split("`")[1]))
        assert configs[-1] == Config.from_params(run.data.params)
    assert {config.key for config in configs} == {trial.config.key for trial in sweep.plan}


def test_a_run_that_mlflows_client_logs_shows_its_own_too(store, plain):
    config = Config(dataset="moons", n_examples=40, epochs=30)
    assert pictures_of(plain, log_run(train(config), tracking_uri=store.uri)) == ["boundary.png", "cost.png"]
    network = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])
    run = log_run(fit(network, np.eye(2), [0, 1], learning_rate=1.0, epochs=9), tracking_uri=store.uri)
    assert pictures_of(plain, run) == ["boundary.png", "cost.png"]
    assert "sandbox train" not in plain.get_run(run).data.tags[NOTE]


def test_what_is_not_shown_has_no_description_and_none_is_too_long():
    assert NOTE not in make_record(train(Config(epochs=2)), "a run", {}, shown=False).tags
    long = Config(dataset="moons", n_examples=8, hidden=(1,) * 2500, epochs=1)
    text = make_record(train(long), "a run", {}).tags[NOTE]
    assert len(text) < 4900
    assert "boundary.png" in text
