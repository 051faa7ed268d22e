"""The `sandbox` command and the experiments' command line: in processes of their own, as a user has them, or by the
same `main` within this process, where there are many requests to make."""

import json
import os
import signal
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from sandbox import Config, train
from sandbox.nn.hooks.measures import SCORES


def test_train_without_tracking_prints_one_json_object_and_leaves_nothing(call, tmp_path):
    words = "train --no-track --json --dataset or --hidden none --epochs 1000 --learning-rate 0.5 --seed 3"
    code, output, errors = call(*words.split(), cwd=tmp_path)
    assert (code, errors) == (0, "")
    report = json.loads(output)
    config = Config(dataset="or", hidden=(), epochs=1000, learning_rate=0.5, seed=3)
    assert report.pop("config") == config.to_dict()
    alone = train(config)
    assert report.pop("cost") == pytest.approx(alone.cost, rel=1e-9)
    assert 0 < report.pop("seconds") < 10
    assert report == {
        "train_accuracy": 1.0,
        "validation_accuracy": None,  # a gate is all there is
        "test_accuracy": None,
        "validation_cost": None,
        "test_cost": None,
        **dict.fromkeys(SCORES),
        "diverged_at": None,
        "epochs_run": 1000,
        "parameters": 3,
        "advice": None,
    }
    assert list(tmp_path.iterdir()) == []


def test_train_logs_a_run_and_says_what_to_type_next(call, store, plain, tmp_path):
    words = ("train", "--crosses", "x1*x2, x1^2", "--hidden", "4,3", "--epochs", 60, "--batch-size", 2)
    code, output, errors = call(*words, cwd=tmp_path, MLFLOW_TRACKING_URI=store.uri)
    assert code == 0
    assert "Error" not in errors
    assert "it says nearly the same for every example, 0.5" in output  # after so few epochs
    assert output.splitlines()[-1] == "      sandbox ui"
    run_id = next(line.split()[1] for line in output.splitlines() if line.startswith("run_id"))
    run = plain.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert Config.from_params(run.data.params) == Config(
        crosses=("x1*x2", "x1^2"), hidden=(4, 3), epochs=60, batch_size=2
    )
    assert len(plain.get_metric_history(run_id, "cost")) == 61
    assert {file.path for file in plain.list_artifacts(run_id)} == {"images", "boundary.png", "cost.png", "network.npz"}
    assert plain.get_experiment(run.info.experiment_id).name == "train"
    assert not (tmp_path / "runs").exists()


