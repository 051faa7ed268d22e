"""Curves of whatever a function of the run says."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.nn.hooks.hook import Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class Curves(Hook):
    """Keeps curves: `Curves(name=function)`, found again in `run.curves` as [(epoch, value), ...].

    Each function takes the run and returns one number per replica: () for one network, (R,) in a population.

    >>> from sandbox import Config, train
    >>> hook = Curves(every=50, largest=lambda run: abs(run.network.parameters).max(-1))
    >>> epochs, values = train(Config(epochs=100), [hook]).curves["largest"]
    >>> epochs.tolist(), values.shape
    ([0, 50, 100], (3,))
    """

    def __init__(self, every: int = 1, **curves: Callable[["Run"], Any]) -> None:
        self.every, self.functions = every, curves

    def on_epoch(self, run: "Run") -> None:
        for name, function in self.functions.items():
            run.record(name, function(run))

    on_end = on_epoch
