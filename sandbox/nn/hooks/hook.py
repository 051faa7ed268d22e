"""The contract of all hooks, on one screen."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sandbox.errors import RequestError, is_count

if TYPE_CHECKING:
    from sandbox.nn.run import Run

Epochs = Sequence[int] | Callable[[int], Sequence[int]]  # chosen epochs, or what chooses them for a number of epochs


class Hook:
    """Base of all hooks: override what is needed, the rest does nothing.

    `every` is the number of epochs between two calls of `on_epoch` (from epoch 0); `epochs`, where it is set, names the
    epochs instead, or is a function that names them for a training of so many epochs. A misspelt method or attribute, or
    a method with other arguments, is a TypeError when the class is defined; an `every` below 1 is a RequestError when
    training starts.

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
    epochs: Epochs | None = None
    stateless: bool = False  # whether it may watch several populations at once, in threads, of networks that are padded

    def on_start(self, run: "Run") -> None:
        """Called once, before the first epoch."""

    def on_epoch(self, run: "Run") -> None:
        """Called after the gradients and before the update: cost, gradients and parameters are of one instant.

        With mini-batches that is in an epoch's first batch, whose gradients they are; the cost is of all examples.
        """

    def on_batch(self, run: "Run") -> None:
        """Called likewise for every mini-batch."""

    def on_end(self, run: "Run") -> None:
        """Called once, after the last update, also when training was stopped."""

    def next_call(self, epoch: int, epochs: int) -> int | None:
        """The first epoch from `epoch` on at which `on_epoch` is due, or None; the training is one of `epochs`."""
        if type(self).on_epoch is Hook.on_epoch:
            return None
        if self.epochs is None:
            return -(-epoch // self.every) * self.every
        chosen = self.epochs(epochs) if callable(self.epochs) else self.epochs
        return min((due for due in chosen if due >= epoch), default=None)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in vars(cls).items():
            if name.startswith("on") and callable(value):
                _check_method(cls, name, value)
            elif not name.startswith("_") and not hasattr(Hook, name):
                _check_attribute(cls, name)


_METHODS = [name for name in vars(Hook) if name.startswith("on_")]
_ATTRIBUTES = ["every", "epochs", "stateless"]


def _check_attribute(cls: type, name: str) -> None:
    if near := get_close_matches(name, _ATTRIBUTES, n=1, cutoff=0.75):
        raise TypeError(f"{cls.__name__}.{name} is nothing that a hook has: did you mean {near[0]!r}?")


def _check_method(cls: type, name: str, method: Callable) -> None:
    if name not in _METHODS:
        raise TypeError(f"{cls.__name__}.{name} is no hook method; there are {', '.join(_METHODS)}")
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
