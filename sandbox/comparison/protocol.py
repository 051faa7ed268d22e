"""The protocol of a comparison: what is asked, what is tuned, what is fixed, and which runs that comes to.

Every cell (arm, data set, number of training examples) is tuned with the same quasi-random trials, each judged on
validation data; the winner is trained again with fresh seeds, the same for all arms, and judged on test data.
Generated data are drawn anew: the tuning's from data seeds that the final runs never see. Of a table, which is given,
every seed is another stratified split; validation examples are what its training part has left.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from sandbox.comparison.arms import Arm, standard_arms
from sandbox.config import Config
from sandbox.data import DATASETS
from sandbox.data.tables import Table
from sandbox.errors import RequestError, choose, is_count
from sandbox.space import Dimension, Range, canonical, choice, sampled_points, to_config

EXPERIMENT = "compare"
QUESTION = "Feature engineering or hidden layers? Every arm tuned with equal effort, measured on fresh seeds and data."
TUNING_SEEDS = 1_000_000  # tuning's seeds start here: no final run has one of them
LEAST_VALIDATION = 30  # examples that a table's training part must have left beside those that are trained on
LARGEST = 1_000_000  # of generated data
NOISE = 0.1  # of generated data
EPOCHS = 3000
NUISANCES: dict[str, Dimension] = {
    "learning_rate": Range(0.005, 0.3, log=True),
    "initializer": choice("plain", "xavier", "he"),
    "l2": Range(1e-6, 0.1, log=True),
}
COSTS = {"binary": "binary_cross_entropy", "multiclass": "categorical_cross_entropy"}


class Cell(NamedTuple):
    """One combination of the scientific hyperparameters."""

    arm: str
    dataset: str
    n: int


@dataclass(frozen=True)
class Comparison:
    """Arms, data sets and sizes to compare; trials of every cell's tuning, and seeds of its final runs.

    Tuning has two rounds: every trial on one draw of data and weights, then the `finalists` best of them on further ones,
    `draws` in all. One draw alone would crown a trial that fails on every third. A nuisance that an arm
    sets is scientific and no longer tuned, for any arm. Sizes that a table cannot give are left out, see `left_out`.
    Raises RequestError for what does not exist or does not fit.
    """

    datasets: tuple[str, ...] = ("quadrants", "circle", "spiral")
    sizes: tuple[int, ...] = (16, 64, 256)
    arms: tuple[Arm, ...] = field(default_factory=standard_arms)
    seeds: int = 20
    trials: int = 8
    finalists: int = 3
    draws: int = 4
    epochs: int = EPOCHS
    first_seed: int = 0

    def __post_init__(self) -> None:
        for name in ("datasets", "sizes", "arms"):
            values = [getattr(arm, "name", arm) for arm in getattr(self, name)]
            if not values or len(set(values)) < len(values):
                raise RequestError(f"{name} are {', '.join(map(str, values)) or 'none'}: name each once, at least one")
        if len(self.arms) < 2:
            raise RequestError(
                f"{next(iter(self.arms)).name!r} is the only arm: a comparison needs two, such as --arm 'raw:'"
            )
        for name, least in (("seeds", 2), ("trials", 1), ("finalists", 1), ("draws", 1), ("first_seed", 0)):
            value = getattr(self, name)
            if not (is_count(value) and value >= least):
                raise RequestError(f"{name} is {value!r}: a whole number of at least {least} is needed")
        if self.first_seed + self.seeds > TUNING_SEEDS:
            raise RequestError(f"first_seed is {self.first_seed}: seeds must stay below {TUNING_SEEDS}, tuning's first")
        for dataset in self.datasets:
            if choose("dataset", dataset, DATASETS).task == "regression":
                raise RequestError(f"{dataset} is for regression: arms are compared by their accuracy")
            if not self.sizes_of(dataset):
                least, most = smallest_size(dataset), largest_size(dataset)
                raise RequestError(
                    f"{dataset} takes {least} to {most} training examples"
                    + (f", {LEAST_VALIDATION} others being for validation" if most < LARGEST else "")
                )
        for cell in self.cells:
            self.base(cell)

    @property
    def space(self) -> dict[str, Dimension]:
        """The nuisances: tuned apart for every cell."""
        scientific = {name for arm in self.arms for name, _ in arm.fields}
        return {name: dimension for name, dimension in NUISANCES.items() if name not in scientific}

    def arm(self, name: str) -> Arm:
        """The arm of that name."""
        return next(arm for arm in self.arms if arm.name == name)

    def sizes_of(self, dataset: str) -> tuple[int, ...]:
        """The numbers of training examples that this data set can give."""
        least, most = smallest_size(dataset), largest_size(dataset)
        return tuple(sorted(n for n in self.sizes if least <= n <= most))

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
        data = DATASETS[cell.dataset]
        changes = {
            "dataset": cell.dataset,
            "hidden": (),
            "cost": COSTS[data.task],
            **self.arm(cell.arm).changes(data.n_features),
        }
        return Config(
            n_examples=cell.n,
            noise=0.0 if isinstance(data, Table) else NOISE,
            activation="tanh",
            optimizer="adam",
            learning_rate=0.03,
            epochs=self.epochs,
        ).replace(**changes)

    def tuning(self, cell: Cell) -> list[Config]:
        """The first round: each trial on the first draw. The points are the same for all cells."""
        first = _reseeded(self.base(cell), TUNING_SEEDS + self.first_seed)
        if not self.space:
            return [first]
        points = sampled_points(self.space, "sobol", self.trials)
        return [to_config(first, self.space, point, first.seed) for point in points]

    def further(self, finalist: Config) -> list[Config]:
        """The second round: a finalist on the other draws."""
        return [_reseeded(finalist, finalist.seed + draw) for draw in range(1, self.draws)]

    def final(self, winner: Config) -> list[Config]:
        """The winner of a cell with every fresh seed, of weights and data alike."""
        return [_reseeded(winner, self.first_seed + number) for number in range(self.seeds)]

    @cached_property
    def id(self) -> str:
        """The name of this comparison: a hash of everything that decides what its runs are."""
        parts: dict[str, Any] = {
            "cells": [[*cell, self.base(cell).key] for cell in self.cells],
            "space": {name: canonical(dimension) for name, dimension in self.space.items()},
            "counts": [self.seeds, self.trials, self.finalists, self.draws, self.first_seed],
        }
        return f"compare-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]}"

    @property
    def total(self) -> int:
        """How many runs it comes to."""
        trials = self.trials if self.space else 1
        return len(self.cells) * (trials + min(self.finalists, trials) * (self.draws - 1) + self.seeds)

    def replace(self, **changes: Any) -> "Comparison":
        """The comparison with some of its parts changed."""
        return replace(self, **changes)


def _reseeded(config: Config, seed: int) -> Config:
    return config.replace(seed=seed, data_seed=seed)


def largest_size(dataset: str) -> int:
    """The most training examples that leave a table enough for validation; of generated data there is no end."""
    if not isinstance(DATASETS[dataset], Table):
        return LARGEST
    return DATASETS[dataset].largest_n - LEAST_VALIDATION


def smallest_size(dataset: str) -> int:
    """The fewest training examples with all classes among them."""
    return max(2, DATASETS[dataset].smallest_n)


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
    trials=16,
    finalists=4,
    draws=5,
)
