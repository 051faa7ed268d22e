"""Networks kept on the way."""

from collections.abc import Sequence

from sandbox.nn.hooks.hook import Hook


class Snapshots(Hook):
    """Keeps the network at the given epochs (and at the end): `run.snapshots` maps epoch to network.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="or", epochs=100), [Snapshots([0, 10])])
    >>> list(result.snapshots), result.snapshots[10].predict([[0, 1]]).shape
    ([0, 10, 100], (1, 1))
    """

    stateless = True

    def __init__(self, epochs: Sequence[int]) -> None:
        self.epochs = tuple(epochs)

    def on_epoch(self, run):
        run.snapshot()

    on_end = on_epoch
