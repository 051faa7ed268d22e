"""One process at a time: a lock file, for the moments at which several would create the same thing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None


@contextmanager
def locked(path: Path, patience: float = 60.0) -> Iterator[None]:
    """Hold the lock file at `path`, waiting for whoever has it. A process that dies lets go of it.

    Without ``fcntl`` the file's existence is the lock, and one that is older than `patience` seconds is taken
    for abandoned.
    """
    if fcntl is not None:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    while True:
        try:
            path.open("x").close()
            break
        except FileExistsError:
            if time.time() - path.stat().st_mtime > patience:
                path.unlink(missing_ok=True)
            time.sleep(0.05)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
