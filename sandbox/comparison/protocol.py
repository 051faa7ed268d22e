"""The protocol of a comparison: what is asked, what is tuned, what is fixed, and which runs that comes to.

Every cell (arm, data set, number of training examples) is tuned several times over. Each repetition has quasi-random
trials of its own, the same for all cells, each judged on validation data; its winner is trained again with fresh seeds,
the same for all arms, and judged on test data. Generated data are drawn anew for every run: the tuning's from data seeds
that the final runs never see. Of a table, which is given, every repetition is another stratified split, whose test part
its tuning never sees; validation examples are what the training part has left.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from sandbox.answers.statistics import MARGIN
from sandbox.comparison.arms import Arm, standard_arms
from sandbox.config import Config
from sandbox.data.datasets import entry_of
from sandbox.data.playground import Page
from sandbox.data.pool import Pool
from sandbox.data.tables import Table
from sandbox.effort import check_count, check_effort
from sandbox.errors import RequestError, choose, is_count, is_number, one_line
from sandbox.fields import LONGEST_TEXT, ROOM
from sandbox.space import Dimension, Range, canonical, choice, sampled_points, to_config

EXPERIMENT = "compare"
QUESTION = "Feature engineering or hidden layers? Every arm tuned with equal effort, measured on fresh seeds and data."
TUNING_SEEDS = 1_000_000  # tuning's seeds start here: no final run has one of them
LEAST_VALIDATION = 30  # examples that a table's training part must have left beside those that are trained on
LARGEST = 1_000_000  # of generated data
NOISE = 0.1  # of generated data
EPOCHS = 2000
NUISANCES: dict[str, Dimension] = {
    "learning_rate": Range(0.005, 0.3, log=True),
    "initializer": choice("plain", "xavier", "he"),
    "weight_decay": Range(1e-4, 1.0, log=True),
}
PENALTY = Range(1e-6, 0.1, log=True)  # l2, in the place of weight decay where an arm has another optimizer than AdamW
VALIDATIONS = {"plenty": "1000 examples, or what a table has left", "same": "as many as are trained on"}
LEAST = {"repetitions": 2, "seeds": 1, "trials": 1, "finalists": 1, "draws": 1, "first_seed": 0}
COSTS = {"binary": "binary_cross_entropy", "multiclass": "categorical_cross_entropy"}


class Cell(NamedTuple):
    """One combination of the scientific hyperparameters."""

    arm: str
    dataset: str
    n: int


@dataclass(frozen=True)
class Comparison:
    """Arms, data sets and sizes to compare; how often every cell is tuned, with how many trials, and on how many seeds the
    winner of each of these `repetitions` is measured.

    Tuning has two rounds: every trial on one draw of data and weights, then the `finalists` best of them on further ones,
    `draws` in all. One draw alone would crown a trial that fails on every third. `first_seed` changes all that is drawn:
    points, weights, data. A difference of accuracy below `margin` is of no interest; it is stated before anything runs.
    `validation` is "plenty", 1000 examples or what a table has left, or "same", as many as are trained on (at most what a
    table has left): then arms are tuned as well as so few examples can, and not as well as they could be. `owner` is the
    word for whose comparison it is, where several people share a store: `Store.owner`, which `run_comparison` sets.
    A nuisance that an arm sets is scientific and no longer tuned, for any arm. Sizes that a table cannot give are left
    out, see `left_out`. Raises RequestError for what does not exist or does not fit.
    """

    datasets: tuple[str, ...] = ("quadrants", "circle", "spiral")
    sizes: tuple[int, ...] = (16, 64, 256)
    arms: tuple[Arm, ...] = field(default_factory=standard_arms)
    repetitions: int = 8
    seeds: int = 8
    trials: int = 8
    finalists: int = 2
    draws: int = 2
    epochs: int = EPOCHS
    first_seed: int = 0
    margin: float = MARGIN
    validation: str = "plenty"
    owner: str = ""

    def __post_init__(self) -> None:
        for name in ("datasets", "sizes", "arms"):
            values = [getattr(arm, "name", arm) for arm in getattr(self, name)]
            if not values or len(set(values)) < len(values):
                raise RequestError(f"{name} are {', '.join(map(str, values)) or 'none'}: name each once, at least one")
        if len(self.arms) < 2:
            raise RequestError(
                f"{next(iter(self.arms)).name!r} is the only arm: a comparison needs two, such as --arm 'raw:'"
            )
        for name, least in LEAST.items():
            value = getattr(self, name)
            if not (is_count(value) and value >= least):
                raise RequestError(f"{name} is {one_line(value)}: a whole number of at least {least} is needed")
        if not (is_number(self.margin) and 0 < self.margin < 1):
            raise RequestError(f"margin is {one_line(self.margin)}: a difference of accuracy between 0 and 1 is needed")
        choose("validation", self.validation, VALIDATIONS)
        if self.first_seed + self.repetitions * self.seeds > TUNING_SEEDS:
            raise RequestError(
                f"first_seed is {one_line(self.first_seed)} and repetitions times seeds "
                f"{one_line(self.repetitions * self.seeds)}: seeds must stay below {TUNING_SEEDS}, tuning's first"
            )
        for arm in self.arms:
            if (length := len(arm.describe())) > LONGEST_TEXT:
                raise RequestError(f"arm {one_line(arm.name)} has {length} characters: {ROOM}")
        data = [entry_of(dataset) for dataset in self.datasets]
        object.__setattr__(self, "_data", data)  # own data are there as long as anybody has them
        object.__setattr__(self, "datasets", tuple(entry.name for entry in data))
        for dataset in self.datasets:
            if entry_of(dataset).task == "regression":
                raise RequestError(f"{dataset} is for regression: arms are compared by their accuracy")
            if isinstance(entry_of(dataset), Page):
                raise RequestError(f"{dataset} has no validation part, as on the page: arms are tuned on one")
            if isinstance(entry_of(dataset), Pool):
                raise RequestError(f"{dataset} has the same points for every seed: arms are compared on fresh draws")
            if not self.sizes_of(dataset):
                least, most = smallest_size(dataset), largest_size(dataset)
                raise RequestError(
                    f"{dataset} takes {least} to {most} training examples"
                    + (f", {LEAST_VALIDATION} others being for validation" if most < LARGEST else "")
                )
        counts = (f"{name} is {one_line(getattr(self, name))}" for name in ("repetitions", "trials", "draws", "seeds"))
        check_count(self.total, ", ".join(counts))
        check_effort(map(self.base, self.cells), self.total // len(self.cells))

    @property
    def space(self) -> dict[str, Dimension]:
        """The nuisances: tuned apart for every cell."""
        scientific = {name for arm in self.arms for name, _ in arm.fields}
        nuisances = NUISANCES
        if any(dict(arm.fields).get("optimizer", "adamw") != "adamw" for arm in self.arms):
            nuisances = {**{name: one for name, one in NUISANCES.items() if name != "weight_decay"}, "l2": PENALTY}
        return {name: dimension for name, dimension in nuisances.items() if name not in scientific}

    def arm(self, name: str) -> Arm:
        """The arm of that name."""
        return next(arm for arm in self.arms if arm.name == name)

    def sizes_of(self, dataset: str) -> tuple[int, ...]:
        """The numbers of training examples that this data set can give."""
        least, most = smallest_size(dataset), largest_size(dataset)
        return tuple(sorted(n for n in self.sizes if least <= n <= most))

    def middle_size(self, dataset: str) -> int:
        """The size in the middle of those of a data set: what is shown where there is room for one."""
        sizes = self.sizes_of(dataset)
        return sizes[len(sizes) // 2]

    @property
    def left_out(self) -> dict[str, list[int]]:
        """Data set -> sizes that it cannot give."""
        found = {name: [n for n in self.sizes if n not in self.sizes_of(name)] for name in self.datasets}
        return {name: sizes for name, sizes in found.items() if sizes}

    @cached_property
    def cells(self) -> list[Cell]:
        """Every combination of data set, size and arm."""
        return [
            Cell(arm.name, dataset, n) for dataset in self.datasets for n in self.sizes_of(dataset) for arm in self.arms
        ]

    def base(self, cell: Cell) -> Config:
        """What is fixed within a cell."""
        data = entry_of(cell.dataset)
        changes = {
            "dataset": cell.dataset,
            "hidden": (),
            "cost": COSTS[data.task],
            **self.arm(cell.arm).changes(data.numbers),
        }
        return Config(
            n_examples=cell.n,
            noise=0.0 if isinstance(data, Table) else NOISE,
            activation="tanh",
            optimizer="adamw",
            schedule="cosine",
            learning_rate=0.03,
            epochs=self.epochs,
            n_validation=self._validation_of(cell),
        ).replace(**changes)

    def _validation_of(self, cell: Cell) -> int | None:
        if self.validation == "plenty":
            return None
        left = largest_size(cell.dataset) + LEAST_VALIDATION - cell.n
        return min(cell.n, left) if isinstance(entry_of(cell.dataset), Table) else cell.n

    def number(self, repetition: int) -> int:
        """The first seed of a repetition's final runs, which all that it draws follows from."""
        return self.first_seed + repetition * self.seeds

    def tuning(self, cell: Cell, repetition: int = 0) -> list[Config]:
        """The first round: each trial on the first draw. The points are the same for all cells."""
        number = self.number(repetition)
        first = self._drawn(self.base(cell), TUNING_SEEDS + number * self.draws, repetition)
        if not self.space:
            return [first]
        points = sampled_points(self.space, "sobol", self.trials, seed=number)
        return [to_config(first, self.space, point) for point in points]

    def further(self, finalist: Config, repetition: int = 0) -> list[Config]:
        """The second round: a finalist on the other draws."""
        return [self._drawn(finalist, finalist.seed + draw, repetition) for draw in range(1, self.draws)]

    def final(self, winner: Config, repetition: int = 0) -> list[Config]:
        """The winner of a repetition with each of its fresh seeds, of weights and of data that are generated."""
        number = self.number(repetition)
        return [self._drawn(winner, seed, repetition) for seed in range(number, number + self.seeds)]

    def _drawn(self, config: Config, seed: int, repetition: int) -> Config:
        """A config with these weights, and the data: its own draw, or the repetition's split of a table."""
        of_table = isinstance(config.data, Table)
        return config.replace(seed=seed, data_seed=self.number(repetition) if of_table else seed)

    @cached_property
    def id(self) -> str:
        """The name of this comparison: a hash of everything that decides what its runs are, and the owner."""
        parts: dict[str, Any] = {
            "cells": [[*cell, self.base(cell).key] for cell in self.cells],
            "space": {name: canonical(dimension) for name, dimension in self.space.items()},
            "counts": [getattr(self, name) for name in (*LEAST, "margin", "validation")],
        }
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return "-".join(filter(None, ("compare", digest[:8], self.owner)))

    @property
    def total(self) -> int:
        """How many runs it comes to."""
        trials = self.trials if self.space else 1
        each = trials + min(self.finalists, trials) * (self.draws - 1) + self.seeds
        return len(self.cells) * self.repetitions * each

    def replace(self, **changes: Any) -> "Comparison":
        """The comparison with some of its parts changed."""
        return replace(self, **changes)


