"""Saved views: pages of MLflow's own UI that are set up before anybody looks, kept as tags of an experiment.

The format is MLflow's affair (seen in 3.17 and 3.18): a tag `mlflow.sharedViewState.ID` with the state of the page, which
the UI lists under Views and opens by address. A version that does not know it costs the views and nothing else.
"""

import base64
import hashlib
import json
import math
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from sandbox.tracking.entry import THIS_EXPERIMENT

TAG = "mlflow.sharedViewState."
OURS = "sandbox-"  # what the ids of our views begin with
MOST = 36  # of ours that an experiment keeps; MLflow shows 40
BESIDE = 4  # pictures in a row
PAGE = 100  # runs that MLflow's UI fetches for a page
LONGEST = 20_000  # characters of a tag's text that MLflow takes for a view
TRAINING = {"workflowType": "machine_learning"}
FOLDED = "Model metrics"  # where the UI puts charts that a view says nothing of

Chart = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """Charts below each other or side by side, `height` pixels each."""

    name: str
    charts: Sequence[Chart]
    columns: int = 2
    height: int = 380


@dataclass(frozen=True)
class View:
    """A page about the runs of a campaign that match `search`, sorted by a column such as "metrics.`test_accuracy`".

    With charts in its `sections`, grouped by `groups` (pairs of "param" or "tag" and its name) and averaged; without any,
    a table with `columns`.
    """

    name: str
    campaign: str
    search: str
    order: str = "attributes.start_time"
    ascending: bool = False
    columns: Sequence[str] = ()
    groups: Sequence[tuple[str, str]] = ()
    sections: Sequence[Section] = field(default=())
    folded: Iterable[str] = ()  # sections of charts that the UI adds of its own

    @property
    def id(self) -> str:
        """What the view is found by: always the same for a name and a campaign."""
        return OURS + _digest(self.campaign, self.name)

    @property
    def query(self) -> str:
        """The page's address, from the experiment's on."""
        return view_query(self.id, chart=bool(self.sections))

    @property
    def state(self) -> dict[str, Any]:
        """The state of MLflow's page."""
        names = [one.name for one in self.sections]
        folded = [
            _section(name, display=False) for name in {FOLDED: 0, **dict.fromkeys(self.folded)} if name not in names
        ]
        charts = [
            {**chart, "uuid": _digest(self.id, one.name, place), "metricSectionId": _digest(one.name)}
            for one in self.sections
            for place, chart in enumerate(one.charts)
        ]
        keys = [{"mode": mode, "groupByData": name} for mode, name in self.groups]
        shown = [_section(one.name, columns=one.columns, cardHeight=one.height) for one in self.sections]
        return {
            "searchFilter": self.search,
            "orderByKey": self.order,
            "orderByAsc": self.ascending,
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "datasetsFilter": [],
            "modelVersionFilter": "All Runs",
            "selectedColumns": [*self.columns],
            "columnOrder": [],
            "columnWidths": {},
            "runsExpanded": {},
            "runsPinned": [],
            "runsHidden": [],
            "runsVisibilityMap": {},
            "runsHiddenMode": "SHOW_ALL",
            "compareRunCharts": charts if charts else None,
            "compareRunSections": [*shown, *folded] if charts else None,
            "viewMaximized": False,
            "runListHidden": bool(charts),
            "isAccordionReordered": True,
            "useGroupedValuesInCharts": True,
            "hideEmptyCharts": True,
            "groupBy": {"aggregateFunction": "average", "groupByKeys": keys} if keys else None,
            "groupsExpanded": {},
            "autoRefreshEnabled": False,
            "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
        }


def view_query(view_id: str, *, chart: bool) -> str:
    """The address of a view's page, from the experiment's on."""
    mode = {"compareRunsMode": "CHART" if chart else "TABLE"}
    return f"runs?{urlencode({'viewStateShareKey': view_id, **mode, **TRAINING}, quote_via=quote)}"


def links(views: Iterable[View]) -> str:
    """Links to views, in Markdown, for the description of a run or an experiment: see `THIS_EXPERIMENT`."""
    pages = [f"[{view.name}](#/experiments/{THIS_EXPERIMENT}/{view.query})" for view in views]
    return f"Views: {', '.join(pages)}" if pages else ""


