"""What each network of a training has come to: its costs so far, where it stopped, and the parameters it then had."""

from typing import Any

import numpy as np

from sandbox.errors import RequestError
from sandbox.nn.network import Network
from sandbox.nn.population import take
from sandbox.nn.workspace import Workspace

NEVER = -1


class Replicas:
    """The networks of a training, those in the workspace and those that have left it. One network has no axis for it."""

    def __init__(self, network: Network, work: Workspace, epochs: int, cost_epochs: Any = None) -> None:
        self.lead, self.sizes, self._names = network.lead, network.sizes, network.activations
        self.epoch, self.epochs = 0, epochs
        self._work = work
        self._rows: Any = np.arange(self.lead[0]) if self.lead else None  # the replicas that are in the workspace
        try:
            self._planned = np.arange(epochs) if cost_epochs is None else np.asarray(cost_epochs, int)
            self._recorded = np.full((len(self._planned), *self.lead), np.nan)
        except (MemoryError, ValueError):
            if cost_epochs is not None:
                raise
            raise RequestError(
                f"costs of {epochs} epochs have no room in memory: name fewer with cost_epochs"
            ) from None
        if np.any(np.diff(self._planned, prepend=-1, append=epochs) <= 0):
            raise RequestError(f"cost_epochs must be rising epochs from 0 to {epochs - 1}")
        self._points = 0
        self._value: Any = None  # the cost of the replicas in the workspace
        self._outdated = False  # whether there have been updates since
        self._alive, self._pruned = np.ones(self.lead, bool), np.zeros(self.lead, bool)
        self._final, self._final_cost = network.copy().parameters, np.full(self.lead, np.nan)
        self._epochs_run, self._diverged_at = np.full(self.lead, NEVER), np.full(self.lead, NEVER)

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
    def pruned(self) -> Any:
        return self._pruned if self.lead else bool(self._pruned)

    @property
    def cost(self) -> Any:
        if self._outdated:  # between mini-batches
            with np.errstate(all="ignore"):
                self._value, self._outdated = self._work.evaluate(), False
        return self._whole(self._final_cost, self._value) if self.lead else float(self._value)

    @property
    def network(self) -> Network:
        if not self.lead or self._alive.all():
            return self._work.network
        parameters = self._whole(self._final, self._work.network.parameters)
        return Network(self.sizes, self._names, parameters)

    def _whole(self, final: np.ndarray, working: np.ndarray) -> np.ndarray:
        """Values of the whole population: the working ones where a replica is alive, the final ones elsewhere."""
        whole, alive = final.copy(), self._alive[self._rows]
        whole[self._rows[alive]] = working[alive]
        return whole

    def stop(self, replicas: Any = None, pruned: bool = False) -> None:
        """End training here: of all networks, or of the given replicas. They keep the parameters that they have.

        `pruned` says that they were given up, not that they have learned what there was.
        """
        if not self.lead:
            if self._alive:
                self._alive[...], self._epochs_run[...], self._pruned[...] = False, self.epoch, pruned
            return
        ids = self.replicas if replicas is None else np.intersect1d(replicas, self.replicas)
        cost, parameters = self.cost, self.network.parameters
        self._final[ids], self._final_cost[ids] = parameters[ids], cost[ids]
        self._epochs_run[ids], self._alive[ids], self._pruned[ids] = self.epoch, False, pruned

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

    def _sparse(self) -> bool:
        """Whether at least half of the replicas in the workspace have stopped."""
        return self._rows is not None and 2 * self._alive.sum() <= len(self._rows)

    def _compact(self) -> None:
        """Take the replicas that have stopped out of the workspace, once they are many."""
        if self._rows is not None and self._sparse():
            staying = np.flatnonzero(self._alive[self._rows])
            self._work, self._rows = take(self._work, staying), self._rows[staying]
            self._value = self._value[staying]
