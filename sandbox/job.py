"""A job: a config to train, and what for; and the run that it has become. A pure function of configs, to run anywhere."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.blas import one_thread
from sandbox.config import Config
from sandbox.nn.hooks import Hook, Measures, Snapshots
from sandbox.record import CURVE_POINTS, Picture, make_record, snapshot_epochs
from sandbox.tracking.entry import Record, key_of
from sandbox.train import train_many

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
    """A job that has ended: FINISHED, or KILLED where it was pruned; and the last value of each of its run's metrics.

    `diverged` and `best_cost` are among them also where its run leaves them out (see sandbox.record.metrics).
    """

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
    return ended_as(job, record.status, record.last())


def ended_as(job: Job, status: str, last: Mapping[str, float]) -> Ended:
    """The ended job whose run has this status, and these last values of its metrics."""
    metrics = {"diverged": 0.0, **last}
    if "final_cost" in metrics:
        metrics.setdefault("best_cost", metrics["final_cost"])
    return Ended(job, status, metrics)


def work(
    jobs: Sequence[Job],
    hooks: Sequence[Hook] = (),
    pictures: Sequence[Picture] = (),
    *,
    threads: int | None = None,
) -> Iterator[tuple[Ended, Record]]:
    """Train jobs side by side, in so many `threads`, and draw them, one after another as they ended and as MLflow is told.

    What a hook or a picture of the user's raises comes out as it is, with a note that names the run.
    """
    for shown in (True, False):
        if not (some := [job for job in jobs if job.shown == shown]):
            continue
        looks = [Snapshots(snapshot_epochs), Measures(snapshot_epochs)] if shown else []
        try:
            configs = [job.config for job in some]
            points = CURVE_POINTS if shown else FEW_POINTS
            results = train_many(configs, [*looks, *hooks], curve_points=points, workers=threads)
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
            yield ended_as(job, record.status, record.last()), record


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
