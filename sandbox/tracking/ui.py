"""Looking at a store in MLflow's web UI: the command that serves it, and the addresses of its pages.

What is served is MLflow with a page more in front (see sandbox/tracking/front.py). Plain MLflow, as `mlflow server` serves
it, opens every experiment on its GenAI pages until "Model training" is chosen in its upper left corner, once per browser;
``workflowType`` in an address holds for that page alone. It folds runs that are sorted by time under their parents, not
those sorted by a metric.
"""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import entry_points
from tempfile import TemporaryFile
from urllib.parse import quote, urlencode

from sandbox.errors import RequestError, one_line
from sandbox.tracking.address import shown
from sandbox.tracking.connection import StoreError, knock
from sandbox.tracking.front import APP, FRONT, is_shown
from sandbox.tracking.sqlite import remove_misread
from sandbox.tracking.store import Store
from sandbox.tracking.views import TRAINING, Known, view_query

HOST_NAME = re.compile(
    r"[A-Za-z0-9*]([A-Za-z0-9.*-]{0,251}[A-Za-z0-9*])?|\[[0-9a-fA-F:.]+\]"
)  # as a Host header has it
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # every address of the machine: how it is reached from itself
OBJECTIVE = "objective"  # the tag of an experiment: what its runs are sorted by, such as "max:validation_accuracy"
PRIMARY = "mlflow.experiment.primaryMetric"


def ranked_by(objective: str) -> dict[str, str]:
    """The tags of an experiment whose best run `objective` tells: ours, and MLflow's, of which 3.17 makes nothing yet.

    >>> ranked_by("min:final_cost")["mlflow.experiment.primaryMetric.name"]
    'final_cost'
    """
    direction, _, metric = objective.partition(":")
    return {OBJECTIVE: objective, f"{PRIMARY}.name": metric, f"{PRIMARY}.greaterIsBetter": str(direction == "max")}


def is_server(uri: str) -> bool:
    """Whether the store is a tracking server, which has its UI at its own address."""
    return uri.startswith(("http://", "https://"))


