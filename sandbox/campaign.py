"""A campaign: jobs in, ended runs out.

It is all that a sweep and a comparison have in common: the lock, the spool and the writers that log it to MLflow in
processes of their own, signals, the progress bar, the executor, and what is done already. A run counts as done once it is
in the spool.
"""

import errno
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sandbox.config import Config
from sandbox.data.storage import keep
from sandbox.errors import RequestError, one_line
from sandbox.job import Ended, Job, of_record
from sandbox.lock import AlreadyLocked, lock_of, locked
from sandbox.lot import Duty, apart
from sandbox.nn.hooks import Hook
from sandbox.note import Note
from sandbox.provenance import origin
from sandbox.record import Picture
from sandbox.sharing import Sharing
from sandbox.supply import Supply
from sandbox.tracking import Destination, Record, Store, StoreError
from sandbox.tracking.address import shown
from sandbox.tracking.claims import Claims
from sandbox.tracking.entry import Entry, Packed
from sandbox.tracking.row import ENDING
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import State, others, read_state
from sandbox.tracking.ui import is_server, url
from sandbox.tracking.writers import Writers
from sandbox.typed import typed
from sandbox.workers import Workers, of_executor

SMALLEST_BATCH, LARGEST_BATCH = 64, 1024
BATCH_SECONDS = 4.0  # a batch is made so large that it takes about as long
LOOK_SECONDS = 0.1  # between two looks of the progress bar on a terminal
OTHERS_SECONDS = 0.5  # between two looks at what other hosts have done
LINE_SECONDS = 10.0  # and between two lines of it elsewhere
STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
FULL = {errno.ENOSPC, errno.EDQUOT}
Jobs = Iterable[Sequence[Job]]


@dataclass(kw_only=True)
class Outcome:
    """How a campaign ended: FINISHED, KILLED (stopped), FAILED, or SPOOLED where `waiting` runs are still in the spool."""

    status: str = "FINISHED"
    why: str = (
        ""  # what was wrong, where the status is not FINISHED; "interrupted" where whoever has more to do should stop
    )
    before: int = 0  # runs that were done before
    waiting: int = 0
    seconds: float = 0.0

    @property
    def trouble(self) -> str:
        """What is to be said of it and done next, "" where all is well."""
        if self.waiting:
            return f"{self.waiting} runs wait in the spool ({self.why}). next: {typed('sync')}, when the store is back"
        if self.status == "FAILED":
            return f"error: {self.why}"
        if self.status == "KILLED" or self.why == "interrupted":
            return "interrupted: everything done so far is logged; the same command goes on from here"
        return ""


