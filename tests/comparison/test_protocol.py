"""The protocol: equal effort, paired seeds, and selection that never sees the test data."""

import math

import pytest

from sandbox import Config, RequestError
from sandbox.comparison import Arm, parse_arm
from sandbox.comparison.protocol import FULL, SMALL, Cell, Comparison
from sandbox.data import load_parts
from sandbox.result import prepare

NUISANCES = ("learning_rate", "initializer", "weight_decay")


def points(configs):
    return [tuple(getattr(config, name) for name in NUISANCES) for config in configs]


def test_every_cell_is_tuned_at_the_same_points_and_every_repetition_at_its_own():
    expected = points(SMALL.tuning(SMALL.cells[0]))
    others = [points(SMALL.tuning(SMALL.cells[0], place)) for place in range(1, SMALL.repetitions)]
    assert len({*expected, *(point for one in others for point in one)}) == SMALL.trials * SMALL.repetitions
    assert len(set(expected)) == SMALL.trials
    assert all(points(SMALL.tuning(cell)) == expected for cell in SMALL.cells)
    assert points(SMALL.replace(trials=3).tuning(SMALL.cells[0])) == expected[:3]


def test_final_runs_are_paired_and_their_seeds_are_fresh():
    first, other = (Cell(arm, "circle", 16) for arm in ("raw", "hidden 8"))
    small = SMALL.replace(repetitions=4, seeds=5, draws=3)
    for place in range(4):
        ours, theirs = (small.final(small.base(cell), place) for cell in (first, other))
        assert [(one.seed, one.data_seed) for one in ours] == [(5 * place + seed,) * 2 for seed in range(5)]
        assert [(one.seed, one.data_seed) for one in theirs] == [(one.seed, one.data_seed) for one in ours]
    seen = set()
    for place in range(4):
        trials = small.tuning(first, place)
        (draw,) = {config.data_seed for config in trials}
        further = small.further(trials[3], place)
        assert [(one.seed, one.data_seed) for one in further] == [(draw + 1,) * 2, (draw + 2,) * 2]
        assert {one.replace(seed=0, data_seed=0) for one in further} == {trials[3].replace(seed=0, data_seed=0)}
        seen |= {draw, draw + 1, draw + 2}
    assert len(seen) == 12
    assert min(seen) >= 1_000_000


def test_the_first_seed_changes_all_that_is_drawn():
    cell = SMALL.cells[0]
    later = SMALL.replace(first_seed=1000)
    for place in range(SMALL.repetitions):
        ours, theirs = SMALL.tuning(cell, place), later.tuning(cell, place)
        assert not set(points(ours)) & set(points(theirs))
        assert not {one.data_seed for one in ours} & {one.data_seed for one in theirs}
        ours, theirs = (one.final(ours[0], place) for one in (SMALL, later))
        assert not {one.data_seed for one in ours} & {one.data_seed for one in theirs}


def test_a_tables_test_part_is_seen_by_no_tuning_of_its_repetition():
    comparison = SMALL.replace(datasets=("iris",), sizes=(32,), repetitions=3)
    cell = comparison.cells[0]
    for place in range(3):
        trials = comparison.tuning(cell, place)
        tuned = [*trials, *comparison.further(trials[0], place)]
        finals = comparison.final(trials[0], place)
        assert {one.data_seed for one in tuned} == {one.data_seed for one in finals} == {comparison.number(place)}
        assert (
            len({one.seed for one in (*comparison.further(trials[0], place), trials[0], *finals)})
            == SMALL.draws + SMALL.seeds
        )


def test_the_small_grid_is_small_and_the_full_one_has_everything():
    assert SMALL.total <= 8000
    assert {arm.name for arm in FULL.arms} > {arm.name for arm in SMALL.arms}
    assert FULL.sizes == (8, 16, 32, 64, 128, 256, 512)
    assert {"quadrants", "spiral", "gauss", "breast_cancer", "iris"} <= set(FULL.datasets)
    assert FULL.left_out == {"breast_cancer": [512], "iris": [128, 256, 512]}
    assert FULL.repetitions >= 5
    assert FULL.repetitions * FULL.seeds >= 40


def test_a_nuisance_that_an_arm_sets_is_tuned_for_nobody():
    arms = (parse_arm("he: initializer=he; hidden=8"), parse_arm("xavier: initializer=xavier; hidden=8"))
    comparison = Comparison(arms=arms, trials=4)
    assert set(comparison.space) == {"learning_rate", "weight_decay"}
    for cell in comparison.cells:
        assert {config.initializer for config in comparison.tuning(cell)} == {cell.arm}


def test_where_an_arm_has_another_optimizer_all_are_tuned_with_a_penalty():
    arms = (parse_arm("sgd: optimizer=gd; hidden=8"), parse_arm("adam: optimizer=adam; hidden=8"))
    comparison = Comparison(arms=arms, trials=4)
    assert set(comparison.space) == {"learning_rate", "initializer", "l2"}
    assert all(config.l2 > 0 for cell in comparison.cells for config in comparison.tuning(cell))


def test_validation_of_the_same_size():
    comparison = SMALL.replace(datasets=("circle", "iris"), sizes=(16, 64), validation="same")
    for cell in comparison.cells:
        problem = prepare(comparison.base(cell))
        assert problem.validation is not None
        left = 150 - 38 - cell.n if cell.dataset == "iris" else cell.n
        assert len(problem.validation) == min(cell.n, left)
    assert comparison.id != comparison.replace(validation="plenty").id


def test_the_id_names_everything_that_decides_what_a_run_is():
    changes = {
        "repetitions": 9,
        "seeds": 21,
        "margin": 0.02,
        "trials": 9,
        "draws": 3,
        "epochs": 10,
        "first_seed": 5,
        "sizes": (16,),
        "datasets": ("circle",),
    }
    ids = {SMALL.id, *(SMALL.replace(**{name: value}).id for name, value in changes.items())}
    assert len(ids) == 1 + len(changes)
    assert SMALL.replace(seeds=SMALL.seeds).id == SMALL.id


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
        ({"datasets": ("spiral_playground",)}, "has the same points for every seed"),
        ({"datasets": ("playground_xor",)}, "has no validation part"),
        (
            {"datasets": ("iris",), "sizes": (100,)},
            "iris takes 3 to 82 training examples, 30 others being for validation",
        ),
        ({"sizes": ()}, "name each once, at least one"),
        ({"arms": (Arm("raw"),)}, "a comparison needs two"),
        ({"arms": (Arm("raw"), Arm("raw"))}, "name each once"),
        ({"arms": (Arm("raw"), parse_arm("far: crosses=x3"))}, "expected x1, x2"),
        ({"seeds": 0}, "seeds is 0: a whole number of at least 1"),
        ({"repetitions": 1}, "repetitions is 1: a whole number of at least 2"),
        ({"validation": "sam"}, "did you mean 'same'"),
        ({"margin": 0}, "margin is 0: a difference of accuracy between 0 and 1"),
        ({"margin": math.nan}, "margin is nan"),
        ({"trials": 0}, "trials is 0"),
        ({"first_seed": -1}, "first_seed is -1"),
        ({"first_seed": 999_999}, "seeds must stay below 1000000"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(changes, said):
    with pytest.raises(RequestError, match=said):
        SMALL.replace(**changes)
