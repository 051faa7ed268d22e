"""What a wrong request gets: one line that says what was wrong and what would be right."""

import math
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

LONGEST = 80  # characters of a value that an error message shows


class RequestError(ValueError):
    """The request was wrong. Its message is one line; the command line prints it and exits with 2.

    >>> from sandbox import Config
    >>> Config(activation="sigmod")
    Traceback (most recent call last):
    sandbox.errors.RequestError: unknown activation 'sigmod': did you mean 'sigmoid'? Valid: sigmoid, tanh, relu, \
leaky_relu, linear, softmax, sin, cos, softplus, swish, gelu or MODULE:NAME
    """


def choose(kind: str, name: str, table: Mapping[str, T], rest: str = "") -> T:
    """The entry of `table` called `name`; `rest` says what is possible beside these.

    Raises RequestError naming the nearest and all valid names: ``unknown initializer 'xaver': did you mean
    'xavier'? Valid: plain, xavier, he``.
    """
    try:
        return table[name]
    except (KeyError, TypeError):
        from difflib import get_close_matches  # not for `import sandbox`

        near = get_close_matches(name, table, n=1) if isinstance(name, str) and len(name) <= LONGEST else []
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise RequestError(f"unknown {kind} {one_line(name)}: {hint}Valid: {', '.join(table)}{rest}") from None


def one_line(value: Any) -> str:
    """How an error message shows a value: its repr in one line, cut when it is long, its type where it has no repr."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a repr may be anyone's code; and Python refuses that of whole numbers beyond 4300 digits
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def is_count(value: Any) -> bool:
    """Whether `value` is a whole number (and no bool)."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether `value` is a finite number, or an array of such."""
    if type(value) is float:  # as most are, ten thousand configs at a time
        return math.isfinite(value)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):  # such as lists of different lengths
        return False
    return array.dtype.kind in "fiu" and bool(np.all(np.isfinite(array)))
