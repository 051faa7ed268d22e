"""Files that are there whole or not at all, whoever dies, also by a power cut."""

import os
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner alone, and have the disk keep it. Raises OSError.

    A directory that stands in its place is renamed.
    """
    if path.is_dir():
        path.rename(path.with_name(f"{path.name}.aside"))
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Have the disk keep a file's content, or a directory's names, where a directory can be synced."""
    if os.name == "nt":
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
