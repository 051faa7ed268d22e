"""A process and all that come from it, as Linux tells of them in /proc."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PARENT, USER, SYSTEM, BEGAN = 1, 11, 12, 19  # places in /proc/PID/stat behind the name


class Tree:
    """The processes of a tree that were seen: the most that they had in memory together, and how busy they were.

    `memory` counts shared pages once. `busy` are seconds of processors, up to the last look at each process.
    """

    def __init__(self) -> None:
        self.memory = 0
        self._began: dict[int, str] = {}
        self._busy: dict[int, float] = {}
        self._looked = 0.0

    @property
    def busy(self) -> float:
        return sum(self._busy.values())

    def look(self, pid: int, pause: float = 0.0) -> bool:
        """Look at a process and all below it, unless that was done within the `pause`; whether it was done now."""
        if time.monotonic() < self._looked + pause:
            return False
        self._looked = time.monotonic()
        children: dict[int, list[int]] = {}
        stats = {int(one.name): stat for one in Path("/proc").glob("[0-9]*") if (stat := _stat(int(one.name)))}
        for child, stat in stats.items():
            children.setdefault(int(stat[PARENT]), []).append(child)
        seen = [pid] if pid in stats else []
        for one in seen:
            seen += children.get(one, [])
            self._began[one] = stats[one][BEGAN]
            self._busy[one] = (int(stats[one][USER]) + int(stats[one][SYSTEM])) / TICKS
        self.memory = max(self.memory, sum(map(_weight, seen)))
        return True

    def left(self) -> list[int]:
        """Those that still run."""
        return [
            pid
            for pid, began in self._began.items()
            if (stat := _stat(pid)) and stat[BEGAN] == began and stat[0] != "Z"
        ]

    def see_off(self, patience: float) -> None:
        """Wait until all have gone, and kill those that have not."""
        deadline = time.monotonic() + patience
        while left := self.left():
            for pid in left if time.monotonic() > deadline else []:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)


def _weight(pid: int) -> int:
    """The bytes that a process has in memory, of shared pages its share; 0 where there is none."""
    for line in read(pid, "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return 1024 * int(line.split()[1])
    return 0


def _stat(pid: int) -> list[str]:
    """What /proc says of a process behind its name: state, parent, ...; nothing where there is none."""
    return read(pid, "stat").decode(errors="replace").rpartition(")")[2].split()


def read(pid: int, name: str) -> bytes:
    """A file of a process in /proc, empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
