"""Optuna's side of a sweep, in a real journal file: which jobs come next, and what is told of those that ended."""

import json

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from sandbox.job import Ended
from sandbox.sweeps import Range, choice, log_grid
from sandbox.sweeps.journal import JOURNAL
from sandbox.sweeps.objective import WORST
from sandbox.sweeps.study import Study, distribution, ended_trials, known_study, settle


def ended(sweep, trial, value, status="FINISHED"):
    """The job of a trial that ended with this value of the sweep's metric."""
    metrics = {"diverged": 1.0} if value is None else {sweep.goal.metric: value}
    return Ended(sweep.job(trial, 0), status, metrics)


def entered(study):
    return {trial.user_attrs["config_key"] for trial in ended_trials(study.study)}


def first_round(study):
    return next(study.jobs())


def test_planned_trials_are_entered_once_with_finite_values(small, tmp_path, study_of):
    sweep = small("entered", objective="final_cost")
    study = Study(sweep, tmp_path, {})
    for trial, cost in zip(sweep.plan, [0.25, None, 1e300, 0.5], strict=True):
        study.tell(ended(sweep, trial, cost))
    study.tell(ended(sweep, sweep.plan[0], 0.125))
    plain = study_of(sweep, tmp_path)
    assert plain.direction.name == "MINIMIZE"
    assert [trial.state for trial in plain.trials] == [TrialState.COMPLETE] * 4
    assert [trial.value for trial in plain.trials] == [0.25, WORST, WORST, 0.5]
    assert [trial.user_attrs["diverged"] for trial in plain.trials] == [False, True, False, False]
    assert [trial.params for trial in plain.trials] == [{"learning_rate": rate} for rate in (0.1, 1.0)] * 2
    assert [trial.user_attrs["seed"] for trial in plain.trials] == [0, 0, 1, 1]
    assert plain.best_trial.params == {"learning_rate": 0.1}
    known = known_study(sweep.id, sweep.goal.words, tmp_path)
    assert known is not None
    assert known.study_name == plain.study_name


def test_what_is_maximized_has_the_worst_value_at_the_other_end(small, tmp_path, study_of):
    sweep = small("maximized")
    study = Study(sweep, tmp_path, {})
    for trial, accuracy in zip(sweep.plan, [0.5, None, 0.75, 1.0], strict=True):
        study.tell(ended(sweep, trial, accuracy))
    plain = study_of(sweep, tmp_path)
    assert plain.direction.name == "MAXIMIZE"
    assert [trial.value for trial in plain.trials] == [0.5, -WORST, 0.75, 1.0]
    assert (plain.best_value, plain.best_trial.user_attrs["seed"]) == (1.0, 1)


