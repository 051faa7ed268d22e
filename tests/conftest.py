"""What tests of several rooms need: a real store for the session, the `sandbox` command, and its UI."""

import importlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import Config
from sandbox.cli import main
from sandbox.job import work
from sandbox.sweeps import Sweep, choice, run_sweep
from sandbox.sweeps.command import experiment
from sandbox.tracking import Store
from sandbox.tracking.address import sqlite_uri
from sandbox.tracking.front import FRONT
from sandbox.tracking.spool import Spool
from sandbox.tracking.writers import Writers
from studies.postgresql import is_installed, passing

ROOT = Path(__file__).parent.parent
CHROMIUM = "/usr/bin/chromium"
PARENT = "mlflow.parentRunId"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure():
    """A shell may start the tests in the background, with SIGINT ignored; a user's terminal does not."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


SLOW = "slow: runs where CI=true, and with make test SLOW=1"


def pytest_collection_modifyitems(items):
    """Minutes of kills, outages and browsers are for CI; `make test` is to answer within some minutes."""
    if os.environ.get("CI") != "true" and not os.environ.get("SLOW"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason=SLOW))


def pytest_terminal_summary(terminalreporter):
    """What CI drew can be drawn again."""
    if any("tests/fuzz" in report.nodeid for report in terminalreporter.getreports("passed")):
        terminalreporter.write_line(f"tests/fuzz: FUZZ_SEED={os.environ.get('FUZZ_SEED', '1')}")


@pytest.fixture(autouse=True)
def _no_address_from_outside(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(autouse=True)
def _activated(monkeypatch):
    """As in an activated environment, `sandbox` is on the PATH."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """One store for all tests, each in its own experiment: a new database takes over a second."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db")
    store.check()
    return store


@pytest.fixture(scope="session")
def plain_of():
    """A function: all runs of an experiment in the store of a directory's own, by a client that knows nothing of ours."""
    from mlflow import MlflowClient

    def read(directory, name):
        client = MlflowClient(sqlite_uri(directory / "runs" / "mlflow.db"))
        experiment = client.get_experiment_by_name(name)
        assert experiment is not None
        return client.search_runs([experiment.experiment_id], max_results=1000)

    return read


@pytest.fixture(scope="module")
def database():
    """A real PostgreSQL; where there is none, only CI insists."""
    if os.environ.get("CI") != "true" and not is_installed():
        pytest.skip("PostgreSQL is not installed (Debian's package postgresql)")
    with passing() as database:
        yield database


@pytest.fixture(scope="session")
def plain(store):
    """A client that knows nothing of ours."""
    from mlflow import MlflowClient

    return MlflowClient(store.uri)


@pytest.fixture(scope="session")
def small():
    """A function: a grid of two learning rates with two seeds, under a name of its own."""

    def make(name, **changes):
        sweep = Sweep(
            name=name,
            question="What does the learning rate do?",
            base=Config(dataset="quadrants", n_examples=40, hidden=(3,), epochs=100),
            space={"learning_rate": choice(0.1, 1.0)},
            seeds=2,
            tags={"purpose": "test"},
        )
        return sweep.replace(**changes)

    return make


@pytest.fixture(scope="session")
def make_run():
    """A function: the record of a sweep's first trial, trained."""

    def make(sweep):
        ((_, record),) = work([sweep.job(sweep.plan[0], 0)])
        return record

    return make


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """A directory in which campaigns of several tests run, each under a name of its own."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="session")
def crew(store, root):
    """The writers of `root`'s spool, which start once: that takes two seconds."""
    with Writers(Spool(store.uri, root), 1) as crew:
        yield crew


@pytest.fixture(scope="session")
def run_here(store, root, crew):
    """A function: run a sweep in `root`."""
    return lambda sweep, **options: run_sweep(sweep, store, root, **{"quiet": True, "writers": crew, **options})


