"""The plane that a picture of a decision boundary shows of a data set with any number of features."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sandbox.errors import RequestError, choose

if TYPE_CHECKING:
    from sandbox.data import Dataset

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plane:
    """An affine map between raw features and the picture's one or two coordinates.

    origin (features,); directions (coordinates, features): how the features change along each coordinate;
    measures (features, coordinates): how to read the coordinates off the features; wordings: what to call
    each coordinate, the most telling wording first.
    """

    origin: Floats
    directions: Floats
    measures: Floats
    wordings: tuple[tuple[str, ...], ...]

    def points(self, coordinates: Floats) -> Floats:
        """Raw features (points, features) at coordinates (points, 1 or 2)."""
        # a sum of outer products: BLAS is slow at matrices this thin
        return sum(
            (np.multiply.outer(c, d) for c, d in zip(coordinates.T, self.directions, strict=True)),
            self.origin,
        )

    def project(self, X: Floats) -> Floats:
        """Coordinates (examples, 1 or 2) of raw features (examples, features)."""
        return (X - self.origin) @ self.measures


def plane_of(dataset: "Dataset", names: tuple[str, str] | None = None) -> Plane:
    """The plane to show: the features themselves where there are one or two, else two principal components.

    `names` asks for two features instead, each "x<k>" counted from 1 or a name of the data set's own; the
    others stay at their median. Raises RequestError for any other names.
    """
    features = dataset.X.shape[1]
    if names is not None:
        first, second = _columns(dataset, names)
        return _features(dataset, [first, second])
    return _features(dataset, list(range(features))) if features <= 2 else _principal(dataset.X)


def _columns(dataset: "Dataset", names: tuple[str, str]) -> tuple[int, int]:
    own = [str(name) for name in dataset.feature_names]
    if dataset.X.shape[1] < 2:
        raise RequestError(f"data set {dataset.name!r} has one feature: it has no plane to choose")
    if isinstance(names, str) or len(names) != 2:
        raise RequestError(f"a plane needs two features, such as ('x1', 'x2'), got {names!r}")
    table = {f"x{k}": k - 1 for k in range(1, dataset.X.shape[1] + 1)}
    table |= {name: column for column, name in enumerate(own)}
    first, second = (choose(f"feature of data set {dataset.name!r}", name, table) for name in names)
    if first == second:
        raise RequestError(f"a plane needs two different features, got {names[0]!r} and {names[1]!r}")
    return first, second


def _features(dataset: "Dataset", columns: list[int]) -> Plane:
    features = dataset.X.shape[1]
    directions = np.eye(features)[columns]
    origin = np.median(dataset.X, axis=0)
    origin[columns] = 0.0
    names = [_named(dataset, column) for column in columns]
    if features == len(columns):
        wordings = [(name,) for name in names]
    else:
        short = f"{names[0] if dataset.named else f'x{columns[0] + 1}'}; others at their median"
        wordings = [(f"{names[0]}; others at their median", short), *((name,) for name in names[1:])]
    return Plane(origin, directions, directions.T, tuple(wordings))


def _named(dataset: "Dataset", column: int) -> str:
    name = str(dataset.feature_names[column]) if column < len(dataset.feature_names) else ""
    position = f"x{column + 1}"
    return name if dataset.named else position if name in ("", position) else f"{position}: {name}"


def _principal(X: Floats) -> Plane:
    """The first two principal components of the standardized features, through the mean.

    The singular vectors of the correlation matrix are those of the examples, and cheaper to find.
    """
    mean, deviation = X.mean(0), X.std(0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    standard = (X - mean) / deviation
    vectors, variances, _ = np.linalg.svd(standard.T @ standard)
    first_two = vectors[:, :2]
    largest = first_two[np.abs(first_two).argmax(0), [0, 1]]
    first_two = first_two * np.where(largest < 0, -1.0, 1.0)  # the sign is arbitrary: make it reproducible
    shares = 100 * variances[:2] / (variances.sum() or 1.0)
    wordings = tuple(
        tuple(f"{name} {k} ({share:.0f} % of variance)" for name in ("principal component", "PC"))
        for k, share in enumerate(shares, start=1)
    )
    return Plane(mean, first_two.T * deviation, first_two / deviation[:, None], wordings)
