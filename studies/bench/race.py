"""A race: contestants take turns, each several times, and their median seconds are set against ours."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Row:
    """One line of the report: ours against a peer, per unit of work."""

    work: str
    peer: str
    ours: float
    theirs: float
    unit: str
    at_most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    def as_dict(self) -> dict[str, Any]:
        verdict = "" if self.at_most is None else ("ok" if self.ratio <= self.at_most else "OVER")
        return {
            "work": self.work,
            "peer": self.peer,
            "ours": self.ours,
            "theirs": self.theirs,
            "unit": self.unit,
            "ratio": self.ratio,
            "at_most": self.at_most,
            "verdict": verdict,
            "note": self.note,
        }


@dataclass
class Race:
    """Contestants by name; `run` gives the median seconds of each."""

    repeats: int = 5
    contestants: dict[str, Callable[[], Any]] = field(default_factory=dict)

    def run(self) -> dict[str, float]:
        seconds: dict[str, list[float]] = {name: [] for name in self.contestants}
        for contestant in self.contestants.values():
            contestant()  # warm
        for _ in range(self.repeats):
            for name, contestant in self.contestants.items():
                gc.collect()
                started = time.perf_counter()
                contestant()
                seconds[name].append(time.perf_counter() - started)
        return {name: statistics.median(times) for name, times in seconds.items()}
