"""The closing table."""

import math

import pandas as pd

from sandbox.sweeps.driver import Outcome
from sandbox.sweeps.table import outcome_frame, render


def test_a_row_names_the_best_point_by_its_median_over_the_seeds(small):
    outcome = Outcome(small("first"), before=1, seconds=1.26)
    for arm, cost, accuracy in [("a", 0.2, 0.9), ("b", 0.1, 1.0), ("b", 0.9, 0.5), ("a", 0.3, 0.8), ("b", 0.8, 0.6)]:
        outcome.note(arm, cost, accuracy)
    outcome.note("c", None, None)
    (row,) = outcome_frame([outcome]).to_dict("records")
    accuracy = row.pop("accuracy")
    assert math.isclose(accuracy, 0.85)
    assert row == {"sweep": "first", "runs": 6, "new": 5, "best": "a", "cost": 0.25, "diverged": 1, "seconds": 1.3}


def test_a_sweep_without_runs_has_a_row_too(small):
    (row,) = outcome_frame([Outcome(small("none"))]).to_dict("records")
    assert (row["runs"], row["best"]) == (0, "")
    assert math.isnan(row["cost"])


def test_words_stand_on_the_left_and_numbers_on_the_right():
    frame = pd.DataFrame({"name": ["a", "longer"], "runs": [5, 1000], "cost": [0.123456, math.nan]})
    assert render(frame).splitlines() == [
        "name   runs   cost",
        "a         5 0.1235",
        "longer 1000      -",
    ]