def command(
    store: Store, host: str = "127.0.0.1", port: int = 5000, allow: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """The command that serves a store's UI, and its environment: an address may hold a password, and the arguments of a
    process can be seen by everybody. `allow` are the names, beside this machine's own, by which it may be asked for.

    Raises RequestError for a store that is a server already: its UI is at its own address.
    """
    if is_server(store.uri):
        raise RequestError(f"the store is a server already: open {shown(store.uri)} in a browser")
    environment = {**os.environ, "MLFLOW_BACKEND_STORE_URI": store.uri}
    if store.artifacts:
        environment["MLFLOW_ARTIFACTS_DESTINATION"] = store.artifacts
    if allow:
        names = [*allow, *filter(None, [_own_address()]), "localhost", "127.0.0.1", "[::1]"]
        environment["MLFLOW_SERVER_ALLOWED_HOSTS"] = ",".join(one for name in names for one in (name, f"{name}:{port}"))
    argv = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1"]
    return [*argv, *(["--app-name", APP] if has_front() else [])], environment


def has_front() -> bool:
    """Whether MLflow finds the app with the front page: not where the sandbox is imported without being installed."""
    return APP in {one.name for one in entry_points(group="mlflow.app")}


def url(
    base: str, experiment_id: str | None = None, run_id: str | None = None, objective: str = "min:final_cost"
) -> str:
    """The page of a run (its curves and pictures), of an experiment (its runs, the best first), or of all.

    `objective` says which run is best: a metric's name behind "min:" or "max:".
    """
    pages = f"{base.rstrip('/')}/#/experiments"
    if not experiment_id:
        return pages
    direction, _, metric = objective.partition(":")
    order = {"orderByKey": f"metrics.`{metric}`", "orderByAsc": str(direction == "min").lower()}
    page = f"/{experiment_id}/runs/{run_id}/model-metrics" if run_id else f"/{experiment_id}/runs"
    query = TRAINING if run_id else {**TRAINING, "compareRunsMode": "CHART", **order}
    return f"{pages}{page}?{urlencode(query, quote_via=quote)}"


def serve(store: Store, host: str, port: int, say: Callable[[str], object], allow: Sequence[str] = ()) -> None:
    """Serve a store's UI until Ctrl-C, saying its addresses once it answers.

    Raises RequestError where something else listens on the port, and StoreError with its last words if the server ends.
    """
    for name in allow:
        check_host(name)
    argv, environment = command(store, host, port, allow)
    address = f"http://{_in_address(host)}:{port}"
    if _taken(host, port):
        raise RequestError(f"something listens at {address} already: choose another port, such as --port {port + 1}")
    store.check()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends this process ends the server with it
    say("starting MLflow's server (some seconds)")
    here = f"http://{_in_address(LOOPBACK.get(host, host))}:{port}"
    with TemporaryFile("w+") as log:
        server = subprocess.Popen(argv, stdout=log, stderr=log, env=environment)
        try:
            while server.poll() is None and not _answers(here):
                time.sleep(0.2)
            if server.returncode is None:
                _say_addresses(store, host, port, say, allow)
            code = server.wait()
            log.seek(0)
            *_, last = ["", *log.read().split("\n\n")[-1].splitlines()]
            raise StoreError(f"MLflow's server ended with exit code {code}: {last}")
        except KeyboardInterrupt:
            return
        finally:
            with suppress(ProcessLookupError):
                server.terminate()
            server.wait()
            remove_misread(store.uri)


def _say_addresses(store: Store, host: str, port: int, say: Callable[[str], object], allow: Sequence[str]) -> None:
    """Where to look, and what is open to whom: the front page, then each experiment's views."""
    front = FRONT if has_front() else "/#/experiments"
    base = f"http://{_in_address(LOOPBACK.get(host, host))}:{port}"
    say(f"open {base}{front}")
    if host in LOOPBACK or not _is_loopback(host):
        others = [*allow] or ([host] if host not in LOOPBACK else filter(None, [_own_address()]))
        for name in others:
            say(f"others open http://{_in_address(name)}:{port}{front}")
        say(
            "whoever reaches it can read, change and delete every run: there is no password, so only in a network you trust"
        )
        if not allow:
            say("by a name instead of an address MLflow answers 403, unless it is given with --allow NAME")
    for found in store.client.search_experiments(max_results=20, order_by=["name"]):
        if is_shown(found):
            objective = found.tags.get(OBJECTIVE, "min:final_cost")
            views = sorted(Known(found.tags).views.items(), key=lambda one: one[1]["name"])
            say(f"  {found.name}: {url(base, found.experiment_id, objective=objective)}")
            for key, view in views:
                page = view_query(key, chart=view["chart"])
                say(f"    {view['name']}: {base}/#/experiments/{found.experiment_id}/{page}")
    say("Ctrl-C ends it")


def check_host(name: str) -> None:
    """Raises RequestError for what is no name or address of a machine."""
    if not HOST_NAME.fullmatch(name):
        raise RequestError(
            f"allow is {one_line(name)}: the name or the address of this machine is needed, without a port"
        )


def _in_address(host: str) -> str:
    """A host as an address has it."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _is_loopback(host: str) -> bool:
    with suppress(OSError, UnicodeError):
        return str(socket.getaddrinfo(host, None)[0][4][0]).startswith(("127.", "::1"))
    return False


def _own_address() -> str:
    """The address by which others reach this machine, "" where there is no network. Nothing is sent."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("192.0.2.1", 9))  # an address of documentation's: it decides which of this machine's is used
        return one.getsockname()[0]
    return ""


def _taken(host: str, port: int) -> bool:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise RequestError(f"host is {one_line(host)}: a name or an address of this machine is needed") from None
    with socket.socket(family, kind, protocol) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: a port just left is free
        try:
            one.bind(where)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return True
    return False


def _answers(address: str) -> bool:
    with suppress(OSError):
        knock(address)
        return True
    return False
