"""Pruning: a hook that asks Optuna, at every rung, which trials of a population to give up."""

from collections.abc import Callable, Sequence

import numpy as np
import optuna

from sandbox.nn.hooks import Hook

RUNGS = 6

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
    """Epochs at which trials are compared: six, doubling up to half of the training."""
    return tuple(sorted({max(1, epochs // 2**rung) for rung in range(1, RUNGS + 1)}))


class Pruning(Hook):
    """Reports the cost of every network to its Optuna trial, and stops those that the pruner gives up.

    `trials` maps config keys to Optuna trials; `pruned` gathers the keys of those that were stopped. The costs are
    reported in the order of the replicas; a trial that has diverged is left to diverge.
    """

    def __init__(self, trials: dict[str, optuna.Trial], epochs: Sequence[int]) -> None:
        self.trials, self.epochs = trials, tuple(epochs)
        self.pruned: set[str] = set()

    def on_epoch(self, run):
        costs = np.atleast_1d(run.cost)
        places = run.replicas if run.lead else np.zeros(1, int)
        live = [(int(place), run.configs[place].key) for place in places if np.isfinite(costs[place])]
        for place, key in live:
            self.trials[key].report(float(costs[place]), run.epoch)
        losers = [(place, key) for place, key in live if self.trials[key].should_prune()]
        self.pruned.update(key for _, key in losers)
        if losers:
            run.stop([place for place, _ in losers] if run.lead else None)
