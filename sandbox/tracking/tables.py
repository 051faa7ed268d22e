"""MLflow's own tables: whole runs as rows, many in one transaction.

MlflowClient takes 32 ms for a run of 200 metric values, all of it the bookkeeping of objects; the rows themselves take 2.
The tables are MLflow's own affair, and may change with any version: only those of REVISION are read (see columns.py) and
written to, and written to only where their columns are the ones that are known here.
"""

from collections.abc import Collection, Sequence
from uuid import uuid4

from sqlalchemy import Connection, Engine, NullPool, column, create_engine, inspect, select, table

from sandbox.tracking.connection import RefusedError
from sandbox.tracking.entry import Record
from sandbox.tracking.linked import CONTEXT, SOURCE
from sandbox.tracking.row import LONGEST_NAME, NewRun

REVISION = "dc11669786a5"  # of the tables of MLflow 3.17, as alembic has it
POINT = ("key", "value", "timestamp", "step", "is_nan", "run_uuid")
RUN = (
    "run_uuid",
    "name",
    "source_type",
    "source_name",
    "entry_point_name",
    "user_id",
    "status",
    "start_time",
    "end_time",
)
COLUMNS = {  # in the order in which rows below are made
    "runs": (*RUN, "deleted_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id"),
    "params": ("key", "value", "run_uuid"),
    "tags": ("key", "value", "run_uuid"),
    "metrics": POINT,
    "latest_metrics": POINT,
    "datasets": (
        *("dataset_uuid", "experiment_id", "name", "digest"),
        *("dataset_source_type", "dataset_source", "dataset_schema", "dataset_profile"),
    ),
    "inputs": ("input_uuid", "source_type", "source_id", "destination_type", "destination_id", "step"),
    "input_tags": ("input_uuid", "name", "value"),
}
Rows = dict[str, list[tuple]]  # by table, each with its columns in the order of COLUMNS


class UnknownTablesError(RuntimeError):
    """These are not the tables that are known here."""


def engine_of(uri: str) -> Engine | None:
    """An engine for the tables at this address, None where there are none yet.

    Raises UnknownTablesError for those of another revision.
    """
    engine = create_engine(uri, poolclass=NullPool)
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.scalars(select(column("version_num")).select_from(table("alembic_version"))).all()
    if found != [REVISION]:
        raise UnknownTablesError(f"their revision is {', '.join(found)}, not {REVISION}")
    return engine


