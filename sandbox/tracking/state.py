"""What is known of a campaign: its runs in MLflow, and those that wait in the spool."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from sandbox.host import disk_of, host_of
from sandbox.tracking.address import local_path
from sandbox.tracking.artifacts import count_files
from sandbox.tracking.connection import StoreError, impatient, reporting
from sandbox.tracking.entry import Destination, Record, key_of
from sandbox.tracking.reading import search
from sandbox.tracking.row import ABANDONED, AT_WORK, FILES, HOST, PARENT, PRUNED
from sandbox.tracking.spool import Spool
from sandbox.tracking.store import Store, ending_of
from sandbox.tracking.user import USER


class Logged(NamedTuple):
    """An ended run in MLflow: its id, its parent's, where its artifacts are, and how many there should be."""

    run_id: str
    parent: str
    place: str
    files: int

    @property
    def lost(self) -> bool:
        """Whether artifacts of it are gone that this machine should have."""
        directory = local_path(self.place) if self.files else None
        return directory is not None and count_files(directory) < self.files


@dataclass
class State:
    """What a campaign has come to: the keys of its ended runs, where they are in MLflow, and what a dead process left.

    `runs` has the ended runs by key, those of MLflow with their last values, where the `whole` of them was asked for.
    """

    told: set[str] = field(default_factory=set)  # the keys of all ended runs
    runs: dict[str, Record] = field(default_factory=dict)
    logged: dict[str, list[Logged]] = field(default_factory=dict)  # key -> its ended runs in MLflow
    left_running: list[tuple[str, str]] = field(default_factory=list)  # (key, run id): nobody writes them now
    elsewhere: list[tuple[str, str]] = field(default_factory=list)  # the same, of other hosts: somebody may write them
    hosts: set[str] = field(default_factory=set)  # the other hosts whose runs, or whose parent run, are RUNNING
    parents: list[tuple[str, str]] = field(default_factory=list)  # (run id, status), the oldest first
    ending: int = 0  # the number of the parent's latest ending
    place: str = ""  # where the experiment keeps its artifacts
    why: str = ""  # why MLflow could not be asked

    @property
    def parent(self) -> str | None:
        """The id of the parent run, None where there is none."""
        return self.parents[0][0] if self.parents else None

    @property
    def parent_status(self) -> str:
        """That of the parent run, "" where there is none."""
        return self.parents[0][1] if self.parents else ""

    def inherit(self) -> None:
        """Take what other hosts left RUNNING for left by a dead process: none of them is at work any more."""
        self.left_running += self.elsewhere
        self.elsewhere, self.hosts = [], set()

    def not_below(self, parent: str | None) -> list[str]:
        """The ids of ended runs that are not below this run."""
        return [one.run_id for found in self.logged.values() for one in found if one.parent != parent]

    @cached_property
    def bare(self) -> list[str]:
        """The ids of ended runs that have lost artifacts."""
        return [one.run_id for found in self.logged.values() for one in found if one.lost]


class Whereabouts(NamedTuple):
    """The ids of a campaign's `parent` run and, by the keys of jobs, of its `runs`; the `places` of their artifacts."""

    parent: str
    runs: dict[str, str]
    places: dict[str, str]


def whereabouts(to: Destination, store: Store, spool: Spool, keys: Iterable[str]) -> Whereabouts:
    """Where the runs of a campaign are. Raises StoreError where the store has not all that have these keys."""
    state = read_state(to, store, spool)
    runs = {key: rows[0].run_id for key, rows in state.logged.items()}
    if not state.parents or any(key not in runs for key in keys):
        raise StoreError(state.why or "its runs are not in the store")
    return Whereabouts(state.parents[0][0], runs, {key: rows[0].place for key, rows in state.logged.items()})


def read_state(to: Destination, store: Store, spool: Spool, *, whole: bool = False) -> State:
    """Look in the spool first, then in MLflow: a run on its way from one to the other is seen twice, never missed.

    A store that is away or silent is not waited for: `why` then says so.
    """
    state = State()
    for entry in spool.entries(to.campaign):
        state.told.add(entry.key)
        if whole:
            state.runs.setdefault(entry.key, entry.record)
    try:
        if store.exists():
            with impatient(), reporting(store.uri):
                _of_store(to, store, state, host_of(spool.root), whole=whole)
    except StoreError as error:
        state.why = str(error)
    if state.left_running:  # a writer may have them in hand, even that of a driver which died
        in_hand = spool.in_hand()
        state.left_running = [(key, run_id) for key, run_id in state.left_running if key not in in_hand]
    return state


def _of_store(to: Destination, store: Store, state: State, here: str, *, whole: bool) -> None:
    place = store.reader.place(to.experiment)
    if place is None:
        return
    state.place = place.artifacts  # of one in the trash, too: whoever logs to it next restores it, with its runs
    for row in store.reader.rows(place, to.campaign, whole=whole):
        key, tags = key_of(row.tags), row.tags
        ours = disk_of(tags.get(HOST, here)) == disk_of(here)  # a machine may be called otherwise than it was
        if row.status == "RUNNING" and not ours:
            state.hosts.add(tags[HOST])
        if PARENT not in tags:
            state.ending = state.ending if state.parents else ending_of(tags)
            state.parents.append((row.run_id, row.status))
        elif row.status == "RUNNING":
            (state.left_running if ours else state.elsewhere).append((key, row.run_id))
        elif (
            key and ABANDONED not in tags and (row.status == "FINISHED" or (row.status == "KILLED" and PRUNED in tags))
        ):
            files = int(tags[FILES]) if tags.get(FILES, "").isdecimal() else 0
            state.logged.setdefault(key, []).append(Logged(row.run_id, tags[PARENT], row.place, files))
            if row.sound:  # otherwise somebody has given it a figure that no run of ours can have
                state.told.add(key)
                if whole and key not in state.runs:
                    state.runs[key] = row.record


def at_work(tags: Mapping[str, str]) -> dict[str, str]:
    """The hosts that are at work, as the tags of a parent run say, and in which process."""
    return {key.removeprefix(AT_WORK): how for key, how in tags.items() if key.startswith(AT_WORK)}


class Other(NamedTuple):
    """The parent run of somebody else's campaign."""

    user: str
    experiment_id: str
    run_id: str


def others(to: Destination, store: Store) -> list[Other]:
    """Who else has run the campaign of this store's user to its end, the first first; none where nobody answers."""
    alike, found = to.campaign.removesuffix(f"-{store.owner}"), []
    text = f"tags.sweep LIKE '{alike}%' AND tags.`{PARENT}` IS NULL AND attributes.status = 'FINISHED'"
    with suppress(StoreError), impatient(), reporting(store.uri):
        place = store.reader.place(to.experiment) if store.exists() else None
        for run in search(store.client, [place.experiment_id], text) if place and not place.deleted else ():
            theirs = run.data.tags["sweep"]
            if theirs != to.campaign and f"{theirs}-".startswith(f"{alike}-"):
                found.append(Other(run.data.tags.get(USER, "somebody"), run.info.experiment_id, run.info.run_id))
    return found