def test_asking_for_a_study_that_there_is_not_makes_none(small, tmp_path, studies):
    sweep = small("unasked")
    assert known_study(sweep.id, sweep.goal.words, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    Study(sweep, tmp_path, {})
    before = (tmp_path / JOURNAL).read_bytes()
    assert known_study("another", sweep.goal.words, tmp_path) is None
    assert known_study(sweep.id, "min:final_cost", tmp_path) is None
    assert (tmp_path / JOURNAL).read_bytes() == before
    assert len(studies(tmp_path)) == 1


def test_another_objective_is_another_study_of_the_same_runs(small, tmp_path, studies):
    sweep = small("two goals")
    by_cost = sweep.replace(objective="final_cost")
    assert by_cost.id == sweep.id
    for one in (sweep, by_cost):
        Study(one, tmp_path, {})
    assert sorted(study.direction.name for study in studies(tmp_path).values()) == ["MAXIMIZE", "MINIMIZE"]


@pytest.mark.parametrize(
    ("name", "dimension", "expected"),
    [
        ("learning_rate", Range(0.1, 10.0, log=True), FloatDistribution(0.1, 10.0, log=True)),
        ("l2", Range(0.0, 1.0), FloatDistribution(0.0, 1.0)),
        ("epochs", Range(10, 1000, log=True, integer=True), IntDistribution(10, 1000, log=True)),
        ("learning_rate", log_grid(0.01, 10, 4), FloatDistribution(0.01, 10.0, log=True)),
        ("learning_rate", choice(0.1, 0.2, 0.3), FloatDistribution(0.1, 0.3)),
        ("learning_rate", choice(1, 3), FloatDistribution(1.0, 3.0)),
        ("l2", choice(0.0, 0.1), FloatDistribution(0.0, 0.1)),
        ("batch_size", choice(4, 8, 64), IntDistribution(4, 64, log=True)),
        ("epochs", choice(100, 200), IntDistribution(100, 200)),
        ("batch_size", choice(None, 16), CategoricalDistribution(["none", "16"])),
        ("hidden", choice((), (8, 8)), CategoricalDistribution(["none", "8,8"])),
        ("initializer", choice("he", "plain"), CategoricalDistribution(["he", "plain"])),
    ],
)
def test_numbers_are_numbers_to_optuna(name, dimension, expected):
    assert distribution(name, dimension) == expected


def test_a_sampler_is_asked_told_and_remembers(small, tmp_path, study_of):
    space = {"learning_rate": Range(0.1, 10.0, log=True), "hidden": choice((2,), (4, 4))}
    sweep = small("asked", space=space, sampler="tpe", trials=12, seeds=3)
    study = Study(sweep, tmp_path, {})
    jobs = first_round(study)
    assert [job.config.seed for job in jobs] == [0, 1, 2] * 4
    assert [job.tags["trial"] for job in jobs] == [str(number) for number in range(12)]
    points = {job.tags["point"] for job in jobs}
    assert len(points) == len({(job.config.learning_rate, job.config.hidden) for job in jobs}) == 4
    assert all(0.1 <= job.config.learning_rate <= 10 for job in jobs)
    study.tell(Ended(jobs[0], "FINISHED", {"validation_accuracy": 0.75}))
    told, *others = study_of(sweep, tmp_path).trials
    assert (told.value, told.state) == (0.75, TrialState.COMPLETE)
    assert told.params == json.loads(jobs[0].tags["point"])
    assert {one.state for one in others} == {TrialState.RUNNING}
    assert entered(study) == {jobs[0].config.key}


def test_trials_of_a_process_that_died_are_told_or_queued_again(small, tmp_path, study_of):
    sweep = small("settled", space={"learning_rate": Range(0.1, 10.0)}, sampler="tpe", trials=2, seeds=1)
    known, lost = first_round(Study(sweep, tmp_path, {}))
    done = {known.key: Ended(known, "FINISHED", {"validation_accuracy": 0.5})}
    again = Study(sweep, tmp_path, done)
    states = [(trial.state, trial.value) for trial in study_of(sweep, tmp_path).trials]
    assert states == [(TrialState.COMPLETE, 0.5), (TrialState.FAIL, None), (TrialState.WAITING, None)]
    (next_one,) = first_round(again)
    assert next_one.config == lost.config
    assert settle(again.study, done) == 1


def test_the_other_seeds_at_a_point_come_after_a_death_too(small, tmp_path):
    """A death between the seeds of a point: the sampler would not come back to it."""
    sweep = small("seeds", space={"learning_rate": Range(0.1, 10.0)}, sampler="tpe", trials=3, seeds=3)
    jobs = first_round(Study(sweep, tmp_path, {}))
    done = {jobs[0].key: Ended(jobs[0], "FINISHED", {"validation_accuracy": 0.5})}
    assert [job.config for job in first_round(Study(sweep, tmp_path, done))] == [job.config for job in jobs[1:]]


def test_a_pruner_watches_planned_trials(small, tmp_path, study_of):
    sweep = small("watched")
    study = Study(sweep, tmp_path, {}, pruner="median")
    jobs = first_round(study)
    for job in jobs[:2]:
        assert study.begin(job.config.key).params == json.loads(job.tags["point"])
        study.begin(job.config.key).report(0.625, 10)
    study.tell(Ended(jobs[0], "FINISHED", {"validation_accuracy": 0.5}))
    study.tell(Ended(jobs[1], "KILLED", {"validation_accuracy": 0.75}))
    told = [(trial.state, trial.user_attrs["config_key"]) for trial in study_of(sweep, tmp_path).trials]
    keys = [job.config.key for job in jobs]
    assert told == [(TrialState.COMPLETE, keys[0]), (TrialState.PRUNED, keys[1])]


def test_what_optuna_lost_is_entered_again(small, tmp_path):
    sweep = small("lost")
    study = Study(sweep, tmp_path, {})
    done = {trial.config.key: ended(sweep, trial, 0.5) for trial in sweep.plan}
    for one in done.values():
        study.tell(one)
    lines = (tmp_path / JOURNAL).read_text().splitlines(keepends=True)
    (tmp_path / JOURNAL).write_text("".join(lines[:-2]))
    again = Study(sweep, tmp_path, done)
    assert entered(again) == set(done)
    assert first_round(again) == []


def test_what_optuna_alone_knows_counts_where_nobody_can_ask_mlflow(small, tmp_path):
    sweep = small("trusted")
    Study(sweep, tmp_path, {}).tell(ended(sweep, sweep.plan[0], 0.5))
    keys = [trial.config.key for trial in sweep.plan]
    assert [job.config.key for job in first_round(Study(sweep, tmp_path, {}, trusting=True))] == keys[1:]
    assert [job.config.key for job in first_round(Study(sweep, tmp_path, {}))] == keys
