"""A plain function as a hook."""

import inspect
from collections.abc import Callable
from typing import Any

from sandbox.nn.hooks.hook import Hook


class Callback(Hook):
    """Calls `function(run)` every so many epochs, when `on_epoch` is due; what it returns is not looked at.

    Raises TypeError for something that cannot be called with one argument.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="or", epochs=4), [Callback(lambda run: print(run.epoch), every=2)])
    0
    2
    """

    def __init__(self, function: Callable[[Any], object], every: int = 1) -> None:
        try:
            inspect.signature(function).bind(None)
        except TypeError:
            raise TypeError(f"{function!r} must be a function of one argument, the run") from None
        self.function, self.every = function, every

    def on_epoch(self, run):
        self.function(run)
