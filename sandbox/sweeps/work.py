"""The work on trials: configs in, records out. A pure function of configs, so that it can run anywhere."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import groupby

from sandbox.nn.hooks import Hook, Snapshots
from sandbox.result import Result
from sandbox.sweeps.record import CURVE_POINTS, describe, make_record, snapshot_epochs, trial_tags
from sandbox.sweeps.sweep import Sweep, Trial
from sandbox.tracking import Record
from sandbox.train import train_many


@dataclass(frozen=True)
class Done:
    """One trial that has ended: its final cost (None: it diverged), its accuracy, and what MLflow is told."""

    trial: Trial
    cost: float | None
    accuracy: float | None
    pruned: bool
    record: Record


def work(
    sweep: Sweep,
    trials: Sequence[Trial],
    first_number: int,
    hooks: Sequence[Hook] = (),
    pruned: Set[str] = frozenset(),
) -> Iterator[Done]:
    """Train trials side by side and render them, one after another as `Done`s; `pruned` fills while it trains."""
    ordered = sorted(enumerate(trials, first_number), key=lambda one: one[1].config.epochs)
    for epochs, group in groupby(ordered, key=lambda one: one[1].config.epochs):
        numbered = list(group)
        watching = [Snapshots(snapshot_epochs(epochs)), *hooks]
        results = train_many([trial.config for _, trial in numbered], watching, curve_points=CURVE_POINTS)
        for (number, trial), result in zip(numbered, results, strict=True):
            yield finish(sweep, trial, number, result, trial.config.key in pruned)


def finish(sweep: Sweep, trial: Trial, number: int, result: Result, pruned: bool = False) -> Done:
    """Everything about a trial that has been trained."""
    name = f"{describe(trial)}, seed {trial.config.seed}"
    tags = trial_tags(sweep, trial, number) | ({"pruned": "1"} if pruned else {})
    record = make_record(result, name, tags, "KILLED" if pruned else "FINISHED")
    accuracy = result.train_accuracy if result.test_accuracy is None else result.test_accuracy
    return Done(trial, None if result.diverged_at is not None else result.cost, accuracy, pruned, record)


def work_apart(sweep: Sweep, trials: Sequence[Trial], first_number: int) -> list[Done]:
    """The same in one go, for an executor."""
    return list(work(sweep, trials, first_number))
