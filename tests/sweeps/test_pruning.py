"""Pruners over a population's rungs; and that samplers that do not learn give the same whatever the batch."""

from collections import Counter

import optuna
import pytest

from sandbox import Config, train
from sandbox.sweeps import Range, choice
from sandbox.sweeps.doctor import examine
from sandbox.sweeps.pruning import rung_epochs
from sandbox.sweeps.trials import open_storage

BASE = Config(dataset="xor", hidden=(2,), epochs=128)
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
    pruner, small, run_here, root, store, plain
):
    sweep = small(f"pruned by {pruner}", base=BASE, space=SPACE, sampler="random", trials=24, seeds=1)
    outcome = run_here(sweep, pruner=pruner)
    assert (outcome.status, outcome.done) == ("FINISHED", 24)
    assert 3 <= outcome.pruned <= 21

    trials = optuna.load_study(study_name=sweep.id, storage=open_storage(root)).trials
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
            assert run.data.metrics["final_cost"] == pytest.approx(alone.cost, rel=1e-9)
        recorded = [point.value for point in curve][: len(steps) - 1]
        assert recorded == pytest.approx(list(alone.costs[: len(recorded)]), rel=1e-9)

    assert run_here(sweep, pruner=pruner).before == 24
    assert examine(store, root).findings == []


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
