"""What a sweep comes to before anything is trained: its trials, and its id."""

import dataclasses
import json
import math
from collections import Counter
from itertools import pairwise

import pytest

from sandbox import Config, RequestError
from sandbox.data import DATASETS
from sandbox.sweeps import Range, Sweep, arms, choice

BASE = Config(dataset="xor", epochs=20)
GRID = Sweep(
    name="grid",
    base=BASE,
    space={"initializer": choice("plain", "he"), "learning_rate": choice(0.1, 1.0, 3.0)},
    seeds=2,
)
RATES = {"learning_rate": Range(0.001, 10.0, log=True), "hidden": choice((2,), (4,))}


def sampled(sampler, trials, **changes):
    return Sweep(name="s", base=BASE, space=RATES, sampler=sampler, trials=trials, **changes)


def keys(sweep):
    return [trial.config.key for trial in sweep.plan]


def test_a_grid_goes_through_all_points_seed_by_seed():
    configs = [trial.config for trial in GRID.plan]
    assert [(c.seed, c.initializer, c.learning_rate) for c in configs] == [
        (seed, initializer, rate) for seed in (0, 1) for initializer in ("plain", "he") for rate in (0.1, 1.0, 3.0)
    ]
    assert GRID.total == 12
    assert all(trial.config == BASE.replace(**vary(trial)) for trial in GRID.plan)


def vary(trial):
    return {name: getattr(trial.config, name) for name in ("initializer", "learning_rate", "seed")}


def test_seeds_are_counted_from_the_base_configs():
    seeds = {trial.config.seed for trial in GRID.replace(base=BASE.replace(seed=40), seeds=3).plan}
    assert seeds == {40, 41, 42}


@pytest.mark.parametrize(
    ("changes", "space", "drawn"),
    [
        ({"dataset": "moons", "data_seed": 5}, {"hidden": choice((), (3,))}, {(0, 5), (1, 6), (2, 7)}),
        ({"dataset": "iris"}, {"hidden": choice((), (3,))}, {(0, 0), (1, 1), (2, 2)}),
        ({"dataset": "xor"}, {"hidden": choice((), (3,))}, {(0, 0), (1, 0), (2, 0)}),
        ({"dataset": "xor", "noise": 0.1}, {"hidden": choice((), (3,))}, {(0, 0), (1, 1), (2, 2)}),
        ({"dataset": "moons"}, {"data_seed": choice(3, 4)}, {(n, m) for n in range(3) for m in (3, 4)}),
    ],
    ids=["drawn data", "a table's split", "all there is", "with noise", "data that are varied"],
)
def test_a_seed_draws_weights_and_data_anew(changes, space, drawn):
    plan = Sweep("seeds", Config(**changes), space, seeds=3).plan
    assert {(trial.config.seed, trial.config.data_seed) for trial in plan} == drawn


@pytest.mark.parametrize(("trials", "seeds"), [(5, 1), (12, 2), (13, 3), (30, 5)])
def test_more_trials_of_a_grid_add_seeds_and_fewer_cut_it_short(trials, seeds):
    cut = GRID.replace(trials=trials)
    assert len(cut.plan) == cut.total == trials
    assert {trial.config.seed for trial in cut.plan} == set(range(seeds))
    assert keys(cut) == keys(GRID.replace(seeds=9))[:trials]


def test_equal_configs_are_trained_once():
    twice = GRID.replace(space={"learning_rate": choice(1, 1.0, 2)})
    assert [trial.config.learning_rate for trial in twice.plan] == [1.0, 2.0] * 2
    assert len(set(keys(twice))) == twice.total == 4


@pytest.mark.parametrize("sampler", ["random", "sobol"])
@pytest.mark.parametrize("trials", [1, 2, 24, 48, 99])
def test_a_sample_has_as_many_trials_as_asked_for_each_point_with_every_seed(sampler, trials):
    sweep = sampled(sampler, trials)
    assert len(set(keys(sweep))) == len(sweep.plan) == sweep.total == trials
    points = Counter(trial.config.learning_rate for trial in sweep.plan)
    if trials % 3 == 0:
        assert set(points.values()) == {3}
        assert len(points) == trials // 3
    assert all(0.001 <= rate <= 10 for rate in points)


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_a_sample_is_the_same_every_time_and_larger_ones_continue_it(sampler):
    assert keys(sampled(sampler, 24)) == keys(sampled(sampler, 24))
    assert keys(sampled(sampler, 24)) != keys(sampled(sampler, 24, sampler_seed=1))
    sizes = (3, 24, 48, 150)
    plans = [set(keys(sampled(sampler, trials))) for trials in sizes]
    for small, large in pairwise(plans):
        assert small < large


def test_sobol_covers_the_range_more_evenly_than_chance():
    """Of 16 scrambled Sobol points one lies in each sixteenth (a property of the sequence)."""
    rates = {trial.point["learning_rate"] for trial in sampled("sobol", 48).plan}
    sixteenths = {int(16 * place) for place in (position(rate) for rate in rates)}
    assert sixteenths == set(range(16))


def position(rate):
    return math.log(rate / 0.001) / math.log(10 / 0.001)


