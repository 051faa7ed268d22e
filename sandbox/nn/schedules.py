"""Schedules: the learning rate's factor from epoch to epoch, 1 at the start."""

import math
from collections.abc import Callable
from typing import Any, Literal

from sandbox.errors import RequestError, is_number, one_line
from sandbox.own import look_up

Schedule = Callable[[int, int], float]
ScheduleName = Literal["constant", "step", "exponential", "cosine", "inverse_time"]


def constant(epoch: int, epochs: int) -> float:
    """Always 1."""
    return 1.0


def step(epoch: int, epochs: int) -> float:
    """Halved ten times on the way: 0.5^floor(10 e / epochs)."""
    return 0.5 ** (10 * epoch // epochs)


def exponential(epoch: int, epochs: int) -> float:
    """Falls evenly on a log scale to 1/100 at the end: 0.01^(e / epochs)."""
    return 0.01 ** (epoch / epochs)


def cosine(epoch: int, epochs: int) -> float:
    """Half a cosine from 1 to 0: (1 + cos(pi e / epochs)) / 2 (Loshchilov and Hutter 2017, one cycle)."""
    return (1 + math.cos(math.pi * epoch / epochs)) / 2


def inverse_time(epoch: int, epochs: int) -> float:
    """1 / (1 + 10 e / epochs): the "annealing" of Robbins and Monro, 1/11 at the end."""
    return 1 / (1 + 10 * epoch / epochs)


SCHEDULES: dict[str, Schedule] = {
    function.__name__: function for function in (constant, step, exponential, cosine, inverse_time)
}


def get_schedule(name: str) -> Schedule:
    """The schedule called `name`, or one's own, "module:name".

    Raises RequestError, naming the valid ones, and where one's own gives something else than numbers of at least 0.
    """
    return look_up("schedule", name, SCHEDULES, _own)


def _own(name: str, found: Any) -> Any:
    if not callable(found):
        raise RequestError(f"{name} is no schedule: a function (epoch, epochs) -> factor of the rate is needed")
    for epoch, epochs in ((0, 1), (0, 100), (37, 100), (99, 100)):
        factor: Any = found(epoch, epochs)
        if not (is_number(factor) and factor >= 0):
            raise RequestError(
                f"schedule {name} gives {one_line(factor)} at epoch {epoch} of {epochs}: 0 or more is needed"
            )
    return found
