"""Setting runs aside, instead of deleting them: all that there are, or those of one experiment; and bringing them back.

All runs are a directory, which gets another name in one go. An experiment gets another name in MLflow, and its notes, its
answers and its files in the spool go to a directory of their own; its studies in Optuna's journal are forgotten, for they
are made anew from MLflow. What has begun is written down before, so that the same command goes on from there.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import disk
from sandbox.doctor.mending import FOREIGN, mend
from sandbox.errors import RequestError, choose, one_line
from sandbox.lock import AlreadyLocked, lock_of, locked
from sandbox.note import Note, note_path
from sandbox.tracking import Destination, Store, StoreError
from sandbox.tracking.address import shown, sqlite_path
from sandbox.tracking.aside import experiment_names, openers, others_in, rename
from sandbox.tracking.entry import SpoolError, read
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import read_state
from sandbox.typed import near, typed

PLAN = "aside.json"
LONGEST = 220  # characters of an experiment's name that are kept beside the time


@dataclass
class Moved:
    """What was set aside or brought back: where it is, by which command it goes back, and what is to be known of it."""

    place: str
    back: str = ""
    notes: list[str] = field(default_factory=list)


def reset_all(store: Store, root: Path) -> Moved:
    """Set the whole directory `root` aside. Raises RequestError where the store is elsewhere or somebody works there."""
    path = sqlite_path(store.uri)
    if path is None or not path.is_relative_to(root.resolve()):
        what = f"runs of {shown(store.uri)} are not in {root}/"
        raise RequestError(
            f"{what}, which is all that can be moved: name an experiment, {typed('reset', 'EXPERIMENT')}"
        )
    if not root.is_dir() or not any(root.iterdir()):
        raise RequestError(f"there is nothing in {root}/ to be set aside")
    with _nobody_at_work(sorted(one.stem for one in (root / "locks").glob("*.lock")), root):
        notes = _seen_open(store, "end it and start it again, it shows what was there before")
        notes += [
            f"{waiting} files that wait for {shown(spool.uri)} go with it"
            for spool in Spool.all(root, store.uri)
            if (waiting := spool.count())
        ]
        target = _free(root.parent / f"{root.name}-aside" / time.strftime("%Y-%m-%dT%H-%M-%S"))
        target.parent.mkdir(exist_ok=True)
        root.rename(target)
    return Moved(near(target), typed("reset", "--back", near(target)), notes)


def reset_experiment(name: str, store: Store, root: Path) -> Moved:
    """Set one experiment aside. Raises RequestError where there is none, or where it is not this user's alone."""
    begun = _begun(name, root)
    if begun is None or name in experiment_names(store):
        choose("experiment", name, dict.fromkeys(experiment_names(store)))
        if store.owner and (other := others_in(store, name)):
            raise RequestError(
                f"experiment {name} has runs of {one_line(other)} too, and {store.user.name} cannot set those aside"
            )
    spool = Spool(store.uri, root)
    campaigns = [one.campaign for one in Note.all(root)[0] if one.experiment == name]
    with _nobody_at_work(campaigns, root):
        notes = _seen_open(store, "load its pages again")
        place = begun or _begin(name, root)
        new = json.loads((place / PLAN).read_bytes())["now"]
        if name in experiment_names(store):
            rename(store, name, new, name)
        _forget_studies(campaigns, root)
        _move_files(campaigns, name, spool, root, place)
        _write_plan(place, {"experiment": name, "now": new, "whole": True})
    return Moved(
        near(place), typed("reset", "--back", near(place), *store.words), [f"it is called {new!r} now", *notes]
    )


def bring_back(place: Path, store: Store, root: Path) -> Moved:
    """Bring back what was set aside in this directory. Raises RequestError where something else has taken its place."""
    if (place / PLAN).is_file():
        return _experiment_back(place, store, root)
    if not (place / "mlflow.db").is_file() or place.resolve() == root.resolve():
        raise RequestError(f"nothing was set aside in {one_line(str(place))}")
    if root.exists():
        raise RequestError(f"{root}/ has runs of its own: {typed('reset')} sets them aside, and then these can go back")
    place.rename(root)
    _remove_empty(place.parent)
    return Moved(near(root))


