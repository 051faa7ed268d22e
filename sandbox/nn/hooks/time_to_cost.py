"""What it takes to bring the cost down to where it was wanted."""

from typing import TYPE_CHECKING

import numpy as np

from sandbox.errors import RequestError, is_count, is_number, one_line
from sandbox.nn.hooks.hook import Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class TimeToCost(Hook):
    """Records when the cost on all examples was first at most `target`, in three units:

        time_to_cost/epochs         passes over the data, with mini-batches also fractions of one
        time_to_cost/updates        steps of the optimizer
        time_to_cost/examples       examples that gradients were computed of

    The cost is looked at before the first update of every epoch, within an epoch about `looks` times more where mini-batches
    allow it, and at the end. A network that never gets there has none of the three: no number would be true.
    `time_to_cost/reached` is 0 from epoch 0 on, and 1 from where it does.

    >>> from sandbox import Config, train
    >>> curves = train(Config(dataset="or", hidden=(), epochs=500), [TimeToCost(0.02)]).curves
    >>> {name: values[-1].item() for name, (epochs, values) in curves.items() if not name.endswith("reached")}
    {'time_to_cost/epochs': 189.0, 'time_to_cost/updates': 189.0, 'time_to_cost/examples': 756.0}
    """

    def __init__(self, target: float, looks: int = 10) -> None:
        if not (is_number(target) and np.ndim(target) == 0):
            raise RequestError(f"target is {one_line(target)}: the cost to be reached is needed, a number")
        if not (is_count(looks) and looks >= 1):
            raise RequestError(f"looks is {one_line(looks)}: a whole number of at least 1 is needed")
        self.target, self.looks = target, looks

    def on_start(self, run: "Run") -> None:
        self._examples = run.data[0].shape[-2]
        self._size = min(run.settings.batch_size or self._examples, self._examples)
        self._reached_in = np.full(np.size(run.epochs_run), -1)  # the epoch
        self._times = {name: np.full(self._reached_in.shape, np.nan) for name in ("epochs", "updates", "examples")}
        self._epoch = self._batch = 0
        run.record("time_to_cost/reached", np.zeros(run.lead))

    def on_epoch(self, run: "Run") -> None:
        self._look(run, 0)

    on_end = on_epoch

    def on_batch(self, run: "Run") -> None:
        if run.epoch != self._epoch:
            self._epoch, self._batch = run.epoch, 0
        before, now = (self._batch - 1) * self._size, self._batch * self._size  # examples of this epoch
        if self._batch and before * self.looks // self._examples < now * self.looks // self._examples:
            self._look(run, self._batch)
        self._batch += 1

    def _look(self, run: "Run", batch: int) -> None:
        """After this epoch's first so many batches."""
        waiting = self._reached_in < 0
        if not waiting.any():
            return
        training = np.isin(np.arange(len(waiting)), run.replicas)
        there = waiting & training & (np.atleast_1d(run.cost) <= self.target)
        if not there.any():
            return
        examples = run.epoch * self._examples + batch * self._size
        updates = run.epoch * -(-self._examples // self._size) + batch
        self._reached_in[there] = run.epoch
        mine = self._reached_in == run.epoch  # some of them perhaps a few batches ago
        reached = np.where(mine, 1.0, 0.0 if run.epoch == 0 else np.nan)
        run.record("time_to_cost/reached", reached.reshape(run.lead))
        for name, time in {"epochs": examples / self._examples, "updates": updates, "examples": examples}.items():
            self._times[name][there] = time
            run.record(f"time_to_cost/{name}", np.where(mine, self._times[name], np.nan).reshape(run.lead))
