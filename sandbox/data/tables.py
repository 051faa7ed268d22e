"""Tables: real measurements, of which there are only so many. Those of scikit-learn, and one's own."""

from __future__ import annotations  # numpy.random takes as long to import as all of this

import math
import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from sandbox.data.checks import LARGEST_N, LARGEST_SEED, noise_level, validation_size, whole_number
from sandbox.data.crosses import quoted
from sandbox.data.dataset import Dataset
from sandbox.data.parts import Parts
from sandbox.data.scaling import Scaling
from sandbox.errors import RequestError, one_line

TEST_SHARE = 0.25
VALIDATION_SHARE = 0.2  # of what is not for testing, unless told how many to train with
LEAST_VALIDATION = 10  # fewer examples than these decide nothing
SAMPLE_STREAM = 2
LEAST_EXAMPLES, LEAST_OF_A_CLASS = 8, 3  # of data of one's own: what is split in three parts


@dataclass(frozen=True)
class Table:
    """A table that the function `reader` of sklearn.datasets reads, or that is `given`.

    `examples` and `classes` are how many it has: what may be asked for is known without reading it. Of two classes that
    which the reader numbers `positive` is 1. A table of `given` examples has their `digest`, of all that decides what a
    network learns from them.
    """

    name: str
    summary: str
    task: str
    n_features: int
    examples: int
    classes: int
    reader: str = ""
    positive: int = 1
    given: Dataset | None = field(default=None, repr=False, compare=False)
    digest: str = ""
    default_n: None = None  # all there are
    noisy: bool = False
    edition: int = 1

    @classmethod
    def of(cls, dataset: Dataset) -> Table:
        """The table of a data set of one's own, named by it and by its digest. Raises RequestError."""
        if dataset.X.shape[1] == 0 or len(dataset) < LEAST_EXAMPLES:
            raise RequestError(
                f"data set {one_line(dataset.name)} has shape {dataset.X.shape}: at least {LEAST_EXAMPLES} examples of a "
                "feature or more are needed"
            )
        X, Y = np.asarray(dataset.X, dtype=float), np.asarray(dataset.Y, dtype=float)
        if np.isinf(X).any() or not np.isfinite(Y).all():
            raise RequestError(
                f"data set {one_line(dataset.name)} has infinite features, or targets that are not finite"
            )
        dataset = replace(dataset, X=np.where(np.isnan(X), np.nan, X) + 0.0, Y=Y + 0.0, named=True)
        digest = _digest(dataset)
        classes = Y.shape[1] if dataset.task == "multiclass" else 2 - (dataset.task == "regression")
        if classes > 1:
            rarest = min(Y.sum(axis=0)) if dataset.task == "multiclass" else min(Y.sum(), len(Y) - Y.sum())
            if rarest < LEAST_OF_A_CLASS or len(Y) < 4 * classes:
                raise RequestError(
                    f"data set {one_line(dataset.name)} has {rarest:.0f} examples of a class, of {len(Y)}: every class "
                    f"needs {LEAST_OF_A_CLASS}, and {classes} classes {4 * classes} in all"
                )
        name = f"{re.sub('[^A-Za-z0-9_.]+', '_', dataset.name)[:40]}-{digest}"
        return cls(
            name,
            dataset.summary,
            dataset.task,
            X.shape[1],
            len(X),
            classes,
            given=replace(dataset, name=name),
            digest=digest,
        )

    @property
    def columns(self) -> int | tuple[str, ...]:
        """What crosses call the features: x1, x2, ..., so many, or names."""
        return self.n_features if self.given is None else self.given.columns

    @property
    def numbers(self) -> tuple[str, ...]:
        """What crosses call the columns of numbers."""
        if isinstance(self.columns, int):
            return tuple(f"x{column + 1}" for column in range(self.columns))
        encoding = self.given.encoding if self.given else None
        texts = {place for group in (encoding.groups if encoding else ()) for place in group}
        return tuple(quoted(name) for place, name in enumerate(self.columns) if place not in texts)

    @property
    def overlap(self) -> float:
        """How much its splits overlap: rho / (1 - rho) of the test part's share rho (Nadeau and Bengio 2003)."""
        return TEST_SHARE / (1 - TEST_SHARE)

    @property
    def smallest_n(self) -> int:
        """The fewest training examples: one of each class."""
        return self.classes

    @property
    def largest_n(self) -> int:
        """The most training examples: all that are not for testing."""
        return self.examples - math.ceil(TEST_SHARE * self.examples)

    def load(self, n: int | None, noise: float, seed: Any) -> Dataset:
        """The whole table in its own order and units, or a stratified sample of n."""
        seed = self._check(noise, seed)
        table, labels = self._read()
        if n is None:
            return table.take(np.arange(self.examples))
        n = whole_number(f"n (of {self.examples} examples of {self.name})", n, self.classes, self.examples)
        return table.take(stratified_order(labels, np.random.default_rng([seed, SAMPLE_STREAM]))[:n])

    def first(self, rows: int) -> np.ndarray:
        """The features (rows, features) of so many examples, in their own units."""
        return self._read()[0].X[:rows]

    def parts(self, n: int | None, noise: float, seed: Any, n_test: int, n_validation: int | None = None) -> Parts:
        """One quarter to test on, and of the other three n to train with and the rest to choose by, all stratified.

        The test examples depend on the seed alone: neither n nor n_test changes which they are. n None is four fifths.
        n_validation are the first of the rest; None is all of it.
        Features are standardised by the training examples' mean and standard deviation; a feature that is
        constant among these is only centred. Given tables may say otherwise: see Scaling.
        """
        from sklearn.model_selection import train_test_split

        seed = self._check(noise, seed)
        whole_number("n_test", n_test, 1, LARGEST_N)
        if n is not None:
            what = f"n (of {self.largest_n} training examples of {self.name})"
            n = whole_number(what, n, self.smallest_n, self.largest_n)
        n_validation = validation_size(self.name, n_validation, self.largest_validation(n, noise))
        table, labels = self._read()
        stratify = labels if self.classes > 1 else None
        rows, test = train_test_split(
            np.arange(self.examples), test_size=TEST_SHARE, stratify=stratify, random_state=seed
        )
        rows = rows[stratified_order(labels[rows], np.random.default_rng([seed, SAMPLE_STREAM]))]
        size = self._training(n)
        validation = rows[size:][:n_validation] if self.has_validation(n, noise) else None
        groups = table.encoding.groups if table.encoding else ()
        scaling = Scaling.of(table.X[rows[:size]], table.scaling, groups, bool(np.isnan(table.X).any()))
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

    def _read(self) -> tuple[Dataset, np.ndarray]:
        """The table and its class numbers, all 0 for regression: hand out copies only."""
        if self.given is None:
            return _read(self.name, self.reader, self.positive)
        Y = self.given.Y
        labels = (
            np.zeros(len(Y), dtype=int) if self.classes == 1 else Y.argmax(1) if Y.shape[1] > 1 else Y[:, 0].astype(int)
        )
        return self.given, labels

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


def _digest(dataset: Dataset) -> str:
    """A hash of what decides what a network learns from a data set: not its name, nor where it came from."""
    import hashlib  # not for `import sandbox`

    told = (dataset.X.shape, dataset.Y.shape, dataset.feature_names, dataset.task, dataset.class_names, dataset.scaling)
    whole = hashlib.sha256(repr(told).encode())
    for array in (dataset.X, dataset.Y):
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()[:12]


@cache
def _read(name: str, reader: str, positive: int) -> tuple[Dataset, np.ndarray]:
    """The table, and its class numbers; read once a process, so hand out copies only."""
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, reader)()
    labels = np.asarray(bunch.target)
    classes = tuple(str(class_name) for class_name in bunch.target_names)
    multiclass = len(classes) > 2
    if not multiclass and positive == 0:
        labels, classes = 1 - labels, classes[::-1]
    Y = np.eye(len(classes))[labels] if multiclass else labels.astype(float)[:, None]
    X = np.asarray(bunch.data, dtype=float)
    names = tuple(str(feature) for feature in bunch.feature_names)
    return Dataset(name, X, Y, names, "multiclass" if multiclass else "binary", classes), labels
