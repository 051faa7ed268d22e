"""Where jobs are trained apart from the driver: processes of this machine, a Dask cluster, or any executor.

`--workers 8` are eight processes here, `--workers tcp://HOST:8786` is the scheduler of a Dask cluster
(https://distributed.dask.org). All of them are executors of concurrent.futures; what they do not have in common is here:
how many work, how a table of the user's own reaches them once, and what is to be done when one dies.
"""

import asyncio
import hashlib
import logging
import multiprocessing
import os
import platform
import re
from collections.abc import Collection, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.errors import RequestError, one_line

PACKAGE = "training-sandbox"
MOST = 256  # processes of one machine
KEPT = ": what has ended is kept, and the same command goes on from there"
PATIENCE = 10.0  # seconds in which a scheduler answers
ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx|inproc)://\S+")
ABOUT = "__import__('sandbox.workers', fromlist=['about']).about()"  # to be evaluated where there may be no sandbox


class WorkersError(OSError):
    """The workers cannot be reached, or are gone. Its message is one line."""


class Workers:
    """An executor, and what is to be known of it: the `pace` is how many seconds a job took of late, 0 before the first."""

    pace = 0.0

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    @property
    def count(self) -> int:
        """How many jobs can be under way at a time."""
        return getattr(self.executor, "_max_workers", None) or os.cpu_count() or 1

    def share(self, tables: Collection[Any]) -> list[Any]:
        """Data sets of the user's own, as they are to be given along with every part of the work."""
        return list(tables)

    def submit(self, *words: Any) -> Future:
        """Have a function called with these arguments. Raises BrokenExecutor where a worker has died meanwhile."""
        return self.executor.submit(*words)

    def renew(self) -> None:
        """Get workers again after one has died and the executor with it. Raises WorkersError where there is no way."""
        raise WorkersError(f"a worker died, and its executor with it{KEPT}")

    def waiting(self, lots: int) -> str:
        """What so many lots that are under way wait for, as a line to print; "" where that is nothing unusual."""
        return ""

    def close(self) -> None:
        """Let go of what was opened for it."""


class Processes(Workers):
    """So many processes of this machine, each forked from one that has no threads."""

    def __init__(self, count: int) -> None:
        self._count = count
        super().__init__(self._open())

    def _open(self) -> ProcessPoolExecutor:
        methods = multiprocessing.get_all_start_methods()
        context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        if "forkserver" in methods:
            context.set_forkserver_preload([f"{__package__}.{room}" for room in ("job", "plots")])  # what workers do
        return ProcessPoolExecutor(self._count, mp_context=context)

    def renew(self) -> None:
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self._open()

    def close(self) -> None:
        self.executor.shutdown(cancel_futures=True)


class Cluster(Workers):
    """A Dask cluster, by its client. A table is kept by the scheduler, and fetched by each worker that has it not.

    A worker that dies costs what it had in hand a second try, which is Dask's own doing.
    """

    def __init__(self, client: Any, executor: Executor | None = None, *, own: bool = False) -> None:
        self.client, self._own = client, own
        self._tables: dict[str, Any] = {}
        super().__init__(executor or client.get_executor(pure=False, retries=1))
        self._check()

    @property
    def count(self) -> int:
        with _talking(self.client):
            return max(1, len(self._workers()))

    def share(self, tables: Collection[Any]) -> list[Any]:
        with _talking(self.client):
            for table in tables:
                if table.digest not in self._tables:
                    self._tables[table.digest] = self.client.submit(_itself, table, key=f"data-{table.digest}")
            return [self._tables[table.digest] for table in tables]

    def waiting(self, lots: int) -> str:
        where = self.client.scheduler.address
        with _talking(self.client):
            workers = self._workers()
            others = sum(len(keys) for keys in self.client.processing().values()) - lots
        if not workers:
            return f"no worker is at {where} now: the work waits for one"
        return f"the {len(workers)} workers at {where} have {others} tasks of others" if others > 0 else ""

    def close(self) -> None:
        self._tables.clear()
        if self._own:
            with suppress(Exception):  # a scheduler that is gone says goodbye to nobody
                self.client.close(timeout=2)

    def _workers(self) -> dict[str, Any]:
        return self.client.scheduler_info(n_workers=-1)["workers"]

    def _check(self) -> None:
        """Raises WorkersError where nobody works there, or with other code than is here."""
        where = self.client.scheduler.address
        with _talking(self.client):
            if not self._workers():
                with suppress(Exception):
                    self.client.wait_for_workers(1, timeout=PATIENCE)
            if not self._workers():
                raise WorkersError(f"no worker is at {where}: dask worker {where} --nthreads 1, on each machine")
            told = self.client.run(eval, ABOUT, on_error="return")
        for worker, what in sorted(told.items()):
            if what != about():
                raise WorkersError(f"worker {worker} has {_said(what)}, and here is {about()}: install the same there")


