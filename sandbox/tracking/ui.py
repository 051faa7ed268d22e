"""Looking at a store in MLflow's web UI: the command that serves it, and the addresses of its pages.

MLflow 3.17's UI opens every experiment on its GenAI pages until "Model training" is chosen in its upper left
corner, once per browser. ``workflowType`` in an address holds for that page alone: the list of experiments goes
without it, and each experiment has an address of its own. The UI ignores ``mlflow.experimentKind``, which other
versions read. It folds runs that are sorted by time under their parents, not those sorted by a metric.
"""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from tempfile import TemporaryFile
from urllib.parse import quote, urlencode

from sandbox.errors import RequestError, one_line
from sandbox.tracking.address import shown
from sandbox.tracking.connection import StoreError, knock
from sandbox.tracking.sqlite import remove_misread
from sandbox.tracking.store import Store

TRAINING = {"workflowType": "machine_learning"}
OBJECTIVE = "objective"  # the tag of an experiment: what its runs are sorted by, such as "max:validation_accuracy"


def is_server(uri: str) -> bool:
    """Whether the store is a tracking server, which has its UI at its own address."""
    return uri.startswith(("http://", "https://"))


def command(store: Store, host: str = "127.0.0.1", port: int = 5000) -> tuple[list[str], dict[str, str]]:
    """The command that serves a store's UI, and its environment: an address may hold a password, and the arguments of a
    process can be seen by everybody.

    Raises RequestError for a store that is a server already: its UI is at its own address.
    """
    if is_server(store.uri):
        raise RequestError(f"the store is a server already: open {shown(store.uri)} in a browser")
    environment = {**os.environ, "MLFLOW_BACKEND_STORE_URI": store.uri}
    if store.artifacts:
        environment["MLFLOW_ARTIFACTS_DESTINATION"] = store.artifacts
    argv = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1"]
    return argv, environment


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


def serve(store: Store, host: str, port: int, say: Callable[[str], object]) -> None:
    """Serve a store's UI until Ctrl-C, saying its addresses once it answers.

    Raises RequestError where something else listens on the port, and StoreError with its last words if the server ends.
    """
    argv, environment = command(store, host, port)
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    if _taken(host, port):
        raise RequestError(f"something listens at {address} already: choose another port, such as --port {port + 1}")
    store.check()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends this process ends the server with it
    say("starting MLflow's server (some seconds)")
    with TemporaryFile("w+") as log:
        server = subprocess.Popen(argv, stdout=log, stderr=log, env=environment)
        try:
            while server.poll() is None and not _answers(address):
                time.sleep(0.2)
            if server.returncode is None:
                _say_addresses(store, address, say)
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


def _say_addresses(store: Store, address: str, say: Callable[[str], object]) -> None:
    say(f"MLflow UI at {url(address)}  (choose Model training there, in the upper left corner)")
    for found in store.client.search_experiments(max_results=20, order_by=["name"]):
        if found.name != "Default":
            objective = found.tags.get(OBJECTIVE, "min:final_cost")
            say(f"  {found.name}: {url(address, found.experiment_id, objective=objective)}")
    say("Ctrl-C ends it")


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
