"""How the columns of a frame become features, so that rows that come later become the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.errors import RequestError, one_line

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Column:
    """A column of numbers, or of text in so many `categories`, each of which becomes a feature of 0 and 1."""

    name: str
    categories: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """The names of its features."""
        return tuple(f"{self.name}={one}" for one in self.categories) or (self.name,)

    def encode(self, values: Sequence[Any]) -> np.ndarray:
        """The features (rows, features) of a column's values, NaN where there is a gap.

        Raises RequestError for what is no finite number, or none of the texts.
        """
        gaps = np.array([value is None or value != value for value in values], dtype=bool)
        if not self.categories:
            return np.array([np.nan if gap else self._number(one) for one, gap in zip(values, gaps, strict=True)])[
                :, None
            ]
        places = {one: place for place, one in enumerate(self.categories)}
        chosen = [0 if gap else self._place(one, places) for one, gap in zip(values, gaps, strict=True)]
        return np.where(gaps[:, None], np.nan, np.eye(len(places))[chosen])

    def decode(self, X: np.ndarray) -> list[Any]:
        """The values whose features X (rows, features) are: numbers or texts, None where there is a gap."""
        gaps = np.isnan(X[:, 0]).tolist()
        values = [self.categories[place] for place in X.argmax(1)] if self.categories else X[:, 0].tolist()
        return [None if gap else value for value, gap in zip(values, gaps, strict=True)]

    def _number(self, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = np.inf
        if not np.isfinite(number):
            raise RequestError(f"column {one_line(self.name)} has {one_line(value)}: finite numbers are needed")
        return number

    def _place(self, value: Any, places: dict[str, int]) -> int:
        if (text := text_of(value)) not in places:
            known = ", ".join(self.categories[:10]) + (", ..." if len(self.categories) > 10 else "")
            raise RequestError(f"column {one_line(self.name)} has {one_line(value)}: known are {known}")
        return places[text]


@dataclass(frozen=True)
class Encoding:
    """The columns that features are made of, in their order."""

    columns: tuple[Column, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of all features."""
        return tuple(feature for column in self.columns for feature in column.features)

    @property
    def groups(self) -> list[list[int]]:
        """The features of each column of text, by their places."""
        ends = np.cumsum([len(column.features) for column in self.columns])
        spans = zip(self.columns, ends, strict=True)
        return [[*range(end - len(column.categories), end)] for column, end in spans if column.categories]

    def describe(self) -> list[dict[str, Any]]:
        """Its columns as JSON has them."""
        return [{"name": column.name, "categories": list(column.categories)} for column in self.columns]

    @classmethod
    def restore(cls, told: Sequence[dict[str, Any]]) -> Encoding:
        """The encoding that `describe` told of."""
        return cls(tuple(Column(one["name"], tuple(one["categories"])) for one in told))

    def features_of(self, frame: pd.DataFrame) -> np.ndarray:
        """The features (rows, features) of a frame with these columns, whatever others it has. Raises RequestError."""
        names = [str(name) for name in frame.columns]
        if missing := [column.name for column in self.columns if column.name not in names]:
            raise RequestError(f"column {one_line(missing[0])} is missing: there are {one_line(', '.join(names))}")
        return np.column_stack([one.encode(frame.iloc[:, names.index(one.name)].tolist()) for one in self.columns])


def text_of(value: Any) -> str:
    """A value as the name of a category: whole numbers without a point."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return str(value)
