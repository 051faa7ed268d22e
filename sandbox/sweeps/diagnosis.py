"""The diagnosis of a sweep from its trials alone: axes, importance, and warnings where a range may be too narrow."""

import math
from collections.abc import Sequence
from dataclasses import replace

from sandbox.answers.diagnosis import Diagnosis
from sandbox.answers.panels import WIDE, Scale
from sandbox.answers.trials import Point, Trial
from sandbox.errors import RequestError
from sandbox.space import Choice, Dimension, Range
from sandbox.sweeps.importance import importances
from sandbox.sweeps.study import distribution
from sandbox.sweeps.sweep import Sweep

EDGE, NEAR = 0.1, 0.25  # of a range: how near to its end the best point is, and the best tenth of them all


def diagnose(sweep: Sweep, trials: Sequence[Trial], metric: str = "") -> Diagnosis:
    """The diagnosis of a sweep by its trials, whose figures are those of `metric` ("": of the objective)."""
    space, goal, names, problems = sweep.space, sweep.goal, sweep.compared, sweep.problems
    shares = importances(
        trials,
        {name: distribution(name, space[name]) for name in names},
        [name for name in space if name not in names],
        drawn=sweep.sampler != "grid",
    )
    scales = {name: scale_of(one) for name, one in space.items()}
    bare = Diagnosis(goal.metric, goal.direction == "max", trials, scales, problems, shares, metric=metric)
    warnings = [
        said if not where else f"{where}: {said}"
        for where, points in bare.points.items()
        for name in names
        if (said := at_the_edge(sweep, name, points))
    ]
    return replace(bare, warnings=warnings)


def scale_of(dimension: Dimension) -> Scale:
    """The axis of a dimension: logarithmic where a range is, and where positive numbers are spread so."""
    if isinstance(dimension, Range):
        return Scale(None, (dimension.low, dimension.high), dimension.log)
    if not dimension.numbers:
        return Scale(dimension.grid())
    low, high = min(dimension.values), max(dimension.values)
    return Scale(dimension.values, (low, high), low > 0 and high / low >= WIDE / 2)


def at_the_edge(sweep: Sweep, name: str, points: Sequence[Point]) -> str:
    """A warning where the best points of a range cluster at one of its ends, and what to try next; else "".

    After Google's tuning playbook ("Identifying bad search space boundaries"): a range is widened until the best point is no
    longer close to its end. Close is the outer tenth of its scale. As one point in five is there by chance, the best tenth
    of all points (two at least) must be in the outer quarter as well.
    """
    dimension = sweep.space[name]
    points = sorted((point for point in points if not point.lost), key=lambda point: point.rank)
    if isinstance(dimension, Choice) or len(points) < 2:
        return ""
    scale = scale_of(dimension)
    shares = [scale.share(point.at[name]) for point in points[: max(2, math.ceil(len(points) / 10))]]
    for end, from_end in (("lower", shares), ("upper", [1 - share for share in shares])):
        if from_end[0] <= EDGE and max(from_end) <= NEAR:
            words, best = name.replace("_", " "), points[0].at[name]
            said = f"The best {words} is near the {end} end of its range: {best:.4g} of {_words(dimension)}"
            wider = widened(sweep, name, lower=end == "lower")
            return (
                f"{said}. Next: `--vary {name}={_words(wider)}`."
                if wider
                else f"{said}, beyond which there is no value."
            )
    return ""


def widened(sweep: Sweep, name: str, *, lower: bool) -> Range | None:
    """A range that reaches half as far again beyond one end, None where there are no such values.

    >>> from sandbox import Config
    >>> sweep = Sweep("rates", Config(), {"learning_rate": Range(0.01, 1, log=True)}, "random", trials=9)
    >>> widened(sweep, "learning_rate", lower=False)
    Range(low=0.01, high=10.0, log=True, integer=False)
    """
    old = sweep.space[name]
    assert isinstance(old, Range)
    half = math.sqrt(old.high / old.low) if old.log else (old.high - old.low) / 2
    end = (
        (old.low / half if old.log else old.low - half) if lower else (old.high * half if old.log else old.high + half)
    )
    if lower and old.low > 0 >= end:
        end = old.low / 10
    end = float(f"{end:.2g}")
    if old.integer:
        end = round(end)
    try:
        sweep.base.replace(**old.changes(name, end))
        wider = Range(end if lower else old.low, old.high if lower else end, old.log, old.integer)
    except RequestError:
        return None
    return wider if (wider.low, wider.high) != (old.low, old.high) else None


def _words(old: Range) -> str:
    """A range as it is typed."""
    return f"{old.low:g}..{old.high:g}{':log' * old.log}{':int' * old.integer}"
