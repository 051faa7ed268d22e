"""The front page: what every experiment asks, what it found, and links to its pages; beside MLflow's own UI.

`mlflow server --app-name sandbox` (one of MLflow's custom apps, by the entry point `mlflow.app`) serves MLflow as it is
with this page more, at /sandbox and wherever an address says nothing more. The page of MLflow's own gets one line before
it: MLflow decides by a switch in the browser whether it opens on model training or on what is of no use here.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from sandbox.tracking.connection import reporting
from sandbox.tracking.entry import NOTE
from sandbox.tracking.store import Store
from sandbox.tracking.views import Known, view_query

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run

FRONT = "/sandbox"  # the path of the page
APP = "sandbox"  # the name of the app, as pyproject.toml has it
KINDS = ("sweep", "comparison")  # the roles of parent runs
EARLIER = 5  # of an experiment's sweeps that are named beside the latest
SWITCHES = {  # what MLflow's UI keeps in the browser
    "mlflow.workflowType_v1": '"machine_learning"',
    "mlflow.assistant.panelOpen_v1": "false",
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
}
SET = "try {{ for (const [key, value] of Object.entries({})) localStorage.setItem(key, value) }} catch {{}}"
GO = f'if (!location.hash) location.replace("{FRONT.lstrip("/")}")'


@dataclass(frozen=True)
class Told:
    """One sweep or comparison as the page shows it."""

    name: str
    link: str
    question: str
    answer: list[str]
    picture: str
    figures: str
    user: str
    status: str


@dataclass(frozen=True)
class Card:
    """One experiment as the page shows it; `views` are names and links."""

    name: str
    question: str
    link: str
    latest: Told | None = None
    earlier: list[Told] = field(default_factory=list)
    views: list[tuple[str, str]] = field(default_factory=list)


def create_app() -> Any:
    """MLflow's server with the page. Where MLflow has changed so far that it cannot be added, MLflow's server as it is."""
    from mlflow.server import app as flask
    from mlflow.server import fastapi_app

    uri = os.environ.get("MLFLOW_BACKEND_STORE_URI") or os.environ.get("_MLFLOW_SERVER_FILE_STORE")
    store = Store(uri)
    flask.add_url_rule(FRONT, "sandbox", lambda: page(store))
    if (served := flask.view_functions.get("serve")) is not None:
        flask.view_functions["serve"] = lambda: _switched(served())
    return fastapi_app.app


def _switched(response: Any) -> Any:
    """MLflow's page, its switches set before it begins; the front page instead where the address says nothing more."""
    from flask import Response

    if not isinstance(response, Response) or response.mimetype != "text/html" or response.status_code != 200:
        return response
    response.direct_passthrough = False
    head, found, rest = response.get_data(as_text=True).partition("<head>")
    return Response(f"{head}{found}<script>{script()};{GO}</script>{rest}" if found else head, mimetype="text/html")


def script() -> str:
    """What sets MLflow's switches, in JavaScript."""
    return SET.format(json.dumps(SWITCHES))


def page(store: Store) -> str:
    """The front page of a store."""
    with reporting(store.uri):
        found = list(cards(store))
    return _template().render(cards=found, script=script(), home="#/experiments")


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader

    return Environment(loader=PackageLoader("sandbox.tracking", "."), autoescape=True).get_template("front.html.j2")


def is_shown(experiment: "Experiment") -> bool:
    """Whether it is worth a place: not MLflow's own empty one, nor one that was set aside."""
    return experiment.name != "Default" and "set_aside" not in experiment.tags


def cards(store: Store) -> Iterator[Card]:
    """What the page shows, an experiment after another: those with an answer first, then by name."""
    client = store.client
    experiments = [one for one in client.search_experiments(max_results=1000) if is_shown(one)]
    told: dict[str, list[Told]] = {}
    for run in _parents(store, [one.experiment_id for one in experiments]):
        told.setdefault(run.info.experiment_id, []).append(_told(run))
    for one in sorted(experiments, key=lambda one: (one.experiment_id not in told, one.name)):
        yield _card(one, told.get(one.experiment_id, []))


def _parents(store: Store, experiments: list[str]) -> Iterator["Run"]:
    """The parent runs, the latest first."""
    found: list[Run] = []
    for kind in KINDS if experiments else ():
        found += store.client.search_runs(
            experiments, f"tags.role = '{kind}'", max_results=500, order_by=["attributes.start_time DESC"]
        )
    yield from sorted(found, key=lambda run: run.info.start_time or 0, reverse=True)


def _card(experiment: "Experiment", told: list[Told]) -> Card:
    base = f"./#/experiments/{experiment.experiment_id}"
    known = sorted(Known(experiment.tags).views.items(), key=lambda one: one[1]["name"])
    views = [(one["name"], f"{base}/{view_query(key, chart=one['chart'])}") for key, one in known]
    link = f"{base}/runs?workflowType=machine_learning"
    question = told[0].question if told else experiment.tags.get(NOTE, "").partition("\n")[0]
    return Card(experiment.name, question, link, told[0] if told else None, told[1 : EARLIER + 1], views)


def _told(run: "Run") -> Told:
    tags: Mapping[str, str] = run.data.tags
    info, figures = run.info, run.data.metrics
    counts = {"runs": figures.get("runs"), "diverged": figures.get("diverged_runs")}
    return Told(
        name=info.run_name or info.run_id,
        link=f"./#/experiments/{info.experiment_id}/runs/{info.run_id}",
        question=tags.get("question", ""),
        answer=[line for line in tags.get("answer", "").splitlines() if line],
        picture=f"get-artifact?path={tags['picture']}&run_uuid={info.run_id}" if "picture" in tags else "",
        figures=", ".join(f"{value:,.0f} {name}" for name, value in counts.items() if value),
        user=tags.get("mlflow.user", ""),
        status=info.status,
    )
