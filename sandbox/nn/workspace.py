"""The arrays that training works in: parameters, gradients, buffers and optimizer state of the replicas at work."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import numpy as np

from sandbox.errors import RequestError, choose, is_count, is_number
from sandbox.nn.costs import get_cost
from sandbox.nn.layouts import ReplicasLast, Stacked, choose_layout, matrices
from sandbox.nn.memory import aligned_copy
from sandbox.nn.network import Network
from sandbox.nn.optimizers import get_optimizer
from sandbox.nn.padding import Padding
from sandbox.nn.penalties import Clipping, L1Rule, decays, penalty_calls
from sandbox.nn.propagation import Propagation
from sandbox.nn.schedules import constant, get_schedule
from sandbox.own import Own, name_of

BatchOrder = Literal["shuffled", "in_order", "carried"]
Arithmetic = Literal["matrix", "page"]


@dataclass(frozen=True)
class Settings:
    """What training does to each replica. Entries marked (R,) may be one for all.

    Functions of one's own may be given as they are; what is held are their names.

    `batches` are "shuffled" anew in every epoch, or "in_order", the last of an epoch being shorter where they do not go
    into the examples; or "carried": in order, and what is left at the end of an epoch belongs to the next one's first batch,
    which then is longer. By the `l1_rule` L1 is a part of the gradients ("subgradient"), or "clipped" (see Clipping).
    `arithmetic` is that of "matrix" products, or of TensorFlow Playground's "page", number by number (sandbox.nn.page).
    """

    cost: Own
    learning_rate: Any  # (R,)
    epochs: int
    batch_size: int | None = None
    optimizer: Own = "gd"
    momentum: float = 0.9
    schedule: Own = "constant"  # (R,)
    l1: Any = 0.0  # (R,)
    l2: Any = 0.0  # (R,)
    weight_decay: Any = 0.0  # (R,)
    batches: BatchOrder = "shuffled"
    l1_rule: L1Rule = "subgradient"
    arithmetic: Arithmetic = "matrix"

    def __post_init__(self) -> None:
        for name in ("cost", "optimizer", "schedule"):
            given = getattr(self, name)
            some = isinstance(given, list | tuple)
            named = [name_of(name, one) for one in given] if some else name_of(name, given)
            object.__setattr__(self, name, named)
        get_cost(self.cost)
        get_optimizer(self.optimizer)
        for name in [self.schedule] if isinstance(self.schedule, str) else self.schedule:
            get_schedule(name)
        if not (is_number(self.learning_rate) and np.all(np.greater(self.learning_rate, 0))):
            raise RequestError(f"learning_rate is {self.learning_rate!r}: a number above 0 is needed")
        for name in ("l1", "l2", "weight_decay"):
            if not (is_number(rate := getattr(self, name)) and np.all(np.greater_equal(rate, 0))):
                raise RequestError(f"{name} is {rate!r}: a number of at least 0 is needed")
        choose("batches", self.batches, dict.fromkeys(get_args(BatchOrder)))
        choose("arithmetic", self.arithmetic, dict.fromkeys(get_args(Arithmetic)))
        choose("l1_rule", self.l1_rule, dict.fromkeys(get_args(L1Rule)))
        if np.any(self.weight_decay) and self.optimizer != "adamw":
            raise RequestError("weight_decay is for adamw: l2 is the penalty that other optimizers take")
        if not (is_number(self.momentum) and 0 <= self.momentum < 1):
            raise RequestError(f"momentum is {self.momentum!r}: a number from 0 to below 1 is needed")
        for name in ("epochs", "batch_size"):
            count: Any = getattr(self, name)
            if not (is_count(count) and count >= 1) and not (name == "batch_size" and count is None):
                raise RequestError(f"{name} is {count!r}: a whole number of at least 1 is needed")


class Workspace:
    """Everything whose size depends on how many replicas are at work.

    X is (..., features, examples) and Y (..., outputs, examples), with the replicas' axis in front where each replica
    has data of its own. `rngs` shuffle, one for each replica. `mask` (..., P) is false where a network that was padded
    has no parameter (see sandbox.nn.population): what is there stays zero.

    A network without replicas' axis is computed with the arithmetic of one, unless it is to have that `of_populations`:
    it then is a population of one, whose axis nobody sees. And where one replica would have NumPy take other ways than
    several, it has a twin that nobody sees.
    """

    def __init__(
        self,
        network: Network,
        X: np.ndarray,
        Y: np.ndarray,
        settings: Settings,
        rngs: list,
        mask: np.ndarray | None = None,
        of_populations: bool = False,
    ) -> None:
        X, Y = (data[0] if data.ndim == 3 and len(data) == 1 else data for data in (X, Y))
        self.settings, self.rngs, self.mask, self.X, self.Y = settings, rngs, mask, X, Y
        self.of_populations = of_populations
        sizes = network.sizes
        kind, lead = self._arrangement(network, X.shape[-1], settings.batch_size)
        self.layout = layout = kind(lead, network.parameters.dtype)
        self._seen: Any = slice(0, network.lead[0]) if network.lead else 0 if lead else ...
        self.parameters = layout.arrange(np.broadcast_to(network.parameters, (*lead, network.parameters.shape[-1])))
        self.gradients = aligned_copy(0, layout.dtype, self.parameters.shape)
        self.network = Network(sizes, network.activations, layout.canonical(self.parameters)[self._seen])
        self.gradient = Network(sizes, network.activations, layout.canonical(self.gradients)[self._seen])
        self._base_rate = layout.per_replica(np.broadcast_to(settings.learning_rate, lead))
        shape = self.parameters.shape if lead else ()  # with replicas in full: NumPy is slow where it broadcasts
        self._rate = aligned_copy(self._base_rate, layout.dtype, shape)
        decay = decays(layout, settings.weight_decay, sizes, self.parameters)
        self.optimizer = get_optimizer(settings.optimizer)(
            self.parameters, self.gradients, self._rate, settings.momentum, decay
        )
        self.update, self.state = self.optimizer.calls, [*self.optimizer.state]
        l1 = settings.l1
        if settings.l1_rule == "clipped" and np.any(l1):
            clipping = Clipping(layout, l1, sizes, self.parameters, self._rate)
            self.update, l1 = [*clipping.before, *self.update, *clipping.after], 0.0
            self.state.append(clipping.alive)
        self.penalties = penalty_calls(layout, l1, settings.l2, sizes, self.parameters, self.gradients)
        padding = None if mask is None else Padding(layout, np.broadcast_to(mask, (*lead, mask.shape[-1])), sizes)
        if padding is not None:
            self.penalties.append(padding.clear_parameters(self.gradients))
        make = partial(
            Propagation, layout, sizes, network.activations, get_cost(settings.cost), self.parameters, self.gradients
        )
        self.full = make(layout.inputs(X), layout.targets(Y), padding=padding)
        self.value = self.full.value if lead == network.lead else lambda: self.full.value()[self._seen]
        self.batches: list[Propagation] = []
        if settings.batch_size is not None:
            self._cut_batches(make, settings.batch_size)
        names = settings.schedule
        self.schedules = [get_schedule(name) for name in ([names] if isinstance(names, str) else names)]
        self.scheduled = any(schedule is not constant for schedule in self.schedules)

    def _arrangement(self, network: Network, examples: int, batch_size: int | None) -> tuple[type[Stacked], tuple]:
        """The layout, and the replicas' axis that the arrays have, seen or not."""
        lead = network.lead or ((1,) if self.of_populations else ())
        if not lead:
            return Stacked, lead
        kind = choose_layout(network.sizes, examples, batch_size) if self.mask is None else ReplicasLast
        shortest = examples if batch_size is None else min(examples, batch_size, examples % batch_size or batch_size)
        needs_twin = lead == (1,) and (kind is ReplicasLast or shortest == 1)
        return kind, (2,) if needs_twin else lead

    def _cut_batches(self, make: Callable[..., Propagation], size: int) -> None:
        """One pass for each batch: slices of one copy of the data in their order, hidden buffers shared.

        Where batches are carried, what an epoch leaves stands in front as well, so that the first batch of the next is one.
        """
        count = self.X.shape[-1]
        left = count % size if self.settings.batches == "carried" else 0
        if size > count and left:
            raise RequestError(
                f"batch_size is {size}: batches that are carried need as many examples, {count} are there"
            )
        inputs, above = self.layout.with_ones(self.network.sizes[0], left + count, self.layout.lead)
        targets = self.layout.empty(self.network.sizes[-1], left + count)
        above[...], targets[...] = 0, 0  # what a twin learns from
        self._copies = [(self.X, matrices(above)), (self.Y, matrices(targets))]
        passes: dict[int, Propagation] = {}

        def batch(start: int, stop: int) -> Propagation:
            length = min(stop, left + count) - start
            passes[length] = make(inputs[..., start:stop], targets[..., start:stop], passes.get(length), valued=False)
            return passes[length]

        self.batches = [batch(start, start + size) for start in range(left, left + count - left, size)]
        self._later = [batch(0, left + size), *self.batches[1:]] if left else self.batches
        if self.settings.batches != "shuffled":
            order = np.concatenate([np.arange(count - left, count), np.arange(count)])
            self._arrange(order for _ in self.rngs)

    def _arrange(self, orders: Iterable[np.ndarray]) -> None:
        """Copy the examples into each replica's order."""
        rows = range(len(self.rngs)) if self.layout.lead else [...]
        for row, order in zip(rows, orders, strict=True):
            for source, target in self._copies:
                np.take(source if source.ndim == 2 else source[row], order, -1, target[row], "clip")

    def passes(self, epoch: int) -> Iterator[Propagation]:
        """The passes of an epoch over mini-batches, where they are shuffled in a new order drawn for each replica."""
        if self.settings.batches == "shuffled":
            self._arrange(rng.permutation(self.X.shape[-1]) for rng in self.rngs)
        return iter(self._later if epoch else self.batches)

    def evaluate(self) -> Any:
        """The cost of the parameters as they are, () or (R,)."""
        for call in self.full.forward:
            call()
        return self.value()

    def shown(self, buffer: np.ndarray) -> np.ndarray:
        """A view of a buffer of a pass as others see it: (units, examples), or (R, units, examples)."""
        return self.layout.leading(buffer)[self._seen] if buffer.ndim > 2 else buffer

    def set_rate(self, epoch: int) -> None:
        """Make the learning rates those of an epoch."""
        factors = [schedule(epoch, self.settings.epochs) for schedule in self.schedules]
        factor = self.layout.per_replica(factors if len(factors) > 1 else factors[0])
        self._rate[...] = self._base_rate * factor
