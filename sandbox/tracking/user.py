"""Who logs: the name that runs carry, and by which people who share a store keep their sweeps apart."""

import getpass
import os
from typing import NamedTuple

from sandbox.errors import RequestError, one_line
from sandbox.names import is_text

VARIABLE = "SANDBOX_USER"
USER = "mlflow.user"  # the tag
LONGEST = 64  # characters: beside a sweep's name and hash it stands in files' names
QUOTES = set("'\"`\\")


class User(NamedTuple):
    """A name; and whether somebody has said it, with --as (`given`) or SANDBOX_USER, or it is only the account's."""

    name: str
    said: bool = False
    given: bool = False


def user_of(name: str | None) -> User:
    """The user: the one named, else SANDBOX_USER, else the name of the account.

    Raises RequestError for what cannot be a name.

    >>> user_of("anna").name
    'anna'
    """
    said = name if name is not None else os.environ.get(VARIABLE) or None
    if said is None:
        return User(_account())
    if not is_name(said):
        where = "--as" if name is not None else VARIABLE
        raise RequestError(f"{where} is {one_line(said)}: a name of 1 to {LONGEST} characters without quotes is needed")
    return User(said, True, name is not None)


def is_name(text: object) -> bool:
    """Whether a text can be a user's name: one line, in which no character is hidden."""
    return (
        isinstance(text, str)
        and 1 <= len(text) <= LONGEST
        and text.isprintable()
        and is_text(text)
        and text.strip() == text
        and not QUOTES & set(text)
    )


def _account() -> str:
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name
        return "unknown"
    return name if is_name(name) else "unknown"
