"""The contract of all hooks, on one screen."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox.errors import RequestError, is_count


class Hook:
    """Base of all hooks: override what is needed, the rest does nothing.

    `every` is the number of epochs between two calls of `on_epoch` (from epoch 0); `epochs`, where it is set, names the
    epochs instead. A misspelt method, or one with other arguments, is a TypeError when the class is defined; an `every`
    below 1 is a RequestError when training starts.

    >>> from sandbox.nn import Network, fit
    >>> class Watch(Hook):
    ...     every = 2
    ...
    ...     def on_epoch(self, run):
    ...         print(run.epoch, round(run.cost, 4))
    >>> line = Network.from_parameters([[[0.0]]], [[0.0]], ["linear"])
    >>> run = fit(line, [[1], [2], [3]], [3, 6, 9], learning_rate=0.1, epochs=3, hooks=[Watch()])
    0 21.0
    2 0.9062
    """

    every: int = 1
    epochs: Sequence[int] | None = None
    stateless: bool = False  # whether it may watch several populations at once, in threads, of networks that are padded

    def on_start(self, run) -> None:
        """Called once, before the first epoch."""

    def on_epoch(self, run) -> None:
        """Called after the gradients and before the update: cost, gradients and parameters are of one instant.

        With mini-batches that is in an epoch's first batch, whose gradients they are; the cost is of all examples.
        """

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


def check_hooks(hooks: Iterable[Hook]) -> list[Hook]:
    """The hooks as a list. Raises RequestError for what is no hook, and for an `every` that is no number of epochs."""
    hooks = list(hooks)
    for hook in hooks:
        if not isinstance(hook, Hook):
            raise RequestError(f"{hook!r} is no hook: give instances of Hook, such as Snapshots([0, 100])")
        if not (is_count(hook.every) and hook.every >= 1):
            raise RequestError(
                f"every is {hook.every!r} in {type(hook).__name__}: a whole number of epochs of at least 1 is needed"
            )
    return hooks
