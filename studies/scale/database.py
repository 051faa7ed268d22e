"""What runs cost a PostgreSQL: rows and bytes by table, the time to write them, and to ask, as there are more of them."""

import multiprocessing
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection

from sandbox.job import of_record
from sandbox.tracking import Destination, Record, Store
from sandbox.tracking.row import NewRun
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import read_state
from sandbox.tracking.tables import COLUMNS, Tables
from sandbox.tracking.writer import LOT
from studies.postgresql import Database
from studies.scale.processor import Spent, load, meter
from studies.scale.work import PACE, varied

TIMED = 1000  # runs that are written in each way at each size, for the time it takes; those before are copied
FILLERS = 3  # as many connections copy those before
LARGEST = 15e9  # bytes of a database that is not made larger


class Copied(Tables):
    """The same rows by PostgreSQL's COPY: what writers could do, and how large sizes are come to here."""

    def _write(self, connection: Connection, name: str, rows: list[tuple]) -> None:
        raw: Any = connection.connection.driver_connection
        columns = ", ".join(f'"{column}"' for column in COLUMNS[name])
        with raw.cursor().copy(f"COPY {name} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


class Sizes(NamedTuple):
    """A table: its rows, and its bytes without and with its indexes."""

    rows: int
    heap: int
    whole: int


class Campaign:
    """A sweep's runs in a database, as many as are wanted: `records`, with the numbers of `files` that each has."""

    def __init__(self, database: Database, to: Destination, records: Sequence[Record], files: int, root: Path) -> None:
        self.database, self.to, self.records, self.files = database, to, records, files
        self.store = Store(database.uri, root)
        self.spool = Spool(database.uri, root)
        self.experiment = self.store.experiment(to.experiment)
        self.parent = self.store.parent(self.experiment, to)
        self.runs, self._begun = 0, time.time_ns()

    def new(self, count: int) -> Iterator[NewRun]:
        """Runs that are not there yet, with ids as the spool's files give them."""
        numbers = range(self.runs, self.runs + count)
        self.runs += count
        for number, record in zip(numbers, varied(self.records, numbers), strict=True):
            began = self._begun + number * PACE * 1_000_000
            name = Path(f"{began:020d}-1-{record.tags['config_key']}.run")
            yield NewRun(self.spool.run_id(name), self.experiment, self.parent, record)

    def fill(self, count: int, tables: Tables) -> None:
        """Write so many more on several connections."""
        counts = [min(LOT, count - start) for start in range(0, count, LOT)]

        def write(lot: list[NewRun]) -> None:
            tables.insert(lot, tables.places(lot), [self.files] * len(lot))

        with ThreadPoolExecutor(FILLERS) as executor:
            waiting: deque[Future[None]] = deque()
            for size in counts:
                if len(waiting) > 2 * FILLERS:
                    waiting.popleft().result()
                waiting.append(executor.submit(write, list(self.new(size))))
            for future in waiting:
                future.result()

    def grow(self, count: int, tables: Tables) -> Spent:
        """Write so many more in lots, as a writer does, but for their artifacts; what that took."""
        total = Spent(0.0, 0.0, 0.0)
        for start in range(0, count, LOT):
            lot = list(self.new(min(LOT, count - start)))
            spent = meter()
            tables.insert(lot, tables.places(lot), [self.files] * len(lot))
            total = Spent(*(before + now for before, now in zip(total, spent(), strict=True)))
        return total


def slopes(campaign: Campaign, sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Grow to each of these sizes: what `TIMED` runs took to write in each way, what there is then, what asking takes."""
    process, tables = campaign.database.process, campaign.store.tables
    assert tables is not None
    copied = Copied(tables.engine)
    for size in sizes:
        timed = min(TIMED, (size - campaign.runs) // 2)
        campaign.fill(size - campaign.runs - 2 * timed, copied)
        told: dict[str, Any] = {"runs": size, "timed": timed}
        for name, way in (("copied", copied), ("inserted", tables)):
            before, log = meter(process), _log_position(campaign.database)
            spent = campaign.grow(timed, way)
            told[name] = {
                "wall": spent.wall / timed,
                "own": spent.own / timed,
                "database": before().database / timed,
                "log bytes": (_log_position(campaign.database) - log) / timed,
            }
        told["tables"] = {name: one._asdict() for name, one in tables_of(campaign.database).items()}
        told["asked"] = asked_apart(campaign)
        told["load"] = load()
        yield told
        if sum(one["whole"] for one in told["tables"].values()) > LARGEST / 4:
            return


def _log_position(database: Database) -> int:
    """Bytes of the write-ahead log so far."""
    with psycopg.connect(database.uri) as connection:
        row = connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    return int(row[0])


def tables_of(database: Database) -> dict[str, Sizes]:
    """The tables that runs are written into, once the planner knows them as after its own daily round."""
    found = {}
    with psycopg.connect(database.uri, autocommit=True) as connection:
        connection.execute("ANALYZE")
        for name in COLUMNS:
            asked = f"SELECT count(*), pg_table_size('{name}'), pg_total_relation_size('{name}') FROM {name}"
            row = connection.execute(asked.encode()).fetchone()
            assert row is not None
            found[name] = Sizes(*row)
    return found


def asked_apart(campaign: Campaign) -> dict[str, Any]:
    """What `asked` says in a process that has just begun."""
    to, database = replace(campaign.to, tags={}), campaign.database
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        return executor.submit(asked, to, database.uri, campaign.spool.root, database.process).result()


def asked(to: Destination, uri: str, root: Path, process: int) -> dict[str, Any]:
    """What a driver asks when it starts, in seconds and bytes of memory; then MLflow's pages, by its own client."""
    store = Store(uri, root)
    store.check()
    store.reader.place(to.experiment)
    memory, spent = _peak(), meter(process)
    state = read_state(to, store, Spool(uri, root), whole=True)
    told: dict[str, Any] = {"read_state": spent()._asdict()}
    spent = meter()
    done = {key: of_record(record) for key, record in state.runs.items()}
    told["of_record"] = spent()._asdict()
    told["memory"] = _peak() - memory
    assert len(done) == len(state.told)
    parent, experiment = state.parents[0][0], store.experiment(to.experiment)
    below = f"tags.`mlflow.parentRunId` = '{parent}'"
    latest, best = ["attributes.start_time DESC"], ["metrics.final_cost ASC"]
    pages: dict[str, Callable[[], Sequence[Any]]] = {
        "newest": lambda: store.client.search_runs([experiment], "", max_results=100, order_by=latest),
        "newest of a parent": lambda: store.client.search_runs([experiment], below, max_results=100, order_by=latest),
        "best of a parent": lambda: store.client.search_runs([experiment], below, max_results=100, order_by=best),
    }
    run = pages["newest of a parent"]()[0].info.run_id
    pages["a run's curve"] = lambda: store.client.get_metric_history(run, "cost")
    for name, page in pages.items():
        took = []
        for _ in range(3):
            spent = meter(process)
            assert page()
            took.append(spent())
        told[name] = Spent(*(statistics.median(some) for some in zip(*took, strict=True)))._asdict()
    return told


def _peak() -> int:
    """The most memory that this process has had, in bytes."""
    status = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
    return 1024 * int(status.split()[0])
