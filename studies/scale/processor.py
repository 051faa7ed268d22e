"""Processor time of processes that are not this one, and what others leave of the machine."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

TICK = 1 / os.sysconf("SC_CLK_TCK")


class Spent(NamedTuple):
    """Seconds that something took: on the clock, of this process's processor time, of that of the database's processes."""

    wall: float
    own: float
    database: float


def meter(database: int | None = None) -> Callable[[], Spent]:
    """Begin to measure, with the processes below one (PostgreSQL's first); what is given says how much it is so far."""
    wall, own, other = time.perf_counter(), time.process_time(), family(database)
    return lambda: Spent(time.perf_counter() - wall, time.process_time() - own, family(database) - other)


def family(process: int | None) -> float:
    """Processor seconds of a process and its children, those included that have ended. Of none: 0."""
    if process is None:
        return 0.0
    found = 0
    for one in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, and its parent knows what it took
            parent, *ticks = map(int, itemgetter(1, 11, 12, 13, 14)(_stat(one)))
            if int(one.name) == process:
                found += sum(ticks)
            elif parent == process:
                found += sum(ticks[:2])
    return TICK * found


def _stat(process: Path) -> list[str]:
    """What the kernel says of a process, from its state on."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def busy() -> float:
    """Processor seconds of the whole machine, whoever had them."""
    first = Path("/proc/stat").read_text().splitlines()[0]
    user, nice, system, _, _, interrupts, soft, stolen = map(int, first.split()[1:9])
    return TICK * (user + nice + system + interrupts + soft + stolen)


def load() -> float:
    """How many processes wanted a processor in the last minute."""
    return round(os.getloadavg()[0], 2)