def test_a_network_that_diverges_is_an_answer_and_no_error(here):
    words = "train --no-track --json --dataset moons --activation relu --output linear --learning-rate 1e6 --epochs 300"
    code, output, _ = here(*words.split())
    assert code == 0
    assert 0 < json.loads(output)["diverged_at"] <= 300


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "--dataset", "xro"], "did you mean 'xor'? Valid: and, or, nand"),
        (["train", "--initializer", "xaver"], "did you mean 'xavier'? Valid: plain, xavier, he"),
        (["train", "--activation", "sigmod"], "did you mean 'sigmoid'? Valid: sigmoid, tanh, relu"),
        (["train", "--cost", "squared"], "Valid: squared_error"),
        (["train", "--learnin-rate", "0.1"], "did you mean '--learning-rate'? Valid: --dataset"),
        (["train", "--zzz", "1"], "unknown option '--zzz': Valid: --dataset"),
        (["train", "--epochs"], "requires an argument"),
        (["train", "xor"], "unexpected extra argument (xor)"),
        (["train", "--crosses", "x9*x1"], "expected x1, x2 or one of sin(...)"),
        (["train", "--crosses", "__import__('os')"], "expected x1, x2 or one of sin(...)"),
        (["train", "--crosses", "x1**"], "expected x1, x2 or one of sin(...)"),
        (["train", "--learning-rate", "-0.1"], "learning_rate is -0.1: a number above 0"),
        (["train", "--learning-rate", "fast"], "a number is needed"),
        (["train", "--epochs", "0"], "a whole number of at least 1"),
        (["train", "--epochs", "1.5"], "a whole number is needed"),
        (["train", "--hidden", ""], "with commas between, or none"),
        (["train", "--hidden", "8,,8"], "with commas between, or none"),
        (["train", "--hidden", "0"], "at least 1 are needed, such as (8, 8)"),
        (["trian"], "did you mean 'train'? Valid: animate, compare, datasets, doctor, "),
        (["ui", "--port", "0"], "0 is not in the range 1<=x<=65535"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line_and_leaves_nothing(here, tmp_path, words, said):
    refused(here(*words), said, tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["depth", "--dataset", "spral"], "did you mean 'spiral'"),
        (["depth", "--sampler", "sobl"], "did you mean 'sobol'? Valid: grid, random, sobol, tpe"),
        (["depth", "--sampler", "grid"], "a grid needs values"),
        (["depth", "--trials", "0"], "trials is 0: a whole number of at least 1"),
        (["depth", "--trials", "many"], "'many' is not a valid integer"),
        (["depth", "--trails", "9"], "did you mean '--trials'"),
        (["learning_rate", "--learning-rate", "1"], "nothing varies"),
        (["feature_crosses", "--hidden", "4"], "hidden is what each arm of feature_crosses sets for itself"),
        (["learning_rate", "--cost", "binary_cross_entropy"], "needs a sigmoid output"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_experiment_is_one_line_and_leaves_nothing(here, tmp_path, words, said):
    script, *options = words
    refused(here(*options, script=script), said, tmp_path)


def test_wrong_requests_in_processes_of_their_own(call, tmp_path):
    refused(call("train", "--crosses", "__import__('os')", cwd=tmp_path), "expected x1, x2 or one of", tmp_path)
    command = ("-m", "experiments", "--dataset", "spral")
    refused(call(*command, cwd=tmp_path, command="python"), "did you mean 'spiral'", tmp_path)


def refused(answer, said, directory):
    code, output, errors = answer
    assert (code, output) == (2, "")
    assert said in errors
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert list(directory.iterdir()) == []


def test_a_store_that_does_not_answer_is_one_line_within_seconds(here, tmp_path):
    """A single training asks first; a sweep or a comparison begins, and its runs wait in the spool (test_outage)."""
    with socket.socket() as closed:  # bound, never listening
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
        started = time.monotonic()
        code, output, errors = here("train", "--epochs", "10", "--tracking-uri", uri)
    assert time.monotonic() - started < 10
    assert (code, output) == (1, "")
    assert uri in errors
    assert errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_help_and_the_bare_command(here):
    code, output, _ = here("--help")
    assert code == 0
    assert {"train", "ui", "compare"} <= {line.split()[0] for line in output.splitlines() if line.startswith("  ")}
    assert here() == (0, output, "")
    for word in ("train", "ui", "compare"):
        code, output, _ = here(word, "--help")
        assert (code, "--tracking-uri" in output) == (0, True)


@pytest.mark.slow
def test_an_experiment_with_a_few_trials_of_another_kind(call, here, store, plain, tmp_path):
    changes = {"trials": 8, "seeds": 2, "dataset": "circle", "hidden": 4, "epochs": 60, "tracking-uri": store.uri}
    words = [word for name, value in changes.items() for word in (f"--{name}", value)]
    code, output, errors = call("-m", "experiments.depth", *words, cwd=tmp_path, command="python")
    assert code == 0
    assert "best" in errors  # the bar
    (table,) = (part for part in output.split("\n\n") if part.startswith("sweep "))
    head, row = table.splitlines()
    columns = ["sweep", "runs", "new", "best", "by", "value", "cost", "accuracy", "diverged", "seconds"]
    assert head.split() == columns
    assert "validation_accuracy" in row.split()
    assert row.split()[:3] == ["depth", "8", "8"]
    assert "next: sandbox ui --tracking-uri sqlite:///" in output
    experiment = plain.get_experiment_by_name("depth")
    runs = plain.search_runs([experiment.experiment_id], "params.dataset = 'circle'")
    assert len(runs) == 8
    assert {(run.data.params["hidden"], run.data.params["epochs"]) for run in runs} == {("4", "60")}
    assert {run.data.params["seed"] for run in runs} == {"0", "1"}
    assert len({run.data.params["learning_rate"] for run in runs}) == 4
    assert [path.name for path in (tmp_path / "runs").iterdir() if path.suffix == ".journal"] == ["optuna.journal"]
    assert not (tmp_path / "runs" / "mlflow.db").exists()

    code, output, _ = here(*words, script="depth")
    assert (code, "nothing left to do" in output) == (0, True)


def descendants(pid):
    """The processes that a process has started, and those that they have, by /proc."""
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_server_that_ends_is_one_line(call, store, tmp_path):
    words = ("ui", "--port", 5079, "--tracking-uri", store.uri)
    code, output, errors = call(*words, cwd=tmp_path, MLFLOW_UVICORN_OPTS="--no-such-option")
    assert (code, output) == (1, "starting MLflow's server (some seconds)\n")
    assert errors.startswith("error: MLflow's server ended with exit code ")
    assert errors.count("\n") == 1


@pytest.mark.slow
def test_the_ui_answers_and_ends_with_all_that_it_started(serve, here, store, tmp_path):
    experiment_id = store.experiment("looked at")
    process, address, lines = serve(store.uri, tmp_path)
    with process:
        base = address.removesuffix("/sandbox")
        assert f"  looked at: {base}/#/experiments/{experiment_id}/runs?workflowType=machine_learning" in "".join(lines)
        assert (tmp_path / ".stderr").read_text() == ""
        for path, holds in (("/", b"MLflow"), ("/sandbox", b"looked at</a>")):
            with urllib.request.urlopen(base + path, timeout=10) as page:
                assert holds in page.read()
        started = descendants(process.pid)
        assert started
        port = base.rpartition(":")[2]
        code, output, errors = here("ui", "--tracking-uri", store.uri, "--port", port)
        assert (code, output, errors.count("\n")) == (2, "", 1)
        assert f"listens at {base} already: choose another port, such as --port {int(port) + 1}" in errors
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in started) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(pid) for pid in started)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_port_that_something_else_holds_is_refused(here, store):
    with socket.socket() as silent:  # listens, and never says a word of HTTP
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        code, output, errors = here("ui", "--tracking-uri", store.uri, "--port", port)
    assert (code, output) == (2, "")
    assert f"something listens at http://127.0.0.1:{port} already" in errors
