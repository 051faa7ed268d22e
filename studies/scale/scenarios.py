"""From what was measured to what is simulated: the houses of scale.md, from today's to one for a million runs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from sandbox.lot import LARGEST, LOT_SECONDS
from studies.scale.house import House, Services, Simulated, simulate

WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
RUNS = 100_000
ORDERS = (1_000, 10_000, 100_000, 1_000_000)


class Scenario(NamedTuple):
    """A house, and what its stations take."""

    services: Services
    house: House

    @property
    def alone(self) -> float:
        """Runs a second of one worker that never waits."""
        lots = replace(self.house, workers=1).lots(self.services, RUNS)
        return RUNS / sum(map(self.services.batch, lots))

    def with_workers(self, workers: int, runs: int = RUNS) -> Simulated:
        """A sweep with so many workers."""
        return simulate(self.services, replace(self.house, workers=workers), runs)


def services(measured: Mapping[str, Any], kind: str = "drawn") -> Services:
    """What was measured of runs that are `drawn`, or `bare`: with short curves and no pictures."""
    worker, rest = measured["workers"][kind], measured["drivers"][kind]
    batches = [
        seconds + size * worker["dumps"] for size, seconds in zip(worker["sizes"], worker["batches"], strict=True)
    ]
    return Services(
        tuple(worker["sizes"]),
        tuple(batches),
        message_seconds(measured, worker["sent bytes"] * usual_lot(worker)),
        worker["loads"] + rest["put"] + rest["tell"] + rest["note"],
        rest["lot"],
        rest["writer"],
        rest["database"],
    )


def usual_lot(worker: Mapping[str, Any]) -> int:
    """The runs of a lot that has all the time it may have."""
    return min(LARGEST, int(LOT_SECONDS * worker["sizes"][-1] / worker["batches"][-1]))


def message_seconds(measured: Mapping[str, Any], size: float) -> float:
    """The scheduler's seconds for a task whose result has so many bytes (beyond those measured, in proportion); 0 where
    there was no Dask."""
    sizes, seconds = ([one[name] for one in measured["messages"]] for name in ("bytes", "scheduler"))
    return float(np.interp(size, sizes, seconds)) * max(1.0, size / sizes[-1]) if sizes else 0.0


def copied(one: Services, measured: Mapping[str, Any]) -> Services:
    """The same, where writers COPY their rows: the parts of writer's and database's time that were left, over all sizes."""
    own, database = (
        [sum(size[way][who] for size in measured["slopes"]) for way in ("inserted", "copied")]
        for who in ("own", "database")
    )
    rows = (own[0] - own[1]) / len(measured["slopes"]) / services(measured).writer
    return replace(one, writer=one.writer * max(0.0, 1 - rows), database=one.database * database[1] / database[0])


def scenarios(measured: Mapping[str, Any]) -> dict[str, Scenario]:
    """What is compared, each a step further than the one before."""
    drawn = services(measured)
    quick, bare = copied(drawn, measured), copied(services(measured, "bare"), measured)
    return {
        "today: 1 writer": Scenario(drawn, House(writers=1)),
        "4 writers": Scenario(drawn, House(writers=4, database_cores=4)),
        "4 writers that COPY": Scenario(quick, House(writers=4, database_cores=4)),
        "and 4 drivers, 16 writers": Scenario(quick, House(writers=16, database_cores=16, drivers=4)),
        "and bare runs": Scenario(bare, House(writers=16, database_cores=16, drivers=4)),
    }
