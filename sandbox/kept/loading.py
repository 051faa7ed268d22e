"""Loading the network of a run, to predict with."""

import os

from sandbox.errors import RequestError, one_line
from sandbox.model import Model
from sandbox.names import is_safe
from sandbox.record import NETWORK
from sandbox.tracking import Store
from sandbox.tracking.address import shown


def load(run: str, tracking_uri: str | None = None, root: str | os.PathLike[str] = "runs") -> Model:
    """What predicts raw rows as the network of a run does: of its id in a store, or of the file that it keeps.

    The store is that of `tracking_uri`, else of MLFLOW_TRACKING_URI, else the one in the directory `root`. Raises
    RequestError where there is no such run or file, or where the run has kept no network; StoreError where nobody answers.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sandbox import Config, load, train
    >>> with TemporaryDirectory() as directory:
    ...     content = train(Config(dataset="or", hidden=(), epochs=1000)).model.to_bytes()
    ...     _ = Path(directory, "network.npz").write_bytes(content)
    ...     load(f"{directory}/network.npz").classify([[0, 0], [0, 1]])
    array([0, 1])
    """
    if str(run).endswith(".npz"):
        return Model.load(run)
    if not is_safe(str(run)):
        raise RequestError(f"run is {one_line(run)}: the id of a run is needed, or the file that it keeps, {NETWORK}")
    store = Store(tracking_uri, root)
    content = store.artifact(str(run), NETWORK) if store.exists() else None
    if content is None:
        raise RequestError(f"run {run} is not in {shown(store.uri)}, or has kept no network")
    return Model.from_bytes(content, f"{NETWORK} of run {run}")
