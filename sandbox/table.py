"""Tables as people read them in a terminal."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def render(table: "Mapping[str, Sequence[Any]] | pd.DataFrame") -> str:
    """A table, columns by name, as aligned text: words to the left, numbers to the right.

    >>> print(render({"name": ["a", "longer"], "runs": [5, 1000]}))
    name   runs
    a         5
    longer 1000
    """
    columns = []
    for name in table:
        values = list(table[name])
        cells = [str(name), *map(show, values)]
        align = str.rjust if all(isinstance(value, Real) for value in values) else str.ljust
        columns.append([align(cell, max(map(len, cells))) for cell in cells])
    return "\n".join(map(" ".join, zip(*columns, strict=True)))


def show(value: object) -> str:
    """A cell's text: of a number four digits, "-" where there is none."""
    if isinstance(value, float):
        return "-" if np.isnan(value) else f"{value:.4g}"
    return str(value)
