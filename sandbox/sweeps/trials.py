"""Optuna's side of a sweep: one study, in a journal file of its own store."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState, create_trial

from sandbox.errors import choose
from sandbox.lock import locked
from sandbox.sweeps.space import Choice, Dimension
from sandbox.sweeps.state import State
from sandbox.sweeps.sweep import Sweep, Trial

JOURNAL = "optuna.journal"
WORST = 1e9  # what a diverged trial is worth to Optuna: finite, and worse than any cost that counts as sound
KEY = "config_key"
DEFINITION = "definition"

PRUNERS: dict[str, Any] = {
    "none": optuna.pruners.NopPruner,
    "median": optuna.pruners.MedianPruner,
    "halving": optuna.pruners.SuccessiveHalvingPruner,
    "hyperband": optuna.pruners.HyperbandPruner,
}


class _Lock(JournalFileOpenLock):
    """The journal's lock, which the system takes back from a process that dies (Optuna's own waits 30 seconds)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def acquire(self) -> bool:
        lock = locked(self.path)
        lock.__enter__()
        self.held = lock  # set by whoever has the lock, and by nobody else
        return True

    def release(self) -> None:
        self.held.__exit__(None, None, None)


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
        end, newline = file.seek(0, os.SEEK_END), -1
        while end and newline < 0:
            start = max(0, end - 65536)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            end = start + newline + 1
        file.truncate(end)


def known_sweeps(root: Path) -> list[Sweep]:
    """The sweeps whose studies are in the store."""
    if not (root / JOURNAL).exists():
        return []
    studies = optuna.get_all_study_summaries(open_storage(root), include_best_trial=False)
    return [Sweep.from_dict(json.loads(one.user_attrs[DEFINITION])) for one in studies if DEFINITION in one.user_attrs]


class Trials:
    """A sweep's study: the trials that it has, and those that are added to it.

    Trials of a plan are entered when they have ended, in one go; those that Optuna is asked for (by TPE, or because a
    pruner watches them) are RUNNING until they are told.
    """

    def __init__(self, sweep: Sweep, root: Path, pruner: str = "none") -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.sweep = sweep
        self.distributions = {name: distribution(dimension) for name, dimension in sweep.space.items()}
        self.distributions["seed"] = IntDistribution(0, 2**31 - 1)
        sampler = optuna.samplers.TPESampler(seed=sweep.sampler_seed, constant_liar=True)
        self.study = optuna.create_study(
            storage=open_storage(root),
            study_name=sweep.id,
            sampler=sampler,
            pruner=choose("pruner", pruner, PRUNERS)(),
            load_if_exists=True,
        )
        definition = json.dumps(sweep.to_dict())
        if self.study.user_attrs.get(DEFINITION) != definition:
            self.study.set_user_attr(DEFINITION, definition)
        self._known = {trial.user_attrs[KEY] for trial in self.done()}
        self._asked: dict[str, optuna.Trial] = {}

    def done(self) -> Iterator[FrozenTrial]:
        """Trials that have ended: complete or pruned."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)):
            if KEY in trial.user_attrs:
                yield trial

    def keys(self) -> set[str]:
        """The config keys of the trials that have ended."""
        return set(self._known)

    def running(self) -> list[FrozenTrial]:
        """The trials that were asked for and not told."""
        return self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    def points(self) -> list[Trial]:
        """The trials of the study that have ended, in order."""
        return [next(self.sweep.at([_point(trial)], _seed(trial, self.sweep))) for trial in self.done()]

    def ask(self, seeds: int) -> list[Trial]:
        """The trials of a new point of the study's sampler, one for each seed; the first of them is RUNNING."""
        asked = self.study.ask({name: one for name, one in self.distributions.items() if name != "seed"})
        trials = [trial for seed in range(seeds) for trial in self.sweep.at([asked.params], seed)]
        first = trials[0].config
        if first.key in self._known:
            self.study.tell(asked, state=TrialState.FAIL)  # left RUNNING, it would keep the sampler away
        else:
            self._mark(asked, first.key, first.seed)
        return trials

    def begin(self, trial: Trial) -> optuna.Trial:
        """The planned trial as a RUNNING one of Optuna's, for a pruner to watch."""
        if trial.config.key not in self._asked:
            self.study.enqueue_trial({**trial.point, "seed": trial.config.seed})
            asked = self.study.ask(self.distributions)
            self._mark(asked, trial.config.key, trial.config.seed)
        return self._asked[trial.config.key]

    def _mark(self, asked: optuna.Trial, key: str, seed: int) -> None:
        asked.set_user_attr(KEY, key)
        asked.set_user_attr("seed", seed)
        self._asked[key] = asked

    def end(self, trial: Trial, cost: float | None, pruned: bool = False) -> None:
        """Enter a trial that has ended with its cost (None: it diverged), unless it is known."""
        key = trial.config.key
        asked = self._asked.pop(key, None)
        if key in self._known:
            return
        self._known.add(key)
        if asked is not None:
            self.study.tell(asked, None if pruned else worth(cost), TrialState.PRUNED if pruned else None)
            return
        self.study.add_trial(
            create_trial(
                state=TrialState.PRUNED if pruned else TrialState.COMPLETE,
                value=worth(cost),
                params={**trial.point, "seed": trial.config.seed},
                distributions=self.distributions,
                user_attrs={KEY: key, "seed": trial.config.seed, "diverged": cost is None},
            )
        )

    def repair(self, costs: Mapping[str, float | None]) -> int:
        """Settle the trials that a dead process left RUNNING: told where `costs` has them by key, else queued again."""
        left = self.running()
        for trial in left:
            key = trial.user_attrs.get(KEY, "")
            if key in costs:
                self.study.tell(trial.number, worth(costs[key]))
                self._known.add(key)
            else:
                self.study.tell(trial.number, state=TrialState.FAIL)
                if trial.params and self.sweep.sampler == "tpe":
                    self.study.enqueue_trial(trial.params, skip_if_exists=False)
        return len(left)

    def enter(self, trials: Iterable[Trial], state: State) -> int:
        """Enter those of the ended `trials` of a state that are not known here."""
        unheard = [trial for trial in trials if trial.config.key not in self._known]
        for trial in unheard:
            _, cost, _, pruned = state.trials[trial.config.key]
            self.end(trial, cost, pruned)
        return len(unheard)


def worth(cost: float | None) -> float:
    """What Optuna is told: the cost, or the finite worst of a trial that diverged."""
    return WORST if cost is None else min(cost, WORST)


def _point(trial: FrozenTrial) -> dict[str, Any]:
    return {name: value for name, value in trial.params.items() if name != "seed"}


def _seed(trial: FrozenTrial, sweep: Sweep) -> int:
    return trial.user_attrs.get("seed", sweep.base.seed) - sweep.base.seed
