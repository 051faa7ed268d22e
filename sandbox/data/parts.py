"""The parts that a data set comes in: examples to train with, to choose by, and to test on."""

from dataclasses import dataclass, replace

import numpy as np

from sandbox.data.dataset import Dataset
from sandbox.data.scaling import Scaling

MISLABELLED_STREAM = 6  # beside a seed: see sandbox.data.generated for the others


@dataclass(frozen=True, eq=False)
class Parts:
    """Examples to train with, to choose hyperparameters by and to test on; None where there are no such.

    `scaling` is what the features of all parts went through; None: they are in their own units.

    >>> from sandbox.data import load_parts
    >>> parts = load_parts("iris", n=30)
    >>> len(parts.train), len(parts.validation), len(parts.test)
    (30, 82, 38)
    """

    train: Dataset
    validation: Dataset | None = None
    test: Dataset | None = None
    scaling: Scaling | None = None

    def mislabelled(self, share: float, seed: int) -> "Parts":
        """With another class than their own for this share of the training examples, to the nearest but at least one.

        Which they are depends on `seed` and on how many examples there are: those of a smaller share are among those of a
        larger one. Of several classes any other is as likely.

        >>> from sandbox.data import load_parts
        >>> load_parts("xor").mislabelled(0.25, seed=1).train.Y.ravel()  # of 0, 1, 1, 0
        array([0., 0., 1., 0.])
        """
        Y, rng = self.train.Y.copy(), np.random.default_rng([seed, MISLABELLED_STREAM])
        examples, outputs = Y.shape
        wrong = rng.permutation(examples)[: max(round(share * examples), 1)]
        if outputs == 1:
            Y[wrong] = 1 - Y[wrong]
        else:
            further = rng.integers(1, outputs, examples)[: len(wrong)]
            Y[wrong] = np.eye(outputs)[(Y[wrong].argmax(1) + further) % outputs]
        return replace(self, train=replace(self.train, Y=Y))
