"""The search space: what a sweep varies, and over which values.

A dimension has a name and values. The name is a field of Config, and the values are that field's; or the dimension is
one of `Arms`, each of which sets several fields at once. A point is a value for every dimension: a number, or text (the
way MLflow and the command line have it), so that points compare and survive being stored.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.config import KINDS, Config, parse_value
from sandbox.errors import RequestError, choose, is_number, one_line
from sandbox.fields import format_value

Point = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """One of several values, in this order. Raises RequestError where there is none.

    >>> Choice(((), (8,), (8, 8))).grid(), Choice((0.1, 1)).grid()
    (['none', '8', '8,8'], [0.1, 1])
    """

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise RequestError("a choice needs at least one value")

    @property
    def numbers(self) -> bool:
        """Whether all values are numbers, which have an order."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)

    def pick(self, u: float) -> Any:
        """The value at u in [0, 1)."""
        return self.grid()[min(int(u * len(self.values)), len(self.values) - 1)]

    def grid(self) -> list[Any]:
        """All values: numbers, or text."""
        return list(self.values) if self.numbers else [format_value(value) for value in self.values]

    def changes(self, name: str, value: Any) -> dict[str, Any]:
        """The fields of Config that `value` sets."""
        return {name: value if self.numbers else parse_value(name, value)}


@dataclass(frozen=True)
class Arms(Choice):
    """Alternatives by name, each setting fields of its own: `Arms({"cross": {"crosses": ("x1*x2",)}, ...})`."""

    fields: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = ()

    def changes(self, name: str, value: str) -> dict[str, Any]:
        return dict(choose(name, value, dict(self.fields)))


def arms(alternatives: Mapping[str, Mapping[str, Any]]) -> Arms:
    """Alternatives by name, each setting fields of Config of its own: arms from {name: {field: value}}.

    >>> arms({"cross": {"crosses": ("x1*x2",), "hidden": ()}, "deep": {"hidden": (8, 8)}}).changes("arm", "deep")
    {'hidden': (8, 8)}
    """
    fields = tuple((name, tuple(changes.items())) for name, changes in alternatives.items())
    return Arms(tuple(alternatives), fields)


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, evenly spread or evenly on a log scale; whole numbers with `integer`.

    Raises RequestError where `low` is not below `high`, and for a log scale that does not start above 0.

    >>> Range(0.01, 100, log=True).pick(0.5), Range(1, 8, integer=True).pick(0.999)
    (1.0, 8)
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False

    def __post_init__(self) -> None:
        ends = f"{one_line(self.low)}..{one_line(self.high)}"
        if not (is_number([self.low, self.high]) and self.low < self.high):
            raise RequestError(f"range {ends}: the first number must be below the second")
        if self.log and self.low <= 0:
            raise RequestError(f"range {ends}:log: a log scale starts above 0")
        with np.errstate(over="ignore"):
            if not np.isfinite(np.divide(self.high, self.low) if self.log else np.subtract(self.high, self.low)):
                raise RequestError(f"range {ends} is too wide: no number is that large")

    def pick(self, u: float) -> Any:
        """The value at u in [0, 1)."""
        low, high = self.low, self.high + (1 if self.integer else 0)
        value = math.exp(math.log(low) + u * math.log(high / low)) if self.log else low + u * (high - low)
        if self.integer:
            return min(int(value), int(self.high))
        short = float(f"{value:.6g}")  # a figure that people can read and type again
        return float(min(max(short, self.low), self.high))

    def grid(self) -> list[Any]:
        """Raises RequestError: a range has no end of values."""
        raise RequestError(f"a grid needs values, not the range {self.low}..{self.high}: write them out, or sample")

    def changes(self, name: str, value: Any) -> dict[str, Any]:
        """The field of Config that `value` sets."""
        return {name: value}


Dimension = Choice | Range


def log_grid(low: float, high: float, count: int) -> Choice:
    """`count` values from `low` to `high`, evenly spread on a log scale, to three digits.

    >>> log_grid(0.01, 10, 4).values
    (0.01, 0.1, 1.0, 10.0)
    """
    return Choice(tuple(float(f"{value:.3g}") for value in np.geomspace(low, high, count)))


def choice(*values: Any) -> Choice:
    """One of these values: `choice("plain", "xavier", "he")`, `choice((), (8,), (8, 8))`.

    >>> choice("plain", "xavier", "he").pick(0.4)
    'xavier'
    """
    return Choice(values)


