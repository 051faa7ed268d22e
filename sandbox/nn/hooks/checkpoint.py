"""Networks on a disk, from which training can go on."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import RequestError
from sandbox.nn.hooks.hook import Hook
from sandbox.nn.network import Network
from sandbox.nn.storage import read_arrays

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class Checkpoint(Hook):
    """Writes the network and the epoch to the file `path` (.npz) every so many epochs, and at the end.

    The file holds the parameters before the update of that epoch, so that training for the epochs that are left gives the
    numbers of a training that was never interrupted; with plain gradient descent, that is, the full batch and a constant
    learning rate: the state of other optimizers, shuffling and schedules is not kept. A reader sees the old file or the
    new one, never half of one. Of several populations trained one after another the file holds the last.

    >>> import tempfile
    >>> from sandbox import Config, train
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     result = train(Config(dataset="or", epochs=100), [Checkpoint(f"{directory}/or.npz")])
    ...     network, epoch = load_checkpoint(f"{directory}/or.npz")
    >>> epoch, bool((network.parameters == result.network.parameters).all())
    (100, True)

    Raises RequestError for a path that names no file.
    """

    def __init__(self, path: str | PathLike[str], every: int = 100) -> None:
        self.path, self.every = Path(path), every
        if not self.path.name or self.path.is_dir():
            raise RequestError(f"checkpoint is {str(path)!r}: a file is needed, such as network.npz")

    def on_epoch(self, run: "Run") -> None:
        run.network.save(self.path, epoch=run.epoch)

    on_end = on_epoch


def load_checkpoint(path: str | PathLike[str]) -> tuple[Network, int]:
    """The network in a file that `Checkpoint` or `Network.save` wrote, and its epoch (updates so far).

    Nothing in the file is executed (no pickle). Raises RequestError for a file that is not there, damaged or foreign.

    >>> load_checkpoint("nowhere.npz")
    Traceback (most recent call last):
    sandbox.errors.RequestError: nowhere.npz: No such file or directory
    """
    return Network.load(path), int(read_arrays(path)["epoch"])
