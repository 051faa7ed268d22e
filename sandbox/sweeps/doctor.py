"""The doctor: compares the plan, Optuna's store, MLflow and the spool, and mends what disagrees."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.lock import AlreadyLocked, lock_of, locked
from sandbox.sweeps.state import State, read_state, trials_of
from sandbox.sweeps.sweep import Sweep
from sandbox.sweeps.trials import KEY, Trials, known_sweeps, open_storage
from sandbox.tracking import Store, StoreError
from sandbox.tracking.connection import impatient, shown
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
    """Examine every sweep under `root` whose runs go to this store; `repair` mends before it looks.

    Sweeps that run in another process at this moment are named and left alone. Raises StoreError where the store does
    not answer.
    """
    if store.exists():
        store.check()
    seen = Examination()
    storage = open_storage(root) if root.exists() else None
    for sweep in known_sweeps(root, storage, Spool(store.uri, root).directory.name):
        try:
            with locked(lock_of(sweep.id, root), wait=False):
                trials = Trials(sweep, root, storage=storage)
                state = _look(sweep, store, root)
                if repair and mend(trials, state, store):
                    state = _look(sweep, store, root)
                seen.findings += _compare(sweep, trials, state)
                seen.sweeps.append(sweep.id)
        except AlreadyLocked:
            seen.alive.append(sweep.id)
    for spool in Spool.all(root):
        spool.tidy()
        for path, why in spool.rejected().items():
            what = f"{path} was set aside: {why or 'it cannot be read'}"
            seen.findings.append(Finding("spool", what, f"run its sweep again, then remove {path}"))
        if (waiting := len(spool.files())) and not seen.alive:  # else somebody is about it
            seen.findings.append(Finding("spool", f"{waiting} files wait for {shown(spool.uri)}", "sandbox sync"))
    return seen


def _look(sweep: Sweep, store: Store, root: Path) -> State:
    state = read_state(sweep, store, Spool(store.uri, root))
    if state.why:
        raise StoreError(state.why)
    return state


def _compare(sweep: Sweep, trials: Trials, state: State) -> list[Finding]:
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
    find({key for key, count in in_optuna.items() if count > 1}, "trials are in Optuna's store more than once", "")
    find(state.left_running, "runs in MLflow were left RUNNING", mending)
    find(trials.running(), "trials of Optuna's were left RUNNING", mending)
    if state.parent_status == "RUNNING":
        findings.append(Finding(sweep.id, "the parent run was left RUNNING", mending))
    return findings


def mend(trials: Trials, state: State, store: Store) -> int:
    """Mend what can be mended without training: what a dead process left, doubles, and trials that Optuna missed.

    How many things in MLflow were mended.
    """
    trials.repair(state.trials)
    trials.enter(trials_of(trials.sweep, state), state)
    for _, run_id in state.left_running:
        store.abandon(run_id)
    parents = [state.parent] if state.parent is not None and state.parent_status == "RUNNING" else []
    for run_id in parents:
        store.finish_parent(run_id, "KILLED")
    doubles = [run_id for ids in state.logged.values() for run_id in ids[1:]]
    for run_id in doubles:
        store.delete(run_id)
    return len(state.left_running) + len(parents) + len(doubles)


def sync(root: Path, uri: str | None = None) -> dict[str, tuple[int, int, str]]:
    """Drain every spool to its store, or all of them to the store at `uri`.

    By store: how many files were logged and set aside, and why it stopped where it did not get to the end.
    """
    from sandbox.tracking.writer import Writer

    reports: dict[str, tuple[int, int, str]] = {}
    for spool in Spool.all(root):
        spool.tidy()
        if not spool.files():
            continue
        store, before = Store(uri or spool.uri, root), len(spool.rejected())
        writer, logged, why = Writer(spool, store), 0, ""
        try:
            with impatient():
                store.check()
                for path in spool.files():
                    logged += writer.log(path) == "logged"
        except StoreError as error:
            why = str(error)
        reports[shown(store.uri)] = (logged, len(spool.rejected()) - before, why)
    return reports
