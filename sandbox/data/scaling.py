"""Features brought to a common scale, as the training examples have it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sandbox.data.dataset import Dataset

Groups = Sequence[Sequence[int]]


@dataclass(frozen=True, eq=False)
class Scaling:
    """X -> (X - mean) / scale, feature by feature: `mean` and `scale` are (features,).

    Gaps, which are NaN, are filled before by `fill` (features,); None: there are none.

    >>> Scaling(np.array([1.0]), np.array([2.0]))(np.array([[1.0], [5.0]]))
    array([[0.],
           [2.]])
    """

    mean: np.ndarray
    scale: np.ndarray
    fill: np.ndarray | None = None

    @classmethod
    def of(cls, X: np.ndarray, kind: str = "standard", groups: Groups = (), gaps: bool = False) -> "Scaling":
        """What X (examples, features) says: "standard" gives each feature mean 0 and standard deviation 1, "minmax" 0 to 1.

        A feature that is constant in X is only moved: its scale is 1. `groups` are the features of columns of text, by
        their places: these stay 0 and 1. Gaps are filled with the mean, or a column's most frequent text.
        """
        from sklearn.preprocessing import MinMaxScaler, StandardScaler

        features = X.shape[1]
        texts = [place for group in groups for place in group]
        fill = _fill(X, groups) if gaps else None
        mean, scale = np.zeros(features), np.ones(features)
        X = X if fill is None else np.where(np.isnan(X), fill, X)
        if kind == "standard":
            scaler = StandardScaler().fit(X)
            mean, scale = np.asarray(scaler.mean_).copy(), np.asarray(scaler.scale_).copy()
        elif kind == "minmax":
            scaler = MinMaxScaler().fit(X)
            mean, scale = np.asarray(scaler.data_min_).copy(), 1 / np.asarray(scaler.scale_)
        mean[texts], scale[texts] = 0.0, 1.0
        return cls(mean, scale, fill)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """X (examples, features) on the common scale, a new array."""
        return ((X if self.fill is None else np.where(np.isnan(X), self.fill, X)) - self.mean) / self.scale

    def dataset(self, dataset: Dataset) -> Dataset:
        """The same examples on the common scale."""
        return replace(dataset, X=self(dataset.X))


def _fill(X: np.ndarray, groups: Groups) -> np.ndarray:
    """What to fill gaps of each feature with: the mean of those without, 0 where there are none."""
    known = ~np.isnan(X)
    sums, counts = np.where(known, X, 0.0).sum(axis=0), known.sum(axis=0)
    fill = sums / np.maximum(counts, 1)
    for group in groups:
        most = group[int(np.argmax(sums[list(group)]))]
        fill[list(group)] = 0.0
        fill[most] = 1.0
    return fill
