"""The house as a net of stations: workers, Dask's scheduler, one driver, writers, one database; and what it simulates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np

from sandbox.lot import LARGEST, LOT_SECONDS
from sandbox.tracking.writer import LOT
from studies.scale.simulation import Clock, Station, Then, in_turn

TIE = 0.02  # of the time: so much apart, two stations are as busy


@dataclass(frozen=True)
class Services:
    """Processor seconds: of a worker by how many runs it trains together (`sizes`, `batches`), of the others for one run.

    `message` is the scheduler's for one batch, whatever is in it; `lot` a writer's for as many runs as it logs together.
    """

    sizes: tuple[float, ...] = (1, LARGEST)
    batches: tuple[float, ...] = (0.0, 0.0)
    message: float = 0.0
    driver: float = 0.0
    lot: float = 0.0
    writer: float = 0.0
    database: float = 0.0

    def batch(self, runs: int) -> float:
        """A worker's seconds for a batch, between those that were measured; a run in a larger one is as in the largest."""
        largest = self.sizes[-1]
        return float(np.interp(runs, self.sizes, self.batches)) * max(1.0, runs / largest)

    def longer(self, seconds: float) -> "Services":
        """The same, where training a run takes so much longer."""
        added = (one + seconds * size for size, one in zip(self.sizes, self.batches, strict=True))
        return replace(self, batches=tuple(added))


@dataclass(frozen=True)
class House:
    """`workers` with one thread each, and what gathers their runs. All have processors of their own, or share `cores`."""

    workers: int = 1
    writers: int = 1
    database_cores: int = 1
    drivers: int = 1
    cores: float = math.inf
    size: int | None = (
        None  # of a lot; by default as sandbox.lot makes them: of some seconds, and to the end some for all
    )

    def lots(self, services: Services, runs: int) -> list[int]:
        """The sizes of the lots in which so many runs are given out."""
        fitting = max(1, int(LOT_SECONDS * LARGEST / (services.batch(LARGEST) or 1e-9)))
        lots, left = list[int](), runs
        while left:
            even = math.ceil(left / (2 * self.workers))
            lots.append(min(left, self.size or min(fitting, LARGEST, even)))
            left -= lots[-1]
        return lots


@dataclass(frozen=True)
class Simulated:
    """A sweep to its end: `seconds` until the last run was logged, and which part of the time the stations, in the order in
    which a run comes to them, have worked (`busy`), and were not free (`taken`)."""

    runs: int
    seconds: float
    busy: dict[str, float]
    taken: dict[str, float]

    @property
    def rate(self) -> float:
        """Runs a second."""
        return self.runs / self.seconds

    @property
    def bottleneck(self) -> str:
        """Who was hardly ever free; of several the last, for the others wait for it."""
        most = max(self.taken.values())
        return [name for name, part in self.taken.items() if part >= most - TIE][-1]


@cache
def simulate(services: Services, house: House, runs: int) -> Simulated:
    """So many runs through a house, as `apart`, `Campaign` and `Writer` pass them on.

    There are two batches for each worker under way; the driver takes all that have ended, and then gives out others (of
    several drivers each takes one); a writer takes what is in the spool, 100 at most, and keeps at it until the database
    has them.
    """
    clock, left = Clock(house.cores), house.lots(services, runs)[::-1]

    def train(batches: Sequence[int], done: Then) -> None:
        def ended() -> None:
            done()
            driver.add(batches[0])

        workers.spend(services.batch(batches[0]), ended)

    def schedule(batches: Sequence[int], done: Then) -> None:
        def sent() -> None:
            done()
            workers.add(batches[0])

        scheduler.spend(services.message, sent)

    def gather(batches: Sequence[int], done: Then) -> None:
        def spool(batch: int, then: Then) -> None:
            def spooled() -> None:
                writers.add(*[None] * batch)
                then()

            driver.spend(services.driver * batch, spooled)

        def give_out(then: Then) -> None:
            scheduler.add(*(left.pop() for _ in batches if left))
            done()

        in_turn(*(partial(spool, batch) for batch in batches), give_out)

    def log(lot: Sequence[Any], done: Then) -> None:
        own = services.lot + services.writer * len(lot)
        in_turn(
            lambda then: writers.spend(own, then),
            lambda then: database.add((services.database * len(lot), then)),
            lambda then: done(),
        )

    def keep(asked: Sequence[tuple[float, Then]], done: Then) -> None:
        def kept() -> None:
            done()
            asked[0][1]()

        database.spend(asked[0][0], kept)

    workers = Station(clock, train, servers=house.workers)
    scheduler = Station(clock, schedule)
    driver = Station(clock, gather, servers=house.drivers, most=math.inf if house.drivers == 1 else 1)
    writers = Station(clock, log, servers=house.writers, most=LOT)
    database = Station(clock, keep, servers=house.database_cores)
    scheduler.add(*(left.pop() for _ in range(min(len(left), 2 * house.workers))))
    clock.run()
    names = ("scheduler", "workers", "driver", "writers", "database")
    stations = dict(zip(names, (scheduler, workers, driver, writers, database), strict=True))
    busy = {name: station.busy for name, station in stations.items()}
    return Simulated(runs, clock.now, busy, {name: station.taken for name, station in stations.items()})
