"""What is known of a campaign: its runs in MLflow, and those that wait in the spool."""

from dataclasses import dataclass, field

from sandbox.tracking.connection import StoreError, impatient, reporting
from sandbox.tracking.entry import Destination, Record, key_of
from sandbox.tracking.reading import PARENT, equals, search
from sandbox.tracking.spool import Spool
from sandbox.tracking.store import ABANDONED, Store


@dataclass
class State:
    """The ended runs of a campaign by key, those of MLflow with the last values; and what a dead process left behind."""

    runs: dict[str, Record] = field(default_factory=dict)
    logged: dict[str, list[str]] = field(default_factory=dict)  # key -> ids of its ended runs in MLflow
    left_running: list[tuple[str, str]] = field(default_factory=list)  # (key, run id): nobody writes them now
    parent: str | None = None
    parent_status: str = ""
    why: str = ""  # why MLflow could not be asked


def read_state(to: Destination, store: Store, spool: Spool) -> State:
    """Look in the spool first, then in MLflow: a run on its way from one to the other is seen twice, never missed.

    A store that is away or silent is not waited for: `why` then says so.
    """
    state = State()
    for entry in spool.entries(to.campaign):
        state.runs.setdefault(entry.key, entry.record)
    try:
        if store.exists():
            with impatient():
                _of_store(to, store, state)
    except StoreError as error:
        state.why = str(error)
    if state.left_running:  # a writer may have them in hand, even that of a driver which died
        in_hand = spool.in_hand()
        state.left_running = [(key, run_id) for key, run_id in state.left_running if key not in in_hand]
    return state


def _of_store(to: Destination, store: Store, state: State) -> None:
    client = store.client
    with reporting(store.uri):
        experiment = client.get_experiment_by_name(to.experiment)
        if experiment is None:
            return
        for run in search(client, [experiment.experiment_id], equals("sweep", to.campaign)):
            tags, run_id, status = run.data.tags, run.info.run_id, run.info.status
            key = key_of(tags)
            if PARENT not in tags:
                if state.parent is None:
                    state.parent, state.parent_status = run_id, status
            elif status == "RUNNING":
                state.left_running.append((key, run_id))
            elif key and ABANDONED not in tags and (status == "FINISHED" or (status == "KILLED" and "pruned" in tags)):
                state.logged.setdefault(key, []).append(run_id)
                metrics = [(name, value, 0) for name, value in run.data.metrics.items()]
                info, params = run.info, dict(run.data.params)
                times = (info.start_time, info.end_time or 0)
                found = Record(info.run_name or "", status, *times, params, metrics, dict(tags))
                state.runs.setdefault(key, found)
