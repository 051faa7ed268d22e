"""What limits a million runs? Measures on a PostgreSQL here, simulates 1 to 256 workers, and brings scale.md up to date.

OPENBLAS_NUM_THREADS=1 .venv/bin/python -m studies.scale           # half an hour, 13 GB of disk meanwhile
OPENBLAS_NUM_THREADS=1 .venv/bin/python -m studies.scale --quick   # a minute: small, and keeps nothing
.venv/bin/python -m studies.scale --again                          # from measured.json, without measuring
"""

import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import click

from sandbox.tracking import Store
from sandbox.tracking.connection import set_environment
from studies.postgresql import is_installed, passing
from studies.scale import database, messages, picture, services
from studies.scale.calibration import calibrate
from studies.scale.processor import load
from studies.scale.scenarios import services as services_of
from studies.scale.tables import entered, printed, tables
from studies.scale.work import jobs, sweep, templates

MEASURED = Path(__file__).parent / "measured.json"
PAGE = Path(__file__).parent.parent / "scale.md"


PARTS: tuple[str, ...] = ("messages", "workers", "start", "drivers", "calibration", "slopes")
KINDS = {"drawn": True, "bare": False}


class Plan(NamedTuple):
    """How much is measured."""

    sizes: tuple[int, ...] = (1_000, 3_000, 10_000, 30_000, 100_000)  # runs in the database
    batches: tuple[int, ...] = (1, 8, 32, 128)
    repeats: int = 2
    trials: int = 1_000  # through driver and writer
    start: int = 10_000  # trials of a plan and a journal
    tasks: int = 500
    calibration: tuple[int, int] = (32, 160)
    sweeps: int = 1  # of each length


Part = Callable[[Plan, dict[str, Any]], Iterator[None]]
QUICK = Plan((200, 400), (1, 8), 1, 60, 300, 200, (32, 128))


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="A small version, in about a minute, that keeps nothing.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Measure one part anew (may be given again).")
@click.option("--again", is_flag=True, help="Measure nothing: tables and figure from measured.json.")
def main(quick: bool, only: tuple[str, ...], again: bool) -> None:
    if not (again or is_installed()):
        raise click.ClickException("PostgreSQL is not installed (Debian's package postgresql)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the database goes with it
    measured: dict[str, Any] = json.loads(MEASURED.read_text()) if only or again else {}
    for _ in measure(QUICK if quick else Plan(), measured, () if again else only or PARTS):
        if not quick:
            MEASURED.write_text(json.dumps(measured, indent=1) + "\n")
    made = tables(measured)
    for text in printed(measured, made):
        click.echo(text)
    if not quick:
        PAGE.write_text(entered(PAGE.read_text(), made))
        click.echo(f"\nwritten: {PAGE}, {picture.draw(measured)}")


def say(line: str) -> None:
    """What it is at, for whoever waits."""
    click.echo(f"{time.strftime('%H:%M:%S')} load {load()}: {line}", err=True)


def measure(plan: Plan, measured: dict[str, Any], parts: Sequence[str]) -> Iterator[None]:
    """Enter these parts into what was measured, one after another."""
    set_environment()
    for name in parts:
        say(name)
        begun, began = load(), time.strftime("%Y-%m-%d %H:%M")
        yield from MEASURE[name](plan, measured)
        measured.setdefault("when", {})[name] = f"{began} to {time.strftime('%H:%M')}, load {begun} to {load()}"
        measured["machine"] = machine()
        yield


def _messages(plan: Plan, measured: dict[str, Any]) -> Iterator[None]:
    measured["messages"] = messages.messages(plan.tasks) if messages.is_installed() else []
    if not measured["messages"]:
        say("dask.distributed is not installed: its messages are not measured")
    yield


def _workers(plan: Plan, measured: dict[str, Any]) -> Iterator[None]:
    measured["workers"] = {
        name: services.worker(plan.batches, plan.repeats, shown=shown) for name, shown in KINDS.items()
    }
    yield


def _start(plan: Plan, measured: dict[str, Any]) -> Iterator[None]:
    measured["start"] = services.start(plan.start)
    yield


def _drivers(plan: Plan, measured: dict[str, Any]) -> Iterator[None]:
    with passing() as server:
        Store(server.uri).check()
        measured["drivers"] = {
            name: services.driver_and_writer(server, plan.trials, shown=shown) for name, shown in KINDS.items()
        }
    yield


def _calibration(plan: Plan, measured: dict[str, Any]) -> Iterator[None]:
    with passing() as server:
        Store(server.uri).check()
        measured["calibration"] = [
            calibrate(services_of(measured), server, workers, plan.calibration, plan.sweeps) for workers in (1, 2)
        ]
    yield


def _slopes(plan: Plan, measured: dict[str, Any]) -> Iterator[None]:
    one = sweep("slopes", 64)
    records = [record for _, record in templates(jobs(one))]
    files = round(measured["drivers"]["drawn"]["artifacts"]["files"])
    with passing() as server, TemporaryDirectory(prefix="sandbox-scale-") as root:
        campaign = database.Campaign(server, one.destination, records, files, Path(root))
        measured["slopes"] = []
        for told in database.slopes(campaign, plan.sizes):
            measured["slopes"].append(told)
            say(f"{told['runs']} runs")
            yield


MEASURE: dict[str, Part] = dict(zip(PARTS, (_messages, _workers, _start, _drivers, _calibration, _slopes), strict=True))


def machine() -> dict[str, Any]:
    """What it was measured on."""
    model = Path("/proc/cpuinfo").read_text().partition("model name")[2].partition("\n")[0].strip(" \t:")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    programs = sorted(Path("/usr/lib/postgresql").glob("*"))[-1].name
    packages = {name: version(name) for name in ("mlflow", "optuna", "numpy", "SQLAlchemy")}
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "memory": f"{memory / 1e9:.0f} GB",
        "PostgreSQL": f"{programs} as Debian configures it",
        "Python": platform.python_version(),
        **packages,
    }


if __name__ == "__main__":
    main()
