"""Selection: the best of what was tuned, by validation data alone."""

from collections.abc import Iterable

import numpy as np

from sandbox.comparison.protocol import Cell
from sandbox.comparison.run import Run
from sandbox.config import Config


def finalists(runs: Iterable[Run], count: int) -> list[Run]:
    """Every cell's `count` best trials of the first round."""
    trials = _by_trial(runs)
    return [draws[0] for found in trials.values() for draws in sorted(found.values(), key=_rank)[:count]]


def select(runs: Iterable[Run]) -> dict[Cell, Config]:
    """Every cell's winner: of those that were trained on the most draws, the trial with the highest mean validation
    accuracy, of equal ones that with the lowest log loss, of equal ones the first."""
    winners = {}
    for cell, found in _by_trial(runs).items():
        most = max(map(len, found.values()))
        winners[cell] = min((draws for draws in found.values() if len(draws) == most), key=_rank)[0].config
    return winners


def _by_trial(runs: Iterable[Run]) -> dict[Cell, dict[int, list[Run]]]:
    """The runs of every trial, in the order of their draws."""
    trials: dict[Cell, dict[int, list[Run]]] = {}
    for run in sorted(runs, key=lambda run: run.config.seed):
        trials.setdefault(run.cell, {}).setdefault(run.trial, []).append(run)
    return trials


def _rank(draws: list[Run]) -> tuple[float, float, int]:
    scores, losses = ([getattr(run, name) for run in draws] for name in ("score", "log_loss"))
    return -round(float(np.mean(scores)), 12), float(np.mean(losses)), draws[0].trial
