"""What the fuzz suite stands on: commands as forks of a process that has imported everything, and what they leave.

This room of the tests mirrors none of the house: it asks all commands at once whether they can be trusted like a
database. `FUZZ_SEED` chooses other draws, `FUZZ_ONLY` the numbers (with commas between) that are drawn alone.

A command line has no NUL (no system hands one over), but whatever else there is, bytes that are no UTF-8 included.
"""

import json
import multiprocessing
import os
import re
import resource
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.tracking import Store

ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("FUZZ_SEED", "1"))
ONLY = [int(number) for number in os.environ.get("FUZZ_ONLY", "").split(",") if number]
SECONDS = 60.0  # within which a command must have ended
UI_SECONDS = 8.0  # after which whoever serves is interrupted: by then it only waits
MEMORY = 12 << 30  # bytes of address space, so that a command which wants all there is fails alone
NOISE = re.compile(r"Traceback|Warning\b|WARNING|Exception ignored")
PASSING = re.compile(r"-wal$|-shm$|\.db\.lock$|__pycache__")  # whoever reads a database holds its lock

FORKS = multiprocessing.get_context("forkserver")
LIBRARIES = ["pytest", "mlflow.store.tracking.sqlalchemy_store", "mlflow.store.artifact.local_artifact_repo"]
LIBRARIES += ["sklearn.datasets", "scipy.stats.qmc", "matplotlib.backends.backend_agg"]
OWN = [path.relative_to(ROOT).with_suffix("") for path in sorted((ROOT / "sandbox").rglob("*.py"))]
FORKS.set_forkserver_preload([*LIBRARIES, *(".".join(path.parts) for path in OWN), "tests.fuzz.house"])


class Answer(NamedTuple):
    """How a command ended: None for a command that did not, its exit code (negative: a signal) else."""

    code: int | None
    output: str
    errors: str


def call(words: Sequence[str], cwd: Path, script: str = "", name: str = "") -> Answer:
    """Run `sandbox` with these words in `cwd`; or the `script` of experiments/, its sweep called `name`, where given."""
    seconds = UI_SECONDS if words[:1] == ["ui"] else SECONDS
    process = FORKS.Process(target=_answer, args=(list(words), cwd, script, name))
    process.start()
    process.join(seconds)
    if process.is_alive() and words[:1] == ["ui"] and process.pid:
        os.kill(process.pid, signal.SIGINT)
        process.join(SECONDS)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    return Answer(code, *((cwd.parent / part).read_text(errors="replace") for part in ("output", "errors")))


def _answer(words: list[str], cwd: Path, script: str, name: str) -> None:
    """The fork's part."""
    for number, part in ((1, "output"), (2, "errors")):
        os.dup2(os.open(cwd.parent / part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(cwd)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have the tests ignore it
    os.environ["PYTHONPATH"] = str(ROOT)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.argv = ["sandbox", *words]
    from sandbox.cli import main

    if script:
        _experiment(script, name)
    main()


def _experiment(script: str, name: str) -> None:
    import importlib

    from sandbox.errors import RequestError
    from sandbox.sweeps.command import experiment

    sweep = importlib.import_module(f"experiments.{script}").SWEEP
    try:
        sweep = sweep.replace(name=name) if name else sweep
    except RequestError as error:  # a script's author sees it before there is a command
        sys.exit(print(f"error: {error}", file=sys.stderr) or 2)
    experiment(sweep)


@dataclass
class Run:
    """A run as it stands in a store's tables, whatever MLflow's client makes of it."""

    run_id: str
    name: str
    status: str
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def is_parent(self) -> bool:
        """Whether it gathers the runs of a campaign."""
        return "mlflow.parentRunId" not in self.tags and self.tags.get("sweep") == self.name


def runs_under(directory: Path) -> dict[str, Run]:
    """The runs of every SQLite store under a directory, by id, without those in the trash."""
    runs: dict[str, Run] = {}
    for path in directory.rglob("*"):
        if path.is_symlink() or not path.is_file() or path.read_bytes()[:15] != b"SQLite format 3":
            continue
        with closing(sqlite3.connect(path, timeout=20)) as database, suppress(sqlite3.DatabaseError):
            _read(database, runs)  # as far as it can be read: it may be another program's, or spoilt
    return runs


def _read(database: sqlite3.Connection, runs: dict[str, Run]) -> None:
    text = "select run_uuid, name, status from runs where lifecycle_stage = 'active'"
    for run_id, name, status in database.execute(text):
        runs[run_id] = Run(run_id, name, status)
    for table in ("tags", "params", "latest_metrics"):
        for run_id, key, value in database.execute(f"select run_uuid, key, value from {table}"):
            if run_id in runs:
                getattr(runs[run_id], table.removeprefix("latest_"))[key] = value


def empty_store(path: Path) -> bytes:
    """The bytes of a store without runs, made at `path`: to make one takes over a second."""
    Store(f"sqlite:///{path}").check()
    with closing(sqlite3.connect(path)) as database:
        database.execute("pragma wal_checkpoint(truncate)")
    return path.read_bytes()


def tree(directory: Path) -> set[str]:
    """What is under a directory, without what comes and goes."""
    paths = {str(path.relative_to(directory)) for path in directory.rglob("*")}
    return {path for path in paths if not PASSING.search(path)}


def wrong_in(answer: Answer) -> list[str]:
    """What no command may do, whatever it was asked."""
    code, output, errors = answer
    wrong = []
    if code not in (0, 1, 2):
        wrong.append(f"did not end within {SECONDS:.0f} s" if code is None else f"exit code {code}")
    if noise := NOISE.search(output + errors):
        wrong.append(f"{noise[0]}: {errors.strip().splitlines()[-1] if errors.strip() else output[-200:]}")
    lines = [line for line in errors.splitlines() if not line.startswith("note: ")]  # such as that the store was moved
    if code == 2 and not (len(lines) == 1 and lines[0].startswith("error: ")):
        wrong.append("exit code 2 without its one line")
    if code == 2 and output:
        wrong.append("exit code 2 with output")
    if code == 1 and not (output + errors).strip():
        wrong.append("exit code 1 and not a word")
    if errors.count("error: ") > 1:
        wrong.append("more than one error")
    return wrong


def as_json(output: str) -> Any:
    """The one JSON object of an output; None where there is none, or more."""
    try:
        return json.loads(output) if output.count("\n") == 1 else None
    except ValueError:
        return None


def numbers(first: int, last: int, size: int) -> list[list[int]]:
    """The numbers from `first` up to `last` in lots for a test each; those of FUZZ_ONLY alone where it is set."""
    lots = [list(range(start, min(start + size, last))) for start in range(first, last, size)]
    return [lot for whole in lots if (lot := [number for number in whole if not ONLY or number in ONLY])]


def lot_id(lot: list[int]) -> str:
    """The name of a test's lot."""
    return f"FUZZ_SEED={SEED} {lot[0]}..{lot[-1]}"
