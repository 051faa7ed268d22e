"""Training a network, or a population side by side, in one call."""

from collections.abc import Iterable, Sequence
from typing import Any

from sandbox.nn.costs import CostName
from sandbox.nn.hooks.hook import Hook
from sandbox.nn.network import Network
from sandbox.nn.optimizers import OptimizerName
from sandbox.nn.penalties import L1Rule
from sandbox.nn.run import Run
from sandbox.nn.schedules import ScheduleName
from sandbox.nn.workspace import Arithmetic, BatchOrder, Settings
from sandbox.own import Own


def fit(
    network: Network,
    X: Any,
    Y: Any,
    *,
    cost: CostName | Own = "squared_error",
    learning_rate: Any = 1.0,
    epochs: int = 1000,
    batch_size: int | None = None,
    optimizer: OptimizerName | Own = "gd",
    momentum: float = 0.9,
    schedule: ScheduleName | Own | Sequence[ScheduleName | Own] = "constant",
    l1: Any = 0.0,
    l2: Any = 0.0,
    weight_decay: Any = 0.0,
    batches: BatchOrder = "shuffled",
    l1_rule: L1Rule = "subgradient",
    arithmetic: Arithmetic = "matrix",
    hooks: Iterable[Hook] = (),
    cost_epochs: Any = None,
    rng: Any = 0,
) -> Run:
    """Train `network` on X (examples, features) and Y (examples,) or (examples, outputs); the given network stays as it is.

    A population (parameters (R, P)) trains side by side: `learning_rate`, `schedule`, `l1`, `l2` and `weight_decay` (the
    optimizer adamw's) may be one for all or (R,), X and Y may be alike for all or (R, examples, ...). `batch_size` None
    is the full batch; otherwise each epoch runs over shuffled batches, `rng` being a seed or a Generator (in a population
    a list of R). `batches`, `l1_rule` and `arithmetic` are those of Settings. `cost_epochs` names the epochs at which the
    cost is recorded (default: every one); with mini-batches too it is the cost on all examples. Cost, optimizer and schedule
    may be one's own: see Config. Raises RequestError where something does not fit.

    A network without the replicas' axis is computed in the fastest way that there is for one: its last bits may differ
    from those that `train` and populations come to, which are alike.

    >>> or_gate = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])
    >>> run = fit(or_gate, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1], learning_rate=1.0, epochs=5000)
    >>> round(run.costs[0].item(), 6), round(run.cost, 6)
    (0.088913, 0.000528)
    """
    rates = (l1, l2, weight_decay)
    settings = Settings(
        cost, learning_rate, epochs, batch_size, optimizer, momentum, schedule, *rates, batches, l1_rule, arithmetic
    )
    return Run(network, X, Y, settings, hooks, cost_epochs, rng).advance()
