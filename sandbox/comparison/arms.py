"""Arms: the alternatives that a comparison sets against each other, each a name and changes of Config.

The standard arms answer the question that the project exists for. Their crosses are made for the columns of numbers:

    product         the products of two features: x1*x2 in the plane
    second degree   these and the squares: x1*x2, x1^2, x2^2 in the plane

Of a table with more of them only the first four are crossed (six products, four squares): all pairs of breast_cancer's
thirty would be 435 columns for 16 examples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from sandbox.config import FIELDS, format_value, parse_value
from sandbox.errors import RequestError, choose
from sandbox.names import check_name

LONGEST_NAME = 100  # characters of an arm's name
CROSSED = 4  # features of a table that are crossed, from the first on
RESERVED = {
    "dataset": "--dataset says which data sets are compared",
    "n_examples": "--n says how many training examples",
    "seed": "the comparison sets the seeds, the same for all arms",
    "data_seed": "the comparison sets the seeds, the same for all arms",
}
Columns = Sequence[str]  # those of numbers, as crosses write them
Crosses = Callable[[Columns], tuple[str, ...]]
PLANE = ("x1", "x2")


def products(columns: Columns) -> tuple[str, ...]:
    """The products of two of the first columns.

    >>> products(["x1", "x2"])
    ('x1*x2',)
    """
    return tuple(f"{one}*{other}" for one, other in combinations(columns[:CROSSED], 2))


def second_degree(columns: Columns) -> tuple[str, ...]:
    """The products of two of the first columns, and their squares.

    >>> second_degree(["x1", "x2"])
    ('x1*x2', 'x1^2', 'x2^2')
    """
    return products(columns) + tuple(f"{one}^2" for one in columns[:CROSSED])


@dataclass(frozen=True)
class Arm:
    """One alternative: a name, the fields of Config that it sets, and perhaps crosses made for the columns of numbers."""

    name: str
    fields: tuple[tuple[str, Any], ...] = ()
    crosses: Crosses | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_name("the name of an arm", self.name, LONGEST_NAME)
        for name, _ in self.fields:
            choose("field of Config", name, FIELDS)
            if name in RESERVED:
                raise RequestError(f"arm {self.name!r} sets {name}: leave it out, {RESERVED[name]}")

    def changes(self, columns: Columns = PLANE) -> dict[str, Any]:
        """The fields that this arm sets on data with these columns of numbers."""
        made = {"crosses": self.crosses(columns)} if self.crosses else {}
        return {**dict(self.fields), **made}

    @property
    def kind(self) -> str:
        """What the arm rests on: "features", "layers", "both", or "neither"."""
        crossed = bool(self.crosses or dict(self.fields).get("crosses"))
        layered = bool(dict(self.fields).get("hidden"))
        return {(1, 0): "features", (0, 1): "layers", (1, 1): "both", (0, 0): "neither"}[crossed, layered]

    def describe(self, columns: Columns = PLANE) -> str:
        """The arm as --arm takes it."""
        changes = {"hidden": (), **self.changes(columns)}
        parts = (f"{name}={format_value(value)}" for name, value in changes.items() if value != ())
        return f"{self.name}: {'; '.join(parts) or 'hidden=none'}"


def standard_arms() -> tuple[Arm, ...]:
    """Raw features; crosses; hidden layers of 1, 2 and 3; crosses and hidden layers together."""
    return (
        Arm("raw"),
        Arm("product", crosses=products),
        Arm("second degree", crosses=second_degree),
        Arm("hidden 8", (("hidden", (8,)),)),
        Arm("hidden 8-8", (("hidden", (8, 8)),)),
        Arm("hidden 8-8-8", (("hidden", (8, 8, 8)),)),
        Arm("second degree + 8-8", (("hidden", (8, 8)),), crosses=second_degree),
    )


def parse_arm(text: str) -> Arm:
    """An arm as people type it: `deep: hidden=8,8`, `both: hidden=8; crosses=x1*x2`, `raw:`. Raises RequestError.

    >>> parse_arm("both: hidden=8; crosses=x1*x2").changes()
    {'hidden': (8,), 'crosses': ('x1*x2',)}
    """
    name, colon, rest = text.partition(":")
    name = name.strip()
    if not colon or not name or any(sign in name for sign in "'\"=;"):
        raise RequestError(f'{text!r} is no arm: write NAME: FIELD=VALUE; FIELD=VALUE, such as "deep: hidden=8,8"')
    fields: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in rest.split(";"))):
        key, equals, value = part.partition("=")
        key = key.strip().replace("-", "_")
        if not equals:
            raise RequestError(f"arm {name!r}: {part!r} sets nothing: write FIELD=VALUE, such as hidden=8,8")
        if key in fields:
            raise RequestError(f"arm {name!r} sets {key} twice")
        fields[key] = parse_value(key, value)
    return Arm(name, tuple(fields.items()))
