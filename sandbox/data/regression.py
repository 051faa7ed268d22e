"""Targets that are numbers: a line through the origin, and TensorFlow Playground's plane and bumps.

Every function takes (n, noise, rng) and returns X (n, features) and Y (n, 1). The plane and the bumps follow
tensorflow/playground, src/dataset.ts: noise moves the place where the target is read, X stays.
"""

from __future__ import annotations  # numpy.random takes as long to import as all of this

import numpy as np

BUMPS = np.array([[-4, 2.5, 1], [0, 2.5, -1], [4, 2.5, 1], [-4, -2.5, -1], [0, -2.5, 1], [4, -2.5, -1]], dtype=float)

Points = tuple[np.ndarray, np.ndarray]


def line(n: int, noise: float, rng: np.random.Generator) -> Points:
    """y = 3 x with x in U(1, 4), plus Gaussian noise of standard deviation `noise` on y."""
    x = rng.uniform(1, 4, (n, 1))
    return x, 3 * x + noise * rng.standard_normal((n, 1))


def line_exactly() -> Points:
    """y = 3 x at x = 1, 2, 3, 4."""
    x = np.array([[1.0], [2.0], [3.0], [4.0]])
    return x, 3 * x


def plane(n: int, noise: float, rng: np.random.Generator) -> Points:
    """(x1 + x2) / 10 with x1, x2 in U(-6, 6), read at the point moved by noise * U(-6, 6) on each axis."""
    X, moved = _square(n, noise, rng)
    return X, moved.sum(axis=1, keepdims=True) / 10


def bumps(n: int, noise: float, rng: np.random.Generator) -> Points:
    """Six cones of height 1 and radius 2, three up and three down, over the same square as `plane`.

    A cone is sign * clamp(1 - distance / 2, 0, 1); where several reach, the largest in magnitude counts.
    """
    X, moved = _square(n, noise, rng)
    distance = np.hypot(moved[:, [0]] - BUMPS[:, 0], moved[:, [1]] - BUMPS[:, 1])
    height = BUMPS[:, 2] * np.clip(1 - distance / 2, 0, 1)
    return X, np.take_along_axis(height, np.abs(height).argmax(axis=1)[:, None], axis=1)


def _square(n: int, noise: float, rng: np.random.Generator) -> Points:
    X = rng.uniform(-6, 6, (n, 2))
    return X, X + noise * rng.uniform(-6, 6, (n, 2))
