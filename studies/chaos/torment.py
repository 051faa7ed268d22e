"""What is done to campaigns while they run, and between two runs of them."""

import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sandbox import Config
from sandbox.comparison import parse_arm
from sandbox.comparison.driver import run_comparison
from sandbox.comparison.protocol import Comparison
from sandbox.doctor import examine
from sandbox.doctor.draining import drain_all
from sandbox.sweeps import Range, Sweep, choice, run_sweep
from sandbox.sweeps.journal import JOURNAL, JournalError
from sandbox.tracking import Store
from sandbox.tracking.spool import Spool
from studies.chaos.faults import faults, faults_of

FURTHER = 5  # trials that are added to a sweep for every round
WHO = "chaos"  # who they all belong to: on a server and in a file the same campaign
BASE = Config(dataset="xor", hidden=(2,), epochs=60)
SPACE = {"learning_rate": Range(0.01, 10.0, log=True), "initializer": choice("xavier", "he")}
SWEEPS = [
    Sweep("chaos random", BASE, SPACE, sampler="random", trials=FURTHER, seeds=1, owner=WHO),
    Sweep("chaos tpe", BASE, SPACE, sampler="tpe", trials=FURTHER, seeds=2, owner=WHO),
]
ARMS = (parse_arm("raw: hidden=none"), parse_arm("deep: hidden=4"))
COUNTS: dict[str, Any] = {"repetitions": 2, "seeds": 3, "trials": 3, "finalists": 2, "draws": 2, "epochs": 60}
COMPARISON = Comparison(datasets=("circle",), sizes=(16,), arms=ARMS, owner=WHO, **COUNTS)
NOWHERE = "http://127.0.0.1:1"
Work = Sweep | Comparison
FORK = multiprocessing.get_context("fork")


def store_of(root: Path, uri: str | None = None) -> Store:
    """The usual store in a folder, or another, as WHO."""
    return Store(uri, root, user=WHO)


def run_here(work: Work, store: Store, root: Path) -> Any:
    """Run a sweep or a comparison; its outcome."""
    if isinstance(work, Sweep):
        return run_sweep(work, store, root, quiet=True, batch=8)
    return run_comparison(work, store, root, quiet=True)


def drive(work: Work, uri: str | None, root: Path, back: int = 0) -> None:
    """The driver's process, whose clock is so many seconds back."""
    now, now_ns = time.time, time.time_ns
    time.time, time.time_ns = lambda: now() - back, lambda: now_ns() - back * 10**9
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    sys.exit(run_here(work, store_of(root, uri), root).status != "FINISHED")


def apart(function: Callable, *arguments: Any) -> Any:
    """What a function gives, in a process of its own: this one, which is forked, has no connection to a database."""
    with FORK.Pool(1) as pool:
        return pool.apply(function, arguments)


def wrong_with(work: Work, root: Path, deep: bool = False) -> list[str]:
    """What an independent look finds wrong."""
    store = store_of(root)
    try:
        return faults(work, store, root, deep=deep) if isinstance(work, Sweep) else faults_of(work, store)
    except JournalError as error:
        return [str(error)]


def findings(root: Path, repair: bool = False) -> list[tuple[str, str]]:
    """What the doctor finds: where, and what."""
    return [(finding.campaign, finding.what) for finding in examine(store_of(root), root, repair=repair).findings]


