"""The judge: says which runs a comparison needs next, is told how they ended, and picks the best by validation alone."""

from collections.abc import Iterable, Iterator

import numpy as np

from sandbox.comparison.protocol import Cell, Comparison
from sandbox.comparison.run import FINAL, TUNING, Run
from sandbox.comparison.sheet import shown_cells
from sandbox.config import Config
from sandbox.job import Ended, Job


class Judge:
    """The runs of a comparison, and each cell's winner once tuning is over.

    >>> from sandbox.comparison.protocol import SMALL
    >>> len(next(Judge(SMALL).jobs())) == SMALL.trials * len(SMALL.cells)
    True
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.runs: list[Run] = []
        self.winners: dict[Cell, Config] = {}
        self._shown = set(shown_cells(comparison))

    def jobs(self) -> Iterator[list[Job]]:
        """Three rounds: all trials of tuning on one draw, the best of them on further ones, the winners on fresh seeds."""
        comparison = self.comparison
        trials = [(cell, list(enumerate(comparison.tuning(cell)))) for cell in comparison.cells]
        yield self._round((cell, TUNING, trial, config) for cell, found in trials for trial, config in found)
        best = finalists(self.runs, comparison.finalists)
        yield self._round(
            (run.cell, TUNING, run.trial, config) for run in best for config in comparison.further(run.config)
        )
        self.winners = select(self.runs)
        winners = self.winners.items()
        yield self._round((cell, FINAL, -1, config) for cell, winner in winners for config in comparison.final(winner))

    def _round(self, wanted: Iterable[tuple[Cell, str, int, Config]]) -> list[Job]:
        """Jobs, those of the same shape beside each other."""
        jobs = [self._job(*one) for one in wanted]
        return sorted(jobs, key=lambda job: (job.config.n_examples, job.config.hidden, job.config.crosses))

    def _job(self, cell: Cell, role: str, trial: int, config: Config) -> Job:
        name = f"{cell.dataset}, {cell.n}, {cell.arm}, " + (f"trial {trial}" if role == TUNING else "final")
        tags = {
            "comparison": self.comparison.id,
            "sweep": self.comparison.id,
            "role": role,
            "arm": cell.arm,
            "dataset": cell.dataset,
            "n_examples": str(cell.n),
            "trial": str(trial),
        }
        shown = role == FINAL and config.seed == self.comparison.first_seed and cell in self._shown
        return Job(config, f"{name}, seed {config.seed}", tags, shown=shown, blind=role == TUNING)

    @property
    def counts(self) -> list[tuple[str, float, int]]:
        """How many runs there are, and have diverged, as metrics of the parent run."""
        diverged = sum(run.diverged for run in self.runs)
        return [(name, n, len(self.runs)) for name, n in (("runs", len(self.runs)), ("diverged_runs", diverged))]

    def tell(self, ended: Ended) -> None:
        """Take in one ended job."""
        self.runs.append(Run.of(ended))


def finalists(runs: Iterable[Run], count: int) -> list[Run]:
    """Every cell's `count` best trials of the first round."""
    trials = _by_trial(runs)
    return [draws[0] for found in trials.values() for draws in sorted(found.values(), key=_rank)[:count]]


def select(runs: Iterable[Run]) -> dict[Cell, Config]:
    """Every cell's winner: of those that were trained on the most draws, the trial with the highest mean validation
    accuracy, of equal ones that with the lowest loss, of equal ones the first."""
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
    scores, losses = ([getattr(run, name) for run in draws] for name in ("score", "loss"))
    return -round(float(np.mean(scores)), 12), float(np.mean(losses)), draws[0].trial
