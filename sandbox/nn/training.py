"""Training: the loop of forward, backward, update, for one network or a population side by side."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from sandbox.errors import RequestError
from sandbox.nn.checks import check_data, check_replicas
from sandbox.nn.hooks.hook import Hook, check_hooks
from sandbox.nn.network import Network
from sandbox.nn.penalties import penalty
from sandbox.nn.workspace import Settings, Workspace

NEVER = -1


class Run:
    """One training, under way or done: what hooks see and `fit` returns.

    | attribute | holds |
    |---|---|
    | epoch, epochs | updates over the whole data so far, and planned |
    | cost | of the parameters as they are; (R,) in a population, stopped replicas with their final one |
    | costs, cost_epochs | recorded costs (..., points) and their epochs: number e is of the parameters before update e |
    | network, gradients | parameters and their gradients, each as a `Network` (`.weights`, `.biases`) |
    | inputs | what the gradients' pass read: X, or the mini-batch, (features, examples), (R, ...) where they differ |
    | activations, derivatives | of each layer (..., units, examples): outputs, and the cost's derivatives by the sums Z |
    | penalty | the L1 and L2 penalty, which the cost does not contain |
    | epochs_run | updates that a network had before it was stopped; (R,) in a population |
    | diverged_at | the epoch at which it diverged, or None; in a population (R,) with -1 for none |
    | curves | name -> list of (epoch, value), from `record` |
    | snapshots | epoch -> Network, from `snapshot` |
    | configs | the Config of each replica, where `train_many` trains |

    `inputs`, `activations` and `derivatives` are views of the buffers of the pass whose gradients `on_epoch` and `on_batch`
    see: copy what is to be kept. Of stopped replicas they are NaN.

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
    ) -> None:
        if len(network.lead) > 1:
            raise RequestError(f"the network has replica axes {network.lead}: training takes one at most")
        check_replicas(network.lead, settings, rng)
        self.lead, self.sizes, self._names = network.lead, network.sizes, network.activations
        self.settings, self.hooks = settings, check_hooks(hooks)
        self.configs: Sequence[Any] = ()
        self.epoch, self.epochs = 0, settings.epochs
        self.curves: dict[str, list[tuple[int, np.ndarray]]] = {}
        self.snapshots: dict[int, Network] = {}
        X, Y = check_data(network, X, Y, settings.cost)
        rngs = rng if isinstance(rng, list) else []
        if settings.batch_size is not None and not rngs:
            rngs = [np.random.default_rng(rng)]
            rngs = rngs[0].spawn(self.lead[0]) if self.lead else rngs
        self._work = Workspace(network, X, Y, settings, rngs, mask)
        self._rows: Any = np.arange(self.lead[0]) if self.lead else None  # the replicas that are in the workspace
        self._planned = np.arange(self.epochs) if cost_epochs is None else np.asarray(cost_epochs, int)
        if np.any(np.diff(self._planned, prepend=-1, append=self.epochs) <= 0):
            raise RequestError(f"cost_epochs must be rising epochs from 0 to {self.epochs - 1}")
        self._record_at: list[int] = [*self._planned.tolist(), NEVER]
        self._recorded = np.full((len(self._planned), *self.lead), np.nan)
        self._points = 0
        self._value: Any = None  # the cost of the replicas in the workspace
        self._outdated = False  # whether there have been updates since
        self._alive = np.ones(self.lead, bool)
        self._final, self._final_cost = network.copy().parameters, np.full(self.lead, np.nan)
        self._epochs_run, self._diverged_at = np.full(self.lead, NEVER), np.full(self.lead, NEVER)
        self._started = self._ended = False

    @property
    def replicas(self) -> np.ndarray:
        """The numbers of the replicas that are still training."""
        return np.flatnonzero(self._alive)

    @property
    def recorded(self) -> np.ndarray:
        """All costs recorded so far, (points,) or (points, R), also those after a replica's end."""
        return self._recorded[: self._points]

    @property
    def recorded_epochs(self) -> np.ndarray:
        """The epochs of `recorded`."""
        return self._planned[: self._points]

    @property
    def cost_epochs(self) -> np.ndarray:
        return self.recorded_epochs[self.recorded_epochs < np.max(self.epochs_run)]

    @property
    def costs(self) -> np.ndarray:
        costs = self.recorded[: len(self.cost_epochs)].T
        return np.where(self.cost_epochs < self.epochs_run[:, None], costs, np.nan) if self.lead else costs

    @property
    def epochs_run(self) -> Any:
        updates = np.where(self._epochs_run == NEVER, self.epoch, self._epochs_run)
        return updates if self.lead else int(updates)

    @property
    def diverged_at(self) -> Any:
        if self.lead:
            return self._diverged_at
        return None if self._diverged_at == NEVER else int(self._diverged_at)

    @property
    def cost(self) -> Any:
        if self._outdated:  # between mini-batches
            with np.errstate(all="ignore"):
                self._value, self._outdated = self._work.full.evaluate(), False
        return self._whole(self._final_cost, self._value) if self.lead else float(self._value)

    @property
    def network(self) -> Network:
        if not self.lead or self._alive.all():
            return self._work.network
        parameters = self._whole(self._final, self._work.network.parameters)
        return Network(self.sizes, self._names, parameters)

    @property
    def gradients(self) -> Network:
        if not self.lead or self._alive.all():
            return self._work.gradient
        parameters = self._whole(np.zeros_like(self._final), self._work.gradient.parameters)
        return Network(self.sizes, self._names, parameters)

    @property
    def inputs(self) -> np.ndarray:
        return self._values([self._pass.inputs[:-1]])[0]  # without the row of ones

    @property
    def activations(self) -> list[np.ndarray]:
        return self._values(self._pass.activations)

    @property
    def derivatives(self) -> list[np.ndarray]:
        return self._values(self._pass.derivatives)

    @property
    def penalty(self) -> Any:
        return penalty(self.network, self.settings.l1, self.settings.l2)

    def _whole(self, final: np.ndarray, working: np.ndarray) -> np.ndarray:
        """Values of the whole population: the working ones where a replica is alive, the final ones elsewhere."""
        whole, alive = final.copy(), self._alive[self._rows]
        whole[self._rows[alive]] = working[alive]
        return whole

    def _values(self, buffers: list[np.ndarray]) -> list[np.ndarray]:
        """Buffers of a pass with the replicas in front, those of the whole population where they are a replica's own."""
        values = [self._work.layout.leading(buffer) for buffer in buffers]
        if not self.lead or self._alive.all():
            return values
        return [
            self._whole(np.full((*self.lead, *value.shape[1:]), np.nan), value) if value.ndim > 2 else value
            for value in values
        ]

    def stop(self, replicas: Any = None) -> None:
        """End training here: of all networks, or of the given replicas. They keep the parameters that they have."""
        if not self.lead:
            if self._alive:
                self._alive[...], self._epochs_run[...] = False, self.epoch
            return
        ids = self.replicas if replicas is None else np.intersect1d(replicas, self.replicas)
        cost, parameters = self.cost, self.network.parameters
        self._final[ids], self._final_cost[ids], self._epochs_run[ids] = (
            parameters[ids],
            cost[ids],
            self.epoch,
        )
        self._alive[ids] = False

    def restore(self, parameters: np.ndarray, cost: Any, replicas: Any = None) -> None:
        """Go back to parameters (P,), or (R, P), that a hook kept, and to their cost, () or (R,).

        All networks, or the given replicas, whether they are still training or not. In `on_end` these are the final ones.
        """
        if not self.lead:
            self._work.network.parameters[...], self._value, self._outdated = parameters, cost, False
            return
        ids = np.arange(self.lead[0]) if replicas is None else np.asarray(replicas, int)
        self._final[ids], self._final_cost[ids] = parameters[ids], cost[ids]
        rows = np.isin(self._rows, ids)
        self._work.network.parameters[rows] = parameters[self._rows[rows]]
        self._value = np.where(rows, cost[self._rows], self._value)

    def diverge(self, epoch: int, cost: float, replica: int | None = None) -> None:
        """Stop a network that has diverged at `epoch`, where its cost was `cost`; it may have been stopped since."""
        where = ... if replica is None else replica
        if np.any(self._diverged_at[where] != NEVER):
            return
        self.stop(replica)
        self._diverged_at[where] = self._epochs_run[where] = epoch
        self._final_cost[where] = cost
        if replica is None:
            self._value, self._outdated = cost, False

    def record(self, name: str, value: Any) -> None:
        """Keep a value of this epoch, one number per replica, under `curves[name]`; the last one of an epoch counts."""
        points = self.curves.setdefault(name, [])
        if points and points[-1][0] == self.epoch:
            points.pop()
        points.append((self.epoch, np.array(value, np.float64)))

    def snapshot(self) -> None:
        """Keep the network as it is now under `snapshots[epoch]`."""
        self.snapshots[self.epoch] = self.network.copy()

    def advance(self, until: int | None = None) -> "Run":
        """Train up to epoch `until` (default: to the end). Pausing changes no number."""
        until = self.epochs if until is None else min(until, self.epochs)
        with np.errstate(all="ignore"):
            if not self._started:
                self._started = True
                self._value = self._work.full.evaluate()
                for hook in self.hooks:
                    hook.on_start(self)
            while self._alive.any() and self.epoch < until:
                self._compact()
                self._mini_batches(until) if self._work.batches else self._full_batch(until)
            if self._alive.any():
                self._value, self._outdated = self._work.full.evaluate(), False
            if not self._ended and (self.epoch == self.epochs or not self._alive.any()):
                self._ended = True
                for hook in self.hooks:
                    hook.on_end(self)
                self.stop()
        return self

    def _full_batch(self, until: int) -> None:
        self._pass = self._work.full
        work, recorded, record_at, rows = self._work, self._recorded, self._record_at, self._rows_if_some
        forward, value, update = work.full.forward, work.full.value, work.update
        backward = [*work.full.backward, *work.penalties]
        next_call, points, cost = self._next_call(self.epoch), self._points, self._value
        for epoch in range(self.epoch, until):
            for call in forward:
                call()
            if epoch == record_at[points]:
                cost = value()
                recorded[points if rows is None else (points, rows)] = cost
                points += 1
            elif epoch == next_call:
                cost = value()
            for call in backward:
                call()
            if work.scheduled:
                work.set_rate(epoch)
            if epoch == next_call:
                self.epoch, self._points, self._value = epoch, points, cost
                if not self._call_hooks():
                    return
                next_call = self._next_call(epoch + 1)
                if self._sparse():
                    until = epoch + 1
            for call in update:
                call()
            if epoch == until - 1:
                break
        self.epoch, self._points = until, points

    def _mini_batches(self, until: int) -> None:
        work = self._work
        watching = [hook for hook in self.hooks if type(hook).on_batch is not Hook.on_batch]
        next_call = self._next_call(self.epoch)
        while self.epoch < until:
            epoch = self.epoch
            if epoch == self._record_at[self._points]:
                self._value, self._outdated = work.full.evaluate(), False
                self._recorded[self._points, ... if self._rows_if_some is None else self._rows] = self._value
                self._points += 1
            elif epoch == next_call:
                self._value, self._outdated = work.full.evaluate(), False
            if work.scheduled:
                work.set_rate(epoch)
            for batch in work.shuffled():
                self._pass = batch
                for calls in (batch.forward, batch.backward, work.penalties):
                    for call in calls:
                        call()
                if epoch == next_call:
                    next_call = self._next_call(epoch + 1)
                    if not self._call_hooks():
                        return
                for hook in watching:
                    hook.on_batch(self)
                if watching and not self._alive.any():
                    return
                for call in work.update:
                    call()
                self._outdated = True
            self.epoch = epoch + 1
            if self._sparse():
                return

    @property
    def _rows_if_some(self) -> Any:
        """The replicas in the workspace, None where they are all."""
        return None if self._rows is None or len(self._rows) == self._alive.size else self._rows

    def _next_call(self, epoch: int) -> int:
        """The first epoch from `epoch` on that a hook wants to see."""
        calls = [hook.next_call(epoch) for hook in self.hooks]
        return min((call for call in calls if call is not None), default=NEVER)

    def _call_hooks(self) -> bool:
        """Call the hooks that are due; whether anything is left to train."""
        for hook in self.hooks:
            if hook.next_call(self.epoch) == self.epoch:
                hook.on_epoch(self)
        return bool(self._alive.any())

    def _sparse(self) -> bool:
        """Whether at least half of the replicas in the workspace have stopped."""
        return self._rows is not None and 2 * self._alive.sum() <= len(self._rows)

    def _compact(self) -> None:
        """Take the replicas that have stopped out of the workspace, once they are many."""
        if self._rows is not None and self._sparse():
            staying = np.flatnonzero(self._alive[self._rows])
            self._work, self._rows = self._work.take(staying), self._rows[staying]
            self._value = self._value[staying]


