"""Training apart from the driver: two workers against one, Dask against processes, and what is left for the driver to do.

A campaign's loop is timed with all workers at work before: they start once a sweep, which answers and draws once, too.
"""

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from sandbox import Config
from sandbox.campaign import Campaign, Outcome
from sandbox.job import Job
from sandbox.lot import Duty, _light, work_apart
from sandbox.sweeps import Range, Sweep
from sandbox.tracking import Store
from sandbox.tracking.spool import Spool
from sandbox.tracking.writers import Writers
from sandbox.workers import Cluster, Processes, Workers
from studies.bench.race import Row

BASE = Config(dataset="circle", n_examples=200, hidden=(8, 8), activation="tanh", epochs=4000)
TRIALS = 96  # runs of a loop
LOTS, BATCH = 4, 8  # lots of some seconds that nobody keeps, and their runs
READY = 5.0  # seconds in which a writer gets ready
SMALL = 400  # runs of which little is trained, so that there is much for the driver to do
_number = count()


class Loop(NamedTuple):
    """A campaign's loop: its seconds, and the processor seconds of the driver itself, for each of its runs."""

    seconds: float
    driver: float


def rows(repeats: int) -> Iterator[Row]:
    """Seconds of a run with one worker and two, of Dask's and of our own; a lot's way there and back; the driver's share."""
    with tempfile.TemporaryDirectory() as directory, _opened(Path(directory)) as workers:
        root = Path(directory)
        loops: dict[str, list[Loop]] = {name: [] for name in workers}
        for one in workers.values():
            _loop(one, root, 8, 1)  # warm
        alone, together = list[float](), list[float]()  # these machines have other guests: all take turns
        for _ in range(repeats):
            for name, one in workers.items():
                loops[name].append(_loop(one, root, TRIALS))
            alone += _lots(workers["one"], root, 1)
            together += _lots(workers["two"], root, 2)
        one, two, dask = (1e3 * statistics.median(loop.seconds for loop in loops[name]) for name in workers)
        bare = [1e3 * statistics.median(seconds) / BATCH for seconds in (alone, together)]
        note = f"two bare ones at once: {2 * bare[0] / bare[1]:.2f} times one"
        yield Row("a run, by two workers", "one worker, halved", two, one / 2, "ms", None, note)
        yield Row("a run, by two workers", "the same, kept by nobody", two, bare[1] / 2, "ms", 1 / 0.9)
        yield Row("a run, by two of Dask's", "two processes", dask, two, "ms", 1.1)
        whole, within = _way(workers["dask"], root)
        yield Row("a lot, there and back by Dask", "its work alone", whole, within, "s", 1.1, f"lots of {BATCH}")
        for name, words in (("two", "processes"), ("dask", "Dask")):
            small = [_loop(workers[name], root, SMALL, 50, epochs=200) for _ in range(repeats)]
            ours, whole = (1e3 * statistics.median(values) for values in list(zip(*small, strict=True))[::-1])
            note = f"of {whole:.0f} ms with 8 pictures"
            yield Row(f"a run's driver, with {words}", "a millisecond, as asked", ours, 1.0, "ms", 1.0, note)


@contextmanager
def _opened(directory: Path) -> Iterator[dict[str, Workers]]:
    """One process, two, and two workers of a Dask cluster on this machine."""
    from distributed import Client  # pyright: ignore[reportMissingImports]  an extra

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dask, where = Path(sys.executable).parent / "dask", f"tcp://127.0.0.1:{port}"
    commands = [["scheduler", "--host", "127.0.0.1", "--port", port]]
    commands += [["worker", where, "--nthreads", 1, "--no-nanny", "--local-directory", directory]] * 2
    with (directory / "dask.log").open("w") as log:
        words = [[dask, *map(str, command), "--no-dashboard"] for command in commands]
        processes = [subprocess.Popen(some, stdout=log, stderr=log) for some in words]
    client = Client(where, timeout=60)
    client.wait_for_workers(2)
    workers = {"one": Processes(1), "two": Processes(2), "dask": Cluster(client)}
    try:
        yield workers
    finally:
        for one in workers.values():
            one.close()
        client.close()
        for one in processes[::-1]:
            one.terminate()
            one.wait()


def _sweep(trials: int, **changes: int) -> Sweep:
    """A sweep of learning rates at random that nobody has run before."""
    name, base = f"apart {next(_number)}", BASE.replace(**changes)
    return Sweep(name, base, {"learning_rate": Range(0.01, 1.0, log=True)}, sampler="random", trials=trials, seeds=1)


def _loop(workers: Workers, root: Path, trials: int, batch: int | None = None, **changes: int) -> Loop:
    sweep, store = _sweep(trials, **changes), Store(f"sqlite:///{root}/mlflow.db", root)
    jobs = [sweep.job(trial, number) for number, trial in enumerate(sweep.plan)]
    how: dict[str, Any] = {"total": trials, "quiet": True, "executor": workers, "batch": batch}
    with Writers(Spool(store.uri, root), 1) as crew:
        campaign = Campaign(sweep.destination, store, root, Outcome(), writers=crew, **how)
        crew.start()
        time.sleep(READY)
        with campaign.open():
            return _timed(campaign, jobs)


def _timed(campaign: Campaign, jobs: Sequence[Job]) -> Loop:
    begun, spent = time.perf_counter(), time.process_time()
    assert sum(1 for _ in campaign.run([jobs])) == len(jobs)
    return Loop((time.perf_counter() - begun) / len(jobs), (time.process_time() - spent) / len(jobs))


def _lots(workers: Workers, root: Path, at_once: int) -> list[float]:
    """The seconds of lots that are trained and drawn so many at once, and that nobody keeps."""
    sweep, store = _sweep(LOTS * BATCH), Store(f"sqlite:///{root}/mlflow.db", root)
    jobs = [sweep.job(trial, number) for number, trial in enumerate(sweep.plan)]
    duty, tables = Duty(sweep.destination, store.signing(root)), workers.share([sweep.base.data])
    lots, seconds = [_light(jobs[start : start + BATCH]) for start in range(0, len(jobs), BATCH)], list[float]()
    for start in range(0, LOTS, at_once):
        futures = [workers.submit(work_apart, lot, duty, tables) for lot in lots[start : start + at_once]]
        seconds += [future.result()[0] for future in futures]
    return seconds


def _way(workers: Workers, root: Path) -> tuple[float, float]:
    """The median seconds of a lot from its packing to what came of it, and of the work within, one lot after another."""
    sweep, store = _sweep(LOTS * BATCH), Store(f"sqlite:///{root}/mlflow.db", root)
    jobs = [sweep.job(trial, number) for number, trial in enumerate(sweep.plan)]
    duty, tables = Duty(sweep.destination, store.signing(root)), workers.share([sweep.base.data])
    wholes, withins = [], []
    for start in range(0, len(jobs), BATCH):
        begun = time.perf_counter()
        within, _ = workers.submit(work_apart, _light(jobs[start : start + BATCH]), duty, tables).result()
        wholes.append(time.perf_counter() - begun)
        withins.append(within)
    return statistics.median(wholes), statistics.median(withins)
