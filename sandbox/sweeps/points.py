"""What the points of a space are called: in full, as tags have them, and briefly, as MLflow's pages have room for a run.

These cut a name after some twenty characters. So a brief one has the values, and a field's word only where a number would
say nothing without it; as few digits as tell the points of a sweep apart; and first what is shortest.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.config import FUNCTIONS, KINDS
from sandbox.fields import NONE
from sandbox.space import Choice, Dimension, Point

WORDS = {
    "learning_rate": "rate",
    "batch_size": "batch",
    "n_examples": "n",
    "n_validation": "validation",
    "weight_decay": "decay",
    "initializer_scale": "scale",
    "bias_scale": "bias",
}
NOTHING = {"hidden": "no layers", "crosses": "no crosses", "batch_size": "full batch"}
EXACT = 4  # digits of a number that is written as it is
UNKNOWN = 4  # digits where nobody knows yet which points there will be
ALL = 17  # digits, which tell any two numbers apart


def describe(point: Mapping[str, Any]) -> str:
    """A point in words: the name of its arm, and the other values.

    >>> describe({"arm": "cross", "learning_rate": 0.0165512})
    'cross, learning_rate=0.01655'
    """
    words = {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in point.items()}
    return ", ".join(word if name == "arm" else f"{name}={word}" for name, word in words.items())


def brief(space: Mapping[str, Dimension], points: Sequence[Point]) -> Callable[[Point], str]:
    """What gives the brief names of the `points` of a space, all different; none are given where they are not known yet.

    >>> from sandbox.space import Range, choice
    >>> space = {"learning_rate": Range(0.005, 0.05, log=True), "hidden": choice((), (8,), (8, 8))}
    >>> brief(space, [{"learning_rate": 0.0165512, "hidden": "8,8"}])({"learning_rate": 0.0165512, "hidden": "8,8"})
    '8,8 rate 0.017'
    """
    ends = {name: one.grid() if isinstance(one, Choice) else [one.low, one.high] for name, one in space.items()}
    order = sorted(ends, key=lambda name: max(len(_word(name, value, 2)) for value in ends[name]))

    def named(point: Point, digits: int) -> str:
        return " ".join(_word(name, point[name], digits) for name in order)

    told = (digits for digits in (2, 3, 4, 5, 6) if len({named(point, digits) for point in points}) == len(points))
    enough = next(told, ALL) if points else UNKNOWN
    return lambda point: named(point, enough)


def _word(name: str, value: Any, digits: int) -> str:
    """A value; with the field's word where it is a number of a field that has one."""
    of_numbers = name in KINDS and KINDS[name].type in (int, float) and not KINDS[name].several
    word = WORDS.get(name, name.replace("_", " "))
    if value == NONE:
        return NOTHING.get(name, f"{word} {value}")
    if isinstance(value, float):
        exact = f"{value:.{EXACT}g}"
        value = exact if float(exact) == value else f"{value:.{digits}g}"
    if name in FUNCTIONS and digits < ALL:
        value = value.rpartition(":")[2]
    return f"{word} {value}" if of_numbers else str(value)
