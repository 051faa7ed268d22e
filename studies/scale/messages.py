"""Dask's own share: a scheduler and a worker in processes of their own, and what a task costs each of the three.

Dask is no part of this project's extras: where it is not installed, nothing is measured.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from studies.scale.processor import family, meter

SIZES = (0, 100_000, 1_000_000, 4_000_000)  # bytes of a task's result, as hard to compress as pictures


def is_installed() -> bool:
    """Whether there is a Dask to measure."""
    return find_spec("distributed") is not None


def messages(tasks: int) -> list[dict[str, float]]:
    """Processor seconds of client, scheduler and worker for a task, by the bytes of its result, and on the clock."""
    found = []
    with _cluster() as (client, scheduler, worker):
        executor = client.get_executor(pure=False)
        list(executor.map(os.urandom, [0] * 20))  # everybody has met
        for size in SIZES:
            number = tasks if size < 1_000_000 else max(10, tasks // 20)
            spent, before = meter(), (family(scheduler), family(worker))
            for future in [executor.submit(os.urandom, size) for _ in range(number)]:
                assert len(future.result()) == size
            told, after = spent(), (family(scheduler), family(worker))
            each = {"wall": told.wall, "client": told.own}
            each |= {"scheduler": after[0] - before[0], "worker": after[1] - before[1]}
            found.append({"bytes": size, "tasks": number, **{name: value / number for name, value in each.items()}})
    return found


@contextmanager
def _cluster() -> Iterator[tuple[Any, int, int]]:
    """A client, and the numbers of the scheduler's and the worker's process."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="sandbox-dask-")))
        note = f"--scheduler-file={directory}/scheduler.json"
        parts = {
            "scheduler": ["--host=127.0.0.1", "--port=0", "--no-dashboard"],
            "worker": ["--nthreads=1", "--no-nanny", "--no-dashboard", f"--local-directory={directory}"],
        }
        started = []
        for name, words in parts.items():
            command = [sys.executable, "-m", f"distributed.cli.dask_{name}", note, *words]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            started.append(process)
        client = import_module("distributed").Client(scheduler_file=f"{directory}/scheduler.json", timeout=60)
        stack.callback(client.close)
        client.wait_for_workers(1, timeout=60)
        yield client, started[0].pid, started[1].pid