_RANGE = re.compile(r"(?P<low>[^.]\S*?)\.\.(?P<high>[^:]+)(?P<options>(:\w+)*)$")


def parse_dimension(text: str) -> tuple[str, Dimension]:
    """A dimension as people type it: `learning_rate=0.001..10:log`, `initializer=plain,xavier`, `hidden=8|8,8`.

    Values are parted by commas; those that have commas themselves (hidden, crosses) by bars, or by commas where one of
    them is none. Raises RequestError, also for a single value: nothing would vary.

    >>> parse_dimension("learning_rate=0.001..10:log")
    ('learning_rate', Range(low=0.001, high=10.0, log=True, integer=False))
    >>> parse_dimension("hidden=none|8,8")
    ('hidden', Choice(values=((), (8, 8))))
    """
    name, equals, values = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or not values.strip():
        raise RequestError(f"{text!r} varies nothing: write FIELD=LOW..HIGH, FIELD=LOW..HIGH:log or FIELD=VALUE,VALUE")
    matched = _RANGE.match(values.strip())
    if matched:
        options = [option for option in matched["options"].split(":") if option]
        for option in options:
            choose("option of a range", option, {"log": 1, "int": 1})
        low, high = (parse_value(name, matched[end]) for end in ("low", "high"))
        if isinstance(low, bool) or not all(isinstance(end, int | float) for end in (low, high)):
            raise RequestError(f"{name} has no range: write its values with commas between")
        return name, Range(low, high, "log" in options, isinstance(low, int) or "int" in options)
    parts = values.split("|") if "|" in values else values.split(",")
    several = "|" not in values and len(parts) > 1 and "none" not in map(str.strip, parts)
    if several and name in KINDS and KINDS[name].several:
        raise RequestError(f"{text} is one value of several parts: put bars between values, {name}={'|'.join(parts)}")
    choice = Choice(tuple(parse_value(name, part) for part in parts))
    if len(choice.values) < 2:
        raise RequestError(f"{text} is one value: give two or more, or say --{name.replace('_', '-')} {values}")
    return name, choice


def fields_of(name: str, dimension: Dimension) -> set[str]:
    """The fields of Config that a dimension sets."""
    if not isinstance(dimension, Choice):
        return {name}
    return {field for value in dimension.grid() for field in dimension.changes(name, value)}


def to_config(base: Config, space: Mapping[str, Dimension], point: Mapping[str, Any]) -> Config:
    """The config at a point of the space. Raises RequestError where a value is none for its field."""
    changes: dict[str, Any] = {}
    for name, dimension in space.items():
        changes |= dimension.changes(name, point[name])
    return base.replace(**changes)


def grid_points(space: Mapping[str, Dimension]) -> list[Point]:
    """Every combination of the dimensions' values, the last dimension moving fastest."""
    points: list[Point] = [{}]
    for name, dimension in space.items():
        points = [{**point, name: value} for point in points for value in dimension.grid()]
    return points


def sampled_points(space: Mapping[str, Dimension], sampler: str, count: int, seed: int = 0) -> list[Point]:
    """`count` different points drawn at "random" or quasi-randomly ("sobol"); fewer where the space has hardly more.

    The first ones are the same whatever `count`.
    """
    points: list[Point] = []
    for draws in (count, 2 * count, 4 * count):
        places = _unit_cube(sampler, draws, len(space), seed)
        drawn = [{name: one.pick(u) for (name, one), u in zip(space.items(), row, strict=True)} for row in places]
        points = list({json.dumps(point, sort_keys=True): point for point in drawn}.values())
        if len(points) >= count:
            break
    return points[:count]


def _unit_cube(sampler: str, count: int, axes: int, seed: int) -> np.ndarray:
    """`count` places in the unit cube."""
    rng = np.random.default_rng(seed)
    if sampler == "random":
        return rng.random((count, axes))
    from scipy.stats import qmc

    return qmc.Sobol(axes, rng=rng).random_base2(max(0, math.ceil(math.log2(max(count, 1)))))[:count]


def canonical(dimension: Dimension) -> list[Any]:
    """What decides the values of a dimension, as JSON has it."""
    if isinstance(dimension, Arms):
        return [
            [name, sorted((key, format_value(value)) for key, value in fields)] for name, fields in dimension.fields
        ]
    if isinstance(dimension, Choice):
        return dimension.grid()
    return [dimension.low, dimension.high, dimension.log, dimension.integer]
