"""Stopping networks that learn nothing more, and giving them back their best parameters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.errors import RequestError, is_count, is_number, one_line
from sandbox.nn.evaluation import evaluate
from sandbox.nn.hooks.hook import Hook
from sandbox.nn.hooks.measures import MORE_IS_BETTER
from sandbox.nn.network import Network

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class EarlyStopping(Hook):
    """Stops a network that has got no better for `patience` epochs, and restores its best parameters at the end.

    What counts is `monitor`, a name for `run.measure` (of a cost and an RMSE less is better, else more), or the cost on
    the validation data X (examples, inputs) and Y (examples,) or (examples, outputs) where they are given. It is looked
    at every `every` epochs and at the end. Getting better means by more than `min_delta`; restored are the parameters of
    the best value seen, however little better it was. A network that diverged stays as it is.

    In a population `patience`, `min_delta` and `every` may be one for each replica, and a patience None is that of one
    which is left alone. `Config(patience=...)` adds this hook by itself.

    Afterwards `best` and `best_epoch`, () or (R,), say what was restored (of the last population). Hooks that come
    after this one see the restored network in `on_end`. Raises RequestError for a patience below 1, a negative
    `min_delta`, and data that do not fit.

    >>> from sandbox.nn import Network, fit
    >>> line = Network.from_parameters([[[0.0]]], [[0.0]], ["linear"])
    >>> hook = EarlyStopping(5, X=[[1]], Y=[2])  # which another slope fits best
    >>> run = fit(line, [[1], [2]], [3, 6], learning_rate=0.1, epochs=500, hooks=[hook])
    >>> hook.best_epoch.item(), run.epochs_run, run.network.predict([[1]]).round(1).item()
    (2, 7, 2.0)
    """

    def __init__(
        self,
        patience: int | Sequence[int | None],
        min_delta: float | Sequence[float] = 0.0,
        X: Any = None,
        Y: Any = None,
        every: int | Sequence[int] = 1,
        monitor: str = "cost",
    ) -> None:
        several = isinstance(patience, Sequence)
        for number in patience if several else [patience]:
            if number is None and several:
                continue
            if number is None or not is_count(number) or number < 1:
                raise RequestError(f"patience is {number!r}: a whole number of epochs of at least 1 is needed")
        if not (is_number(min_delta) and np.all(np.asarray(min_delta) >= 0)):
            raise RequestError(f"min_delta is {one_line(min_delta)}: a number of at least 0 is needed")
        if (X is None) != (Y is None):
            raise RequestError("validation data are X and Y: give both, or neither for what is monitored")
        self.patience, self.min_delta, self.X, self.Y, self.monitor = patience, min_delta, X, Y, monitor
        self.steps: Sequence[int] = every if isinstance(every, Sequence) else ()
        self.every = every if isinstance(every, int) else min(every)

    def next_call(self, epoch: int, epochs: int) -> int | None:
        """The first epoch from `epoch` on at which a replica is to be looked at."""
        return min(-(-epoch // step) * step for step in {self.every, *self.steps})

    def on_start(self, run: "Run") -> None:
        count = run.lead[0] if run.lead else 1
        given = self.patience if isinstance(self.patience, Sequence) else [self.patience]
        patience = np.array([np.inf if number is None else number for number in given])
        self._patience, self._min_delta, self._steps = (
            np.broadcast_to(values, count) for values in (patience, self.min_delta, self.steps or self.every)
        )
        self._watched = np.isfinite(self._patience)
        self.best, self.best_epoch = np.full(run.lead, np.inf), np.zeros(run.lead, int)
        self._best, self._best_cost = np.array(run.network.parameters), np.array(run.cost, float)
        self._mark, self._marked_at = np.full(count, np.inf), np.zeros(count, int)  # what has to be improved on
        self._measure(run, np.arange(1))  # data that do not fit are refused before training

    def on_epoch(self, run: "Run") -> None:
        training = run.replicas if run.lead else np.arange(1)
        due = training[self._watched[training] & (run.epoch % self._steps[training] == 0)]
        if due.size:
            self._look(run, due)
        late = due[run.epoch - self._marked_at[due] >= self._patience[due]]
        if late.size:
            run.stop(late)

    def on_end(self, run: "Run") -> None:
        self._look(run, np.flatnonzero(self._watched))
        if self.X is None and self.monitor in MORE_IS_BETTER:
            self.best = -self.best
        diverged = np.atleast_1d(run.diverged_at)
        restored = self._watched & np.array([at is None or at < 0 for at in diverged])
        if run.lead:
            run.restore(self._best, self._best_cost, np.flatnonzero(restored))
        elif restored.all():
            run.restore(self._best, self._best_cost)

    def _measure(self, run: "Run", rows: np.ndarray) -> np.ndarray:
        """The values (k,) of some replicas, less being better."""
        if self.X is None:
            values = np.atleast_1d(run.measure(self.monitor, rows))
            return -values if self.monitor in MORE_IS_BETTER else values
        network = run.network
        parameters = network.parameters.reshape(-1, network.parameters.shape[-1])[rows]
        chosen = Network(network.sizes, network.activations, parameters)
        return evaluate(chosen, self.X, self.Y, run.settings.cost)[1]

    def _look(self, run: "Run", rows: np.ndarray) -> None:
        """Note what some replicas come to, and keep the parameters of those that were never better."""
        values = self._measure(run, rows)
        epochs = np.atleast_1d(run.epochs_run)[rows]
        improved = values < self._mark[rows] - self._min_delta[rows]
        self._mark[rows[improved]], self._marked_at[rows[improved]] = values[improved], epochs[improved]
        better = values < np.atleast_1d(self.best)[rows]
        if not better.any():
            return
        chosen: Any = rows[better] if run.lead else ...
        self.best[chosen], self.best_epoch[chosen] = values[better], epochs[better]
        self._best[chosen], self._best_cost[chosen] = run.network.parameters[chosen], np.asarray(run.cost)[chosen]
