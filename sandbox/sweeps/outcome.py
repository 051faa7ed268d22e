"""The outcome of a sweep: what it came to, point by point, and the closing table of several."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox import campaign
from sandbox.job import Ended
from sandbox.sweeps.sweep import Sweep

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Outcome(campaign.Outcome):
    """The ended jobs of a sweep by arm (a point in words), over the seeds; pruned ones are only counted.

    >>> from sandbox import Config
    >>> from sandbox.job import Job
    >>> from sandbox.sweeps import choice
    >>> outcome = Outcome(Sweep("widths", Config(), {"hidden": choice((2,), (8,))}))  # a gate: ranked by final_cost
    >>> for arm, cost in [("hidden=2", 0.12), ("hidden=8", 0.01), ("hidden=8", 0.02)]:
    ...     outcome.note(Ended(Job(Config(), "", {"arm": arm}), "FINISHED", {"final_cost": cost}))
    >>> outcome.best
    ('hidden=8', 0.015)
    """

    sweep: Sweep
    done: int = 0
    diverged: int = 0
    pruned: int = 0
    measured: int = 0  # that have the objective's metric
    arms: dict[str, list[Ended]] = field(default_factory=dict)
    _points: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)  # the ids of the best runs, which are models, by their arms
    left: str = ""  # why a model has not been made
    _best: str = ""

    def note(self, ended: Ended) -> None:
        """Take in one ended job."""
        self.done += 1
        self.pruned += ended.pruned
        if ended.pruned:
            return
        self.diverged += ended.diverged
        self.measured += self.sweep.goal.metric in ended.metrics
        arm, point = ended.job.tags["arm"], ended.job.tags.get("point", "")
        if self._points.setdefault(arm, point) != point:  # two points that only differ in digits which words leave out
            arm = f"{arm} {point}"
        self.arms.setdefault(arm, []).append(ended)
        if arm == self._best:  # it may have become worse than another
            self._best = min(self.arms, key=self._rank)
        elif not self._best or self._rank(arm) < self._rank(self._best):
            self._best = arm

    @property
    def unranked(self) -> bool:
        """Whether nothing can be said of what is best: runs are sound, and none of them has the objective's metric."""
        return not self.measured and self.done > self.pruned + self.diverged

    def _rank(self, arm: str) -> float:
        goal = self.sweep.goal
        return goal.rank(float(np.median([goal.value(ended) for ended in self.arms[arm]])))

    @property
    def best(self) -> tuple[str, float]:
        """The point whose median objective over the seeds is best, in words, and that median."""
        return (self._best, self.sweep.goal.rank(self._rank(self._best))) if self._best else ("", np.nan)

    @property
    def ranked(self) -> list[str]:
        """The points in words, the best first."""
        return sorted(self.arms, key=self._rank)

    def frame(self) -> "pd.DataFrame":
        """A row for each point, the best first: runs, the objective's median, lowest and highest, and what diverged."""
        import pandas as pd

        goal = self.sweep.goal
        rows = []
        for arm in self.ranked:
            values = [goal.value(ended) for ended in self.arms[arm]]
            spread = {goal.metric: np.median(values), "lowest": min(values), "highest": max(values)}
            figures = {name: self._median(arm, name) for name in ("final_cost", "test_accuracy")}
            diverged = sum(ended.diverged for ended in self.arms[arm])
            rows.append({"point": arm, "runs": len(values), **figures, **spread, "diverged": diverged})
        return pd.DataFrame(rows)

    def _median(self, arm: str, *names: str) -> float:
        """The median over an arm's seeds of the first of these metrics that its runs have."""
        for name in names:
            values = [ended.metrics[name] for ended in self.arms.get(arm, ()) if name in ended.metrics]
            if values:
                return float(np.median(values))
        return np.nan

    def row(self) -> dict[str, Any]:
        """The sweep as a row of the closing table: runs, the best point and its medians over the seeds, what diverged."""
        arm, value = self.best
        return {
            "sweep": self.sweep.name,
            "runs": self.done,
            "new": self.done - self.before,
            "best": arm,
            "by": self.sweep.goal.metric,
            "value": value,
            "cost": self._median(arm, "final_cost"),
            "accuracy": self._median(arm, "test_accuracy", "train_accuracy"),
            "diverged": self.diverged,
            "seconds": round(self.seconds, 1),
        }

    def parent_figures(self) -> list[tuple[str, float, int]]:
        """What the parent run is told, with the number of runs so far as the step."""
        arm, value = self.best
        figures = {"runs": self.done, "diverged_runs": self.diverged, f"best_{self.sweep.goal.metric}": value}
        figures |= {"best_cost": self._median(arm, "final_cost"), "best_accuracy": self._median(arm, "test_accuracy")}
        return [(name, float(figure), self.done) for name, figure in figures.items() if np.isfinite(figure)]
