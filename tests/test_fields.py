"""Kinds of fields: from type hints, and what they take as Python and as text."""

import dataclasses
from typing import Literal, Optional

import numpy as np
import pytest

from sandbox import RequestError
from sandbox.fields import DATA, Kind, format_value, kinds, role

COUNT, NUMBER, NAME = Kind(int), Kind(float), Kind(str)


@dataclasses.dataclass
class Fields:
    seed: int = dataclasses.field(default=0, metadata=DATA)
    sizes: tuple[int, ...] = ()
    kind: Literal["one", "two"] = "one"
    other: Literal["one", "two"] | None = None
    rate: Optional[float] = None  # noqa: UP045


def test_kinds_follow_from_hints():
    assert kinds(Fields) == {
        "seed": COUNT,
        "sizes": Kind(int, several=True),
        "kind": Kind(str, names=("one", "two")),
        "other": Kind(str, optional=True, names=("one", "two")),
        "rate": Kind(float, optional=True),
    }


def test_what_declares_no_role_is_alike():
    assert [role(field) for field in dataclasses.fields(Fields)] == ["data", "alike", "alike", "alike", "alike"]


@pytest.mark.parametrize(
    ("kind", "value", "own"),
    [
        (COUNT, np.int8(3), 3),
        (NUMBER, 1, 1.0),
        (NUMBER, -0.0, 0.0),
        (NUMBER, np.float32(0.5), 0.5),
        (NAME, np.str_("one"), "one"),
        (Kind(int, optional=True), None, None),
        (Kind(int, several=True), np.array([3, 4]), (3, 4)),
        (Kind(int, several=True), range(2), (0, 1)),
        (Kind(str, several=True), [], ()),
    ],
)
def test_values_in_pythons_own_types(kind, value, own):
    found = kind.own("field", value)
    assert repr(found) == repr(own)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (COUNT, 2.0, "field is 2.0: a whole number is needed"),
        (COUNT, True, "field is True: a whole number is needed"),
        (COUNT, None, "field is None: a whole number is needed"),
        (Kind(int, optional=True), "3", "field is '3': a whole number or none is needed"),
        (NUMBER, np.nan, "field is nan: a number is needed"),
        (NUMBER, [1.0], r"field is \[1.0\]: one value is needed"),
        (NAME, np.array(["one"]), "one value is needed"),
        (Kind(int, several=True), 3, r"field is 3: a sequence is needed, such as \(8, 8\)"),
        (Kind(str, several=True), "x1", "field is 'x1': a sequence is needed"),
        (Kind(int, several=True), {3, 4}, "a sequence is needed"),
    ],
)
def test_other_values_are_refused(kind, value, said):
    with pytest.raises(RequestError, match=said):
        kind.own("field", value)


@pytest.mark.parametrize("value", [None, (), (8, 8), ("x1*x2", "x1^2"), 3, 0.1, 1e-300, "one"])
def test_text_and_back(value):
    several = isinstance(value, tuple)
    one = value[0] if value and isinstance(value, tuple) else value
    kind = Kind(type(one) if one not in (None, ()) else int, several, optional=not several)
    assert kind.parse("field", format_value(value)) == value
