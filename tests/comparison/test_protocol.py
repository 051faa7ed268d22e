"""The protocol: equal effort, paired seeds, and selection that never sees the test data."""

import pytest

from sandbox import Config, RequestError
from sandbox.comparison import Arm, parse_arm
from sandbox.comparison.protocol import FULL, SMALL, Cell, Comparison
from sandbox.data import load_parts
from sandbox.result import prepare

NUISANCES = ("learning_rate", "initializer", "l2")


def points(configs):
    return [tuple(getattr(config, name) for name in NUISANCES) for config in configs]


def test_every_cell_is_tuned_at_the_same_points():
    expected = points(SMALL.tuning(SMALL.cells[0]))
    assert len(set(expected)) == SMALL.trials
    assert all(points(SMALL.tuning(cell)) == expected for cell in SMALL.cells)
    assert points(SMALL.replace(trials=3).tuning(SMALL.cells[0])) == expected[:3]


def test_final_runs_are_paired_and_their_seeds_are_fresh():
    first, other = (Cell(arm, "circle", 16) for arm in ("raw", "hidden 8"))
    ours, theirs = (SMALL.final(SMALL.base(cell)) for cell in (first, other))
    assert [(one.seed, one.data_seed) for one in ours] == [(seed, seed) for seed in range(20)]
    assert [(one.seed, one.data_seed) for one in theirs] == [(one.seed, one.data_seed) for one in ours]
    trials = FULL.tuning(first)
    assert {config.data_seed for config in trials} == {1_000_000}
    further = FULL.further(trials[3])
    assert [(one.seed, one.data_seed) for one in further] == [(1_000_000 + draw,) * 2 for draw in range(1, 5)]
    assert {one.replace(seed=0, data_seed=0) for one in further} == {trials[3].replace(seed=0, data_seed=0)}


def test_the_small_grid_is_small_and_the_full_one_has_everything():
    assert SMALL.total <= 2500
    assert {arm.name for arm in FULL.arms} > {arm.name for arm in SMALL.arms}
    assert FULL.sizes == (8, 16, 32, 64, 128, 256, 512)
    assert {"quadrants", "spiral", "gauss", "breast_cancer", "iris"} <= set(FULL.datasets)
    assert FULL.left_out == {"breast_cancer": [512], "iris": [128, 256, 512]}
    assert FULL.seeds >= 20


def test_a_nuisance_that_an_arm_sets_is_tuned_for_nobody():
    arms = (parse_arm("he: initializer=he; hidden=8"), parse_arm("xavier: initializer=xavier; hidden=8"))
    comparison = Comparison(arms=arms, trials=4)
    assert set(comparison.space) == {"learning_rate", "l2"}
    for cell in comparison.cells:
        assert {config.initializer for config in comparison.tuning(cell)} == {cell.arm}


def test_the_id_names_everything_that_decides_what_a_run_is():
    changes = {
        "seeds": 21,
        "trials": 9,
        "draws": 2,
        "epochs": 10,
        "first_seed": 5,
        "sizes": (16,),
        "datasets": ("circle",),
    }
    ids = {SMALL.id, *(SMALL.replace(**{name: value}).id for name, value in changes.items())}
    assert len(ids) == 1 + len(changes)
    assert SMALL.replace(seeds=20).id == SMALL.id


def test_generated_validation_data_are_fresh():
    config = Config(dataset="circle", n_examples=32, noise=0.1, data_seed=1_000_000)
    problem = prepare(config)
    train, validation = problem.train, problem.validation
    assert validation is not None
    assert (len(train), len(validation)) == (32, 1000)
    seen = {tuple(row) for row in train.X}
    for seed in range(20):
        test = load_parts("circle", n=32, noise=0.1, seed=seed).test
        assert test is not None
        seen |= {tuple(row) for row in test.X}
    assert not seen & {tuple(row) for row in validation.X}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"datasets": ("spral",)}, "did you mean 'spiral'"),
        ({"datasets": ("circle", "circle")}, "name each once"),
        ({"datasets": ("reg_plane",)}, "is for regression"),
        (
            {"datasets": ("iris",), "sizes": (100,)},
            "iris takes 3 to 82 training examples, 30 others being for validation",
        ),
        ({"sizes": ()}, "name each once, at least one"),
        ({"arms": (Arm("raw"),)}, "a comparison needs two"),
        ({"arms": (Arm("raw"), Arm("raw"))}, "name each once"),
        ({"arms": (Arm("raw"), parse_arm("far: crosses=x3"))}, "expected x1, x2"),
        ({"seeds": 1}, "seeds is 1: a whole number of at least 2"),
        ({"trials": 0}, "trials is 0"),
        ({"first_seed": -1}, "first_seed is -1"),
        ({"first_seed": 999_999}, "seeds must stay below 1000000"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(changes, said):
    with pytest.raises(RequestError, match=said):
        SMALL.replace(**changes)
