"""TensorFlow Playground's own points: its formulas, and its order of draws from its stream, to the last bit.

Every function takes (n, noise, stream) and returns X (n, 2) and Y (n, 1) in the order in which the page draws them, before
it shuffles. Labels -1 and 1 are 0 and 1 here. After tensorflow/playground (src/dataset.ts), whose scales are those of d3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from sandbox.data.checks import LARGEST_SEED, whole_number
from sandbox.data.pool import Pool
from sandbox.data.regression import BUMPS
from sandbox.data.stream import Stream
from sandbox.errors import RequestError, one_line
from sandbox.fdlibm import cos, log, sin

Points = tuple[np.ndarray, np.ndarray]
RADIUS = 5.0
SIDE = 6.0  # of the square in which values are learnt
PADDING = 0.3
MOST = 2048  # data sets that are kept, in their order, with the stream behind them
LONGEST_SEED = 1000  # characters


def circle(n: int, noise: float, stream: Stream) -> Points:
    """A disc in a ring: of each half a radius, an angle and two numbers of noise, point by point."""
    half = n // 2
    draws = stream.numbers(8 * half).reshape(2, half, 4)
    low, high = np.array([0, 0.7 * RADIUS])[:, None], np.array([0.5 * RADIUS, RADIUS])[:, None]
    r, angle = draws[..., 0] * (high - low) + low, draws[..., 1] * (2 * np.pi)
    X = np.stack([r * sin(angle), r * cos(angle)], -1)
    moved = X + (draws[..., 2:] * (2 * RADIUS) - RADIUS) * noise
    distance = np.sqrt(moved[..., 0] * moved[..., 0] + moved[..., 1] * moved[..., 1])
    return X.reshape(-1, 2), _column(distance < RADIUS * 0.5)


def xor(n: int, noise: float, stream: Stream) -> Points:
    """A square in four quadrants: x, y and two numbers of noise, point by point."""
    draws = stream.numbers(4 * n).reshape(n, 4) * (2 * RADIUS) - RADIUS
    X = draws[:, :2] + np.where(draws[:, :2] > 0, PADDING, -PADDING)
    moved = X + draws[:, 2:] * noise
    return X, _column(moved[:, 0] * moved[:, 1] >= 0)


def gauss(n: int, noise: float, stream: Stream) -> Points:
    """Two clouds: normal numbers by Marsaglia's polar method, of which the second of each pair is not used."""
    share, wanted = noise / 0.5, n // 2 * 4
    variance = 0.5 * (1 - share) + 4 * share
    pairs = np.empty((0, 2))
    while len(pairs) < wanted:
        v = 2 * stream.numbers(2 * (wanted - len(pairs))).reshape(-1, 2) - 1
        pairs = np.concatenate([pairs, v[v[:, 0] * v[:, 0] + v[:, 1] * v[:, 1] <= 1]])
    s = pairs[:, 0] * pairs[:, 0] + pairs[:, 1] * pairs[:, 1]
    normal = (np.sqrt(-2 * log(s) / s) * pairs[:, 0]).reshape(-1, 2)
    positive = np.arange(len(normal)) < n // 2
    return np.where(positive, 2.0, -2.0)[:, None] + np.sqrt(variance) * normal, _column(positive)


def spiral(n: int, noise: float, stream: Stream) -> Points:
    """Two arms at even steps: two numbers of noise for each point of the first, then of the second."""
    half = n // 2
    i = np.arange(half)
    shifts = (stream.numbers(4 * half).reshape(2, half, 2) * 2 - 1) * noise
    r = i / half * 5
    t = np.stack([1.75 * i / half * 2 * np.pi + start for start in (0, np.pi)])
    X = np.stack([r * sin(t), r * cos(t)], -1) + shifts
    return X.reshape(-1, 2), _column(np.arange(2 * half) < half)


def plane(n: int, noise: float, stream: Stream) -> Points:
    """Values from -1 to 1 along the diagonal: x, y and two numbers of noise, point by point."""
    X, moved = _square(n, noise, stream)
    share = (moved[:, :1] + moved[:, 1:] + 10) / 20
    return X, -1 * (1 - share) + share


def bumps(n: int, noise: float, stream: Stream) -> Points:
    """Six cones, three up and three down: of those that reach a point the first of the largest counts."""
    X, moved = _square(n, noise, stream)
    away = moved[:, None, :] - BUMPS[:, :2]
    share = np.clip(np.sqrt(away[..., 0] * away[..., 0] + away[..., 1] * away[..., 1]) / 2, 0, 1)
    height = BUMPS[:, 2] * (1 - share)
    return X, np.take_along_axis(height, np.abs(height).argmax(axis=1)[:, None], axis=1) + 0.0


def _square(n: int, noise: float, stream: Stream) -> Points:
    draws = stream.numbers(4 * n).reshape(n, 4) * (2 * SIDE) - SIDE
    return draws[:, :2], draws[:, :2] + draws[:, 2:] * noise


def _column(label: np.ndarray) -> np.ndarray:
    return label.reshape(-1, 1).astype(float)


@lru_cache(maxsize=MOST)
def drawn(draw: Callable[[int, float, Stream], Points], n: int, noise: float, text: str) -> tuple[Points, Stream]:
    """The n points of the page whose seed is this text, shuffled as there, and the stream as it is after them."""
    stream = Stream(text)
    X, Y = draw(n, noise, stream)
    order = stream.permutation(n)
    return (X[order], Y[order]), stream


def seed_text(text: str | None, seed: int) -> str:
    """The page's seed that a seed in text and a number come to: the text itself, or another for each number.

    >>> seed_text("0.55646", 0), seed_text("0.55646", 3), seed_text(None, 3)
    ('0.55646', '0.55646-3', '3')
    """
    return str(seed) if text is None else f"{text}-{seed}" if seed else text


@dataclass(frozen=True)
class Page(Pool):
    """The points of the page: the first n train, and all others test, as there. A seed may be text.

    >>> page = Page("playground_xor", "", "binary", 2, 500, 250, 499, xor)
    >>> page.parts(350, 0.0, "0.55646", 1).train.X[0].tolist()
    [-4.963217781148175, 1.6872249040446017]
    """

    draw: Callable[..., Points]

    def largest_validation(self, n: int | None, noise: float) -> int:
        """None: what does not train is for testing."""
        return 0

    def has_validation(self, n: int | None, noise: float) -> bool:
        return False

    def _seed(self, seed: Any) -> str:
        if not isinstance(seed, str):
            return str(whole_number("seed", seed, 0, LARGEST_SEED))
        check_seed(seed)
        return seed

    def _points(self, noise: float, seed: Any) -> Points:
        return drawn(self.draw, self.points, noise, seed)[0]

    def stream(self, noise: float, text: str) -> Stream:
        """The page's stream behind the points, from which it draws the weights."""
        return drawn(self.draw, self.points, noise, text)[1].copy()


def check_seed(text: str) -> None:
    """Raises RequestError for a text that is too long for a seed, or that no link could hold."""
    if text == "none":
        raise RequestError(
            "playground_seed is the text none, which means that there is no such seed: any other will do"
        )
    if not text or any(one in "&=%" or one.isspace() for one in text):
        raise RequestError(f"seed {one_line(text)} stands in no link: a text without blanks, &, = and % is needed")
    if len(text) > LONGEST_SEED:
        raise RequestError(f"seed {one_line(text)} has {len(text)} characters: at most {LONGEST_SEED} are possible")
