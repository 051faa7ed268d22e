"""A lot: jobs as they travel to a worker, and what comes back, whose pictures and records are made where training is.

The driver gets the content of each run's file for the spool, and has only to keep it. Data of the user's own do not travel
with the jobs, but once for each worker (see sandbox.workers).
"""

import math
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from multiprocessing import parent_process
from typing import Any, NamedTuple

from sandbox.blas import one_thread
from sandbox.config import Config
from sandbox.data.datasets import adopt
from sandbox.errors import one_line
from sandbox.job import Ended, Job, work
from sandbox.nn.hooks import Hook
from sandbox.record import Picture
from sandbox.supply import Supply
from sandbox.tracking.entry import Destination, Entry, Packed, pack
from sandbox.workers import KEPT, Workers, WorkersError, about

FIRST, LARGEST = 32, 256  # jobs of a lot: of the first ones, and of any
LOT_SECONDS = 4.0  # a lot is made so large that it takes about as long
TRIES = 3  # deaths of a worker that a lot may be under way at
POLL = 1.0
SILENCE = 10.0  # seconds without a result after which it is said what is waited for
HELD = 8  # tables that a worker keeps at hand

_one_at_a_time = threading.Lock()  # of a process: its threads would wait for one another, and hooks have a state
_held: dict[str, Any] = {}


@dataclass(frozen=True)
class Duty:
    """What is alike for all jobs of a campaign: what watches and draws them, and where their runs belong.

    `tags` are those of the driver, in the place of what a worker would say of itself.
    """

    to: Destination
    tags: Mapping[str, str]
    hooks: Sequence[Hook] = ()
    pictures: Sequence[Picture] = ()
    about: str = field(default_factory=about)

    def packed(self, jobs: Sequence[Job], threads: int | None = None) -> Iterator[tuple[Ended, Packed]]:
        """Jobs trained, drawn, and as files of the spool, one after another."""
        for ended, record in work(jobs, self.hooks, self.pictures, threads=threads):
            signed = replace(record, tags={**record.tags, **self.tags})
            yield ended, pack(Entry(self.to, signed))


class Came(NamedTuple):
    """What comes back of a job: which of its lot it was, how it ended, and its file."""

    number: int
    status: str
    metrics: dict[str, float]
    packed: Packed


def apart(
    workers: Workers,
    supply: Supply,
    duty: Duty,
    *,
    size: int | None,
    stop: threading.Event,
    started: Callable[[], object],
    say: Callable[[str], object],
) -> Iterator[tuple[Ended, Packed]]:
    """The jobs of a supply trained by workers, as they end: in lots of `size`, or of some seconds, and some for all of them.

    `started` is called when the first lots are given out, and `say` told what is waited for. Once `stop` is set no more are
    given out; when one of them fails, those under way come to their end before the error comes out. A worker that dies
    costs the lots under way another try. Raises WorkersError where there are none any more.
    """
    import sandbox.plots  # noqa: F401  once here rather than in every process that is forked from this one

    again, tries, left = list[Sequence[Job]](), {}, True
    under_way: dict[Future, Sequence[Job]] = {}
    tables = workers.share(list({one.digest: one for job in supply.left if (one := job.config.data).digest}.values()))
    heard, told = time.monotonic(), False
    try:
        while under_way or ((left or again) and not stop.is_set()):
            count, broken = workers.count, False
            while (left or again) and len(under_way) < 2 * count and not (stop.is_set() or broken):
                lot = again.pop() if again else supply.take(size or _size(workers, len(supply.left), count))
                left = bool(supply.left)
                try:
                    if lot:
                        under_way[workers.submit(work_apart, _light(lot), duty, tables)] = lot
                except BrokenExecutor:  # a worker has died since; what it had comes to light below
                    again.append(lot)
                    broken = True
            if broken and not under_way:
                workers.renew()
                continue
            if not under_way:
                break
            started()
            ended, _ = wait(under_way, POLL, FIRST_COMPLETED)
            if not ended and not told and time.monotonic() - heard > SILENCE:
                say(workers.waiting(len(under_way)))
                told = True
            if any(_is_broken(future) for future in ended):
                wait(under_way, SILENCE)  # whoever breaks takes all that it had with it
                again += [under_way.pop(future) for future in [*under_way] if _is_broken(future)]
                _count(again, tries)
                workers.renew()
            for future in [future for future in ended if future in under_way]:
                try:
                    seconds, came = _result(future)
                except Exception:
                    for other in [one for one in under_way if one is not future and not one.cancel()]:
                        with suppress(Exception):
                            yield from _ended(under_way[other], _result(other)[1])
                    raise
                lot, heard = under_way.pop(future), time.monotonic()
                workers.pace = seconds / len(lot)
                yield from _ended(lot, came)
    finally:
        for future in under_way:
            future.cancel()


