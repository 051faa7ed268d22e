"""The statistics, against published examples, definitions written out by hand, and simulations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wilcoxon

from sandbox import Config, train_many
from sandbox.comparison.statistics import ALIKE, BETTER, WORSE, compare, holm, interquartile_mean, mean, wilcoxon_p


def test_holm_on_a_published_example():
    """Wikipedia, "Holm-Bonferroni method": of 0.01, 0.04, 0.03, 0.005 at the level 0.05 the first and last are rejected."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.2))
def test_holm_rejects_what_its_definition_rejects(p, level):
    """Step down: compare the k-th smallest p with level / (m - k + 1), and stop at the first that is larger."""
    rejected = set()
    for step, place in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        if p[place] * (len(p) - step) > level:
            break
        rejected.add(place)
    assert {place for place, value in enumerate(holm(p)) if value <= level} == rejected


def test_wilcoxon_on_a_published_example():
    """Hollander and Wolfe 1973, p. 29 (R's ?wilcox.test): V = 40, one-sided p = 0.01953."""
    first = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    second = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    assert wilcoxon_p(np.subtract(first, second)) == pytest.approx(2 * 0.01953125)


@pytest.mark.parametrize("seeds", [3, 5, 8, 9, 14, 20])
def test_wilcoxon_against_scipy(seeds):
    """With ties and zeros, as accuracies have them; scipy tries all signs of few differences, and so do we."""
    for draw in range(4):
        differences = np.random.default_rng(draw).integers(-3, 6, seeds) / 1000
        differences[0] = 0.004
        _, p = wilcoxon(differences[differences != 0])
        assert wilcoxon_p(differences) == pytest.approx(p)


def test_differences_that_are_all_zero_are_no_difference():
    assert wilcoxon_p(np.zeros(20)) == 1
    same = np.linspace(0.5, 0.9, 20)
    (pair,) = compare({"a": same, "b": same.copy()})
    assert (pair.difference, pair.p, pair.verdict) == ((0, 0, 0), 1, ALIKE)
    (pair,) = compare({"a": same, "b": same - 0.1})
    assert pair.verdict == BETTER
    assert pair.difference == pytest.approx((0.1, 0.1, 0.1))
    assert (pair.turned.verdict, pair.turned.difference.value) == (WORSE, pytest.approx(-0.1))


def test_the_mean_and_its_interval():
    """Against resampling written out, and against the normal interval."""
    scores = np.random.default_rng(1).normal(0.8, 0.05, 40)
    rng = np.random.default_rng(5)
    resampled = [rng.choice(scores, 40).mean() for _ in range(4000)]
    value, low, high = mean(scores)
    assert value == pytest.approx(scores.sum() / 40)
    assert (low, high) == pytest.approx(np.quantile(resampled, [0.025, 0.975]), abs=0.002)
    half = 1.96 * scores.std() / np.sqrt(40)
    assert (low, high) == pytest.approx((value - half, value + half), abs=0.002)
    assert mean(scores) == (value, low, high)
    assert mean([0.5] * 9) == (0.5, 0.5, 0.5)


def test_the_interquartile_mean_leaves_out_a_quarter_at_each_end():
    scores = np.array([0.0, 0.1, 0.7, 0.8, 0.9, 1.0, 1.0, 1.0])
    value, low, high = interquartile_mean(scores)
    assert value == pytest.approx((0.7 + 0.8 + 0.9 + 1.0) / 4)
    assert low < value < high


def test_the_family_is_all_pairs():
    rng = np.random.default_rng(0)
    scores = {name: rng.normal(centre, 0.02, 20) for name, centre in (("a", 0.7), ("b", 0.8), ("c", 0.8))}
    pairs = {(pair.first, pair.second): pair for pair in compare(scores)}
    assert list(pairs) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [pair.verdict for pair in pairs.values()] == [WORSE, WORSE, ALIKE]
    assert [pair.p for pair in pairs.values()] == holm([pair.p_alone for pair in pairs.values()])


@pytest.fixture(scope="module")
def accuracies():
    """Test accuracies of 1120 networks that differ in nothing but their seeds."""
    base = Config(
        dataset="circle", n_examples=16, hidden=(3,), activation="tanh", optimizer="adam", learning_rate=0.1, epochs=120
    )
    results = train_many([base.replace(seed=seed, data_seed=seed) for seed in range(1120)], curve_points=2)
    return np.array([result.test_accuracy for result in results])


def test_an_arm_against_itself_is_hardly_ever_called_different(accuracies):
    """40 comparisons of two identical arms on 14 seeds each: other draws of the same distribution."""
    verdicts = [compare({"a": a, "b": b})[0].verdict for a, b in accuracies.reshape(40, 2, 14)]
    assert sum(verdict != ALIKE for verdict in verdicts) <= 4


def test_of_many_identical_arms_hardly_any_pair_is_called_different(accuracies):
    pairs = compare({str(place): scores for place, scores in enumerate(accuracies[:160].reshape(8, 20))})
    assert len(pairs) == 28
    assert sum(pair.verdict != ALIKE for pair in pairs) <= 1


def test_twice_the_seeds_shrink_the_intervals_by_the_root_of_two(accuracies):
    widths = []
    for seeds in (60, 120, 240, 480):
        intervals = [mean(scores) for scores in accuracies[:960].reshape(-1, seeds)]
        widths.append(np.mean([interval.high - interval.low for interval in intervals]))
    np.testing.assert_allclose(np.divide(widths[:-1], widths[1:]), np.sqrt(2), rtol=0.1)
