"""A store of runs: one MLflow tracking address, and the few requests that campaigns and studies make of it."""

import errno
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sandbox.errors import RequestError
from sandbox.names import safe
from sandbox.tracking.address import artifact_root, chosen_place, is_readable, local_path, resolve, shown, sqlite_path
from sandbox.tracking.artifacts import write_artifacts
from sandbox.tracking.connection import RefusedError, connect, reached, reporting, set_environment
from sandbox.tracking.entry import NOTE, THIS_RUN, Destination, Record
from sandbox.tracking.reading import Pages, equals, search
from sandbox.tracking.row import ABANDONED, ENDING, LONGEST_NAME, PARENT, NewRun

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, RunInfo
    from sqlalchemy import Engine

    from sandbox.tracking.columns import Columns
    from sandbox.tracking.tables import Tables

KIND = {"mlflow.experimentKind": "custom_model_development"}
WRONG_PATHS = {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL}


class Store:
    """One tracking address: `uri`, else MLFLOW_TRACKING_URI, else an SQLite file in the directory `root`.

    `artifacts` is where experiments that are new keep theirs (a directory, or a URI that MLflow knows): by default beside
    an SQLite file, in `root` for another database, and wherever a server has them.
    Making one costs nothing and touches nothing; the first request connects. Every method raises StoreError
    when the store cannot be reached or refuses. Raises RequestError for a database in memory.

    >>> from tempfile import TemporaryDirectory
    >>> from sandbox.tracking import Record
    >>> with TemporaryDirectory() as directory:
    ...     store = Store(f"sqlite:///{directory}/mlflow.db")
    ...     run_id = store.log(Record("a run", "FINISHED", 0, 1000, {"hidden": "3"}), store.experiment("example"))
    ...     run = store.client.get_run(run_id)
    >>> run.info.run_name, run.info.status, run.data.params
    ('a run', 'FINISHED', {'hidden': '3'})
    """

    def __init__(
        self, uri: str | None = None, root: str | os.PathLike[str] = "runs", artifacts: str | os.PathLike[str] = ""
    ) -> None:
        set_environment()
        self.uri, self._root = resolve(uri, root), root
        self.chosen = chosen_place(os.fspath(artifacts)) if artifacts else ""
        self.usual = artifact_root(self.uri, root)
        self.artifacts = self.chosen or self.usual

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's own client, connected."""
        return connect(self.uri, self.usual)

    @cached_property
    def reader(self) -> "Columns | Pages":
        """What reads its runs: in columns where it is a database whose tables are known, else MLflow's client."""
        if is_readable(self.uri):
            from sandbox.tracking.columns import Columns

            with reached(self.uri, self.usual):
                engine = self._known_engine()
            if engine is not None:
                return Columns(engine)
        return Pages(self.client)

    @cached_property
    def tables(self) -> "Tables | None":
        """What runs are written into together; None where there is a server, or a database whose tables are not known."""
        self.check()
        if not is_readable(self.uri):
            return None
        from sandbox.tracking.tables import Tables, UnknownTablesError

        with reporting(self.uri):
            try:
                engine = self._known_engine()
                return engine and Tables(engine)
            except UnknownTablesError as error:
                self.strange = str(error)
                return None

    strange: str = ""  # why a database's tables are not those that are known, once that was asked

    def _known_engine(self) -> "Engine | None":
        from sandbox.tracking.tables import UnknownTablesError, engine_of

        try:
            return engine_of(self.uri)
        except UnknownTablesError as error:
            self.strange = str(error)
            return None

    @property
    def remark(self) -> str:
        """What is to be known of its artifacts, where others can reach the database and not them; else ""."""
        if self.chosen or self.artifacts is None or sqlite_path(self.uri):
            return ""
        return (
            f"artifacts of {shown(self.uri)} are kept on this machine, in {self.artifacts}: "
            "--artifacts URI puts them where others can see them"
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The options that name it on a command line, none where it is meant without them; a password is not shown."""
        with suppress(RequestError):
            if resolve(None, self._root) == self.uri:
                return ()
        return ("--tracking-uri", shown(self.uri))

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

        location = f"{self.artifacts.rstrip('/')}/{safe(name)}" if self.artifacts else None
        try:
            self.client.create_experiment(name, artifact_location=location, tags=tags)
        except MlflowException:
            if self.client.get_experiment_by_name(name) is None:
                raise  # otherwise somebody else has just created it
        found = self.client.get_experiment_by_name(name)
        assert found is not None
        return found

    def parent(self, experiment_id: str, to: Destination) -> str:
        """The id of the run that gathers a campaign's: the first that there is, else one from the trash, else a new one."""
        text = f"{equals('sweep', to.campaign)} AND tags.`{PARENT}` IS NULL"
        client = self.client
        with reporting(self.uri):
            for deleted in (False, True):
                for found in search(client, [experiment_id], text, deleted=deleted):
                    if deleted:
                        client.restore_run(found.info.run_id)
                    return found.info.run_id
            run = client.create_run(experiment_id, run_name=to.campaign, tags={**to.tags, "sweep": to.campaign})
            log_batch(client, run.info.run_id, Record(to.campaign, "FINISHED", 0, 0, params=to.params))
            return run.info.run_id

    def close_parent(self, run_id: str, record: Record) -> None:
        """Ends a parent: status, figures, tags and files, unless the tag `ENDING` says that a later record has done so.

        A figure that it has at that step is not logged again.
        """
        client = self.client
        with reporting(self.uri), TemporaryDirectory(prefix="sandbox-") as directory:
            data = client.get_run(run_id).data
            if ENDING in record.tags and ending_of(data.tags) >= ending_of(record.tags):
                return
            client.set_terminated(run_id, record.status)  # first: who dies after it has set no tags, and does it again
            known = data.metrics
            there = {
                (key, point.step)
                for key in {key for key, _, _ in record.metrics} & known.keys()
                for point in client.get_metric_history(run_id, key)
            }
            metrics = [one for one in record.metrics if (one[0], one[2]) not in there]
            if write_artifacts(record, Path(directory)):
                client.log_artifacts(run_id, directory)
            now = round(time.time() * 1000)
            tags = {key: text.replace(THIS_RUN, run_id) if key == NOTE else text for key, text in record.tags.items()}
            log_batch(client, run_id, Record(record.name, record.status, now, now, {}, metrics, tags), tags=True)

    def log(self, record: Record, experiment_id: str, parent_id: str | None = None) -> str:
        """Writes one whole run by MLflow's client and gives its id. If that fails midway, no run is left that looks whole.

        Raises RefusedError, a StoreError, for a run that can never be logged.
        """
        client, run = self.client, NewRun("", experiment_id, parent_id, record)
        with TemporaryDirectory(prefix="sandbox-") as directory:
            with wrong_paths(record):
                files = write_artifacts(record, Path(directory))
            with reporting(self.uri):
                tags = run.tags(files)
                created = client.create_run(experiment_id, record.start_time, tags, record.name[:LONGEST_NAME])
                run_id = created.info.run_id
                try:
                    log_batch(client, run_id, record)
                    if record.dataset:
                        client.log_inputs(run_id, [record.dataset.input()])
                    if files:
                        client.log_artifacts(run_id, directory)
                    client.set_terminated(run_id, record.status, record.end_time)
                except BaseException:
                    with suppress(Exception):
                        client.set_terminated(run_id, "FAILED")
                        client.delete_run(run_id)
                    raise
                return run_id

    def log_together(self, runs: Sequence[NewRun], kept: Callable[[NewRun], object] = lambda run: None) -> None:
        """Writes whole runs into the `tables`, all or none, and their artifacts before: whoever dies between does it again.

        `kept` is called with each run whose artifacts are in place.
        What the rows say is what `log` would have had MLflow's client write. Raises RefusedError where one of them is
        beyond MLflow's limits, or its experiment is deleted.
        """
        assert self.tables is not None
        with reporting(self.uri):
            places = self.tables.places(runs)
        try:
            files = []
            for run, place in zip(runs, places, strict=True):
                files.append(self._keep(run.record, place))
                kept(run)
            with reporting(self.uri):
                self.tables.insert(runs, places, files)
        except Exception:
            if not self.known([run.run_id for run in runs]):
                for directory in filter(None, map(local_path, places)):
                    shutil.rmtree(directory.parent, ignore_errors=True)
            raise

    def _keep(self, record: Record, place: str) -> int:
        """Put a record's artifacts in their place; how many files they are."""
        if directory := local_path(place):
            with wrong_paths(record):
                return write_artifacts(record, directory)
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        with TemporaryDirectory(prefix="sandbox-") as passing:
            with wrong_paths(record):
                files = write_artifacts(record, Path(passing))
            with reporting(self.uri):
                get_artifact_repository(place).log_artifacts(passing)
            return files

    def known(self, run_ids: Collection[str]) -> set[str]:
        """Those of these ids that runs have which were logged together."""
        with reporting(self.uri):
            return self.tables.known(run_ids) if self.tables else set()

    def info(self, run_id: str) -> "RunInfo":
        """What MLflow says of a run: its experiment's id, and where its artifacts are."""
        client = self.client
        with reporting(self.uri):
            return client.get_run(run_id).info

    def artifact(self, run_id: str, path: str) -> bytes | None:
        """The content of a run's file, None where there is no such run or file."""
        from mlflow import MlflowException

        client = self.client
        with reporting(self.uri), TemporaryDirectory(prefix="sandbox-") as directory:
            try:
                return Path(client.download_artifacts(run_id, path, directory)).read_bytes()
            except MlflowException as error:
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise
            except FileNotFoundError:
                return None

    def abandon(self, run_id: str) -> bool:
        """Marks a run as KILLED and as half-written, if it is still RUNNING; whether it was."""
        client = self.client
        with reporting(self.uri):
            if client.get_run(run_id).info.status != "RUNNING":
                return False
            client.set_tag(run_id, ABANDONED, "1")
            client.set_terminated(run_id, "KILLED")
            return True

    def adopt(self, run_id: str, parent_id: str) -> None:
        """Puts a run below another parent."""
        client = self.client
        with reporting(self.uri):
            client.set_tag(run_id, PARENT, parent_id)

    def delete(self, run_id: str) -> None:
        """Moves a run to MLflow's trash."""
        client = self.client
        with reporting(self.uri):
            client.delete_run(run_id)


@contextmanager
def wrong_paths(record: Record) -> Iterator[None]:
    """Raises RefusedError for artifacts that no disk can have."""
    try:
        yield
    except (ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in WRONG_PATHS:
            raise
        raise RefusedError(f"run {record.name!r}: {error}") from error


def ending_of(tags: Mapping[str, str]) -> int:
    """Which ending of its campaign these tags of a parent run are of, 0 for none."""
    text = tags.get(ENDING, "")
    return int(text) if text.isdecimal() else 0


def log_batch(client: "MlflowClient", run_id: str, record: Record, *, tags: bool = False) -> None:
    """A record's metrics and params (and tags): one request, or a few where MLflow's limits make it so."""
    from mlflow.entities import Metric, Param, RunTag

    client.log_batch(
        run_id,
        [Metric(*point) for point in record.timed()],
        [Param(key, value) for key, value in record.params.items()],
        [RunTag(key, value) for key, value in record.tags.items()] if tags else [],
    )
