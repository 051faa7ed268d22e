"""One process at a time: a lock file, which the system takes back from a process that dies."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None


class AlreadyLocked(RuntimeError):
    """Somebody else has the lock, and this process did not want to wait."""


def lock_of(name: str, root: Path) -> Path:
    """The lock file that a process holds while it runs the sweep or comparison called `name`."""
    (root / "locks").mkdir(parents=True, exist_ok=True)
    return root / "locks" / f"{name}.lock"


@contextmanager
def locked(path: Path, patience: float = 60.0, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file at `path`, waiting for whoever has it. Raises AlreadyLocked where it may not `wait`.

    Without ``fcntl`` the file's existence is the lock, and one that is older than `patience` seconds is taken
    for abandoned.
    """
    if fcntl is not None:
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise AlreadyLocked(str(path)) from None
            yield
        return
    while True:
        try:
            path.open("x").close()
            break
        except FileExistsError:
            if not wait:
                raise AlreadyLocked(str(path)) from None
            try:
                if time.time() - path.stat().st_mtime > patience:
                    path.unlink(missing_ok=True)
            except FileNotFoundError:
                continue
            time.sleep(0.05)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
