"""The objective: what decides which runs are best, for samplers, tables, sorting and early stopping."""

import json
import statistics

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sandbox import Config, Hook, RequestError
from sandbox.job import Ended, Job
from sandbox.sweeps import Range, Sweep, choice, log_grid
from sandbox.sweeps.objective import WORST, Objective

MOONS = Config(dataset="moons", n_examples=40, noise=0.3, hidden=(4,), activation="tanh", epochs=60)
RATES = {"learning_rate": Range(0.001, 3.0, log=True)}


class DeadUnits(Hook):
    """The share of hidden units that are off for all examples."""

    every = 10

    def on_epoch(self, run):
        dead = [(outputs == 0).all(-1) for outputs in run.activations[:-1]]
        run.record("dead_units", np.concatenate(dead, -1).mean(-1))


@pytest.mark.parametrize(
    ("text", "words", "direction"),
    [
        ("validation_accuracy", "max:validation_accuracy", "MAXIMIZE"),
        ("test_accuracy", "max:test_accuracy", "MAXIMIZE"),
        ("converged", "max:converged", "MAXIMIZE"),
        ("validation_recall", "max:validation_recall", "MAXIMIZE"),
        ("test_precision", "max:test_precision", "MAXIMIZE"),
        ("validation_f1", "max:validation_f1", "MAXIMIZE"),
        ("validation_r2", "max:validation_r2", "MAXIMIZE"),
        ("validation_rmse", "min:validation_rmse", "MINIMIZE"),
        ("test_rmse", "min:test_rmse", "MINIMIZE"),
        ("validation_cost", "min:validation_cost", "MINIMIZE"),
        ("final_cost", "min:final_cost", "MINIMIZE"),
        ("epochs_run", "min:epochs_run", "MINIMIZE"),
        ("max:final_cost", "max:final_cost", "MAXIMIZE"),
        ("min:test_accuracy", "min:test_accuracy", "MINIMIZE"),
    ],
)
def test_an_objective_as_people_type_it(text, words, direction):
    objective = Objective.parse(text, hooked=False)
    assert objective.words == words
    assert Objective.parse(words) == objective
    assert objective.of_optuna == direction.lower()


@pytest.mark.parametrize("text", ["dead_units", "min:dead_units", "validation_acuracy", "", "best:final_cost", None, 7])
def test_what_is_no_metric_is_a_wrong_request_where_no_hook_could_record_it(text):
    with pytest.raises(RequestError, match="objective") as caught:
        Sweep("unknown", MOONS, RATES, sampler="random", trials=2, objective=text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("base", "objective", "expected"),
    [
        (MOONS, "validation_accuracy", "max:validation_accuracy"),
        (Config(dataset="iris", hidden=(4,)), "validation_accuracy", "max:validation_accuracy"),
        (Config(dataset="reg_plane"), "validation_accuracy", "min:validation_cost"),
        (Config(dataset="reg_plane"), "validation_cost", "min:validation_cost"),
        (Config(dataset="xor"), "validation_accuracy", "min:final_cost"),
        (Config(dataset="xor"), "validation_cost", "min:final_cost"),
        (Config(dataset="xor"), "max:validation_accuracy", "min:final_cost"),
        (Config(dataset="linear"), "validation_accuracy", "min:final_cost"),
        (Config(dataset="xor", n_examples=30, noise=0.1), "validation_accuracy", "max:validation_accuracy"),
        (Config(dataset="xor"), "epochs_run", "min:epochs_run"),
        (MOONS, "validation_recall", "max:validation_recall"),
        (MOONS, "validation_rmse", "min:validation_cost"),
        (Config(dataset="reg_plane"), "validation_rmse", "min:validation_rmse"),
        (Config(dataset="reg_plane"), "validation_r2", "max:validation_r2"),
        (Config(dataset="reg_plane"), "validation_f1", "min:validation_cost"),
        (Config(dataset="xor"), "validation_f1", "min:final_cost"),
    ],
)
def test_where_data_have_no_validation_part_the_objective_is_what_comes_next(base, objective, expected):
    sweep = Sweep("falls back", base, RATES, sampler="random", trials=2, objective=objective)
    assert sweep.goal.words == expected


