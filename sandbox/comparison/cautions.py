"""Cautions: what should make a reader doubt a comparison's figures, said cell by cell."""

from typing import NamedTuple

import numpy as np

from sandbox.comparison.findings import Findings
from sandbox.comparison.protocol import Cell
from sandbox.comparison.run import Run
from sandbox.space import Range

EDGE = 0.05  # the outer share of a range, on each side, that counts as its edge
MANY = 0.5  # of the repetitions' winners
MANY_FAILED = 0.05
MANY_DIVERGED = 0.25
MOST_CONVERGED = 0.9
LATE = 0.75  # a best trial after this share of the budget is a late one
FEWEST = 5  # repetitions, below which intervals are hardly of use
HARMLESS = {("l2", "low"), ("weight_decay", "low")}  # the lowest is as good as none: nothing lies beyond that edge

Trials = list[list[list[Run]]]


class Caution(NamedTuple):
    """One doubt about one cell; `kind` is the same for all cells with the same doubt."""

    cell: Cell
    kind: str
    text: str


def cautions(findings: Findings) -> list[Caution]:
    """Everything to be doubted, cell by cell."""
    found = []
    for cell in findings.comparison.cells:
        if findings.comparison.repetitions < FEWEST:
            text = f"its intervals rest on {findings.comparison.repetitions} repetitions"
            found.append(Caution(cell, "few repetitions", text))
        trials, average = findings.trials(cell), findings.averages[cell]
        found += _edges(findings, cell, trials)
        found += _budget(cell, trials, findings.comparison.margin)
        diverged = float(np.mean([run.diverged for repetition in trials for trial in repetition for run in trial]))
        if diverged > MANY_DIVERGED:
            found.append(Caution(cell, "many diverged", f"{diverged:.0%} of its trials diverged"))
        failed = average.diverged + average.at_chance
        if MANY_FAILED * average.runs < failed < average.runs / 2:  # beyond that it is no accident
            kinds = f"{average.at_chance} at chance, {average.diverged} diverged"
            text = f"{failed} of {average.runs} final runs failed ({kinds})"
            found.append(Caution(cell, "seeds that fail", text))
        if average.converged < MOST_CONVERGED:
            text = f"only {average.converged:.0%} of the final runs had converged"
            found.append(Caution(cell, "not converged", text))
    return found


def _edges(findings: Findings, cell: Cell, trials: Trials) -> list[Caution]:
    """The winners of most repetitions lie at the edge of a range, and nothing inside came close."""
    found = []
    for name, dimension in findings.comparison.space.items():
        if not isinstance(dimension, Range):
            continue
        sides = []
        for repetition, winner in zip(trials, findings.winners[cell], strict=True):
            side = _side(dimension, getattr(winner, name))
            best = next(trial[0].score for trial in repetition if findings.is_winner(trial[0]))
            inside = [trial[0].score for trial in repetition if not _side(dimension, getattr(trial[0].config, name))]
            sides.append(side if max(inside, default=0) < best - findings.comparison.margin else "")
        for side in ("low", "high"):
            if (count := sides.count(side)) > MANY * len(sides) and (name, side) not in HARMLESS:
                text = f"the best {name} of {count} of {len(sides)} tunings lies at the {side} edge of what was tried"
                found.append(Caution(cell, f"{name} at its {side} edge", text))
    return found


def _side(dimension: Range, value: float) -> str:
    """ "low" or "high" where a value lies in the outer part of its range, else nothing."""
    low, high, at = dimension.low, dimension.high, value
    if dimension.log:
        low, high, at = np.log([low, high, at])
    place = (at - low) / (high - low)
    return "low" if place < EDGE else "high" if place > 1 - EDGE else ""


def _budget(cell: Cell, trials: Trials, margin: float) -> list[Caution]:
    """The best-so-far was still rising when the budget ran out, on average over the repetitions."""
    scores = np.array([[trial[0].score for trial in repetition] for repetition in trials])
    early = max(1, round(LATE * scores.shape[1]))
    if scores.shape[1] < 4:
        return []
    gain = float((scores.max(1) - scores[:, :early].max(1)).mean())
    if gain <= margin:
        return []
    text = f"the last quarter of its {scores.shape[1]} trials gained {gain:.3f} on average: more may find better"
    return [Caution(cell, "budget too small", text)]
