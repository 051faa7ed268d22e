"""The judge: says which runs a comparison needs next, is told how they ended, and picks the best by validation alone."""

from collections.abc import Iterable, Iterator

import numpy as np

from sandbox.comparison.protocol import Cell, Comparison
from sandbox.comparison.run import FINAL, TUNING, Run, Winners
from sandbox.comparison.sheet import shown_cells
from sandbox.config import Config
from sandbox.job import Ended, Job


class Judge:
    """The runs of a comparison, and each cell's winners once tuning is over, one for each repetition.

    >>> from sandbox.comparison.protocol import SMALL
    >>> len(next(Judge(SMALL).jobs())) == SMALL.trials * SMALL.repetitions * len(SMALL.cells)
    True
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.runs: list[Run] = []
        self.winners: Winners = {}
        self._shown = set(shown_cells(comparison))

    def jobs(self) -> Iterator[list[Job]]:
        """Three rounds: all trials of tuning on one draw, the best of them on further ones, the winners on fresh seeds."""
        comparison, places = self.comparison, range(self.comparison.repetitions)
        yield self._round(
            (cell, TUNING, place, trial, config)
            for cell in comparison.cells
            for place in places
            for trial, config in enumerate(comparison.tuning(cell, place))
        )
        best = finalists(self.runs, comparison.finalists)
        yield self._round(
            (run.cell, TUNING, run.repetition, run.trial, config)
            for run in best
            for config in comparison.further(run.config, run.repetition)
        )
        self.winners = select(self.runs)
        yield self._round(
            (cell, FINAL, place, -1, config)
            for cell, winners in self.winners.items()
            for place, winner in enumerate(winners)
            for config in comparison.final(winner, place)
        )

    def _round(self, wanted: Iterable[tuple[Cell, str, int, int, Config]]) -> list[Job]:
        """Jobs, those of the same shape beside each other."""
        jobs = [self._job(*one) for one in wanted]
        return sorted(jobs, key=lambda job: (job.config.n_examples, job.config.hidden, job.config.crosses))

    def _job(self, cell: Cell, role: str, repetition: int, trial: int, config: Config) -> Job:
        name = f"{cell.dataset} {cell.n} {cell.arm}" + (f" trial {trial}" if role == TUNING else "")
        tags = {
            "comparison": self.comparison.id,
            "sweep": self.comparison.id,
            "role": role,
            "arm": cell.arm,
            "dataset": cell.dataset,
            "n_examples": str(cell.n),
            "repetition": str(repetition),
            "trial": str(trial),
        }
        shown = role == FINAL and config.seed == self.comparison.first_seed and cell in self._shown
        return Job(config, f"{name} seed {config.seed}", tags, shown=shown, blind=role == TUNING)

    @property
    def counts(self) -> list[tuple[str, float, int]]:
        """How many runs there are, and have diverged, if any, as metrics of the parent run."""
        runs, diverged = len(self.runs), sum(run.diverged for run in self.runs)
        return [("runs", runs, runs), *([("diverged_runs", diverged, runs)] if diverged else [])]

    def tell(self, ended: Ended) -> None:
        """Take in one ended job."""
        self.runs.append(Run.of(ended))


def finalists(runs: Iterable[Run], count: int) -> list[Run]:
    """The `count` best trials of the first round, of every cell and repetition."""
    trials = _by_trial(runs)
    return [draws[0] for found in trials.values() for draws in sorted(found.values(), key=_rank)[:count]]


def select(runs: Iterable[Run]) -> Winners:
    """The winner of every cell and repetition: of those that were trained on the most draws, the trial with the highest
    mean validation accuracy, of equal ones that with the lowest loss, of equal ones the first."""
    winners: Winners = {}
    for (cell, _), found in sorted(_by_trial(runs).items()):
        most = max(map(len, found.values()))
        winner = min((draws for draws in found.values() if len(draws) == most), key=_rank)[0].config
        winners.setdefault(cell, []).append(winner)
    return winners


def _by_trial(runs: Iterable[Run]) -> dict[tuple[Cell, int], dict[int, list[Run]]]:
    """(cell, repetition) -> the runs of every trial, in the order of their draws."""
    trials: dict[tuple[Cell, int], dict[int, list[Run]]] = {}
    for run in sorted(runs, key=lambda run: run.config.seed):
        trials.setdefault((run.cell, run.repetition), {}).setdefault(run.trial, []).append(run)
    return trials


def _rank(draws: list[Run]) -> tuple[float, float, int]:
    scores, losses = ([getattr(run, name) for run in draws] for name in ("score", "loss"))
    return -round(float(np.mean(scores)), 12), float(np.mean(losses)), draws[0].trial
