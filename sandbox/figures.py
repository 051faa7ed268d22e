"""What the networks of a population come to on the parts of their data: costs, and shares of examples that are right."""

from typing import Any

import numpy as np

from sandbox.config import ROLES, Config
from sandbox.nn.evaluation import evaluate
from sandbox.nn.hooks.measures import NAMES
from sandbox.nn.network import Network
from sandbox.nn.population import crop, places
from sandbox.nn.run import Run
from sandbox.result import Problem

PARTS = ("train", "validation", "test")


class Figures:
    """Costs and accuracies of networks, each computed on its own data as it would be alone.

    `sizes` are the layers of each network, which may be padded where they are computed together. Called with a run, a
    name such as "validation_cost" and the numbers of replicas, this gives their values, NaN where there is no such thing.
    """

    def __init__(self, configs: list[Config], problems: list[Problem], sizes: list[tuple[int, ...]]) -> None:
        self.configs, self.problems, self.sizes = configs, problems, sizes
        self._names = [tuple(getattr(one, name) for name in ROLES if ROLES[name] == "data") for one in configs]
        self._data: dict[Any, tuple[np.ndarray, np.ndarray]] = {}
        self._alike: dict[str, list[np.ndarray]] = {part: self._groups(part) for part in PARTS}

    def _groups(self, part: str) -> list[np.ndarray]:
        """The numbers of replicas that have the part, those together that have as many examples and the same layers."""
        counts = [len(data) if (data := getattr(problem, part)) is not None else 0 for problem in self.problems]
        groups = places(zip(self.sizes, counts, strict=True))
        return [np.array(rows) for (_, examples), rows in groups.items() if examples]

    def __call__(self, run: Run, name: str, replicas: np.ndarray) -> np.ndarray:
        part, kind = name.split("_")
        return self._evaluate(run.network, part, replicas)[kind][replicas]

    def all(self, run: Run) -> list[dict[str, float | None]]:
        """Every figure by its name, for each replica; None where it has no such thing."""
        everyone = np.arange(len(self.configs))
        values = {part: self._evaluate(run.network, part, everyone) for part in PARTS}
        return [
            {
                name: float(values[part][kind][row]) if self._has(row, part, kind) else None
                for name in NAMES
                for part, kind in [name.split("_")]
            }
            for row in range(len(self.configs))
        ]

    def _has(self, row: int, part: str, kind: str) -> bool:
        data = getattr(self.problems[row], part)
        return data is not None and (kind == "cost" or data.task != "regression")

    def data(self, part: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (examples, inputs) and targets of some replicas, with their axis in front where they are not alike."""
        if len({self._names[row] for row in rows}) == 1:
            return self._inputs(part, rows[0])
        X, Y = zip(*(self._inputs(part, row) for row in rows), strict=True)
        return np.stack(X), np.stack(Y)

    def _inputs(self, part: str, row: int) -> tuple[np.ndarray, np.ndarray]:
        key = (part, self._names[row])
        if key not in self._data:
            problem = self.problems[row]
            data = getattr(problem, part)
            self._data[key] = problem.inputs(data.X), data.Y
        return self._data[key]

    def _evaluate(self, network: Network, part: str, replicas: np.ndarray) -> dict[str, np.ndarray]:
        """Costs and accuracies (R,) on a part of the data, NaN for others than the given replicas."""
        figures = {kind: np.full(len(self.configs), np.nan) for kind in ("cost", "accuracy")}
        parameters = network.parameters.reshape(len(self.configs), -1)
        task, cost = self.problems[0].train.task, self.configs[0].cost
        for alike in self._alike[part]:
            rows = alike[np.isin(alike, replicas)]
            if not rows.size:
                continue
            some = crop(Network(network.sizes, network.activations, parameters[rows]), self.sizes[rows[0]])
            X, Y = self.data(part, rows)
            outputs, figures["cost"][rows] = evaluate(some, X, Y, cost)
            if task != "regression":
                figures["accuracy"][rows] = shares(outputs, Y, task)
        return figures


def shares(outputs: np.ndarray, Y: np.ndarray, task: str) -> Any:
    """The share of examples whose class is right, one for each replica: output above 0.5, or the largest of several.

    Outputs are (..., examples, outputs), Y likewise, with or without the replicas' axis in front.
    """
    if task == "binary":
        return ((outputs > 0.5) == (Y > 0.5)).mean((-2, -1))
    return (outputs.argmax(-1) == Y.argmax(-1)).mean(-1)
