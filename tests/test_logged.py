"""log_run: what its run in MLflow holds, by MLflow's own client; and that nothing is lost when the store is away."""

import math
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LinearRegression

from sandbox import Config, Network, RequestError, fit, load, log_run, train
from sandbox.nn import Snapshots, StopOnDivergence, WeightPath
from sandbox.tracking import StoreError

X, OR = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1]
OR_GATE = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])
LINE = Network.from_parameters([[[0.0]]], [[0.0]], ["linear"])


@pytest.fixture
def logged_as(store, plain, tmp_path):
    """A function: log into the session's store; gives MLflow's run and its files, by their paths."""

    def call(run, name=None, **options):
        run_id = log_run(run, name, tracking_uri=store.uri, root=tmp_path / "runs", **options)
        files = plain.list_artifacts(run_id)
        return plain.get_run(run_id), {file.path for file in files}

    return call


def test_a_neuron_by_hand(logged_as, store, plain, tmp_path):
    watching = [WeightPath(w=(0, 0, 0), b=(0, 0)), Snapshots([0, 100])]
    run = fit(OR_GATE, X, OR, learning_rate=1.0, epochs=2000, hooks=watching)
    logged, files = logged_as(run, "or by hand")
    assert (logged.info.run_name, logged.info.status) == ("or by hand", "FINISHED")
    assert files == {"cost.png", "boundary.png", "network.npz", "images"}
    assert plain.get_experiment(logged.info.experiment_id).name == "train"

    w1, w2, b = run.network.parameters
    outputs = [1 / (1 + math.exp(-(w1 * x1 + w2 * x2 + b))) for x1, x2 in X]
    cost = sum((y - output) ** 2 for y, output in zip(OR, outputs, strict=True)) / 8
    figures = logged.data.metrics
    assert figures.pop("train_seconds") > 0
    assert figures == {
        "cost": pytest.approx(cost),
        "final_cost": pytest.approx(cost),
        "w": pytest.approx(w1),
        "b": pytest.approx(b),
        "train_accuracy": 1,
        "epochs_run": 2000,
        "parameters": 3,
        "converged": 1,
    }
    start = {name: plain.get_metric_history(logged.info.run_id, name)[0] for name in ("cost", "w", "b")}
    zs = [0.0, 0.6, 0.1, 0.7]  # of the weights that it began with
    first = sum((y - 1 / (1 + math.exp(-z))) ** 2 for y, z in zip(OR, zs, strict=True)) / 8
    assert [(point.step, point.value) for point in start.values()] == [(0, pytest.approx(first)), (0, 0.1), (0, 0.0)]
    steps = [point.step for point in plain.get_metric_history(logged.info.run_id, "cost")]
    assert (len(steps), steps[-1]) == (200, 2000)

    params = logged.data.params
    assert {name: params[name] for name in ("cost", "learning_rate", "epochs", "optimizer", "batch_size")} == {
        "cost": "squared_error",
        "learning_rate": "1.0",
        "epochs": "2000",
        "optimizer": "gd",
        "batch_size": "none",
    }
    assert (params["layers"], params["activations"]) == ("2-1", "sigmoid")
    assert "config_key" not in logged.data.tags

    with Image.open(plain.download_artifacts(logged.info.run_id, "boundary.png", str(tmp_path))) as image:
        red, _, blue = np.asarray(image.convert("RGB"))[40, 320][:3].astype(int)  # where both inputs are 1: orange
    assert red > blue + 50
    model = load(logged.info.run_id, store.uri)
    np.testing.assert_allclose(model.predict(X)[:, 0], outputs)
    assert model.classify(X).tolist() == OR


def test_values_and_several_of_them(logged_as, store):
    """Least squares, as scikit-learn has them."""
    rng = np.random.default_rng(0)
    inputs, noise = rng.normal(size=(60, 3)), rng.normal(size=(60, 2))
    targets = inputs @ [[1.0, 2.0], [3.0, -1.0], [0.0, 4.0]] + noise
    for outputs, drawn in ((1, {"cost.png", "boundary.png", "network.npz"}), (2, {"cost.png", "network.npz"})):
        wanted = targets[:, :outputs]
        network = Network.initialize([3, outputs], ["linear"])
        logged, files = logged_as(fit(network, inputs, wanted, learning_rate=0.3, epochs=500), experiment="values")
        assert files == drawn
        assert logged.info.run_name == f"fit 3-{outputs}, rate 0.3, 500 epochs"
        assert "train_accuracy" not in logged.data.metrics
        expected = LinearRegression().fit(inputs, wanted).predict(inputs)
        answers = load(logged.info.run_id, store.uri).answers(inputs)
        names = ["prediction"] if outputs == 1 else ["prediction 1", "prediction 2"]
        assert list(answers) == names
        np.testing.assert_allclose(np.column_stack(list(answers.values())), expected, atol=1e-6)
        assert logged.data.metrics["final_cost"] == pytest.approx(((wanted - expected) ** 2).sum() / 120)


