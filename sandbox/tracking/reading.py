"""Reading runs back, page by page: MLflow gives a thousand at a time."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import Run

PARENT = "mlflow.parentRunId"
PAGE = 1000


def search(client: "MlflowClient", experiment_ids: Sequence[str], text: str = "") -> Iterator["Run"]:
    """All runs of these experiments that match MLflow's filter `text`, the oldest first, each once.

    (MLflow counts its way to the next page: what is logged meanwhile would bring back the last runs of this one.)
    """
    token, seen = None, set()
    while experiment_ids:
        with uncollected():
            page = client.search_runs(
                list(experiment_ids),
                filter_string=text,
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

    Raises ValueError for a value with both kinds of quotes, which that language cannot express.
    """
    if "'" in value and '"' in value:
        raise ValueError(f"{key} {value!r}: a name cannot have both ' and \"")
    quote = '"' if "'" in value else "'"
    return f"tags.`{key}` = {quote}{value}{quote}"


def row(run: "Run", experiment: str) -> dict[str, Any]:
    """One run as a flat row, its columns named as ``mlflow.search_runs`` names them."""
    info, data = run.info, run.data
    return {
        "run_id": info.run_id,
        "experiment_id": info.experiment_id,
        "experiment": experiment,
        "name": info.run_name,
        "status": info.status,
        "start_time": info.start_time,
        "end_time": info.end_time,
        **{f"params.{key}": value for key, value in data.params.items()},
        **{f"metrics.{key}": value for key, value in data.metrics.items()},
        **{f"tags.{key}": value for key, value in data.tags.items()},
    }


def frame(rows: list[dict[str, Any]]) -> "pd.DataFrame":
    """The rows as a table; times are timestamps in UTC, and a run without a value has NaN there."""
    import pandas as pd

    head = ["run_id", "experiment_id", "experiment", "name", "status", "start_time", "end_time"]
    table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=pd.Index(head))
    for column in ("start_time", "end_time"):
        table[column] = pd.to_datetime(table[column], unit="ms", utc=True)
    return table
