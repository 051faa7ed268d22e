"""Service times: what a worker, the driver, a writer and the database spend on a run, in processor time."""

import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sandbox.job import Ended
from sandbox.lot import Came
from sandbox.sweeps.journal import JOURNAL
from sandbox.sweeps.outcome import Outcome
from sandbox.sweeps.study import Study
from sandbox.sweeps.sweep import Sweep
from sandbox.tracking import Record, Store
from sandbox.tracking.entry import Entry, pack
from sandbox.tracking.spool import Spool
from sandbox.tracking.writer import LOT, Writer
from studies.postgresql import Database
from studies.scale.processor import meter
from studies.scale.work import jobs, sweep, templates, varied

PARTS = ("files", "inodes", "bytes", "disk bytes")


def processor_seconds(task: Callable[[], Any], repeats: int) -> float:
    """The least of this process's processor time, once it is warm: what others do beside it only ever adds."""
    task()
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        task()
        taken.append(time.process_time() - begun)
    return min(taken)


def worker(sizes: Sequence[int], repeats: int, *, shown: bool) -> dict[str, Any]:
    """A worker's seconds for a batch, by its size, and what it sends back of a run: bytes, and how long they are packed."""
    one = sweep("services", max(sizes))
    all_jobs = jobs(one, shown=shown)
    made = templates(all_jobs[:32])

    def packed() -> bytes:
        ended = [(job.status, job.metrics, pack(Entry(one.destination, record))) for job, record in made]
        return pickle.dumps([Came(number, *told) for number, told in enumerate(ended)])

    data = packed()
    return {
        "sizes": list(sizes),
        "batches": [
            processor_seconds(lambda some=all_jobs[:size]: templates(some), max(repeats, repeats * 8 // size))
            for size in sizes
        ],
        "sent bytes": len(data) / len(made),
        "dumps": processor_seconds(packed, 20) / len(made),
        "loads": processor_seconds(lambda: pickle.loads(data), 20) / len(made),
    }


def ends(one: Sweep, records: Sequence[Record]) -> list[tuple[Ended, Record]]:
    """As many ended jobs of a sweep as it has trials, with runs like these."""
    found = []
    for job, record in zip(made := jobs(one), varied(records, range(len(made))), strict=True):
        told = replace(record, tags={**record.tags, **job.tags, "config_key": job.config.key})
        found.append((Ended(job, "FINISHED", {"diverged": 0.0, **record.last()}), told))
    return found


def start(trials: int) -> dict[str, float]:
    """What a driver does before it trains, for one trial of so many: the plan, and a journal that knows them all."""
    one, spent = sweep("start", trials), meter()
    _ = one.plan
    told = {"trials": trials, "plan": spent().own / trials}
    with TemporaryDirectory(prefix="sandbox-scale-") as directory:
        study = Study(one, Path(directory), {})
        spent = meter()
        for job in jobs(one):
            study.tell(Ended(job, "FINISHED", {"final_cost": 0.1, "diverged": 0.0}))
        told["tell"] = spent().own / trials
        spent = meter()
        Study(one, Path(directory), {})
        told["read"] = spent().own / trials
        told["journal bytes"] = (Path(directory) / JOURNAL).stat().st_size / trials
    return told


def driver_and_writer(database: Database, trials: int, *, shown: bool) -> dict[str, Any]:
    """The driver's seconds for a run, part by part; then a writer's and the database's, with all files; and these."""
    one = sweep(f"driver and writer {shown}", trials)
    made = ends(one, [record for _, record in templates(jobs(one, shown=shown)[:32])])
    ended = [(job, pack(Entry(one.destination, record))) for job, record in made]  # which workers do
    with TemporaryDirectory(prefix="sandbox-scale-") as directory:
        root = Path(directory)
        store = Store(database.uri, root)
        spool, study, outcome = Spool(store.uri, root).open(), Study(one, root, {}), Outcome(one)
        parts = {
            "put": lambda job, packed: spool.put(packed),
            "tell": lambda job, packed: study.tell(job),
            "note": lambda job, packed: outcome.note(job),
        }
        told: dict[str, Any] = {"trials": trials}
        for name, part in parts.items():
            spent = meter()
            for both in ended:
                part(*both)
            told[name], told[f"{name} wall"] = spent().own / trials, spent().wall / trials
        files = spool.files()
        told["spool bytes"] = sum(file.stat().st_size for file in files) / trials
        told |= _writer(Writer(spool, store), files, database)
        told["artifacts"] = artifacts(root / "artifacts", trials)
    return told


def _writer(writer: Writer, files: Sequence[Path], database: Database) -> dict[str, Any]:
    """A fifth of the files one by one, the others in lots: what a lot costs in itself, and each run in it."""
    alone, together = files[: len(files) // 5], files[len(files) // 5 :]
    list(writer.log(alone[:1]))  # connects, makes the experiment and the parent
    spent = meter(database.process)
    for file in alone[1:]:
        list(writer.log([file]))
    single = spent().own / (len(alone) - 1)
    spent = meter(database.process)
    for begin in range(0, len(together), LOT):
        list(writer.log(together[begin : begin + LOT]))
    then = spent()
    size = len(together) / -(-len(together) // LOT)
    each = then.own / len(together)  # lot / size + run, as a single one is lot + run
    lot = max(0.0, (single - each) * size / (size - 1))
    told = {"lot": lot, "writer": each - lot / size, "database": then.database / len(together)}
    return told | {"logged wall": then.wall / len(together)}


def artifacts(directory: Path, runs: int) -> dict[str, float]:
    """What there is of a run below a directory: files, inodes with those of directories, bytes, and bytes of the disk."""
    files = inodes = size = disk = 0
    seen = set()
    for path in directory.rglob("*"):
        about = path.lstat()
        files += not path.is_dir()
        size += 0 if path.is_dir() else about.st_size
        if about.st_ino not in seen:
            seen.add(about.st_ino)
            inodes, disk = inodes + 1, disk + 512 * about.st_blocks
    return {name: value / runs for name, value in zip(PARTS, (files, inodes, size, disk), strict=True)}
