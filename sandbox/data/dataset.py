"""The one shape that every data set has, wherever it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sandbox.errors import RequestError

TASKS = ("binary", "multiclass", "regression")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples to learn from, one per row.

    X is (examples, features) and Y (examples, outputs), both float64. Y has one column of 0 and 1 for the
    task "binary", one column of targets for "regression", and is one-hot, a column per class, for
    "multiclass".
    Feature crosses call the columns of X x1, x2, ... whatever `feature_names` says.

    Raises RequestError when the shapes, the names and the task do not fit together.

    >>> Dataset("two", np.eye(2), np.ones((2, 1)), ("x1", "x2"), "binary").take([1]).X
    array([[0., 1.]])
    """

    name: str
    X: np.ndarray
    Y: np.ndarray
    feature_names: tuple[str, ...]
    task: str
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise RequestError(f"unknown task {self.task!r}. Valid: {', '.join(TASKS)}")
        shapes = f"X has shape {self.X.shape} and Y {self.Y.shape}"
        if self.X.ndim != 2 or self.Y.ndim != 2 or len(self.X) != len(self.Y):
            raise RequestError(f"{shapes}: they must be (examples, features) and (examples, outputs)")
        if self.X.shape[1] != len(self.feature_names):
            raise RequestError(f"{shapes}, but there are {len(self.feature_names)} feature names")
        if self.task != "multiclass" and self.Y.shape[1] != 1:
            raise RequestError(f"{shapes}: the task {self.task} has one output")

    def __len__(self) -> int:
        return len(self.X)

    def take(self, indices: Sequence[int] | np.ndarray) -> "Dataset":
        """The data set of these examples only, in this order."""
        chosen = np.asarray(indices, dtype=np.intp)
        return replace(self, X=self.X[chosen], Y=self.Y[chosen])