def test_more_trials_and_seeds_continue_a_sweep():
    assert GRID.replace(trials=30).id == GRID.replace(seeds=5).id == GRID.id
    assert GRID.replace(base=BASE.replace(seed=9), question="?", tags={"a": "b"}).id == GRID.id
    assert GRID.id.startswith("grid-")


def test_a_data_set_whose_examples_are_others_than_before_makes_another_sweep(monkeypatch):
    """Also where it is not the base's: runs of both kinds would be counted together."""
    data = {"dataset": choice("quadrants", "circle")}
    ids = []
    for edition in (1, 2):
        monkeypatch.setitem(DATASETS, "circle", dataclasses.replace(DATASETS["circle"], edition=edition))
        ids.append([GRID.replace(space={**GRID.space, **more}).id for more in ({}, data)])
    assert ids[0][0] == ids[1][0]
    assert ids[0][1] != ids[1][1]


@pytest.mark.parametrize(
    "changes",
    [
        {"base": BASE.replace(epochs=21)},
        {"space": {**GRID.space, "learning_rate": choice(0.1, 1.0)}},
        {"space": {"learning_rate": GRID.space["learning_rate"]}},
        {"sampler": "random", "trials": 12},
        {"name": "other"},
    ],
)
def test_whatever_decides_what_a_trial_is_makes_another_sweep(changes):
    assert GRID.replace(**changes).id != GRID.id


def test_ranges_and_arms_are_part_of_the_id():
    base = sampled("random", 3)
    assert base.replace(space={**RATES, "learning_rate": Range(0.001, 10.0)}).id != base.id
    assert base.replace(sampler_seed=1).id != base.id
    one, other = (arms({"a": {"hidden": (4,)}, "b": {"hidden": hidden}}) for hidden in ((), (8,)))
    assert GRID.replace(space={"arm": one}).id != GRID.replace(space={"arm": other}).id


def test_a_sampler_that_learns_stops_where_a_space_has_no_more_points():
    space = {"hidden": choice((2,), (4,)), "learning_rate": choice(0.1, 1.0)}
    assert sampled("tpe", 24).total == 24
    assert sampled("tpe", 24).replace(space=space).total == 4 * 3


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sampler": "sobl"}, "did you mean 'sobol'"),
        ({"sampler": "random"}, "needs the number of trials"),
        ({"trials": 0}, "trials is 0"),
        ({"trials": 2.5}, "trials is 2.5"),
        ({"seeds": 0}, "seeds is 0"),
        ({"seeds": True}, "seeds is True"),
        ({"space": {}}, "nothing varies"),
        ({"space": {"seed": choice(0, 1)}}, "axis of its own"),
        ({"space": {"arm": arms({"a": {"seed": 1}})}}, "axis of its own"),
        ({"space": {"learning_rat": choice(0.1)}}, "did you mean 'learning_rate'"),
        ({"space": {"learning_rate": choice(0.1, -1)}}, "above 0"),
        ({"space": {"initializer": choice("plain", "xaver")}}, "did you mean 'xavier'"),
        ({"space": {"learning_rate": Range(0.1, 1.0)}}, "a grid needs values"),
        ({"space": {"learning_rate": Range(-1.0, 1.0)}, "sampler": "random", "trials": 9}, "above 0"),
        ({"space": {"arm": arms({"a": {"hiden": (4,)}})}}, "did you mean 'hidden'"),
        ({"space": {"hidden": choice((4,)), "arm": arms({"a": {"hidden": (8,)}})}}, "hidden is set by two"),
    ],
)
def test_a_wrong_sweep_is_refused_in_one_line_before_anything_is_trained(changes, why):
    with pytest.raises(RequestError, match=why) as caught:
        GRID.replace(**changes)
    assert "\n" not in str(caught.value)


def test_a_job_has_the_tags_by_which_its_run_is_found():
    sweep = GRID.replace(tags={"purpose": "test"})
    job = sweep.job(sweep.plan[2], 7)
    point = json.loads(job.tags["point"])
    assert point == {"initializer": "plain", "learning_rate": 3.0}
    arm = "initializer=plain, learning_rate=3"
    assert job.name == "plain rate 3 seed 0"
    tags = {"sweep": sweep.id, "arm": arm, "label": "plain rate 3", "trial": "7", "purpose": "test"}
    tags["point"] = job.tags["point"]
    assert dict(job.tags) == tags
    assert job.key == job.config.key == sweep.plan[2].config.key


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_the_names_of_runs_tell_all_of_a_sweeps_runs_apart(sampler):
    for trials in (9, 90, 900):
        sweep = sampled(sampler, trials)
        names = [sweep.job(trial, 0).name for trial in sweep.plan]
        assert len(set(names)) == trials
        assert max(map(len, names)) <= len("2 rate 0.0012345 seed 0")


def test_a_combination_that_does_not_fit_is_found_by_counting_the_trials():
    sweep = GRID.replace(
        space={"output": choice("sigmoid", "linear"), "cost": choice("squared_error", "binary_cross_entropy")}
    )
    with pytest.raises(RequestError, match="needs a sigmoid output"):
        _ = sweep.total
