"""A store of runs: one MLflow tracking address, and the few requests that campaigns and studies make of it."""

import errno
import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sandbox.tracking.artifacts import write_artifacts
from sandbox.tracking.connection import (
    RefusedError,
    artifact_root,
    connect,
    reporting,
    resolve,
    set_environment,
    sqlite_path,
)
from sandbox.tracking.entry import Destination, Record
from sandbox.tracking.reading import PARENT, equals, search

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

NOTE = "mlflow.note.content"  # what the UI shows as a description
KIND = {"mlflow.experimentKind": "custom_model_development"}
ABANDONED = "abandoned"  # the tag of a run that a dead process left half-written
ENDED = "ended_by"  # the tag of a parent run: which file of the spool has ended it last
WRONG_PATHS = {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL}


class Store:
    """One tracking address: `uri`, else MLFLOW_TRACKING_URI, else an SQLite file in the directory `root`.

    Making one costs nothing and touches nothing; the first request connects. Every method raises StoreError
    when the store cannot be reached or refuses.

    >>> from tempfile import TemporaryDirectory
    >>> from sandbox.tracking import Record
    >>> with TemporaryDirectory() as directory:
    ...     store = Store(f"sqlite:///{directory}/mlflow.db")
    ...     run_id = store.log(Record("a run", "FINISHED", 0, 1000, {"hidden": "3"}), store.experiment("example"))
    ...     run = store.client.get_run(run_id)
    >>> run.info.run_name, run.info.status, run.data.params
    ('a run', 'FINISHED', {'hidden': '3'})
    """

    def __init__(self, uri: str | None = None, root: str | os.PathLike[str] = "runs") -> None:
        set_environment()
        self.uri = resolve(uri, root)
        self.artifacts = artifact_root(self.uri, root)

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's own client, connected."""
        return connect(self.uri, self.artifacts)

    def exists(self) -> bool:
        """Whether there can be anything to read: an SQLite store comes into being with the first request."""
        path = sqlite_path(self.uri)
        return path is None or path.exists()

    def check(self) -> None:
        """Raises StoreError if the store does not answer: better now than after an hour's training."""
        _ = self.client

    def experiment(self, name: str, description: str = "", tags: Mapping[str, str] | None = None) -> str:
        """The id of the experiment called `name`: created, or restored if it was deleted; then described."""
        wanted = {**KIND, **({NOTE: description} if description else {}), **(tags or {})}
        client = self.client
        with reporting(self.uri):
            found = client.get_experiment_by_name(name)
            if found is None:
                found = self._create_experiment(name, wanted)
            if found.lifecycle_stage == "deleted":
                client.restore_experiment(found.experiment_id)
            for key, value in wanted.items():
                if found.tags.get(key) != value:
                    client.set_experiment_tag(found.experiment_id, key, value)
            return found.experiment_id

    def _create_experiment(self, name: str, tags: dict[str, str]) -> "Experiment":
        from mlflow.exceptions import MlflowException

        location = str(self.artifacts / re.sub(r"[^\w.-]+", "-", name)) if self.artifacts else None
        try:
            self.client.create_experiment(name, artifact_location=location, tags=tags)
        except MlflowException:
            if self.client.get_experiment_by_name(name) is None:
                raise  # otherwise somebody else has just created it
        found = self.client.get_experiment_by_name(name)
        assert found is not None
        return found

    def parent(self, experiment_id: str, to: Destination) -> str:
        """The id of the run that gathers a campaign's runs: the first one there is, or a new one."""
        text = f"{equals('sweep', to.campaign)} AND tags.`{PARENT}` IS NULL"
        client = self.client
        with reporting(self.uri):
            for found in search(client, [experiment_id], text):
                return found.info.run_id
            run = client.create_run(experiment_id, run_name=to.campaign, tags={**to.tags, "sweep": to.campaign})
            log_batch(client, run.info.run_id, Record(to.campaign, "FINISHED", 0, 0, params=to.params))
            return run.info.run_id

    def close_parent(self, run_id: str, record: Record) -> None:
        """Ends a parent: status, figures, tags and files, unless the tag `ENDED` says that a later record has done so.

        A figure that it has at that step is not logged again.
        """
        client = self.client
        with reporting(self.uri), TemporaryDirectory(prefix="sandbox-") as directory:
            data = client.get_run(run_id).data
            if ENDED in record.tags and data.tags.get(ENDED, "") >= record.tags[ENDED]:
                return
            client.set_terminated(run_id, record.status)  # first: who dies after it has set no tags, and does it again
            known = data.metrics
            there = {
                (key, point.step)
                for key in {key for key, _, _ in record.metrics} & known.keys()
                for point in client.get_metric_history(run_id, key)
            }
            metrics = [one for one in record.metrics if (one[0], one[2]) not in there]
            write_artifacts(record, Path(directory))
            if any(Path(directory).iterdir()):
                client.log_artifacts(run_id, directory)
            now = round(time.time() * 1000)
            log_batch(client, run_id, Record(record.name, record.status, now, now, {}, metrics, record.tags), tags=True)

    def log(self, record: Record, experiment_id: str, parent_id: str | None = None) -> str:
        """Writes one whole run and gives its id. If that fails midway, no run is left that looks whole.

        Raises RefusedError, a StoreError, for a run that can never be logged.
        """
        client = self.client
        tags = dict(record.tags)
        if parent_id:
            tags[PARENT] = parent_id
        if record.slider:
            tags["mlflow.loggedImages"] = "True"
        with TemporaryDirectory(prefix="sandbox-") as directory:
            try:
                write_artifacts(record, Path(directory))
            except (ValueError, OSError) as error:
                if isinstance(error, OSError) and error.errno not in WRONG_PATHS:
                    raise
                raise RefusedError(f"run {record.name!r}: {error}") from error
            with reporting(self.uri):
                created = client.create_run(experiment_id, record.start_time, tags, record.name)
                run_id = created.info.run_id
                try:
                    log_batch(client, run_id, record)
                    if record.images or record.files or record.slider:
                        client.log_artifacts(run_id, directory)
                    client.set_terminated(run_id, record.status, record.end_time)
                except BaseException:
                    with suppress(Exception):
                        client.set_terminated(run_id, "FAILED")
                        client.delete_run(run_id)
                    raise
                return run_id

    def abandon(self, run_id: str) -> bool:
        """Marks a run as KILLED and as half-written, if it is still RUNNING; whether it was."""
        client = self.client
        with reporting(self.uri):
            if client.get_run(run_id).info.status != "RUNNING":
                return False
            client.set_tag(run_id, ABANDONED, "1")
            client.set_terminated(run_id, "KILLED")
            return True

    def delete(self, run_id: str) -> None:
        """Moves a run to MLflow's trash."""
        client = self.client
        with reporting(self.uri):
            client.delete_run(run_id)


def log_batch(client: "MlflowClient", run_id: str, record: Record, *, tags: bool = False) -> None:
    """A record's metrics and params (and tags): one request, or a few where MLflow's limits make it so.

    A step's time is interpolated within the record's, as if all steps had taken equally long.
    """
    from mlflow.entities import Metric, Param, RunTag

    start, end = record.start_time, record.end_time
    pace = (end - start) / max((step for _, _, step in record.metrics if step > 0), default=1)
    client.log_batch(
        run_id,
        [Metric(key, value, round(start + pace * step), step) for key, value, step in record.metrics],
        [Param(key, value) for key, value in record.params.items()],
        [RunTag(key, value) for key, value in record.tags.items()] if tags else [],
    )
