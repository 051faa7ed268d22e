"""Optuna's own store: a journal file that survives whoever dies while writing to it.

What it knows of trials that have ended MLflow knows too: one that cannot be read is set aside, and made anew from there.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from sandbox.errors import RequestError
from sandbox.lock import locked
from sandbox.tracking import StoreError
from sandbox.tracking.address import hide, shown
from sandbox.tracking.postgresql import KEEPALIVE, alone

JOURNAL = "optuna.journal"
ASIDE = "aside"


class JournalError(StoreError):
    """The journal cannot be read. Its message is one line."""


class _Journal(JournalFileBackend):
    """The journal's file, whose end may be lost in a power cut: what MLflow or the spool has is entered again.

    Optuna's own has the disk keep each line, which takes a tenth of a sweep's time.
    """

    def __init__(self, path: Path, lock: "_Lock") -> None:
        super().__init__(str(path), lock_obj=lock)
        self.path, self.lock = path, lock

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        self.lock.acquire()
        try:
            with self.path.open("ab") as file:
                file.write(lines.encode())
        finally:
            self.lock.release()


class _Lock(JournalFileOpenLock):
    """The journal's lock, which the system takes back from a process that dies (Optuna's own waits 30 seconds).

    Whoever has it finds the journal ending with a whole line, whatever became of the one who had it before.
    """

    def __init__(self, path: Path, journal: Path) -> None:
        self.path, self.journal = path, journal

    def acquire(self) -> bool:
        lock = locked(self.path)
        lock.__enter__()
        try:
            _cut_torn_line(self.journal)
        except BaseException:
            lock.__exit__(None, None, None)
            raise
        self.held = lock  # set by whoever has the lock, and by nobody else
        return True

    def release(self) -> None:
        self.held.__exit__(None, None, None)


def open_storage(root: Path, shared: str = "") -> BaseStorage:
    """The journal under `root`, or the database that hosts share (sandbox.tracking.claims). Raises JournalError.

    The last line of a journal that a dying process left half-written is cut off first.
    """
    if shared:
        with reading(root, shared):
            return _database(shared)
    root.mkdir(parents=True, exist_ok=True)
    path, lock = root / JOURNAL, _Lock(root / f"{JOURNAL}.lock", root / JOURNAL)
    with reading(root):
        lock.acquire()
        lock.release()
        return JournalStorage(_Journal(path, lock))


@cache
def _database(uri: str) -> RDBStorage:
    with alone(uri, "tables"):  # of two who make them at once, one fails
        return RDBStorage(uri, engine_kwargs={"pool_pre_ping": True, "connect_args": KEEPALIVE})


@contextmanager
def released(shared: str) -> Iterator[None]:
    """Close what connections to a database that is shared are open, at the end."""
    try:
        yield
    finally:
        if shared:
            with suppress(Exception):
                storage = _database(shared)
                storage.remove_session()
                storage.engine.dispose()


@contextmanager
def reading(root: Path, shared: str = "") -> Iterator[None]:
    """Turns what Optuna raises over a journal, or over the database that is shared, into a JournalError."""
    try:
        yield
    except (RequestError, StoreError):
        raise
    except Exception as error:  # a line may hold anything, and Optuna trusts all of them
        if shared:
            what = hide(" ".join(f"{error.__cause__ or error}".split())[:200], shared)
            raise JournalError(f"Optuna's study at {shown(shared)} cannot be read: {what}") from error
        if isinstance(error, OSError) and not (root / JOURNAL).is_dir():
            raise
        line = _broken_line(root / JOURNAL)
        what = f"line {line} is no JSON" if line else " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise JournalError(f"Optuna's journal {root / JOURNAL} cannot be read: {what}") from error


def set_aside(root: Path) -> Path:
    """Rename a journal that cannot be read; where it is now. Whoever opens it next begins another."""
    path = root / JOURNAL
    with locked(root / f"{JOURNAL}.lock"):
        number = sum(1 for _ in root.glob(f"{JOURNAL}.{ASIDE}*")) + 1
        return path.rename(path.with_name(f"{JOURNAL}.{ASIDE}-{number}"))


def _broken_line(path: Path) -> int | None:
    """The number of the first line that is no JSON, if there is one."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                json.loads(line)
            except (ValueError, RecursionError):
                return number
    return None


def _cut_torn_line(path: Path) -> None:
    if not path.is_file():
        return
    with path.open("rb+") as file:
        end, newline = file.seek(0, os.SEEK_END), -1
        file.seek(max(0, end - 1))
        if file.read() in (b"\n", b""):
            return
        while end and newline < 0:
            start = max(0, end - 65536)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            end = start + newline + 1
        file.truncate(end)
