"""Logging what was trained: a run of `fit`, or a Result, becomes a run in MLflow. When the store is away it waits."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.data import Dataset
from sandbox.data.features import Features
from sandbox.errors import RequestError, one_line
from sandbox.fields import format_value
from sandbox.figures import shares
from sandbox.model import Model
from sandbox.names import check_name
from sandbox.nn.run import Run
from sandbox.record import make_record
from sandbox.result import Problem, Result
from sandbox.tracking import Destination, Record, Store, StoreError
from sandbox.tracking.connection import RefusedError
from sandbox.tracking.entry import Entry
from sandbox.tracking.spool import Spool
from sandbox.tracking.ui import ranked_by
from sandbox.train import outcomes
from sandbox.typed import typed

TRAIN = Destination(
    "train",
    "Single networks: those of `sandbox train`, and what log_run was given.",
    experiment_tags=ranked_by("min:final_cost"),
)


def log_run(
    run: Run | Result,
    name: str | None = None,
    *,
    experiment: str = TRAIN.experiment,
    tracking_uri: str | None = None,
    root: str | os.PathLike[str] = "runs",
    user: str | None = None,
) -> str:
    """Log a run of `fit`, or a Result, as a run of an experiment in MLflow; gives its id, which `load` takes.

    It holds what fit was told and the layers, the curves of the cost and of what hooks recorded, the final figures, the
    network, and pictures of the cost and, where the targets are of a task, of the boundary; of a Result what `sandbox
    train` logs. The store is that of `tracking_uri`, else of MLFLOW_TRACKING_URI, else the one in the directory `root`;
    when it is away the run waits in the spool there, and StoreError says so. `user` is who logs it (default:
    SANDBOX_USER, else the name of the account). Raises RequestError for a population.

    >>> from tempfile import TemporaryDirectory
    >>> from sandbox import Network, fit, load, log_run
    >>> or_gate = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])
    >>> run = fit(or_gate, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1], learning_rate=1.0, epochs=1000)
    >>> with TemporaryDirectory() as directory:
    ...     run_id = log_run(run, name="or by hand", root=directory)
    ...     load(run_id, root=directory).classify([[0, 0], [0, 1]])
    array([0, 1])
    """
    check_name("experiment", experiment)
    if name is not None:
        check_name("name", name)
    if not isinstance(run, Run | Result):
        raise RequestError(f"run is {one_line(run)}: what fit or train gave is needed")
    result = run if isinstance(run, Result) else fitted(run)
    record = make_record(result, name or result.title, {})
    store = Store(tracking_uri, root, user=user)
    spool = Spool(store.uri, Path(root), store.chosen)
    announce(store, spool)
    return log(record, TRAIN if experiment == TRAIN.experiment else Destination(experiment), store, spool)


def signed(record: Record, store: Store, root: Path) -> Record:
    """A record as that of the store's user, and of this host and process, whose spool is under `root`."""
    return replace(record, tags={**record.tags, **store.signing(root)})


def announce(store: Store, spool: Spool) -> None:
    """Say once, on standard error, what is to be known of a store."""
    if remark := spool.first_word(store.remark):
        print(remark, file=sys.stderr)
        spool.open()


def log(record: Record, to: Destination, store: Store, spool: Spool) -> str:
    """The id of the run. If the store is away, or has gone meanwhile, it waits in the spool. Raises StoreError."""
    record = signed(record, store, spool.root)
    try:
        return store.log(record, store.experiment(to.experiment, to.description, to.experiment_tags))
    except RefusedError:
        raise
    except StoreError as error:
        spool.open().put(Entry(to, record), perhaps_logged=True)
        waits = f"the run waits in the spool. next: {typed('sync')}, when the store is back"
        raise StoreError(f"{error}: {waits}") from error


@dataclass(frozen=True, eq=False)
class Fitted(Result):
    """What `fit` came to, as a Result: its `config` is what fit was told, its `data` are the examples.

    `data` is None where there is no boundary to be drawn: with several values, or several classes at once, as targets, and
    with examples that are not finite.
    """

    config: Any
    data: Dataset | None = None
    task: str = "regression"

    @property
    def title(self) -> str:
        return f"fit {self._layers}, rate {float(self.config.learning_rate):g}, {self.config.epochs} epochs"

    @property
    def params(self) -> dict[str, str]:
        told = {name: format_value(value) for name, value in vars(self.config).items()}
        dtype = str(self.network.parameters.dtype)
        return {**told, "layers": self._layers, "activations": ",".join(self.network.activations), "dtype": dtype}

    @property
    def tags(self) -> dict[str, str]:
        return {}

    @property
    def problem(self) -> Any:
        return None if self.data is None else Problem(self.data, None, None, ())

    @property
    def model(self) -> Model:
        names = names_of(self.network.sizes[0])
        return Model(self.network, Features(names, names), self.task, (), self.params)

    @property
    def _layers(self) -> str:
        return "-".join(map(str, self.network.sizes))


def fitted(run: Run) -> Fitted:
    """What a run of `fit` came to. Where it is no longer finite it has diverged, whether a hook looked or not.

    Raises RequestError for a population.
    """
    if run.lead:
        raise RequestError(
            f"run is of {run.lead[0]} networks: log_run takes one, such as that of fit(network[0], X, Y)"
        )
    (found,) = outcomes(run, [run.network.sizes], run.recorded_epochs)
    X, Y = (np.asarray(part, np.float64) for part in run.data)
    network: Any = found["network"]
    task = task_of(Y, network.activations[-1])
    drawn = (task != "regression" or Y.shape[1] == 1) and np.isfinite(X).all() and np.isfinite(Y).all()
    data = Dataset("fit", X, Y, names_of(X.shape[1]), task) if drawn else None
    accuracy = None if task == "regression" else float(shares(network.predict(X), Y, task))
    epochs, costs = np.append(found["cost_epochs"], found["epochs_run"]), np.append(found["costs"], found["cost"])
    sound = np.isfinite(costs)
    sound[-1] &= np.isfinite(network.parameters).all()
    if found["diverged_at"] is None and not sound.all():
        first = int(sound.argmin())
        found |= {"diverged_at": int(epochs[first]), "cost_epochs": epochs[:first], "costs": costs[:first]}
    figures = {"train_accuracy": accuracy, "test_accuracy": None, "seconds": run.seconds}
    return Fitted(run.settings, **found, **figures, data=data, task=task)


def names_of(inputs: int) -> tuple[str, ...]:
    """x1, x2, ...: what inputs are called that have no names."""
    return tuple(f"x{number}" for number in range(1, inputs + 1))


def task_of(Y: np.ndarray, activation: str) -> str:
    """What targets (examples, outputs) of a network with this output ask for: classes where they are marked by 0 and 1.

    >>> task_of(np.array([[0.0], [1.0]]), "sigmoid"), task_of(np.eye(3), "softmax"), task_of(np.eye(3), "linear")
    ('binary', 'multiclass', 'regression')
    """
    if activation == "linear" or not np.isin(Y, (0, 1)).all():
        return "regression"
    if Y.shape[1] == 1:
        return "binary"
    return "multiclass" if (Y.sum(1) == 1).all() else "regression"