class Campaign:
    """The runs of one parent run: `with Campaign(...).open() as campaign: for ended in campaign.run(jobs): ...`

    `to` says where they belong, `total` how many there will be; `plan` has the configs by key where they are known
    beforehand, and `study` is how a sweep's study is made anew, for the doctor.
    `writers`: how many processes log, or the `Writers` of this store's spool, which several campaigns can share. `executor`
    (any of concurrent.futures, or what sandbox.workers opens) trains and draws elsewhere. `batch`: how many jobs are trained
    at a time, as many as take some seconds by default, beginning with `first`. `shared` is the address of a PostgreSQL by
    which several hosts can run it at once, each run on one of them (sandbox.tracking.claims).

    While it is open, `done` has the ended jobs by key, `trained` the keys of those that were trained from here, and `heirs`
    of those that another host had before. The first Ctrl-C, SIGTERM or SIGHUP finishes the batch in hand and lets the
    writers log it; the second stops at once. Nothing that was spooled is lost either way. When the store is away, training
    goes on and the spool keeps the runs: `away` says why the store could not be asked what is done.

    How it ends is written to `outcome`. `news` gives what the progress bar says; `answer` what the parent run is told at
    the end, as fields of a Record, and as `description` what the experiment is.
    """

    def __init__(
        self,
        to: Destination,
        store: Store,
        root: Path,
        outcome: Outcome,
        *,
        total: int,
        plan: Mapping[str, Config] | None = None,
        study: Mapping[str, Any] | None = None,
        quiet: bool = False,
        writers: int | Writers | None = None,
        executor: Executor | Workers | None = None,
        shared: str = "",
        batch: int | None = None,
        first: int = SMALLEST_BATCH,
    ) -> None:
        self.store, self.root, self.outcome, self.quiet = store, root, outcome, quiet
        root.mkdir(parents=True, exist_ok=True)
        self.signing = store.signing(root)
        self.to = replace(to, tags={**to.tags, **self.signing})
        self.total, self.plan, self.study = total, plan or {}, study or {}
        self.workers = None if executor is None else of_executor(executor)
        self.spool = Spool(store.uri, root, store.chosen, shared)
        self.sharing = Sharing(self.to, store, self.spool, shared)
        self.claims = self.sharing.claims
        self.batch, self._at_once = batch, batch or first
        self._own = not isinstance(writers, Writers)
        self.crew = writers if isinstance(writers, Writers) else Writers(self.spool, writers)
        self.stop = threading.Event()
        self.done: dict[str, Ended] = {}
        self.trained: set[str] = set()
        self.heirs: set[str] = set()
        self.away = ""
        self.news: Callable[[], str] = str
        self.answer: Callable[[], dict[str, Any]] = dict
        self._text, self._due, self._line_due, self._down = "", 0.0, 0.0, ""
        self._begun = self._said_others = False

    @contextmanager
    def open(self) -> Iterator["Campaign"]:
        """Hold the lock, look what is done, and at the end close the parent run and wait until all is logged.

        Raises RequestError where the campaign is under way in another process; OSError when the disk is full.
        """
        started = time.perf_counter()
        try:
            lock = locked(lock_of(self.to.campaign, self.root), wait=False)
            with lock, self.sharing.held(), _stopping(self.stop):
                settled = self._look()
                crew = closing(self.crew) if self._own else nullcontext()
                with self._progress() as self.bar, crew:
                    try:
                        yield self
                        if self.stop.is_set() and len(self.done) < self.planned:
                            self.outcome.status, self.outcome.why = "KILLED", "interrupted"
                    except BaseException as error:
                        self.outcome.status, self.outcome.why = "FAILED", str(error)
                        if isinstance(error, KeyboardInterrupt):
                            self.outcome.status, self.outcome.why = "KILLED", "interrupted"
                        raise
                    finally:
                        if self._begun or not settled:
                            with suppress(OSError):  # a full disk: the parent's end is the least of it
                                self._close_parent()
                    if self._begun or not settled:
                        self._wait()
                self.sharing.let_go(entry.key for entry in self.spool.entries(self.to.campaign))
        except AlreadyLocked:
            raise RequestError(f"{self.to.campaign} is under way in another process: wait for it, or end it") from None
        except OSError as error:
            if error.errno not in FULL:
                raise
            full = f"no room left on the disk of {self.root}: make room, and the same command goes on from here"
            raise OSError(full) from error
        finally:
            self.sharing.leave()
            self.outcome.seconds = time.perf_counter() - started

    def run(self, jobs: Jobs, hooks: Sequence[Hook] = (), pictures: Sequence[Picture] = ()) -> Iterator[Ended]:
        """Train and log what is not done, and yield all jobs as they end.

        `jobs` come in rounds: all of one have ended before the next is asked for. An executor gets copies of the `hooks`.
        """
        rounds, duty = iter(jobs), Duty(self.to, {**origin(), **self.signing}, hooks, pictures)
        while not self.stop.is_set() and (lot := next(rounds, None)) is not None:
            known = [self.done[job.key] for job in lot if job.key in self.done]
            supply = Supply([job for job in lot if job.key not in self.done], self.claims, self._known)
            keep((job.config.data for job in supply.left), self.root)
            yield from known
            while not self.stop.is_set():
                for ended, packed in self._train(supply, duty) if supply.left else ():
                    self.spool.put(packed, perhaps_logged=bool(self.away))
                    self.trained.add(ended.job.key)
                    yield self._ended(ended)
                for ended in supply.came():
                    yield self._ended(ended)
                if not (supply.left or supply.elsewhere):
                    break
                if not supply.left:
                    self._await_others(len(supply.elsewhere))
        if self.claims and not self.plan:
            yield from self._others(self.claims)

    def _others(self, claims: Claims) -> Iterator[Ended]:
        """What other hosts have done of a campaign whose runs nobody knew beforehand."""
        while (left := claims.in_hand()) and not self.stop.is_set():
            self._await_others(left)
        if not (self.stop.is_set() or (state := read_state(self.to, self.store, self.spool, whole=True)).why):
            for key in state.runs.keys() - self.done.keys():
                with suppress(RequestError):
                    yield self._ended(of_record(state.runs[key]))

    def _ended(self, ended: Ended) -> Ended:
        self.done[ended.job.key] = ended
        self.bar.update()
        self._show()
        return ended

    def _await_others(self, number: int) -> None:
        """Other hosts have the rest in hand."""
        if not self._said_others and (others := self.sharing.others()):
            self._said_others = True
            self.say(f"{number} runs are in hand of {others}: waiting for them")
        self._show()
        self.stop.wait(OTHERS_SECONDS)

    def _known(self, jobs: Sequence[Job]) -> dict[str, Ended]:
        """Those of these jobs, which another host had before, that MLflow has; what that host left undone is put aside."""
        while (state := read_state(self.to, self.store, self.spool, whole=True)).why and not self.stop.is_set():
            self.stop.wait(OTHERS_SECONDS)  # nobody can say yet
        self.heirs |= {job.key for job in jobs}
        return self.sharing.left_by_others(jobs, state)

    def _train(self, supply: Supply, duty: Duty) -> Iterator[tuple[Ended, Packed]]:
        if self.workers is not None:  # an executor may fork from a process that has few threads: the writers come later
            options: Any = {"size": self.batch, "stop": self.stop, "started": self._begin, "say": self.say}
            yield from apart(self.workers, supply, duty, **options)
            return
        self._begin()
        while not self.stop.is_set() and (batch := supply.take(self._at_once)):
            begun = time.perf_counter()
            yield from duty.packed(batch)
            if self.batch is None and time.perf_counter() - begun < BATCH_SECONDS / 2:
                self._at_once = min(2 * self._at_once, LARGEST_BATCH)

    def _look(self) -> bool:
        """Read what is done, and settle what a dead process left; whether nothing is left to settle."""
        self.say(self.spool.first_word(self.store.remark))
        self.spool.open().tidy()
        to, spools = self.to, [self.spool.directory.name]
        note = Note(to.campaign, to.experiment, self.total, list(self.plan), self.study, spools)
        self.note = replace(note, shared=self.claims.uri if self.claims else "").leave(self.root)
        claimed = self.sharing.logged()
        state = read_state(to, self.store, self.spool, whole=True)
        self._ending = max(self.note.begun, state.ending + 1)
        self._check_place(state)
        if self.store.owner and not state.parents and not state.why:
            self.say(self._word_of_others())
        for key, run in state.runs.items():
            with suppress(RequestError):  # a config of another version: not one of ours
                self.done[key] = of_record(run, self.plan.get(key))
        self.sharing.reconcile(self.done, claimed, state, self.plan)
        self.outcome.before, self.away = len(self.done), state.why
        with suppress(StoreError):
            for _, run_id in state.left_running:
                self.store.abandon(run_id)
        self.planned = len(self.done.keys() | self.plan.keys()) if self.plan else max(self.total, len(self.done))
        if len(self.done) < self.planned or not self.plan:
            self.sharing.enter(state)
        return state.parent_status == "FINISHED" and not state.left_running and not self.spool.files()

    def _check_place(self, state: State) -> None:
        chosen = self.store.chosen
        if chosen and state.place and not state.place.startswith(chosen.rstrip("/")):
            self.say(f"note: experiment {self.to.experiment} keeps its artifacts in {state.place}, not in {chosen}")

    def _word_of_others(self) -> str:
        """Who else has run this to its end, as a line to print, "" where nobody has."""
        found = others(self.to, self.store)
        if not found:
            return ""
        first, uri = found[0], self.store.uri
        look = f"run {first.run_id}, {typed('ui', *self.store.words)}"
        if is_server(uri):
            look = url(shown(uri), first.experiment_id, first.run_id)
        names = list(dict.fromkeys(one_line(one.user).strip("'") for one in found))
        more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
        return f"note: {names[0]}{more} has run this before you, and you get runs of your own. To look: {look}"

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._rejected = self.crew.rejected
            self.crew.start()

    def _close_parent(self) -> None:
        if self.claims:
            if self.outcome.status != "FINISHED" and self.sharing.others():
                return  # they go on, and end it
            self._ending = self.claims.ending()
        now = time.time_ns() // 1_000_000
        answer = self.answer()
        to = replace(self.to, description=answer.pop("description", self.to.description))
        answer["tags"] = {**answer.get("tags", {}), ENDING: str(self._ending), **self.sharing.closing()}
        record = Record(self.to.campaign, self.outcome.status, now, now, **answer)
        self.spool.put(Entry(to, record, closing=True))
        self.spool.sync()

    def _remark(self) -> None:
        """What the writers have to say of the store, once."""
        if self.crew.remark:
            what, self.crew.remark = self.crew.remark, ""
            self.say(f"note: MLflow's tables are others than are known ({what}): its client logs, which takes longer")

    def _wait(self) -> None:
        """Wait for the writers, and say what became of it."""
        self._begin()
        outcome = self.outcome
        if self.crew.wait(lambda: self._show("{} to be logged; ")):
            self._show()
            if self.stop.is_set():  # perhaps only now, when all was trained: whoever has more to do should know
                outcome.why = "interrupted"
            if self._own:
                self.crew.close()
                self.crew.join()
            self._remark()
            if aside := self.crew.rejected - self._rejected:
                outcome.status = "FAILED"
                outcome.why = (
                    f"{aside} runs could not be logged and were set aside. next: {typed('doctor')}, which names them"
                )
            elif self.away and outcome.status == "FINISHED":
                self._look_again()
            return
        if self._own:
            self.crew.stop()
        outcome.waiting = self.spool.count()
        outcome.why = self.crew.down or "the store is silent"
        outcome.status = "SPOOLED" if outcome.status == "FINISHED" else outcome.status

    def _progress(self) -> tqdm:
        """The progress bar; where there is no terminal, a line now and then."""
        pause = self._pause = LOOK_SECONDS if sys.stderr.isatty() else LINE_SECONDS
        self._line_due = time.monotonic() + pause
        return tqdm(
            total=self.planned,
            initial=len(self.done),
            desc=one_line(self.to.experiment).strip("'"),
            unit="run",
            disable=self.quiet,
            dynamic_ncols=True,
            mininterval=pause,
            maxinterval=pause,
        )

    def _look_again(self) -> None:
        """What nobody could ask the store before: whether it has what was taken for done."""
        state = read_state(self.to, self.store, self.spool)
        if state.why:
            self.outcome.status, self.outcome.why = "FAILED", state.why
        elif missing := self.note.missing(state.told):
            why = f"{missing} runs that were taken for done are not in the store: the same command, once more, trains them"
            self.outcome.status, self.outcome.why = "FAILED", why

    def _show(self, waiting: str = "") -> None:
        """What the progress bar says beside the count; looked up anew twice a second, however fast the runs come.

        When the store goes away, and when it is back, that is a line of its own.
        """
        now = time.monotonic()
        if now < self._due:
            return
        self._due, self._text = now + 0.5, self.news()
        self._remark()
        if (down := self.crew.down or "") and not self._down:
            self.say(f"{down}: training goes on, runs wait in the spool")
        elif self._down and not down:
            self.say("the store is back")
        self._down = down
        if down:
            self._text = f"STORE AWAY, {self.spool.count()} runs wait in the spool; {self._text}"
        self.bar.set_postfix_str(waiting.format(self.spool.count()) + self._text, refresh=False)
        if waiting and now >= self._line_due:  # nothing else moves it
            self._line_due = now + self._pause
            self.bar.refresh()

    def say(self, line: str) -> None:
        """Print a line beside the bar, unless it is quiet or there is nothing to say."""
        if line and not self.quiet:
            tqdm.write(line, file=sys.stderr)


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """The first SIGINT, SIGTERM or SIGHUP sets the event; the second raises KeyboardInterrupt."""

    def answer(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        with suppress(OSError):  # the terminal may be what has gone
            tqdm.write("finishing the batch in hand; again to stop at once", file=sys.stderr)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [number for number in STOPPING if signal.getsignal(number) != signal.SIG_IGN]  # nohup
    before = {number: signal.signal(number, answer) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
