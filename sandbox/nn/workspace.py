"""The arrays that training works in: parameters, gradients, buffers and optimizer state of the replicas at work."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from sandbox.errors import RequestError, is_count, is_number
from sandbox.nn.costs import get_cost
from sandbox.nn.layouts import Stacked, choose_layout, matrices
from sandbox.nn.network import Network
from sandbox.nn.optimizers import get_optimizer
from sandbox.nn.penalties import penalty_calls
from sandbox.nn.propagation import Propagation
from sandbox.nn.schedules import get_schedule


@dataclass(frozen=True)
class Settings:
    """What training does to each replica. Entries marked (R,) may be one for all."""

    cost: str
    learning_rate: Any  # (R,)
    epochs: int
    batch_size: int | None = None
    optimizer: str = "gd"
    momentum: float = 0.9
    schedule: str | Sequence[str] = "constant"  # (R,)
    l1: Any = 0.0  # (R,)
    l2: Any = 0.0  # (R,)

    def __post_init__(self) -> None:
        get_cost(self.cost)
        get_optimizer(self.optimizer)
        for name in [self.schedule] if isinstance(self.schedule, str) else self.schedule:
            get_schedule(name)
        if not (is_number(self.learning_rate) and np.all(np.greater(self.learning_rate, 0))):
            raise RequestError(f"learning_rate is {self.learning_rate!r}: a number above 0 is needed")
        for name in ("l1", "l2"):
            if not (is_number(rate := getattr(self, name)) and np.all(np.greater_equal(rate, 0))):
                raise RequestError(f"{name} is {rate!r}: a number of at least 0 is needed")
        if not (is_number(self.momentum) and 0 <= self.momentum < 1):
            raise RequestError(f"momentum is {self.momentum!r}: a number from 0 to below 1 is needed")
        for name in ("epochs", "batch_size"):
            count: Any = getattr(self, name)
            if not (is_count(count) and count >= 1) and not (name == "batch_size" and count is None):
                raise RequestError(f"{name} is {count!r}: a whole number of at least 1 is needed")

    def take(self, rows: np.ndarray) -> "Settings":
        """The settings of some replicas."""

        def some(value: Any) -> Any:
            return [value[row] for row in rows] if isinstance(value, list | tuple) else np.asarray(value)[rows]

        parts = {
            name: some(value)
            for name in ("learning_rate", "schedule", "l1", "l2")
            if np.ndim(value := getattr(self, name)) > 0
        }
        return replace(self, **parts)


class Workspace:
    """Everything whose size depends on how many replicas are at work.

    X is (..., features, examples) and Y (..., outputs, examples), with the replicas' axis in front where each replica
    has data of its own. `rngs` shuffle, one for each replica. `mask` (..., P) has zeros where parameters stay as they
    are.
    """

    def __init__(
        self,
        network: Network,
        X: np.ndarray,
        Y: np.ndarray,
        settings: Settings,
        rngs: list,
        mask: np.ndarray | None = None,
    ) -> None:
        self.settings, self.rngs, self.X, self.Y = settings, rngs, X, Y
        self.lead, sizes = network.lead, network.sizes
        kind = choose_layout(sizes, X.shape[-1], settings.batch_size) if len(self.lead) == 1 else Stacked
        self.layout = layout = kind(self.lead, network.parameters.dtype)
        self.parameters = layout.arrange(network.parameters)
        self.gradients = np.zeros_like(self.parameters)
        self.network = Network(sizes, network.activations, layout.canonical(self.parameters))
        self.gradient = Network(sizes, network.activations, layout.canonical(self.gradients))
        self._base_rate = layout.per_replica(np.broadcast_to(settings.learning_rate, self.lead))
        self._rate = self._base_rate.copy()
        self.optimizer = get_optimizer(settings.optimizer)(
            self.parameters, self.gradients, self._rate, settings.momentum
        )
        self.update = self.optimizer.calls
        self.penalties = penalty_calls(layout, settings.l1, settings.l2, sizes, self.parameters, self.gradients)
        self.mask = mask
        if mask is not None:
            self.penalties.append(partial(np.multiply, self.gradients, layout.arrange(mask), self.gradients))
        make = partial(
            Propagation, layout, sizes, network.activations, get_cost(settings.cost), self.parameters, self.gradients
        )
        self.full = make(layout.inputs(X), layout.targets(Y))
        self.batches: list[Propagation] = []
        if settings.batch_size is not None:
            self._cut_batches(make, settings.batch_size)
        names = settings.schedule
        self.schedules = [get_schedule(name) for name in ([names] if isinstance(names, str) else names)]
        self.scheduled = any(schedule.__name__ != "constant" for schedule in self.schedules)

    def _cut_batches(self, make: Callable[..., Propagation], size: int) -> None:
        """One pass for each batch: slices of one shuffled copy of the data, hidden buffers shared."""
        count = self.X.shape[-1]
        inputs, above = self.layout.with_ones(self.network.sizes[0], count, self.lead)
        shuffled = self.layout.empty(self.network.sizes[-1], count)
        self._shuffled = [(self.X, matrices(above)), (self.Y, matrices(shuffled))]
        passes: dict[int, Propagation] = {}
        for start in range(0, count, size):
            batch, targets = inputs[..., start : start + size], shuffled[..., start : start + size]
            length = batch.shape[-1]
            self.batches.append(make(batch, targets, passes.get(length), valued=False))
            passes[length] = self.batches[-1]

    def shuffled(self) -> Iterator[Propagation]:
        """The passes of one epoch over mini-batches, in a new order drawn for each replica."""
        for row, rng in zip(range(self.lead[0]) if self.lead else [...], self.rngs, strict=True):
            order = rng.permutation(self.X.shape[-1])
            for source, target in self._shuffled:
                np.take(source if source.ndim == 2 else source[row], order, -1, target[row], "clip")
        return iter(self.batches)

    def set_rate(self, epoch: int) -> None:
        """Make the learning rates those of an epoch."""
        factors = [schedule(epoch, self.settings.epochs) for schedule in self.schedules]
        factor = self.layout.per_replica(factors if len(factors) > 1 else factors[0])
        np.multiply(self._base_rate, factor, self._rate)

    def take(self, rows: np.ndarray) -> "Workspace":
        """A workspace of some of the replicas, mid-training."""
        X, Y = (data[rows] if data.ndim == 3 else data for data in (self.X, self.Y))
        rngs = [self.rngs[row] for row in rows] if self.rngs else []
        mask = None if self.mask is None else self.mask[rows]
        some = Workspace(self.network[rows], X, Y, self.settings.take(rows), rngs, mask)
        layout = self.layout
        for old, new in zip(self.optimizer.state, some.optimizer.state, strict=True):
            layout.canonical(new)[...] = layout.canonical(old)[rows]
        some.optimizer.updates = self.optimizer.updates
        return some
