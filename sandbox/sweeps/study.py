"""The study: Optuna's side of a sweep. It says which jobs come next, and is told how they ended."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
    json_to_distribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from sandbox.config import KINDS
from sandbox.job import Ended, Job
from sandbox.space import Choice, Dimension, Point
from sandbox.sweeps.journal import JOURNAL, JournalError, open_storage, reading, set_aside
from sandbox.sweeps.objective import Objective
from sandbox.sweeps.pruning import PRUNERS
from sandbox.sweeps.sweep import Sweep, Trial
from sandbox.tracking.claims import Claims

KEY, HOST = "config_key", "host"
TPE_POINTS = 8  # points that are asked for before the first of them is told
PATIENCE = 200  # points that may be proposed again, one after another, before a sampler is taken to have no more
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


def distribution(name: str, dimension: Dimension) -> BaseDistribution:
    """Optuna's word for a dimension: of numbers, also of a few, it knows the order."""
    if isinstance(dimension, Choice):
        if not dimension.numbers:
            return CategoricalDistribution(dimension.grid())
        low, high, whole = min(dimension.values), max(dimension.values), KINDS[name].type is int
        log = low > 0 and high / low >= 10
    else:
        low, high, log, whole = dimension.low, dimension.high, dimension.log, dimension.integer
    return IntDistribution(int(low), int(high), log=log) if whole else FloatDistribution(low, high, log=log)


def about(sweep: Sweep) -> dict[str, Any]:
    """What a study of this sweep is made from, as JSON has it."""
    space = {name: distribution_to_json(distribution(name, one)) for name, one in sweep.space.items()}
    return {"objective": sweep.goal.words, "sampler": sweep.sampler, "space": space}


