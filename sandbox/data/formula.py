"""Data from a formula: `y > sin(x1)` is a question about points of a square, `y = x1*x2` a target for them.

formula := side ('>' | '<') side | 'y' '=' term
side    := number | term                          terms are those of crosses, over x1, x2, also called x and y
"""

from __future__ import annotations  # numpy.random takes as long to import as all of this

import re
from collections.abc import Callable
from functools import cache, partial

import numpy as np

from sandbox.data.crosses import Cross, parse_cross
from sandbox.data.generated import Arrays, Generated
from sandbox.errors import RequestError, one_line

SIGNS = re.compile("[<>=]")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.IGNORECASE)
HALF = 6.0  # of a side of the square, as Playground's plane has it
DEFAULT_N = 500
PROBES = 10_000

Side = Cross | float


@cache
def formula(text: str) -> Generated:
    """The data set of a formula. Raises RequestError where it is none, or true everywhere or nowhere in the square.

    Points are drawn from U(-6, 6) on each axis; noise moves the point at which the formula is read by noise * U(-6, 6).

    >>> entry = formula("y > sin(x)")
    >>> entry.name, entry.task, entry.load(200, 0.0, 1).X.shape
    ('x2>sin(x1)', 'binary', (200, 2))
    >>> formula("y = x1^2").name
    'y=x1^2'
    """
    if len(SIGNS.findall(text)) != 1:
        raise RequestError(f"formula {one_line(text)}: one of >, < and = is needed, such as 'y > sin(x1)'")
    (sign,) = SIGNS.findall(text)
    left, right = (part.strip() for part in text.split(sign))
    if sign == "=":
        if left != "y":
            raise RequestError(f"formula {one_line(text)}: write y = ..., or a question with > or <")
        target = parse_cross(_spelt(right, "x"), 2)
        inputs = 2 if re.search("x2", target.name) else 1
        draw = partial(_values, target, inputs)
        return Generated(f"y={target.name}", "values of a formula", "regression", inputs, DEFAULT_N, draw, edition=1)
    sides = _side(left), _side(right)
    names = [one.name if isinstance(one, Cross) else f"{one:g}" for one in sides]
    draw = partial(_classes, sides, np.greater if sign == ">" else np.less)
    share = draw(PROBES, 0.0, np.random.default_rng(0))[1].mean()
    if share in (0, 1):
        where = "everywhere" if share else "nowhere"
        raise RequestError(f"formula {one_line(text)} is true {where} from -6 to 6: there is nothing to learn")
    name = f"{names[0]}{sign}{names[1]}"
    return Generated(name, "points for which a formula holds, and others", "binary", 2, DEFAULT_N, draw, edition=1)


def _side(text: str) -> Side:
    return float(text) if NUMBER.fullmatch(text) else parse_cross(_spelt(text, "xy"), 2)


def _spelt(text: str, letters: str) -> str:
    """x and y as crosses write them: x1 and x2."""
    return re.sub(rf"\b[{letters}]\b", lambda found: {"x": "x1", "y": "x2"}[found[0]], text)


def _read(side: Side, X: np.ndarray) -> np.ndarray | float:
    return side(X) if isinstance(side, Cross) else side


def _classes(
    sides: tuple[Side, Side], sign: Callable[..., np.ndarray], n: int, noise: float, rng: np.random.Generator
) -> Arrays:
    X, moved = _square(n, 2, noise, rng)
    return X, sign(_read(sides[0], moved), _read(sides[1], moved)).astype(float)[:, None]


def _values(target: Cross, inputs: int, n: int, noise: float, rng: np.random.Generator) -> Arrays:
    X, moved = _square(n, inputs, noise, rng)
    return X, target(moved)[:, None]


def _square(n: int, inputs: int, noise: float, rng: np.random.Generator) -> Arrays:
    X = rng.uniform(-HALF, HALF, (n, inputs))
    return X, X + noise * rng.uniform(-HALF, HALF, (n, inputs))
