"""Does a sweep of ten thousand trials cost as much per trial at its end as at its beginning?

    .venv/bin/python -m studies.many_trials --trials 10000

Trains XOR 2-2-1 networks for 50 epochs at learning rates drawn at random, with every picture, curve and param of any
sweep, into a store of its own; and measures the seconds per thousand trials, until they are logged, the peak memory of
all processes together, and how long `sandbox doctor`, the whole command, and a search of MLflow take on what is there then.
"""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from sandbox import Config
from sandbox.sweeps import Range, Sweep, run_sweep
from sandbox.tracking import Store

PART = 1000
PAGE = os.sysconf("SC_PAGE_SIZE")


def sweep(trials: int) -> Sweep:
    """The sweep that is measured."""
    base = Config(dataset="xor", hidden=(2,), epochs=50)
    return Sweep("many", base, {"learning_rate": Range(0.01, 10.0, log=True)}, sampler="random", trials=trials, seeds=1)


class Watch(threading.Thread):
    """Looks, every half second, at the memory of all processes and at how many trials are logged."""

    def __init__(self, database: Path) -> None:
        super().__init__(daemon=True)
        self.database = database
        self.peak = 0
        self.over = threading.Event()
        self.passed: list[float] = []  # when each further thousand was logged

    def run(self) -> None:
        while not self.over.wait(0.5):
            self.peak = max(self.peak, memory_of_family())
            logged = self._logged()
            if logged >= PART * (len(self.passed) + 1):
                self.passed.append(time.perf_counter())
                click.echo(f"{logged} trials logged, {self.peak / 2**20:.0f} MB", err=True)

    def _logged(self) -> int:
        with (
            suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as store,
        ):
            return store.execute("SELECT COUNT(*) FROM runs WHERE status = 'FINISHED'").fetchone()[0]
        return 0  # a writer is still making it


def memory_of_family() -> int:
    """Bytes of resident memory of this process and its descendants; what they share counts for each."""
    parents, sizes = {}, {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            number = int(process.name)
            parents[number] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            sizes[number] = int((process / "statm").read_text().split()[1]) * PAGE
    family, before = {os.getpid()}, 0
    while len(family) > before:
        before = len(family)
        family |= {number for number, parent in parents.items() if parent in family}
    return sum(sizes.get(number, 0) for number in family)


@click.command()
@click.option("--trials", default=10_000, show_default=True)
def main(trials: int) -> None:
    """Run the sweep in an empty store and print one JSON object."""
    with TemporaryDirectory() as directory:
        root = Path(directory) / "runs"  # where the doctor's command looks
        store = Store(f"sqlite:///{root}/mlflow.db", root)
        watch = Watch(root / "mlflow.db")
        watch.start()
        begun = time.perf_counter()
        outcome = run_sweep(sweep(trials), store, root, quiet=True)
        time.sleep(1)
        watch.over.set()
        watch.join()
        seconds = [round(later - earlier, 1) for earlier, later in pairwise([begun, *watch.passed])]
        begun = time.perf_counter()
        command = [sys.executable, "-m", "sandbox", "doctor", "--json", "--tracking-uri", store.uri]
        told = subprocess.run(
            command, cwd=directory, env={**os.environ, "PYTHONPATH": os.getcwd()}, capture_output=True
        )
        findings = json.loads(told.stdout)["findings"]
        doctor = time.perf_counter() - begun
        begun = time.perf_counter()
        found = store.client.search_runs(["1"], "metrics.final_cost < 0.125", order_by=["metrics.final_cost ASC"])
        search = time.perf_counter() - begun
    report = {
        "trials": outcome.done,
        "seconds per thousand": seconds,
        "last over first": round(seconds[-1] / seconds[0], 2) if seconds else None,
        "peak memory GB": round(watch.peak / 2**30, 2),
        "doctor seconds": round(doctor, 1),
        "findings": len(findings),
        "search seconds": round(search, 1),
        "runs found": len(found),
    }
    click.echo(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
