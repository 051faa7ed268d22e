"""The simulation against the house: the same sweep with one and two workers here, measured and predicted."""

import os
import resource
import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sandbox.sweeps import run_sweep
from sandbox.tracking import Store
from sandbox.tracking.spool import Spool
from sandbox.tracking.writers import Writers
from studies.postgresql import Database
from studies.scale.house import House, Services, simulate
from studies.scale.processor import busy, load, meter
from studies.scale.work import sweep

BATCH = 32


def calibrate(
    services: Services, database: Database, workers: int, trials: tuple[int, int], repeats: int
) -> dict[str, Any]:
    """The runs a second of a sweep, measured `repeats` times and as simulated.

    Sweeps of two lengths are compared, so that what is done once for a sweep does not count. On this machine all processes
    share its cores, less what others have of them meanwhile: that is measured too, and the simulation is told.
    """
    told: dict[str, Any] = {"workers": workers, "trials": trials, "measured": [], "predicted": [], "cores": []}
    for number in range(repeats):
        seconds, cores = real(database, workers, trials, f"{workers} {number}")
        house = House(workers, cores=cores, size=BATCH)
        told["measured"].append(_rate(trials, seconds))
        told["predicted"].append(_rate(trials, [simulate(services, house, count).seconds for count in trials]))
        told["cores"].append(cores)
    return told | {"load": load()}


def _rate(trials: Sequence[int], seconds: Sequence[float]) -> float:
    """Runs a second, from what two sweeps took."""
    return (trials[1] - trials[0]) / (seconds[1] - seconds[0])


def real(database: Database, workers: int, trials: Sequence[int], name: str) -> tuple[list[float], float]:
    """Sweeps of these lengths on so many processes, with one writer, all of them at work before: the seconds of each until
    all is logged, and the cores that others left meanwhile."""
    sweeps = [sweep(f"calibration {name} {count}", count) for count in (2 * workers, *trials)]
    seconds = []
    with TemporaryDirectory(prefix="sandbox-scale-") as directory:
        root = Path(directory)
        store = Store(database.uri, root)
        store.check()
        spent, machine, children = meter(database.process), busy(), _children()
        with ProcessPoolExecutor(workers) as executor, Writers(Spool(store.uri, root), 1) as crew:
            for one in sweeps:
                batch = BATCH if seconds else 1
                outcome = run_sweep(one, store, root, executor=executor, quiet=True, writers=crew, batch=batch)
                assert (outcome.status, outcome.done) == ("FINISHED", one.total)
                seconds.append(outcome.seconds)
        took = spent()
        ours = took.own + took.database + _children() - children
        others = (busy() - machine - ours) / took.wall
    return seconds[1:], (os.cpu_count() or 1) - max(0.0, others)


def _children() -> float:
    """Processor seconds of this process's children that have ended."""
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return told.ru_utime + told.ru_stime


def summary(one: dict[str, Any]) -> tuple[float, float, float]:
    """The medians of a calibration: runs a second measured, predicted, and the cores that there were."""
    measured, predicted, cores = (statistics.median(one[name]) for name in ("measured", "predicted", "cores"))
    return measured, predicted, cores