def test_classes(logged_as, store):
    corners = np.array([[0.0, 0], [4, 0], [0, 4]])
    rng = np.random.default_rng(1)
    kind = np.repeat([0, 1, 2], 20)
    inputs = corners[kind] + 0.1 * rng.normal(size=(60, 2))
    network = Network.initialize([2, 3], ["softmax"])
    run = fit(network, inputs, np.eye(3)[kind], cost="categorical_cross_entropy", learning_rate=1, epochs=300)
    logged, files = logged_as(run)
    assert logged.data.metrics["train_accuracy"] == 1
    assert "boundary.png" in files
    assert load(logged.info.run_id, store.uri).classify(corners).tolist() == [0, 1, 2]


@pytest.mark.parametrize("hooks", [[], [StopOnDivergence()]])
def test_what_diverged_says_so_and_sends_finite_values(logged_as, plain, hooks):
    """At rate 1 an update takes the error by 1 - (the largest eigenvalue of the Hessian), until the cost is no number."""
    growth = (1 - np.linalg.eigvalsh([[14 / 3, 2], [2, 1]])[-1]) ** 2
    end = math.log(np.finfo(float).max / 21) / math.log(growth)
    logged, files = logged_as(fit(LINE, [[1], [2], [3]], [3, 6, 9], learning_rate=1.0, epochs=3000, hooks=hooks))
    figures = logged.data.metrics
    assert figures["diverged"] == 1
    assert figures["diverged_at"] == (5 if hooks else pytest.approx(end, abs=2))
    points = plain.get_metric_history(logged.info.run_id, "cost")
    assert points[0].value == 21
    assert all(abs(point.value) < 1.7e308 for point in points)
    assert {"cost.png", "network.npz"} <= files


def test_examples_that_are_no_numbers_and_huge_ones_are_logged_too(logged_as):
    for far in (np.nan, np.inf, 1e300):
        run = fit(OR_GATE, [[far, 0], [0, 1], [1, 0], [1, 1]], OR, epochs=20)
        logged, files = logged_as(run)
        assert (logged.info.status, logged.data.params["layers"]) == ("FINISHED", "2-1")
        assert {"cost.png", "network.npz"} <= files
        assert all(map(math.isfinite, logged.data.metrics.values()))


def test_a_result_is_logged_as_sandbox_train_logs_it(logged_as, here, plain_of, tmp_path):
    words = ("--dataset", "moons", "--n-examples", 60, "--hidden", "4", "--epochs", 80, "--crosses", "x1*x2")
    assert here("train", *words)[0] == 0
    (theirs,) = plain_of(tmp_path, "train")
    ours, files = logged_as(train(Config(dataset="moons", n_examples=60, hidden=(4,), epochs=80, crosses=("x1*x2",))))
    assert ours.info.run_name == theirs.info.run_name == "moons 3-4-1 with x1*x2, rate 1, seed 0"
    assert ours.data.params == theirs.data.params
    del ours.data.metrics["train_seconds"], theirs.data.metrics["train_seconds"]
    assert ours.data.metrics == theirs.data.metrics
    assert ours.data.tags["config_key"] == theirs.data.tags["config_key"]
    there = Path(theirs.info.artifact_uri)
    assert files == {path.name for path in there.iterdir()} - {"images"}  # no hook took any


@pytest.mark.parametrize(
    ("run", "options", "said"),
    [
        (
            fit(Network([2, 1], ["sigmoid"], np.zeros((5, 3))), X, OR, epochs=1),
            {},
            "run is of 5 networks: log_run takes one",
        ),
        ([1, 2], {}, "run is [1, 2]: what fit or train gave is needed"),
        (OR_GATE, {}, "run is Network(2-1, sigmoid): what fit or train gave is needed"),
        (fit(OR_GATE, X, OR, epochs=1), {"name": ""}, "name is '': a text of 1 to 256 characters"),
        (fit(OR_GATE, X, OR, epochs=1), {"experiment": 7}, "experiment is 7: a text of 1 to 256 characters"),
    ],
    ids=["population", "list", "network", "name", "experiment"],
)
def test_a_wrong_request_is_one_line_and_leaves_nothing(run, options, said, tmp_path):
    with pytest.raises(RequestError) as wrong:
        log_run(run, **{"root": tmp_path / "runs", **options})
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)
    assert list(tmp_path.iterdir()) == []


def test_when_the_store_is_away_the_run_waits(here, plain_of, tmp_path, monkeypatch):
    run = fit(OR_GATE, X, OR, learning_rate=1.0, epochs=100)
    with socket.socket() as closed:  # bound, never listening
        closed.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(
            StoreError, match=r"the run waits in the spool\. next: sandbox sync, when the store is back"
        ):
            log_run(run, "kept", tracking_uri=away, root=tmp_path / "runs")
    code, output, _ = here("doctor")
    assert (code, f"1 files wait for {away}" in output) == (1, True)
    assert here("sync", "--tracking-uri", f"sqlite:///{tmp_path}/runs/mlflow.db")[0] == 0
    (found,) = plain_of(tmp_path, "train")
    assert (found.info.run_name, found.info.status, found.data.params["layers"]) == ("kept", "FINISHED", "2-1")
    monkeypatch.chdir(tmp_path)
    assert load(found.info.run_id).classify(X).tolist() == run.network.predict(X)[:, 0].round().astype(int).tolist()
    code, output, _ = here("doctor")
    assert (code, "nothing disagrees" in output) == (0, True)
