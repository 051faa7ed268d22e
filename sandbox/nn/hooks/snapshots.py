"""Networks kept on the way."""

from typing import TYPE_CHECKING

from sandbox.nn.hooks.hook import Epochs, Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class Snapshots(Hook):
    """Keeps the network at the given epochs (and at the end): `run.snapshots` maps epoch to network.

    `epochs` names them, or is a function that does so for the number of epochs of a training.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="or", epochs=100), [Snapshots([0, 10])])
    >>> list(result.snapshots), result.snapshots[10].predict([[0, 1]]).shape
    ([0, 10, 100], (1, 1))
    """

    stateless = True

    def __init__(self, epochs: Epochs) -> None:
        self.epochs = epochs

    def on_epoch(self, run: "Run") -> None:
        run.snapshot()

    on_end = on_epoch
