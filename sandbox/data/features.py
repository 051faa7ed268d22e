"""From raw rows to a network's inputs: columns encoded, brought to scale, and crossed, as the training examples were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.data.crosses import Cross, add_crosses, parse_crosses
from sandbox.data.encoding import Column, Encoding
from sandbox.data.scaling import Scaling
from sandbox.errors import RequestError, one_line


@dataclass(frozen=True, eq=False)
class Features:
    """What is done to raw features, which go by `names`, and are called `columns` in crosses.

    `scaling` None: they stay in their own units. `encoding` None: they are numbers, a column each. `kept` None: all of them
    are inputs, else those at these places, beside the crosses.

    >>> features = Features(("age", "height"), ("x1", "x2"), parse_crosses(["x1*x2"], 2))
    >>> features([[2, 3]])
    array([[2., 3., 6.]])
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    crosses: tuple[Cross, ...] = ()
    scaling: Scaling | None = None
    encoding: Encoding | None = None
    kept: tuple[int, ...] | None = None

    @property
    def inputs(self) -> int:
        """How many inputs there are."""
        return (len(self.names) if self.kept is None else len(self.kept)) + len(self.crosses)

    @property
    def raw(self) -> tuple[Column, ...]:
        """The columns of raw rows."""
        return self.encoding.columns if self.encoding else tuple(map(Column, self.names))

    def rows(self, X: np.ndarray) -> list[list[Any]]:
        """The raw rows whose features X (rows, features) are, in their own units: numbers, texts, None for gaps."""
        ends = np.cumsum([len(one.features) for one in self.raw])
        parts = [one.decode(X[:, end - len(one.features) : end]) for one, end in zip(self.raw, ends, strict=True)]
        return [list(row) for row in zip(*parts, strict=True)]

    @property
    def has_gaps(self) -> bool:
        """Whether raw rows may have gaps, which are filled."""
        return self.scaling is not None and self.scaling.fill is not None

    def __call__(self, rows: Any) -> np.ndarray:
        """The inputs (rows, features + crosses) of raw rows: numbers (rows, features), or a frame with these columns.

        Raises RequestError for other shapes, and for gaps where the training examples had none.
        """
        X = self._of_frame(rows) if hasattr(rows, "iloc") else self._of_array(rows)
        if not self.has_gaps and np.isnan(X).any():
            row, column = np.argwhere(np.isnan(X))[0]
            name = one_line(self.names[column].partition("=")[0] if self.encoding else self.names[column])
            raise RequestError(f"row {row + 1} has a gap in column {name}: there were none in the training examples")
        return add_crosses(X if self.scaling is None else self.scaling(X), self.crosses, self.kept)

    def _of_array(self, rows: Any) -> np.ndarray:
        wanted = f"(examples, {len(self.names)})"
        try:
            X = np.asarray(rows, dtype=float)
        except (TypeError, ValueError):
            raise RequestError(f"X is {one_line(rows)}: numbers of shape {wanted} are needed") from None
        if X.ndim != 2 or X.shape[1] != len(self.names):
            raise RequestError(f"X has shape {X.shape}: {wanted} is needed")
        return X

    def _of_frame(self, frame: Any) -> np.ndarray:
        encoding = self.encoding
        if encoding is None:
            there = {str(name) for name in frame.columns}
            names = self.names if there.issuperset(self.names) or not there.issuperset(self.columns) else self.columns
            encoding = Encoding(tuple(map(Column, names)))
        return encoding.features_of(frame)

    def describe(self) -> dict[str, Any]:
        """All of it as JSON has it; numbers keep their last bit."""
        scaling = self.scaling and {name: None if v is None else v.tolist() for name, v in vars(self.scaling).items()}
        return {
            "names": list(self.names),
            "columns": list(self.columns),
            "crosses": [cross.name for cross in self.crosses],
            "scaling": scaling,
            "encoding": self.encoding.describe() if self.encoding else None,
            **({} if self.kept is None else {"kept": list(self.kept)}),
        }

    @classmethod
    def restore(cls, told: dict[str, Any]) -> Features:
        """The features that `describe` told of. Raises KeyError, TypeError, ValueError for anything else."""
        names, columns = tuple(map(str, told["names"])), tuple(map(str, told["columns"]))
        crosses = parse_crosses(told["crosses"], columns)
        scaling = None
        if told["scaling"]:
            mean, scale, fill = (told["scaling"][name] for name in ("mean", "scale", "fill"))
            scaling = Scaling(
                np.array(mean, float), np.array(scale, float), None if fill is None else np.array(fill, float)
            )
        encoding = Encoding.restore(told["encoding"]) if told["encoding"] else None
        kept = told.get("kept")
        if kept is not None and not all(isinstance(place, int) and 0 <= place < len(names) for place in kept):
            raise ValueError("features are kept that there are not")
        return cls(names, columns, crosses, scaling, encoding, None if kept is None else tuple(kept))
