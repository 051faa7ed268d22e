"""An explanation: the graph of a config's network, and the first updates that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.config import Config
from sandbox.effort import check_memory
from sandbox.errors import RequestError
from sandbox.graph.build import batch_graph, example_graph, nodes_one_by_one
from sandbox.graph.graph import Pass
from sandbox.graph.parameters import with_numbers
from sandbox.nn.hooks import Snapshots
from sandbox.nn.network import Network
from sandbox.nn.run import Run
from sandbox.nn.schedules import get_schedule
from sandbox.nn.training import fit
from sandbox.result import prepare
from sandbox.train import build

READABLE = 4000  # nodes: beyond that, a list of them says nothing to anyone


@dataclass(frozen=True, eq=False)
class Update:
    """One update: the pass whose gradients it uses, and the pass with the parameters that it leads to."""

    number: int
    learning_rate: float
    before: Pass
    after: Pass

    def layers(self) -> list[tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]]:
        """For each layer (W, b), each of them as (before, gradient, after)."""
        networks = (self.before.network, self.before.gradients, self.after.network)
        by_kind = [
            zip(*(getattr(network, kind) for network in networks), strict=True) for kind in ("weights", "biases")
        ]
        return list(zip(*by_kind, strict=True))


@dataclass(frozen=True, eq=False)
class Explanation:
    """The graph of one forward and backward pass, and the updates from there.

    `example` is the example's number, None for a batch; `rows` are the numbers of the examples that the pass is over,
    of `available` in all. `note` says what was done otherwise than asked.
    """

    config: Config
    graph: Pass
    updates: list[Update]
    example: int | None
    rows: range
    available: int
    note: str = ""

    @property
    def title(self) -> str:
        """What was explained: data, network, cost."""
        config, network, rows = self.config, self.graph.network, self.rows
        over = f"all {self.available} examples"
        if self.example is not None:
            over = f"example {self.example} (of 0 to {self.available - 1})"
        elif len(rows) < self.available:
            over = f"the first {len(rows)} of {self.available} examples"
        sizes, activations = "-".join(map(str, network.sizes)), ", ".join(network.activations)
        return f"{config.dataset}, {over}; network {sizes} ({activations}); cost {config.cost}"

    @property
    def vectorised(self) -> bool:
        """Whether the nodes are arrays."""
        return self.graph.outputs[0].value.ndim > 0


def explain(
    config: Config,
    *,
    weights: str | None = None,
    biases: str | None = None,
    example: int | None = None,
    batch: bool = False,
    first: int | None = None,
    updates: int = 1,
) -> Explanation:
    """The pass of a config's network over one example (by default the first), or with `batch` over all or the `first`.

    `weights` and `biases` are as the command line takes them; without them the initializer and the seed give them.
    Raises RequestError where something does not fit.

    >>> explain(Config(dataset="or", hidden=()), weights="0.1,0.6").updates[0].after.loss.value.round(6).item()
    0.109882
    """
    if example is not None and batch:
        raise RequestError("--example is one example, --batch is many: give one of the two")
    if first is not None and not batch:
        raise RequestError("--first is for the vectorised pass: give --batch with it")
    check_memory(config)
    available = len(prepare(config).train)
    rows = range(_count(first, available)) if batch else range(_index(example, available), (example or 0) + 1)
    network, note = with_numbers(build(config), weights, biases), ""
    if not batch and (count := nodes_one_by_one(network)) > READABLE:
        note = f"{count:,} nodes one by one would be too many to read: arrays instead, as --batch has them"
    vectorised = batch or bool(note)
    graph = graph_of(config, network, rows, vectorised)
    steps = descend(graph, config, updates, rows, vectorised)
    return Explanation(config, graph, steps, None if batch else rows[0], rows, available, note)


def graph_of(config: Config, network: Network, rows: Sequence[int], vectorised: bool) -> Pass:
    """The pass of a network over some examples of the config's training data, or over one number by number."""
    X, Y = _data(config, rows)
    with np.errstate(all="ignore"):
        if vectorised:
            return batch_graph(network, X, Y, config.cost, l1=config.l1, l2=config.l2)
        return example_graph(network, X[0], Y[0], config.cost, l1=config.l1, l2=config.l2, features=features(config))


def descend(graph: Pass, config: Config, updates: int, rows: Sequence[int], vectorised: bool) -> list[Update]:
    """The trainer's first updates on these examples, each with the graphs of the passes before and after it."""
    if not updates:
        return []
    X, Y = _data(config, rows)
    settings = {**vars(config.settings()), "epochs": max(config.epochs, updates), "batch_size": None}
    with np.errstate(all="ignore"):
        run = fit(graph.network, X, Y, hooks=[_Steps(updates)], cost_epochs=[0], **settings)
    schedule, steps = get_schedule(config.schedule), []
    for number in range(updates):
        rate = config.learning_rate * float(schedule(number, config.epochs))
        after = graph_of(config, run.snapshots[number + 1], rows, vectorised)
        steps.append(Update(number + 1, rate, graph, after))
        graph = after
    return steps


def features(config: Config) -> Sequence[str]:
    """What the inputs are: names that say more than x1, and crosses."""
    problem = prepare(config)
    names = [
        "" if name == f"x{column}" else name.replace("_", " ")
        for column, name in enumerate(problem.train.feature_names, 1)
    ]
    kept = names if problem.kept is None else [problem.train.columns[place] for place in problem.kept]
    return [*kept, *(cross.name for cross in problem.crosses)]


def _data(config: Config, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    problem = prepare(config)
    return problem.inputs(problem.train.X)[list(rows)], problem.targets(problem.train.Y)[list(rows)]


class _Steps(Snapshots):
    """Keeps the network before and after each of the first updates, and stops."""

    def __init__(self, updates: int) -> None:
        super().__init__(range(updates + 1))
        self.updates = updates

    def on_epoch(self, run: Run) -> None:
        run.snapshot()
        if run.epoch == self.updates:
            run.stop()

    def on_end(self, run: Run) -> None:
        run.snapshot()


def _index(example: int | None, available: int) -> int:
    index = example or 0
    if not 0 <= index < available:
        raise RequestError(f"--example is {index}: there are {available} examples, 0 to {available - 1}")
    return index


def _count(first: int | None, available: int) -> int:
    if first is not None and not 1 <= first <= available:
        raise RequestError(f"--first is {first}: there are {available} examples, so 1 to {available}")
    return first or available
