"""The one shape that every data set has, wherever it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.data.checks import SCALINGS, TASKS
from sandbox.errors import RequestError, choose

if TYPE_CHECKING:
    import pandas as pd

    from sandbox.data.encoding import Encoding


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples to learn from, one per row.

    X is (examples, features) and Y (examples, outputs), both float64. Y has one column of 0 and 1 for the
    task "binary", one column of targets for "regression", and is one-hot, a column per class, for
    "multiclass".
    Feature crosses call the columns of X x1, x2, ... whatever `feature_names` says, but where the data are `named`.

    A data set of one's own is given to `Config(dataset=...)` as it is, and comes in parts as the tables do: then `scaling`
    says what is done to its features ("standard", "minmax" or "none"), and NaN in X are gaps, filled by what the training
    part has most of. `encoding` says how the columns of a frame have become features, `summary` what was done in a line.

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
    named: bool = False
    scaling: str = "standard"
    encoding: Encoding | None = None
    summary: str = ""

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        target: str,
        *,
        name: str = "frame",
        task: str | None = None,
        gaps: str = "drop",
        scaling: str = "standard",
        leave_out: Sequence[str] = (),
    ) -> Dataset:
        """A data set of a pandas DataFrame: `target` is the column to learn, all others but `leave_out` are features.

        Numbers stay as they are, a column of text becomes a column for each of its texts. The task is found from the
        target: two different values are "binary" (1 is the latter in their order), text or up to twenty whole numbers
        "multiclass", other numbers "regression". Rows with gaps are dropped, or ("fill") filled by the training part's
        mean or its most frequent text; those without a target are dropped. Raises RequestError.

        >>> import pandas as pd
        >>> frame = pd.DataFrame({"age": [20, 40, 60, 30] * 3, "city": ["Rome", "Oslo", None, "Oslo"] * 3, "y": [0, 1] * 6})
        >>> Dataset.from_frame(frame, "y").summary
        '9 of 12 rows (3 with gaps dropped), 1 number standardised, city in 2 columns'
        """
        from sandbox.data.frame import parts_of

        return cls(name, named=True, **parts_of(frame, target, name, task, gaps, scaling, leave_out))

    @classmethod
    def from_file(cls, path: str | Path, target: str | None, **options: Any) -> Dataset:
        """The same of a file, CSV or Parquet, with the options of `from_frame`. Raises RequestError."""
        from sandbox.data.frame import read_frame

        frame = read_frame(Path(path))
        if target is None:
            raise RequestError(f"{path}: say which column is to be learnt, such as --target {frame.columns[-1]}")
        return cls.from_frame(frame, target, **{"name": Path(path).name.split(".")[0], **options})

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
        choose("scaling", self.scaling, dict.fromkeys(SCALINGS))

    @property
    def columns(self) -> tuple[str, ...]:
        """What crosses and pictures call the columns of X."""
        return self.feature_names if self.named else tuple(f"x{column + 1}" for column in range(self.X.shape[1]))

    def __len__(self) -> int:
        return len(self.X)

    def take(self, indices: Sequence[int] | np.ndarray) -> Dataset:
        """The data set of these examples only, in this order."""
        chosen = np.asarray(indices, dtype=np.intp)
        return replace(self, X=self.X[chosen], Y=self.Y[chosen])
