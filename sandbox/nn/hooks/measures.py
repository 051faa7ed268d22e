"""Curves of what a network comes to on the parts of its data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sandbox.nn.hooks.hook import Epochs, Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run

NAMES = ("train_accuracy", "validation_accuracy", "test_accuracy", "validation_cost", "test_cost")
SCORES = tuple(
    f"{part}_{kind}" for part in ("validation", "test") for kind in ("precision", "recall", "f1", "r2", "rmse")
)
MORE_IS_BETTER = {name for name in (*NAMES, *SCORES) if not name.endswith(("cost", "rmse"))}


class Measures(Hook):
    """Records costs and accuracies on the parts of the data at the given epochs, and at the end.

    `names` are those of `run.measure`; by default accuracy and cost on validation data and on test data, and the accuracy
    on what is learnt from. What no replica has (accuracies of a regression, a validation part of the four rows of a gate)
    is left out. It is for `train` and `train_many`, which know the parts of the data.

    >>> from sandbox import Config, train
    >>> curves = train(Config(dataset="moons", epochs=100), [Measures([0, 50])]).curves
    >>> {name: epochs.tolist() for name, (epochs, values) in curves.items()}["validation_cost"]
    [0, 50, 100]
    """

    stateless = True

    def __init__(self, epochs: Epochs, names: Sequence[str] = NAMES) -> None:
        self.epochs, self.names = epochs, tuple(names)

    def on_epoch(self, run: "Run") -> None:
        for name in self.names:
            values = run.measure(name)
            if not np.isnan(values).all():
                run.record(name, values)

    on_end = on_epoch
