"""A way under way, in a process of its own: how long, how much memory, and who is killed when."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from studies.bench.cluster.tree import Tree, read
from studies.bench.cluster.ways import PACKAGE, WAYS
from studies.bench.cluster.work import Work
from studies.scale import processor

ROOT = Path(__file__).parents[3]
LOOK = 0.1  # seconds between two looks whether it has ended
WEIGH = 1.0  # and between two at all of its processes
PATIENCE = 60.0  # for what a driver leaves behind


@dataclass(frozen=True)
class Blow:
    """`kill -9` of the "driver" or of one "worker", once so many runs have FINISHED."""

    whom: str
    after: int


@dataclass
class Ended:
    """How a way ended: "done", "failed", "cut" (it took too long) or "killed".

    Seconds until it could begin, until all runs were FINISHED in MLflow (None: they never were) and until its end; those
    that processors were busy with it, and how many with what else the machine does; bytes at the most; and who was hit.
    """

    how: str
    seconds: float
    startup: float
    logged: float | None
    busy: float
    others: float
    memory: int
    struck: str = ""
    words: str = ""


def run(letter: str, work: Work, *, cap: float = 900.0, again: bool = False, blow: Blow | None = None) -> Ended:
    """Go a way to its end, for at most `cap` seconds; afterwards no process of it is left.

    Memory is what the driver and all processes below it have between them, shared pages counted once.
    """
    work.ready.unlink(missing_ok=True)
    before = processor.busy()
    words = [sys.executable, "-m", f"{PACKAGE}.ways", letter, str(work.count), work.uri, str(work.root)]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}
    begun, how, victim, startup, logged = time.time(), "", "", 0.0, None
    tree = Tree()
    with TemporaryFile() as said:
        options = {"cwd": work.root, "env": environment, "start_new_session": True}
        process = subprocess.Popen([*words, *(["again"] if again else [])], stdout=said, stderr=said, **options)
        try:
            while process.poll() is None:
                time.sleep(LOOK)
                now = time.time()
                if not startup and work.ready.exists():
                    startup = work.ready.stat().st_mtime - begun
                if tree.look(process.pid, WEIGH) and logged is None and finished(work) >= work.count:
                    logged = now - begun
                if now - begun > cap:
                    how = "cut"
                    process.kill()
                if blow and finished(work) >= blow.after and (victim := _strike(blow, letter, process.pid, tree)):
                    how, blow = ("killed" if blow.whom == "driver" else ""), None
        finally:
            process.kill()
            process.wait()
            seconds = time.time() - begun
            others = max(0.0, processor.busy() - before - tree.busy) / seconds
            tree.see_off(0.0 if how == "cut" else PATIENCE)
        said.seek(0)
        text = said.read().decode(errors="replace")
    if logged is None and finished(work) >= work.count:
        logged = seconds
    how = how or ("failed" if process.returncode else "done")
    return Ended(how, seconds, startup, logged, tree.busy, others, tree.memory, victim, text[-4000:])


def finished(work: Work) -> int:
    """How many runs have FINISHED so far."""
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(work.database, timeout=1.0)) as connection:
        return connection.execute("SELECT count(*) FROM runs WHERE status = 'FINISHED'").fetchone()[0]
    return 0


def _strike(blow: Blow, letter: str, driver: int, tree: Tree) -> str:
    """Kill whom it is meant for; what that was called, "" where there is nobody of the kind at work."""
    tree.look(driver)
    for pid in [driver] if blow.whom == "driver" else tree.left():
        words = read(pid, "cmdline")
        if blow.whom == "driver" or WAYS[letter].worker.encode() in words:
            os.kill(pid, signal.SIGKILL)
            return words.replace(b"\0", b" ").decode(errors="replace").strip()
    return ""
