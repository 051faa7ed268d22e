"""Curves of what a network comes to on data that it does not learn from."""

from typing import TYPE_CHECKING

import numpy as np

from sandbox.nn.hooks.hook import Epochs, Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class Measures(Hook):
    """Records `validation_cost`, `validation_accuracy` and `train_accuracy` at the given epochs, and at the end.

    What no replica has (accuracies of a regression, a validation part of the four rows of a gate) is left out. It is for
    `train` and `train_many`, which know the parts of the data.

    >>> from sandbox import Config, train
    >>> curves = train(Config(dataset="moons", epochs=100), [Measures([0, 50])]).curves
    >>> {name: epochs.tolist() for name, (epochs, values) in curves.items()}["validation_cost"]
    [0, 50, 100]
    """

    stateless = True
    names = ("validation_cost", "validation_accuracy", "train_accuracy")

    def __init__(self, epochs: Epochs) -> None:
        self.epochs = epochs

    def on_epoch(self, run: "Run") -> None:
        for name in self.names:
            values = run.measure(name)
            if not np.isnan(values).all():
                run.record(name, values)

    on_end = on_epoch
