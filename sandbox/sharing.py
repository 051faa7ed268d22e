"""Which hosts run a campaign: several at once by claims (sandbox.tracking.claims), or one, which keeps the others out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress

from sandbox.config import Config
from sandbox.errors import RequestError
from sandbox.host import disk_of
from sandbox.job import Ended, Job, ended_as, of_record
from sandbox.tracking import Destination, Store, StoreError
from sandbox.tracking.address import sqlite_path
from sandbox.tracking.claims import Came, Claims, ClaimsError
from sandbox.tracking.connection import impatient
from sandbox.tracking.row import AT_WORK, HOST, PROCESS
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import State, at_work
from sandbox.tracking.writer import Writer
from sandbox.typed import typed

SHARERS = "hosts that share it"  # these have one flag together: their leases say who of them is at work


class Sharing:
    """What one host does about the others that run its campaign; `shared` is the address of their PostgreSQL, or "".

    While it is at work, a tag of the parent run says so: hosts without claims, or with and without, are never there at once.
    """

    def __init__(self, to: Destination, store: Store, spool: Spool, shared: str) -> None:
        self.to, self.store, self.spool = to, store, spool
        self.host, self.process = to.tags[HOST], to.tags[PROCESS]
        self.claims = Claims(shared, to.campaign, self.host, self.process).check() if shared else None
        self._parent = ""  # the run that has our flag

    def held(self) -> AbstractContextManager[None]:
        """While its claims are kept."""
        return self.claims.held() if self.claims else nullcontext()

    def alone(self, what: str) -> AbstractContextManager[None]:
        """While no other host does the same."""
        return self.claims.alone(what) if self.claims else nullcontext()

    def logged(self) -> dict[str, Came]:
        """How those runs ended of which some host has said that they are logged."""
        return self.claims.logged() if self.claims else {}

    def enter(self, state: State) -> None:
        """Say in MLflow that this host is at work. Raises RequestError where another one is that does not share.

        Each says so first and looks then: of two that begin at once none overlooks the other. In an SQLite file, which hosts
        cannot share, nobody says so, and its runs tell who is at work.
        """
        if self.claims is None and state.hosts:
            run = self.store.run(state.parent) if state.parent else None
            tags = run.data.tags if run else {}
            self._refuse({host: tags.get(PROCESS, "") if tags.get(HOST) == host else "" for host in state.hosts})
        if not state.why and sqlite_path(self.store.uri) is None:
            with suppress(StoreError), impatient():  # it has gone just now: training goes on
                self._raise_flag(state)

    def _raise_flag(self, state: State) -> None:
        experiment, parent = Writer(self.spool, self.store).place(self.to)
        assert parent is not None
        self._parent = parent
        self.store.tag(parent, self._flag(self.process))
        parents, others = [*self.store.parents(experiment, self.to.campaign)], dict[str, str]()
        for run in parents:
            others |= at_work(run.data.tags)
        try:
            self._refuse({host: how for host, how in others.items() if not (self.claims and host == SHARERS)})
        except RequestError:
            self.leave()
            if parent not in [run_id for run_id, _ in state.parents] and len(parents) > 1:
                self.store.delete(parent)  # it was made just now, beside another host's
            raise
        self.store.tag(parent, {HOST: self.host, PROCESS: self.process})

    def _refuse(self, others: Mapping[str, str]) -> None:
        """Raises RequestError where others of these hosts, each with its process, are at work."""
        others = {host: how for host, how in others.items() if disk_of(host) != disk_of(self.host)}
        if not others:
            return
        host, how = min(others.items())
        process = f" (process {how})" if how else ""
        left = typed("doctor", "--repair", "--gone", host, *self.store.words)
        raise RequestError(
            f"{self.to.campaign} is under way on {host}{process}, or was left so: hosts share it where each is given the "
            f"same --study-uri; if that host is gone, {left} gives up what it left"
        )

    def _flag(self, how: str) -> dict[str, str]:
        return {f"{AT_WORK}{SHARERS if self.claims else self.host}": how}

    def closing(self) -> dict[str, str]:
        """The tags by which the end of the parent run takes the flag away."""
        self._parent = ""
        return {} if sqlite_path(self.store.uri) else self._flag("")

    def leave(self) -> None:
        """Take the flag away, where the end of the parent run has not."""
        if self._parent:
            with suppress(StoreError, ClaimsError), impatient():
                if not self.others():
                    self.store.tag(self._parent, self._flag(""))
            self._parent = ""

    def reconcile(
        self, done: dict[str, Ended], logged: Mapping[str, Came], state: State, plan: Mapping[str, Config]
    ) -> None:
        """What waits here and another host has meanwhile is not ours; what is logged nowhere any more is to do again."""
        if self.claims is None:
            return
        waiting = [key for key in done if key not in state.logged]
        ours = self.claims.take(waiting)
        for key in [key for key in waiting if key not in ours]:
            del done[key]
        if not state.why:
            self.claims.reopen([key for key in logged if key not in state.logged])
            return
        for key, came in logged.items():  # MLflow is away: what is said to be logged is
            if key in plan and key not in done:
                done[key] = ended_as(Job(plan[key], ""), came.status, came.metrics)

    def left_by_others(self, jobs: Sequence[Job], state: State) -> dict[str, Ended]:
        """Those of these jobs, which another host had before, that MLflow has; what it left undone goes to the trash."""
        keys = {job.key: job for job in jobs}
        with suppress(StoreError):
            for key, run_id in [*state.left_running, *state.elsewhere]:
                if key in keys:
                    self.store.delete(run_id)
        found = {key: state.runs[key] for key in keys.keys() & state.logged.keys() & state.runs.keys()}
        return {key: of_record(run, keys[key].config) for key, run in found.items()}

    def let_go(self, kept: Iterable[str]) -> None:
        """Let other hosts have what this one has claimed, but what it keeps: that waits in its spool."""
        if self.claims:
            with suppress(ClaimsError):
                self.claims.give_back([*kept])

    def others(self) -> str:
        """The other hosts that are at work now, as words, "" where there are none."""
        found: Collection[tuple[str, str]] = self.claims.others() if self.claims else ()
        return " and ".join(f"{host} (process {process})" for host, process in found)
