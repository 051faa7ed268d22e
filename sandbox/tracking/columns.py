"""Reading runs in columns: a few SELECTs on MLflow's own tables, where their database is one that we reach ourselves.

Asked through MLflow's client, ten thousand runs become four hundred thousand objects, and MLflow alone takes seconds to
import: this needs SQLAlchemy only. The tables are MLflow's own affair: none of another revision than `REVISION` is read
here, its client is asked instead.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    Engine,
    Select,
    TableClause,
    column,
    func,
    or_,
    select,
    table,
)

from sandbox.tracking.entry import LARGEST
from sandbox.tracking.row import TELLING, Curve, Place, Row

PART = 1000  # runs asked about at a time


def _table(name: str, columns: str) -> TableClause:
    return table(name, *map(column, columns.split()))


EXPERIMENTS = _table("experiments", "experiment_id name artifact_location lifecycle_stage workspace")
RUNS = _table("runs", "run_uuid name status start_time end_time artifact_uri experiment_id lifecycle_stage")
LINKS = _table("inputs", "source_type source_id destination_id")
MODELS = _table("logged_models", "model_id status lifecycle_stage creation_timestamp_ms")
READY = 2  # the status of a model that is whole
TAGS, PARAMS = _table("tags", "run_uuid key value"), _table("params", "run_uuid key value")
METRICS = table("latest_metrics", *map(column, ("run_uuid", "key", "value")), column("is_nan", Boolean))
HISTORY = table("metrics", *map(column, ("run_uuid", "key", "value", "step", "timestamp")), column("is_nan", Boolean))


class Columns:
    """The runs in a database of MLflow's."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def place(self, experiment: str) -> Place | None:
        """The experiment of this name, if there is one."""
        here = EXPERIMENTS.c
        asked = select(here.experiment_id, here.artifact_location, here.lifecycle_stage)
        with self.engine.connect() as connection:
            found = connection.execute(asked.where(here.name == experiment, here.workspace == "default")).first()
        return Place(str(found[0]), found[1] or "", found[2] == "deleted") if found else None

    def rows(self, place: Place, campaign: str, *, whole: bool = False) -> Iterator[Row]:
        """The runs of a campaign, or its deleted ones where the experiment is deleted, the oldest first."""
        here, stage = RUNS.c, "deleted" if place.deleted else "active"
        ours = select(TAGS.c.run_uuid).where(TAGS.c.key == "sweep", TAGS.c.value == campaign)
        asked = select(here.run_uuid, here.name, here.status, here.start_time, here.end_time, here.artifact_uri).where(
            here.experiment_id == int(place.experiment_id), here.lifecycle_stage == stage, here.run_uuid.in_(ours)
        )
        with self.engine.connect() as connection:
            found = connection.execute(asked.order_by(here.start_time, here.run_uuid)).all()
            for part in (found[start : start + PART] for start in range(0, len(found), PART)):
                yield from _rows(connection, part, whole=whole)

    def models(self, run_ids: Sequence[str]) -> dict[str, str]:
        """The model of each of these runs that has become one, by the runs' ids."""
        link, model = LINKS.c, MODELS.c
        asked = select(link.source_id, model.model_id).join_from(LINKS, MODELS, link.destination_id == model.model_id)
        asked = asked.where(link.source_type == "RUN_OUTPUT", link.source_id.in_(run_ids))
        asked = asked.where(model.status == READY, model.lifecycle_stage == "active")
        with self.engine.connect() as connection:
            found = connection.execute(asked.order_by(model.creation_timestamp_ms.desc())).all()
        return {row.source_id: row.model_id for row in found}  # the oldest, where there are several

    def curves(self, run_ids: Sequence[str], key: str) -> dict[str, Curve]:
        """The values of a metric by step, in order, of each of these runs that has it."""
        here, found = HISTORY.c, defaultdict(lambda: Curve([], []))
        asked = select(here.run_uuid, here.step, here.value, here.is_nan).where(here.key == key)
        asked = asked.order_by(here.step, here.timestamp, here.value)
        with self.engine.connect() as connection:
            for part in (run_ids[start : start + PART] for start in range(0, len(run_ids), PART)):
                for run_id, step, value, is_nan in connection.execute(asked.where(here.run_uuid.in_(part))):
                    found[run_id].steps.append(step)
                    found[run_id].values.append(math.nan if is_nan else value)
        return dict(found)


def _rows(connection: Connection, runs: Sequence[Any], *, whole: bool) -> Iterator[Row]:
    ids = [run.run_uuid for run in runs]
    tags = _pairs(connection, _of(TAGS, ids) if whole else _of(TAGS, ids).where(TAGS.c.key.in_(TELLING)))
    params = _pairs(connection, _of(PARAMS, ids)) if whole else {}
    metrics = _pairs(connection, _of(METRICS, ids)) if whole else {}
    wrong = _of(METRICS, ids).add_columns(METRICS.c.is_nan)
    unsound = set()
    for run_id, key, _, is_nan in connection.execute(
        wrong.where(or_(METRICS.c.is_nan, func.abs(METRICS.c.value) > LARGEST))
    ):
        unsound.add(run_id)
        if whole and is_nan:  # MLflow keeps a 0 beside it
            metrics[run_id][key] = math.nan
    for run_id, name, status, start, end, artifacts in runs:
        told = tags.get(run_id, {}), params.get(run_id, {}), metrics.get(run_id, {}), run_id not in unsound
        yield Row(run_id, name or "", status, start or 0, end or 0, artifacts or "", *told)


def _of(one: TableClause, ids: list[str]) -> Select:
    """What these runs have in a table."""
    return select(one.c.run_uuid, one.c.key, one.c.value).where(one.c.run_uuid.in_(ids))


def _pairs(connection: Connection, asked: Select) -> dict[str, dict[str, Any]]:
    """The keys and values by run; a text that many have is in memory once."""
    pairs: dict[str, dict[str, Any]] = defaultdict(dict)
    once: dict[str, str] = {}
    for run_id, key, value in connection.execute(asked):
        pairs[run_id][once.setdefault(key, key)] = once.setdefault(value, value) if type(value) is str else value
    return pairs
