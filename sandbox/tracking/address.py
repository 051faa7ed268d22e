"""Addresses: which store is meant, where its database and its artifacts are, and how it is shown."""

import os
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from urllib.request import url2pathname

from sandbox.errors import RequestError, one_line
from sandbox.names import is_text

SQLITE = "sqlite:///"
DATABASES = ("postgresql", "mysql", "mssql")
READABLE = ("sqlite", "postgresql")  # whose tables can be read without MLflow
SCHEMES = (*DATABASES, "http", "https", "databricks", "databricks-uc", "uc")
WITHOUT_DRIVER = "PostgreSQL needs psycopg: pip install 'training-sandbox[postgresql]'"
LONGEST_PLACE = 1000  # characters of a place for artifacts: MLflow takes 2048, and paths below it take some


def resolve(uri: str | os.PathLike[str] | None, root: str | os.PathLike[str]) -> str:
    """The tracking URI: the one given, else MLFLOW_TRACKING_URI, else the SQLite file in `root`.

    Raises RequestError for a database in memory, whose runs would be lost.
    """
    chosen = os.fspath(uri) if uri else os.environ.get("MLFLOW_TRACKING_URI")
    if not chosen:
        return sqlite_uri(Path(root).resolve() / "mlflow.db")
    if not chosen.startswith("sqlite"):
        check_scheme(chosen)
        return chosen
    path, query = sqlite_path(chosen) if is_text(chosen) else None, chosen.partition("?")[2]
    if path is None:
        raise RequestError(
            f"tracking URI {one_line(chosen)} names no file, and what is logged would be lost: write sqlite:///runs.db"
        )
    return sqlite_uri(path) + (f"?{query}" if query else "")


def check_scheme(uri: str) -> None:
    """Raises RequestError for what is no address of a store that MLflow knows, nor of a plugin's."""
    try:
        parts = urlsplit(uri)
        known = parts.scheme.partition("+")[0] in SCHEMES and is_text(uri) and bool(parts.netloc or parts.path)
    except ValueError:  # such as half of an IPv6 address
        known = False
    else:
        known = known or parts.scheme in {one.name for one in entry_points(group="mlflow.tracking_store")}
    if not known:
        wanted = "sqlite:///runs.db, postgresql://HOST/DATABASE or http://HOST:5000"
        raise RequestError(f"tracking URI is {one_line(uri)}: an address such as {wanted} is needed")


def sqlite_uri(path: Path) -> str:
    """The URI of an SQLite file, whatever characters its path has.

    >>> sqlite_uri(Path("/what?/50%25/mlflow.db"))
    'sqlite:////what%3F/50%2525/mlflow.db'
    """
    return SQLITE + quote(path.as_posix(), safe="/ ~+,;=@!$&'()*")


def sqlite_path(uri: str) -> Path | None:
    """The absolute path of an SQLite URI's database file; None for another database, or one in memory."""
    scheme, _, path = uri.partition("?")[0].partition(":///")
    if scheme.partition("+")[0] != "sqlite" or not path or path.startswith((":memory:", "file:")):
        return None
    return Path(unquote(path)).resolve()


def is_readable(uri: str) -> bool:
    """Whether the address is that of a database whose tables can be read without MLflow."""
    return urlsplit(uri).scheme.partition("+")[0] in READABLE and not os.environ.get("MLFLOW_ENABLE_WORKSPACES")


def below(uri: str, root: Path) -> str:
    """How a note under `root` keeps a store's address: a database in `root` by its path from there, so that both can be
    moved and copied together.

    >>> below("sqlite:////here/runs/mlflow.db", Path("/here/runs")), below("http://there", Path("/here/runs"))
    ('sqlite:///mlflow.db', 'http://there')
    """
    path = sqlite_path(uri)
    if path is None or not path.is_relative_to(root.resolve()):
        return uri
    return sqlite_uri(path.relative_to(root.resolve()))


def above(kept: str, root: Path) -> str:
    """The address that `below` kept."""
    scheme, _, path = kept.partition(":///")
    return sqlite_uri(root.resolve() / unquote(path)) if scheme == "sqlite" and not path.startswith("/") else kept


def near(uri: str) -> str:
    """A store's address as it can be typed here: a database below the working directory by its path from there."""
    path = sqlite_path(uri)
    here = path is not None and path.is_relative_to(Path.cwd())
    return sqlite_uri(path.relative_to(Path.cwd())) if path and here else uri


def artifact_root(uri: str, root: str | os.PathLike[str]) -> str | None:
    """Where a database's artifacts go: beside an SQLite file, else in `root`. None: the server decides."""
    path = sqlite_path(uri)
    if path:
        return artifact_uri(path.parent / "artifacts")
    is_database = urlsplit(uri).scheme.partition("+")[0] in DATABASES
    return artifact_uri(Path(root).resolve() / "artifacts") if is_database else None


def artifact_uri(place: str | os.PathLike[str]) -> str:
    """A place for artifacts as MLflow takes it: a URI as it is; a path made absolute, as it is where MLflow can read it."""
    text = os.fspath(place)
    with suppress(ValueError):
        if len(urlsplit(text).scheme) > 1:
            return text
    path = Path(text).resolve()
    return path.as_posix() if quote(path.as_posix(), safe="/ ") == path.as_posix() else path.as_uri()


def chosen_place(text: str) -> str:
    """The same for a place that somebody has chosen. Raises RequestError for what cannot be one."""
    if not is_text(text) or len(text) > LONGEST_PLACE:
        raise RequestError(
            f"artifacts are to be in {one_line(text)}: a directory or a URI is needed, such as s3://BUCKET"
        )
    path = local_path(place := artifact_uri(text))
    if path and (any(len(part.encode()) > 255 for part in path.parts) or any(map(Path.is_file, (path, *path.parents)))):
        raise RequestError(f"artifacts are to be in {one_line(text)}: that cannot be a directory")
    return place


def local_path(place: str) -> Path | None:
    """The directory that a place for artifacts names, None where it is none of this machine's.

    >>> local_path("file:///a%20b"), local_path("s3://bucket/a")
    (PosixPath('/a b'), None)
    """
    parts = urlsplit(place)
    if parts.scheme not in ("", "file"):
        return None
    return Path(url2pathname(parts.path if parts.scheme else place))


def shown(uri: str) -> str:
    """A store's address without its password."""
    return hide(uri, uri)


def hide(text: str, uri: str) -> str:
    """`text` without the password of `uri`."""
    with suppress(ValueError):
        password = urlsplit(uri).password
        if password:
            return text.replace(f":{password}@", ":***@").replace(unquote(password), "***")
    return text
