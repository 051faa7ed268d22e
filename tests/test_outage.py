"""A tracking server that is not there, dies, answers 500 or never answers, and comes back: real ones, on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

import pytest
from mlflow import MlflowClient

from sandbox import Config
from sandbox.doctor import examine
from sandbox.sweeps import Sweep, choice, run_sweep
from sandbox.sweeps.study import ended_trials, known_study
from sandbox.tracking import Store, StoreError
from sandbox.tracking.spool import Spool

pytestmark = pytest.mark.slow


class Server:
    """An `mlflow server` that can be killed and started again on the same port."""

    def __init__(self, directory):
        self.directory = directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        words = [sys.executable, "-m", "mlflow", "server", "--port", str(self.port), "--workers", "1"]
        words += ["--backend-store-uri", f"sqlite:///{self.directory}/mlflow.db"]
        words += ["--artifacts-destination", str(self.directory / "artifacts")]
        with (self.directory / "server.log").open("a") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while not self.answers():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def answers(self):
        try:
            with urlopen(f"{self.uri}/health", timeout=1):
                return True
        except OSError:
            return False

    def kill(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)  # the group that it leads: its workers too
            self.process.wait()
            self.process = None
            wait_for(self.is_gone)

    def is_gone(self):
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", self.port))
            except OSError:
                return False
            return True


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    one = Server(tmp_path_factory.mktemp("server"))
    yield one
    one.kill()


class FailingServer(ThreadingHTTPServer):
    """Counts the requests that it fails."""

    allow_reuse_address = True
    heard = 0


class Failing(BaseHTTPRequestHandler):
    """Answers 500 to everything."""

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        assert isinstance(self.server, FailingServer)
        self.server.heard += 1
        self.send_error(500)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, format, *args):
        pass


@contextmanager
def failing(port):
    """A server that answers 500."""
    with FailingServer(("127.0.0.1", port), Failing) as one:
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield one
        one.shutdown()


@contextmanager
def silent(port):
    """A server that accepts and never answers."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(100)
        yield listener


def runs_of(client, name):
    experiment = client.get_experiment_by_name(name).experiment_id
    return client.search_runs([experiment], "tags.config_key != ''", max_results=1000)


NEVER_THERE = Sweep("never there", Config(epochs=60), {"learning_rate": choice(0.1, 1.0, 10.0)}, seeds=2)


def owned(sweep, store):
    """The sweep as its driver has it: on a server it is one user's."""
    return sweep.replace(owner=store.owner)


def told(sweep, root):
    """How many trials Optuna knows to have ended."""
    study = known_study(sweep.id, sweep.goal.words, root)
    return len(ended_trials(study)) if study else 0


def test_a_store_that_is_never_there_costs_nothing_and_sync_logs_everything_once_it_is(server, here, tmp_path):
    words = ("sweep", "--vary", "learning_rate=0.1|1|10", "--seeds", 2, "--epochs", 60, "--name", "never there")
    begun = time.monotonic()
    code, output, errors = here(*words, "--tracking-uri", server.uri)
    assert code == 1
    assert time.monotonic() - begun < 30
    assert "STORE AWAY, 7 runs wait in the spool" in errors  # the progress bar
    assert (
        "note: the best runs are no models yet and the diagnosis is not whole yet (MLflow store http://127.0.0.1:"
        in errors
    )
    last = errors.splitlines()[-1]
    assert last.startswith("7 runs wait in the spool (MLflow store http://127.0.0.1:")
    assert last.endswith("next: sandbox sync, when the store is back")
    assert "Traceback" not in output + errors

    code, output, errors = here("sync")
    assert (code, output, errors.count("\n")) == (1, "", 1)
    assert errors.startswith(f"error: MLflow store {server.uri}: ")

    code, output, errors = here(*words, "--tracking-uri", server.uri, "--json")  # nothing is trained again
    (row,) = json.loads(output)["sweeps"]
    assert (code, row["runs"], row["new"], errors.count("\n")) == (1, 6, 0, 1)
    spool = Spool(server.uri, tmp_path / "runs")
    assert sum(1 for _ in spool.entries(owned(NEVER_THERE, Store(server.uri, tmp_path)).id)) == 6

    server.start()
    code, output, errors = here("sync")
    assert (code, errors) == (0, "")
    assert output.endswith(f"runs logged to {server.uri}\n")
    runs = runs_of(MlflowClient(server.uri), "never there")
    assert [run.info.status for run in runs] == ["FINISHED"] * 6
    assert len({run.data.tags["config_key"] for run in runs}) == 6
    assert here("doctor", "--tracking-uri", server.uri)[0] == 0
    assert here("sync") == (0, "the spool is empty\n", "")
    for _ in range(2):
        code, output, errors = here(*words, "--tracking-uri", server.uri, "--json")
        (row,) = json.loads(output)["sweeps"]
        assert (code, row["new"], row["left"]) == (0, 0, "")
    (model,) = MlflowClient(server.uri).search_logged_models([runs[0].info.experiment_id])
    assert [model.source_run_id] == [*row["models"].values()]


