"""Features brought to a common scale, as the training examples have it."""

from dataclasses import dataclass, replace

import numpy as np

from sandbox.data.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Scaling:
    """X -> (X - mean) / scale, feature by feature: `mean` and `scale` are (features,).

    >>> Scaling(np.array([1.0]), np.array([2.0]))(np.array([[1.0], [5.0]]))
    array([[0.],
           [2.]])
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> "Scaling":
        """The scaling that gives each feature of X (examples, features) mean 0 and standard deviation 1.

        A feature that is constant in X is only centred: its scale is 1.
        """
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(X)
        return cls(np.asarray(scaler.mean_), np.asarray(scaler.scale_))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """X (examples, features) on the common scale, a new array."""
        return (X - self.mean) / self.scale

    def dataset(self, dataset: Dataset) -> Dataset:
        """The same examples on the common scale."""
        return replace(dataset, X=self(dataset.X))
