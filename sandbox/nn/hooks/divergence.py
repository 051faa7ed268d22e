"""Stopping networks that have diverged."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.nn.hooks.hook import Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class StopOnDivergence(Hook):
    """Stops a network whose cost is no longer finite, or a million times what it was at the start (or 1, if that is more).

    It looks back over the recorded costs every 50 epochs, and names the first epoch at which it was so in
    `run.diverged_at`. It may be told to look at the costs of some epochs only, whatever else is recorded. `train` and
    `train_many` always have it, for at most 200 epochs.

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

    def on_epoch(self, run: "Run") -> None:
        epochs, costs = run.recorded_epochs[self.seen :, None], run.recorded[self.seen :]
        if self.looked_at is not None:
            chosen = np.isin(epochs[:, 0], self.looked_at)
            epochs, costs = epochs[chosen], costs[chosen]
        training = np.isin(np.arange(np.size(run.epochs_run)), run.replicas)
        self._look(run, costs, epochs, training | (epochs < run.epochs_run))
        self.seen = len(run.recorded)

    def on_end(self, run: "Run") -> None:
        self.on_epoch(run)
        self._look(run, np.array([run.cost]), np.array([run.epochs_run]), True)

    def _look(self, run: "Run", costs: np.ndarray, epochs: np.ndarray, valid: Any) -> None:
        """Costs are (points,) or (points, R); those that are not `valid` belong to networks stopped before."""
        costs = costs.reshape(len(costs), np.size(run.epochs_run))
        epochs = np.broadcast_to(epochs, costs.shape)
        wrong = ~(np.abs(costs) <= self.limit) & valid
        for column in np.flatnonzero(wrong.any(0)):
            first = wrong[:, column].argmax()
            run.diverge(int(epochs[first, column]), float(costs[first, column]), int(column) if run.lead else None)
