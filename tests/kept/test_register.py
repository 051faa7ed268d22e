"""The command `sandbox register`: a run in MLflow's registry, once, and what to type next."""

import json
import pickletools
import re
import shlex
import shutil
import subprocess
import zipfile
from typing import Any

import pytest

from sandbox.tracking import Store
from sandbox.typed import program

pytestmark = pytest.mark.usefixtures("penguins")


def models_of(store):
    """Every logged model and every registered version of a store, by MLflow's own client."""
    ids = [one.experiment_id for one in store.client.search_experiments()]
    return store.client.search_logged_models(ids), store.client.search_model_versions()


def test_a_run_is_registered_once_under_a_name(here, train_one, tmp_path):
    run = train_one()
    code, output, errors = here("register", run)
    assert (code, errors) == (0, "")
    assert f"run {run} is now version 1 of the model penguins in sqlite:///{tmp_path}/runs/mlflow.db" in output
    code, output, _ = here("register", run)
    assert (code, "was registered before: it is version 1 of the model penguins" in output) == (0, True)
    told = json.loads(here("register", run, "--json")[1])
    store = Store(None, tmp_path / "runs")
    (model,), (version,) = models_of(store)
    assert told == {
        "run": run,
        "model": model.model_id,
        "name": "penguins",
        "version": 1,
        "uri": "models:/penguins/1",
        "new": False,
    }
    assert (version.name, version.run_id, version.source) == ("penguins", run, model.artifact_location)
    assert json.loads(here("register", run, "--name", "birds", "--json")[1])["new"]
    assert json.loads(here("register", train_one("--seed", 1), "--json")[1])["version"] == 2
    models, versions = models_of(store)
    assert len(models) == 2
    assert sorted((one.name, int(one.version)) for one in versions) == [("birds", 1), ("penguins", 1), ("penguins", 2)]
    store.client.delete_model_version("birds", "1")
    assert (
        json.loads(here("register", run, "--name", "birds", "--json")[1])["version"] == 2
    )  # the first is gone for good


@pytest.mark.slow
def test_what_it_prints_can_be_typed(here, train_one, tmp_path, monkeypatch):
    run = train_one()
    lines = [line.strip() for line in here("register", run)[1].splitlines() if line.startswith("  ")]
    assert len(lines) == 3
    words = shlex.split(lines[0])
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    assert settings["MLFLOW_TRACKING_URI"] == "sqlite:///runs/mlflow.db"
    mlflow = next(word for word in words if word.endswith("mlflow"))
    asked = [mlflow, *words[words.index(mlflow) + 1 :], "--help"]
    assert subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    (body,) = [word for word in shlex.split(lines[1]) if word.startswith("{")]
    assert json.loads(body)["dataframe_split"]["data"] == [["Torgersen", 39.1, 18.7, 181.0, 3750.0, "male", 2007.0]]
    predict = shlex.split(lines[2].replace("FILE.csv", "penguins.csv"))
    assert predict[1:] == ["predict", run, "penguins.csv"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/runs/mlflow.db")
    assert "MLFLOW_TRACKING_URI" not in here("register", run)[1]


def test_a_program_is_typed_by_its_path_where_a_shell_would_not_find_it(monkeypatch, tmp_path):
    place = tmp_path / ".venv" / "bin"
    place.mkdir(parents=True)
    for name in ("python", "mlflow"):
        (place / name).touch(0o755)
    monkeypatch.setattr("sys.executable", str(place / "python"))
    monkeypatch.chdir(tmp_path)
    assert program("mlflow") == ".venv/bin/mlflow"
    monkeypatch.setenv("PATH", str(place))
    assert program("mlflow") == "mlflow"
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.chdir("/usr")
    assert program("mlflow") == f"{place}/mlflow"
    assert program("nowhere") == "nowhere"


def test_a_wrong_request_is_one_line_and_leaves_no_model(here, train_one, tmp_path):
    run = train_one()
    store = Store(None, tmp_path / "runs")
    experiment = store.experiment("bare")
    bare = store.client.create_run(experiment).info.run_id
    store.client.set_terminated(bare)
    for words, code, says in (
        (("0" * 32,), 2, f"run {'0' * 32} is not in sqlite:///"),
        (("../x",), 2, "run is '../x': the id of a run is needed"),
        (("network.npz",), 2, "run is 'network.npz': the id of a run is needed"),
        ((bare,), 2, "or has kept no network"),
        ((run, "--name", "a/b"), 2, "name is 'a/b': up to 100 letters, digits, _ and - are needed"),
        ((run, "--name", "1.0"), 2, "name is '1.0'"),
        ((run, "--name", ""), 2, "name is ''"),
        ((run, "--name", "x" * 101), 2, "name is 'xxx"),
        ((run, "--tracking-uri", "http://127.0.0.1:9"), 1, "MLflow store http://127.0.0.1:9: "),
        ((run, "--tracking-uri", "sqlite:///nowhere.db"), 2, f"run {run} is not in sqlite:///"),
    ):
        answer = here("register", *words)
        assert (answer[0], answer[1]) == (code, ""), words
        assert says in answer[2]
        assert answer[2].count("\n") == 1
    store.delete(run)
    code, output, errors = here("register", run)
    assert (code, output, "is in MLflow's trash" in errors) == (1, "", True)
    assert models_of(store) == ([], [])
    assert not (tmp_path / "nowhere.db").exists()


def test_models_move_with_their_root(here, train_one, tmp_path, monkeypatch, capsys):
    run = train_one()
    name = json.loads(here("register", run, "--json")[1])["uri"]
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / "runs", tmp_path / "elsewhere" / "runs")
    uri = f"sqlite:///{tmp_path}/elsewhere/runs/mlflow.db"
    told = json.loads(here("register", run, "--tracking-uri", uri, "--json")[1])
    assert (told["uri"], told["new"]) == (name, False)
    store = Store(uri)
    (model,), (version,) = models_of(store)
    place = f"{tmp_path}/elsewhere/runs/artifacts/train/models/{model.model_id}/artifacts"
    assert (model.artifact_location, version.source) == (place, place)
    assert store.client.get_model_version_download_uri(version.name, str(version.version)) == place


