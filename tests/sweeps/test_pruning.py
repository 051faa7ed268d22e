"""Pruners over a population's rungs; and that samplers that do not learn give the same whatever the batch."""

from collections import Counter

import pytest

from sandbox import Config, RequestError, train
from sandbox.doctor import examine
from sandbox.sweeps import Range, choice
from sandbox.sweeps.pruning import rung_epochs

BASE = Config(dataset="xor", hidden=(2,), epochs=128)  # all there is of xor: ranked by final_cost
SPACE = {"learning_rate": Range(0.001, 10.0, log=True)}


@pytest.fixture
def numbers(plain):
    """A function: status and final cost of a sweep's runs by config key."""

    def read(sweep):
        experiment = plain.get_experiment_by_name(sweep.name).experiment_id
        runs = plain.search_runs([experiment], f"tags.sweep = '{sweep.id}' AND tags.config_key != ''")
        return {run.data.tags["config_key"]: (run.info.status, run.data.metrics["final_cost"]) for run in runs}

    return read


def test_rungs_double_up_to_half_of_the_training():
    assert rung_epochs(128) == (2, 4, 8, 16, 32, 64)
    assert rung_epochs(5) == (1, 2)
    assert rung_epochs(1) == (1,)


@pytest.mark.parametrize("pruner", ["median", "halving", "hyperband"])
def test_pruned_trials_keep_their_curve_so_far_and_the_others_their_numbers(
    pruner, small, run_here, root, store, plain, study_of
):
    sweep = small(f"pruned by {pruner}", base=BASE, space=SPACE, sampler="random", trials=24, seeds=1)
    outcome = run_here(sweep, pruner=pruner)
    assert (outcome.status, outcome.done) == ("FINISHED", 24)
    assert 3 <= outcome.pruned <= 21

    trials = study_of(sweep).trials
    states = Counter(trial.state.name for trial in trials)
    assert states == {"PRUNED": outcome.pruned, "COMPLETE": 24 - outcome.pruned}
    in_optuna = {trial.user_attrs["config_key"]: trial for trial in trials}
    experiment = plain.get_experiment_by_name(sweep.name).experiment_id
    runs = plain.search_runs([experiment], "tags.config_key != ''")
    assert len(runs) == 24
    configs = {trial.config.key: trial.config for trial in sweep.plan}
    for run in runs:
        key = run.data.tags["config_key"]
        alone = train(configs[key])
        curve = plain.get_metric_history(run.info.run_id, "cost")
        steps = [point.step for point in curve]
        if in_optuna[key].state.name == "PRUNED":
            assert (run.info.status, run.data.tags["pruned"]) == ("KILLED", "1")
            assert steps == list(range(int(run.data.metrics["epochs_run"]) + 1))
            assert in_optuna[key].last_step in rung_epochs(128)
            assert in_optuna[key].last_step <= steps[-1] < 128
        else:
            assert (run.info.status, "pruned" in run.data.tags) == ("FINISHED", False)
            assert steps == list(range(129))
            assert run.data.metrics["final_cost"] == alone.cost
        recorded = [point.value for point in curve][: len(steps) - 1]
        assert recorded == alone.costs[: len(recorded)].tolist()

    assert run_here(sweep, pruner=pruner).before == 24
    assert [one for one in examine(store, root).findings if one.campaign == sweep.id] == []


@pytest.mark.parametrize("objective", ["validation_accuracy", "validation_recall"])
def test_a_pruner_compares_the_objective(objective, small, run_here, study_of, plain):
    """What is reported at a rung is what the network came to by that epoch."""
    base = Config(dataset="moons", n_examples=60, noise=0.2, hidden=(4,), activation="tanh", epochs=64)
    options = {"sampler": "random", "trials": 16, "seeds": 1, "objective": objective}
    sweep = small(f"pruned by {objective}", base=base, space=SPACE, **options)
    outcome = run_here(sweep, pruner="median")
    assert outcome.pruned
    study = study_of(sweep)
    assert study.direction.name == "MAXIMIZE"
    for trial in study.trials:
        assert set(trial.intermediate_values) <= set(rung_epochs(64))
        assert all(0 <= value <= 1 for value in trial.intermediate_values.values())
    experiment = plain.get_experiment_by_name(sweep.name).experiment_id
    for run in plain.search_runs([experiment], "tags.pruned = '1'"):
        (trial,) = (one for one in study.trials if one.user_attrs["config_key"] == run.data.tags["config_key"])
        stopped = train(Config.from_params(run.data.params).replace(epochs=trial.last_step))
        found = {"validation_accuracy": stopped.validation_accuracy, **stopped.scores}
        assert trial.value == pytest.approx(found[objective])


def test_no_pruner_watches_what_nobody_knows_before_the_end(small, run_here, logged):
    sweep = small("unwatched", objective="train_seconds")
    with pytest.raises(RequestError, match="no pruner can watch 'train_seconds'"):
        run_here(sweep, pruner="median")
    assert logged("unwatched") == ([], [])


@pytest.mark.parametrize(
    ("sampler", "options"),
    [("grid", {}), ("sobol", {}), pytest.param("random", {"writers": 2}, marks=pytest.mark.slow)],
)
def test_results_do_not_depend_on_writers_or_batch(sampler, options, small, run_here, numbers):
    space = {"learning_rate": choice(0.1, 1.0, 3.0), "hidden": choice((2,), (3,))} if sampler == "grid" else SPACE
    trials = None if sampler == "grid" else 11
    sweep = small(f"{sampler} alike", base=BASE, space=space, sampler=sampler, trials=trials)
    run_here(sweep, batch=4, **options)
    alone = {trial.config.key: ("FINISHED", pytest.approx(train(trial.config).cost, rel=1e-12)) for trial in sweep.plan}
    assert numbers(sweep) == alone
