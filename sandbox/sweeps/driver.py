"""The driver: takes a sweep through training, pictures, the spool and Optuna, and does only what is missing.

Writers log the spool to MLflow meanwhile, in processes of their own. A trial counts as done once it is in the spool.
"""

import errno
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from sandbox.config import format_value
from sandbox.errors import RequestError, choose
from sandbox.lock import AlreadyLocked, lock_of, locked
from sandbox.sweeps.outcome import Outcome
from sandbox.sweeps.pruning import PRUNERS, Pruning, rung_epochs
from sandbox.sweeps.state import read_state, trials_of
from sandbox.sweeps.sweep import Sweep, Trial
from sandbox.sweeps.trials import Trials
from sandbox.sweeps.work import Done, work, work_apart
from sandbox.tracking import Store, StoreError
from sandbox.tracking.entry import Destination, Entry
from sandbox.tracking.spool import Spool
from sandbox.tracking.writers import Writers

SMALLEST_BATCH, LARGEST_BATCH = 32, 1024
FIRST_PRUNED_BATCH = 8  # pruners compare with trials that have ended
BATCH_SECONDS = 4.0  # a batch is made so large that it takes about as long
TPE_POINTS = 8  # points that are asked for before the first of them is told
STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
FULL = {errno.ENOSPC, errno.EDQUOT}
PATIENCE = 200  # points that may be proposed again, one after another, before a sampler is taken to have no more


def run_sweep(
    sweep: Sweep,
    store: Store,
    root: Path = Path("runs"),
    *,
    quiet: bool = False,
    writers: int | Writers | None = None,
    batch: int | None = None,
    pruner: str = "none",
    executor: Executor | None = None,
) -> Outcome:
    """Train and log all trials of a sweep that are not done yet.

    The first Ctrl-C, SIGTERM or SIGHUP finishes the batch in hand and lets the writers log it; the second stops at once.
    Nothing that was spooled is lost either way. When the store is away, training goes on and the spool keeps the runs.
    `executor` (of concurrent.futures) trains and renders batches elsewhere. `writers`: how many processes log, or the
    `Writers` of this store's spool, which several sweeps can share: they start once, and end when their owner says so.

    Raises RequestError where the sweep cannot be, or is under way in another process; OSError when the disk is full.

    >>> from tempfile import TemporaryDirectory
    >>> from sandbox import Config
    >>> from sandbox.sweeps import choice
    >>> sweep = Sweep("rates", Config(epochs=50), {"learning_rate": choice(0.1, 1.0)}, seeds=1)
    >>> with TemporaryDirectory() as directory:
    ...     outcome = run_sweep(sweep, Store(f"sqlite:///{directory}/mlflow.db"), Path(directory), quiet=True, writers=1)
    >>> outcome.status, outcome.done
    ('FINISHED', 2)
    """
    started = time.perf_counter()
    _ = sweep.total  # first of all: a combination that does not fit must not leave anything behind
    choose("pruner", pruner, PRUNERS)
    outcome = Outcome(sweep)
    try:
        with locked(lock_of(sweep.id, root), wait=False):
            _run(sweep, store, root, outcome, quiet, writers, batch, pruner, executor)
    except AlreadyLocked:
        raise RequestError(f"sweep {sweep.id} is under way in another process: wait for it, or end it") from None
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise OSError(
            f"no room left on the disk of {root}: make room, and the same command goes on from here"
        ) from error
    outcome.seconds = time.perf_counter() - started
    return outcome


def _run(sweep, store, root, outcome, quiet, writers, batch, pruner, executor) -> None:
    spool = Spool(store.uri, root).open()
    spool.tidy()
    trials = Trials(sweep, root, pruner, spool.directory.name)
    state = read_state(sweep, store, spool)
    for arm, cost, accuracy, pruned in state.trials.values():
        outcome.note(arm, cost, accuracy, pruned)
    outcome.before = outcome.done
    trials.repair(state.trials)
    trials.enter(trials_of(sweep, state), state)
    replay = trials.points() if sweep.sampler == "tpe" else sweep.plan
    finished = set(state.trials)
    if state.why:
        finished |= trials.keys()
    planned = len(finished | {trial.config.key for trial in replay}) if sweep.sampler != "tpe" else sweep.total
    if planned <= len(finished) and not spool.files() and not state.left_running and state.parent_status != "RUNNING":
        return
    with suppress(StoreError):
        for _, run_id in state.left_running:
            store.abandon(run_id)
    destination = destination_of(sweep)
    crew = writers if isinstance(writers, Writers) else Writers(spool, writers)
    rejected = crew.rejected
    bar = tqdm(total=planned, initial=len(finished), desc=sweep.name, unit="run", disable=quiet, dynamic_ncols=True)
    news = _News(outcome, spool, crew)
    with bar, _stopping() as stop, nullcontext() if crew is writers else closing(crew):
        try:
            crew.start()
            first = SMALLEST_BATCH if pruner == "none" else FIRST_PRUNED_BATCH
            for lot in _batches(sweep, trials, replay, finished, planned, batch, first, stop):
                for done in _train(sweep, lot, outcome.done, trials, pruner, executor):
                    spool.put(Entry(destination, done.record), perhaps_logged=bool(state.why))
                    trials.end(done.trial, done.cost, done.pruned)
                    outcome.note(done.record.tags["arm"], done.cost, done.accuracy, done.pruned)
                    bar.update()
                    bar.set_postfix_str(news(), refresh=False)
            if stop.is_set():
                outcome.status, outcome.why = "KILLED", "interrupted"
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            outcome.status, outcome.why = ("KILLED", "interrupted") if interrupted else ("FAILED", str(error))
            raise
        finally:
            with suppress(OSError):  # a full disk: the parent's end is the least of it
                figures, best = _parent_figures(outcome)
                spool.put(Entry(destination, None, outcome.status, figures, best))
        if crew.wait(lambda: bar.set_postfix_str(f"{spool.count()} to be logged; {news()}")):
            bar.set_postfix_str(news())
            if stop.is_set():  # perhaps only now, when all was trained: whoever has more to do should know
                outcome.why = "interrupted"
            if crew is not writers:
                crew.close()
                crew.join()
            if crew.rejected > rejected:
                why = f"{crew.rejected - rejected} runs could not be logged and were set aside"
                outcome.status, outcome.why = "FAILED", why
            return
        if crew is not writers:
            crew.stop()
        outcome.waiting = spool.count()
        outcome.why = crew.down or "the store is silent"
        outcome.status = "SPOOLED" if outcome.status == "FINISHED" else outcome.status