def curve(metric: str, *, log: bool = False, low: float | None = None, high: float | None = None) -> Chart:
    """A metric by epoch: for groups the mean of their runs, within the band from the lowest to the highest.

    The axis goes from `low` to `high`, above 0 where it is a `log` one.
    """
    limits = {name: one for name, one in (("yMin", low), ("yMax", high)) if one is not None}
    if log:
        limits = {name: math.log10(one) for name, one in limits.items()}  # as MLflow's charts take it
    return {
        **_chart("LINE", metric),
        "metricKey": metric,
        "lineSmoothness": 0,
        "xAxisScaleType": "linear",
        "scaleType": "log" if log else "linear",
        "range": limits,
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "ignoreOutliers": False,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }


def bars(metric: str) -> Chart:
    """The last value of a metric, a bar for each run or group."""
    return {**_chart("BAR", metric), "metricKey": metric}


def points(param: str, metric: str) -> Chart:
    """The last value of a metric against a param."""
    axes = {"xaxis": {"key": param, "type": "PARAM"}, "yaxis": {"key": metric, "type": "METRIC"}}
    return {**_chart("SCATTER", f"{metric} against {param}"), **axes}


def parallel(params: Sequence[str], metrics: Sequence[str]) -> Chart:
    """Parallel coordinates: params, then metrics, a line for each run or group."""
    return {
        **_chart("PARALLEL", "parallel coordinates"),
        "selectedParams": [*params],
        "selectedMetrics": [*metrics],
        "showAllRuns": False,
    }


def images(key: str, step: int) -> Chart:
    """The pictures of runs side by side, with one slider, which begins at a step. Not for groups, which have none."""
    return {**_chart("IMAGE", key), "imageKeys": [key], "step": step, "showRunParams": False}


def sheet_height(pictures: int) -> int:
    """Pixels for so many pictures of 256 by 256 beside each other on a page 1600 wide, with the slider below them."""
    return 130 + 305 * math.ceil(pictures / BESIDE)


def _chart(kind: str, name: str) -> Chart:
    return {"type": kind, "runsCountToCompare": PAGE, "deleted": False, "isGenerated": False, "displayName": name}


def _section(name: str, *, display: bool = True, **more: Any) -> dict[str, Any]:
    known = {"uuid": _digest(name), "name": name, "display": display}
    return {**known, "isReordered": True, "deleted": False, "isGenerated": False, **more}


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def among(run_ids: Iterable[str]) -> str:
    """The search that finds these runs and no other."""
    return f"attributes.run_id IN ({', '.join(repr(one) for one in run_ids)})"


def packed(view: View, name: str, created: int) -> str:
    """A view as the text of its tag, under this name; `created` in milliseconds since 1970."""
    state = base64.b64encode(zlib.compress(json.dumps(view.state).encode(), 9)).decode()
    return json.dumps({"name": name, "createdAt": created, "updatedAt": created, "state": f"deflate;{state}"})


class Known:
    """The views that an experiment's tags have, by their ids; what is no view is left out."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self.views: dict[str, dict[str, Any]] = {}
        for key, text in tags.items():
            with suppress(ValueError, TypeError, KeyError, RecursionError, zlib.error):
                if key.startswith(TAG):
                    found = json.loads(text)
                    kind, _, state = str(found["state"]).partition(";")
                    chart = bool(json.loads(zlib.decompress(base64.b64decode(state)))["compareRunCharts"])
                    one = {"name": str(found["name"]), "created": int(found["createdAt"])}
                    self.views[key.removeprefix(TAG)] = {**one, "state": f"{kind};{state}", "chart": chart}

    def changes(self, views: Sequence[View]) -> tuple[dict[str, str], list[str]]:
        """What is to be written and deleted so that the experiment has these views: tags, and keys of tags.

        A view that is as it was is not written again; of ours the oldest go where there are too many. One whose name
        another campaign's has already says which campaign's it is.
        """
        now, written, wanted = time.time_ns() // 1_000_000, {}, {view.id for view in views}
        taken = {one["name"] for key, one in self.views.items() if key not in wanted}
        for view in views:
            there = self.views.get(view.id)
            name = f"{view.name} ({view.campaign})" if view.name in taken else view.name
            text = packed(view, name, there["created"] if there else now)
            if len(text) <= LONGEST and not (there and there["state"] == json.loads(text)["state"]):
                written[TAG + view.id] = text
        old = [one for one in self.views if one.startswith(OURS) and one not in wanted]
        old.sort(key=lambda one: self.views[one]["created"], reverse=True)
        return written, [TAG + one for one in old[max(0, MOST - len(wanted)) :]]
