"""The driver of a comparison: tunes every cell, trains the winners again, logs every run, does only what is missing."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from sandbox.comparison.protocol import Cell, Comparison, nuisance_words
from sandbox.comparison.run import FINAL, TUNING, Run, from_result, from_row, to_record
from sandbox.comparison.selection import finalists, select
from sandbox.config import Config
from sandbox.nn.hooks import Snapshots
from sandbox.result import Result
from sandbox.sweeps.record import git_commit
from sandbox.tracking import Record, Store, StoreError
from sandbox.tracking.entry import Destination, Entry
from sandbox.tracking.writers import Writers
from sandbox.train import train_many

EXPERIMENT = "compare"
QUESTION = "Feature engineering or hidden layers? Every arm tuned with equal effort, measured on fresh seeds and data."
CURVE_POINTS = 25
BATCH_RUNS, BATCH_EXAMPLES = 400, 50_000  # of a batch that is trained before it is logged: a few seconds
SIZES_SHOWN = 4
Submit = Callable[[Record], object]


class Job(NamedTuple):
    """A config to train, and what for."""

    cell: Cell
    role: str
    trial: int
    config: Config

    @property
    def key(self) -> tuple[str, str, str]:
        """That of the run it becomes."""
        return self.cell.arm, self.role, self.config.key


@dataclass
class Outcome:
    """What a comparison came to: its runs, every cell's winner, and the results whose boundaries are shown."""

    comparison: Comparison
    experiment_id: str = ""
    parent_id: str = ""
    status: str = "FINISHED"
    before: int = 0
    seconds: float = 0.0
    runs: list[Run] = field(default_factory=list)
    winners: dict[Cell, Config] = field(default_factory=dict)
    shown: dict[Cell, Result] = field(default_factory=dict)


def run_comparison(
    comparison: Comparison,
    store: Store,
    *,
    crew: Writers | None = None,
    publish: Callable[[Outcome], None] | None = None,
    quiet: bool = False,
) -> Outcome:
    """Train and log all runs of a comparison that are not logged yet, then `publish` what it came to.

    With a `crew`, runs are kept in its spool, and its processes log them while the next are trained. Ctrl-C ends it with
    everything done so far logged: its status is then KILLED, and the same call goes on from there.

    Raises StoreError where the store does not answer; what the spool has waits for the next call.
    """
    started = time.perf_counter()
    _drain(crew, quiet)  # what an earlier process left
    outcome = Outcome(comparison, store.experiment(EXPERIMENT, QUESTION))
    parent = store.find_parent(outcome.experiment_id, comparison.id)
    logged = _logged(store, comparison.id) if parent else {}
    if parent is None:
        parent = store.start_parent(outcome.experiment_id, comparison.id, *_parent_words(comparison))
    else:
        store.reopen(parent)
        store.kill_running(parent)
    outcome.parent_id = parent
    driver = _Driver(outcome, logged, _submit(outcome, store, crew), quiet)
    if crew and len(logged) < comparison.total:
        crew.start()
    try:
        with driver.bar:
            for run in driver.train(driver.tuning()):
                outcome.runs.append(run)
            for run in driver.train(driver.further()):
                outcome.runs.append(run)
            outcome.winners = select(outcome.runs)
            for run in driver.train(driver.final()):
                outcome.runs.append(run)
        driver.complete_pictures()
        outcome.seconds = time.perf_counter() - started
        _drain(crew, quiet)
        if publish:
            publish(outcome)
    except KeyboardInterrupt:
        outcome.status = "KILLED"
        _drain(crew, quiet)
    except BaseException:
        outcome.status = "FAILED"
        with suppress(StoreError):  # the first error is the one to tell
            _finish(outcome, store)
        raise
    outcome.seconds = time.perf_counter() - started
    _finish(outcome, store)
    return outcome


def _submit(outcome: Outcome, store: Store, crew: Writers | None) -> Submit:
    """What keeps a run: the spool, or without a crew the store itself."""
    if crew is None:
        return lambda record: store.log(record, outcome.experiment_id, outcome.parent_id)
    tags, params = _parent_words(outcome.comparison)
    name = outcome.comparison.id
    destination = Destination(EXPERIMENT, QUESTION, name, name, tags, params)
    return lambda record: crew.spool.put(Entry(destination, record))


def _drain(crew: Writers | None, quiet: bool) -> None:
    """Wait until the crew has logged what its spool holds. Raises StoreError where it cannot, or sets a run aside."""
    if crew is None or not (waiting := crew.spool.count()):
        return
    rejected, spool = crew.rejected, crew.spool
    with tqdm(total=waiting, desc="logging", unit="run", disable=quiet, dynamic_ncols=True) as bar:
        done = crew.start().wait(lambda: bar.update(waiting - spool.count() - bar.n))
        bar.update(waiting - spool.count() - bar.n)
    if not done:
        why = crew.down or "the store is silent"
        raise StoreError(f"{why}: {spool.count()} runs wait in the spool. The same command goes on from here")
    if crew.rejected > rejected:
        raise StoreError(
            f"{crew.rejected - rejected} runs could not be logged and were set aside: sandbox doctor names them"
        )


def _finish(outcome: Outcome, store: Store) -> None:
    diverged = sum(run.diverged for run in outcome.runs)
    figures = {"runs": float(len(outcome.runs)), "diverged_runs": float(diverged)}
    store.finish_parent(outcome.parent_id, outcome.status, figures)


