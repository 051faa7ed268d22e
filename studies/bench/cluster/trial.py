"""One way tried once on an empty store: timed and counted, or struck on the way and run again."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sandbox.tracking.address import sqlite_uri
from studies.bench.cluster.counting import Count, count
from studies.bench.cluster.process import Blow, Ended, run
from studies.bench.cluster.ways import WAYS
from studies.bench.cluster.work import Work

START = 180.0  # seconds until a server must be up


def timed(letter: str, size: int, cap: float, server: bool) -> dict[str, Any]:
    """A way from its start to its end, as a row. What was cut short has an estimate: as long for each run as for those
    that were done."""
    with fresh(size, server) as work:
        ended = run(letter, work, cap=cap)
        counted = _count(work)
    rest = ended.seconds - ended.startup
    estimate = ended.startup + rest * size / counted.finished if ended.how == "cut" and counted.finished else None
    return {
        "runs": size,
        "way": f"{letter}: {WAYS[letter].name}",
        "ended": ended.how,
        "seconds": ended.seconds,
        "start-up": ended.startup,
        "rest": rest,
        "all there": ended.logged,
        "busy": ended.busy,
        "estimate": estimate,
        "MiB": ended.memory >> 20,
        **counted._asdict(),
        "others": ended.others,
        "words": _last(ended),
    }


def struck(letter: str, size: int, whom: str, cap: float, server: bool) -> dict[str, Any]:
    """A way of which somebody is killed once a third is done; what is there then, and when it was run again, as a row."""
    row: dict[str, Any] = {"runs": size, "way": f"{letter}: {WAYS[letter].name}", "killed": whom}
    with fresh(size, server) as work:
        first = run(letter, work, cap=cap, blow=Blow(whom, max(1, size // 3)))
        row |= {"struck": first.struck or "nobody", "ended": first.how, "others": first.others, "words": _last(first)}
        row |= {"seconds": first.seconds, **_short(_count(work))}
        if not row["lost"] and first.how == "done":
            return row
        second = run(letter, work, cap=cap, again=True)
        row |= {"again": WAYS[letter].again, "ended then": second.how}
        row |= {"seconds then": second.seconds, "start-up then": second.startup}
        return row | {f"{name} then": value for name, value in _short(_count(work)).items()}


def _short(counted: Count) -> dict[str, int]:
    return {name: getattr(counted, name) for name in ("finished", "lost", "doubled", "torn", "left")}


def _count(work: Work) -> Count:
    return count(work.uri, {job.config.key for job in work.jobs})


def _last(ended: Ended) -> list[str]:
    """The last that a way said which did not come to a good end."""
    return [] if ended.how == "done" else ended.words.strip().splitlines()[-20:]


@contextmanager
def fresh(size: int, server: bool = False) -> Iterator[Work]:
    """Work of this size with a store that is made and empty: an SQLite file, or a tracking server before one."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        root = Path(directory)
        work = Work(size, sqlite_uri(root / "mlflow.db"), root)
        if not server:
            work.prepare()
            yield work
            return
        with _served(work) as address:
            work = Work(size, address, root)
            work.prepare()
            yield work


@contextmanager
def _served(work: Work) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = ["--backend-store-uri", work.uri, "--artifacts-destination", str(work.root / "artifacts")]
    words = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        *places,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    address = f"http://127.0.0.1:{port}"
    silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, cwd=work.root, start_new_session=True, **silent)
    try:
        deadline = time.monotonic() + START
        while not _answers(address):
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"no MLflow server came up at {address}")
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5):
        return True
    return False
