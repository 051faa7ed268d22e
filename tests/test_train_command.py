"""`sandbox train` on every kind of data, with the health of the beginnings and the plane of the pictures."""

import json
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from sandbox import Config, train
from sandbox.nn import InitializerHealth
from sandbox.record import make_record
from sandbox.tracking import Store


@pytest.mark.parametrize(
    ("dataset", "accurate"),
    [
        ("iris", 0.8),
        ("breast_cancer", 0.9),
        ("digits", None),
        ("wine", 0.9),
        ("linear", None),
        ("reg-plane", None),
        ("reg_gauss", None),
    ],
)
def test_every_kind_of_data(here, dataset, accurate):
    words = ("--dataset", dataset, "--hidden", 16, "--epochs", 200, "--learning-rate", 0.1, "--no-track", "--json")
    code, output, errors = here("train", *words)
    assert (code, errors) == (0, "")
    report = json.loads(output)
    assert report["diverged_at"] is None
    assert report["config"]["dataset"] == dataset.replace("-", "_")
    config = Config(dataset=dataset, hidden=(16,), epochs=200, learning_rate=0.1)
    start = train(config.replace(epochs=1)).costs[0]
    assert report["cost"] < 0.95 * start
    if accurate:
        assert report["test_accuracy"] > accurate


def test_health_is_logged_by_layer(here, store, plain):
    words = ("--dataset", "circle", "--hidden", "20,20", "--activation", "tanh", "--epochs", 100, "--n-examples", 60)
    code, output, _ = here("train", *words, "--health", "--json", "--tracking-uri", store.uri)
    assert code == 0
    report = json.loads(output)
    config = Config(dataset="circle", hidden=(20, 20), activation="tanh", epochs=100, n_examples=60)
    curves = train(config, [InitializerHealth()]).curves
    assert report["health"] == {name: pytest.approx(values[0]) for name, (_, values) in curves.items()}
    history = {name: plain.get_metric_history(report["run_id"], name) for name in curves}
    for name, points in history.items():
        assert points[0].value == pytest.approx(report["health"][name])
        assert [point.step for point in points] == ([0] if "theory" in name else [0, 1, 3, 10, 32])
    assert len(history) == 4 * 3 + 3 + 2

    code, output, _ = here("train", *words, "--health", "--no-track")
    assert code == 0
    shown = dict(line.split() for line in output.splitlines() if line.startswith("health/"))
    assert float(shown["health/activation_variance/layer2"]) == pytest.approx(
        curves["health/activation_variance/layer2"][1][0], rel=1e-4
    )
    assert "health" not in json.loads(here("train", *words, "--no-track", "--json")[1])


WORDS = ("train", "--dataset", "moons", "--n-examples", 60, "--hidden", 4, "--epochs", 250)


def test_a_line_every_so_many_epochs_and_at_the_end(here):
    result = train(Config(dataset="moons", n_examples=60, hidden=(4,), epochs=250))
    code, output, _ = here(*WORDS, "--no-track", "--print-every", 100)
    lines = [line for line in output.splitlines() if line.startswith("epoch ")]
    assert code == 0
    assert len({line.index("validation_accuracy") for line in lines}) == 1  # a column
    rows = [line.split() for line in lines]
    assert [int(row[1]) for row in rows] == [0, 100, 200, 250]
    costs = [*result.costs[[0, 100, 200]], result.cost]
    assert [float(row[3]) for row in rows] == pytest.approx(costs, rel=1e-5)
    shorter = train(Config(dataset="moons", n_examples=60, hidden=(4,), epochs=100))
    assert [row[4] for row in rows] == ["validation_accuracy"] * 4
    assert [float(rows[place][5]) for place in (1, 3)] == [shorter.validation_accuracy, result.validation_accuracy]

    code, output, errors = here(*WORDS, "--no-track", "--print-every", 100, "--json")
    assert errors.splitlines() == lines
    assert json.loads(output)["cost"] == result.cost
    assert "validation" not in here("train", "--dataset", "or", "--epochs", 5, "--no-track", "--print-every", 9)[1]


def test_the_pictures_can_be_opened_where_it_says(here, tmp_path):
    code, output, _ = here(*WORDS)
    assert code == 0
    said = dict(line.split(maxsplit=1) for line in output.splitlines() if ".png" in line)
    assert list(said) == ["cost.png", "confusion.png", "boundary.png"]
    for path in said.values():
        assert not Path(path).is_absolute()
        with Image.open(tmp_path / path) as image:
            assert min(image.size) >= 320
    assert output.endswith("\n\nnext: sandbox ui\n")


@pytest.mark.slow
def test_what_a_server_keeps_is_looked_at_there(call, server, tmp_path):
    code, output, errors = call(*WORDS, "--tracking-uri", server, cwd=tmp_path)
    assert (code, "Error" in errors) == (0, False)
    pictures = [line.split()[1] for line in output.splitlines() if ".png" in line]
    assert all(map(Path.is_file, map(Path, pictures)))  # those of an experiment that was here before the server
    run = re.search(r"^run_id +(\w+)$", output, re.MULTILINE)
    assert run
    assert re.search(rf"^next: {server}/#/experiments/\d+/runs/{run[1]}/model-metrics\?\S+$", output, re.MULTILINE)


