"""Optuna's side of a sweep: one study, in a journal file of its own store."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState, create_trial

from sandbox.lock import locked
from sandbox.sweeps.space import Choice, Dimension
from sandbox.sweeps.sweep import Sweep, Trial

JOURNAL = "optuna.journal"
WORST = 1e9  # what a diverged trial is worth to Optuna: finite, and worse than any cost that counts as sound
KEY = "config_key"


class _Lock(JournalFileOpenLock):
    """The journal's lock, which the system takes back from a process that dies (Optuna's own waits 30 seconds)."""

    def __init__(self, path: Path) -> None:
        self.path, self.held = path, ExitStack()

    def acquire(self) -> bool:
        self.held.enter_context(locked(self.path))
        return True

    def release(self) -> None:
        self.held.close()


def distribution(dimension: Dimension) -> BaseDistribution:
    """Optuna's word for a dimension."""
    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.grid())
    if dimension.integer:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def open_storage(root: Path) -> JournalStorage:
    """The store under `root`. A last line that a dying process left half-written is cut off first."""
    root.mkdir(parents=True, exist_ok=True)
    path, lock = root / JOURNAL, _Lock(root / f"{JOURNAL}.lock")
    with locked(lock.path):
        _cut_torn_line(path)
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def _cut_torn_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        tail = b""
        while size and b"\n" not in tail:
            start = max(0, size - 65536)
            file.seek(start)
            tail = file.read(size - start)
            if tail.endswith(b"\n") or b"\n" in tail:
                break
            size = start
        keep = size - len(tail) + tail.rfind(b"\n") + 1 if tail else 0
        file.truncate(keep)


class Trials:
    """A sweep's study: the trials that it has, and those that are added to it."""

    def __init__(self, sweep: Sweep, root: Path) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.sweep = sweep
        self.distributions = {name: distribution(dimension) for name, dimension in sweep.space.items()}
        self.distributions["seed"] = IntDistribution(0, 2**31 - 1)
        sampler = optuna.samplers.TPESampler(seed=sweep.sampler_seed, constant_liar=True)
        self.study = optuna.create_study(
            storage=open_storage(root), study_name=sweep.id, sampler=sampler, load_if_exists=True
        )
        if not self.study.user_attrs:
            for name, text in {"name": sweep.name, "question": sweep.question, "sampler": sweep.sampler}.items():
                self.study.set_user_attr(name, text)

    def keys(self) -> set[str]:
        """The config keys of the trials that are done."""
        return {trial.user_attrs[KEY] for trial in self.done()}

    def done(self) -> Iterator[FrozenTrial]:
        """Trials that have ended: complete or pruned."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)):
            if KEY in trial.user_attrs:
                yield trial

    def ask(self, seeds: int) -> tuple[int, list[Trial]]:
        """A new point of the study's sampler: the number of Optuna's trial, and the point's trials, one for each seed."""
        asked = self.study.ask({name: one for name, one in self.distributions.items() if name != "seed"})
        trials = [trial for seed in range(seeds) for trial in self.sweep.at([asked.params], seed)]
        asked.set_user_attr(KEY, trials[0].config.key)
        return asked.number, trials

    def tell(self, number: int, cost: float | None) -> None:
        """The cost of a trial that was asked for (None: it diverged)."""
        self.study.tell(number, worth(cost))

    def add(self, ended: Iterable[tuple[Trial, float | None]]) -> None:
        """Enter trials that were planned and have ended, with their costs (None: it diverged)."""
        for trial, cost in ended:
            self.study.add_trial(
                create_trial(
                    value=worth(cost),
                    params={**trial.point, "seed": trial.config.seed},
                    distributions=self.distributions,
                    user_attrs={KEY: trial.config.key, "diverged": cost is None},
                )
            )


def worth(cost: float | None) -> float:
    """What Optuna is told: the cost, or the finite worst of a trial that diverged."""
    return WORST if cost is None else min(cost, WORST)
