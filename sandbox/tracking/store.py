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
from sandbox.host import host_of, process
from sandbox.names import safe
from sandbox.tracking.address import artifact_root, chosen_place, is_readable, local_path, resolve, shown, sqlite_path
from sandbox.tracking.artifacts import step_of, write_artifacts
from sandbox.tracking.connection import RefusedError, connect, reached, reporting, set_environment
from sandbox.tracking.entry import NOTE, THIS_EXPERIMENT, Destination, Record
from sandbox.tracking.reading import Pages, equals, search
from sandbox.tracking.row import ABANDONED, AT_WORK, ENDING, HOST, LONGEST_NAME, PARENT, PROCESS, NewRun, addressed
from sandbox.tracking.user import USER, user_of
from sandbox.tracking.views import Known, View

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run
    from sqlalchemy import Engine

    from sandbox.tracking.columns import Columns
    from sandbox.tracking.tables import Tables

KIND = {"mlflow.experimentKind": "custom_model_development"}
NO_RUN = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # how MLflow says that there is none
WRONG_PATHS = {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL}


class Store:
    """One tracking address: `uri`, else MLFLOW_TRACKING_URI, else an SQLite file in the directory `root`.

    `artifacts` is where experiments that are new keep theirs (a directory, or a URI that MLflow knows): by default beside
    an SQLite file, in `root` for another database, and wherever a server has them. `user` is who logs there: by default
    SANDBOX_USER, else the name of the account.
    Making one costs nothing and touches nothing; the first request connects. Every method raises StoreError
    when the store cannot be reached or refuses. Raises RequestError for a database in memory, and for what is no name.

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
        self,
        uri: str | None = None,
        root: str | os.PathLike[str] = "runs",
        artifacts: str | os.PathLike[str] = "",
        user: str | None = None,
    ) -> None:
        set_environment()
        self.uri, self._root = resolve(uri, root), root
        self.user = user_of(user)
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

    @property
    def owner(self) -> str:
        """The word that a campaign's id ends with, so that nobody takes another's for their own; "" where there is nobody
        else: in an SQLite file whose user has not said who they are."""
        return safe(self.user.name) if self.user.said or sqlite_path(self.uri) is None else ""

    @property
    def signature(self) -> tuple[str, ...]:
        """The option that names the user on a command line, none where the environment does."""
        return ("--as", self.user.name) if self.user.given else ()

    def signing(self, root: Path) -> dict[str, str]:
        """The tags that say whose a run is, and which host, with its spool under `root`, and which process has it."""
        return {USER: self.user.name, HOST: host_of(root), PROCESS: process()}

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
                value = value.replace(THIS_EXPERIMENT, found.experiment_id) if key == NOTE else value
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
        client = self.client
        with reporting(self.uri):
            for deleted in (False, True):
                for found in self.parents(experiment_id, to.campaign, deleted=deleted):
                    if deleted:
                        client.restore_run(found.info.run_id)
                    return found.info.run_id
            run = client.create_run(experiment_id, run_name=to.campaign, tags={**to.tags, "sweep": to.campaign})
            log_batch(client, run.info.run_id, Record(to.campaign, "FINISHED", 0, 0, params=to.params))
            return run.info.run_id

    def parents(self, experiment_id: str, campaign: str, *, deleted: bool = False) -> "Iterator[Run]":
        """The parent runs of a campaign, or the deleted ones, the oldest first; more than one are for the doctor."""
        text = f"{equals('sweep', campaign)} AND tags.`{PARENT}` IS NULL"
        with reporting(self.uri):
            yield from search(self.client, [experiment_id], text, deleted=deleted)

    def close_parent(self, run_id: str, record: Record) -> None:
        """Ends a parent: status, figures, tags and files, unless the tag `ENDING` says that a later record has done so.

        A figure that it has at that step is not logged again.
        """
        client = self.client
        with reporting(self.uri), TemporaryDirectory(prefix="sandbox-") as directory:
            run = client.get_run(run_id)
            data = run.data
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
            last, tags = Record(record.name, record.status, now, now, {}, metrics), record.tags
            over = {key for key, value in tags.items() if not value and key.startswith(AT_WORK)}
            told = {key: value for key, value in tags.items() if key not in over}
            log_batch(client, run_id, last, addressed(told, run_id, run.info.experiment_id))
            for key in over & data.tags.keys():
                client.delete_tag(run_id, key)

    def log(
        self,
        record: Record,
        experiment_id: str,
        parent_id: str | None = None,
        sure: Callable[[], bool] = lambda: True,
    ) -> str:
        """Writes one whole run by MLflow's client and gives its id. If that fails midway, no run is left that looks whole.

        `sure` is asked before it is ended, whether it still is to be; else it goes to the trash, and its id is "". Raises
        RefusedError, a StoreError, for a run that can never be logged.
        """
        client, run = self.client, NewRun("", experiment_id, parent_id, record)
        with TemporaryDirectory(prefix="sandbox-") as directory:
            with wrong_paths(record):
                files = write_artifacts(record, Path(directory))
            with reporting(self.uri):
                tags = run.tags(files)
                note = {key: record.tags[key] for key in (NOTE,) if tags.pop(key, "")}
                created = client.create_run(experiment_id, record.start_time, tags, record.name[:LONGEST_NAME])
                run_id = created.info.run_id
                try:
                    log_batch(client, run_id, record, addressed(note, run_id, experiment_id))
                    if record.dataset:
                        client.log_inputs(run_id, [record.dataset.input()])
                    if files:
                        client.log_artifacts(run_id, directory)
                    if not sure():
                        client.delete_run(run_id)
                        return ""
                    client.set_terminated(run_id, record.status, record.end_time)
                except BaseException:
                    with suppress(Exception):
                        client.set_terminated(run_id, "FAILED")
                        client.delete_run(run_id)
                    raise
                return run_id

    def log_together(
        self, runs: Sequence[NewRun], kept: Callable[[NewRun], object] = lambda run: None, *, shared: bool = False
    ) -> None:
        """Writes whole runs into the `tables`, all or none, and their artifacts before: whoever dies between does it again.

        `kept` is called with each run whose artifacts are in place. If that fails their artifacts go again, unless the ids
        are `shared` with another host, which may have put them there.
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
            if not (shared or self.known([run.run_id for run in runs])):
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

    def show(self, run_id: str, views: Sequence[View]) -> None:
        """Give the experiment of a run saved views (see sandbox.tracking.views); those that it has stay as they are."""
        client = self.client
        with reporting(self.uri):
            experiment = client.get_experiment(client.get_run(run_id).info.experiment_id)
            written, gone = Known(experiment.tags).changes(views)
            for key, text in written.items():
                client.set_experiment_tag(experiment.experiment_id, key, text)
            for key in gone:
                client.delete_experiment_tag(experiment.experiment_id, key)

    def known(self, run_ids: Collection[str]) -> set[str]:
        """Those of these ids that runs have which were logged together."""
        with reporting(self.uri):
            return self.tables.known(run_ids) if self.tables else set()

    def run(self, run_id: str) -> "Run | None":
        """What MLflow says of a run, None where there is none of this id."""
        from mlflow import MlflowException

        client = self.client
        with reporting(self.uri):
            try:
                return client.get_run(run_id)
            except MlflowException as error:
                if error.error_code in NO_RUN:
                    return None
                raise

    def artifact(self, run_id: str, path: str) -> bytes | None:
        """The content of a run's file, None where there is no such run or file."""
        from mlflow import MlflowException

        client = self.client
        with reporting(self.uri), TemporaryDirectory(prefix="sandbox-") as directory:
            try:
                return Path(client.download_artifacts(run_id, path, directory)).read_bytes()
            except MlflowException as error:
                if error.error_code in NO_RUN:
                    return None
                raise
            except FileNotFoundError:
                return None

    def slider(self, place: str, key: str) -> dict[int, bytes]:
        """The PNG bytes behind the slider `key` of a run whose artifacts are in this place, by step; none without any.

        (MLflow's client would look the run up twice for each of them.)
        """
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        with reporting(self.uri), TemporaryDirectory(prefix="sandbox-") as passing:
            repository = get_artifact_repository(place, tracking_uri=self.uri)
            paths = [one.path for one in repository.list_artifacts("images")]
            steps = sorted((step, path) for path in paths if (step := step_of(path, key)) is not None)
            return {step: Path(repository.download_artifacts(path, passing)).read_bytes() for step, path in steps}

    def attach(self, run_id: str, files: Mapping[str, bytes], tags: Mapping[str, str]) -> None:
        """Give a run files by their paths, in place of those that it has there, and then tags."""
        client = self.client
        with reporting(self.uri), TemporaryDirectory(prefix="sandbox-") as directory:
            if write_artifacts(Record("", "FINISHED", 0, 0, files=dict(files)), Path(directory)):
                client.log_artifacts(run_id, directory)
            experiment = client.get_run(run_id).info.experiment_id
            for key, value in addressed(tags, run_id, experiment).items():
                client.set_tag(run_id, key, value)

    def abandon(self, run_id: str) -> bool:
        """Marks a run as KILLED and as half-written, if it is still RUNNING; whether it was."""
        client = self.client
        with reporting(self.uri):
            if client.get_run(run_id).info.status != "RUNNING":
                return False
            client.set_tag(run_id, ABANDONED, "1")
            client.set_terminated(run_id, "KILLED")
            return True

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Gives a run tags; those without a value are taken from it."""
        client = self.client
        with reporting(self.uri):
            there = client.get_run(run_id).data.tags
            for key, value in tags.items():
                if value:
                    client.set_tag(run_id, key, value)
                elif key in there:
                    client.delete_tag(run_id, key)

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


def log_batch(client: "MlflowClient", run_id: str, record: Record, tags: Mapping[str, str] | None = None) -> None:
    """A record's metrics and params, and these tags: one request, or a few where MLflow's limits make it so."""
    from mlflow.entities import Metric, Param, RunTag

    client.log_batch(
        run_id,
        [Metric(*point) for point in record.timed()],
        [Param(key, value) for key, value in record.params.items()],
        [RunTag(key, value) for key, value in (tags or {}).items()],
    )
