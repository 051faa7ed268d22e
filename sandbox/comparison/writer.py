"""A process that writes runs to MLflow while this one trains the next: writing takes as long as training small networks."""

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from types import TracebackType

from sandbox.tracking import Record, Store

AT_ONCE = 16  # records sent in one go


class Writer:
    """Use as a context: `submit` takes what `Store.log` takes and returns at once; the end waits until all is written.

    Ctrl-C does not reach the process: what was submitted is written. Raises StoreError where the store refuses.
    """

    def __init__(self, store: Store) -> None:
        self.address = store.uri
        self.root = str(store.artifacts.parent) if store.artifacts else "runs"
        self.waiting: list[tuple[Record, str, str | None]] = []
        self.sent: list[Future[None]] = []

    def __enter__(self) -> "Writer":
        self.pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        with _deaf():  # the process starts with the first job, and inherits this
            self.sent.append(self.pool.submit(_write, self.address, self.root, []))
        return self

    def submit(self, record: Record, experiment_id: str, parent_id: str | None = None) -> None:
        """Have a run written soon."""
        self.waiting.append((record, experiment_id, parent_id))
        if len(self.waiting) >= AT_ONCE:
            self._send()

    def flush(self) -> None:
        """Wait until everything submitted is written."""
        self._send()
        sent, self.sent = self.sent, []
        for job in sent:
            job.result()

    def _send(self) -> None:
        for job in [job for job in self.sent if job.done()]:
            self.sent.remove(job)
            job.result()
        if self.waiting:
            self.sent.append(self.pool.submit(_write, self.address, self.root, self.waiting))
            self.waiting = []

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.flush()
        finally:
            self.pool.shutdown()


def _write(uri: str, root: str, records: list[tuple[Record, str, str | None]]) -> None:
    store = _connected(uri, root)
    for record, experiment_id, parent_id in records:
        store.log(record, experiment_id, parent_id)


@lru_cache(maxsize=1)
def _connected(uri: str, root: str) -> Store:
    """This process's store, connected once."""
    store = Store(uri, root)
    store.check()
    return store


@contextmanager
def _deaf() -> Iterator[None]:
    """Block Ctrl-C for the processes that are started meanwhile (where the system can)."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