def writers_of(root: Path) -> list[int]:
    """The numbers of the writers' processes."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"sandbox.tracking.writer" in words and str(root).encode() in b" ".join(words):
                found.append(int(process.name))
    return found


@dataclass
class Torment:
    """Campaigns by turns in a folder below `base`, and what was done to them."""

    base: Path
    luck: random.Random
    sweeps: list[Sweep] = field(default_factory=lambda: list(SWEEPS))
    comparisons: list[Comparison] = field(default_factory=lambda: [COMPARISON])
    done: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    moves: int = 0

    @property
    def root(self) -> Path:
        """Where everything is, for now."""
        return self.base / f"place {self.moves}" / "runs"

    def round(self, number: int) -> str:
        """One round: something is run, something happens, and the doctor must see it; what it was."""
        place = number % 3
        if place < 2:
            work = self.sweeps[place]
            work = self.sweeps[place] = work.replace(trials=(work.trials or 0) + FURTHER)
        else:
            work = self.comparisons[-1]
        name = list(FAULTS)[number % len(FAULTS)]
        code = FAULTS[name](self, work)
        what = f"{'sweep' if place < 2 else 'comparison'}, {name}"
        self.done[what] += 1
        self._wait_for_writers()
        wrong, named = apart(wrong_with, work, self.root), apart(findings, self.root)
        if wrong and not any(campaign in (work.id, "spool") for campaign, _ in named):
            self.wrong.append(f"round {number}, {what}: the doctor does not see {wrong}")
        if self.luck.random() < 0.2:
            apart(findings, self.root, True)
        if place == 2 and code == 0:
            self.comparisons.append(COMPARISON.replace(first_seed=100 * len(self.comparisons)))
        return f"{what}: {len(wrong)} things wrong, {len(named)} named"

    def _start(self, work: Work, uri: str | None = None, back: int = 0) -> BaseProcess:
        driver = FORK.Process(target=drive, args=(work, uri, self.root, back))
        driver.start()
        return driver

    def _end(self, driver: BaseProcess) -> int | None:
        driver.join()
        return driver.exitcode

    def _wait_for_writers(self) -> None:
        while writers_of(self.root):
            time.sleep(0.05)

    def _kill_writers(self) -> None:
        for writer in writers_of(self.root):
            with suppress(ProcessLookupError):
                os.kill(writer, signal.SIGKILL)

    def _wait_for_a_moment(self, driver: BaseProcess) -> None:
        """Some milliseconds, or until some files have come into the spool or gone out of it."""
        changes, files = self.luck.choice([0, 1, 2, 4, 8, 12]), set(self.root.glob("spool/*/*.run"))
        while changes > 0 and driver.is_alive():
            time.sleep(0.005)
            now = set(self.root.glob("spool/*/*.run"))
            changes -= len(now ^ files)
            files = now
        time.sleep(self.luck.uniform(0.0, 0.1 if files else 1.5))

    def kill(self, work: Work, back: int = 0) -> int | None:
        """`kill -9` of the driver, the writers or all of them."""
        driver = self._start(work, back=back)
        self._wait_for_a_moment(driver)
        who = self.luck.choice(["driver", "writers", "all"])
        if who != "driver":
            self._kill_writers()
        if who != "writers":
            driver.kill()
        return self._end(driver)

    def signal_soon(self, work: Work) -> int | None:
        """A signal within the first second."""
        driver = self._start(work)
        time.sleep(self.luck.uniform(0.0, 1.0))
        with suppress(ProcessLookupError):
            os.kill(driver.pid or 0, self.luck.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
        return self._end(driver)

    def set_clock_back(self, work: Work) -> int | None:
        """A driver whose clock is some hours or days before those of the others, and is killed or not."""
        back = self.luck.choice([3600, 86_400, 10_000_000])
        return self.kill(work, back) if self.luck.random() < 0.5 else self._end(self._start(work, back=back))

    def move(self, work: Work) -> int | None:
        """The folder is moved after a run that was killed; the next one finds it elsewhere."""
        code = self.kill(work)
        self._kill_writers()
        before = self.root.parent
        before.mkdir(exist_ok=True)
        self.moves += 1
        before.rename(self.root.parent)
        self._end(self._start(work))
        if before.exists():
            self.wrong.append(f"{before} came back after it was moved")
        return code

    def away_for_good(self, work: Work) -> int | None:
        """A store that never answers; what it was to have goes to the usual one."""
        driver = self._start(work, NOWHERE)
        if self.luck.random() < 0.5:
            self._wait_for_a_moment(driver)
            driver.kill()
        self._end(driver)
        self._wait_for_writers()
        apart(_drain_to_usual, self.root)
        return 1

    def poison(self, work: Work) -> int | None:
        """Files in the spool that nobody can log."""
        spool = Spool(store_of(self.root).uri, self.root).open()
        whole = next(iter(spool.files()), None)
        for number in range(3):
            path = spool.directory / f"{self.luck.randrange(10**19):020d}-1-poison{number}.run"
            content = bytearray(whole.read_bytes() if whole and number else self.luck.randbytes(500))
            content[self.luck.randrange(len(content))] ^= 0xFF
            path.write_bytes(content[: self.luck.randrange(1, len(content))])
        return self._end(self._start(work))

    def spoil_journal(self, work: Work) -> int | None:
        """A line of Optuna's journal that is no JSON."""
        code = self.kill(work)
        self._wait_for_writers()
        journal = self.root / JOURNAL
        if journal.exists() and (lines := journal.read_bytes().splitlines(keepends=True)):
            lines[self.luck.randrange(len(lines))] = b"no JSON\n"
            journal.write_bytes(b"".join(lines))
        return code

    def delete_in_the_ui(self, work: Work) -> int | None:
        """The parent run goes to MLflow's trash, or a run's artifacts are lost."""
        code = self._end(self._start(work))
        self._wait_for_writers()
        apart(_delete, work, self.root, self.luck.random())
        return code if code else 1  # a comparison is not done with


def _drain_to_usual(root: Path) -> None:
    drain_all(root, store_of(root).uri)


def _delete(work: Work, root: Path, luck: float) -> None:
    client = store_of(root).client
    runs = client.search_runs([one.experiment_id for one in client.search_experiments()], f"tags.sweep = '{work.id}'")
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    drawn = [run for run in runs if run.data.tags.get("files")]
    if luck < 0.5 and parents:
        client.delete_run(parents[0].info.run_id)
    elif drawn:
        shutil.rmtree(str(drawn[0].info.artifact_uri))


FAULTS: dict[str, Callable[[Torment, Any], int | None]] = {
    "killed": Torment.kill,
    "signal in the first second": Torment.signal_soon,
    "clock set back": Torment.set_clock_back,
    "folder moved": Torment.move,
    "store away for good": Torment.away_for_good,
    "spool poisoned": Torment.poison,
    "journal spoilt": Torment.spoil_journal,
    "deleted in the UI": Torment.delete_in_the_ui,
}
