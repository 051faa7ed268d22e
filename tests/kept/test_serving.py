"""A run as an MLflow model: what it answers, with the sandbox and without it."""

import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sandbox
from sandbox import Config, Dataset, train
from sandbox.kept.serving import logged_model
from sandbox.record import make_record
from sandbox.tracking.models import log_model


@pytest.fixture(scope="module")
def results(birds):
    """A trained network of every task, by what is special about it."""
    filled = Dataset.from_frame(birds, "species", gaps="fill", name="penguins")
    weight = Dataset.from_frame(birds, "body_mass_g", gaps="fill", name="weight", scaling="minmax")
    sexes = Dataset.from_frame(birds, "sex", name="sexes")
    kinds = Dataset.from_frame(birds.assign(year=pd.Categorical(birds["year"])), "sex", name="kinds", scaling="none")
    short = {"epochs": 30, "hidden": (4,)}
    return {
        "multiclass with gaps": train(Config(dataset=filled, crosses=("bill_length_mm*sin(year)",), **short)),
        "regression": train(Config(dataset=weight, **short)),
        "binary": train(Config(dataset=sexes, **short)),
        "whole numbers as text": train(Config(dataset=kinds, learning_rate=1e-6, **short)),
        "no probability": train(Config(dataset=filled, output="tanh", learning_rate=0.1, **short)),
        "single precision": train(Config(dataset="iris", dtype="float32", **short)),
        "named with dots and blanks": train(Config(dataset="breast_cancer", **short)),
        "a formula": train(Config(dataset="y > sin(x1)", crosses=("x1*x2",), **short)),
    }


CASES = (
    "multiclass with gaps",
    "regression",
    "binary",
    "whole numbers as text",
    "no probability",
    "single precision",
    "named with dots and blanks",
    "a formula",
)


def raw(result, birds):
    """Raw rows that the network of a result takes, numbers as MLflow's signature has them."""
    if result.config.data.digest:
        frame = birds.dropna() if not result.model.features.has_gaps else birds
        return frame.assign(year=frame["year"].astype(float)).reset_index(drop=True)
    data = sandbox.load_dataset(str(result.config.dataset), n=60)
    return pd.DataFrame(data.X, columns=list(data.feature_names))


@pytest.fixture
def logged(store, tmp_path):
    """A function: the MLflow model of a result, its run logged first."""

    def log(result, name="served"):
        run_id = store.log(make_record(result, "run", {"arm": "deep"}, shown=False), store.experiment(name))
        model_id, _ = log_model(store, logged_model(result.model, run_id), tmp_path)
        return store.client.get_logged_model(model_id)

    return log


@pytest.mark.parametrize("case", CASES)
def test_it_answers_what_the_network_says_and_no_pickle_may_be_read(case, results, birds, logged, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    result = results[case]
    model, frame = logged(result), raw(result, birds)
    import mlflow.pyfunc

    loaded = mlflow.pyfunc.load_model(model.artifact_location)
    rows = frame[[one.name for one in result.model.features.raw]]
    if case == "whole numbers as text":
        rows = rows.assign(year=rows["year"].astype(int).astype(str))
    answers, wanted = loaded.predict(rows), result.model.answers(frame)
    assert list(answers.columns) == list(wanted)
    assert [one.name for one in loaded.metadata.signature.outputs.inputs] == list(wanted)
    tolerance = 1e-6 if case == "single precision" else 1e-12
    for name, values in wanted.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(answers[name], values, rtol=tolerance, atol=tolerance)
        else:
            assert list(answers[name]) == list(values)


def test_it_says_what_goes_in_what_comes_out_and_what_it_needs(results, logged, store):
    result = results["multiclass with gaps"]
    model = logged(result, "described")
    from mlflow.models import Model

    told: Any = Model.load(model.artifact_location)
    inputs = {one.name: (one.type.name, one.required) for one in told.signature.inputs.inputs}
    kinds = dict.fromkeys(("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year"), "double")
    assert inputs == {name: (kind, False) for name, kind in {"island": "string", "sex": "string", **kinds}.items()}
    assert [(one.name, one.type.name) for one in told.signature.outputs.inputs] == [
        ("prediction", "string"),
        ("probability", "double"),
    ]
    example = told.load_input_example(model.artifact_location)
    assert example.values.tolist()[0] == ["Torgersen", 39.1, 18.7, 181.0, 3750.0, "male", 2007.0]
    needed = Path(model.artifact_location, "requirements.txt").read_text().split()
    assert [one.partition("==")[0] for one in needed] == ["mlflow", "numpy", "pandas"]
    assert (model.name, model.tags["arm"], model.params) == ("penguins", "deep", result.config.params())
    run = store.client.get_run(model.source_run_id)
    assert [one.model_id for one in run.outputs.model_outputs] == [model.model_id]
    assert {one.key: one.value for one in model.metrics} == run.data.metrics
    (data,) = (one.dataset for one in run.inputs.dataset_inputs)
    assert {(one.dataset_name, one.dataset_digest) for one in model.metrics} == {(data.name, data.digest)}
    assert (data.name, data.digest) == ("penguins", result.config.data.digest)
    found = store.client.search_logged_models([run.info.experiment_id], "metrics.test_accuracy > 0.0")
    assert model.model_id in [one.model_id for one in found]
    assert not store.client.search_logged_models([run.info.experiment_id], "metrics.test_accuracy > 1.0")
    assert len(store.client.get_metric_history(run.info.run_id, "cost")) == 31  # nothing of the run is doubled


def test_a_run_becomes_a_model_once_and_what_a_dead_process_left_of_one_is_no_model(results, logged, store, tmp_path):
    model = logged(results["binary"], "once")
    client, run_id = store.client, model.source_run_id
    again = logged_model(results["binary"].model, run_id)
    assert log_model(store, again, tmp_path) == (model.model_id, False)
    client.delete_logged_model(model.model_id)
    half = client.create_logged_model(model.experiment_id, "half", source_run_id=run_id)
    new, made = log_model(store, again, tmp_path)
    assert made
    assert new not in (model.model_id, half.model_id)
    assert [one.model_id for one in client.search_logged_models([model.experiment_id])] == [new]
    assert store.reader.models([run_id, "0" * 32]) == {run_id: new}


def test_one_that_was_not_linked_to_its_run_is_linked_and_not_made_again(results, logged, store, tmp_path):
    first, other = (logged(results["binary"], "unlinked") for _ in range(2))
    client = store.client
    client.delete_logged_model(other.model_id)
    unlinked = client.create_logged_model(other.experiment_id, "sexes", source_run_id=other.source_run_id)
    client.finalize_logged_model(unlinked.model_id, "READY")
    assert store.reader.models([first.source_run_id, other.source_run_id]) == {first.source_run_id: first.model_id}
    again = logged_model(results["binary"].model, other.source_run_id)
    assert log_model(store, again, tmp_path) == (unlinked.model_id, False)
    assert store.reader.models([other.source_run_id]) == {other.source_run_id: unlinked.model_id}


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """An environment with MLflow and all else, and without the sandbox."""
    place = tmp_path_factory.mktemp("stranger")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))  # whose own .pth files are not read
    server = place / "bin" / "uvicorn"
    server.write_text(f"#!{place}/bin/python\nfrom uvicorn.main import main\n\nmain()\n")
    server.chmod(0o755)
    return place


