"""Stopping networks that have diverged."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.nn.hooks.hook import Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class StopOnDivergence(Hook):
    """Stops a network whose cost or parameters are no longer finite, or whose cost has grown to a million times its start.

    That is a million times the cost at the start, or 1 if that is more. It looks back over the recorded costs every 50
    epochs, and names the first epoch at which it was so in `run.diverged_at`. Parameters that are not finite while the
    costs still are (units that saturate hide them) are noticed at that look, or at the end, and that is the epoch it
    names. It may be told to look at the costs of some epochs only, whatever else is recorded. `train` and `train_many`
    always have it, for at most 200 epochs.

    >>> from sandbox.nn import Network, fit
    >>> line = Network.from_parameters([[[0.0]]], [[0.0]], ["linear"])
    >>> fit(line, [[1], [2], [3]], [3, 6, 9], learning_rate=1.0, hooks=[StopOnDivergence()]).diverged_at
    5
    """

    every = 50
    growth = 1e6

    def __init__(self, looked_at: Sequence[int] | np.ndarray | None = None) -> None:
        self.looked_at = looked_at

    def on_start(self, run: "Run") -> None:
        start = np.nan_to_num(np.abs(run.cost))
        self.seen, self.limit = 0, np.minimum(self.growth * np.maximum(1, start), np.finfo(float).max)
        self.last = -1  # epoch of the last look

    def on_epoch(self, run: "Run") -> None:
        # nearly always all is well, and this is all that is needed: a fifth of a lone network's time would go into more
        well = (np.abs(run.recorded[self.seen :]) <= self.limit).all(0) & np.isfinite(run.network.parameters).all(-1)
        if not (well | (run.epochs_run <= self.last)).all():
            self._look_back(run)
        self.seen, self.last = len(run.recorded), run.epoch

    def _look_back(self, run: "Run") -> None:
        """Look at every cost since the last time, for the first epoch at which something was wrong."""
        epochs, costs = run.recorded_epochs[self.seen :, None], run.recorded[self.seen :]
        if self.looked_at is not None:
            chosen = np.isin(epochs[:, 0], self.looked_at)
            epochs, costs = epochs[chosen], costs[chosen]
        training = np.isin(np.arange(np.size(run.epochs_run)), run.replicas)
        self._look(run, costs, epochs, training | (epochs < run.epochs_run))
        self._look_at_parameters(run, training)

    def on_end(self, run: "Run") -> None:
        self.on_epoch(run)
        self._look(run, np.array([run.cost]), np.array([run.epochs_run]), True)
        self._look_at_parameters(run, True)

    def _look(self, run: "Run", costs: np.ndarray, epochs: np.ndarray, valid: Any) -> None:
        """Costs are (points,) or (points, R); those that are not `valid` belong to networks stopped before."""
        costs = costs.reshape(len(costs), np.size(run.epochs_run))
        epochs = np.broadcast_to(epochs, costs.shape)
        wrong = ~(np.abs(costs) <= self.limit) & valid
        for column in np.flatnonzero(wrong.any(0)):
            first = wrong[:, column].argmax()
            run.diverge(int(epochs[first, column]), float(costs[first, column]), int(column) if run.lead else None)

    def _look_at_parameters(self, run: "Run", valid: Any) -> None:
        """Networks that are `valid` and whose parameters are not finite have diverged where they are now."""
        finite = np.isfinite(run.network.parameters).all(-1).reshape(-1)
        for column in np.flatnonzero(~finite & valid):
            epoch, cost = (int(np.ravel(run.epochs_run)[column]), float(np.ravel(run.cost)[column]))
            run.diverge(epoch, cost, int(column) if run.lead else None)
