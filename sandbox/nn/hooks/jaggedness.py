"""How jagged a cost curve is."""

from typing import TYPE_CHECKING

import numpy as np

from sandbox.errors import RequestError, is_count, one_line
from sandbox.nn.hooks.hook import Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class Jaggedness(Hook):
    """Records, at the end, how the cost on all examples went, from each update to the next:

        jaggedness          its total variation over its net fall, all its ways up and down over what they come to: 1 for a
                            curve that only falls, 3 for one that goes three times as far
        jaggedness/rises    the share of updates after which it was higher than before

    The costs are those before each update, of the first so many `updates` (None: of all; the last one's cost is not looked
    at): only over as many of them are two batch sizes alike but for the average. A curve that does not end below where it
    began has no jaggedness, and a network that diverged has neither.

    >>> from sandbox import Config, train
    >>> moons = Config(dataset="moons", n_examples=64, activation="tanh", learning_rate=2, epochs=50)
    >>> for size in (None, 16, 1):
    ...     curves = train(moons.replace(batch_size=size), [Jaggedness(updates=49)]).curves
    ...     print(size, round(curves["jaggedness"][1].item(), 2), round(curves["jaggedness/rises"][1].item(), 2))
    None 1.0 0.0
    16 1.17 0.18
    1 10.04 0.55
    """

    def __init__(self, updates: int | None = None) -> None:
        if updates is not None and not (is_count(updates) and updates >= 1):
            raise RequestError(
                f"updates is {one_line(updates)}: a whole number of at least 1 is needed, or None for all"
            )
        self.updates = updates

    def on_start(self, run: "Run") -> None:
        examples = run.data[0].shape[-2]
        self._batches = -(-examples // min(run.settings.batch_size or examples, examples))
        self._epoch = self._batch = 0
        self._first = self._last = np.array(run.cost)
        self._way, self._rises = np.zeros(run.lead), np.zeros(run.lead)

    def on_epoch(self, run: "Run") -> None:
        self._look(run, 0)

    def on_batch(self, run: "Run") -> None:
        if run.epoch != self._epoch:
            self._epoch, self._batch = run.epoch, 0
        self._look(run, self._batch)
        self._batch += 1

    def _look(self, run: "Run", batch: int) -> None:
        """After this epoch's first so many batches; a second look between two updates sees no change."""
        if self.updates is not None and run.epoch * self._batches + batch > self.updates:
            return
        cost = np.array(run.cost)
        with np.errstate(invalid="ignore"):  # of a network that diverged
            change = cost - self._last
        self._way += np.abs(change)
        self._rises += change > 0
        self._last = cost

    def on_end(self, run: "Run") -> None:
        steps = run.epochs_run * self._batches - (np.array(run.epochs_run) == run.epochs)
        with np.errstate(invalid="ignore", divide="ignore"):
            fall = self._first - self._last
            run.record("jaggedness", np.where(fall > 0, self._way / fall, np.nan))
            run.record("jaggedness/rises", self._rises / np.minimum(steps, self.updates or np.inf))
