"""Reading runs back through MLflow's client, page by page: it gives a thousand at a time."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.tracking.entry import LARGEST
from sandbox.tracking.row import Curve, Place, Row

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

PAGE = 1000


def search(
    client: "MlflowClient", experiment_ids: Sequence[str], text: str = "", *, deleted: bool = False
) -> Iterator["Run"]:
    """All runs of these experiments that match MLflow's filter `text`, or all `deleted` ones, the oldest first, each once.

    (MLflow counts its way to the next page: what is logged meanwhile would bring back the last runs of this one.)
    """
    token, seen = None, set()
    while experiment_ids:
        with uncollected():
            page = client.search_runs(
                list(experiment_ids),
                filter_string=text,
                run_view_type=2 if deleted else 1,  # mlflow.entities.ViewType
                max_results=PAGE,
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
        for run in page:
            if run.info.run_id not in seen:
                seen.add(run.info.run_id)
                yield run
        token = page.token
        if not token:
            return


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection within: over the hundred thousands of small objects that MLflow makes of a thousand runs, it
    takes longer than the reading."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def equals(key: str, value: str) -> str:
    """A clause of MLflow's filter language: the tag `key` has this value.

    Raises ValueError for a value with quotes, which that language cannot express; what sandbox.names.safe gives has none.
    """
    if set(value) & set("'\"\\"):
        raise ValueError(f"{key} is {value!r}: a text without quotes is needed")
    return f"tags.`{key}` = '{value}'"


def models_of(client: "MlflowClient", run: "Run") -> "list[LoggedModel]":
    """The models that came from a run, the oldest first, also those that a dead process left half-made."""
    found = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'")
    return sorted(found, key=lambda one: one.creation_timestamp)


def linked(run: "Run") -> set[str]:
    """The ids of the models that a run names as its own."""
    return {one.model_id for one in (run.outputs.model_outputs if run.outputs else ())}


class Pages:
    """The runs of a store that MLflow's client is asked about; whether their `whole` is asked for makes no difference."""

    def __init__(self, client: "MlflowClient") -> None:
        self.client = client

    def place(self, experiment: str) -> Place | None:
        """The experiment of this name, if there is one."""
        found = self.client.get_experiment_by_name(experiment)
        return (
            Place(found.experiment_id, found.artifact_location, found.lifecycle_stage == "deleted") if found else None
        )

    def rows(self, place: Place, campaign: str, *, whole: bool = True) -> Iterator[Row]:
        """The runs of a campaign, or its deleted ones where the experiment is deleted, the oldest first."""
        for run in search(self.client, [place.experiment_id], equals("sweep", campaign), deleted=place.deleted):
            info, data = run.info, run.data
            sound = all(abs(value) <= LARGEST for value in data.metrics.values())
            told = info.artifact_uri or "", dict(data.tags), dict(data.params), dict(data.metrics), sound
            yield Row(info.run_id, info.run_name or "", info.status, info.start_time or 0, info.end_time or 0, *told)

    def models(self, run_ids: Sequence[str]) -> dict[str, str]:
        """The model of each of these runs that has become one, by the runs' ids."""
        found = {}
        for run in map(self.client.get_run, run_ids):
            whole = [one.model_id for one in models_of(self.client, run) if one.status == "READY"]
            if whole and whole[0] in linked(run):
                found[run.info.run_id] = whole[0]
        return found

    def curves(self, run_ids: Sequence[str], key: str) -> dict[str, Curve]:
        """The values of a metric by step, in order, of each of these runs that has it: a request for each run."""
        found = {}
        for run_id in run_ids:
            points = self.client.get_metric_history(run_id, key)
            points = sorted(points, key=lambda one: (one.step, one.timestamp, one.value))
            if points:
                found[run_id] = Curve([one.step for one in points], [one.value for one in points])
        return found