def _size(workers: Workers, left: int, count: int) -> int:
    """How many jobs the next lot has: some seconds' work, and to the end some for every worker."""
    fitting = int(LOT_SECONDS / workers.pace) if workers.pace else FIRST
    return max(1, min(fitting, LARGEST, math.ceil(left / (2 * count))))


def _light(lot: Sequence[Job]) -> bytes:
    """Jobs as they travel: of data of the user's own the name alone."""
    plain = []
    for job in lot:
        state = {name: value for name, value in job.config.__getstate__().items() if name != "_data"}
        plain.append((state, job.name, dict(job.tags), job.shown, job.blind))
    return pickle.dumps(plain)


def _unpacked(lot: bytes) -> list[Job]:
    jobs = []
    for state, *rest in pickle.loads(lot):
        config = Config.__new__(Config)
        config.__setstate__(state)
        jobs.append(Job(config, *rest))
    return jobs


def work_apart(lot: bytes, duty: Duty, tables: Sequence[Any]) -> tuple[float, list[Came]]:
    """The work of a lot in one go, for an executor; and how many seconds it took."""
    if duty.about != about():
        raise WorkersError(f"a worker has {about()}, and the driver {duty.about}: install the same there")
    if parent_process() is not None and threading.current_thread() is threading.main_thread():
        _outlive_the_first_signal(os.getpid())
    with _one_at_a_time, one_thread():
        begun = time.perf_counter()
        for table in tables:
            _held[table.digest] = adopt(table)
        while len(_held) > max(HELD, len(tables)):
            del _held[next(iter(_held))]
        jobs = _unpacked(lot)
        numbers = {id(job): number for number, job in enumerate(jobs)}
        came = [
            Came(numbers[id(ended.job)], ended.status, ended.metrics, packed)
            for ended, packed in duty.packed(jobs, threads=1)
        ]
        return time.perf_counter() - begun, came


def _ended(lot: Sequence[Job], came: Sequence[Came]) -> Iterator[tuple[Ended, Packed]]:
    for number, status, metrics, packed in came:
        yield Ended(lot[number], status, metrics), packed


def _result(future: Future) -> tuple[float, list[Came]]:
    """What came of a lot; what a cluster raises when it loses one is a WorkersError."""
    try:
        return future.result()
    except CancelledError:
        raise WorkersError(f"the cluster's scheduler is gone{KEPT}") from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] == "distributed":
            raise WorkersError(f"the cluster: {one_line(str(error))}{KEPT}") from error
        raise


def _is_broken(future: Future) -> bool:
    return future.done() and not future.cancelled() and isinstance(future.exception(), BrokenExecutor)


def _count(lots: Sequence[Sequence[Job]], tries: dict[int, int]) -> None:
    """Count the deaths that lots were under way at. Raises WorkersError where it was too often one lot's."""
    for lot in lots:
        tries[id(lot)] = tries.get(id(lot), 0) + 1
        if tries[id(lot)] >= TRIES:
            names = f"{lot[0].name!r}" + (f" and {len(lot) - 1} more" if len(lot) > 1 else "")
            raise WorkersError(f"a worker died {TRIES} times while it had the runs {names}: too little memory, perhaps")


@cache
def _outlive_the_first_signal(process: int) -> None:
    """A terminal's Ctrl-C or end reaches an executor's processes too: the first is for who started them to answer."""

    def answer(number: int, frame: Any) -> None:
        signal.signal(number, signal.default_int_handler)

    for number in [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, answer)