def make_study(
    sweep_id: str,
    made_from: Mapping[str, Any],
    root: Path,
    done: Mapping[str, Ended],
    shared: str = "",
    alive: Collection[str] = (),
) -> optuna.Study:
    """The study of a sweep in the journal under `root`, which it makes if there is none, `made_from` what `about` gives.

    Or in the database that is `shared`, where the trials of the hosts that are `alive` are theirs. `done` are the jobs that
    have ended, by key: those that Optuna has not heard of are entered, and what a dead process left RUNNING is settled.
    Raises JournalError.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    objective = Objective.parse(made_from["objective"])
    with reading(root, shared):
        study = optuna.create_study(
            storage=open_storage(root, shared),
            study_name=study_name(sweep_id, objective),
            direction=objective.of_optuna,
            load_if_exists=True,
        )
        for name in ("objective", "sampler"):
            if study.user_attrs.get(name) != made_from[name]:
                study.set_user_attr(name, made_from[name])
        settle(study, done, alive)
        known = {trial.user_attrs[KEY] for trial in ended_trials(study)}
        distributions = {name: json_to_distribution(text) for name, text in made_from["space"].items()}
        for ended in [one for key, one in done.items() if key not in known]:
            enter(study, ended, objective, distributions)
    return study


def enter(
    study: optuna.Study, ended: Ended, objective: Objective, distributions: Mapping[str, BaseDistribution]
) -> None:
    """Enter a job that has ended, with what it is worth, unless somebody has changed where it says that it is."""
    config, point = ended.job.config, ended.point
    if point is None:
        return
    study.add_trial(
        create_trial(
            state=TrialState.PRUNED if ended.pruned else TrialState.COMPLETE,
            value=objective.value(ended),
            params=point,
            distributions=dict(distributions),
            user_attrs={KEY: config.key, "seed": config.seed, "diverged": ended.diverged},
        )
    )


class Study:
    """A sweep's study in the journal under `root`, which it makes if there is none.

    `done` are the jobs that have ended, by key. With `trusting`, what Optuna knows counts as done too: nobody could ask
    MLflow. A journal that cannot be read is set aside, `lost` says so, and the study is made anew. Where hosts share the
    sweep, by their `claims`, they share the study, too: each enters what it has trained.
    """

    def __init__(
        self,
        sweep: Sweep,
        root: Path,
        done: Mapping[str, Ended],
        *,
        pruner: str = "none",
        trusting: bool = False,
        claims: Claims | None = None,
    ) -> None:
        self.claims, self.shared = claims, claims.uri if claims else ""
        alive = [host for host, _ in claims.others()] if claims else []
        self.sweep, self.objective, self.root = sweep, sweep.goal, root
        self.distributions = {name: distribution(name, one) for name, one in sweep.space.items()}
        self.lost = ""
        try:
            self.study = make_study(sweep.id, about(sweep), root, done, self.shared, alive)
        except JournalError as error:
            if claims:
                raise
            self.lost = f"{error}; it is {set_aside(root)} now, and the study of {sweep.id} is made anew from MLflow"
            self.study = make_study(sweep.id, about(sweep), root, done)
        self.study.pruner = PRUNERS[pruner](sweep.base.epochs)
        begun = len(self.study.get_trials(deepcopy=False))  # the same seed again would propose the same points again
        self.study.sampler = optuna.samplers.TPESampler(seed=sweep.sampler_seed + begun, constant_liar=True)
        self.known = {trial.user_attrs[KEY] for trial in ended_trials(self.study)}
        self._asked: dict[str, optuna.Trial] = {}
        self._trials: dict[str, Trial] = {}
        self.finished = set(done) | (self.known if trusting else set())
        self._number = len(done)

    def jobs(self) -> Iterator[list[Job]]:
        """What is left to do, in rounds: the plan; or what a sampler proposes that learns from the round before."""
        if self.sweep.sampler != "tpe":
            yield [self._job(trial) for trial in self.sweep.plan if trial.config.key not in self.finished]
            return
        left = [trial for trial in self._begun() if trial.config.key not in self.finished]
        repeats = 0
        while len(self.finished) < self.sweep.total and repeats < PATIENCE:
            if not left:
                with self.claims.alone("study") if self.claims else nullcontext():
                    left, repeats = self._asked_for(repeats)
            left = left[: self.sweep.total - len(self.finished)]
            self.finished |= {trial.config.key for trial in left}
            yield [self._job(trial) for trial in left]
            left = []

    def _asked_for(self, repeats: int) -> tuple[list[Trial], int]:
        """The trials of new points; and how often in a row there were none, `repeats` times so far.

        Where hosts share the sweep, what they have in hand counts; and what is asked for is claimed at once.
        """
        left: list[Trial] = []
        if self.claims:
            self.finished |= self.claims.keys()
        for _ in range(min(TPE_POINTS, -(-(self.sweep.total - len(self.finished)) // self.sweep.seeds))):
            taken = self.finished | {trial.config.key for trial in left}
            with reading(self.root, self.shared):
                new = [trial for trial in self._ask() if trial.config.key not in taken]
            repeats = 0 if new else repeats + 1
            left += new
        left = left[: max(0, self.sweep.total - len(self.finished))]
        if self.claims:
            self.claims.take([trial.config.key for trial in left])
        return left, repeats

    def _job(self, trial: Trial) -> Job:
        self._trials[trial.config.key] = trial
        self._number += 1
        return self.sweep.job(trial, self._number - 1)

    def _begun(self) -> list[Trial]:
        """The trials of the study that have ended, in order; and those with the other seeds at their points."""
        sweep = self.sweep
        ended = [(trial.params, trial.user_attrs["seed"] - sweep.base.seed) for trial in ended_trials(self.study)]
        others = [(point, seed) for point, _ in ended for seed in range(sweep.seeds)]
        trials = [next(sweep.at([point], seed)) for point, seed in [*ended, *others]]
        return list({trial.config.key: trial for trial in trials}.values())

    def _ask(self) -> list[Trial]:
        """The trials of a new point of the study's sampler, one for each seed; the first of them is RUNNING."""
        asked = self.study.ask(self.distributions)
        point = self._on_grid(asked.params)
        trials = [trial for seed in range(self.sweep.seeds) for trial in self.sweep.at([point], seed)]
        first = trials[0].config
        if point != asked.params or first.key in self.known or first.key in self._asked:
            self.study.tell(asked, state=TrialState.FAIL)  # left RUNNING, it would keep the sampler away
        if first.key not in self.known and first.key not in self._asked:
            self._mark(asked if point == asked.params else self._enqueued(point), trials[0])
        return trials

    def _on_grid(self, params: dict[str, Any]) -> Point:
        """A point that was drawn, with the nearest of the few numbers where a dimension has only these."""
        point = dict(params)
        for name, dimension in self.sweep.space.items():
            if isinstance(dimension, Choice) and dimension.numbers:
                log = getattr(self.distributions[name], "log", False)
                values, drawn = np.array(dimension.values, float), float(params[name])
                distances = np.abs(np.log(values / drawn) if log else values - drawn)
                point[name] = dimension.values[int(distances.argmin())]
        return point

    def begin(self, key: str) -> optuna.Trial:
        """The RUNNING trial of Optuna's for a job that was given out, for a pruner to watch."""
        if key not in self._asked:
            trial = self._trials[key]
            self._mark(self._enqueued(trial.point), trial)
        return self._asked[key]

    def _enqueued(self, point: Point) -> optuna.Trial:
        self.study.enqueue_trial(point)
        while (asked := self.study.ask(self.distributions)).params != point:  # one was queued before it
            self.study.tell(asked, state=TrialState.FAIL)
            self.study.enqueue_trial(asked.params)
        return asked

    def _mark(self, asked: optuna.Trial, trial: Trial) -> None:
        asked.set_user_attr(KEY, trial.config.key)
        asked.set_user_attr("seed", trial.config.seed)
        if self.claims:
            asked.set_user_attr(HOST, self.claims.host)
        self._asked[trial.config.key] = asked

    def tell(self, ended: Ended, *, again: bool = False) -> None:
        """Enter a job that has ended with what it is worth, unless it is known; `again` where another host had it before."""
        key = ended.job.config.key
        asked = self._asked.pop(key, None)
        if again:
            self.known |= {trial.user_attrs[KEY] for trial in ended_trials(self.study)}
        if key in self.known:
            return
        self.known.add(key)
        with reading(self.root, self.shared):
            if asked is not None:
                _tell(self.study, asked, ended, self.objective)
            else:
                enter(self.study, ended, self.objective, self.distributions)


