"""What is known of a sweep outside Optuna: its runs in MLflow, and those that wait in the spool."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sandbox.errors import RequestError
from sandbox.sweeps.space import Point
from sandbox.sweeps.sweep import Sweep, Trial
from sandbox.tracking import Store, StoreError
from sandbox.tracking.connection import impatient
from sandbox.tracking.spool import Spool
from sandbox.tracking.store import ABANDONED

Known = tuple[str, float | None, float | None, bool]  # arm, cost (None: diverged), accuracy, pruned


@dataclass
class State:
    """The ended trials by config key, and what a dead process left behind."""

    trials: dict[str, Known] = field(default_factory=dict)
    logged: dict[str, list[str]] = field(default_factory=dict)  # config key -> ids of its ended runs in MLflow
    spooled: set[str] = field(default_factory=set)
    left_running: list[tuple[str, str]] = field(default_factory=list)  # (config key, run id): nobody writes them now
    parent: str | None = None
    parent_status: str = ""
    why: str = ""  # why MLflow could not be asked
    places: dict[str, tuple[Point, int]] = field(default_factory=dict)  # config key -> point and seed


def read_state(sweep: Sweep, store: Store, spool: Spool) -> State:
    """Look in the spool first, then in MLflow: a run on its way from one to the other is seen twice, never missed.

    A store that is away or silent is not waited for: `why` then says so.
    """
    state = State()
    for entry in spool.entries(sweep.id):
        if entry.record is not None:
            state.spooled.add(entry.key)
            last = {f"metrics.{key}": value for key, value, _ in entry.record.metrics}
            _take(state, entry.key, {**last, **{f"tags.{key}": value for key, value in entry.record.tags.items()}})
    try:
        if store.exists():
            with impatient():
                _of_store(sweep, store, state)
    except StoreError as error:
        state.why = str(error)
    if state.left_running:  # a writer may have them in hand, even that of a driver which died
        in_hand = {entry.key for path in spool.files() for entry in spool.peek(path)}
        state.left_running = [(key, run_id) for key, run_id in state.left_running if key not in in_hand]
    return state


def _of_store(sweep: Sweep, store: Store, state: State) -> None:
    try:
        frame = store.runs_frame([sweep.name], f"tags.sweep = '{sweep.id}'")
    except RequestError:  # no such experiment yet
        return
    for row in frame.to_dict("records"):
        key = row.get("tags.config_key")
        if not isinstance(key, str) and state.parent is None:
            state.parent, state.parent_status = row["run_id"], row["status"]
        elif row["status"] == "RUNNING":
            state.left_running.append((str(key), row["run_id"]))
        elif not isinstance(key, str) or row.get(f"tags.{ABANDONED}") == "1":
            continue
        elif row["status"] == "FINISHED" or (row["status"] == "KILLED" and row.get("tags.pruned") == "1"):
            state.logged.setdefault(key, []).append(row["run_id"])
            _take(state, key, row)


def _take(state: State, key: str, row: dict[Any, Any]) -> None:
    """Take in one ended trial, if it is new."""
    if key in state.trials:
        return
    accuracies = [row.get(f"metrics.{part}_accuracy", np.nan) for part in ("test", "train")]
    accuracy = next((one for one in accuracies if one == one), None)
    cost = None if row.get("metrics.diverged") else row.get("metrics.final_cost")
    cost = None if cost is None or np.isnan(cost) else cost
    state.trials[key] = (row["tags.arm"], cost, accuracy, row.get("tags.pruned") == "1")
    state.places[key] = (json.loads(row["tags.point"]), int(row["tags.seed"]))


def trials_of(sweep: Sweep, state: State) -> list[Trial]:
    """The ended trials, as the sweep would have planned them."""
    return [next(sweep.at([point], seed - sweep.base.seed)) for point, seed in state.places.values()]