@pytest.fixture
def logged(plain):
    """A function: the parents and the children of an experiment, by MLflow's own client."""

    def read(name, text=""):
        experiment = plain.get_experiment_by_name(name)
        runs = plain.search_runs([experiment.experiment_id], text, max_results=1000) if experiment else []
        parents = [run for run in runs if PARENT not in run.data.tags]
        children = [run for run in runs if PARENT in run.data.tags]
        assert {run.data.tags[PARENT] for run in children} <= {run.info.run_id for run in parents}
        return parents, children

    return read


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """A function: a module of the user's own, in the directory where `here` and `call` run; forgotten afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    written = []

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        written.append(name)

    yield write
    for name in written:
        sys.modules.pop(name, None)


@pytest.fixture(scope="session")
def runs_frame():
    """A function: all runs of these experiments of a store that match a filter, as MLflow's own table."""
    import mlflow
    import pandas as pd

    def read(store, experiments=None, text=""):
        mlflow.set_tracking_uri(store.uri)
        try:
            found = mlflow.search_runs(
                experiment_names=experiments, filter_string=text, search_all_experiments=not experiments
            )
        finally:
            mlflow.set_tracking_uri("")
            del os.environ["MLFLOW_TRACKING_URI"]  # which that sets for every process to come
        assert isinstance(found, pd.DataFrame)
        return found

    return read


class Process(subprocess.Popen):
    """A process that does not outlive a test which fails."""

    def __exit__(self, kind, *rest):
        if kind is not None:
            self.kill()
        super().__exit__(kind, *rest)


@pytest.fixture(scope="session")
def start():
    """A function: start `sandbox` (or `python`) with these arguments in a directory, as a user would."""

    def popen(*words, cwd, command="sandbox", **environment):
        with (Path(cwd) / ".stderr").open("w") as errors:
            return Process(
                [Path(sys.executable).parent / command, *map(str, words)],
                cwd=cwd,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                preexec_fn=hear_interrupts,
            )

    return popen


def hear_interrupts():
    """A shell may start the tests in the background, with SIGINT ignored; a user's terminal does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def call(start):
    """A function: the same, to its end; gives exit code, standard output and standard error."""

    def communicate(*words, cwd, **options):
        with start(*words, cwd=cwd, **options) as process:
            output, _ = process.communicate(timeout=60)
        errors = Path(cwd) / ".stderr"
        text = errors.read_text()
        errors.unlink()
        return process.returncode, output, text

    return communicate


@pytest.fixture
def here(monkeypatch, capsys, tmp_path):
    """A function: what `sandbox` (or an experiment's script) answers, in this process: exit code, output, errors."""

    def call(*words, script=None):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["sandbox", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            experiment(importlib.import_module(f"experiments.{script}").SWEEP) if script else main()
        return end.value.code or 0, *capsys.readouterr()

    return call


@pytest.fixture(scope="session")
def serve(start):
    """A function: `sandbox ui` on a free port; gives its process, its address and the lines that it prints."""

    def popen(uri, cwd):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = start("ui", "--tracking-uri", uri, "--port", port, cwd=cwd)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "Ctrl-C ends it\n":
                address = re.search(rf"http://127\.0\.0\.1:{port}\S+", "".join(lines))
                assert address, lines
                return process, address[0], lines
        raise AssertionError((Path(cwd) / ".stderr").read_text())

    return popen


@pytest.fixture(scope="session")
def ui(serve, store, tmp_path_factory):
    """The address that `sandbox ui` prints for the session's store."""
    process, address, _ = serve(store.uri, tmp_path_factory.mktemp("ui"))
    with process:
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


@pytest.fixture(scope="session")
def server(ui):
    """The same server, as a tracking server."""
    return ui.removesuffix(FRONT)


@pytest.fixture(scope="session")
def required():
    """A function: skip a test for which this machine lacks something; in CI, where nothing may be skipped, fail it."""

    def check(there, what):
        if not there:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)

    return check


@pytest.fixture(scope="module")
def browser(required):
    """A real Chromium: required in CI, elsewhere skipped where there is none.

    As long as there is one, asyncio has a loop that runs in this thread: a module's own, so that others have none.
    """
    required(Path(CHROMIUM).exists(), f"there is no {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
