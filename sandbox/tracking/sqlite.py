"""An SQLite store's file: whether it is a database, and where it says that its artifacts are."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sandbox.tracking.address import artifact_uri, local_path, sqlite_path

PLACES = (  # where MLflow keeps absolute ones, below those of their experiments
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def check_sqlite(path: Path) -> None:
    """Raises sqlite3.DatabaseError at once for a file that is no database (MLflow would try ten times)."""
    with closing(sqlite3.connect(path, timeout=20)) as connection:
        connection.execute("PRAGMA schema_version")
        with suppress(sqlite3.OperationalError):  # busy: whoever is busy has done it
            connection.execute("PRAGMA journal_mode=WAL")  # readers and a writer then do not wait for one another


def relocate(path: Path, artifacts: str) -> Path | None:
    """Let experiments whose artifacts moved (or were copied) along with the database have them in `artifacts`, beside it.

    MLflow keeps absolute places. Where the usual one was tells that of the experiment that every store has from the
    beginning. If another one is meant now, and the old directory is gone or what was in it is here, it was moved. Gives
    the old directory, None where nothing was moved.
    """
    here = local_path(artifacts)
    with closing(sqlite3.connect(path, timeout=20)) as connection, connection:
        if here is None or not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'").fetchone():
            return None
        found = connection.execute("SELECT experiment_id, artifact_location FROM experiments").fetchall()
        places = {number: (text, local_path(text or "s3:")) for number, text in found}
        old = getattr(places.get(0, ("", None))[1], "parent", here)
        ours = {number: (text, place.name) for number, (text, place) in places.items() if place and place.parent == old}
        is_here = any((here / name).is_dir() for _, name in ours.values())
        if old == here or old.name != here.name or (old.is_dir() and not is_here):
            return None
        for number, (text, name) in ours.items():
            new = artifact_uri(here / name)
            connection.execute("UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?", (new, number))
            for table, column in PLACES:
                if any(column == known for _, known, *_ in connection.execute(f"PRAGMA table_info({table})")):
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                        (new, len(text) + 1, len(text) + 1, f"{text}/"),
                    )
        return old


def remove_misread(uri: str) -> None:
    """Remove the empty directory that MLflow makes for a database, by its address as it stands: with %3F for a ?."""
    path, misread = sqlite_path(uri), uri.partition(":///")[2].partition("?")[0].rpartition("/")[0]
    if path and misread != path.parent.as_posix():
        with suppress(OSError):
            os.removedirs(misread)
