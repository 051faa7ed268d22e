"""A store of runs: one MLflow tracking address, and the few requests that sweeps and studies make of it."""

import errno
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sandbox.errors import choose
from sandbox.tracking import ui
from sandbox.tracking.connection import (
    RefusedError,
    artifact_root,
    connect,
    reporting,
    resolve,
    set_environment,
    sqlite_path,
)
from sandbox.tracking.reading import PARENT, equals, frame, row, search, uncollected
from sandbox.tracking.record import Record, check_metric
from sandbox.tracking.writing import log_batch, write_artifacts

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

NOTE = "mlflow.note.content"  # what the UI shows as a description
KIND = {"mlflow.experimentKind": "custom_model_development"}
ABANDONED = "abandoned"  # the tag of a run that a dead process left half-written
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
    ...     table = store.runs_frame(["example"])
    >>> table[["name", "status", "params.hidden"]].values.tolist()
    [['a run', 'FINISHED', '3']]
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

    def start_parent(
        self,
        experiment_id: str,
        name: str,
        tags: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> str:
        """Starts the run that gathers a sweep's runs, and gives its id. Its tag ``sweep`` names the sweep."""
        client = self.client
        with reporting(self.uri):
            run = client.create_run(experiment_id, run_name=name, tags=dict(tags or {}))
            log_batch(client, run.info.run_id, params=params or {})
            return run.info.run_id

    def find_parent(self, experiment_id: str, sweep: str) -> str | None:
        """The id of the first parent run with this tag ``sweep``, or None."""
        text = f"{equals('sweep', sweep)} AND tags.`{PARENT}` IS NULL"
        client = self.client
        with reporting(self.uri):
            return next((run.info.run_id for run in search(client, [experiment_id], text)), None)

    def reopen(self, run_id: str) -> None:
        """Marks a parent as RUNNING again: its sweep goes on."""
        client = self.client
        with reporting(self.uri):
            client.update_run(run_id, status="RUNNING")

    def finish_parent(
        self,
        run_id: str,
        status: str = "FINISHED",
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Ends a parent. Metrics of an earlier ending keep their history: these come one step later."""
        for key, value in (metrics or {}).items():
            check_metric(key, value)
        client = self.client
        with reporting(self.uri):
            client.set_terminated(
                run_id, status
            )  # first: whoever dies after it has not set the tags, and does it again
            steps = {key: len(client.get_metric_history(run_id, key)) for key in metrics or {}}
            rows = [(key, value, steps[key]) for key, value in (metrics or {}).items()]
            log_batch(client, run_id, metrics=rows, tags=tags or {})

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
                    times = (record.start_time, record.end_time)
                    log_batch(client, run_id, record.metrics, record.params, times=times)
                    if record.images or record.files or record.slider:
                        client.log_artifacts(run_id, directory)
                    client.set_terminated(run_id, record.status, record.end_time)
                except BaseException:
                    with suppress(Exception):
                        client.set_terminated(run_id, "FAILED")
                        client.delete_run(run_id)
                    raise
                return run_id

    def finished_keys(self, experiment_id: str, sweep: str) -> set[str]:
        """The config keys of a sweep's FINISHED runs, diverged ones too: what need not be done again."""
        text = f"{equals('sweep', sweep)} AND tags.config_key IS NOT NULL AND attributes.status = 'FINISHED'"
        client = self.client
        with reporting(self.uri):
            return {run.data.tags["config_key"] for run in search(client, [experiment_id], text)}

    def abandon(self, run_id: str) -> bool:
        """Marks a run as KILLED and as half-written, if it is still RUNNING; whether it was."""
        client = self.client
        with reporting(self.uri):
            if client.get_run(run_id).info.status != "RUNNING":
                return False
            client.set_tag(run_id, ABANDONED, "1")
            client.set_terminated(run_id, "KILLED")
            return True

    def tag(self, run_id: str, key: str) -> str:
        """The value of a run's tag, "" where it has none."""
        client = self.client
        with reporting(self.uri):
            return client.get_run(run_id).data.tags.get(key, "")

    def delete(self, run_id: str) -> None:
        """Moves a run to MLflow's trash."""
        client = self.client
        with reporting(self.uri):
            client.delete_run(run_id)

    def kill_running(self, parent_id: str) -> int:
        """Marks a parent's children that were left RUNNING as KILLED, and gives their number."""
        client = self.client
        with reporting(self.uri):
            experiment_id = client.get_run(parent_id).info.experiment_id
            text = f"{equals(PARENT, parent_id)} AND attributes.status = 'RUNNING'"
            left = [run.info.run_id for run in search(client, [experiment_id], text)]
            for run_id in left:
                client.set_terminated(run_id, "KILLED")
            return len(left)

    def runs_frame(self, experiments: Sequence[str] | None = None, text: str = "") -> "pd.DataFrame":
        """One row per run of the named experiments (default: all) that matches MLflow's filter `text`.

        Columns: run_id, experiment_id, experiment, name, status, start_time, end_time; then params.x
        (strings), metrics.y (the last values), tags.z. Raises RequestError for an unknown experiment.
        """
        client = self.client
        with reporting(self.uri), uncollected():
            ids = {found.name: found.experiment_id for found in client.search_experiments()}
            chosen = ids if experiments is None else experiments
            names = {choose("experiment", name, ids): name for name in chosen}
            runs = search(client, list(names), text)
            return frame([row(run, names[run.info.experiment_id]) for run in runs])

    def ui_command(self, host: str = "127.0.0.1", port: int = 5000) -> list[str]:
        """The command that serves this store's UI, in the environment that this process has by now.

        Raises RequestError for a store that is a server already: its UI is at its own address.
        """
        return ui.command(self.uri, self.artifacts, host, port)

    def ui_url(
        self,
        experiment_id: str | None = None,
        run_id: str | None = None,
        host: str = "127.0.0.1",
        port: int = 5000,
    ) -> str:
        """The address of a page in that UI: a run's, an experiment's or, without either, the list of all."""
        return ui.url(self.uri if ui.is_server(self.uri) else f"http://{host}:{port}", experiment_id, run_id)
