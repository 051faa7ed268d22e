"""The doctor: compares what a campaign should have come to with MLflow, the spool and Optuna, and mends what disagrees."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from sandbox.errors import RequestError
from sandbox.job import Ended, of_record
from sandbox.lock import AlreadyLocked, lock_of, locked
from sandbox.note import Note
from sandbox.options import RUNS, store_options
from sandbox.tracking import Destination, Record, Store, StoreError
from sandbox.tracking.connection import impatient, shown
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import State, read_state

AGAIN, MENDING = "its command, once more", "sandbox doctor --repair"


@dataclass
class Finding:
    """One thing that disagrees: where, what, and what mends it."""

    campaign: str
    what: str
    remedy: str = ""


@dataclass
class Examination:
    """What the doctor saw: the campaigns, those that are under way, and the findings."""

    campaigns: list[str] = field(default_factory=list)
    alive: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def examine(store: Store, root: Path, *, repair: bool = False) -> Examination:
    """Examine every campaign under `root` whose runs go to this store; `repair` mends before it looks.

    Campaigns that are under way in another process at this moment are named and left alone. Raises StoreError where the
    store does not answer.
    """
    if store.exists():
        store.check()
    seen, spool = Examination(), Spool(store.uri, root)
    for note in Note.all(root):
        if spool.directory.name not in note.spools:
            continue
        name, to = note.campaign, Destination(note.experiment, campaign=note.campaign)
        try:
            with locked(lock_of(name, root), wait=False):
                state = _look(to, store, spool)
                if repair and mend(note, state, store, root):
                    state = _look(to, store, spool)
                seen.findings += [Finding(name, *one) for one in _compare(note, state, root)]
                seen.campaigns.append(name)
        except AlreadyLocked:
            seen.alive.append(name)
    for one in Spool.all(root):
        one.tidy()
        for path, why in one.rejected().items():
            what = f"{path} was set aside: {why or 'it cannot be read'}"
            seen.findings.append(Finding("spool", what, f"run its sweep again, then remove {path}"))
        if (waiting := len(one.files())) and not seen.alive:  # else somebody is about it
            seen.findings.append(Finding("spool", f"{waiting} files wait for {shown(one.uri)}", "sandbox sync"))
    return seen


def _look(to: Destination, store: Store, spool: Spool) -> State:
    state = read_state(to, store, spool)
    if state.why:
        raise StoreError(state.why)
    return state


def _compare(note: Note, state: State, root: Path) -> list[tuple[str, str]]:
    """What disagrees, and what mends it."""
    told, keys = set(state.runs), set(note.keys)
    missing = len(keys - told) if keys else note.total - len(told)
    doubled = [key for key, ids in state.logged.items() if len(ids) > 1]
    counts = [
        (max(0, missing), "planned trials are not done", AGAIN),
        (len(doubled), "trials are in MLflow more than once", MENDING),
        (len(state.left_running), "runs in MLflow were left RUNNING", MENDING),
    ]
    if study := _study(note, root):
        from sandbox.sweeps.study import KEY, ended_trials, running_trials

        in_optuna = Counter(trial.user_attrs[KEY] for trial in ended_trials(study))
        counts += [
            (len(set(in_optuna) - told), "trials of Optuna's are neither in MLflow nor in the spool", AGAIN),
            (len(told - set(in_optuna)), "runs are not in Optuna's store", AGAIN),
            (sum(count > 1 for count in in_optuna.values()), "trials are in Optuna's store more than once", ""),
            (len(running_trials(study)), "trials of Optuna's were left RUNNING", MENDING),
        ]
    elif note.objective:
        counts.append((len(told), "runs are not in Optuna's store", AGAIN))
    found = [(f"{count} {what}", remedy) for count, what, remedy in counts if count]
    if state.parent_status == "RUNNING":
        found.append(("the parent run was left RUNNING", MENDING))
    return found


def _study(note: Note, root: Path) -> Any:
    """Optuna's study of a campaign; None where it is no sweep, or has none."""
    if not note.objective:
        return None
    from sandbox.sweeps.study import known_study

    return known_study(note.campaign, note.objective, root)


def mend(note: Note, state: State, store: Store, root: Path) -> int:
    """Mend what can be mended without training: what a dead process left, and doubles; how many things in MLflow."""
    if study := _study(note, root):
        from sandbox.sweeps.study import settle

        settle(study, ended_of(state))
    for _, run_id in state.left_running:
        store.abandon(run_id)
    parents = [state.parent] if state.parent is not None and state.parent_status == "RUNNING" else []
    for run_id in parents:
        store.close_parent(run_id, Record(note.campaign, "KILLED", 0, 0))
    doubles = [run_id for ids in state.logged.values() for run_id in ids[1:]]
    for run_id in doubles:
        store.delete(run_id)
    return len(state.left_running) + len(parents) + len(doubles)


def ended_of(state: State) -> dict[str, Ended]:
    """The ended jobs of a state by key; runs whose params are none of Config's are passed over."""
    ended = {}
    for key, run in state.runs.items():
        try:
            ended[key] = of_record(run)
        except RequestError:
            continue
    return ended


def drain_all(root: Path, uri: str | None = None) -> dict[str, tuple[int, int, str]]:
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


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended without training.")
@store_options
def doctor(repair: bool, tracking_uri: str | None, as_json: bool) -> int:
    """Compare the plan, Optuna's store, MLflow and the spool; exit 1 if anything disagrees."""
    seen = examine(Store(tracking_uri, RUNS), RUNS, repair=repair)
    if as_json:
        click.echo(json.dumps(asdict(seen)))
    else:
        for finding in seen.findings:
            click.echo(f"{finding.campaign}: {finding.what}" + (f". next: {finding.remedy}" if finding.remedy else ""))
        for name in seen.alive:
            click.echo(f"{name}: runs in another process, left alone")
        if not seen.findings:
            click.echo(f"{len(seen.campaigns)} sweeps and comparisons examined: nothing disagrees")
    return 1 if seen.findings else 0


@click.command()
@store_options
def sync(tracking_uri: str | None, as_json: bool) -> int:
    """Log the runs that wait in the spool, now that their store is back."""
    reports = drain_all(RUNS, tracking_uri)
    failed = any(why or rejected for _, rejected, why in reports.values())
    if as_json:
        words = ("logged", "rejected", "why")
        click.echo(json.dumps({uri: dict(zip(words, report, strict=True)) for uri, report in reports.items()}))
        return int(failed)
    for uri, (logged, rejected, why) in reports.items():
        if logged or rejected or not why:
            aside = f", {rejected} files set aside (sandbox doctor)" if rejected else ""
            click.echo(f"{logged} runs logged to {uri}{aside}")
        if why:
            click.echo(
                f"error: {why}. The spool keeps what waits. next: sandbox sync, when the store is back", err=True
            )
    if not reports:
        click.echo("the spool is empty")
    return int(failed)
