"""The work: networks at points of a space drawn at random, each of which becomes an MLflow run with all that ours hold."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sandbox import Config
from sandbox.job import Job
from sandbox.sweeps import Range, Sweep, choice
from sandbox.tracking import Store

CORES = 2
SWEEP = Sweep(
    "cluster",
    Config(epochs=5000),
    {"learning_rate": Range(0.1, 10.0, log=True), "initializer": choice("plain", "xavier", "he")},
    sampler="random",
    trials=1,
    seeds=1,
)


@dataclass(frozen=True)
class Work:
    """So many configs to train and log to the MLflow store at `uri`; whatever else is written is below `root`."""

    count: int
    uri: str
    root: Path

    @cached_property
    def sweep(self) -> Sweep:
        return SWEEP.replace(trials=self.count)

    @cached_property
    def jobs(self) -> list[Job]:
        return [self.sweep.job(trial, number) for number, trial in enumerate(self.sweep.plan)]

    @cached_property
    def store(self) -> Store:
        return Store(self.uri, self.root)

    @property
    def database(self) -> Path:
        """The SQLite file behind the store."""
        return self.root / "mlflow.db"

    @property
    def ready(self) -> Path:
        """The file that a way makes once all is up and training can begin."""
        return self.root / "ready"

    def prepare(self) -> None:
        """Make the store and its experiment, so that no way has to."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.store.experiment(self.sweep.name)
