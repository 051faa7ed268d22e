"""Names: what people may call things, and the word that stands for a name in files, tags and filters."""

import re
from hashlib import sha256

from sandbox.errors import RequestError, one_line

SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
LONGEST = 256  # characters of an experiment's name, as MLflow's table has it


def safe(name: str) -> str:
    """The word that stands for `name` wherever not all characters may stand: itself if it can, else one with a hash.

    >>> safe("depth"), safe("../bob's")
    ('depth', 'bob-s-41f744d1')
    """
    if is_safe(name) and len(name) <= 100:
        return name
    digest = sha256(name.encode()).hexdigest()[:8]
    return "-".join([*re.findall(r"[A-Za-z0-9_]+", name[:80]), digest])


def is_safe(name: str) -> bool:
    """Whether a name can stand in a file's name, a tag and a filter as it is."""
    return len(name) <= 200 and SAFE.fullmatch(name) is not None


def check_name(kind: str, name: str, longest: int = LONGEST) -> None:
    """Raises RequestError for a name that no store would take."""
    if not (isinstance(name, str) and 1 <= len(name) <= longest and is_text(name)):
        raise RequestError(f"{kind} is {one_line(name)}: a text of 1 to {longest} characters is needed")


def is_text(text: str) -> bool:
    """Whether every store takes it: neither NUL nor half of a surrogate pair."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
