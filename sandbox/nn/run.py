"""A training under way: what hooks see of it, and how it moves on."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from sandbox.errors import RequestError, choose
from sandbox.nn.checks import check_data, check_numbers, check_replicas
from sandbox.nn.hooks.hook import Hook, check_hooks
from sandbox.nn.hooks.measures import NAMES, SCORES
from sandbox.nn.loops import full_batch, mini_batches
from sandbox.nn.memory import SMALLEST, USUAL, buffers
from sandbox.nn.network import Network
from sandbox.nn.page import PageWorkspace
from sandbox.nn.penalties import penalty
from sandbox.nn.propagation import Propagation
from sandbox.nn.replicas import NEVER, Replicas
from sandbox.nn.schedules import get_schedule
from sandbox.nn.workspace import Settings, Workspace

MEASURES = ("cost", *NAMES, *SCORES)
Measure = Callable[["Run", str, np.ndarray], np.ndarray]


class Run(Replicas):
    """One training, under way or done: what hooks see and `fit` returns.

    | attribute | holds |
    |---|---|
    | epoch, epochs | updates over the whole data so far, and planned |
    | cost | of the parameters as they are; (R,) in a population, stopped replicas with their final one |
    | costs, cost_epochs | recorded costs (..., points) and their epochs: number e is of the parameters before update e |
    | network, gradients | parameters and their gradients, each as a `Network` (`.weights`, `.biases`) |
    | data | X (examples, inputs) and Y (examples, outputs) that are learnt from, (R, ...) where they differ |
    | rate | the learning rate of this epoch's updates, by the schedule; of stopped replicas that of their end |
    | inputs | what the gradients' pass read: X, or the mini-batch, (features, examples), (R, ...) where they differ |
    | activations, derivatives | of each layer (..., units, examples): outputs, and the cost's derivatives by the sums Z |
    | penalty | the L1 and L2 penalty, which the cost does not contain |
    | epochs_run | updates that a network had before it was stopped; (R,) in a population |
    | diverged_at | the epoch at which it diverged, or None; in a population (R,) with -1 for none |
    | pruned | whether it was given up; (R,) in a population |
    | curves | name -> list of (epoch, value), from `record` |
    | snapshots | epoch -> Network, from `snapshot` |
    | seconds | that training has taken |
    | configs | the Config of each replica, where `train` or `train_many` trains |

    `inputs`, `activations` and `derivatives` are views of the buffers of the pass whose gradients `on_epoch` and `on_batch`
    see: copy what is to be kept. Of stopped replicas they are NaN. In `on_start` they are those of the first parameters
    on all examples.

    >>> from sandbox.nn import fit
    >>> or_gate = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])
    >>> run = fit(or_gate, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1], epochs=100)
    >>> run.epochs_run, run.costs.shape, run.network.weights[0].shape
    (100, (100,), (1, 2))
    """

    def __init__(
        self,
        network: Network,
        X: Any,
        Y: Any,
        settings: Settings,
        hooks: Iterable[Hook] = (),
        cost_epochs: Any = None,
        rng: Any = 0,
        mask: np.ndarray | None = None,
        *,
        of_populations: bool = False,
        guards: Iterable[Hook] = (),
        configs: Sequence[Any] = (),
        measure: Measure | None = None,
    ) -> None:
        """`of_populations`, `mask`: see Workspace. `measure` computes what `self.measure` names, but for the cost.

        `guards` are hooks that end training: in an epoch the others are called before them, at the end after them, so
        that what the others see of an epoch does not depend on who was just stopped.
        """
        if len(network.lead) > 1:
            raise RequestError(f"the network has replica axes {network.lead}: training takes one at most")
        check_replicas(network.lead, settings, rng)
        rates = ("learning_rate", "l1", "l2", "weight_decay")
        check_numbers(network.parameters.dtype, **{name: getattr(settings, name) for name in rates})
        X, Y = check_data(network, X, Y, settings.cost)
        rngs = rng if isinstance(rng, list) else []
        if settings.batch_size is not None and not rngs:
            rngs = [np.random.default_rng(rng)]
            rngs = rngs[0].spawn(network.lead[0]) if network.lead else rngs
        if settings.arithmetic == "page":
            work: Any = PageWorkspace(network, X, Y, settings)
        else:
            work = Workspace(network, X, Y, settings, rngs, mask, of_populations)
        super().__init__(network, work, settings.epochs, cost_epochs)
        self.data = X.mT, Y.mT
        self.settings, self.hooks, self.configs, self._measure = settings, check_hooks(hooks), configs, measure
        self.guards = check_hooks(guards)
        self.points: dict[str, list[tuple[int, np.ndarray]]] = {}  # of the curves, before the end
        self.last_points: dict[str, np.ndarray] = {}  # those of the end, where each network has an epoch of its own
        self.kept: dict[int, Network] = {}  # likewise
        self.last_kept: Network | None = None
        self._record_at: list[int] = [*self._planned.tolist(), NEVER]
        self._pass: Propagation | None = None  # the last one that went forward and backward
        self.seconds = 0.0
        self._started = self._ended = False

    @property
    def gradients(self) -> Network:
        self._latest()
        if not self.lead or self._alive.all():
            return self._work.gradient
        parameters = self._whole(np.zeros_like(self._final), self._work.gradient.parameters)
        return Network(self.sizes, self._names, parameters)

    @property
    def inputs(self) -> np.ndarray:
        return self._values([self._latest().inputs[:-1]])[0]  # without the row of ones

    @property
    def activations(self) -> list[np.ndarray]:
        return self._values(self._latest().activations)

    @property
    def derivatives(self) -> list[np.ndarray]:
        return self._values(self._latest().derivatives)

    @property
    def curves(self) -> dict[str, list[tuple[int, np.ndarray]]]:
        curves = {name: list(points) for name, points in self.points.items()}
        for name, value in self.last_points.items():
            curves[name] = [*_before(curves.get(name, []), self.epoch), (self.epoch, value)]
        return curves

    @property
    def snapshots(self) -> dict[int, Network]:
        return self.kept if self.last_kept is None else {**self.kept, self.epoch: self.last_kept}

    @property
    def rate(self) -> Any:
        epochs = np.atleast_1d(self.epochs_run).tolist()
        names = np.broadcast_to(self.settings.schedule, len(epochs)).tolist()
        factors = [get_schedule(name)(epoch, self.epochs) for name, epoch in zip(names, epochs, strict=True)]
        rates = np.multiply(self.settings.learning_rate, factors)
        return rates if self.lead else float(rates[0])

    @property
    def penalty(self) -> Any:
        return penalty(self.network, self.settings.l1, self.settings.l2)

    def _latest(self) -> Propagation:
        """The pass that hooks see; before the first epoch one over all examples, which changes nothing."""
        if self._pass is None:
            self._pass = self._work.full
            with np.errstate(all="ignore"):
                for call in [*self._pass.forward, *self._pass.backward, *self._work.penalties]:
                    call()
        return self._pass

    def _values(self, buffers: list[np.ndarray]) -> list[np.ndarray]:
        """Buffers of a pass with the replicas in front, those of the whole population where they are a replica's own."""
        values = [self._work.shown(buffer) for buffer in buffers]
        if not self.lead or self._alive.all():
            return values
        return [
            self._whole(np.full((*self.lead, *value.shape[1:]), np.nan), value) if value.ndim > 2 else value
            for value in values
        ]

    def measure(self, name: str, replicas: Any = None) -> Any:
        """What the parameters come to as they are now, () or (R,): of all replicas, or (k,) of the k given ones.

        The `cost`, also called final_cost, and where `train` or `train_many` trains `train_accuracy`, and cost, accuracy,
        precision, recall, f1, r2 and rmse of `validation_` and of `test_`; NaN where a replica has no such thing. Raises
        RequestError for another name.
        """
        name = "cost" if name == "final_cost" else name
        choose("measure", name, dict.fromkeys(MEASURES if self._measure else ("cost",)))
        ids = np.arange(self.lead[0] if self.lead else 1) if replicas is None else np.asarray(replicas, int)
        if name == "cost" or self._measure is None:
            return self.cost[ids] if self.lead else self.cost
        values = self._measure(self, name, ids)
        return values if self.lead else float(values[0])

    def record(self, name: str, value: Any) -> None:
        """Keep a value of this epoch, one number per replica, under `curves[name]`; the last one of an epoch counts."""
        value = np.array(value, np.float64)
        if self._ended:
            self.last_points[name] = value
        else:
            points = self.points.setdefault(name, [])
            if points and points[-1][0] == self.epoch:
                points.pop()
            points.append((self.epoch, value))

    def snapshot(self) -> None:
        """Keep the network as it is now under `snapshots[epoch]`."""
        if self._ended:
            self.last_kept = self.network.copy()
        else:
            self.kept[self.epoch] = self.network.copy()

    def advance(self, until: int | None = None) -> "Run":
        """Train up to epoch `until` (default: to the end). Pausing changes no number."""
        begun, until = time.perf_counter(), self.epochs if until is None else min(until, self.epochs)
        with np.errstate(all="ignore"):
            if not self._started:
                self._started = True
                self._value = self._work.evaluate()
                for hook in [*self.guards, *self.hooks]:
                    hook.on_start(self)
            while self._alive.any() and self.epoch < until:
                self._compact()
                with buffers(SMALLEST):
                    (mini_batches if self._work.batches else full_batch)(self, until)
            if self._alive.any():
                self._value, self._outdated = self._work.evaluate(), False
            if not self._ended and (self.epoch == self.epochs or not self._alive.any()):
                self._ended = True
                for hook in [*self.guards, *self.hooks]:
                    hook.on_end(self)
                self.stop()
        self.seconds += time.perf_counter() - begun
        return self

    def _watch_batch(self, hooks: list[Hook]) -> bool:
        """Call the hooks that watch mini-batches; whether anything is left to train."""
        with buffers(USUAL):
            for hook in hooks:
                hook.on_batch(self)
        return bool(self._alive.any())

    @property
    def _rows_if_some(self) -> Any:
        """The replicas in the workspace, None where they are all."""
        return None if self._rows is None or len(self._rows) == self._alive.size else self._rows

    def _next_call(self, epoch: int) -> int:
        """The first epoch from `epoch` on that a hook wants to see."""
        calls = [hook.next_call(epoch, self.epochs) for hook in [*self.hooks, *self.guards]]
        return min((call for call in calls if call is not None), default=NEVER)

    def _call_hooks(self) -> bool:
        """Call the hooks that are due; whether anything is left to train."""
        with buffers(USUAL):
            for hook in [*self.hooks, *self.guards]:
                if hook.next_call(self.epoch, self.epochs) == self.epoch:
                    hook.on_epoch(self)
        return bool(self._alive.any())


def _before(points: list, epoch: int) -> list:
    return points[:-1] if points and points[-1][0] == epoch else points
