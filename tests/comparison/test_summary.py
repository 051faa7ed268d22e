"""What a comparison's outcome says of itself: in a notebook the table that the command prints, and its runs as a frame."""

from dataclasses import replace
from html import escape

import pytest

from sandbox.comparison.protocol import EXPERIMENT
from sandbox.comparison.summary import summary
from sandbox.table import render

pytestmark = pytest.mark.slow


def test_a_notebook_shows_every_arm_with_its_verdict(done):
    html = done.outcome._repr_html_()
    assert html.count("<tr>") == 1 + 6
    for text in [*summary(done.findings)["accuracy"], *done.findings.answer, "mean over 6 tunings, 2 seeds each"]:
        assert escape(text) in html
    printed = render(summary(done.findings)).splitlines()
    assert printed[0].split() == ["dataset", "n", "arm", "accuracy", "failed", "verdict"]
    assert sum("best on average" in line for line in printed) <= 2  # one for each size


def test_its_frame_has_a_row_for_each_run(done, runs_frame, store):
    frame = done.outcome.frame()
    assert len(frame) == done.outcome.comparison.total
    theirs = runs_frame(store, [EXPERIMENT], f"tags.sweep = '{done.outcome.comparison.id}' AND tags.role = 'final'")
    final = frame[frame["role"] == "final"]
    assert sorted(final["score"]) == sorted(theirs["metrics.test_accuracy"])


def test_one_that_was_stopped_says_how_far_it_came(done):
    stopped = replace(done.outcome, runs=done.outcome.runs[:7], winners={}, status="KILLED", why="interrupted")
    html = stopped._repr_html_()
    assert f"KILLED, 7 of {done.outcome.comparison.total} runs" in html
    assert "the same command goes on from here" in html
    assert len(stopped.frame()) == 7