def fit(
    network: Network,
    X: Any,
    Y: Any,
    *,
    cost: str = "squared_error",
    learning_rate: Any = 1.0,
    epochs: int = 1000,
    batch_size: int | None = None,
    optimizer: str = "gd",
    momentum: float = 0.9,
    schedule: str | list[str] = "constant",
    l1: Any = 0.0,
    l2: Any = 0.0,
    hooks: Iterable[Hook] = (),
    cost_epochs: Any = None,
    rng: Any = 0,
) -> Run:
    """Train `network` on X (examples, features) and Y (examples,) or (examples, outputs); the given network stays as it is.

    A population (parameters (R, P)) trains side by side: `learning_rate`, `schedule`, `l1` and `l2` may be one for all
    or (R,), X and Y may be alike for all or (R, examples, ...). `batch_size` None is the full batch; otherwise each
    epoch runs over shuffled batches, `rng` being a seed or a Generator (in a population a list of R). `cost_epochs`
    names the epochs at which the cost is recorded (default: every one); with mini-batches too it is the cost on all
    examples. Raises RequestError where something does not fit.

    >>> or_gate = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])
    >>> run = fit(or_gate, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1], learning_rate=1.0, epochs=5000)
    >>> round(run.costs[0].item(), 6), round(run.cost, 6)
    (0.088913, 0.000528)
    """
    settings = Settings(cost, learning_rate, epochs, batch_size, optimizer, momentum, schedule, l1, l2)
    return Run(network, X, Y, settings, hooks, cost_epochs, rng).advance()