def destination_of(sweep: Sweep) -> Destination:
    """Where a sweep's runs belong: its experiment, and its parent run."""
    tags = {"sampler": sweep.sampler, "role": "sweep", "mlflow.note.content": sweep.question}
    space = {
        f"space.{name}": format_value(list(getattr(dimension, "values", [dimension])))[:500]
        for name, dimension in sweep.space.items()
    }
    base = {f"base.{name}": text for name, text in sweep.base.params().items()}
    description = f"{sweep.question}\n\n{sweep.reading}".strip()
    return Destination(sweep.name, description, sweep.id, sweep.id, tags, {**base, **space})


def _parent_figures(outcome: Outcome) -> tuple[dict[str, float], dict[str, str]]:
    arm, cost, accuracy = outcome.best
    figures = {"runs": outcome.done, "diverged_runs": outcome.diverged, "best_cost": cost, "best_accuracy": accuracy}
    return {name: float(value) for name, value in figures.items() if np.isfinite(value)}, {"best": arm}


class _News:
    """What the progress bar says beside the count; looked up anew twice a second, however fast the trials come."""

    def __init__(self, outcome: Outcome, spool: Spool, crew: Writers) -> None:
        self.outcome, self.spool, self.crew = outcome, spool, crew
        self.text, self.due = "", 0.0

    def __call__(self) -> str:
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + 0.5
            arm, cost, _ = self.outcome.best
            self.text = f"best {cost:.4g} at {arm}" if arm else ""
            if self.crew.down:
                self.text = f"STORE AWAY, {self.spool.count()} runs wait in the spool; {self.text}"
        return self.text


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that the first SIGINT, SIGTERM or SIGHUP sets; the second raises KeyboardInterrupt."""
    stop = threading.Event()

    def answer(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        with suppress(OSError):  # the terminal may be what has gone
            tqdm.write("finishing the batch in hand; again to stop at once", file=sys.stderr)

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    heard = [number for number in STOPPING if signal.getsignal(number) != signal.SIG_IGN]  # nohup
    before = {number: signal.signal(number, answer) for number in heard}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _batches(
    sweep: Sweep,
    study: Trials,
    replay: list[Trial],
    finished: set[str],
    planned: int,
    size: int | None,
    first: int,
    stop: threading.Event,
) -> Iterator[list[Trial]]:
    """What is left to do, in batches; first what the plan, or the study of a sampler that learns, has already."""
    left = [trial for trial in replay if trial.config.key not in finished]
    left = left[: max(0, planned - len(finished))]
    at_once = size or first
    while left and not stop.is_set():
        lot, left = left[:at_once], left[at_once:]
        finished |= {trial.config.key for trial in lot}
        begun = time.perf_counter()
        yield lot
        if size is None and time.perf_counter() - begun < BATCH_SECONDS / 2:
            at_once = min(2 * at_once, LARGEST_BATCH)
    repeats = 0
    while sweep.sampler == "tpe" and len(finished) < planned and repeats < PATIENCE and not stop.is_set():
        lot = []
        points = max(1, (size or TPE_POINTS * sweep.seeds) // sweep.seeds)
        for _ in range(min(points, -(-(planned - len(finished)) // sweep.seeds))):
            new = [trial for trial in study.ask(sweep.seeds) if trial.config.key not in finished]
            new = new[: planned - len(finished)]
            repeats = 0 if new else repeats + 1
            finished |= {trial.config.key for trial in new}
            lot += new
        yield lot


def _train(
    sweep: Sweep, lot: list[Trial], first_number: int, study: Trials, pruner: str, executor: Executor | None
) -> Iterator[Done]:
    """The trials of a batch as they end, trained here or on an executor."""
    if pruner != "none":
        for epochs in sorted({trial.config.epochs for trial in lot}):
            some = [trial for trial in lot if trial.config.epochs == epochs]
            asked = {trial.config.key: study.begin(trial) for trial in some}
            pruning = Pruning(asked, rung_epochs(epochs))
            yield from work(sweep, some, first_number, [pruning], pruning.pruned)
            first_number += len(some)
    elif executor is not None:
        parts = [lot[start : start + SMALLEST_BATCH] for start in range(0, len(lot), SMALLEST_BATCH)]
        numbers = range(first_number, first_number + len(lot), SMALLEST_BATCH)
        for dones in executor.map(work_apart, [sweep] * len(parts), parts, numbers):
            yield from dones
    else:
        yield from work(sweep, lot, first_number)
