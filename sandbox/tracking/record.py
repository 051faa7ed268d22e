"""Everything that one MLflow run holds, as plain data: it can wait on a disk without MLflow or pickle."""

import math
from dataclasses import dataclass, field

STATUSES = ("FINISHED", "KILLED", "FAILED")
LARGEST = 1.7e308  # MLflow stores infinity as 1.797e308, so nothing near it is told apart from a number


@dataclass(frozen=True)
class Record:
    """One run, ended. Times are milliseconds since 1970.

    `metrics` are (key, value, step); `images` map an artifact path such as ``cost.png`` to PNG bytes;
    `files` map an artifact path such as ``table.csv`` to any other bytes;
    `slider` maps a key such as ``boundary`` to the PNG bytes at each step, shown in the UI behind a slider.

    Raises ValueError for an unknown status, for a value that MLflow cannot keep (it would turn NaN into 0)
    and for two values of a metric at one step (it would draw both).

    >>> Record("a run", "FINISHED", 0, 1000, metrics=[("cost", 0.5, 0), ("cost", 0.1, 100)]).params
    {}
    >>> Record("a run", "FINISHED", 0, 1000, metrics=[("cost", float("nan"), 7)])
    Traceback (most recent call last):
    ValueError: metric 'cost' is nan at step 7: only finite values can be logged
    """

    name: str
    status: str
    start_time: int
    end_time: int
    params: dict[str, str] = field(default_factory=dict)
    metrics: list[tuple[str, float, int]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    slider: dict[str, dict[int, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status {self.status!r} of run {self.name!r}: valid are {', '.join(STATUSES)}")
        seen: set[tuple[str, int]] = set()
        for key, value, step in self.metrics:
            check_metric(key, value, step)
            if (key, step) in seen:
                raise ValueError(f"metric {key!r} has two values at step {step}")
            seen.add((key, step))
        for kind, paths in (("image", self.images), ("file", self.files)):
            for path in paths:
                if not path or path.startswith("/") or ".." in path.split("/"):
                    raise ValueError(f"{kind} {path!r}: its path must stay inside the run")


def check_metric(key: str, value: float, step: int = 0) -> None:
    """Raises ValueError naming the metric if MLflow would not give back the value that it was given."""
    if not (math.isfinite(value) and abs(value) <= LARGEST):
        raise ValueError(f"metric {key!r} is {value} at step {step}: only finite values can be logged")
