import os
import socket
import sqlite3
import subprocess
import sys
import time

import pytest
from mlflow import MlflowClient

from sandbox.tracking import Store, StoreError

CREATE = """
import sys
from sandbox.tracking import Destination, Store
store = Store(root=sys.argv[1])
store.parent(store.experiment("together"), Destination("together", campaign=f"run {sys.argv[2]}"))
"""


@pytest.mark.slow
def test_four_processes_create_one_store_at_once(tmp_path):
    here = tmp_path / "cwd"
    here.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CREATE, str(tmp_path / "runs"), str(i)],
            cwd=here,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for i in range(4)
    ]
    assert [process.communicate(timeout=60)[0] for process in processes] == [""] * 4  # silent, too
    assert [process.returncode for process in processes] == [0] * 4
    assert list(here.iterdir()) == []
    client = MlflowClient(f"sqlite:///{tmp_path}/runs/mlflow.db")
    experiment = client.get_experiment_by_name("together")
    assert experiment is not None
    names = {run.info.run_name for run in client.search_runs([experiment.experiment_id])}
    assert names == {f"run {i}" for i in range(4)}
    artifacts = str(tmp_path / "runs" / "artifacts")
    assert all(found.artifact_location.startswith(artifacts) for found in client.search_experiments())


def test_where_a_store_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Store().uri == f"sqlite:///{tmp_path}/runs/mlflow.db"
    assert Store(root="elsewhere").artifacts == tmp_path / "elsewhere" / "artifacts"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mine/other.db")
    assert Store().uri == f"sqlite:///{tmp_path}/mine/other.db"
    assert Store().artifacts == tmp_path / "mine" / "artifacts"
    assert Store("http://example.org").uri == "http://example.org"
    assert Store("http://example.org").artifacts is None
    assert list(tmp_path.iterdir()) == []


def test_the_users_own_settings_stay(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT", raising=False)
    Store()
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "9"
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "60"


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("http://127.0.0.1:{port}", "refused"),
        ("postgresql://me:secret@127.0.0.1:{port}/runs", "refused"),
        ("http://nowhere.invalid:5000", "nowhere"),
        ("http://127.0.0.1:port", "Port"),
        ("http://", "no host"),
        ("gopher://runs", "unsupported"),
        ("sqlite:///{tmp}/text.db", "not a database"),
        ("sqlite:///{tmp}/text.db/runs.db", "text.db"),
    ],
)
def test_a_store_that_does_not_answer_is_reported_soon_in_one_line(uri, why, tmp_path):
    (tmp_path / "text.db").write_text("a letter, not a database\n" * 100)
    with socket.socket() as closed:  # bound, never listening
        closed.bind(("127.0.0.1", 0))
        store = Store(uri.format(port=closed.getsockname()[1], tmp=tmp_path))
        start = time.monotonic()
        with pytest.raises(StoreError, match=why) as caught:
            store.experiment("anything")
        assert time.monotonic() - start < 10
    message = str(caught.value)
    assert "\n" not in message
    assert "secret" not in message
    assert store.uri.replace(":secret@", ":***@") in message


def test_a_store_that_somebody_else_writes_to_is_waited_for(store, plain):
    blocker = sqlite3.connect(store.uri.removeprefix("sqlite:///"), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        reader = Store(store.uri)
        assert "Default" in {found.name for found in reader.client.search_experiments()}
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()