@pytest.mark.slow
def test_a_run_on_a_server_is_registered_there(here, train_one, server):
    run = train_one("--tracking-uri", server)
    words = ("register", run, "--tracking-uri", server, "--name", f"birds-{run[:8]}", "--json")
    told, again = (json.loads(here(*words)[1]) for _ in range(2))
    assert (told["new"], told["version"]) == (True, 1)
    assert again == {**told, "new": False}
    client: Any = Store(server).client
    model = client.get_logged_model(told["model"])
    assert {one.key for one in model.metrics} == client.get_run(run).data.metrics.keys()
    assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": told["name"], "version": 1}]
    assert [one.dataset.name for one in client.get_run(run).inputs.dataset_inputs] == ["penguins"]
    assert Store(server).reader.models([run]) == {run: told["model"]}


@pytest.mark.slow
def test_a_run_in_postgresql_is_registered_there_and_its_password_is_not_printed(here, train_one, database):
    run = train_one("--tracking-uri", database.uri)
    code, output, errors = here("register", run, "--tracking-uri", database.uri)
    assert (code, errors) == (0, "")
    assert "secret" not in output
    assert f"postgresql://sandbox:***@127.0.0.1:{database.port}/postgres" in output
    (model,), (version,) = models_of(store := Store(database.uri))
    assert (model.source_run_id, version.name, version.source) == (run, "penguins", model.artifact_location)
    assert store.reader.models([run]) == {run: model.model_id}


def is_pickle(content):
    """Whether bytes are a pickle from their first to their last."""
    try:
        return [*pickletools.genops(content)][-1][0].name == "STOP"
    except Exception:
        return False


@pytest.mark.slow
def test_no_file_of_any_run_is_a_pickle(here, tmp_path):
    data = ("--dataset", "penguins.csv", "--target", "species", "--gaps", "fill", "--epochs", 30)
    code, output, errors = here("sweep", *data, "--vary", "hidden=none|4", "--seeds", 1, "--name", "birds", "--json")
    assert code == 0, errors
    (run,) = json.loads(output)["sweeps"][0]["models"].values()
    assert here("register", run)[0] == 0
    files = [path for path in (tmp_path / "runs").rglob("*") if path.is_file() and path.stat().st_size]
    kinds = {path.name for path in files}
    assert {"MLmodel", "network.npz", "network.py", "requirements.txt", "boundary.png", "mlflow.db"} <= kinds
    wrong = [path for path in files if is_pickle(path.read_bytes()) or re.search(r"\.(pkl|pickle|joblib)$", path.name)]
    for path in files:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    content = archive.read(name)
                    wrong += [(path, name)] if is_pickle(content) or b"'descr': '|O'" in content[:200] else []
    assert wrong == []
    assert here("doctor")[0] == 0