class _Driver:
    """What training a comparison needs to know at every step."""

    def __init__(self, outcome: Outcome, logged: dict, submit: Submit, quiet: bool) -> None:
        self.outcome, self.comparison, self.logged, self.submit = outcome, outcome.comparison, logged, submit
        self.bar = tqdm(total=self.comparison.total, desc="tuning", unit="run", disable=quiet, dynamic_ncols=True)
        self.shown = set(shown_cells(self.comparison))

    def tuning(self) -> Iterator[Job]:
        for cell in self.comparison.cells:
            for trial, config in enumerate(self.comparison.tuning(cell)):
                yield Job(cell, TUNING, trial, config)

    def further(self) -> Iterator[Job]:
        for run in finalists(self.outcome.runs, self.comparison.finalists):
            for config in self.comparison.further(run.config):
                yield Job(run.cell, TUNING, run.trial, config)

    def final(self) -> Iterator[Job]:
        self.bar.set_description_str("final")
        for cell, winner in self.outcome.winners.items():
            yield from (Job(cell, FINAL, -1, config) for config in self.comparison.final(winner))

    def train(self, jobs: Iterable[Job]) -> Iterator[Run]:
        """The runs of these jobs: those that are logged as they were, the others trained and submitted."""
        left = []
        for job in jobs:
            if job.key in self.logged:
                self.outcome.before += 1
                self.bar.update()
                yield from_row(self.logged[job.key], *job)
            else:
                left.append(job)
        for batch in _batches(left):
            results = self._results(batch)
            for job, result in zip(batch, results, strict=True):
                run = from_result(result, job.cell, job.role, job.trial)
                self.submit(to_record(run, result, self.comparison.id))
                self.bar.update()
                yield run

    def _results(self, batch: list[Job]) -> list[Result]:
        """Pictures are costly, so that only the networks to be shown keep their snapshots."""
        shown = [job for job in batch if self._is_shown(job)]
        plain = [job for job in batch if not self._is_shown(job)]
        found = dict(
            zip(map(id, plain), train_many([job.config for job in plain], curve_points=CURVE_POINTS), strict=True)
        )
        found |= dict(zip(map(id, shown), self._with_snapshots(shown), strict=True))
        return [found[id(job)] for job in batch]

    def _is_shown(self, job: Job) -> bool:
        return job.role == FINAL and job.config.seed == self.comparison.first_seed and job.cell in self.shown

    def _with_snapshots(self, jobs: list[Job]) -> list[Result]:
        hooks = [Snapshots(shown_epochs(self.comparison.epochs))]
        results = train_many([job.config for job in jobs], hooks, curve_points=CURVE_POINTS)
        self.outcome.shown |= {job.cell: result for job, result in zip(jobs, results, strict=True)}
        return results

    def complete_pictures(self) -> None:
        """Train again the networks to be shown that were logged before: MLflow has their pictures, not their weights."""
        jobs = [Job(cell, FINAL, -1, self.comparison.final(self.outcome.winners[cell])[0]) for cell in self.shown]
        missing = [job for job in jobs if job.cell not in self.outcome.shown]
        if missing:
            self._with_snapshots(missing)


def shown_cells(comparison: Comparison) -> list[Cell]:
    """The cells whose boundaries are shown: all arms, at most four sizes of each data set, from the least to the most."""
    cells = []
    for cell in comparison.cells:
        sizes = comparison.sizes_of(cell.dataset)
        places = np.linspace(0, len(sizes) - 1, min(SIZES_SHOWN, len(sizes))).round().astype(int)
        if cell.n in {sizes[place] for place in places}:
            cells.append(cell)
    return cells


def shown_epochs(epochs: int) -> tuple[int, ...]:
    """The epochs at which boundaries are shown: the first, some evenly spread on a log scale, the last."""
    return tuple(np.unique([0, *np.geomspace(max(1, epochs / 200), epochs, 5).round().astype(int)]).tolist())


def _batches(jobs: list[Job]) -> Iterator[list[Job]]:
    """Jobs of the same shape together, in batches of a few seconds."""
    batch: list[Job] = []
    for job in sorted(jobs, key=lambda job: (job.cell.n, job.config.hidden, job.config.crosses)):
        if batch and (len(batch) >= BATCH_RUNS or sum(job.cell.n for job in batch) >= BATCH_EXAMPLES):
            yield batch
            batch = []
        batch.append(job)
    if batch:
        yield batch


def _logged(store: Store, comparison_id: str) -> dict[tuple[str, str, str], dict]:
    """The comparison's FINISHED runs by their key."""
    where = f"tags.comparison = '{comparison_id}' AND attributes.status = 'FINISHED' AND tags.config_key IS NOT NULL"
    rows = store.runs_frame([EXPERIMENT], where).to_dict("records")
    return {(row["tags.arm"], row["tags.role"], row["tags.config_key"]): row for row in reversed(rows)}


def _parent_words(comparison: Comparison) -> tuple[dict[str, str], dict[str, str]]:
    tags = {"sweep": comparison.id, "role": "comparison", "mlflow.note.content": QUESTION, **git_commit()}
    params = {
        "datasets": ",".join(comparison.datasets),
        "sizes": ",".join(map(str, comparison.sizes)),
        "nuisances": "; ".join(nuisance_words(comparison.space)),
        **{
            name: str(getattr(comparison, name))
            for name in ("seeds", "trials", "finalists", "draws", "epochs", "first_seed")
        },
        **{f"arm.{number}": arm.describe() for number, arm in enumerate(comparison.arms)},
    }
    return tags, params
