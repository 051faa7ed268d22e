"""Stopping networks that learn nothing more, and giving them back their best parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sandbox.errors import RequestError, is_count, is_number
from sandbox.nn.checks import check_data
from sandbox.nn.costs import get_cost
from sandbox.nn.hooks.hook import Hook
from sandbox.nn.layouts import Stacked
from sandbox.nn.network import Network
from sandbox.nn.propagation import Propagation


class EarlyStopping(Hook):
    """Stops a network whose cost has not improved for `patience` epochs, and restores its best parameters at the end.

    The cost is that of training, or that of the validation data X (examples, inputs) and Y (examples,) or (examples,
    outputs) where they are given; it is looked at every `every` epochs and at the end. Improving means falling by more
    than `min_delta`; restored are the parameters of the lowest cost seen, however little it fell. In a population each
    replica has a patience of its own. A network that diverged stays as it is.

    Afterwards `best_cost` and `best_epoch`, () or (R,), say what was restored (of the last population). Hooks that come
    after this one see the restored network in `on_end`. Raises RequestError for a patience below 1, a negative
    `min_delta`, and data that do not fit.

    >>> from sandbox.nn import Network, fit
    >>> line = Network.from_parameters([[[0.0]]], [[0.0]], ["linear"])
    >>> hook = EarlyStopping(5, X=[[1]], Y=[2])  # which another slope fits best
    >>> run = fit(line, [[1], [2]], [3, 6], learning_rate=0.1, epochs=500, hooks=[hook])
    >>> hook.best_epoch.item(), run.epochs_run, run.network.predict([[1]]).round(1).item()
    (2, 7, 2.0)
    """

    def __init__(self, patience: int, min_delta: float = 0.0, X: Any = None, Y: Any = None, every: int = 1) -> None:
        if not (is_count(patience) and patience >= 1):
            raise RequestError(f"patience is {patience!r}: a whole number of epochs of at least 1 is needed")
        if not (is_number(min_delta) and np.ndim(min_delta) == 0 and min_delta >= 0):
            raise RequestError(f"min_delta is {min_delta!r}: a number of at least 0 is needed")
        if (X is None) != (Y is None):
            raise RequestError("validation data are X and Y: give both, or neither for the training cost")
        self.patience, self.min_delta, self.X, self.Y, self.every = patience, min_delta, X, Y, every

    def on_start(self, run):
        self._validate = None if self.X is None else cost_function(run.network, self.X, self.Y, run.settings.cost)
        self.best_cost, self.best_epoch = np.full(run.lead, np.inf), np.zeros(run.lead, int)
        self._best, self._best_training_cost = np.array(run.network.parameters), np.array(run.cost, float)
        self._mark, self._marked_at = np.full(run.lead, np.inf), np.zeros(run.lead, int)  # what has to be improved on

    def on_epoch(self, run):
        self._look(run)
        late = run.replicas[(run.epoch - np.atleast_1d(self._marked_at))[run.replicas] >= self.patience]
        if late.size:
            run.stop(late)

    def on_end(self, run):
        self._look(run)
        self._validate = None  # its buffers are needed no more
        if run.lead:
            run.restore(self._best, self._best_training_cost, np.flatnonzero(run.diverged_at < 0))
        elif run.diverged_at is None:
            run.restore(self._best, self._best_training_cost)

    def _look(self, run):
        costs = np.asarray(run.cost if self._validate is None else self._validate(run.network))
        improved, lower = costs < self._mark - self.min_delta, costs < self.best_cost
        np.copyto(self._mark, costs, where=improved)
        np.copyto(self._marked_at, run.epoch, where=improved)
        if lower.any():
            np.copyto(self.best_cost, costs, where=lower)
            np.copyto(self.best_epoch, run.epoch, where=lower)
            np.copyto(self._best, run.network.parameters, where=lower[..., None])
            np.copyto(self._best_training_cost, run.cost, where=lower)


def cost_function(network: Network, X: Any, Y: Any, cost: str) -> Callable[[Network], Any]:
    """A function that gives the cost on X and Y of any network of this one's shape, in buffers made once."""
    X, Y = check_data(network, X, Y, cost)
    layout = Stacked(network.lead, network.parameters.dtype)
    parameters = layout.arrange(network.parameters)
    made = (layout, network.sizes, network.activations, get_cost(cost), parameters, np.zeros_like(parameters))
    one_pass = Propagation(*made, layout.inputs(X), layout.targets(Y))

    def value(network: Network) -> Any:
        parameters[...] = network.parameters
        return one_pass.evaluate()

    return value
