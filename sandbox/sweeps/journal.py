"""Optuna's own store: a journal file that survives whoever dies while writing to it."""

import os
from pathlib import Path

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from sandbox.lock import locked

JOURNAL = "optuna.journal"


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


def open_storage(root: Path) -> JournalStorage:
    """The store under `root`. A last line that a dying process left half-written is cut off first."""
    root.mkdir(parents=True, exist_ok=True)
    path, lock = root / JOURNAL, _Lock(root / f"{JOURNAL}.lock", root / JOURNAL)
    lock.acquire()
    lock.release()
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def _cut_torn_line(path: Path) -> None:
    if not path.exists():
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
