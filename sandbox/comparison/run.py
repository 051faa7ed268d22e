"""One run of a comparison: what an ended job of one of its cells came to."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.comparison.protocol import Cell
from sandbox.config import Config
from sandbox.job import Ended

TUNING, FINAL = "tuning", "final"
Winners = dict[Cell, list[Config]]  # of every cell, one for each repetition
JUDGED = {TUNING: "validation", FINAL: "test"}  # which part of the data a run of each role is judged on


@dataclass(frozen=True)
class Run:
    """What a comparison knows of one trained config.

    `score` is its accuracy, `loss` its cost: on validation data when `role` is tuning, on test data when it is final.
    `repetition` counts the tunings of its cell, `trial` the points of one (-1: none). `seconds` is its share of the time
    that its population took.
    """

    cell: Cell
    role: str
    repetition: int
    trial: int
    config: Config
    score: float
    loss: float
    cost: float
    converged: bool
    diverged: bool
    parameters: int
    seconds: float

    @classmethod
    def of(cls, ended: Ended) -> "Run":
        """The run of an ended job, whether it was just trained or read back."""
        tags, metrics, part = ended.job.tags, ended.metrics, JUDGED[ended.job.tags["role"]]
        return cls(
            cell=Cell(tags["arm"], tags["dataset"], int(tags["n_examples"])),
            role=tags["role"],
            repetition=int(tags["repetition"]),
            trial=int(tags["trial"]),
            config=ended.job.config,
            score=metrics[f"{part}_accuracy"],
            loss=metrics.get(f"{part}_cost", math.inf),
            cost=metrics.get("final_cost", math.inf),
            converged=bool(metrics["converged"]),
            diverged=ended.diverged,
            parameters=int(metrics["parameters"]),
            seconds=metrics["train_seconds"],
        )

    def to_row(self) -> dict[str, Any]:
        """The run as a row of a table, without what all runs share."""
        row = {**self.cell._asdict(), **asdict(self), "seed": self.config.seed}
        config = row.pop("config")
        row.pop("cell")
        return {**row, **{name: config[name] for name in ("learning_rate", "initializer", "weight_decay", "l2")}}
