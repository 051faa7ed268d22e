"""Feature engineering or hidden layers? Reads the runs back and sets the arms side by side."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.errors import RequestError
from sandbox.tracking import Store

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENT = "feature_crosses"


def comparison_frame(store: Store) -> "pd.DataFrame":
    """A row per data set and arm: parameters, best and median test accuracy over the seeds, runs.

    Raises RequestError where there are no runs yet.
    """
    text = "attributes.status = 'FINISHED'"
    runs: Any = None
    with suppress(RequestError):
        runs = store.runs_frame([EXPERIMENT], text)
    if runs is None or "metrics.test_accuracy" not in runs:
        raise RequestError(f"there are no runs of {EXPERIMENT} to compare yet: make sweep-{EXPERIMENT} makes them")
    runs = runs[runs["tags.config_key"].notna()].drop_duplicates(subset=["tags.config_key"])
    names = {"params.dataset": "dataset", "params.crosses": "crosses", "params.hidden": "hidden"}
    groups = runs.rename(columns=names).groupby(list(names.values()), sort=False)
    frame = groups.agg(
        parameters=("metrics.parameters", "first"),
        best=("metrics.test_accuracy", "max"),
        median=("metrics.test_accuracy", "median"),
        runs=("run_id", "count"),
    ).reset_index()
    frame["parameters"] = frame["parameters"].astype(int)
    order = {name: place for place, name in enumerate(frame["dataset"].unique())}
    return frame.sort_values(["dataset", "median"], ascending=[True, False], key=lambda column: column.replace(order))