@contextmanager
def opened(text: str | None) -> Iterator[Workers | None]:
    """The workers that `--workers TEXT` names: a number, or the address of a Dask scheduler; None for none.

    Raises RequestError for what is neither; WorkersError for a scheduler that is not there, or that nobody works for.
    """
    workers = None if text is None else _of(text)
    try:
        yield workers
    finally:
        if workers is not None:
            workers.close()


def check(text: str | None) -> None:
    """Raises RequestError for what cannot be workers, before anything is opened."""
    if text is None or ADDRESS.fullmatch(text):
        return
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST):
        raise RequestError(
            f"workers is {one_line(text)}: a number of processes from 1 to {MOST}, or a Dask scheduler's address such as "
            "tcp://HOST:8786, is needed"
        )


def of_executor(executor: Executor | Workers) -> Workers:
    """The workers behind an executor of any kind; Dask's has more to it."""
    if isinstance(executor, Workers):
        return executor
    client = getattr(executor, "_client", None)
    return Cluster(client, executor) if hasattr(client, "scheduler_info") else Workers(executor)


def _of(text: str) -> Workers:
    check(text)
    if not ADDRESS.fullmatch(text):
        return Processes(int(text))
    try:
        from distributed import Client  # pyright: ignore[reportMissingImports]  an extra
    except ImportError:
        what = f'pip install "{PACKAGE}[cluster]"'
        raise RequestError(f"workers is {one_line(text)}, and Dask is not installed: {what}") from None
    for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what goes wrong is said here, in a line
    try:
        asyncio.run(asyncio.wait_for(_greet(text), PATIENCE))  # a client would wait for ever for one that never answers
        client = Client(text, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # TimeoutError is an OSError
        raise WorkersError(
            f"no Dask scheduler answers at {text} ({_brief(error)}): dask scheduler starts one"
        ) from None
    try:
        return Cluster(client, own=True)
    except BaseException:
        client.close(timeout=2)
        raise


async def _greet(address: str) -> None:
    """Whether Dask answers there. Raises OSError."""
    from distributed.comm.core import connect  # pyright: ignore[reportMissingImports]  an extra

    (await connect(address, timeout=PATIENCE)).abort()


@cache
def about() -> str:
    """Which code this is, with a digest of it, and NumPy's version: what decides the bits of a run."""
    digest, root = hashlib.sha256(), Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    try:
        number = version(PACKAGE)
    except PackageNotFoundError:  # a clone that is on the path, and not installed
        number = "of no version"
    python = ".".join(platform.python_version_tuple()[:2])
    return f"{PACKAGE} {number} ({digest.hexdigest()[:8]}), NumPy {np.__version__}, Python {python}"


def _said(what: Any) -> str:
    if isinstance(what, ImportError | AttributeError):
        return f"no {PACKAGE} of this kind ({_brief(what)})"
    return _brief(what) if isinstance(what, BaseException) else one_line(str(what)).strip("'")


def _brief(error: BaseException) -> str:
    return " ".join(f"{error}".split())[:150] or type(error).__name__


def _itself(table: Any) -> Any:
    return table


@contextmanager
def _talking(client: Any) -> Iterator[None]:
    """Turns what a scheduler's end leads to into a WorkersError."""
    try:
        yield
    except WorkersError:
        raise
    except Exception as error:  # of distributed, tornado and asyncio
        where = getattr(client.scheduler, "address", "its address") if client.scheduler else "its address"
        raise WorkersError(f"the Dask scheduler at {where} is gone ({_brief(error)}){KEPT}") from error