def test_of_several_data_sets_the_one_with_the_least_decides():
    some = {"dataset": choice("moons", "xor")}
    assert Sweep("several", Config(), some).goal.words == "min:final_cost"
    assert Sweep("several", Config(), {"dataset": choice("moons", "circle")}).goal.words == "max:validation_accuracy"
    assert Sweep("several", Config(), {"dataset": choice("moons", "reg_plane")}).goal.words == "min:validation_cost"


@pytest.mark.parametrize(
    ("metrics", "worth"),
    [
        ({"validation_accuracy": 0.75}, 0.75),
        ({"validation_accuracy": 0.75, "diverged": 1.0}, -WORST),
        ({"validation_accuracy": 0.75, "diverged": 0.0}, 0.75),
        ({}, -WORST),
    ],
)
def test_what_an_ended_job_is_worth(metrics, worth):
    ended = Ended(Job(Config(), ""), "FINISHED", metrics)
    assert Objective.parse("validation_accuracy").value(ended) == worth


def test_what_training_ended_at_is_the_best_cost_too(small, run_here):
    outcome = run_here(small("by best cost", objective="best_cost"))
    assert outcome.best[1] == min(
        np.median([run.metrics["final_cost"] for run in runs]) for runs in outcome.arms.values()
    )


def best_by_mlflow(plain, sweep, metric, better):
    """The point whose median is best, read back: (its value, the points that reach it)."""
    experiment = plain.get_experiment_by_name(sweep.name).experiment_id
    runs = plain.search_runs([experiment], f"tags.sweep = '{sweep.id}' AND tags.config_key != ''", max_results=1000)
    values = {}
    for run in runs:
        assert run.info.status == "FINISHED"
        values.setdefault(run.data.tags["arm"], []).append(run.data.metrics[metric])
    medians = {arm: statistics.median(found) for arm, found in values.items()}
    best = better(medians.values())
    return best, {arm for arm, median in medians.items() if median == best}


@pytest.mark.parametrize(("trials", "seeds"), [(24, 1), (24, 3)])
def test_tpe_names_the_best_of_its_runs_by_the_metric_that_it_maximizes(
    trials, seeds, small, run_here, plain, study_of, logged
):
    space = {**RATES, "l2": Range(1e-5, 0.1, log=True)}
    sweep = small(f"tpe of {seeds}", base=MOONS, space=space, sampler="tpe", trials=trials, seeds=seeds)
    outcome = run_here(sweep)
    assert (outcome.status, outcome.done) == ("FINISHED", trials)
    value, arms = best_by_mlflow(plain, sweep, "validation_accuracy", max)
    assert outcome.best[0] in arms
    assert outcome.best[1] == value
    (parent,), children = logged(sweep.name)
    assert parent.data.metrics["best_validation_accuracy"] == value
    assert parent.data.tags["best"] == outcome.best[0]
    assert parent.data.tags["objective"] == "max:validation_accuracy"
    assert plain.get_experiment_by_name(sweep.name).tags["objective"] == "max:validation_accuracy"

    study = study_of(sweep)
    assert study.direction.name == "MAXIMIZE"
    told = {trial.user_attrs["config_key"]: trial.value for trial in study.trials}
    assert told == {run.data.tags["config_key"]: run.data.metrics["validation_accuracy"] for run in children}
    assert study.best_value == max(told.values())
    for trial in study.trials:
        assert trial.distributions == {
            "learning_rate": FloatDistribution(0.001, 3.0, log=True),
            "l2": FloatDistribution(1e-5, 0.1, log=True),
        }

    resumed = run_here(sweep)
    assert (resumed.best, resumed.before) == (outcome.best, trials)


