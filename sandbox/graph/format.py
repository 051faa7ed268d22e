"""Numbers, tables and small matrices as text."""

from collections.abc import Sequence
from typing import Any

import numpy as np

DIGITS = 10  # significant ones; parameters, outputs and costs after an update are written in full instead
ROWS, COLUMNS = 8, 6  # of a matrix that are written


def number(value: Any, digits: int | None = DIGITS) -> str:
    """A number in that many significant digits, or with None in as many as it takes to read it back.

    >>> number(0.1 + 0.2), number(0.1 + 0.2, None), number(-0.0)
    ('0.3', '0.30000000000000004', '0')
    """
    x = float(np.asarray(value).item()) + 0.0  # no -0
    return repr(x).removesuffix(".0") if digits is None else f"{x:.{digits}g}"


def table(rows: Sequence[Sequence[str]], indent: int = 2) -> str:
    """Rows as left-aligned columns, the first row as the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join((" " * indent + line).rstrip() for line in lines)


def matrix(
    value: Any, digits: int | None = DIGITS, *, rows: int = ROWS, columns: int = COLUMNS, minus: str = "-"
) -> list[str]:
    """The lines of a matrix (or one number), its columns aligned; of a large one the first rows and columns."""
    array = np.atleast_2d(np.asarray(value))
    cells = [[number(x, digits).replace("-", minus) for x in row[:columns]] for row in array[:rows]]
    if array.shape[1] > columns:
        cells = [[*row, "..."] for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    return lines + ["..."] * (len(array) > rows)


def shape(value: Any) -> str:
    """(units, examples) of an array, nothing of a number."""
    return f"({', '.join(map(str, np.shape(value)))})" if np.ndim(value) else ""
