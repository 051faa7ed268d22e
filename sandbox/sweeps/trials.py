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

from sandbox.lock import locked
from sandbox.sweeps.pruning import PRUNERS
from sandbox.sweeps.space import Choice, Dimension
from sandbox.sweeps.state import Known, State
from sandbox.sweeps.sweep import Sweep, Trial

JOURNAL = "optuna.journal"
WORST = 1e9  # what a diverged trial is worth to Optuna: finite, and worse than any cost that counts as sound
KEY = "config_key"
DEFINITION = "definition"
TARGETS = "targets"  # names of the spools, one for each MLflow store that the sweep's runs were sent to


class _Lock(JournalFileOpenLock):
    """The journal's lock, which the system takes back from a process that dies (Optuna's own waits 30 seconds).

    Whoever has it finds the journal ending with a whole line, whatever became of the one who had it before.
    """

    def __init__(self, path: Path, journal: Path) -> None:
        self.path, self.journal = path, journal

    def acquire(self) -> bool:
        lock = locked(self.path)
        lock.__enter__()
        try:
            _cut_torn_line(self.journal)
        except BaseException:
            lock.__exit__(None, None, None)
            raise
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
    path, lock = root / JOURNAL, _Lock(root / f"{JOURNAL}.lock", root / JOURNAL)
    lock.acquire()
    lock.release()
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def _cut_torn_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb+") as file:
        end, newline = file.seek(0, os.SEEK_END), -1
        file.seek(max(0, end - 1))
        if file.read() in (b"\n", b""):
            return
        while end and newline < 0:
            start = max(0, end - 65536)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            end = start + newline + 1
        file.truncate(end)


def known_sweeps(root: Path, storage: JournalStorage | None = None, target: str = "") -> list[Sweep]:
    """The sweeps whose studies are in the store; with a `target`, those whose runs were sent there."""
    if not (root / JOURNAL).exists():
        return []
    studies = (storage or open_storage(root)).get_all_studies()  # Optuna's summaries would copy every trial
    return [
        Sweep.from_dict(json.loads(one.user_attrs[DEFINITION]))
        for one in studies
        if DEFINITION in one.user_attrs and (not target or target in one.user_attrs.get(TARGETS, [target]))
    ]


class Trials:
    """A sweep's study: the trials that it has, and those that are added to it.

    Trials of a plan are entered when they have ended, in one go; those that Optuna is asked for (by TPE, or because a
    pruner watches them) are RUNNING until they are told.
    """

    def __init__(
        self, sweep: Sweep, root: Path, pruner: str = "none", target: str = "", storage: JournalStorage | None = None
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.sweep = sweep
        self.distributions = {name: distribution(dimension) for name, dimension in sweep.space.items()}
        self.distributions["seed"] = IntDistribution(0, 2**31 - 1)
        self.study = optuna.create_study(
            storage=storage or open_storage(root),
            study_name=sweep.id,
            pruner=PRUNERS[pruner](sweep.base.epochs),
            load_if_exists=True,
        )
        definition = json.dumps(sweep.to_dict())
        if self.study.user_attrs.get(DEFINITION) != definition:
            self.study.set_user_attr(DEFINITION, definition)
        targets = self.study.user_attrs.get(TARGETS, [])
        if target and target not in targets:
            self.study.set_user_attr(TARGETS, [*targets, target])
        begun = len(self.study.get_trials(deepcopy=False))  # the same seed again would propose the same points again
        self.study.sampler = optuna.samplers.TPESampler(seed=sweep.sampler_seed + begun, constant_liar=True)
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
        """The trials of the study that have ended, in order; and those with the other seeds at their points."""
        ended = [(_point(trial), _seed(trial, self.sweep)) for trial in self.done()]
        others = [(point, seed) for point, _ in ended for seed in range(self.sweep.seeds)]
        trials: dict[str, Trial] = {}
        for point, seed in [*ended, *others]:
            trial = next(self.sweep.at([point], seed))
            trials.setdefault(trial.config.key, trial)
        return list(trials.values())

    def ask(self, seeds: int) -> list[Trial]:
        """The trials of a new point of the study's sampler, one for each seed; the first of them is RUNNING."""
        asked = self.study.ask({name: one for name, one in self.distributions.items() if name != "seed"})
        trials = [trial for seed in range(seeds) for trial in self.sweep.at([asked.params], seed)]
        first = trials[0].config
        if first.key in self._known or first.key in self._asked:
            self.study.tell(asked, state=TrialState.FAIL)  # left RUNNING, it would keep the sampler away
        else:
            self._mark(asked, first.key, first.seed)
        return trials

    def begin(self, trial: Trial) -> optuna.Trial:
        """The planned trial as a RUNNING one of Optuna's, for a pruner to watch."""
        wanted = {**trial.point, "seed": trial.config.seed}
        if trial.config.key not in self._asked:
            self.study.enqueue_trial(wanted)
            while (asked := self.study.ask(self.distributions)).params != wanted:  # one was queued before it
                self.study.tell(asked, state=TrialState.FAIL)
                self.study.enqueue_trial(asked.params)
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

    def repair(self, known: Mapping[str, Known]) -> int:
        """Settle the trials that a dead process left RUNNING: told where they are `known` by key, else queued again.

        A sampler that does not learn asks for them by itself: those that were queued are then taken from the queue.
        """
        left = self.running()
        learns = self.sweep.sampler == "tpe"
        for trial in left:
            key = trial.user_attrs.get(KEY, "")
            if key in known and key not in self._known:
                _, cost, _, pruned = known[key]
                told = pruned and bool(trial.intermediate_values)
                self.study.tell(trial.number, None if told else worth(cost), TrialState.PRUNED if told else None)
                self._known.add(key)
            else:
                self.study.tell(trial.number, state=TrialState.FAIL)
                if trial.params and learns and key not in self._known:
                    self.study.enqueue_trial(_point(trial), skip_if_exists=False)
        while not learns and self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            self.study.tell(self.study.ask(), state=TrialState.FAIL)
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
