"""The parts that a data set comes in: examples to train with, to choose by, and to test on."""

from dataclasses import dataclass

from sandbox.data.dataset import Dataset
from sandbox.data.scaling import Scaling


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
