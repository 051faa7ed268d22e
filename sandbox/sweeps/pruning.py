"""Pruning: a hook that asks Optuna, at every rung, which runs of a population to give up."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import optuna

from sandbox.errors import RequestError
from sandbox.nn.hooks import Hook
from sandbox.sweeps.objective import Objective

if TYPE_CHECKING:
    from sandbox.nn import Run

RUNGS = 6
AT_THE_END = {"best_cost", "penalty", "converged", "epochs_run", "parameters", "train_seconds"}  # nobody knows before
FIRST_BATCH = 8  # pruners compare with trials that have ended

# By the number of epochs: Optuna's own defaults wait for trials that have ended, and in a population none ends first.
PRUNERS: dict[str, Callable[[int], optuna.pruners.BasePruner]] = {
    "none": lambda epochs: optuna.pruners.NopPruner(),
    "median": lambda epochs: optuna.pruners.MedianPruner(),
    "halving": lambda epochs: optuna.pruners.SuccessiveHalvingPruner(min_resource=rung_epochs(epochs)[0]),
    "hyperband": lambda epochs: optuna.pruners.HyperbandPruner(
        min_resource=rung_epochs(epochs)[0], max_resource=rung_epochs(epochs)[-1]
    ),
}


def rung_epochs(epochs: int) -> tuple[int, ...]:
    """Epochs at which runs are compared: six, doubling up to half of the training."""
    return tuple(sorted({max(1, epochs // 2**rung) for rung in range(1, RUNGS + 1)}))


class Pruning(Hook):
    """Reports the objective of every network to its Optuna trial, and stops those that the pruner gives up.

    `begin` gives the Optuna trial of a config. They are reported in the order of the replicas; one that has diverged is
    left to diverge. Raises RequestError for an objective that nothing knows while networks train.
    """

    def __init__(self, begin: Callable[[str], optuna.Trial], objective: Objective) -> None:
        self.begin, self.objective, self.epochs = begin, objective, rung_epochs

    def on_start(self, run: "Run") -> None:
        self.trials = [self.begin(config.key) for config in run.configs]

    def on_epoch(self, run: "Run") -> None:
        values = np.atleast_1d(self._values(run))
        live = [int(place) for place in run.replicas if np.isfinite(values[place])]
        for place in live:
            self.trials[place].report(float(values[place]), run.epoch)
        losers = [place for place in live if self.trials[place].should_prune()]
        if losers:
            run.stop(losers, pruned=True)

    def _values(self, run: "Run") -> np.ndarray:
        """What the networks come to now; of a hook's curve, the last that it recorded."""
        name = self.objective.metric
        try:
            return run.measure(name)
        except RequestError:
            if name not in run.points:
                raise RequestError(
                    f"no pruner can watch {name!r}: no hook has recorded it by epoch {run.epoch}"
                ) from None
            return run.points[name][-1][1]
