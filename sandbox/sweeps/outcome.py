"""The outcome of a sweep: what it came to, a row of the closing table."""

from dataclasses import dataclass, field

import numpy as np

from sandbox.sweeps.sweep import Sweep


@dataclass
class Outcome:
    """Counts, costs and accuracies of a sweep's trials by arm (a point in words), over the seeds.

    >>> from sandbox import Config
    >>> from sandbox.sweeps import choice
    >>> outcome = Outcome(Sweep("widths", Config(), {"hidden": choice((2,), (8,))}))
    >>> for arm, cost in [("hidden=2", 0.12), ("hidden=8", 0.01), ("hidden=8", 0.02)]:
    ...     outcome.note(arm, cost, accuracy=1.0)
    >>> outcome.best
    ('hidden=8', 0.015, 1.0)
    """

    sweep: Sweep
    status: str = "FINISHED"
    done: int = 0
    before: int = 0
    diverged: int = 0
    pruned: int = 0
    waiting: int = 0  # runs that are in the spool because the store is away
    why: str = ""  # what was wrong, where the status is not FINISHED
    seconds: float = 0.0
    costs: dict[str, list[float]] = field(default_factory=dict)
    accuracies: dict[str, list[float]] = field(default_factory=dict)
    _best: str = ""

    def note(self, arm: str, cost: float | None, accuracy: float | None, pruned: bool = False) -> None:
        """Take in one finished trial (cost None: it diverged)."""
        self.done += 1
        self.pruned += pruned
        if pruned:
            return
        self.diverged += cost is None
        self.costs.setdefault(arm, []).append(np.inf if cost is None else cost)
        self.accuracies.setdefault(arm, []).append(np.nan if accuracy is None else accuracy)
        if arm == self._best:  # it may have become worse than another
            self._best = min(self.costs, key=self._median)
        elif not self._best or self._median(arm) < self._median(self._best):
            self._best = arm

    def _median(self, arm: str) -> float:
        return float(np.median(self.costs[arm]))

    @property
    def best(self) -> tuple[str, float, float]:
        """The point whose median cost over the seeds is lowest: in words, that cost, and its median accuracy."""
        if not self._best:
            return "", np.nan, np.nan
        return self._best, self._median(self._best), float(np.median(self.accuracies[self._best]))
