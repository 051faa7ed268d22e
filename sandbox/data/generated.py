"""Data sets that are drawn: as many examples as asked for, and parts to choose by and to test on apart from them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sandbox.data.checks import LARGEST_N, LARGEST_SEED, noise_level, validation_size, whole_number
from sandbox.data.dataset import Dataset
from sandbox.data.parts import Parts

Arrays = tuple[np.ndarray, np.ndarray]
Draw = Callable[[int, float, "np.random.Generator"], Arrays]

# Beside a seed: no stream of the data is that of the weights (0), of the order of batches (1), or of a table's sample (2).
VALIDATION_STREAM, TRAIN_STREAM, TEST_STREAM = 3, 4, 5


class Unnamed:
    """What data have in common that are made by their name, and whose features have none: x1, x2, ..."""

    n_features: int
    digest: ClassVar[str] = ""
    overlap: ClassVar[float] = 0.0  # of draws, which are independent

    @property
    def columns(self) -> int:
        """What crosses call the features: x1, x2, ..., so many."""
        return self.n_features

    @property
    def numbers(self) -> tuple[str, ...]:
        """What crosses call the columns of numbers: all."""
        return tuple(f"x{column + 1}" for column in range(self.n_features))


@dataclass(frozen=True)
class Generated(Unnamed):
    """A recipe for examples: `draw(n, noise, rng)` gives X and Y.

    `exactly` gives the few examples that are all there is when neither a size nor noise is asked for: then there are no
    other parts. `edition` is raised when the same request gives other examples than before: the runs of before have
    other keys.
    """

    name: str
    summary: str
    task: str
    n_features: int
    default_n: int
    draw: Draw
    exactly: Callable[[], Arrays] | None = None
    smallest_n: int = 1
    largest_n: int = LARGEST_N
    noisy: bool = True
    edition: int = 2  # of edition 1 the training part shared its normal numbers with the weights

    def load(self, n: int | None, noise: float, seed: Any) -> Dataset:
        """The training part."""
        noise, seed = noise_level(noise), whole_number("seed", seed, 0, LARGEST_SEED)
        if self.exactly is not None and not self.has_validation(n, noise):
            return self._dataset(self.exactly())
        size = self.default_n if n is None else whole_number("n", n, self.smallest_n, self.largest_n)
        return self._dataset(self.draw(size, noise, np.random.default_rng([seed, TRAIN_STREAM])))

    def parts(self, n: int | None, noise: float, seed: Any, n_test: int, n_validation: int | None = None) -> Parts:
        """The training part; and of streams of their own n_validation (None: n_test) to choose by, n_test to test on."""
        n_test = whole_number("n_test", n_test, 1, LARGEST_N)
        train = self.load(n, noise, seed)
        n_validation = validation_size(self.name, n_validation, self.largest_validation(n, noise))
        if not self.has_validation(n, noise):
            return Parts(train)
        validation, test = (
            self._dataset(self.draw(size, noise, np.random.default_rng([seed, stream])))
            for size, stream in ((n_validation or n_test, VALIDATION_STREAM), (n_test, TEST_STREAM))
        )
        return Parts(train, validation, test)

    def largest_validation(self, n: int | None, noise: float) -> int:
        """The most examples that the validation part can have: none where the training part is all there is."""
        return LARGEST_N if self.has_validation(n, noise) else 0

    def has_validation(self, n: int | None, noise: float) -> bool:
        """Whether there are examples beside the training part: not where it is all there is."""
        return self.drawn(n, noise)

    def drawn(self, n: int | None, noise: float) -> bool:
        """Whether chance has a part in the examples."""
        return n is not None or noise != 0 or self.exactly is None

    def _dataset(self, arrays: Arrays) -> Dataset:
        return Dataset(self.name, *arrays, feature_names=self.numbers, task=self.task)