def alone(place):
    """A process's environment in which that of `place` is the active one."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONPATH" and not name.startswith("MLFLOW")}
    return {**kept, "PATH": f"{place}/bin:{os.environ['PATH']}"}


ALONE = """
import sys
from importlib.util import find_spec
import pandas
from mlflow.pyfunc import load_model
assert find_spec("sandbox") is None
print(load_model(sys.argv[1]).predict(pandas.read_csv(sys.argv[2])).to_json(orient="records", double_precision=15))
assert not [name for name in sys.modules if name.startswith("sandbox")]
"""


def test_it_needs_no_sandbox(results, birds, logged, stranger, tmp_path):
    result = results["multiclass with gaps"]
    model, frame = logged(result), raw(result, birds)
    frame.to_csv(tmp_path / "new.csv", index=False)
    words = [stranger / "bin" / "python", "-c", ALONE, model.artifact_location, "new.csv"]
    done = subprocess.run(words, cwd=tmp_path, env=alone(stranger), capture_output=True, text=True, check=True)
    told, wanted = pd.DataFrame(json.loads(done.stdout.splitlines()[-1])), result.model.answers(frame)
    assert list(told["prediction"]) == list(wanted["prediction"])
    np.testing.assert_allclose(told["probability"], wanted["probability"], rtol=1e-12)


def ask(port, kind, body):
    """What the server at a port answers: the status, and the JSON."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.slow
@pytest.mark.usefixtures("penguins")
def test_one_command_sweeps_one_predicts_and_one_serves_the_same(here, birds, stranger, tmp_path):
    data = ("--dataset", "penguins.csv", "--target", "species", "--gaps", "fill")
    vary = ("--vary", "hidden=none|4", "--seeds", 2, "--epochs", 200, "--name", "birds", "--json")
    code, output, errors = here("sweep", *data, *vary)
    assert code == 0, errors
    (run,) = json.loads(output)["sweeps"][0]["models"].values()
    code, output, _ = here("predict", run, "penguins.csv", "--json")
    wanted = json.loads(output)["predictions"]
    assert (code, len(wanted)) == (0, 344)
    assert json.loads(here("register", run, "--json")[1])["uri"] == "models:/penguins/1"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/runs/mlflow.db"}
    words = ["models", "serve", "-m", "models:/penguins/1", "--env-manager", "local", "--port", str(port)]
    command = [stranger / "bin" / "python", "-m", "mlflow", *words]
    options = {"cwd": stranger, "env": {**alone(stranger), **where}, "start_new_session": True}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, **options)
    try:
        for _ in range(600):
            assert process.poll() is None, (tmp_path / "log").read_text()
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        rows = birds.astype(object).where(birds.notna(), None).to_dict("records")  # whole numbers as they are
        for kind, body in (
            ("application/json", json.dumps({"dataframe_records": rows}).encode()),
            ("text/csv", Path("penguins.csv").read_bytes()),
        ):
            status, told = ask(port, kind, body)
            assert status == 200, told
            assert [one["prediction"] for one in told["predictions"]] == [one["prediction"] for one in wanted]
            gaps = [
                abs(one["probability"] - two["probability"])
                for one, two in zip(told["predictions"], wanted, strict=True)
            ]
            assert max(gaps) <= 1e-12
        status, told = ask(port, "application/json", json.dumps({"dataframe_records": [{"island": "Crete"}]}).encode())
        assert status == 400
        assert "column 'island' has 'Crete': known are Biscoe, Dream, Torgersen" in json.dumps(told)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
