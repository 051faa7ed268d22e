"""The fields of a config: what role each has in training, and which values it takes, as Python and as text."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from sandbox.errors import RequestError, is_count, is_number, one_line
from sandbox.own import name_of

NONE = "none"
WANTED = {int: "a whole number", float: "a number", str: "a name"}
EXAMPLES = {int: "(8, 8)", str: '("x1*x2",)'}
LARGEST = 2**63 - 1  # of whole numbers
LONGEST_TEXT = 6000  # characters of a field's value, which MLflow keeps as text
ROOM = f"MLflow keeps a value of {LONGEST_TEXT} characters at most"
DATA = {"role": "data"}  # metadata of a field that decides what the data are
NETWORK = {"role": "network"}  # ... what the network is before its first update
REPLICA = {"role": "replica"}  # ... what may differ between networks that train side by side in the same arrays


def role(field: dataclasses.Field) -> str:
    """data, network or replica, as declared; alike, the same for all that train side by side, where nothing is."""
    return field.metadata.get("role", "alike")


@dataclass(frozen=True)
class Kind:
    """Which values a field takes: of one type, several of them in a tuple, or None where it is optional.

    `names` are those that are possible, where the type is that of names.
    """

    type: Callable[[Any], Any]
    several: bool = False
    optional: bool = False
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, hint: Any) -> "Kind":
        """The kind that a type hint describes: int, float, str or Literal names, `| None`, or tuple[..., ...].

        Of several types it is the first; what is given as another has to be made one of it before.
        """
        one, *others = _choices(hint)
        several = get_origin(one) is tuple
        one = _choices(get_args(one)[0])[0] if several else one
        named = get_origin(one) is Literal
        return cls(str if named else one, several, NoneType in others, get_args(one) if named else ())

    @property
    def wanted(self) -> str:
        """What an error message says is needed."""
        if self.several:
            return f"{WANTED[self.type]} or several with commas between, or none"
        return WANTED[self.type] + (" or none" if self.optional else "")

    def own(self, name: str, value: Any) -> Any:
        """The value in Python's own types, so that equal configs have equal keys: 1 is 1.0, and -0.0 is 0.0.

        Functions of one's own become names; names are not looked up here. Raises RequestError for a value of another kind.
        """
        if value is None and self.optional:
            return None
        if not self.several:
            return self._one(name, value)
        if isinstance(value, str | bytes) or not isinstance(value, Sequence | np.ndarray):
            raise RequestError(f"{name} is {one_line(value)}: a sequence is needed, such as {EXAMPLES[self.type]}")
        if len(value) > LONGEST_TEXT:  # such a text has a character for each at least
            raise RequestError(f"{name} has {len(value)} parts: {ROOM}")
        parts = tuple(part.item() if isinstance(part, np.generic) else name_of(name, part) for part in value)
        for part in parts:
            _check_size(name, part)
        if len(text := format_value(parts)) > LONGEST_TEXT:
            raise RequestError(f"{name} has {len(text)} characters: {ROOM}")
        return parts

    def _one(self, name: str, value: Any) -> Any:
        if isinstance(value, list | tuple | np.ndarray):
            raise RequestError(f"{name} is {one_line(value)}: one value is needed")
        if not self._fits(value):
            raise RequestError(f"{name} is {one_line(value)}: {self.wanted} is needed")
        _check_size(name, value)
        if self.type is float:
            return float(value) + 0.0
        return value.item() if isinstance(value, np.generic) else name_of(name, value)

    def _fits(self, value: Any) -> bool:
        if self.type is float:
            return is_number(value) and np.ndim(value) == 0
        return self.type is not int or is_count(value)

    def parse(self, name: str, text: str) -> Any:
        """The value that a text describes. Raises RequestError where it is none."""
        text = text.strip()
        if text == NONE and (self.several or self.optional):
            return () if self.several else None
        try:
            if self.several:
                return tuple(self.type(part.strip() or "-") for part in text.split(","))
            return self.type(text)
        except ValueError:
            raise RequestError(f"{name} is {one_line(text)}: {self.wanted} is needed") from None


def _choices(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _check_size(name: str, value: Any) -> None:
    """Raises RequestError for a whole number that NumPy's arrays and most programs have no room for."""
    if is_count(value) and abs(int(value)) > LARGEST:
        raise RequestError(f"{name} is {one_line(value)}: whole numbers go up to {LARGEST}")


@cache
def kinds(owner: type) -> dict[str, Kind]:
    """The kind of each field of a dataclass."""
    hints = get_type_hints(owner)
    return {field.name: Kind.of(hints[field.name]) for field in dataclasses.fields(owner)}


def format_value(value: Any) -> str:
    """A field's value as text: lists with commas, "none" for None and for an empty list, a function by its name."""
    if callable(value):
        return name_of("value", value)
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or NONE
    return NONE if value is None else str(value)
