"""What a sweep came to: the best point, the table of its points, and its row of the closing table."""

import math

import numpy as np
import pytest

from sandbox import Config
from sandbox.job import Ended, Job
from sandbox.sweeps.outcome import Outcome


def note(outcome, arm, status="FINISHED", **metrics):
    outcome.note(Ended(Job(Config(), arm, {"arm": arm}), status, metrics))


def of_rates(sweep, **parts):
    """An outcome of runs whose cost and accuracy disagree about what is best."""
    outcome = Outcome(sweep, **parts)
    for arm, cost, accuracy in [("a", 0.2, 0.9), ("b", 0.1, 1.0), ("b", 0.9, 0.5), ("a", 0.3, 0.8), ("b", 0.8, 0.6)]:
        note(outcome, arm, final_cost=cost, validation_accuracy=1 - accuracy, test_accuracy=accuracy)
    note(outcome, "c", diverged=1.0, final_cost=0.0, validation_accuracy=1.0)
    note(outcome, "d", "KILLED", final_cost=0.0, validation_accuracy=1.0)
    return outcome


def test_a_row_names_the_best_point_by_its_median_over_the_seeds(small):
    row = of_rates(small("first", objective="final_cost"), before=1, seconds=1.26).row()
    assert math.isclose(row.pop("accuracy"), 0.85)
    assert row == {
        "sweep": "first",
        "runs": 7,
        "new": 6,
        "best": "a",
        "by": "final_cost",
        "value": 0.25,
        "cost": 0.25,
        "diverged": 1,
        "seconds": 1.3,
    }


def test_the_objective_decides_what_is_best_and_in_which_order_the_points_come(small):
    by_accuracy, by_cost = of_rates(small("one")), of_rates(small("one", objective="final_cost"))
    assert (by_cost.best, by_accuracy.best[0]) == (("a", 0.25), "b")
    assert math.isclose(by_accuracy.best[1], 0.4)
    frame = by_accuracy.points()
    assert list(frame["point"]) == ["b", "a", "c"]
    assert list(frame["validation_accuracy"][:2]) == pytest.approx([0.4, 0.15])
    assert list(by_cost.points()["point"]) == ["a", "b", "c"]
    assert list(by_cost.points()["runs"]) == [2, 3, 1]
    for outcome, name in ((by_accuracy, "validation_accuracy"), (by_cost, "final_cost")):  # c has diverged
        last = outcome.points().iloc[-1]
        assert last["point"] == "c"
        assert np.isnan([last[name], last["lowest"], last["highest"]]).all()
    figures = {name: value for name, value, _ in by_accuracy.parent_figures()}
    assert figures["best_final_cost"] == 0.8
    assert math.isclose(figures["best_validation_accuracy"], 0.4)


def test_a_pruned_run_is_counted_and_is_never_the_best(small):
    outcome = of_rates(small("pruned"))
    assert (outcome.done, outcome.pruned, outcome.diverged) == (7, 1, 1)
    assert "d" not in outcome.arms


def test_points_that_look_alike_in_words_are_not_thrown_together(small):
    """Learning rates that differ in the fifth digit have the same words."""
    outcome = Outcome(small("alike", objective="final_cost"))
    for rate, cost in [(0.123451, 0.5), (0.123452, 0.1)]:
        tags = {"arm": "learning_rate=0.1235", "point": f'{{"learning_rate": {rate}}}'}
        outcome.note(Ended(Job(Config(), "", tags), "FINISHED", {"final_cost": cost}))
    assert outcome.best == ('learning_rate=0.1235 {"learning_rate": 0.123452}', 0.1)
    assert list(outcome.points()["final_cost"]) == [0.1, 0.5]


def test_the_frame_has_a_row_for_each_run_pruned_ones_too(small):
    frame = of_rates(small("framed")).frame()
    assert list(frame["status"]) == ["FINISHED"] * 6 + ["KILLED"]
    assert list(frame["final_cost"]) == [0.2, 0.1, 0.9, 0.3, 0.8, 0.0, 0.0]
    assert list(frame["seed"]) == [0] * 7


def test_what_varied_is_not_hidden_by_a_metric_of_the_same_name(small):
    outcome = Outcome(small("costs"))
    tags = {"arm": "cost=squared_error", "point": '{"cost": "squared_error", "learning_rate": 0.5}'}
    outcome.note(Ended(Job(Config(seed=3), "", tags), "FINISHED", {"cost": 0.5, "final_cost": 0.25}))
    (row,) = outcome.frame().to_dict("records")
    expected = {"cost": "squared_error", "learning_rate": 0.5, "seed": 3, "status": "FINISHED", "final_cost": 0.25}
    assert row == expected
    assert list(outcome.frame())[:4] == ["cost", "learning_rate", "seed", "status"]


def test_a_notebook_shows_the_closing_row_and_the_points(small):
    outcome = of_rates(small("shown", objective="final_cost"), seconds=1.26, status="KILLED")
    html = outcome._repr_html_()
    for figure in ("shown", "final_cost", "0.25", "0.85", "1.3", "the same command goes on from here"):
        assert f">{figure}<" in html or figure in html
    assert html.count("<tr>") == 2 + 4  # the closing table and three points
    assert repr(outcome) == "<sweep shown: KILLED, 7 runs, best 0.25 final_cost at a>"
    for number in range(30):
        note(outcome, f"arm {number}", final_cost=1.0 + number)
    assert "and 13 points more" in outcome._repr_html_()
    assert len(repr(outcome)) < 100


def test_a_sweep_without_runs_has_a_row_too(small):
    assert Outcome(small("none"))._repr_html_().count("<table>") == 2
    assert len(Outcome(small("none")).frame()) == 0
    row = Outcome(small("none")).row()
    assert (row["runs"], row["best"]) == (0, "")
    assert math.isnan(row["cost"])
