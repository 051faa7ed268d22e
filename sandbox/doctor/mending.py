"""Mending what disagrees, as far as it can be without training."""

from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sandbox.data.storage import recall
from sandbox.errors import RequestError, choose
from sandbox.host import host_of
from sandbox.job import Ended, of_record
from sandbox.lock import AlreadyLocked, lock_of, locked
from sandbox.note import Note
from sandbox.tracking import Destination, Record, Store, StoreError
from sandbox.tracking.address import sqlite_path
from sandbox.tracking.claims import Claims, ClaimsError
from sandbox.tracking.entry import SpoolError, read
from sandbox.tracking.row import AT_WORK
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import State, at_work
from sandbox.tracking.writer import Writer, drain

T = TypeVar("T")
FOREIGN = (ValueError, KeyError, TypeError, AttributeError)  # over a note by other code: its command writes it anew


def flags_of(state: State, store: Store) -> dict[str, str]:
    """The hosts of which the parent run says that they are at work, and in which process."""
    if state.parent is None or sqlite_path(store.uri):
        return {}
    run = store.run(state.parent)
    return at_work(run.data.tags) if run else {}


def mend(note: Note, state: State, store: Store, root: Path, flags: Collection[str] = ()) -> bool:
    """Mend what can be mended without training: what a dead process left, doubles, strays, and Optuna's side of it.

    The `flags` are hosts that are said to be at work, and are not. Runs that have lost artifacts go to MLflow's trash, for
    the sweep's command to train them again. Whether anything was mended in MLflow.
    """
    if note.study:
        _mend_study(note, state, root)
    for _, run_id in state.left_running:
        store.abandon(run_id)
    bare, gone = set(state.bare), set()
    for key, found in state.logged.items():
        kept = next((one.run_id for one in found if one.run_id not in bare), None)
        gone |= {one.run_id for one in found if one.run_id != kept}
        if kept is None:
            state.told.discard(key)
    for run_id in gone:
        store.delete(run_id)
    if state.parent and flags:
        store.tag(state.parent, {f"{AT_WORK}{host}": "" for host in flags})
    return bool(_mend_parents(note, state, store, gone) + len(state.left_running) + len(gone) + len(flags))


def _mend_parents(note: Note, state: State, store: Store, gone: set[str]) -> int:
    """Leave one parent with all runs below it, ended as they say; how many things were mended."""
    parents = list(state.parents)
    if not parents and any(one.run_id not in gone for found in state.logged.values() for one in found):
        to = Destination(note.experiment, campaign=note.campaign)
        parents.append((store.parent(store.experiment(note.experiment), to), "RUNNING"))
    if not parents:
        return 0
    (first, status), others = parents[0], parents[1:]
    strays = [run_id for run_id in state.not_below(first) if run_id not in gone]
    for run_id in strays:
        store.adopt(run_id, first)
    for run_id, _ in others:
        store.delete(run_id)
    whole = not note.missing(state.told)
    ended = status == "RUNNING" or (status == "KILLED" and whole)
    if ended:
        store.close_parent(first, Record(note.campaign, "FINISHED" if whole else "KILLED", 0, 0))
    return len(strays) + len(others) + ended


def _mend_study(note: Note, state: State, root: Path) -> None:
    """Settle and complete a sweep's study; one that says what cannot be is made anew, and so is an unreadable journal."""
    from sandbox.sweeps.journal import JournalError, released, set_aside
    from sandbox.sweeps.study import forget_study, make_study

    def is_spoilt(keys: list[str]) -> bool:
        strange = not note.missing(state.told) and not set(keys) <= state.told  # else they may be trained again
        return strange or len(set(keys)) < len(keys)

    with suppress(*FOREIGN), released(note.shared):
        try:
            forget_study(note.campaign, note.study["objective"], root, note.shared, where=is_spoilt)
            make_study(note.campaign, note.study, root, ended_of(state, root), note.shared)
        except JournalError:
            if note.shared:
                raise
            set_aside(root)
            make_study(note.campaign, note.study, root, ended_of(state, root))


def ended_of(state: State, root: Path) -> dict[str, Ended]:
    """The ended jobs of a state by key; runs whose params are none of Config's are passed over."""
    ended, data = {}, []
    for name in {run.params.get("dataset", "") for run in state.runs.values()}:
        data.append(recall(name, root))  # and held until their configs are made
    for key, run in state.runs.items():
        with suppress(RequestError):
            ended[key] = of_record(run)
    return ended


def alive_elsewhere(note: Note, root: Path) -> list[tuple[str, str]]:
    """The other hosts that work on a campaign, and their processes. Raises StoreError where their database is away."""
    return _asked(note, root, Claims.others) if note.shared else []


def claimed_of(note: Note, root: Path) -> set[str]:
    """The keys of a campaign's runs that some host has said to be logged. Raises StoreError like the above."""
    return set(_asked(note, root, Claims.logged)) if note.shared else set()


def _asked(note: Note, root: Path, question: Callable[[Claims], T]) -> T:
    try:
        return question(Claims(note.shared, note.campaign, host_of(root), patience=0.0))
    except ClaimsError as error:
        raise StoreError(str(error)) from error


def mend_spool(store: Store, spool: Spool) -> None:
    """Log what waits, and try again what was set aside; what cannot be read is renamed: nobody can use it."""
    for path in spool.rejected():
        try:
            read(path)
            spool.give_back(path)
        except (SpoolError, OSError):
            spool.give_up(path)
    if spool.files():
        spool.open()
        drain(Writer(spool, Store(store.uri, spool.root, spool.artifacts)))


def forget(campaign: str, root: Path) -> None:
    """Forget a campaign that nobody wants to finish: its note, and its study in Optuna's journal; MLflow keeps its runs.

    Raises RequestError where there is none, or it is under way in another process.
    """
    names = {path.stem: path for path in (root / "campaigns").glob("*.json")}
    if not names:
        raise RequestError(f"{campaign} cannot be forgotten: no sweep or comparison is known here")
    path = choose("sweep or comparison", campaign, names)
    try:
        with locked(lock_of(campaign, root), wait=False):
            with suppress(OSError, ValueError, KeyError, StoreError):
                note = Note.read(path)
                if note.study:
                    from sandbox.sweeps.journal import released
                    from sandbox.sweeps.study import forget_study

                    with released(note.shared):
                        forget_study(note.campaign, note.study["objective"], root, note.shared)
                if note.shared:
                    Claims(note.shared, note.campaign, host_of(root)).forget()
            path.unlink(missing_ok=True)
    except AlreadyLocked:
        raise RequestError(f"{campaign} is under way in another process: end it first") from None
