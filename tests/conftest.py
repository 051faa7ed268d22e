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

from sandbox.cli import main
from sandbox.sweeps.command import experiment
from sandbox.tracking import Store

ROOT = Path(__file__).parent.parent
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


SLOW = "slow: runs where CI=true, and with make test SLOW=1"


def pytest_collection_modifyitems(items):
    """Minutes of kills, outages and browsers are for CI; `make test` is to answer within two minutes."""
    if os.environ.get("CI") != "true" and not os.environ.get("SLOW"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason=SLOW))


@pytest.fixture(autouse=True)
def _no_address_from_outside(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """One store for all tests, each in its own experiment: a new database takes over a second."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db")
    store.check()
    return store


@pytest.fixture(scope="session")
def plain(store):
    """A client that knows nothing of ours."""
    from mlflow import MlflowClient

    return MlflowClient(store.uri)


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
    return ui.partition("/#")[0]


@pytest.fixture(scope="session")
def required():
    """A function: skip a test for which this machine lacks something; in CI, where nothing may be skipped, fail it."""

    def check(there, what):
        if not there:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)

    return check


@pytest.fixture(scope="session")
def browser(required):
    """A real Chromium: required in CI, elsewhere skipped where there is none."""
    required(Path(CHROMIUM).exists(), f"there is no {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
