"""A database server as the store: PostgreSQL, stopped and started under a sweep."""

import json
import threading
import time
from pathlib import Path

import pytest

from sandbox.sweeps import run_sweep
from sandbox.tracking import Destination, Store
from sandbox.tracking.entry import Entry
from sandbox.tracking.spool import Spool
from sandbox.tracking.writer import Writer

pytestmark = pytest.mark.slow


@pytest.fixture
def server(database, tmp_path):
    """The store that PostgreSQL is, and a root."""
    return Store(database.uri, tmp_path / "runs"), tmp_path / "runs"


def finished(store, name):
    experiment = store.client.get_experiment_by_name(name)
    runs = store.client.search_runs([experiment.experiment_id], "tags.trial != ''", max_results=1000)
    return sorted(run.data.tags["config_key"] for run in runs if run.info.status == "FINISHED")


def test_a_sweep_and_its_doctor_and_where_its_pictures_are(server, database, call, tmp_path):
    words = ["sweep", "--epochs", 20, "--hidden", 2, "--vary", "learning_rate=0.1,1", "--name", 'bob\'s "own"']
    code, output, errors = call(*words, cwd=tmp_path, MLFLOW_TRACKING_URI=database.uri)
    assert (code, "secret" in output + errors) == (0, False)
    assert f"are kept on this machine, in {tmp_path}/runs/artifacts: --artifacts URI" in errors
    code, output, errors = call(*words, cwd=tmp_path, MLFLOW_TRACKING_URI=database.uri)
    assert (code, "nothing left to do" in output, "kept on this machine" in errors) == (0, True, False)  # said once
    assert call("doctor", cwd=tmp_path, MLFLOW_TRACKING_URI=database.uri)[0] == 0
    store, _ = server
    assert len(finished(store, 'bob\'s "own"')) == 6


def test_artifacts_go_where_they_are_asked_to(database, call, tmp_path):
    place = tmp_path / "else where" / "50%"
    words = ["sweep", "--epochs", 20, "--hidden", 2, "--vary", "learning_rate=0.1,1", "--name", "placed", "--json"]
    code, output, errors = call(*words, "--artifacts", place, cwd=tmp_path, MLFLOW_TRACKING_URI=database.uri)
    assert (code, errors, json.loads(output)["finished"]) == (0, "", True)
    assert len(list(place.glob("placed/*/artifacts/boundary.png"))) == 6
    assert not (tmp_path / "runs" / "artifacts").exists()
    run = ["train", "--epochs", 20, "--json", "--artifacts", place]
    assert call(*run, cwd=tmp_path, MLFLOW_TRACKING_URI=database.uri)[0] == 0
    assert len(list(place.glob("train/*/artifacts/boundary.png"))) == 1


def test_what_the_database_does_not_take_is_set_aside_and_the_rest_is_logged(server, make_record):
    store, root = server
    spool, to = Spool(store.uri, root).open(), Destination("fussy", campaign="fussy-1")
    tags = {"config_key": "long", "sweep": to.campaign}
    spool.put(Entry(to, make_record("n" * 400, tags=tags)))
    spool.put(Entry(to, make_record("whole", tags={**tags, "config_key": "whole"})))
    writer = Writer(spool, store)
    assert [outcome for _, outcome in writer.log(spool.files())] == ["logged", "logged"]


def test_it_is_stopped_and_started_under_a_sweep(server, database, small):
    store, root = server
    sweep = small("stopped and started", seeds=15)
    store.check()
    over = threading.Event()

    def torment():
        while not over.is_set():
            time.sleep(1.0)
            database.stop()
            time.sleep(0.5)
            database.start()

    thread = threading.Thread(target=torment)
    thread.start()
    try:
        outcome = run_sweep(sweep, store, root, quiet=True, batch=4)
    finally:
        over.set()
        thread.join()
    while outcome.waiting:
        outcome = run_sweep(sweep, store, root, quiet=True)
    assert outcome.status == "FINISHED"
    assert finished(store, sweep.name) == sorted(trial.config.key for trial in sweep.plan)


def test_without_its_driver_the_message_names_the_extra(call, database, tmp_path):
    (tmp_path / "hidden" / "psycopg").mkdir(parents=True)
    (tmp_path / "hidden" / "psycopg" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'psycopg'\")"
    )
    root = Path(__file__).parent.parent.parent
    paths = f"{tmp_path / 'hidden'}:{root}"
    words = ["train", "--epochs", 5, "--tracking-uri", database.uri]
    code, output, errors = call(*words, cwd=tmp_path, PYTHONPATH=paths)
    assert (code, output, len(errors.splitlines())) == (1, "", 1)
    assert "pip install 'training-sandbox[postgresql]'" in errors
