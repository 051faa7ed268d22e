"""The trials of a sweep in groups: by the problem, by the value of a dimension, and by the point."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

BINS = 5  # of the values of a range, of which no two are alike


class Trial(NamedTuple):
    """One run: its point, its seed, the objective as a rank (lower is better), and the figure that is compared.

    `figure` is None where it `diverged`, or has no such metric. `overlap` says how much the splits of its data do (see
    sandbox.answers.statistics), 0 for independent draws. A `lost` one has no objective: its rank is the worst.
    `diverged` says of one without a figure why it has none.
    """

    point: Mapping[str, Any]
    seed: int
    rank: float
    figure: float | None
    overlap: float = 0.0
    lost: bool = False
    diverged: bool = True


class Part(NamedTuple):
    """One part of an answer: the values of the dimension `name`, `where` the problem is this ("": it is always the same)."""

    name: str
    where: str = ""

    @property
    def words(self) -> str:
        """What it is about, for people."""
        name = self.name.replace("_", " ") if self.name != "arm" else ""
        return ": ".join(filter(None, [self.where, name])) or "arm"


class Point(NamedTuple):
    """Where in the space, and its trials, one for each seed."""

    at: Mapping[str, Any]
    trials: Sequence[Trial]

    @property
    def rank(self) -> tuple[float, float]:
        """By which points are sorted: the median of its trials', and the mean where medians are equal."""
        ranks = [trial.rank for trial in self.trials]
        return float(np.median(ranks)), float(np.mean(ranks))

    @property
    def lost(self) -> bool:
        """Whether half of its trials are, or more: then they have no median."""
        return 2 * sum(trial.lost for trial in self.trials) >= len(self.trials)


class Group(NamedTuple):
    """A value of a dimension, or a part of its range, `label`, and the points with it; `place` is what it is sorted by."""

    place: float
    label: str
    points: Sequence[Point]

    @property
    def best(self) -> Point:
        """The point that the value stands for."""
        return min(self.points, key=lambda point: point.rank)


def compared(names: Iterable[str], problems: Collection[str]) -> list[str]:
    """The dimensions whose values are compared: those that say what is to be learnt only where there are no others."""
    names = [*names]
    return [name for name in names if name not in problems] or names


def grouped(
    trials: Iterable[Trial], values: Mapping[str, Sequence[Any] | None], problems: Collection[str] = ()
) -> dict[Part, list[Group]]:
    """The groups of every part, in order. `values` has those of each dimension in their order, None for a range.

    `problems` are the dimensions that say what is to be learnt.
    """
    trials = list(trials)
    labels = {name: _labels(name, known, trials) for name, known in values.items()}
    names = compared(values, problems)
    given = [name for name in values if name not in names]
    places: dict[tuple, list[Trial]] = {}
    for trial in trials:
        places.setdefault(tuple(labels[name](trial.point[name]) for name in given), []).append(trial)
    parts = {}
    for place, some in sorted(places.items()):
        where = ", ".join(
            label if name == "dataset" else f"{name.replace('_', ' ')} {label}"
            for name, (_, label) in zip(given, place, strict=True)
        )
        alike: dict[str, list[Trial]] = {}
        for trial in some:
            alike.setdefault(words(trial.point), []).append(trial)
        points = [Point(found[0].point, found) for found in alike.values()]
        for name in names:
            groups: dict[tuple[float, str], list[Point]] = {}
            for point in points:
                groups.setdefault(labels[name](point.at[name]), []).append(point)
            parts[Part(name, where)] = [Group(*key, found) for key, found in sorted(groups.items())]
    return parts


def _labels(name: str, known: Sequence[Any] | None, trials: list[Trial]) -> Callable[[Any], tuple[float, str]]:
    """What gives the place and the label of a value: itself, or the fifth of the range that it lies in."""
    if known is not None:
        order = {word(value): place for place, value in enumerate(known)}
        return lambda value: (order.get(word(value), len(order)), word(value))
    there = np.unique([float(trial.point[name]) for trial in trials])
    edges = there if len(there) <= BINS else np.quantile(there, np.linspace(0, 1, BINS + 1))
    if edges is there:
        return lambda value: (float(value), word(value))

    def of(value: Any) -> tuple[float, str]:
        place = int(np.clip(np.searchsorted(edges, float(value), side="right") - 1, 0, BINS - 1))
        return place, f"{edges[place]:.3g} to {edges[place + 1]:.3g}"

    return of


def word(value: Any) -> str:
    """A value as it is written."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def words(point: Mapping[str, Any]) -> str:
    """A point, or a part of one, as it is written."""
    return ", ".join(f"{name}={word(value)}" for name, value in point.items())
