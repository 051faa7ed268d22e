"""The tables that come with scikit-learn: real measurements, of which there are only so many."""

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from sandbox.data.checks import LARGEST_N, LARGEST_SEED, noise_level, whole_number
from sandbox.data.dataset import Dataset
from sandbox.errors import RequestError

if TYPE_CHECKING:
    from sklearn.preprocessing import StandardScaler

TEST_SHARE = 0.25
SAMPLE_STREAM = 2


@dataclass(frozen=True)
class Table:
    """A table of scikit-learn, which the function `reader` of sklearn.datasets reads."""

    name: str
    summary: str
    task: str
    n_features: int
    examples: int
    reader: str
    default_n: None = None  # all there are

    def load(self, n: int | None, noise: float, seed: int) -> Dataset:
        """The whole table in its own order and units, or a stratified sample of n."""
        seed = self._check(noise, seed)
        table, labels = _read(self.name, self.reader)
        everyone = np.arange(len(table))
        return table.take(everyone if n is None else everyone[self._sample(labels, n, seed, "examples")])

    def split(self, n: int | None, noise: float, seed: int, n_test: int) -> tuple[Dataset, Dataset]:
        """Three quarters (or n of them) to train with and one quarter to test with, both stratified.

        Features are standardised by the training examples' mean and standard deviation; a feature that is
        constant among these is only centred. The test examples depend on the seed alone: neither n nor n_test
        changes which they are.
        """
        from sklearn.model_selection import train_test_split
        from sklearn.preprocessing import StandardScaler

        seed = self._check(noise, seed)
        whole_number("n_test", n_test, 1, LARGEST_N)
        table, labels = _read(self.name, self.reader)
        rows = np.arange(len(table))
        train_rows, test_rows = train_test_split(rows, test_size=TEST_SHARE, stratify=labels, random_state=seed)
        if n is not None:
            train_rows = train_rows[self._sample(labels[train_rows], n, seed, "training examples")]
        scaler = StandardScaler().fit(table.X[train_rows])
        train, test = table.take(train_rows), table.take(test_rows)
        return _standardised(train, scaler), _standardised(test, scaler)

    def _check(self, noise: float, seed: int) -> int:
        if noise_level(noise) != 0:
            raise RequestError(f"{self.name} is a table of real measurements: its noise must be 0, got {noise}")
        return whole_number("seed", seed, 0, LARGEST_SEED)

    def _sample(self, labels: np.ndarray, n: int, seed: int, what: str) -> np.ndarray:
        classes = len(np.unique(labels))
        n = whole_number(f"n (of {len(labels)} {what} of {self.name})", n, classes, len(labels))
        return stratified_order(labels, np.random.default_rng([seed, SAMPLE_STREAM]))[:n]


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


def _standardised(dataset: Dataset, scaler: "StandardScaler") -> Dataset:
    return replace(dataset, X=np.asarray(scaler.transform(dataset.X)))
