"""Addresses: of databases wherever they are, also of one that is moved with its root."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from sandbox.errors import RequestError
from sandbox.tracking import Store
from sandbox.tracking.address import above, below, local_path, sqlite_path, sqlite_uri
from sandbox.tracking.entry import Destination, Entry
from sandbox.tracking.spool import Spool
from sandbox.tracking.writer import Writer, drain

FOLDERS = ["q?mark=1&b=2", "50%25", "a b#c'd\"e", "ü"]
TO = Destination("moved", campaign="moved-1")


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_of_any_name_holds_its_own_database_and_artifacts(folder, make_record, tmp_path):
    root = tmp_path / folder / "runs"
    store = Store(root=root)
    run_id = store.log(make_record("run"), store.experiment("odd"))
    assert sqlite_path(store.uri) == root / "mlflow.db"
    assert (root / "mlflow.db").exists()
    assert len(list(root.glob("artifacts/odd/*/artifacts/cost.png"))) == 1
    assert [one.path for one in store.client.list_artifacts(run_id)] == ["boundary.png", "cost.png", "images"]
    assert [path.name for path in tmp_path.iterdir()] == [folder]


@pytest.mark.parametrize(
    "uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true", "sqlite:x.db"]
)
def test_a_database_in_memory_would_lose_its_runs(uri, here, tmp_path):
    with pytest.raises(RequestError, match=r"what is logged would be lost: write sqlite:///runs\.db$"):
        Store(uri)
    code, output, errors = here("train", "--epochs", 5, "--tracking-uri", uri)
    assert (code, output, len(errors.splitlines()), list(tmp_path.iterdir())) == (2, "", 1, [])


def test_an_address_in_the_root_is_kept_by_its_path_from_there(tmp_path):
    for path, kept in [
        (tmp_path / "mlflow.db", "sqlite:///mlflow.db"),
        (tmp_path / "a?b/c.db", "sqlite:///a%3Fb/c.db"),
    ]:
        assert below(sqlite_uri(path), tmp_path) == kept
        assert sqlite_path(above(kept, tmp_path / "elsewhere")) == tmp_path / "elsewhere" / path.relative_to(tmp_path)
    outside = sqlite_uri(tmp_path.parent / "mlflow.db")
    for uri in (outside, "http://host:5000", "postgresql://me:secret@host/db"):
        assert below(uri, tmp_path) == above(uri, tmp_path) == uri


def test_places_for_artifacts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Store(artifacts="s3://bucket/runs").artifacts == "s3://bucket/runs"
    assert Store(artifacts="here").artifacts == f"{tmp_path}/here"
    odd = Store(artifacts="50%").artifacts
    assert odd == f"file://{tmp_path}/50%25"
    assert local_path(odd or "") == tmp_path / "50%"
    assert local_path("dbfs:/x") is None


@pytest.fixture
def before(tmp_path, make_record):
    """A root with a run in its store and another in its spool."""
    root = tmp_path / "before" / "runs"
    spool = Spool(Store(root=root).uri, root).open()
    spool.put(Entry(TO, make_record("logged", tags={"sweep": TO.campaign, "config_key": "logged"})))
    drain(Writer(spool, Store(root=root)))
    spool.put(Entry(TO, make_record("waiting", tags={"sweep": TO.campaign, "config_key": "waiting"})))
    return root


def place_of(root):
    with sqlite3.connect(root / "mlflow.db") as connection:
        experiments = connection.execute("SELECT artifact_location FROM experiments WHERE name = 'moved'").fetchall()
        runs = connection.execute("SELECT artifact_uri FROM runs").fetchall()
    return {Path(place) for (place,) in [*experiments, *runs]}


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree])
def test_a_root_that_is_moved_or_copied_has_its_own_store_and_its_own_artifacts(
    move, before, make_record, capsys, tmp_path
):
    old = {path: path.read_bytes() for path in before.rglob("*") if path.is_file()}
    now = tmp_path / "now" / "runs"
    move(before, now)
    (spool,) = Spool.all(now)
    assert spool.uri == Store(root=now).uri == f"sqlite:///{now}/mlflow.db"
    assert drain(Writer(spool, Store(spool.uri, now))) == 1
    assert f"{now} was moved: its artifacts were in" in capsys.readouterr().err
    assert len(list(now.glob("artifacts/moved/*/artifacts/cost.png"))) == 2
    assert all(place.is_relative_to(now) for place in place_of(now))
    Store(spool.uri, now).check()
    assert capsys.readouterr().err == ""
    if move is shutil.copytree:
        assert {path: path.read_bytes() for path in before.rglob("*") if path.is_file()} == old
    else:
        assert not before.exists()


def test_artifacts_that_lie_elsewhere_on_purpose_are_left_there(before, tmp_path):
    store = Store(root=before)
    place = tmp_path / "mine" / "artifacts" / "mine"
    place.mkdir(parents=True)
    store.client.create_experiment("mine", artifact_location=str(place))
    store.client.create_experiment("bucket", artifact_location="s3://bucket/artifacts/moved")
    again = Store(root=before)
    found = {one.name: one.artifact_location for one in again.client.search_experiments()}
    assert (found["mine"], found["bucket"]) == (str(place), "s3://bucket/artifacts/moved")


def test_a_copy_that_is_moved_on_and_artifacts_whose_own_place_is_away(before, make_record, capsys, tmp_path):
    own = tmp_path / "mounted" / "artifacts"
    chosen = Store(root=before, artifacts=own)
    chosen.log(make_record("elsewhere"), chosen.experiment("elsewhere"))
    shutil.rmtree(own.parent)  # not mounted, for now
    shutil.copytree(before, tmp_path / "copy" / "runs")
    Store(root=tmp_path / "copy" / "runs").check()
    shutil.move(tmp_path / "copy", tmp_path / "on")
    now = tmp_path / "on" / "runs"
    capsys.readouterr()
    found = {one.name: one.artifact_location for one in Store(root=now).client.search_experiments()}
    assert f"its artifacts were in {tmp_path}/copy/runs/artifacts" in capsys.readouterr().err
    assert found["moved"] == f"{now}/artifacts/moved"
    assert found["elsewhere"] == f"{own}/elsewhere"
