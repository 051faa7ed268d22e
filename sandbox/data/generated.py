"""Data sets that are drawn: as many examples as asked for, and a test part independent of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sandbox.data.checks import LARGEST_N, LARGEST_SEED, noise_level, whole_number
from sandbox.data.dataset import Dataset

Arrays = tuple[np.ndarray, np.ndarray]
Draw = Callable[[int, float, np.random.Generator], Arrays]

TRAIN_STREAM, TEST_STREAM = 0, 1


@dataclass(frozen=True)
class Generated:
    """A recipe for examples: `draw(n, noise, rng)` gives X and Y.

    `draw_test` draws the test part where `draw` would repeat the training part's points. `exactly` gives the
    few examples that are all there is when neither a size nor noise is asked for: then there is no test part.
    """

    name: str
    summary: str
    task: str
    n_features: int
    default_n: int
    draw: Draw
    draw_test: Draw | None = None
    exactly: Callable[[], Arrays] | None = None

    def load(self, n: int | None, noise: float, seed: int) -> Dataset:
        """The training part."""
        noise, seed = noise_level(noise), whole_number("seed", seed, 0, LARGEST_SEED)
        if n is None and noise == 0 and self.exactly is not None:
            return self._dataset(self.exactly())
        size = self.default_n if n is None else whole_number("n", n, 1, LARGEST_N)
        return self._dataset(self.draw(size, noise, np.random.default_rng([seed, TRAIN_STREAM])))

    def split(self, n: int | None, noise: float, seed: int, n_test: int) -> tuple[Dataset, Dataset | None]:
        """The training part, and n_test examples of a stream of their own (None beside `exactly`)."""
        n_test = whole_number("n_test", n_test, 1, LARGEST_N)
        train = self.load(n, noise, seed)
        if n is None and noise == 0 and self.exactly is not None:
            return train, None
        draw = self.draw_test or self.draw
        return train, self._dataset(draw(n_test, noise, np.random.default_rng([seed, TEST_STREAM])))

    def _dataset(self, arrays: Arrays) -> Dataset:
        names = tuple(f"x{column + 1}" for column in range(self.n_features))
        return Dataset(self.name, *arrays, feature_names=names, task=self.task)
