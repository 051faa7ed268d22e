"""Which host and process this is, as runs say it; machines with a disk each are hosts, whatever they are called."""

import os
import re
import socket
import uuid
from functools import cache
from pathlib import Path

FILE = "host"


def host_of(root: Path) -> str:
    """The name of the host that keeps its spool under `root`: the machine's, and what tells its disk from others'.

    Of a root that is not there, the machine's alone. Raises OSError where nothing can be kept there.
    """
    machine = re.sub("[^A-Za-z0-9.]+", "-", socket.gethostname())[:60]
    return f"{machine}-{_disk(root.resolve())}" if root.is_dir() else machine


def disk_of(host: str) -> str:
    """What the name of a host says of its disk.

    >>> disk_of("lab-1-0a1b2c3d")
    '0a1b2c3d'
    """
    return host.rpartition("-")[2]


@cache
def _disk(root: Path) -> str:
    """What tells a root from others, made with the first word of it."""
    path = root / FILE
    try:
        with path.open("x") as file:
            file.write(uuid.uuid4().hex[:8])
    except FileExistsError:
        pass
    return path.read_text()[:8] or "none"


def process() -> str:
    """The number of this process."""
    return str(os.getpid())
