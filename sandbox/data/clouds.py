"""Clouds of points in the plane, in two classes.

Every function takes (n, noise, rng) and returns X (n, 2) and Y (n, 1) of 0 and 1, in shuffled order. Classes
are balanced by construction: their sizes differ by at most one. Where noise acts on the label (circle,
xor_cloud) it may tip the balance. Within its class (quadrant, where there are four) every point is drawn independently
of all others, but for those of spiral_playground.

circle, gauss, the spirals and xor_cloud follow TensorFlow Playground (tensorflow/playground, src/dataset.ts). Its
noise slider runs from 0 to 0.5; its labels -1 and +1 are 0 and 1 here.
"""

from __future__ import annotations  # numpy.random takes as long to import as all of this

import numpy as np

# Counter-clockwise from (+, +): the product of signs alternates, so every stretch of this cycle is balanced.
QUADRANTS = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
QUADRANT_SPREAD = 0.25
ARM_LENGTH = 5.0
ARM_ANGLE = 3.5 * np.pi

Cloud = tuple[np.ndarray, np.ndarray]


def quadrants(n: int, noise: float, rng: np.random.Generator) -> Cloud:
    """XOR with clouds: one Gaussian cloud around each of (1, 1), (-1, 1), (-1, -1), (1, -1).

    The standard deviation is 0.25 on each axis, and Gaussian noise of standard deviation `noise` is added to
    that. The label is the XOR of the centre's signs: 1 in the second and fourth quadrants. No straight line
    gets more than 3 in 4 right and a fitted one about 1 in 2; without noise an axis is four standard
    deviations away, so that the sign of x1*x2 separates the classes.
    """
    centres = QUADRANTS[_in_turn(n, 4, rng)]
    X = centres + QUADRANT_SPREAD * rng.standard_normal((n, 2)) + noise * rng.standard_normal((n, 2))
    return X, _column(centres.prod(axis=1) < 0)


def circle(n: int, noise: float, rng: np.random.Generator) -> Cloud:
    """A disc (label 1) in a ring (label 0): half with r in U(0, 2.5), half with r in U(3.5, 5).

    The label is 1 when the point, moved by noise * U(-5, 5) on each axis, lies within radius 2.5; X stays.
    """
    inside = _in_turn(n, 2, rng) == 1
    r = np.where(inside, rng.uniform(0, 2.5, n), rng.uniform(3.5, 5, n))
    angle = rng.uniform(0, 2 * np.pi, n)
    X = np.column_stack([r * np.sin(angle), r * np.cos(angle)])
    moved = X + noise * rng.uniform(-5, 5, (n, 2))
    return X, _column(np.hypot(moved[:, 0], moved[:, 1]) < 2.5)


def gauss(n: int, noise: float, rng: np.random.Generator) -> Cloud:
    """Two Gaussian clouds around (2, 2), label 1, and (-2, -2), label 0; variance 0.5 + 7 noise by axis."""
    label = _in_turn(n, 2, rng)
    centres = np.where(label == 1, 2.0, -2.0)[:, None]
    return centres + np.sqrt(0.5 + 7 * noise) * rng.standard_normal((n, 2)), _column(label)


def spiral(n: int, noise: float, rng: np.random.Generator) -> Cloud:
    """Two spiral arms, label 1 and, half a turn further, label 0, with points uniformly along each.

    With a in U(0, 1) a point has r = 5 a and t = 3.5 pi a (+ pi) and lies at (r sin t, r cos t) + noise * U(-1, 1) on
    each axis. The arms are Playground's; its own points, at even steps, are those of `spiral_playground`.
    """
    return _on_arms(_in_turn(n, 2, rng), rng.uniform(0, 1, n), noise, rng)


def spiral_playground(n: int, noise: float, rng: np.random.Generator) -> Cloud:
    """The arms of `spiral` with points at even steps along each, where Playground has them: no chance but in the noise.

    Of m points of an arm, number i = 0..m-1 has a = i / m.
    """
    order = rng.permutation(n)
    arm_sizes = np.array([(n + 1) // 2, n // 2])
    return _on_arms(order % 2, (order // 2) / arm_sizes[order % 2], noise, rng)


def xor_cloud(n: int, noise: float, rng: np.random.Generator) -> Cloud:
    """A square of points, U(-5, 5) on each axis and pushed 0.3 away from the axes, alike in every quadrant.

    The label is 1 when both coordinates, each moved by noise * U(-5, 5), have the same sign: as in
    Playground, and the other way round than in `quadrants`. X stays.
    """
    X = QUADRANTS[_in_turn(n, 4, rng)] * (rng.uniform(0, 5, (n, 2)) + 0.3)
    moved = X + noise * rng.uniform(-5, 5, (n, 2))
    return X, _column(moved.prod(axis=1) >= 0)


def moons(n: int, noise: float, rng: np.random.Generator) -> Cloud:
    """Two half circles that reach into each other, with points uniformly along each.

    Label 0 at (cos t, sin t), label 1 at (1 - cos t, 0.5 - sin t), t in U(0, pi); Gaussian noise of standard deviation
    `noise` on each axis. The half circles are those of scikit-learn's make_moons, whose points lie at even steps.
    """
    label = _in_turn(n, 2, rng)
    t = rng.uniform(0, np.pi, n)
    upper = np.column_stack([np.cos(t), np.sin(t)])
    X = np.where(label[:, None] == 0, upper, [1.0, 0.5] - upper)
    return X + noise * rng.standard_normal((n, 2)), _column(label)


def _on_arms(arm: np.ndarray, along: np.ndarray, noise: float, rng: np.random.Generator) -> Cloud:
    r, t = ARM_LENGTH * along, ARM_ANGLE * along + np.pi * arm
    X = np.column_stack([r * np.sin(t), r * np.cos(t)]) + noise * rng.uniform(-1, 1, (len(arm), 2))
    return X, _column(arm == 0)


def _in_turn(n: int, kinds: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(np.arange(n) % kinds)


def _column(label: np.ndarray) -> np.ndarray:
    return label.astype(float)[:, None]