def test_numbers_are_numbers_and_only_those_of_a_grid_are_trained(small, run_here, logged, study_of):
    space = {
        "learning_rate": log_grid(0.01, 10, 7),
        "batch_size": choice(4, 8, 16),
        "hidden": choice((2,), (3, 3)),
    }
    sweep = small("tpe on a grid", base=MOONS, space=space, sampler="tpe", trials=18, seeds=1)
    assert run_here(sweep).done == 18
    children = logged(sweep.name)[1]
    assert len({run.data.tags["config_key"] for run in children}) == 18
    assert {float(run.data.params["learning_rate"]) for run in children} <= set(space["learning_rate"].values)
    assert {int(run.data.params["batch_size"]) for run in children} <= {4, 8, 16}
    ended = [trial for trial in study_of(sweep).trials if trial.state.name == "COMPLETE"]
    assert len(ended) == 18
    for trial in ended:
        assert trial.distributions == {
            "learning_rate": FloatDistribution(0.01, 10.0, log=True),
            "batch_size": IntDistribution(4, 16),
            "hidden": CategoricalDistribution(["2", "3,3"]),
        }
    points = {trial.user_attrs["config_key"]: trial.params for trial in ended}
    for run in children:  # what Optuna was told is what was trained
        params, told = run.data.params, points[run.data.tags["config_key"]]
        assert (float(params["learning_rate"]), int(params["batch_size"]), params["hidden"]) == tuple(
            told[name] for name in ("learning_rate", "batch_size", "hidden")
        )


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_metric_of_a_hooks_can_be_the_objective(sampler, small, run_here, plain, study_of):
    base = MOONS.replace(activation="relu", hidden=(6,))
    sweep = small(
        f"dead by {sampler}",
        base=base,
        space=RATES,
        sampler=sampler,
        trials=12,
        seeds=1,
        objective="min:dead_units",
        hooks=[DeadUnits()],
    )
    outcome = run_here(sweep)
    assert (outcome.status, outcome.done) == ("FINISHED", 12)
    value, arms = best_by_mlflow(plain, sweep, "dead_units", min)
    assert outcome.best[0] in arms
    assert outcome.best[1] == value
    assert study_of(sweep).direction.name == "MINIMIZE"
    assert study_of(sweep).best_value == value


def test_early_stopping_watches_the_objective():
    base = MOONS.replace(patience=5)
    space = {"learning_rate": choice(0.1, 1.0)}

    def monitors(objective, base=base, space=space):
        return {trial.config.monitored for trial in Sweep("patient", base, space, objective=objective).plan}

    assert monitors("validation_accuracy") == {"validation_accuracy"}
    assert monitors("validation_cost") == {"validation_cost"}
    assert monitors("final_cost") == {"cost"}
    assert monitors("train_accuracy") == {"train_accuracy"}
    assert monitors("epochs_run") == {"validation_cost"}  # nobody watches that: the default
    assert monitors("final_cost", base.replace(monitor="validation_cost")) == {"validation_cost"}  # as it says
    assert monitors("validation_accuracy", Config(dataset="xor", patience=5)) == {"cost"}
    without = Sweep("impatient", MOONS, space).plan
    assert {trial.config.monitor for trial in without} == {None}
    patience = {"patience": choice(None, 3, 30)}
    found = {(one.config.patience, one.config.monitor) for one in Sweep("patience", MOONS, patience, seeds=1).plan}
    assert found == {(None, None), (3, "validation_accuracy"), (30, "validation_accuracy")}


def test_tables_and_json_say_which_objective(here, store):
    words = ("sweep", "--dataset", "moons", "--n-examples", 30, "--epochs", 30, "--vary", "learning_rate=0.1,1")
    words += ("--seeds", 1, "--name", "which", "--tracking-uri", store.uri)
    code, output, _ = here(*words)
    (table,) = (part for part in output.split("\n\n") if part.startswith("sweep "))
    head, row = (line.split() for line in table.splitlines())
    assert code == 0
    assert (head[4], row[4]) == ("by", "validation_accuracy")
    code, output, _ = here(*words, "--objective", "test_cost", "--json")
    (row,) = json.loads(output)["sweeps"]
    assert (code, row["by"], row["new"]) == (0, "test_cost", 0)  # the same runs, seen otherwise
    code, output, errors = here(*words, "--objective", "dead_units")
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert "unknown objective 'dead_units'" in errors


def test_where_no_run_has_the_metric_the_sweep_has_failed(here, tmp_path):
    words = ("sweep", "--vary", "learning_rate=0.1,1", "--seeds", 1, "--epochs", 20, "--hook", "GradientNorms")
    code, _, errors = here(*words, "--objective", "min:dead_units")
    assert (code, errors.splitlines()[-1]) == (
        1,
        "error: no run has recorded 'dead_units': nothing can be ranked by it",
    )
    code, output, errors = here(*words, "--objective", "5?")
    assert (code, output) == (2, "")
    assert errors == "error: objective is '5?': '5?' is no name that MLflow has for a metric\n"
