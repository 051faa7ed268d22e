"""Reading runs back, page by page: MLflow gives a thousand at a time."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
