"""What the networks of a population come to on the parts of their data: costs, shares of examples that are right, scores."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from sandbox.config import ROLES, Config
from sandbox.nn.evaluation import evaluate
from sandbox.nn.hooks.measures import NAMES
from sandbox.nn.network import Network
from sandbox.nn.population import crop, places
from sandbox.nn.run import Run
from sandbox.result import Problem
from sandbox.scores import score

PARTS = ("train", "validation", "test")


class Figures:
    """Costs, accuracies and scores of networks, each computed on its own data as it would be alone.

    `sizes` are the layers of each network, which may be padded where they are computed together. Called with a run, a
    name such as "validation_cost" and the numbers of replicas, this gives their values, NaN where there is no such thing.
    """

    def __init__(self, configs: list[Config], problems: list[Problem], sizes: list[tuple[int, ...]]) -> None:
        self.configs, self.problems, self.sizes, self.task = configs, problems, sizes, problems[0].train.task
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
        values = np.full(len(self.configs), np.nan)
        for rows, outputs, Y, costs in self._outputs(run.network, part, replicas):
            if kind == "cost":
                values[rows] = costs
            elif kind != "accuracy":
                values[rows] = score(outputs, Y, self.task)[0].get(kind, np.nan)
            elif self.task != "regression":
                values[rows] = shares(outputs, Y, self.task)
        return values[replicas]

    def all(self, run: Run) -> list[dict[str, Any]]:
        """What the Result of each replica says of the parts: costs and accuracies by their names, None where it has no such
        thing; its `scores`, those that are finite; and `confusion`, where the test part's outputs are of classes."""
        results: list[dict[str, Any]] = [{**dict.fromkeys(NAMES), "scores": {}} for _ in self.configs]
        for part in PARTS:
            for rows, outputs, Y, costs in self._outputs(run.network, part, np.arange(len(self.configs))):
                columns = {f"{part}_cost": costs} if part != "train" else {}
                if self.task != "regression":
                    columns[f"{part}_accuracy"] = shares(outputs, Y, self.task)
                found, tables = score(outputs, Y, self.task) if part != "train" else ({}, None)
                for place, row in enumerate(rows):
                    result = results[row]
                    result |= {name: float(values[place]) for name, values in columns.items()}
                    own = {f"{part}_{kind}": float(values[place]) for kind, values in found.items()}
                    result["scores"] |= {name: value for name, value in own.items() if math.isfinite(value)}
                    if tables is not None and "test_f1" in result["scores"]:
                        result["confusion"] = tables[place].copy()
        return results

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
            self._data[key] = problem.inputs(data.X), problem.targets(data.Y)
        return self._data[key]

    def _outputs(
        self, network: Network, part: str, replicas: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Of those of the given replicas that have the part, group by group: which they are, (k,), their outputs
        (k, examples, outputs), targets, with or without the replicas' axis in front, and costs (k,)."""
        parameters = network.parameters.reshape(len(self.configs), -1)
        for alike in self._alike[part]:
            rows = alike[np.isin(alike, replicas)]
            if rows.size:
                some = crop(Network(network.sizes, network.activations, parameters[rows]), self.sizes[rows[0]])
                X, Y = self.data(part, rows)
                outputs, costs = evaluate(some, X, Y, self.configs[0].cost)
                unsigned = self.problems[rows[0]].unsigned
                yield rows, unsigned(outputs), unsigned(Y), costs


def shares(outputs: np.ndarray, Y: np.ndarray, task: str) -> Any:
    """The share of examples whose class is right, one for each replica: output above 0.5, or the largest of several.

    Outputs are (..., examples, outputs), Y likewise, with or without the replicas' axis in front.
    """
    if task == "binary":
        return ((outputs > 0.5) == (Y > 0.5)).mean((-2, -1))
    return (outputs.argmax(-1) == Y.argmax(-1)).mean(-1)
