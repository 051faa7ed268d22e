"""A row: what one run in MLflow says, as plain data, whichever way it is read or written."""

from collections.abc import Mapping
from typing import NamedTuple

from sandbox.tracking.entry import NOTE, THIS_EXPERIMENT, THIS_RUN, Record

PARENT = "mlflow.parentRunId"
ABANDONED = "abandoned"  # the tag of a run that a dead process left half-written
PRUNED = "pruned"
FILES = "files"  # the tag of a run with artifacts: how many
ENDING = "ending"  # the tag of a parent run: the number of its latest ending
HOST, PROCESS = "host", "process"  # the tags that say where a run's driver is, or was
AT_WORK = "at work/"  # and a host: the tag of a parent run whose campaign is under way there; its value is the process
TELLING = ("config_key", "role", "arm", PARENT, ABANDONED, PRUNED, FILES, ENDING, HOST)  # tags that say what a run is


LONGEST_NAME = 250  # characters of a run's name, as MLflow's table has it


class Row(NamedTuple):
    """One run; `place` is where its artifacts are, `sound` whether its metrics are figures that a run of ours can have.

    Where not the `whole` of it was asked for it may have no params, no metrics, and no tags but those of `TELLING`.
    """

    run_id: str
    name: str
    status: str
    start_time: int
    end_time: int
    place: str
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]
    sound: bool

    @property
    def record(self) -> Record:
        """It as it was logged, as far as a search tells: of each metric the last value, at step 0."""
        metrics = [(name, value, 0) for name, value in self.metrics.items()]
        return Record(self.name, self.status, self.start_time, self.end_time, self.params, metrics, self.tags)


class Place(NamedTuple):
    """An experiment: its id, where it keeps artifacts, and whether it is in MLflow's trash."""

    experiment_id: str
    artifacts: str
    deleted: bool


def addressed(tags: Mapping[str, str], run_id: str, experiment_id: str) -> dict[str, str]:
    """The tags of a run with these ids, which its description knows."""
    told = dict(tags)
    if NOTE in told:
        told[NOTE] = told[NOTE].replace(THIS_RUN, run_id).replace(THIS_EXPERIMENT, experiment_id)
    return told


class NewRun(NamedTuple):
    """A run to log: its id (32 hexadecimal digits), its experiment's, its parent's, and what it holds."""

    run_id: str
    experiment: str
    parent: str | None
    record: Record

    def tags(self, files: int) -> dict[str, str]:
        """The record's tags, and those that say what the run belongs to and what it has."""
        tags = addressed(self.record.tags, self.run_id, self.experiment)
        if self.parent:
            tags[PARENT] = self.parent
        if self.record.slider:
            tags["mlflow.loggedImages"] = "True"
        if files:
            tags[FILES] = str(files)
        return tags


class Curve(NamedTuple):
    """A metric of a run by step: `steps` and `values`, alike in number."""

    steps: list[int]
    values: list[float]
