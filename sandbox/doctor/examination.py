"""An examination: what of a campaign disagrees with what it should have come to, in MLflow, the spool and Optuna's store."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.doctor.mending import FOREIGN, alive_elsewhere, claimed_of, flags_of, mend, mend_spool
from sandbox.errors import choose
from sandbox.host import disk_of, host_of
from sandbox.lock import AlreadyLocked, lock_of, locked
from sandbox.note import Note
from sandbox.tracking import Destination, Store, StoreError
from sandbox.tracking.address import shown
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import State, read_state
from sandbox.typed import typed

AGAIN = "its command, once more"


@dataclass
class Finding:
    """One thing that disagrees: where, what, and what mends it."""

    campaign: str
    what: str
    remedy: str = ""


@dataclass
class Examination:
    """What the doctor saw: the campaigns, those that are under way (on another host, too), and the findings.

    `elsewhere` are those, with the host, of which nobody can know here whether they still are.
    """

    campaigns: list[str] = field(default_factory=list)
    alive: list[str] = field(default_factory=list)
    elsewhere: list[tuple[str, str]] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)  # the other hosts that have RUNNING runs, or are said to be at work
    findings: list[Finding] = field(default_factory=list)


def examine(store: Store, root: Path, *, repair: bool = False, gone: str = "") -> Examination:
    """Examine every campaign under `root` whose runs go to this store; `repair` mends before it looks.

    `gone` is a host that is known to be at work no more: what it left counts as this one's.
    Campaigns that are under way in another process at this moment are named and left alone. Raises StoreError where the
    store does not answer, RequestError where a host has `gone` that left nothing.
    """
    if store.exists():
        _ = store.reader
    seen, spool = Examination(), Spool(store.uri, root)
    if repair:
        mend_spool(store, spool)
    notes, broken = Note.all(root)
    for note in notes:
        if spool.directory.name in note.spools:
            _examine_campaign(note, store, spool, seen, repair=repair, gone=gone)
    if gone and gone not in seen.hosts:
        choose("host", gone, dict.fromkeys(sorted(seen.hosts)))
    for path in broken:
        what = f"its note {path} cannot be read"
        seen.findings.append(Finding(path.stem, what, f"{AGAIN}, or {typed('doctor', '--forget', path.stem)}"))
    seen.findings += _of_spools(root, store.uri, alive=bool(seen.alive))
    return seen


def _examine_campaign(note: Note, store: Store, spool: Spool, seen: Examination, *, repair: bool, gone: str) -> None:
    name, to = note.campaign, Destination(note.experiment, campaign=note.campaign)
    mending = typed("doctor", "--repair", *store.words)
    try:
        with locked(lock_of(name, spool.root), wait=False):
            others = alive_elsewhere(note, spool.root)
            if others:
                seen.alive += [f"{name} on {host}" for host, _ in others]
                return
            state = _look(to, store, spool, whole=repair)
            flags = flags_of(state, store)
            here = disk_of(host_of(spool.root))  # whatever this machine was called
            hosts = {host for host in state.hosts | flags.keys() if disk_of(host) != here}
            seen.hosts |= hosts
            if not note.shared and hosts - {gone}:
                seen.elsewhere += [(name, host) for host in sorted(hosts - {gone})]
                return
            state.inherit()
            if repair and mend(note, state, store, spool.root, flags):
                state, flags = _look(to, store, spool), {}
            if flags:
                seen.findings.append(Finding(name, f"{' and '.join(flags)} is said to be at work, and is not", mending))
            seen.findings += [Finding(name, *one) for one in _compare(note, state, spool.root, mending)]
            if only := claimed_of(note, spool.root) - state.told:
                seen.findings.append(Finding(name, f"{len(only)} runs were logged, as hosts said, and are gone", AGAIN))
            seen.campaigns.append(name)
    except AlreadyLocked:
        seen.alive.append(name)


def _look(to: Destination, store: Store, spool: Spool, *, whole: bool = False) -> State:
    state = read_state(to, store, spool, whole=whole)
    if state.why:
        raise StoreError(state.why)
    return state


def _of_spools(root: Path, uri: str, *, alive: bool) -> Iterator[Finding]:
    """What waits in the spools, and what was set aside."""
    for one in Spool.all(root, uri):
        one.tidy()
        for path, why in one.rejected().items():
            what = f"{path} was set aside: {why or 'it cannot be read'}"
            yield Finding("spool", what, f"run its sweep again, then remove {path}")
        if (waiting := one.count()) and not alive:  # else somebody is about it
            yield Finding("spool", f"{waiting} files wait for {shown(one.uri)}", typed("sync"))
    for directory in Spool.strangers(root):
        what = f"files in {directory} wait for nobody knows which store: its {directory.name}/store.json cannot be read"
        yield Finding("spool", what, typed("sync", "--tracking-uri") + " with the address of their store")


def _compare(note: Note, state: State, root: Path, mending: str) -> list[tuple[str, str]]:
    """What disagrees, and what mends it."""
    told, missing = state.told, note.missing(state.told)
    counts = [
        (missing, "planned trials are not done", AGAIN),
        (sum(len(found) > 1 for found in state.logged.values()), "trials are in MLflow more than once", mending),
        (len(state.left_running), "runs in MLflow were left RUNNING", mending),
        (max(0, len(state.parents) - 1), "other parent runs are in MLflow beside the first", mending),
        (len(state.not_below(state.parent)), "runs are not below the parent run", mending),
        (len(state.bare), "runs have lost artifacts", mending),
    ]
    if note.study:
        with suppress(*FOREIGN):
            counts += _of_optuna(note, told, root, mending, AGAIN if missing else mending)
    found = [(f"{count} {what}", remedy) for count, what, remedy in counts if count]
    if state.parent_status == "RUNNING":
        found.append(("the parent run was left RUNNING", mending))
    if state.logged and not state.parents:
        found.append(("the parent run is gone", mending))
    if state.parent_status == "KILLED" and not missing:
        found.append(("the parent run is KILLED though all is done", mending))
    return found


def _of_optuna(note: Note, told: set[str], root: Path, mending: str, strange: str) -> list[tuple[int, str, str]]:
    """How Optuna's store differs from what is `told` of; `strange` mends what it knows and nobody else."""
    from sandbox.sweeps.journal import JournalError, released
    from sandbox.sweeps.study import KEY, ended_trials, known_study, running_trials

    try:
        with released(note.shared):
            study = known_study(note.campaign, note.study["objective"], root, note.shared)
            trials = study and (ended_trials(study), running_trials(study))
    except JournalError as error:
        return [(1, f"study cannot be read: {error}", mending)]
    if trials is None:
        return [(len(told), "runs are not in Optuna's store", mending)]
    in_optuna = Counter(trial.user_attrs[KEY] for trial in trials[0])
    return [
        (len(set(in_optuna) - told), "trials of Optuna's are neither in MLflow nor in the spool", strange),
        (len(told - set(in_optuna)), "runs are not in Optuna's store", mending),
        (sum(count > 1 for count in in_optuna.values()), "trials are in Optuna's store more than once", mending),
        (len(trials[1]), "trials of Optuna's were left RUNNING", mending),
    ]