def overlap_of(dataset: str) -> float:
    """How much the splits of a table overlap; 0 for fresh draws."""
    return entry_of(dataset).overlap


def largest_size(dataset: str) -> int:
    """The most training examples that leave a table enough for validation; of generated data there is no end."""
    if not isinstance(entry_of(dataset), Table):
        return LARGEST
    return entry_of(dataset).largest_n - LEAST_VALIDATION


def smallest_size(dataset: str) -> int:
    """The fewest training examples with all classes among them."""
    return max(2, entry_of(dataset).smallest_n)


def nuisance_words(space: Mapping[str, Dimension]) -> list[str]:
    """The nuisances and their ranges, for people."""
    words = []
    for name, dimension in space.items():
        if isinstance(dimension, Range):
            words.append(f"{name} {dimension.low:g} to {dimension.high:g}{' (log scale)' if dimension.log else ''}")
        else:
            words.append(f"{name} ({', '.join(dimension.grid())})")
    return words


# without the deepest arm, which small grids cannot tell from the one before
SMALL = Comparison(arms=tuple(arm for arm in standard_arms() if arm.name != "hidden 8-8-8"))
FULL = Comparison(
    datasets=("quadrants", "circle", "gauss", "moons", "spiral", "breast_cancer", "iris"),
    sizes=(8, 16, 32, 64, 128, 256, 512),
    repetitions=12,
    trials=12,
    finalists=3,
    seeds=10,
)
