"""The doctor: compares the plan, Optuna's store, MLflow and the spool, and mends what disagrees."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.lock import AlreadyLocked, locked
from sandbox.sweeps.driver import lock_of
from sandbox.sweeps.state import State, read_state, trials_of
from sandbox.sweeps.sweep import Sweep
from sandbox.sweeps.trials import KEY, Trials, known_sweeps
from sandbox.tracking import Store, StoreError
from sandbox.tracking.spool import Spool


@dataclass
class Finding:
    """One thing that disagrees: where, what, and what mends it."""

    sweep: str
    what: str
    remedy: str = ""


@dataclass
class Examination:
    """What the doctor saw: the sweeps, and the findings."""

    sweeps: list[str] = field(default_factory=list)
    alive: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def examine(store: Store, root: Path, *, repair: bool = False) -> Examination:
    """Examine every sweep whose study is under `root` against a store; `repair` mends before it looks.

    Sweeps that run in another process at this moment are named and left alone. Raises StoreError where the store does
    not answer.
    """
    store.check()
    seen = Examination()
    for sweep in known_sweeps(root):
        try:
            with locked(lock_of(sweep, root), wait=False):
                if repair:
                    mend(sweep, store, root)
                seen.findings += _compare(sweep, store, root)
                seen.sweeps.append(sweep.id)
        except AlreadyLocked:
            seen.alive.append(sweep.id)
    for spool in Spool.all(root):
        for path in spool.rejected():
            seen.findings.append(Finding("spool", f"{path} cannot be read and was set aside", "remove it"))
        if files := spool.files():
            seen.findings.append(Finding("spool", f"{len(files)} runs wait for {spool.uri}", "sandbox sync"))
    return seen


def _compare(sweep: Sweep, store: Store, root: Path) -> list[Finding]:
    trials = Trials(sweep, root)
    state = read_state(sweep, store, Spool(store.uri, root))
    in_optuna = Counter(trial.user_attrs[KEY] for trial in trials.done())
    told = set(state.trials)
    again = "the sweep's command, once more"
    mending = "sandbox doctor --repair"
    findings = []

    def find(keys: set[str] | list, what: str, remedy: str) -> None:
        if keys:
            findings.append(Finding(sweep.id, f"{len(keys)} {what}", remedy))

    if sweep.sampler != "tpe":
        find({trial.config.key for trial in sweep.plan} - told, "planned trials are not done", again)
    elif len(told) < sweep.total:
        findings.append(Finding(sweep.id, f"{sweep.total - len(told)} planned trials are not done", again))
    find(set(in_optuna) - told, "trials of Optuna's are neither in MLflow nor in the spool", again)
    find(told - set(in_optuna), "runs are not in Optuna's store", mending)
    find({key for key, ids in state.logged.items() if len(ids) > 1}, "trials are in MLflow more than once", mending)
    find({key for key, count in in_optuna.items() if count > 1}, "trials are in Optuna more than once", "")
    find(state.left_running, "runs in MLflow were left RUNNING", mending)
    find(trials.running(), "trials of Optuna's were left RUNNING", mending)
    if state.parent_status == "RUNNING":
        findings.append(Finding(sweep.id, "the parent run was left RUNNING", mending))
    return findings


def mend(sweep: Sweep, store: Store, root: Path) -> None:
    """Mend what can be mended without training: what a dead process left, doubles, and trials that Optuna missed."""
    spool = Spool(store.uri, root).open()
    spool.tidy()
    state: State = read_state(sweep, store, spool)
    trials = Trials(sweep, root)
    trials.repair(state.costs)
    trials.enter(trials_of(sweep, state), state)
    for _, run_id in state.left_running:
        store.end(run_id, "KILLED")
    for ids in state.logged.values():
        for run_id in ids[1:]:
            store.delete(run_id)
    if state.parent is not None and state.parent_status == "RUNNING":
        store.end(state.parent, "KILLED")


def sync(root: Path, uri: str | None = None) -> dict[str, tuple[int, int, str]]:
    """Drain every spool to its store, or all to the store at `uri`: per store runs logged, set aside, and why it stopped."""
    from sandbox.tracking.writer import Writer, drain

    reports: dict[str, tuple[int, int, str]] = {}
    for spool in Spool.all(root):
        spool.tidy()
        if not spool.files():
            continue
        store, before = Store(uri or spool.uri, root), len(spool.rejected())
        logged, why = 0, ""
        try:
            store.check()
            while count := drain(Writer(spool, store)):
                logged += count
        except StoreError as error:
            why = str(error)
        reports[store.uri] = (logged, len(spool.rejected()) - before, why)
    return reports