def test_with_own_data_the_next_command_predicts_them_as_it_is_printed(here, tmp_path):
    rows = [f"{age},{income},{'yes' if age > income else 'no'}" for age in range(10) for income in range(10)]
    (tmp_path / "new customers.csv").write_text("\n".join(["age,net income,bought", *rows]))
    words = ("--dataset", "new customers.csv", "--target", "bought", "--epochs", 30)
    code, output, _ = here("train", *words)
    assert code == 0
    run = re.search(r"^run_id +(\w+)$", output, re.MULTILINE)
    assert run
    first, second = output.splitlines()[-2:]
    assert first == f"next: sandbox predict {run[1]} 'new customers.csv'"
    assert second == "      sandbox ui"
    code, output, errors = here(*shlex.split(first)[2:])
    assert (code, errors, len(output.splitlines())) == (0, "", 100)
    assert {line.split()[0] for line in output.splitlines()} <= {"yes", "no"}


def test_the_plane_that_was_asked_for_is_what_the_pictures_show(here, store, plain, tmp_path):
    words = (
        "--dataset",
        "wine",
        "--hidden",
        4,
        "--epochs",
        40,
        "--name",
        "wine",
        "--tracking-uri",
        store.uri,
        "--json",
    )
    runs = []
    for plane in ("x1,x13", "alcohol, proline", "x2,x3", None):
        code, output, errors = here("train", *words, *(["--plane", plane] if plane else []))
        assert (code, errors) == (0, "")
        runs.append(json.loads(output)["run_id"])
    pictures = [Path(plain.download_artifacts(run, "boundary.png", str(tmp_path))).read_bytes() for run in runs]
    assert pictures[0] == pictures[1]
    assert len(set(pictures)) == 3
    record = make_record(train(Config(dataset="wine", hidden=(4,), epochs=40)), "wine", {}, plane=("x1", "x13"))
    assert record.images["boundary.png"] == pictures[0]


@pytest.mark.parametrize(
    ("dataset", "plane", "said"),
    [
        ("wine", "x1,alchohol", "did you mean 'alcohol'? Valid: x1, x2"),
        ("wine", "x1,x14", "unknown feature of data set 'wine' 'x14'"),
        ("wine", "x1", "a plane needs two features, such as ('x1', 'x2')"),
        ("wine", "x1,x2,x3", "a plane needs two features"),
        ("wine", "x2,x2", "a plane needs two different features"),
        ("wine", "", "a plane needs two features"),
        ("linear", "x1,x2", "has one feature: it has no plane"),
        ("xor", "x1,x3", "unknown feature of data set 'xor' 'x3'"),
    ],
)
def test_a_wrong_plane_is_one_line_and_leaves_nothing(here, tmp_path, dataset, plane, said):
    code, output, errors = here("train", "--dataset", dataset, "--plane", plane)
    assert (code, output) == (2, "")
    assert said in errors
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


VANDAL = """
from pathlib import Path
from sandbox import Hook

class Vandal(Hook):
    def on_end(self, run):
        path = Path("runs/mlflow.db")
        Path("whole.db").write_bytes(path.read_bytes())
        path.write_bytes(b"a letter, not a database\\n" * 1000)
"""


@pytest.mark.slow
def test_a_store_that_goes_while_a_network_trains_costs_nothing(call, plain_of, tmp_path):
    (tmp_path / "vandal.py").write_text(VANDAL)
    assert call("train", "--epochs", 5, cwd=tmp_path)[0] == 0
    code, output, errors = call("train", "--epochs", 7, "--hook", "vandal:Vandal", cwd=tmp_path)
    assert (code, output, errors.count("error: ")) == (1, "", 1)
    assert errors.endswith(": the run waits in the spool. next: sandbox sync, when the store is back\n")
    for file in (tmp_path / "runs").glob("mlflow.db-*"):
        file.unlink()
    (tmp_path / "whole.db").rename(tmp_path / "runs" / "mlflow.db")
    assert call("sync", cwd=tmp_path)[0] == 0
    assert sorted(run.data.params["epochs"] for run in plain_of(tmp_path, "train")) == ["5", "7"]
    assert [run.info.status for run in plain_of(tmp_path, "train")] == ["FINISHED"] * 2


def test_a_run_says_what_it_is_or_takes_the_name_that_it_is_given(here, tmp_path):
    words = ("train", "--epochs", 5, "--crosses", "x2*x1", "--learning-rate", 0.3, "--json")
    store = Store(None, tmp_path / "runs")
    for more, name in (((), "xor 3-3-1 with x1*x2, rate 0.3, seed 0"), (("--name", "mine"), "mine")):
        run = json.loads(here(*words, *more)[1])["run_id"]
        assert store.client.get_run(run).info.run_name == name
    code, output, errors = here(*words, "--name", "")
    assert (code, output) == (2, "")
    assert "name is ''" in errors


def test_the_help_names_what_is_possible(here):
    output = " ".join(here("train", "--help")[1].split())
    names = "sigmoid|tanh|relu|leaky_relu|linear|softmax|sin|cos|softplus|swish|gelu|MODULE:NAME"
    assert f"--activation [{names}] [sigmoid]" in output
    assert "--monitor [cost|validation_cost|validation_accuracy|train_accuracy|none]" in output
    assert "--dataset NAME|FILE|FORMULA [spiral]" in " ".join(here("experiment", "depth", "--help")[1].split())
