"""The study of the comparison's method: small cases of what it prints, whose truth is known."""

from typing import Any

import numpy as np
import pytest

from studies.method_check import CASES, exchangeable, false_verdicts, power, tables


def percent(text):
    return float(str(text).split()[0])


def test_the_truth_of_a_case_is_the_mean_of_its_scores():
    for number, case in enumerate(CASES):
        scores = case.scores((4000, 8, 8), np.random.default_rng(number))
        assert scores.mean() == pytest.approx(case.truth, abs=0.001)


def test_identical_arms_tuned_apart_are_hardly_ever_called_different():
    """In each case 36 families; and what was the method before says it often, where tuning has luck."""
    found: Any = false_verdicts(4, np.random.default_rng(1)).set_index("case")
    assert found["false, %"].map(percent).max() <= 8
    assert percent(found.loc["tuning alone", "before, %"]) > 40


def test_a_difference_that_there_is_is_found():
    found: Any = power(4, np.random.default_rng(2)).set_index("true difference")
    assert percent(found.loc[0.05, "larger"]) == 100
    assert percent(found.loc[0.0, "larger"]) + percent(found.loc[0.0, "smaller"]) <= 10


def test_overlapping_splits_mislead_and_the_correction_mends_it():
    """The learners are exchangeable: over many tables their differences are 0 on average."""
    drawn = np.array([one.mean() for one in exchangeable(300, np.random.default_rng(3))])
    assert abs(drawn.mean()) < 4 * drawn.std() / np.sqrt(300)
    found: Any = tables(300, np.random.default_rng(4)).set_index("test")["rejects, %"].map(percent)
    assert found["Student"] > 15
    assert found["Nadeau and Bengio"] < 10
