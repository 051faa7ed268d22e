"""Hooks: code that watches training. Hooks observe; the trainer trains.

A hook sees a `Run` (see sandbox.nn.training): `run.epoch`, `run.cost`, `run.network`, `run.gradients`. In a population
each of them has the replicas' axis in front. `run.stop()` is the one way to end training early, `run.record(name, value)`
the one way to keep a curve, `run.snapshot()` the one way to keep the network of this epoch.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


class Hook:
    """Base of all hooks: override what is needed, the rest does nothing.

    `every` is the number of epochs between two calls of `on_epoch` (from epoch 0); `epochs`, where it is set, names the
    epochs instead. A misspelt method, or one with other arguments, is a TypeError when the class is defined.
    """

    every: int = 1
    epochs: Sequence[int] | None = None
    stateless: bool = False  # whether one hook may watch several populations at once, in threads

    def on_start(self, run) -> None:
        """Called once, before the first epoch."""

    def on_epoch(self, run) -> None:
        """Called after the gradients and before the update: cost, gradients and parameters are of one instant."""

    def on_batch(self, run) -> None:
        """Called likewise for every mini-batch."""

    def on_end(self, run) -> None:
        """Called once, after the last update, also when training was stopped."""

    def next_call(self, epoch: int) -> int | None:
        """The first epoch from `epoch` on at which `on_epoch` is due, or None."""
        if type(self).on_epoch is Hook.on_epoch:
            return None
        if self.epochs is None:
            return -(-epoch // self.every) * self.every
        return min((due for due in self.epochs if due >= epoch), default=None)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, method in vars(cls).items():
            if name.startswith("on") and callable(method):
                _check(cls, name, method)


_CONTRACT = [name for name in vars(Hook) if name.startswith("on_")]


def _check(cls: type, name: str, method: Callable) -> None:
    if name not in _CONTRACT:
        raise TypeError(f"{cls.__name__}.{name} is no hook method; there are {', '.join(_CONTRACT)}")
    try:
        inspect.signature(method).bind(None, None)
    except TypeError:
        raise TypeError(f"{cls.__name__}.{name} must take (self, run)") from None


class StopOnDivergence(Hook):
    """Stops a network whose cost is no longer finite, or a million times what it was at the start (or 1, if that is more).

    It looks back over the recorded costs every 50 epochs, and names the first epoch at which it was so.
    """

    every = 50
    growth = 1e6

    def on_start(self, run):
        start = np.nan_to_num(np.abs(run.cost))
        self.seen, self.limit = 0, np.minimum(self.growth * np.maximum(1, start), np.finfo(float).max)

    def on_epoch(self, run):
        epochs = run.recorded_epochs[self.seen :, None]
        training = np.isin(np.arange(np.size(run.epochs_run)), run.replicas)
        self._look(run, run.recorded[self.seen :], epochs, training | (epochs < run.epochs_run))
        self.seen = len(run.recorded)

    def on_end(self, run):
        self.on_epoch(run)
        self._look(run, np.array([run.cost]), np.array([run.epochs_run]), True)

    def _look(self, run, costs, epochs, valid):
        """Costs are (points,) or (points, R); those that are not `valid` belong to networks stopped before."""
        costs = costs.reshape(len(costs), np.size(run.epochs_run))
        epochs = np.broadcast_to(epochs, costs.shape)
        wrong = ~(np.abs(costs) <= self.limit) & valid
        for column in np.flatnonzero(wrong.any(0)):
            first = wrong[:, column].argmax()
            run.diverge(epochs[first, column], costs[first, column], column if run.lead else None)


class Snapshots(Hook):
    """Keeps the network at the given epochs (and at the end): `run.snapshots` maps epoch to network."""

    stateless = True

    def __init__(self, epochs: Sequence[int]) -> None:
        self.epochs = tuple(epochs)

    def on_epoch(self, run):
        run.snapshot()

    on_end = on_epoch


class Progress(Hook):
    """Moves a progress bar: anything with `update(n)`, `set_postfix_str(text)` and `close()`, such as tqdm's."""

    def __init__(self, bar: Any, every: int = 100) -> None:
        self.bar, self.every = bar, every

    def on_start(self, run):
        self.done = 0

    def on_epoch(self, run):
        costs = np.atleast_1d(run.cost)
        finite = costs[np.isfinite(costs)]
        self.bar.set_postfix_str(f"cost {np.median(finite):.4g}" if finite.size else "diverged", refresh=False)
        self.bar.update(run.epoch - self.done)
        self.done = run.epoch

    def on_end(self, run):
        self.on_epoch(run)
        self.bar.close()


class Recorder(Hook):
    """Keeps curves: `Recorder(weight=lambda run: run.network.weights[0][..., 0, 0])`, found again in `run.curves`.

    Each function takes the run and returns one number per replica.
    """

    def __init__(self, every: int = 1, **curves: Callable[[Any], Any]) -> None:
        self.every, self.functions = every, curves

    def on_epoch(self, run):
        for name, function in self.functions.items():
            run.record(name, function(run))

    on_end = on_epoch
