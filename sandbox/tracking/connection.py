"""From an address to an MLflow client that answers, or one clear line that says why it does not."""

import http.client
import logging
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from sandbox.lock import locked
from sandbox.tracking.address import WITHOUT_DRIVER, hide, shown, sqlite_path
from sandbox.tracking.postgresql import alone
from sandbox.tracking.sqlite import check_sqlite, relocate, remove_misread

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Set only where the user has not. MLflow's own defaults retry for four minutes, log every migration, print
# two lines per run to standard output, report usage to its makers and start job runners beside the UI.
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
# What a process that has better things to do allows a store, and how often it asks: no retry, for a request that was
# carried out and not answered would be carried out twice.
IMPATIENT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "20", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
KNOCK_SECONDS = 5
WITH_LOCKS = (
    "postgresql:",
    "postgresql+psycopg",
)  # databases in which one of two who make the tables at once would fail
PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
FOREIGN = (
    "mlflow.",
    "sqlalchemy.",
    "alembic.",
    "requests.",
    "urllib3.",
    "http.client",
    "google.",
    "json.",
    "sqlite3",
    "psycopg",
    "pymysql",
)


class StoreError(RuntimeError):
    """The store cannot be reached or refused a request. Its message is one line and names the store.

    >>> from sandbox.tracking import Store
    >>> Store("http://127.0.0.1:1").check()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    sandbox.tracking.connection.StoreError: MLflow store http://127.0.0.1:1: ...
    """


class RefusedError(StoreError):
    """The store answers, and refuses a run for what it says: to ask again is of no use."""


def impatience() -> dict[str, str]:
    """This process's environment, with `IMPATIENT` where the user has not set anything."""
    set_environment()
    return os.environ | {name: text for name, text in IMPATIENT.items() if os.environ[name] == ENVIRONMENT[name]}


@contextmanager
def impatient() -> Iterator[None]:
    """`IMPATIENT` within."""
    meanwhile = impatience()
    before = {name: os.environ[name] for name in IMPATIENT}
    os.environ.update({name: meanwhile[name] for name in IMPATIENT})
    try:
        yield
    finally:
        os.environ.update(before)


def set_environment() -> None:
    """Defaults for MLFLOW_... in this process and those it starts; what the user has set stays."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def connect(uri: str, artifacts: str | None) -> "MlflowClient":
    """A client of a store that has answered once. A new SQLite store is created. Raises StoreError.

    `artifacts` is where they are by default; if an SQLite file was moved, those beside it were.
    """
    set_environment()
    import mlflow  # noqa: F401  takes a second or two: not while others wait for the lock

    try:
        with reached(uri, artifacts):
            return _client(uri, artifacts)
    except RefusedError as error:  # whatever its code is, no run is refused
        raise StoreError(str(error)) from error


@contextmanager
def reached(uri: str, artifacts: str | None) -> Iterator[None]:
    """Make sure that somebody answers, or that the file is a database; within, nobody else makes one of it."""
    logging.getLogger("sqlalchemy").setLevel(logging.CRITICAL)  # what a lost connection leads to is told in one line
    with reporting(uri), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MLflow and SQLAlchemy think of an address
        path = sqlite_path(uri)
        if path is not None:
            with _prepared(path, artifacts):
                yield
            return
        knock(uri)
        with alone(uri, "MLflow's tables") if uri.startswith(WITH_LOCKS) else nullcontext():
            yield


@contextmanager
def _prepared(path: Path, artifacts: str | None) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f"{path.name}.lock")):
        check_sqlite(path)
        if artifacts and (old := relocate(path, artifacts)):
            print(
                f"note: {path.parent} was moved: its artifacts were in {old}, and are in {artifacts} now",
                file=sys.stderr,
            )
        yield


def knock(uri: str) -> None:
    """Raises OSError within five seconds if nobody answers at the URI (MLflow would try for minutes)."""
    parts = urlsplit(uri)
    try:
        host, port = parts.hostname, parts.port or PORTS.get(parts.scheme.partition("+")[0])
    except ValueError as error:
        raise OSError(str(error)) from error
    if parts.scheme in ("http", "https") and not host:
        raise OSError("the address names no host")
    proxied = parts.scheme in getproxies() and not proxy_bypass(host or "")
    if not host or not port or proxied:
        return
    if parts.scheme != "http":
        socket.create_connection((host, port), timeout=KNOCK_SECONDS).close()
        return
    with closing(http.client.HTTPConnection(host, port, timeout=KNOCK_SECONDS)) as connection:
        connection.request("GET", "/health")
        connection.getresponse()  # whatever it says, somebody is there


def _client(uri: str, artifacts: str | None) -> "MlflowClient":
    from mlflow import MlflowClient

    if artifacts:  # otherwise MLflow's default experiment would have its artifacts in ./mlruns
        from mlflow.tracking._tracking_service.utils import _get_store

        _get_store(uri, artifacts)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.search_experiments(max_results=1)
    remove_misread(uri)
    return client


@contextmanager
def reporting(uri: str) -> Iterator[None]:
    """Turns what MLflow, its database or its network raise into a StoreError of one line."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        if not _is_foreign(error):
            raise
        text = str(error).strip() or type(error).__name__
        if isinstance(error, ModuleNotFoundError) and "psycopg" in text:
            text = WITHOUT_DRIVER
        line = " ".join(text.splitlines()[0].split())[:300]
        kind = RefusedError if getattr(error, "error_code", "") == "INVALID_PARAMETER_VALUE" else StoreError
        raise kind(f"MLflow store {shown(uri)}: {hide(line, uri)}") from error


def _is_foreign(error: Exception) -> bool:
    """Whether the error comes from the store's side of the code rather than from ours."""
    return isinstance(error, OSError | ModuleNotFoundError) or type(error).__module__.startswith(FOREIGN)
