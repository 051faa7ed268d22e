"""Importance: against truths that are known because they are simulated, and Optuna's own figures."""

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from sandbox.answers.trials import Trial
from sandbox.sweeps.importance import importances

UNIT = {"a": FloatDistribution(0, 1), "b": FloatDistribution(0, 1)}


def drawn(rng, points=40, seeds=10, weights=(10.0, 1.0), luck=5.0, noise=0.3):
    """Points in the unit square, the objective a weighted sum, and a seed's luck that all of its runs share."""
    common = rng.normal(0, luck, seeds)
    return [
        Trial(
            {"a": a, "b": b}, seed, float(-(weights[0] * a + weights[1] * b) + common[seed] + rng.normal(0, noise)), 0.0
        )
        for a, b in rng.random((points, 2)).tolist()
        for seed in range(seeds)
    ]


def test_the_dimension_that_matters_ten_times_as_much_is_found_whatever_the_seeds_do():
    rng = np.random.default_rng(0)
    for luck in (0.0, 5.0, 500.0):
        shares = importances(drawn(rng, 100, luck=luck), UNIT, drawn=True)
        assert [*shares] == ["a", "b"]
        assert shares["a"].value > 0.8
        assert shares["a"].low > shares["b"].high
        assert sum(share.value for share in shares.values()) == pytest.approx(1)


def test_of_one_seed_it_is_what_optuna_says():
    rng = np.random.default_rng(1)
    trials = drawn(rng, 60, seeds=1)
    study = optuna.create_study()
    for one in trials:
        study.add_trial(optuna.create_trial(params=dict(one.point), distributions={**UNIT}, value=one.rank))
    expected = optuna.importance.get_param_importances(study, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
    shares = importances(trials, UNIT, drawn=True)
    assert {name: share.value for name, share in shares.items()} == pytest.approx(expected)


@pytest.mark.slow
def test_of_two_dimensions_that_matter_alike_neither_is_claimed():
    """60 sweeps of 40 drawn points: an interval that leaves out a half is wrong. At most 5 % are wanted."""
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(60):
        share = importances(drawn(rng, weights=(1.0, 1.0), luck=1.0), UNIT, drawn=True)["a"]
        wrong += not share.low <= 0.5 <= share.high
    assert wrong / 60 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 60)


@pytest.mark.slow
def test_the_interval_of_a_grid_holds_what_many_seeds_say():
    """50 sweeps of 12 points and 20 seeds; the truth is the mean of what they say. 95 % are wanted, give or take
    a standard error of 3 %."""
    rng = np.random.default_rng(3)
    known = {"rate": CategoricalDistribution([*"abc"]), "kind": CategoricalDistribution([*"wxyz"])}
    truths = {(r, k): {"a": 0.0, "b": 0.6, "c": 1.0}[r] + 0.1 * "wxyz".index(k) for r in "abc" for k in "wxyz"}

    def share():
        common = rng.normal(0, 1, 20)
        trials = [
            Trial({"rate": r, "kind": k}, seed, float(-value + common[seed] + rng.normal(0, 0.5)), 0.0)
            for (r, k), value in truths.items()
            for seed in range(20)
        ]
        return importances(trials, known, drawn=False)["rate"]

    found = [share() for _ in range(50)]
    truth = np.mean([one.value for one in found])
    held = np.mean([one.low <= truth <= one.high for one in found])
    assert held >= 0.88
    assert all(one.high - one.low < 0.6 for one in found)


def test_what_diverged_is_only_last():
    trials = drawn(np.random.default_rng(4))
    worst = sorted(trials, key=lambda one: one.point["a"])[:80]
    lost = [one._replace(rank=1e9, lost=True) if one in worst else one for one in trials]
    assert importances(lost, UNIT, drawn=True)["a"].value > 0.8


def test_where_nothing_can_be_told_nothing_is():
    rng = np.random.default_rng(5)
    trials = drawn(rng, 10, seeds=2)
    assert importances(trials, {"a": UNIT["a"]}, drawn=True) == {}
    assert importances([one._replace(rank=1e9) for one in trials], UNIT, drawn=True) == {}
    assert importances([], UNIT, drawn=True) == {}
    for seeds, points in ((2, True), (1, False)):
        few = importances(drawn(rng, 10, seeds=seeds), UNIT, drawn=points)
        assert np.isnan([few["a"].low, few["a"].high]).all()
    assert np.isfinite(importances(drawn(rng, 10, seeds=1), UNIT, drawn=True)["a"].low)


def test_problems_are_ranked_apart():
    """One problem is harder by far: that is no reason to call what is run on it the worse."""
    rng = np.random.default_rng(6)
    known = {"a": CategoricalDistribution([0, 1]), "b": CategoricalDistribution([0, 1])}
    trials = [
        Trial({"a": a, "b": b, "dataset": d}, seed, float(-a + 100 * d + rng.normal(0, 0.1)), 0.0)
        for a in (0, 1)
        for b in (0, 1)
        for d in (0, 1)
        for seed in range(8)
    ]
    assert importances(trials, known, ["dataset"], drawn=False)["a"].low > 0.5
