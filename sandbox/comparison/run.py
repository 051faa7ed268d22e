"""One run of a comparison: from a trained config or from its MLflow run, with the same numbers."""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sandbox.comparison.protocol import Cell
from sandbox.config import Config
from sandbox.data import Dataset
from sandbox.result import Result, prepare
from sandbox.sweeps.record import git_commit, metrics, pictures
from sandbox.tracking import Record

TUNING, FINAL = "tuning", "final"


@dataclass(frozen=True)
class Run:
    """What a comparison knows of one trained config.

    `score` is its accuracy: on validation data when `role` is tuning, on test data when it is final; a run that diverged
    is worth the share of the commonest class there. `log_loss` is on the same data. `trial` counts the points of tuning
    (-1: none). `seconds` is its share of the time that its population took.
    """

    cell: Cell
    role: str
    trial: int
    config: Config
    score: float
    log_loss: float
    cost: float
    converged: bool
    diverged: bool
    parameters: int
    seconds: float

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from the other runs of its comparison."""
        return self.cell.arm, self.role, self.config.key

    def to_row(self) -> dict[str, Any]:
        """The run as a row of a table, without what all runs share."""
        row = {**self.cell._asdict(), **asdict(self), "seed": self.config.seed}
        config = row.pop("config")
        row.pop("cell")
        return {**row, **{name: config[name] for name in ("learning_rate", "initializer", "l2")}}


def from_result(result: Result, cell: Cell, role: str, trial: int) -> Run:
    """The run of a config that was just trained."""
    data = judging_data(result.config, role)
    accuracy, log_loss = judge(result, data)
    return Run(
        cell,
        role,
        trial,
        result.config,
        commonest(data) if result.diverged_at is not None else accuracy,
        log_loss,
        result.cost if math.isfinite(result.cost) else math.inf,
        result.converged,
        result.diverged_at is not None,
        result.network.parameters.size,
        result.seconds,
    )


def from_row(row: Mapping[str, Any], cell: Cell, role: str, trial: int, config: Config) -> Run:
    """The run as MLflow has it; `row` is one of Store.runs_frame."""
    numbers = {name: float(row.get(f"metrics.{name}", math.nan)) for name in ("final_cost", "log_loss")}
    return Run(
        cell,
        role,
        trial,
        config,
        float(row["metrics.score"]),
        math.inf if math.isnan(numbers["log_loss"]) else numbers["log_loss"],
        math.inf if math.isnan(numbers["final_cost"]) else numbers["final_cost"],
        bool(row["metrics.converged"]),
        bool(row["metrics.diverged"]),
        int(row["metrics.parameters"]),
        float(row["metrics.train_seconds"]),
    )


def to_record(run: Run, result: Result, comparison: str) -> Record:
    """What MLflow is to keep of it; with pictures where the result has snapshots.

    A tuning run has no metric `test_accuracy`: what it was judged on is `validation_accuracy`.
    """
    end = int(time.time() * 1000)
    cell, config = run.cell, run.config
    name = f"{cell.dataset}, {cell.n}, {cell.arm}, " + (f"trial {run.trial}" if run.role == TUNING else "final")
    finals = {"score": run.score, "log_loss": run.log_loss, "converged": float(run.converged)}
    if run.role == TUNING:
        finals["validation_accuracy"] = run.score
    named = [one for one in metrics(result) if run.role == FINAL or one[0] != "test_accuracy"]
    slider, images = pictures(result, name) if result.snapshots else ({}, {})
    return Record(
        name=f"{name}, seed {config.seed}",
        status="FINISHED",
        start_time=end - int(result.seconds * 1000),
        end_time=end,
        params=config.params(),
        metrics=[*named, *((key, float(value), 0) for key, value in finals.items() if math.isfinite(value))],
        tags={
            "comparison": comparison,
            "sweep": comparison,
            "role": run.role,
            "arm": cell.arm,
            "dataset": cell.dataset,
            "n_examples": str(cell.n),
            "seed": str(config.seed),
            "trial": str(run.trial),
            "config_key": config.key,
            **git_commit(),
        },
        images=images,
        slider=slider,
    )


def judging_data(config: Config, role: str) -> Dataset:
    """The examples that a run is judged on: the test part when it is final; the validation part when it is for tuning."""
    problem = prepare(config)
    data = problem.test if role == FINAL else problem.validation
    assert data is not None  # n_examples is always given, and leaves enough
    return data


def judge(result: Result, data: Dataset) -> tuple[float, float]:
    """Accuracy and mean negative log likelihood of a result's network on these examples."""
    outputs = result.network.predict(result.problem.inputs(data.X))
    if data.task == "binary":
        right = data.Y > 0.5
        found, of_right = outputs > 0.5, np.where(right, outputs, 1 - outputs)
        share = float((found == right).mean())
    else:
        of_right = (outputs * data.Y).sum(-1)
        share = float((outputs.argmax(-1) == data.Y.argmax(-1)).mean())
    with np.errstate(invalid="ignore"):
        loss = float(-np.log(np.clip(of_right, 1e-12, 1)).mean())
    return share, loss if math.isfinite(loss) else math.inf


def commonest(data: Dataset) -> float:
    """The share of the commonest class: what a network that knows nothing else could get."""
    shares = data.Y.mean(0)
    return float(max(*shares, 1 - shares[0]) if data.task == "binary" else shares.max())
