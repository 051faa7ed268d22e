"""Lines that say how training goes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.nn.hooks.hook import Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class PrintEvery(Hook):
    """Prints a line every so many epochs and at the end: epoch, cost, and validation accuracy where there is one.

    `say` is what prints a line. Of a population the figures are medians over the networks.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="or", hidden=(), epochs=250), [PrintEvery(100)])
    epoch   0  cost 0.125411
    epoch 100  cost 0.0335334
    epoch 200  cost 0.0188831
    epoch 250  cost 0.015132
    """

    def __init__(self, every: int = 100, say: Callable[[str], Any] = print) -> None:
        self.every, self.say = every, say

    def on_start(self, run: "Run") -> None:
        self.last = -1

    def on_epoch(self, run: "Run") -> None:
        line = f"epoch {run.epoch:{len(str(run.epochs))}}  cost {_median(run.cost):<11.6g}"
        accuracy = _median(run.measure("validation_accuracy")) if run.configs else np.nan
        self.say((line if np.isnan(accuracy) else f"{line}  validation_accuracy {accuracy:.6g}").rstrip())
        self.last = run.epoch

    def on_end(self, run: "Run") -> None:
        if self.last < run.epoch:
            self.on_epoch(run)


def _median(values: Any) -> float:
    """Of those that are finite, NaN where none is."""
    values = np.atleast_1d(values)
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else np.nan
