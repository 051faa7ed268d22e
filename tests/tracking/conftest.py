"""Real stores to test against: one SQLite store for the session, and one server of it."""

import io
import math
import os
import socket
import subprocess
import time
import urllib.request

import pytest
from mlflow import MlflowClient
from PIL import Image, ImageDraw

from sandbox.tracking import Record, Store


@pytest.fixture(autouse=True)
def _no_address_from_outside(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def png():
    """A function: a PNG whose colours and disc tell one step from another."""

    def draw(step=0):
        image = Image.new("RGB", (320, 240), (20, 60, 40 * step))
        ImageDraw.Draw(image).ellipse((10 + 30 * step, 60, 90 + 30 * step, 140), fill=(250, 180, 0))
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()

    return draw


@pytest.fixture(scope="session")
def make_record(png):
    """A function: a whole record (200 costs, two images, a slider of six), changed by keywords."""

    def make(name="lr=0.1", rate=0.1, **changes):
        steps = range(0, 5000, 25)
        metrics = [("cost", 0.5 * math.exp(-rate * step / 500), step) for step in steps]
        fields = {
            "name": name,
            "status": "FINISHED",
            "start_time": 1_790_000_000_000,
            "end_time": 1_790_000_002_500,
            "params": {"learning_rate": str(rate), "hidden": "[8, 8]"},
            "metrics": [*metrics, ("final_cost", metrics[-1][1], 0), ("test_accuracy", 0.75, 0)],
            "tags": {"sweep": "s1", "config_key": name, "seed": "3"},
            "images": {"cost.png": png(0), "boundary.png": png(5)},
            "slider": {"boundary": {1000 * i: png(i) for i in range(6)}},
        }
        return Record(**{**fields, **changes})

    return make


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """One store for all tests, each in its own experiment: a new database takes over a second."""
    here = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("cwd"))
    try:
        store = Store(f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db")
        store.check()
        yield store
        assert os.listdir() == []  # no mlruns, no mlflow.db
    finally:
        os.chdir(here)


@pytest.fixture(scope="session")
def plain(store):
    """A client that knows nothing of ours."""
    return MlflowClient(store.uri)


@pytest.fixture(scope="session")
def server(store, tmp_path_factory):
    """The address of a server that `ui_command` started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as output:
        process = subprocess.Popen(store.ui_command(port=port), stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)
