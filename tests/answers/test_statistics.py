"""The statistics, against published examples, definitions written out by hand, scipy, and a simulation of known truth."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sandbox.answers.statistics import (
    EQUIVALENT,
    LARGER,
    LEVEL,
    OPEN,
    SMALLER,
    Estimate,
    compare,
    level_of,
    mean,
    needed,
    permutation_p,
    student_p,
    verdict_of,
)

SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]  # hours gained, one drug less the other


def test_student_on_a_published_example():
    """Student 1908, "The probable error of a mean", the two soporifics (R's `sleep`): t = 4.0621, 9 degrees of freedom,
    p = 0.002833, 95 % interval 0.7001142 to 2.4598858."""
    assert student_p(SLEEP) == pytest.approx(0.002833, abs=5e-7)
    assert mean(SLEEP) == pytest.approx((1.58, 0.7001142, 2.4598858), abs=5e-8)


def test_permutation_on_a_published_example():
    """Fisher 1935, The Design of Experiments, section 21: Darwin's maize; 863 of the 2^15 signs give a sum at least as large
    as the 314 found, p = 2 * 863 / 32768 = 0.0527."""
    darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert sum(darwin) == 314
    assert permutation_p(darwin) == pytest.approx(2 * 863 / 32768)


@pytest.mark.parametrize("count", [2, 5, 8])
def test_the_permutation_test_tries_all_signs_ties_or_not(count):
    for draw in range(6):
        values = np.random.default_rng(draw).integers(-2, 4, count) / 100
        sums = [abs(sum(s * v for s, v in zip(signs, values, strict=True))) for signs in product([-1, 1], repeat=count)]
        assert permutation_p(values) == pytest.approx(np.mean(np.array(sums) >= abs(values.sum()) - 1e-9))
    assert permutation_p(np.full(count, 0.1)) == 2.0 ** (1 - count)
    assert permutation_p(np.zeros(count)) == 1


def test_of_many_differences_some_signs_are_drawn():
    values = np.random.default_rng(3).normal(0.3, 1, 40)
    drawn = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=50_000, rng=1).pvalue
    assert permutation_p(values) == pytest.approx(drawn, abs=0.01)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_one_level_selects_what_benjamini_and_hochberg_select(p):
    """Against scipy's adjusted p; where none is selected, the level is what the first would have to reach."""
    selected = stats.false_discovery_control(p) <= LEVEL
    assert level_of(p) == pytest.approx(LEVEL * max(selected.sum(), 1) / len(p))
    if selected.any():
        assert (np.asarray(p) <= level_of(p)).tolist() == selected.tolist()


correct = st.lists(st.integers(-50, 50), min_size=4, max_size=9)  # of a thousand


@given(st.lists(correct, min_size=1, max_size=5), st.integers(-100, 100), st.sampled_from([0.0, 1 / 3]))
def test_a_verdict_never_contradicts_its_interval_nor_its_p(families, shift, overlap):
    scores = {
        place: {"a": (np.array(one) + shift) / 1000, "b": np.zeros(len(one))} for place, one in enumerate(families)
    }
    found = compare(scores, 0.01, dict.fromkeys(scores, overlap))
    level = level_of([pairs[0].p for pairs in found.values()])
    for (pair,) in found.values():
        _, low, high = pair.difference
        assert pair.verdict == verdict_of(pair.difference, 0.01)
        assert (pair.needed is None) or pair.verdict == OPEN
        if abs(pair.p - level) > 1e-9:
            assert (low > 0 or high < 0) == (pair.p < level)
        assert (pair.verdict in (LARGER, SMALLER)) <= (low > 0 or high < 0)
        assert (pair.verdict == OPEN) <= (low <= 0 <= high)
        assert pair.turned.turned == pair


def test_the_four_verdicts():
    cases = {(0.02, 0.1): LARGER, (-0.3, -0.001): SMALLER, (-0.009, 0.009): EQUIVALENT, (0.001, 0.009): EQUIVALENT}
    cases |= {(-0.01, 0.02): OPEN, (-0.2, 0.3): OPEN, (0.0, 0.1): OPEN}
    for (low, high), words in cases.items():
        assert verdict_of(Estimate((low + high) / 2, low, high), 0.01) == words


def test_differences_without_spread():
    same = np.linspace(0.5, 0.9, 8)
    (pair,) = compare({"one": {"a": same, "b": same.copy()}}, 0.01)["one"]
    assert (pair.difference, pair.p, pair.p_permutation, pair.verdict) == ((0, 0, 0), 1, 1, EQUIVALENT)
    (pair,) = compare({"one": {"a": same, "b": same - 0.1}}, 0.01)["one"]
    assert (pair.verdict, pair.turned.verdict) == (LARGER, SMALLER)
    assert pair.difference == pytest.approx((0.1, 0.1, 0.1))


def test_what_an_inconclusive_pair_would_take():
    """With as many repetitions of the same mean and spread the interval leaves out 0, or lies within the margin; with one
    fewer it does neither."""
    rng = np.random.default_rng(0)
    for middle, overlap, level in ((0.012, 0.0, 0.05), (0.001, 0.0, 0.01), (0.013, 0.02, 0.05)):
        values = rng.normal(0, 0.02, 8)
        values = middle + (values - values.mean()) / values.std(ddof=1) * 0.02
        count = needed(values, overlap, level, 0.01)
        assert count is not None
        halves = [stats.t.isf(level / 2, n - 1) * 0.02 * np.sqrt(1 / n + overlap) for n in (count - 1, count)]
        assert halves[0] >= max(middle, 0.01 - middle) > halves[1]
    assert needed(np.array([-0.3, 0.3, -0.29, 0.31]), 1 / 3, 0.05, 0.01) is None


def test_nadeau_and_bengio_widen_what_overlapping_splits_say():
    """Their corrected resampled t-test, equation 3 of Bouckaert and Frank 2004: s^2 (1 / n + n2 / n1)."""
    values = np.array([0.02, 0.03, 0.01, 0.05, 0.04, 0.03, 0.02, 0.06])
    t = values.mean() / np.sqrt(values.var(ddof=1) * (1 / 8 + 25 / 75))
    assert student_p(values, 25 / 75) == pytest.approx(2 * stats.t.sf(t, 7))
    _, low, high = mean(values, 25 / 75)
    assert high - low == pytest.approx(2 * stats.t.ppf(0.975, 7) * values.mean() / t)
    assert student_p(values) < student_p(values, 25 / 75)


def test_all_pairs_of_all_families_share_one_level():
    rng = np.random.default_rng(0)
    arms = (("a", 0.7), ("b", 0.8), ("c", 0.8))
    families = {n: {name: rng.normal(centre, 0.004, 8) for name, centre in arms} for n in (16, 64)}
    found = compare(families, 0.03)
    level = level_of([pair.p for pairs in found.values() for pair in pairs])
    for n, pairs in found.items():
        assert [(pair.first, pair.second) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
        assert [pair.verdict for pair in pairs] == [SMALLER, SMALLER, EQUIVALENT]
        values = families[n]["a"] - families[n]["b"]
        assert pairs[0].difference == mean(values, level=level)


def test_student_covers_what_tuning_and_seeds_scatter_together():
    """Of 2,000 cells whose winners' luck is skewed and of whose seeds one in twenty fails, 92 to 98 % of the intervals hold
    the true mean. Its standard error is 0.5 %."""
    rng = np.random.default_rng(7)
    luck = rng.exponential(0.01, (2000, 8, 1))
    scores = 0.95 - luck + rng.normal(0, 0.02, (2000, 8, 12))
    scores = np.where(rng.random(scores.shape) < 0.05, 0.5, scores)
    truth = 0.95 * (0.95 - 0.01) + 0.05 * 0.5
    intervals = [mean(cell) for cell in scores.mean(-1)]
    assert 0.92 <= np.mean([one.low <= truth <= one.high for one in intervals]) <= 0.98
