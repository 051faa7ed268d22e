"""What is in MLflow after all: runs by the configs that they say, counted by MLflow's own client."""

from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from typing import Any, NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from sandbox import Config, RequestError
from sandbox.record import NETWORK
from studies.bench.cluster.work import SWEEP


class Count(NamedTuple):
    """How many runs have FINISHED, of how many configs; what is lost and what is there more than once.

    `torn` have FINISHED without their network, their cost or their pictures; `left` have not, and are in the table of runs
    all the same. `values` and `files` are those of one whole run.
    """

    finished: int
    distinct: int
    lost: int
    doubled: int
    torn: int
    left: int
    values: int = 0
    files: int = 0


def count(uri: str, keys: Collection[str]) -> Count:
    """What is there of the configs with these keys."""
    client = MlflowClient(uri)
    found = client.get_experiment_by_name(SWEEP.name)
    runs = _runs(client, found.experiment_id) if found else []
    known = [(run, key) for run in runs if (key := _key_of(run)) in keys]
    finished = [(run, key) for run, key in known if run.info.status == "FINISHED"]
    seen = Counter(key for _, key in finished)
    whole = [run for run, _ in finished if _is_whole(uri, run)]
    return Count(
        finished=len(finished),
        distinct=len(seen),
        lost=len(set(keys) - seen.keys()),
        doubled=len(finished) - len(seen),
        torn=len(finished) - len(whole),
        left=len(known) - len(finished),
        values=_values(client, whole[0]) if whole else 0,
        files=_files(uri, whole[0]) if whole else 0,
    )


def _runs(client: MlflowClient, experiment: str) -> list[Run]:
    runs, token = [], None
    while True:
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        runs += page
        if not (token := page.token):
            return runs


def _key_of(run: Run) -> str:
    """The key of the config that a run's params say, "" where they say none: a parent run's."""
    params: dict[str, Any] = {name: text for name, text in run.data.params.items() if name in SWEEP.base.params()}
    with suppress(RequestError, ValueError):
        return Config.from_params(params).key if params else ""
    return ""


def _is_whole(uri: str, run: Run) -> bool:
    there = {one.path for one in _artifacts(uri, run)}
    return {NETWORK, "boundary.png", "images"} <= there and {"cost", "final_cost"} <= run.data.metrics.keys()


def _values(client: MlflowClient, run: Run) -> int:
    return sum(len(client.get_metric_history(run.info.run_id, key)) for key in run.data.metrics)


def _files(uri: str, run: Run, path: str | None = None) -> int:
    return sum(_files(uri, run, one.path) if one.is_dir else 1 for one in _artifacts(uri, run, path))


def _artifacts(uri: str, run: Run, path: str | None = None) -> list[Any]:
    """What is in a run's folder. (MLflow's client would look the run up each time.)"""
    return get_artifact_repository(str(run.info.artifact_uri), tracking_uri=uri).list_artifacts(path)
