import os
import socket
import sqlite3
import subprocess
import sys
import time

import pytest
from mlflow import MlflowClient

from sandbox.errors import RequestError
from sandbox.tracking import Store, StoreError

CREATE = """
import sys
from sandbox.tracking import Destination, Store
store = Store(root=sys.argv[1])
store.parent(store.experiment("together"), Destination("together", campaign=f"run-{sys.argv[2]}"))
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
    assert names == {f"run-{i}" for i in range(4)}
    artifacts = str(tmp_path / "runs" / "artifacts")
    assert all(found.artifact_location.startswith(artifacts) for found in client.search_experiments())


def test_where_a_store_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Store().uri == f"sqlite:///{tmp_path}/runs/mlflow.db"
    assert Store(root="elsewhere").artifacts == f"{tmp_path}/elsewhere/artifacts"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mine/other.db")
    assert Store().uri == f"sqlite:///{tmp_path}/mine/other.db"
    assert Store().artifacts == f"{tmp_path}/mine/artifacts"
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


@pytest.mark.parametrize(
    "uri", ["http://", "gopher://runs", "http://[::1", "junk:", "./mlruns", "file:runs", "s3://bucket", " ", "a\0b"]
)
def test_what_is_no_address_of_a_store_is_refused_in_one_line(uri):
    with pytest.raises(RequestError, match="an address such as sqlite:///runs"):
        Store(uri)


@pytest.mark.parametrize("place", ["a" * 2000, "b/" + "c" * 300, "half \ud800", "file/below"])
def test_what_is_no_place_for_artifacts_is_refused_in_one_line(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match="artifacts are to be in "):
        Store(artifacts=place)


def test_a_database_without_a_port_is_asked_at_its_usual_one():
    begun = time.monotonic()
    with pytest.raises(StoreError, match=r"postgresql://nowhere\.invalid"):
        Store("postgresql://nowhere.invalid/runs").check()
    assert time.monotonic() - begun < 10
