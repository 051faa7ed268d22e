"""Cautions: what should make a reader doubt a comparison's figures, said cell by cell."""

from typing import NamedTuple

import numpy as np

from sandbox.comparison.findings import Findings
from sandbox.comparison.protocol import Cell
from sandbox.comparison.run import Run
from sandbox.comparison.statistics import LEVEL
from sandbox.space import Range

EDGE = 0.05  # the outer share of a range, on each side, that counts as its edge
MARGIN = 0.01  # of accuracy: what is gained by less than this is noise
MANY_DIVERGED = 0.25
MOST_CONVERGED = 0.9
LATE = 0.75  # a best trial after this share of the budget is a late one
HARMLESS = {("l2", "low")}  # the lowest L2 is as good as none: nothing lies beyond that edge


class Caution(NamedTuple):
    """One doubt about one cell; `kind` is the same for all cells with the same doubt."""

    cell: Cell
    kind: str
    text: str


def cautions(findings: Findings) -> list[Caution]:
    """Everything to be doubted, cell by cell."""
    found = []
    least = least_p(findings)
    for cell in findings.comparison.cells:
        if least >= LEVEL:
            text = f"whatever its {findings.comparison.seeds} seeds show, no corrected p can be below {least:.2g}"
            found.append(Caution(cell, "too few seeds", text))
        trials = findings.trials(cell)
        found += _edges(findings, cell, trials)
        found += _budget(cell, trials)
        diverged = float(np.mean([run.diverged for trial in trials for run in trial]))
        if diverged > MANY_DIVERGED:
            found.append(Caution(cell, "many diverged", f"{diverged:.0%} of its trials diverged"))
        converged = findings.averages[cell].converged
        if converged < MOST_CONVERGED:
            found.append(Caution(cell, "not converged", f"only {converged:.0%} of the final runs had converged"))
    return found


def least_p(findings: Findings) -> float:
    """The smallest p that Wilcoxon's test can give with so many seeds, after Holm's correction over all pairs."""
    arms = len(findings.comparison.arms)
    return min(1.0, 2.0 ** (1 - findings.comparison.seeds) * arms * (arms - 1) / 2)


def _edges(findings: Findings, cell: Cell, trials: list[list[Run]]) -> list[Caution]:
    """The winner lies at the edge of a range, and nothing inside came close."""
    found = []
    winner = findings.winners[cell]
    best = next(trial[0].score for trial in trials if findings.is_winner(trial[0]))
    for name, dimension in findings.comparison.space.items():
        if not isinstance(dimension, Range):
            continue
        side = _side(dimension, getattr(winner, name))
        inside = [trial[0].score for trial in trials if not _side(dimension, getattr(trial[0].config, name))]
        if side and (name, side) not in HARMLESS and max(inside, default=0) < best - MARGIN:
            text = f"its best {name}, {getattr(winner, name):.3g}, lies at the {side} edge of what was tried"
            found.append(Caution(cell, f"{name} at its {side} edge", text))
    return found


def _side(dimension: Range, value: float) -> str:
    """ "low" or "high" where a value lies in the outer part of its range, else nothing."""
    low, high, at = dimension.low, dimension.high, value
    if dimension.log:
        low, high, at = np.log([low, high, at])
    place = (at - low) / (high - low)
    return "low" if place < EDGE else "high" if place > 1 - EDGE else ""


def _budget(cell: Cell, trials: list[list[Run]]) -> list[Caution]:
    """The best-so-far was still rising when the budget ran out."""
    scores = np.array([trial[0].score for trial in trials])
    early = max(1, round(LATE * len(scores)))
    if len(scores) < 4 or scores[early:].max() <= scores[:early].max() + MARGIN:
        return []
    gain = scores[early:].max() - scores[:early].max()
    text = f"the last quarter of its {len(scores)} trials still gained {gain:.3f}: more trials may find better"
    return [Caution(cell, "budget too small", text)]
