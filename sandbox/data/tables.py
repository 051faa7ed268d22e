"""The tables that come with scikit-learn: real measurements, of which there are only so many."""

from __future__ import annotations  # numpy.random takes as long to import as all of this

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from sandbox.data.checks import LARGEST_N, LARGEST_SEED, noise_level, validation_size, whole_number
from sandbox.data.dataset import Dataset
from sandbox.data.parts import Parts
from sandbox.data.scaling import Scaling
from sandbox.errors import RequestError

TEST_SHARE = 0.25
VALIDATION_SHARE = 0.2  # of what is not for testing, unless told how many to train with
LEAST_VALIDATION = 10  # fewer examples than these decide nothing
SAMPLE_STREAM = 2


@dataclass(frozen=True)
class Table:
    """A table of scikit-learn, which the function `reader` of sklearn.datasets reads.

    `examples` and `classes` are how many it has: what may be asked for is known without reading it.
    """

    name: str
    summary: str
    task: str
    n_features: int
    examples: int
    classes: int
    reader: str
    default_n: None = None  # all there are
    noisy: bool = False
    edition: int = 1

    @property
    def smallest_n(self) -> int:
        """The fewest training examples: one of each class."""
        return self.classes

    @property
    def largest_n(self) -> int:
        """The most training examples: all that are not for testing."""
        return self.examples - math.ceil(TEST_SHARE * self.examples)

    def load(self, n: int | None, noise: float, seed: int) -> Dataset:
        """The whole table in its own order and units, or a stratified sample of n."""
        seed = self._check(noise, seed)
        table, labels = _read(self.name, self.reader)
        if n is None:
            return table.take(np.arange(self.examples))
        n = whole_number(f"n (of {self.examples} examples of {self.name})", n, self.classes, self.examples)
        return table.take(stratified_order(labels, np.random.default_rng([seed, SAMPLE_STREAM]))[:n])

    def parts(self, n: int | None, noise: float, seed: int, n_test: int, n_validation: int | None = None) -> Parts:
        """One quarter to test on, and of the other three n to train with and the rest to choose by, all stratified.

        The test examples depend on the seed alone: neither n nor n_test changes which they are. n None is four fifths.
        n_validation are the first of the rest; None is all of it.
        Features are standardised by the training examples' mean and standard deviation; a feature that is
        constant among these is only centred.
        """
        from sklearn.model_selection import train_test_split

        seed = self._check(noise, seed)
        whole_number("n_test", n_test, 1, LARGEST_N)
        if n is not None:
            what = f"n (of {self.largest_n} training examples of {self.name})"
            n = whole_number(what, n, self.smallest_n, self.largest_n)
        n_validation = validation_size(self.name, n_validation, self.largest_validation(n, noise))
        table, labels = _read(self.name, self.reader)
        rows, test = train_test_split(
            np.arange(self.examples), test_size=TEST_SHARE, stratify=labels, random_state=seed
        )
        rows = rows[stratified_order(labels[rows], np.random.default_rng([seed, SAMPLE_STREAM]))]
        size = self._training(n)
        validation = rows[size:][:n_validation] if self.has_validation(n, noise) else None
        scaling = Scaling.of(table.X[rows[:size]])
        train, validation, test = (
            None if some is None else scaling.dataset(table.take(some)) for some in (rows[:size], validation, test)
        )
        assert train is not None
        return Parts(train, validation, test, scaling)

    def drawn(self, n: int | None, noise: float) -> bool:
        """Whether chance has a part in the examples: in how they are split."""
        return True

    def has_validation(self, n: int | None, noise: float) -> bool:
        """Whether enough examples are left to choose by: ten, and one of each class."""
        return self.largest_validation(n, noise) > 0

    def largest_validation(self, n: int | None, noise: float) -> int:
        """The most examples that the validation part can have: all that are left, none where these are too few."""
        left = self.largest_n - self._training(n)
        return left if left >= max(LEAST_VALIDATION, self.classes) else 0

    def _training(self, n: int | None) -> int:
        return self.largest_n - math.ceil(VALIDATION_SHARE * self.largest_n) if n is None else n

    def _check(self, noise: float, seed: int) -> int:
        if noise_level(noise) != 0:
            raise RequestError(f"{self.name} is a table of real measurements: its noise must be 0, got {noise}")
        return whole_number("seed", seed, 0, LARGEST_SEED)


def stratified_order(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order of examples whose every beginning is a stratified sample, a small one part of a larger one.

    `labels` (examples,) are class numbers. Each class is shuffled and spread evenly over the order: the first
    places go to one example of every class, and any beginning holds each class's share to within a few.

    >>> stratified_order(np.array([0, 0, 1, 1, 1, 1]), np.random.default_rng(0)).shape
    (6,)
    """
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        place[rng.permutation(members)] = np.arange(len(members)) / len(members)
    return np.lexsort((rng.random(len(labels)), place))


@cache
def _read(name: str, reader: str) -> tuple[Dataset, np.ndarray]:
    """The table, and its class numbers; read once a process, so hand out copies only."""
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, reader)()
    labels = np.asarray(bunch.target)
    classes = tuple(str(class_name) for class_name in bunch.target_names)
    multiclass = len(classes) > 2
    Y = np.eye(len(classes))[labels] if multiclass else labels.astype(float)[:, None]
    X = np.asarray(bunch.data, dtype=float)
    names = tuple(str(feature) for feature in bunch.feature_names)
    return Dataset(name, X, Y, names, "multiclass" if multiclass else "binary", classes), labels
