"""The objective: the metric by which a sweep ranks its runs, and whether more of it is better."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sandbox.config import Config
from sandbox.errors import RequestError, choose, one_line
from sandbox.job import Ended
from sandbox.nn.hooks.measures import MORE_IS_BETTER, SCORES

WORST = 1e9  # what a run that diverged is worth to Optuna: finite, and worse than any that counts as sound
METRICS: dict[str, None] = dict.fromkeys(
    (
        *("final_cost", "best_cost", "validation_cost", "test_cost", "penalty"),
        *("train_accuracy", "validation_accuracy", "test_accuracy", *SCORES),
        *("converged", "epochs_run", "parameters", "train_seconds"),
    )
)
METRIC_NAME = re.compile(r"[\w.:/ -]{1,240}")  # with "best_" before it the parent run has it too
VALIDATION = {name for name in METRICS if name.startswith("validation_")}
OF_VALUES = ("validation_r2", "validation_rmse")  # for regression; the others, but for the cost, are for classes


@dataclass(frozen=True)
class Objective:
    """A metric of runs, the last value where it is a curve, and "min" or "max".

    >>> Objective.parse("validation_accuracy"), Objective.parse("min:dead_units").metric
    (Objective(metric='validation_accuracy', direction='max'), 'dead_units')
    """

    metric: str
    direction: str

    @classmethod
    def parse(cls, text: str, *, hooked: bool = True) -> "Objective":
        """From "validation_accuracy", or "max:NAME" for what a hook records (`hooked`: there is a hook).

        Accuracies, precision, recall, f1 and r2 are maximized, everything else minimized unless it says so. Raises
        RequestError.
        """
        text = text.strip() if isinstance(text, str) else text
        direction, colon, name = text.partition(":") if isinstance(text, str) else ("", "", "")
        if (colon and direction not in ("min", "max")) or not isinstance(text, str):
            raise RequestError(f"objective is {text!r}: write a metric's name, or min:NAME, or max:NAME")
        name = name if colon else text
        if METRIC_NAME.fullmatch(name) is None:
            raise RequestError(
                f"objective is {one_line(text)}: {one_line(name)} is no name that MLflow has for a metric"
            )
        if not hooked:
            choose("objective", name, METRICS)
        more = name in MORE_IS_BETTER or name.endswith(("accuracy", "converged"))
        return cls(name, direction if colon else "max" if more else "min")

    def for_data(self, configs: Iterable[Config]) -> "Objective":
        """The same, or what comes next where one of these configs has no such metric: a figure of validation data
        becomes `validation_cost` where it is not for the task, and `final_cost` where there is no validation part."""
        metric = self.metric
        for config in configs:
            if metric not in VALIDATION:
                break
            if metric != "validation_cost" and (metric in OF_VALUES) != (config.data.task == "regression"):
                metric = "validation_cost"
            if not config.has_validation:
                metric = "final_cost"
        return self if metric == self.metric else Objective(metric, "min")

    @property
    def of_optuna(self) -> Literal["minimize", "maximize"]:
        """The direction in Optuna's word."""
        return "minimize" if self.direction == "min" else "maximize"

    @property
    def words(self) -> str:
        """As `parse` takes it."""
        return f"{self.direction}:{self.metric}"

    @property
    def worst(self) -> float:
        return WORST if self.direction == "min" else -WORST

    def value(self, ended: Ended) -> float:
        """What an ended job is worth: finite, and the worst where it diverged or has no such metric."""
        value = ended.metrics.get(self.metric, np.nan)
        return self.worst if ended.diverged or np.isnan(value) else float(np.clip(value, -WORST, WORST))

    def rank(self, value: float) -> float:
        """A key to sort by: the lowest is the best."""
        return value if self.direction == "min" else -value
