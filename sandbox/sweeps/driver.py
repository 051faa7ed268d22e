"""Running a sweep: what its study wants goes through a campaign, and how it ended goes back."""

from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from sandbox.answers.pages import write_files
from sandbox.campaign import SMALLEST_BATCH, Campaign
from sandbox.errors import RequestError, choose
from sandbox.sweeps.afterwards import settle
from sandbox.sweeps.journal import released
from sandbox.sweeps.outcome import Outcome
from sandbox.sweeps.pruning import AT_THE_END, FIRST_BATCH, PRUNERS, Pruning
from sandbox.sweeps.study import Study, about
from sandbox.sweeps.sweep import Sweep
from sandbox.tracking import Store
from sandbox.tracking.writers import Writers
from sandbox.workers import Workers


def run_sweep(
    sweep: Sweep,
    store: Store,
    root: Path = Path("runs"),
    *,
    executor: Executor | Workers | None = None,
    shared: str = "",
    pruner: str = "none",
    quiet: bool = False,
    writers: int | Writers | None = None,
    batch: int | None = None,
) -> Outcome:
    """Train and log all trials of a sweep that are not done yet, with its hooks and pictures.

    Then the best run of every arm becomes an MLflow model: see sandbox/sweeps/winners.py.

    What signals, an absent store, `executor`, `shared`, `writers` and `batch` mean is said at `Campaign`; with `shared`
    Optuna's study is in that database, too. A `pruner` (none, median,
    halving, hyperband) gives up runs on the way, by the sweep's objective; it watches them in this process.

    Raises RequestError where the sweep cannot be, or is under way in another process; OSError when the disk is full. What
    a hook or a picture raises comes out as it is.

    >>> from tempfile import TemporaryDirectory
    >>> from sandbox import Config
    >>> from sandbox.sweeps import choice
    >>> sweep = Sweep("rates", Config(epochs=50), {"learning_rate": choice(0.1, 1.0)}, seeds=1)
    >>> with TemporaryDirectory() as directory:
    ...     outcome = run_sweep(sweep, Store(f"sqlite:///{directory}/mlflow.db"), Path(directory), quiet=True, writers=1)
    >>> outcome.status, outcome.done
    ('FINISHED', 2)
    """
    choose("pruner", pruner, PRUNERS)
    if pruner != "none" and executor is not None:
        raise RequestError(f"pruner {pruner!r} watches runs in this process: leave out the pruner, or the workers")
    if pruner != "none" and sweep.goal.metric in AT_THE_END:
        raise RequestError(f"no pruner can watch {sweep.goal.metric!r}: nobody knows it before the end of a run")
    if store.owner:
        sweep = sweep.replace(owner=store.owner)
    plan = {trial.config.key: trial.config for trial in sweep.plan} if sweep.sampler != "tpe" else {}
    first = SMALLEST_BATCH if pruner == "none" else FIRST_BATCH
    options: dict[str, Any] = {"quiet": quiet, "writers": writers, "executor": executor, "batch": batch, "first": first}
    options |= {"plan": plan, "study": about(sweep), "shared": shared}
    outcome = Outcome(sweep)
    campaign = Campaign(sweep.destination, store, root, outcome, total=sweep.total, **options)
    with campaign.open(), released(shared):
        with campaign.sharing.alone("study"):
            how: dict[str, Any] = {"pruner": pruner, "trusting": bool(campaign.away), "claims": campaign.claims}
            study = Study(sweep, root, campaign.done, **how)
        campaign.say(study.lost)
        for ended in campaign.done.values():
            outcome.note(ended)
        campaign.news = lambda: (
            "best {1:.4g} {2} at {0}".format(*outcome.best, sweep.goal.metric) if outcome.arms else ""
        )
        campaign.answer = outcome.told
        hooks = [*sweep.hooks, *([Pruning(study.begin, sweep.goal)] if pruner != "none" else [])]
        for ended in campaign.run(study.jobs(), hooks, sweep.pictures):
            if ended.job.key in campaign.trained:
                study.tell(ended, again=ended.job.key in campaign.heirs)
            outcome.note(ended)
        if outcome.unranked:
            what = f"no run has recorded {sweep.goal.metric!r}: nothing can be ranked by it"
            outcome.status, outcome.why = "FAILED", what
    if outcome.answers:
        outcome.directory = root / "sweeps" / sweep.id
        write_files(outcome.directory, outcome.files)
    if outcome.status == "SPOOLED" or (outcome.status == "FINISHED" and not outcome.why):
        with campaign.sharing.alone("models"):
            settle(outcome, store, root)
        campaign.say(outcome.left and f"note: {outcome.left}")
    return outcome