def _experiment_back(place: Path, store: Store, root: Path) -> Moved:
    try:
        plan = json.loads((place / PLAN).read_bytes())
        name, now = str(plan["experiment"]), str(plan["now"])
    except (ValueError, TypeError, KeyError) as error:
        raise RequestError(f"{place / PLAN} cannot be read: {error}") from None
    names = experiment_names(store)
    if now not in names and name not in names:
        raise RequestError(f"experiment {now!r} is not in {shown(store.uri)}")
    if now in names:
        if name in names:
            again = typed("reset", name, *store.words)
            raise RequestError(
                f"experiment {name} is there again: {again} sets it aside, and then this one can go back"
            )
        rename(store, now, name)
    for kind in ("spool", "campaigns", "sweeps", "comparisons"):
        for one in sorted((place / kind).glob("*/*" if kind == "spool" else "*")):
            target = root / one.relative_to(place)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                one.rename(target)
    spool, campaigns = Spool(store.uri, root), [one for one in Note.all(root)[0] if one.experiment == name]
    for note in campaigns:
        state = read_state(Destination(note.experiment, campaign=note.campaign), store, spool, whole=True)
        if not state.why:
            mend(note, state, store, root)
    (place / PLAN).unlink()
    for one in sorted(place.rglob("*"), reverse=True):
        _remove_empty(one)
    _remove_empty(place)
    _remove_empty(place.parent)
    return Moved(name)


def _remove_empty(directory: Path) -> None:
    with suppress(OSError):  # something is in it, or it is a file
        directory.rmdir()


@contextmanager
def _nobody_at_work(campaigns: list[str], root: Path) -> Iterator[None]:
    """Hold the locks of these campaigns. Raises RequestError where one of them is under way."""
    with ExitStack() as held:
        for campaign in campaigns:
            try:
                held.enter_context(locked(lock_of(campaign, root), wait=False))
            except AlreadyLocked:
                raise RequestError(f"{campaign} is under way in another process: wait for it, or end it") from None
        yield


def _seen_open(store: Store, then: str) -> list[str]:
    """Which other processes have the database open, as lines; `then` says what becomes of a UI.

    Raises RequestError where one of them logs runs.
    """
    found = openers(store.uri)
    if writers := [one.pid for one in found if one.is_writer]:
        raise RequestError(f"process {writers[0]} is logging runs that were trained: wait for it")
    lines = [
        f"process {one.pid} ({one_line(' '.join(one.words).strip())}) has the database open"
        for one in found
        if not one.is_ui
    ]
    if pids := ", ".join(str(one.pid) for one in found if one.is_ui):
        lines.append(f"a UI has the database open (process {pids}): {then}")
    return lines


def _begun(name: str, root: Path) -> Path | None:
    """Where this experiment was begun to be set aside by somebody who did not come to the end."""
    for path in sorted((root / "aside").glob(f"*/{PLAN}")):
        with suppress(ValueError, TypeError, KeyError, OSError):
            plan = json.loads(path.read_bytes())
            if plan["experiment"] == name and not plan["whole"]:
                return path.parent
    return None


def _begin(name: str, root: Path) -> Path:
    when = time.localtime()
    place = _free(root / "aside" / time.strftime("%Y-%m-%dT%H-%M-%S", when))
    place.mkdir(parents=True)
    now = f"{name[:LONGEST]} (set aside {time.strftime('%Y-%m-%d %H:%M:%S', when)})"
    _write_plan(place, {"experiment": name, "now": now, "whole": False})
    return place


def _write_plan(place: Path, plan: dict[str, object]) -> None:
    disk.replace(place / PLAN, json.dumps(plan).encode())


def _free(place: Path) -> Path:
    """A place of this name where nothing is yet."""
    number, free = 1, place
    while free.exists():
        number += 1
        free = place.with_name(f"{place.name}-{number}")
    return free


def _move_files(campaigns: list[str], experiment: str, spool: Spool, root: Path, place: Path) -> None:
    """Move what waits for an experiment, then its answers, and its notes last: they say which campaigns it has."""
    for path in spool.files():
        with suppress(FileNotFoundError, SpoolError):
            if read(path).destination.experiment == experiment:
                _move(path, place / path.relative_to(root))
                spool.mark(path).unlink(missing_ok=True)
    for campaign in campaigns:
        for path in (root / "sweeps" / campaign, root / "comparisons" / campaign, note_path(campaign, root)):
            if path.exists():
                _move(path, place / path.relative_to(root))


def _move(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    path.rename(_free(target))


def _forget_studies(campaigns: list[str], root: Path) -> None:
    from sandbox.sweeps.study import forget_studies

    with suppress(StoreError, *FOREIGN):  # a journal that cannot be read is made anew from MLflow
        forget_studies(campaigns, root)
