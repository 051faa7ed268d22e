"""The sweep: a question, a base config, a search space, a sampler, seeds; and the trials that this comes to."""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from sandbox.answers.trials import compared
from sandbox.config import MONITORS, Config
from sandbox.data.checks import LARGEST_SEED
from sandbox.effort import check_count, check_effort, number
from sandbox.errors import RequestError, choose, is_count, one_line
from sandbox.fields import format_value
from sandbox.job import Job
from sandbox.names import check_name, safe
from sandbox.nn.hooks import Hook
from sandbox.nn.hooks.hook import check_hooks
from sandbox.provenance import origin
from sandbox.record import Picture
from sandbox.space import (
    Choice,
    Dimension,
    Point,
    canonical,
    fields_of,
    grid_points,
    sampled_points,
    to_config,
)
from sandbox.sweeps.objective import Objective
from sandbox.sweeps.points import brief, describe
from sandbox.tracking import Destination
from sandbox.tracking.ui import ranked_by

PROBLEM = {"dataset", "n_examples", "n_validation", "noise", "mislabelled"}  # fields that say what is to be learnt
LONGEST_POINT = 7900  # characters; MLflow keeps a tag of 8000
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
    once for each seed; a larger number adds seeds). A seed draws weights and data anew; of a table, how it is split.
    `reading` says how to read the runs, for the MLflow page. `owner` is the word for whose sweep it is, where several people
    share a store: `Store.owner`, which `run_sweep` sets.

    `objective` decides what is best: for a sampler that learns, a pruner, tables and sorting; and for early stopping, where
    a config has a `patience` and no `monitor`. It is any metric of a run (sandbox.sweeps.objective); a figure of
    validation data becomes `final_cost` where there is no validation part. `hooks` watch every run, and what they record
    becomes a metric with steps; each of the `pictures`, functions of a Result that give a Figure or PNG bytes, an artifact.

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
    objective: str = "validation_accuracy"
    hooks: Sequence[Hook] = ()
    pictures: Sequence[Picture] = ()
    owner: str = ""

    def __post_init__(self) -> None:
        check_name("the name of the sweep", self.name)
        choose("sampler", self.sampler, SAMPLERS)
        check_hooks(self.hooks)
        for picture in self.pictures:
            if not callable(picture):
                raise RequestError(f"picture {one_line(picture)} is no function of a Result")
        Objective.parse(self.objective, hooked=bool(self.hooks))
        for name in ("trials", "seeds"):
            value = getattr(self, name)
            if not (is_count(value) and value >= 1) and not (name == "trials" and value is None):
                raise RequestError(f"{name} is {value!r}: a whole number of at least 1 is needed")
        if not (is_count(self.sampler_seed) and 0 <= self.sampler_seed <= LARGEST_SEED // 2):
            raise RequestError(
                f"sampler_seed is {one_line(self.sampler_seed)}: a whole number from 0 to {LARGEST_SEED // 2} is needed"
            )
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
        self._check_count()
        if self.sampler == "grid":
            grid_points(self.space)
        _ = self.goal  # wrong names and values are found before anything is trained
        self._check_texts()
        check_effort(self._corners)

    def _check_count(self) -> None:
        """Refuse more trials than can be planned, before a list of them is made."""
        counts = [("trials", self.trials or 0), ("seeds", self.seeds)]
        if self.sampler == "grid":
            points = math.prod(len(one.grid()) for one in self.space.values())
            counts.append((f"the grid has {number(points)} points, seeds", points * self.seeds))
        for what, count in counts:
            check_count(count, f"{what} is {one_line(getattr(self, what, self.seeds))}")

    def _check_texts(self) -> None:
        """Refuse points that are too long for the tag, and the name, of their runs."""
        longest: Point = {}
        for name, dimension in self.space.items():
            longest[name] = (
                max(dimension.grid(), key=lambda value: len(str(value))) if isinstance(dimension, Choice) else 0
            )
        if (length := len(json.dumps(longest))) > LONGEST_POINT:
            raise RequestError(
                f"points of the space have up to {length} characters: MLflow keeps {LONGEST_POINT} of a run's name"
            )

    def replace(self, **changes: Any) -> "Sweep":
        """The sweep with some of its parts changed."""
        return replace(self, **changes)

    @cached_property
    def id(self) -> str:
        """The name, a hash of everything that decides what a trial is, and the owner: more trials or seeds continue the
        same sweep."""
        parts: dict[str, Any] = {
            "base": self.base.replace(seed=0).key,
            "space": {name: canonical(dimension) for name, dimension in self.space.items()},
            "sampler": [self.sampler, self.sampler_seed, *([self.goal.words] if self.sampler == "tpe" else [])],
        }
        editions = {one.dataset: one.data.edition for one in self._corners}
        if later := {name: edition for name, edition in editions.items() if edition > 1}:
            parts["editions"] = later  # what was trained with other examples is another sweep's
        if functions := {name: digest for one in self._corners for name, digest in one.functions.items()}:
            parts["functions"] = functions
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return "-".join(filter(None, (safe(self.name), digest[:8], self.owner)))

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
            points = sampled_points(self.space, self.sampler, math.ceil((self.trials or 0) / seeds), self.sampler_seed)
        trials: dict[str, Trial] = {}
        for seed in range(seeds):
            for trial in self.at(points, seed):
                trials.setdefault(trial.config.key, trial)
        plan = list(trials.values())[: self.trials]
        check_effort(trial.config for trial in plan)
        return plan

    def at(self, points: list[Point], seed: int) -> Iterator[Trial]:
        """The trials at these points with this seed, counted from the base config's: that of weights, and of data."""
        chosen = any("data_seed" in fields_of(name, dimension) for name, dimension in self.space.items())
        for point in points:
            at = to_config(self.base, self.space, point)
            config = at.replace(seed=at.seed + seed) if chosen else at.drawn(seed)
            watched = self.goal.metric if self.goal.metric != "final_cost" else "cost"
            if config.patience and config.monitor is None and watched != config.monitored and watched in MONITORS:
                config = config.replace(monitor=watched)
            yield Trial(point, config)

    @cached_property
    def problems(self) -> list[str]:
        """The dimensions that say what is to be learnt."""
        return [name for name, one in self.space.items() if fields_of(name, one) <= PROBLEM]

    @cached_property
    def compared(self) -> list[str]:
        """The other dimensions, whose values are compared; all of them where there is no other."""
        return compared(self.space, self.problems)

    @cached_property
    def goal(self) -> Objective:
        """The objective, as these data have it. Raises RequestError for values that are none for their field."""
        return Objective.parse(self.objective).for_data(self._corners)

    @cached_property
    def _corners(self) -> list[Config]:
        """Every value of each dimension, of a range its ends, the rest being the base's."""
        return [
            self.base.replace(**dimension.changes(name, value))
            for name, dimension in self.space.items()
            for value in (dimension.grid() if isinstance(dimension, Choice) else map(dimension.pick, (0.0, 0.999999)))
        ]

    def job(self, trial: Trial, number: int) -> Job:
        """The job of a trial, the `number`th: its run has the tags by which a sweep's runs are found."""
        arm = describe(trial.point)
        tags = {"sweep": self.id, "arm": arm, "label": self._label(trial.point), "trial": str(number)}
        tags |= {"point": json.dumps(trial.point), **self.tags}
        return Job(trial.config, f"{self._brief(trial.point)} seed {trial.config.seed}", tags)

    @cached_property
    def _brief(self) -> Callable[[Point], str]:
        """What gives the brief names of its points."""
        return self._named(list(self.space))

    @cached_property
    def _label(self) -> Callable[[Point], str]:
        """What gives the brief names of what is compared, whatever is to be learnt."""
        return self._named(self.compared)

    def _named(self, names: list[str]) -> Callable[[Point], str]:
        """What gives points brief names, by these dimensions."""
        known = [{name: trial.point[name] for name in names} for trial in (self.plan if self.sampler != "tpe" else ())]
        points = {json.dumps(point): point for point in known}
        return brief({name: self.space[name] for name in names}, list(points.values()))

    @property
    def destination(self) -> Destination:
        """Where the runs belong: the experiment, and the parent run."""
        tags = {
            "question": self.question,
            "sampler": self.sampler,
            "role": "sweep",
            "objective": self.goal.words,
            **origin(),
        }
        space = {f"space.{name}": format_value(canonical(one))[:500] for name, one in self.space.items()}
        base = {f"base.{name}": text for name, text in self.base.params().items()}
        description = f"{self.question}\n\n{self.reading}".strip()
        note = {"mlflow.note.content": self.question}
        return Destination(self.name, description, self.id, tags | note, base | space, ranked_by(self.goal.words))