def test_a_server_that_dies_answers_500_never_answers_and_comes_back_loses_nothing(server, small, tmp_path):
    if not server.answers():
        server.start()
    store = Store(server.uri, tmp_path)
    sweep = owned(small("outage", trials=60, seeds=30), store)
    outcomes = []
    driver = threading.Thread(
        target=lambda: outcomes.append(run_sweep(sweep, store, tmp_path, quiet=True, batch=4)), daemon=True
    )
    client = MlflowClient(server.uri)
    driver.start()
    wait_for(lambda: client.get_experiment_by_name("outage") and len(runs_of(client, "outage")) >= 4)
    server.kill()
    with failing(server.port) as broken:
        wait_for(lambda: broken.heard >= 2)
    with silent(server.port):
        time.sleep(1.5)
    wait_for(lambda: told(sweep, tmp_path) == 60, 30)  # all are trained while it is away
    assert driver.is_alive()  # and waits for it
    server.start()
    driver.join(timeout=60)
    (outcome,) = outcomes
    assert (outcome.status, outcome.done, outcome.waiting) == ("FINISHED", 60, 0)
    runs = runs_of(client, "outage")
    finished = [run for run in runs if run.info.status == "FINISHED"]
    assert len(finished) == len({run.data.tags["config_key"] for run in finished}) == 60
    assert {run.info.status for run in runs} <= {"FINISHED", "KILLED", "FAILED"}
    for run in finished[::10]:
        assert [point.step for point in client.get_metric_history(run.info.run_id, "cost")] == list(range(101))
        images = client.list_artifacts(run.info.run_id, "images")
        assert len(images) == 2 * len({image.path.split("+")[2] for image in images}) >= 10
    assert examine(Store(server.uri, tmp_path), tmp_path).findings == []


def test_without_a_terminal_an_outage_is_two_lines_and_waiting_one_in_ten_seconds(server, start, tmp_path):
    if not server.answers():
        server.start()
    words = ("sweep", "--vary", "learning_rate=0.1,1", "--seeds", 60, "--epochs", 60, "--name", "lines", "--batch", 4)
    client = MlflowClient(server.uri)
    with start(*words, cwd=tmp_path, MLFLOW_TRACKING_URI=server.uri) as driver:
        wait_for(lambda: client.get_experiment_by_name("lines") and len(runs_of(client, "lines")) >= 4)
        server.kill()
        time.sleep(8)
        server.start()
        driver.communicate(timeout=120)
    lines = [line for line in (tmp_path / ".stderr").read_text().replace("\r", "\n").splitlines() if line.strip()]
    said = [line for line in lines if "run/s" not in line and "s/run" not in line]
    assert driver.returncode == 0
    assert len(said) == 2, lines
    assert said[0].startswith(f"MLflow store {server.uri}: ")
    assert said[0].endswith("training goes on, runs wait in the spool")
    assert said[1] == "the store is back"
    assert len(lines) < 20


def wait_for(ready, seconds=60):
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("kind", [silent, failing])
def test_a_server_that_does_not_work_at_all_does_not_keep_the_training_waiting(kind, small, tmp_path):
    with kind(0) as listener:
        port = listener.getsockname()[1] if kind is silent else listener.server_port
        store = Store(f"http://127.0.0.1:{port}", tmp_path)
        sweep = owned(small(f"useless {kind.__name__}"), store)
        outcomes = []
        driver = threading.Thread(target=lambda: outcomes.append(run_sweep(sweep, store, tmp_path, quiet=True)))
        begun = time.monotonic()
        driver.start()
        wait_for(lambda: told(sweep, tmp_path) == 4, 20)
        assert time.monotonic() - begun < 15
        driver.join()
        assert time.monotonic() - begun < 40
    (outcome,) = outcomes
    assert (outcome.status, outcome.done, outcome.waiting) == ("SPOOLED", 4, 5)
    with pytest.raises(StoreError):
        examine(Store(store.uri, tmp_path), tmp_path)


@pytest.mark.parametrize("kind", ["sweep", "compare"])
def test_a_store_that_can_no_longer_be_read_is_no_success(kind, call, tmp_path):
    """All was done and logged; then the database is lost, and nobody can say so any more."""
    database = tmp_path / "gone.db"
    words = ("--seeds", 2, "--epochs", 30, "--tracking-uri", f"sqlite:///{database}", "--json")
    if kind == "sweep":
        words = ("sweep", "--vary", "learning_rate=0.1,1", *words)
    else:
        arms = ("--arm", "raw: hidden=none", "--arm", "deep: hidden=4")
        words = ("compare", "--dataset", "circle", "--n", 16, "--trials", 1, *arms, *words)
    code, output, _ = call(*words, cwd=tmp_path)
    assert (code, json.loads(output)["waiting"]) == (0, 0)
    assert call(*words, cwd=tmp_path)[0] == 0
    whole = database.read_bytes()
    for file in tmp_path.glob("gone.db-*"):  # SQLite's own, beside it
        file.unlink()
    database.write_bytes(b"a letter, not a database\n" * 1000)

    code, output, errors = call(*words, cwd=tmp_path)
    assert code == 1
    assert json.loads(output)["waiting"] >= 1
    assert "wait in the spool (MLflow store" in errors
    assert "file is not a database" in errors
    assert errors.endswith("next: sandbox sync, when the store is back\n")
    assert errors.count("\n") == 1
    database.write_bytes(whole)
    assert call("sync", cwd=tmp_path)[0] == 0
    assert call("doctor", "--tracking-uri", f"sqlite:///{database}", cwd=tmp_path)[0] == 0
