"""A job: a config to train, and what for; and the run that it has become. A pure function of configs, to run anywhere."""

import json
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import parent_process
from typing import Any, NamedTuple

from sandbox.blas import one_thread
from sandbox.config import Config
from sandbox.nn.hooks import Hook, Measures, Snapshots
from sandbox.record import CURVE_POINTS, Picture, make_record, snapshot_epochs
from sandbox.tracking.entry import Record, key_of
from sandbox.train import train_many

LARGEST_PART = 128  # jobs that an executor is given at a time
FEW_POINTS = 25  # of the cost curve of a run that is not shown


@dataclass(frozen=True)
class Job:
    """One config to train, the name and the tags of its run.

    The run of a job that is `shown` has pictures, and curves by epoch; that of a `blind` one says nothing about the test
    part, so that nobody can select by it.
    """

    config: Config
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    shown: bool = True
    blind: bool = False

    @property
    def key(self) -> str:
        """What tells it from the other jobs of its campaign."""
        return key_of({**self.tags, "config_key": self.config.key})


class Ended(NamedTuple):
    """A job that has ended: FINISHED, or KILLED where it was pruned; and the last value of each of its run's metrics."""

    job: Job
    status: str
    metrics: dict[str, float]

    @property
    def diverged(self) -> bool:
        return bool(self.metrics.get("diverged"))

    @property
    def pruned(self) -> bool:
        return self.status == "KILLED"

    @property
    def point(self) -> dict[str, Any] | None:
        """Where in a sweep's space it is, by its tag; None for what is no point."""
        with suppress(KeyError, ValueError):
            point = json.loads(self.job.tags["point"])
            return point if isinstance(point, dict) else None


def of_record(record: Record, config: Config | None = None) -> Ended:
    """The ended job whose run this is, of this `config`, else of what its params say.

    Raises RequestError where these are none of Config's.
    """
    job = Job(config or Config.from_params(record.params), record.name, record.tags)
    return Ended(job, record.status, record.last())


def work(
    jobs: Sequence[Job], hooks: Sequence[Hook] = (), pictures: Sequence[Picture] = ()
) -> Iterator[tuple[Ended, Record]]:
    """Train jobs side by side and draw them, one after another as they ended and as MLflow is told.

    What a hook or a picture of the user's raises comes out as it is, with a note that names the run.
    """
    for shown in (True, False):
        if not (some := [job for job in jobs if job.shown == shown]):
            continue
        looks = [Snapshots(snapshot_epochs), Measures(snapshot_epochs)] if shown else []
        try:
            configs = [job.config for job in some]
            results = train_many(configs, [*looks, *hooks], curve_points=CURVE_POINTS if shown else FEW_POINTS)
        except Exception as error:
            error.add_note(f"while training the run {_culprit(some, hooks, type(error)).name!r}")
            raise
        for job, result in zip(some, results, strict=True):
            try:
                with one_thread():  # the other core is the writers'
                    drawn = {"pictures": pictures, "shown": shown, "blind": job.blind}
                    record = make_record(result, job.name, job.tags, **drawn)
            except Exception as error:
                error.add_note(f"while drawing the run {job.name!r}")
                raise
            yield Ended(job, record.status, record.last()), record


def apart(
    executor: Executor,
    jobs: Sequence[Job],
    hooks: Sequence[Hook],
    pictures: Sequence[Picture],
    *,
    size: int | None,
    stop: threading.Event,
    started: Callable[[], object],
) -> Iterator[tuple[Ended, Record]]:
    """The same on an executor, as they end: in parts of `size`, or small enough for all of its workers, two for each.

    `started` is called when it has its first parts. Once `stop` is set it gets no more; when one of them fails, those that
    are under way come to their end before the error comes out.
    """
    import sandbox.plots  # noqa: F401  once here rather than in every process that is forked from this one

    workers = getattr(executor, "_max_workers", None) or os.cpu_count() or 1
    size = size or max(1, min(LARGEST_PART, math.ceil(len(jobs) / (2 * workers))))
    left = [jobs[start : start + size] for start in range(0, len(jobs), size)]
    under_way: set[Future] = set()
    try:
        while under_way or (left and not stop.is_set()):
            while left and len(under_way) < 2 * workers and not stop.is_set():
                under_way.add(executor.submit(work_apart, left.pop(0), hooks, pictures))
            started()
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            failed = [future for future in ended if future.exception() is not None]
            for future in ended.difference(failed):
                yield from future.result()
            if failed:
                for future in [one for one in under_way if not one.cancel() and one.exception() is None]:
                    yield from future.result()
                failed[0].result()
    finally:
        for future in under_way:
            future.cancel()


def work_apart(jobs: Sequence[Job], hooks: Sequence[Hook], pictures: Sequence[Picture]) -> list[tuple[Ended, Record]]:
    """The same in one go, for an executor."""
    if parent_process() is not None and threading.current_thread() is threading.main_thread():
        _outlive_the_first_signal(os.getpid())
    return list(work(jobs, hooks, pictures))


@cache
def _outlive_the_first_signal(process: int) -> None:
    """A terminal's Ctrl-C or end reaches an executor's processes too: the first is for who started them to answer."""

    def answer(number: int, frame: Any) -> None:
        signal.signal(number, signal.default_int_handler)

    for number in [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, answer)


def _culprit(jobs: Sequence[Job], hooks: Sequence[Hook], kind: type[Exception]) -> Job:
    """The job in whose training a hook raises this kind of error, found by training ever smaller halves again."""
    while len(jobs) > 1:
        half, rest = jobs[: len(jobs) // 2], jobs[len(jobs) // 2 :]
        try:
            train_many([job.config for job in half], hooks, curve_points=FEW_POINTS)
            jobs = rest
        except kind:
            jobs = half
    return jobs[0]
