"""The sweep: a question, a base config, a search space, a sampler, seeds; and the trials that this comes to."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from sandbox.config import Config
from sandbox.errors import RequestError, choose, is_count
from sandbox.sweeps.space import (
    Choice,
    Dimension,
    Point,
    dimension_from_dict,
    dimension_to_dict,
    fields_of,
    grid_points,
    sampled_points,
    to_config,
)

SAMPLERS = {
    "grid": "every combination of the values",
    "random": "independent draws",
    "sobol": "quasi-random: evenly spread draws (scrambled Sobol sequence)",
    "tpe": "Optuna's tree-structured Parzen estimator: learns from the trials so far",
}


class Trial(NamedTuple):
    """One config of a sweep, and the point of the space that it is at.

    >>> Trial({"hidden": "8,8"}, Config(hidden=(8, 8))).config.hidden
    (8, 8)
    """

    point: Point
    config: Config


@dataclass(frozen=True)
class Sweep:
    """Many trials over a search space: one Optuna study, one MLflow parent run with its trials as children.

    `trials` counts all of them, every point being trained with `seeds` seeds (default with a grid: every combination
    once for each seed; a larger number adds seeds). `reading` says how to read the runs, for the MLflow page.

    Raises RequestError for an unknown sampler, a field that Config has not, or values that do not fit.

    >>> from sandbox.sweeps import choice
    >>> sweep = Sweep("rates", Config(epochs=100), {"learning_rate": choice(0.1, 1.0, 10.0)}, seeds=5)
    >>> sweep.total, sweep.plan[-1].config.learning_rate, sweep.plan[-1].config.seed
    (15, 10.0, 4)
    """

    name: str
    base: Config
    space: Mapping[str, Dimension]
    sampler: str = "grid"
    trials: int | None = None
    seeds: int = 3
    question: str = ""
    reading: str = ""
    sampler_seed: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        choose("sampler", self.sampler, SAMPLERS)
        for name in ("trials", "seeds"):
            value = getattr(self, name)
            if not (is_count(value) and value >= 1) and not (name == "trials" and value is None):
                raise RequestError(f"{name} is {value!r}: a whole number of at least 1 is needed")
        if not self.space:
            raise RequestError(f"the space of {self.name} is empty: nothing varies")
        varied: set[str] = set()
        for name, dimension in self.space.items():
            set_here = fields_of(name, dimension)
            if set_here & varied:
                raise RequestError(
                    f"{min(set_here & varied)} is set by two dimensions of the space: one of them is enough"
                )
            varied |= set_here
        if "seed" in varied:
            raise RequestError("seed is an axis of its own: say how many with seeds, and leave it out of the space")
        if self.sampler != "grid" and self.trials is None:
            raise RequestError(f"sampler {self.sampler!r} needs the number of trials")
        if self.sampler == "grid":
            grid_points(self.space)
        for corner in (0.0, 0.999999):  # wrong names and values are found before anything is trained
            for name, dimension in self.space.items():
                values = dimension.grid() if isinstance(dimension, Choice) else [dimension.pick(corner)]
                for value in values:
                    self.base.replace(**dimension.changes(name, value))

    def replace(self, **changes: Any) -> "Sweep":
        """The sweep with some of its parts changed."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The sweep as JSON has it."""
        space = {name: dimension_to_dict(dimension) for name, dimension in self.space.items()}
        return {**vars_of(self), "base": self.base.to_dict(), "space": space, "tags": dict(self.tags)}

    @classmethod
    def from_dict(cls, parts: Mapping[str, Any]) -> "Sweep":
        """The sweep whose `to_dict` this is."""
        space = {name: dimension_from_dict(dimension) for name, dimension in parts["space"].items()}
        return cls(**{**parts, "base": Config(**parts["base"]), "space": space})

    @cached_property
    def id(self) -> str:
        """The name and a hash of everything that decides what a trial is: more trials or seeds continue the same sweep."""
        parts = {
            "base": self.base.replace(seed=0).to_dict(),
            "space": {name: repr(dimension) for name, dimension in self.space.items()},
            "sampler": [self.sampler, self.sampler_seed],
        }
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return f"{self.name}-{digest[:8]}"

    @cached_property
    def total(self) -> int:
        """How many trials the sweep has: `trials`, or fewer where the space has no more points."""
        if self.sampler != "tpe":
            return len(self.plan)
        points = [len(d.values) if isinstance(d, Choice) else math.inf for d in self.space.values()]
        return int(min(self.trials or 0, math.prod(points) * self.seeds))

    @cached_property
    def plan(self) -> list[Trial]:
        """All trials of a sweep whose sampler does not learn, seed by seed; equal configs once."""
        if self.sampler == "grid":
            points = grid_points(self.space)
            seeds = max(self.seeds, math.ceil(self.trials / len(points)) if self.trials else 0)
        else:
            seeds = self.seeds
            points = self._draw(math.ceil((self.trials or 0) / seeds))
        trials: dict[str, Trial] = {}
        for seed in range(seeds):
            for trial in self.at(points, seed):
                trials.setdefault(trial.config.key, trial)
        return list(trials.values())[: self.trials]

    def at(self, points: list[Point], seed: int) -> Iterator[Trial]:
        """The trials at these points with this seed (counted from the base config's)."""
        for point in points:
            yield Trial(point, to_config(self.base, self.space, point, self.base.seed + seed))

    def _draw(self, count: int) -> list[Point]:
        """`count` different points; fewer where the space has hardly more."""
        points: list[Point] = []
        for draws in (count, 2 * count, 4 * count):
            drawn = sampled_points(self.space, self._units(draws))
            points = list({json.dumps(point, sort_keys=True): point for point in drawn}.values())
            if len(points) >= count:
                break
        return points[:count]

    def _units(self, count: int) -> np.ndarray:
        """`count` places in the unit cube; the first ones are the same whatever `count`."""
        if self.sampler == "random":
            return np.random.default_rng(self.sampler_seed).random((count, len(self.space)))
        from scipy.stats import qmc

        draws = qmc.Sobol(len(self.space), rng=np.random.default_rng(self.sampler_seed))
        return draws.random_base2(max(0, math.ceil(math.log2(max(count, 1)))))[:count]


def vars_of(sweep: Sweep) -> dict[str, Any]:
    """The fields of a sweep, without what was computed from them."""
    return {field.name: getattr(sweep, field.name) for field in fields(sweep)}