def study_name(sweep: str, objective: Objective) -> str:
    """The name of the study of a sweep, ranked by an objective."""
    return f"{sweep} by {objective.metric}"


def known_study(sweep: str, objective: str, root: Path, shared: str = "") -> optuna.Study | None:
    """The study of a sweep, ranked by this objective (as `Objective.words` has it), if there is one; none is made."""
    if not (shared or (root / JOURNAL).exists()):
        return None
    with reading(root, shared):
        name, storage = study_name(sweep, Objective.parse(objective)), open_storage(root, shared)
        if name not in [one.study_name for one in storage.get_all_studies()]:  # Optuna's summaries copy every trial
            return None
        return optuna.load_study(study_name=name, storage=storage)


def forget_study(
    sweep: str,
    objective: str,
    root: Path,
    shared: str = "",
    *,
    where: Callable[[list[str]], bool] = lambda keys: True,
) -> None:
    """Remove the study of a sweep from its store, if there is one `where` this holds of the keys of its ended trials."""
    if (study := known_study(sweep, objective, root, shared)) is None:
        return
    if where([trial.user_attrs[KEY] for trial in ended_trials(study)]):
        with reading(root, shared):
            optuna.delete_study(study_name=study.study_name, storage=open_storage(root, shared))


def forget_studies(sweeps: Collection[str], root: Path) -> None:
    """Remove all studies of these sweeps from the journal, whatever they are ranked by."""
    if not (root / JOURNAL).exists():
        return
    with reading(root):
        storage = open_storage(root)
        for one in storage.get_all_studies():
            if one.study_name.rpartition(" by ")[0] in sweeps:
                optuna.delete_study(study_name=one.study_name, storage=storage)


def ended_trials(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that have ended: complete or pruned."""
    return [trial for trial in study.get_trials(deepcopy=False, states=ENDED) if KEY in trial.user_attrs]


def running_trials(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that were asked for and not told."""
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def settle(study: optuna.Study, done: Mapping[str, Ended], alive: Collection[str] = ()) -> int:
    """Settle the trials that a dead process left RUNNING: told where they are `done`, else failed; how many.

    Those of hosts that are `alive` are not.

    The point of one that is not done is queued where the sampler learns, for it would not come back to it; else what
    waits in the queue is taken from it.
    """
    objective, again = Objective.parse(study.user_attrs["objective"]), study.user_attrs["sampler"] == "tpe"
    known = {trial.user_attrs[KEY] for trial in ended_trials(study)}
    left = [trial for trial in running_trials(study) if trial.user_attrs.get(HOST) not in alive]
    for trial in left:
        key = trial.user_attrs.get(KEY, "")
        if key in done and key not in known:
            _tell(study, trial.number, done[key], objective, reported=bool(trial.intermediate_values))
            known.add(key)
        else:
            study.tell(trial.number, state=TrialState.FAIL)
            if trial.params and again and key not in known:
                study.enqueue_trial(trial.params, skip_if_exists=False)
    while not again and study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.tell(study.ask(), state=TrialState.FAIL)
    return len(left)


def _tell(study: optuna.Study, trial: Any, ended: Ended, objective: Objective, reported: bool = True) -> None:
    pruned = ended.pruned and reported  # Optuna takes the last report of a pruned trial for its value
    study.tell(trial, None if pruned else objective.value(ended), TrialState.PRUNED if pruned else None)