class Tables:
    """The tables behind an engine. Raises UnknownTablesError where they have other columns than those of REVISION."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with engine.connect() as connection:
            seen = inspect(connection)
            columns = {name: {one["name"] for one in seen.get_columns(name)} for name in COLUMNS}
        for name, known in COLUMNS.items():
            if strange := columns[name] ^ set(known):
                raise UnknownTablesError(f"{name}.{min(strange)} was not to be expected")

    def known(self, run_ids: Collection[str]) -> set[str]:
        """Those of these runs that are there."""
        runs = table("runs", column("run_uuid")).c.run_uuid
        with self.engine.connect() as connection:
            return set(connection.execute(select(runs).where(runs.in_(run_ids))).scalars())

    def places(self, runs: Sequence[NewRun]) -> list[str]:
        """Where these runs are to keep their artifacts. Raises RefusedError where an experiment is deleted, or not there."""
        from mlflow.utils.uri import append_to_uri_path

        wanted = {int(run.experiment) for run in runs}
        at = table("experiments", *map(column, ("experiment_id", "artifact_location", "lifecycle_stage"))).c
        asked = select(at.experiment_id, at.artifact_location).where(
            at.experiment_id.in_(wanted), at.lifecycle_stage == "active"
        )
        with self.engine.connect() as connection:
            roots = {row.experiment_id: row.artifact_location for row in connection.execute(asked)}
        if missing := wanted - roots.keys():
            raise RefusedError(f"experiment {min(missing)} is not there, or deleted")
        return [append_to_uri_path(roots[int(run.experiment)], run.run_id, "artifacts") for run in runs]

    def insert(self, runs: Sequence[NewRun], places: Sequence[str], files: Sequence[int]) -> None:
        """Write whole runs, all or none: `places` are those of their artifacts, `files` how many each has.

        Raises RefusedError for what is beyond MLflow's limits.
        """
        rows: Rows = {name: [] for name in COLUMNS}
        for run, place, number in zip(runs, places, files, strict=True):
            _add(rows, run, place, number)
        with self.engine.begin() as connection:
            self._prepare(connection)
            self._link(connection, rows, runs)
            for name, some in rows.items():
                if some:
                    self._write(connection, name, some)

    def _write(self, connection: Connection, name: str, rows: list[tuple]) -> None:
        connection.exec_driver_sql(self._insertion(name), rows)

    def _link(self, connection: Connection, rows: Rows, runs: Sequence[NewRun]) -> None:
        """Add the rows that link runs to their data sets, and enter those data sets that their experiment has not.

        Another writer may enter the same ones at the same moment: in one order, and whoever comes first.
        """
        wanted = {(int(run.experiment), one.name, one.digest): one for run in runs if (one := run.record.dataset)}
        if not wanted:
            return
        new = [(uuid4().hex, *key, SOURCE, one.source, one.schema, one.profile) for key, one in sorted(wanted.items())]
        connection.exec_driver_sql(f"{self._insertion('datasets')} ON CONFLICT DO NOTHING", new)
        at = table("datasets", *map(column, ("experiment_id", "name", "digest", "dataset_uuid"))).c
        asked = select(at.experiment_id, at.name, at.digest, at.dataset_uuid).where(
            at.experiment_id.in_({key[0] for key in wanted}), at.digest.in_({key[2] for key in wanted})
        )
        known = {(experiment, name, digest): uuid for experiment, name, digest, uuid in connection.execute(asked)}
        for run in runs:
            if one := run.record.dataset:
                link = uuid4().hex
                dataset = known[int(run.experiment), one.name, one.digest]
                rows["inputs"].append((link, "DATASET", dataset, "RUN", run.run_id, 0))
                rows["input_tags"].append((link, *CONTEXT))

    def _insertion(self, name: str) -> str:
        """The statement itself: SQLAlchemy takes as long to look at each of its rows as SQLite to keep it."""
        mark = "?" if self.engine.dialect.name == "sqlite" else "%s"
        columns = ", ".join(f'"{column}"' for column in COLUMNS[name])
        return f"INSERT INTO {name} ({columns}) VALUES ({', '.join(mark for _ in COLUMNS[name])})"

    def _prepare(self, connection: Connection) -> None:
        """As MLflow has its own sessions."""
        if self.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.exec_driver_sql("PRAGMA busy_timeout = 20000")


def _add(rows: Rows, run: NewRun, place: str, files: int) -> None:
    """The rows that MLflow's create_run, log_batch and set_terminated would have written."""
    run_id, record = run.run_id, run.record
    tags, points = run.tags(files), record.timed()
    name = tags.setdefault("mlflow.runName", record.name[:LONGEST_NAME])
    if name != record.name[:LONGEST_NAME] or not name:
        raise RefusedError(f"run {record.name!r}: its name is not the one of the tag")
    latest: dict[str, tuple[int, int, float]] = {}
    for key, value, timestamp, step in points:
        if key not in latest or (step, timestamp, value) > latest[key]:
            latest[key] = step, timestamp, value
    _validate(record, tags, latest, min((timestamp for _, _, timestamp, _ in points), default=0))
    user = tags.get("mlflow.user", "unknown")
    rest = (record.start_time, record.end_time, None, "", "active", place, int(run.experiment))
    rows["runs"].append((run_id, name, "UNKNOWN", "", "", user, record.status, *rest))
    rows["params"] += [(*pair, run_id) for pair in record.params.items()]
    rows["tags"] += [(*pair, run_id) for pair in tags.items()]
    rows["metrics"] += [(*point, False, run_id) for point in points]
    rows["latest_metrics"] += [
        (key, value, timestamp, step, False, run_id) for key, (step, timestamp, value) in latest.items()
    ]


def _validate(record: Record, tags: dict[str, str], latest: dict[str, tuple[int, int, float]], earliest: int) -> None:
    """Raises RefusedError for what MLflow's client refuses, or would not keep as it is.

    Of a metric the last point is looked at: a Record's values and steps are all finite, and its times are not before
    `earliest`.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.utils.validation import _validate_dataset, _validate_metric, _validate_param, _validate_tag

    try:
        if record.dataset:
            _validate_dataset(record.dataset.input().dataset)
        for key, (step, _, value) in latest.items():
            _validate_metric(key, value, earliest, step)
        params = {one.key: one.value for one in (_validate_param(*pair) for pair in record.params.items())}
        kept = {one.key: one.value for one in (_validate_tag(*pair) for pair in tags.items())}
    except MlflowException as error:
        raise RefusedError(f"run {record.name!r}: {error}") from error
    if params != record.params or kept != tags:
        raise RefusedError(f"run {record.name!r}: a value is too long")
