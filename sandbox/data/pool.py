"""A data set of so many points that are drawn once and dealt to the parts, as TensorFlow Playground deals its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.data.checks import LARGEST_N, LARGEST_SEED, noise_level, validation_size, whole_number
from sandbox.data.dataset import Dataset
from sandbox.data.generated import TRAIN_STREAM, Arrays, Draw, Unnamed
from sandbox.data.parts import Parts


@dataclass(frozen=True)
class Pool(Unnamed):
    """A recipe for `points` examples: `draw(points, noise, rng)` gives X and Y in shuffled order.

    Playground's rule (tensorflow/playground, src/playground.ts): the first floor(points * percent / 100) train and the
    rest test; its slider goes from 10 to 90 percent and stands at 50. Here the first n train; of the rest the first half
    is the validation part, which the page has not, and the second half the test part. No example is in two parts, but
    the parts are no independent draws: where the points are the same for every seed, it only decides which of them train.
    """

    name: str
    summary: str
    task: str
    n_features: int
    points: int
    default_n: int
    largest_n: int
    draw: Draw
    smallest_n: int = 1
    noisy: bool = True
    edition: int = 1

    def load(self, n: int | None, noise: float, seed: Any) -> Dataset:
        """The training part."""
        return self.parts(n, noise, seed, 1).train

    def parts(self, n: int | None, noise: float, seed: Any, n_test: int, n_validation: int | None = None) -> Parts:
        """The first n points, and half of the others each, whatever n_test; n_validation of one half, None: all of it."""
        noise, seed = noise_level(noise), self._seed(seed)
        whole_number("n_test", n_test, 1, LARGEST_N)
        what = f"n (of {self.points} examples of {self.name})"
        n = self.default_n if n is None else whole_number(what, n, self.smallest_n, self.largest_n)
        n_validation = validation_size(self.name, n_validation, self.largest_validation(n, noise))
        whole = Dataset(self.name, *self._points(noise, seed), feature_names=self.numbers, task=self.task)
        train, validation, test = np.split(np.arange(self.points), [n, n + self.largest_validation(n, noise)])
        chosen = whole.take(validation[:n_validation]) if len(validation) else None
        return Parts(whole.take(train), chosen, whole.take(test))

    def _seed(self, seed: Any) -> Any:
        """The seed, checked."""
        return whole_number("seed", seed, 0, LARGEST_SEED)

    def _points(self, noise: float, seed: Any) -> Arrays:
        return self.draw(self.points, noise, np.random.default_rng([seed, TRAIN_STREAM]))

    def largest_validation(self, n: int | None, noise: float) -> int:
        """The most examples that the validation part can have: half of those that do not train."""
        return (self.points - (self.default_n if n is None else n)) // 2

    def has_validation(self, n: int | None, noise: float) -> bool:
        """Whether there are examples beside the training part: always."""
        return True

    def drawn(self, n: int | None, noise: float) -> bool:
        """Whether chance has a part in the examples: in which of them train."""
        return True
