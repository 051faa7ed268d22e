"""The network that a run keeps: what predicts raw rows, in the sandbox and where there is none."""

import ast
import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

import sandbox
from sandbox import Config, Dataset, Network, RequestError, train
from sandbox.export import export, served
from sandbox.model import Model


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, 120),
            "net income": rng.normal(3000, 900, 120).round(2),
            "city": rng.choice(["Rome", "Oslo", "New York"], 120),
            "bought": rng.choice(["no", "yes"], 120),
            "kind": rng.choice(["a", "b", "c"], 120),
            "spent": rng.normal(0, 1, 120),
        }
    )


@pytest.fixture(scope="module")
def results(rows):
    """A trained network of every task, and raw rows for it."""
    gaps = rows.copy()
    gaps.loc[[1, 4], "age"] = np.nan
    gaps.loc[[2, 4], "city"] = None
    crossed = {"crosses": ('age*"net income"', 'sin(age)^2*"city=Rome"'), "hidden": (4,), "epochs": 50}
    make = Dataset.from_frame
    return {
        "binary": (train(Config(dataset=make(rows, "bought"), activation="relu", **crossed)), rows),
        "multiclass": (
            train(Config(dataset=make(gaps, "kind", gaps="fill"), activation="leaky_relu", **crossed)),
            gaps,
        ),
        "regression": (train(Config(dataset=make(rows, "spent", scaling="minmax"), **crossed)), rows),
        "unscaled": (train(Config(dataset=make(rows, "spent", scaling="none"), learning_rate=1e-9, **crossed)), rows),
        "single precision": (train(Config(dataset=make(rows, "bought"), dtype="float32", **crossed)), rows),
        "breast_cancer": (train(Config(dataset="breast_cancer", crosses=("x1*x3",), epochs=50)), None),
        "iris": (train(Config(dataset="iris", activation="tanh", hidden=(3, 3), epochs=50)), None),
        "circle": (train(Config(dataset="circle", crosses=("x1^2", "x2^2"), hidden=(), epochs=50)), None),
    }


CASES = ("binary", "multiclass", "regression", "unscaled", "single precision", "breast_cancer", "iris", "circle")


def raw(results, case):
    """The result, and raw rows by their columns' names."""
    result, frame = results[case]
    if frame is None:
        data = sandbox.load_dataset(str(result.config.dataset), n=100)
        frame = pd.DataFrame(data.X, columns=list(data.feature_names))
    return result, frame


@pytest.mark.parametrize("case", CASES)
def test_a_file_of_it_predicts_the_same_to_the_bit(results, case, tmp_path):
    result, frame = raw(results, case)
    model = Model.from_bytes(result.model.to_bytes())
    np.testing.assert_array_equal(model.predict(frame), result.predict(frame))
    part = result.problem.train
    inputs = result.network.predict(result.problem.inputs(part.X))
    assert np.isfinite(inputs).all()
    assert model.params == result.config.params()
    assert [list(row) for row in model.example] == [list(row) for row in result.model.example]
    assert len(model.example) == 3
    assert {len(row) for row in model.example} == {len(model.features.raw)}
    shuffled = frame[frame.columns[::-1]].assign(other=1)
    np.testing.assert_array_equal(model.predict(shuffled), result.predict(frame))
    (tmp_path / "network.npz").write_bytes(result.model.to_bytes())
    assert Network.load(tmp_path / "network.npz").sizes == result.network.sizes


def test_raw_rows_become_the_inputs_that_it_was_trained_with(results, rows):
    result, _ = results["binary"]
    inputs = result.problem.inputs(np.concatenate([part.X for part in (result.problem.train, result.problem.test)]))
    ours = result.model.features(rows)
    assert {tuple(row) for row in inputs.round(9)} <= {tuple(row) for row in ours.round(9)}
    assert ours.shape == (120, 9 + 2)


@pytest.mark.parametrize("case", CASES)
def test_the_script_gives_the_same_outputs_with_numpy_alone(results, case, tmp_path):
    result, frame = raw(results, case)
    frame.to_csv(tmp_path / "new.csv", index=False)
    (tmp_path / "model.py").write_text(export(result.model, "numpy"))
    words = [sys.executable, "-W", "error", "-I", "model.py", "new.csv"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    named = result.problem.train.task != "regression"
    outputs = np.array([[float(number) for number in line[named:]] for line in lines])
    tolerance = 1e-6 if case == "single precision" else 1e-12
    np.testing.assert_allclose(outputs, result.predict(frame), rtol=tolerance, atol=tolerance)
    if named:
        assert [line[0] for line in lines] == [str(one) for one in result.classify(frame)]
    imported = [line for line in (tmp_path / "model.py").read_text().splitlines() if "import" in line]
    assert imported == ["import csv", "import sys", "import numpy as np"]


def test_no_text_of_a_file_can_become_code(results):
    model = results["multiclass"][0].model
    evil = '"""\nraise SystemExit(7)\n"""\\'
    for text in (served(model, evil), export(model, "numpy", evil, f"{evil}.py")):
        tree = ast.parse(text)
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "SystemExit"]


FUNCTIONS = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: z * (z > 0),
    "leaky_relu": lambda z: np.maximum(z, z / 100),
    "linear": lambda z: z,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(1, keepdims=True),
}


def by_json(told, frame):
    """Outputs from the JSON alone, by other means."""
    features = told["features"]
    if features["encoding"]:
        parts = []
        for column in features["encoding"]:
            values = frame[column["name"]]
            hot = [(values == one).astype(float).where(values.notna()) for one in column["categories"]]
            parts += hot or [values.astype(float)]
        X = np.column_stack(parts)
    else:
        X = frame[features["names"]].to_numpy(float)
    if scaling := features["scaling"]:
        X = np.where(np.isnan(X), 0.0 if scaling["fill"] is None else scaling["fill"], X)
        X = (X - np.array(scaling["mean"])) / np.array(scaling["scale"])
    known = {name: X[:, place] for place, name in enumerate(features["columns"])}
    for cross in features["crosses"]:
        text = cross.replace("^", "**")
        for place, name in enumerate(features["columns"]):
            text = (
                text.replace(f'"{name}"', f"c[{place}]")
                if " " in name or "=" in name
                else text.replace(name, f"c[{place}]")
            )
        X = np.column_stack([X, eval(text, {"sin": np.sin, "c": list(known.values())})])
    with np.errstate(over="ignore"):
        for layer in told["layers"]:
            X = FUNCTIONS[layer["activation"]](X @ np.array(layer["weights"]).T + layer["biases"])
    return X


@pytest.mark.parametrize("case", [case for case in CASES if case != "single precision"])
def test_the_json_holds_all_that_the_outputs_follow_from(results, case):
    result, frame = raw(results, case)
    told = json.loads(export(result.model, "json"))
    np.testing.assert_allclose(by_json(told, frame), result.predict(frame), rtol=1e-9, atol=1e-12)
    assert told["classes"] == list(result.model.classes)


def test_wrong_rows_are_one_line(results, rows):
    model = results["binary"][0].model
    for frame, says in (
        (rows.drop(columns="age"), "column 'age' is missing: there are 'net income, city,"),
        (rows.assign(city="Paris"), "column 'city' has 'Paris': known are New York, Oslo, Rome"),
        (rows.assign(age="old"), "column 'age' has 'old': finite numbers are needed"),
        (rows.assign(age=np.inf), "column 'age' has inf"),
        (rows.assign(age=np.nan), "row 1 has a gap in column 'age'"),
        (np.ones((3, 2)), "X has shape (3, 2): (examples, 9) is needed"),
        ("rows", "numbers of shape (examples, 9) are needed"),
    ):
        with pytest.raises(RequestError, match=r"^[^\n]*$") as error:
            model.predict(frame)
        assert says in str(error.value)


def test_damaged_and_foreign_files_are_one_line(results, tmp_path):
    whole = results["multiclass"][0].model.to_bytes()
    rng = np.random.default_rng(0)
    cases = [b"", b"PK", whole[:100], whole[:-30], b"\x80\x04N."]
    for _ in range(100):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 5):
            damaged[place] = rng.integers(256)
        cases.append(bytes(damaged))
    for told in ("{}", "[]", "nothing", '{"task": 1}', json.dumps({"task": "binary", "features": {"names": 3}})):
        file = io.BytesIO()
        with np.load(io.BytesIO(whole)) as arrays:
            np.savez(file, **{**arrays, "told": np.array(told)})
        cases.append(file.getvalue())
    refused = 0
    for content in cases:
        (tmp_path / "network.npz").write_bytes(content)
        try:
            Model.load(tmp_path / "network.npz")
        except RequestError as error:
            refused += "\n" not in str(error)
    assert refused >= 100  # a bit in what zip does not check may be of no consequence
    with pytest.raises(RequestError, match="No such file"):
        Model.load(tmp_path / "none.npz")


def test_a_run_keeps_its_network_and_the_commands_use_it(here, rows, tmp_path):
    rows.to_csv(tmp_path / "customers.csv", index=False)
    words = ("--dataset", "customers.csv", "--target", "bought", "--leave-out", "kind,spent", "--epochs", 50, "--json")
    code, output, errors = here("train", *words)
    assert code == 0, errors
    run = json.loads(output)["run_id"]
    rows.head(7).to_csv(tmp_path / "new.csv", index=False)
    model = sandbox.load(run, root=tmp_path / "runs")
    code, output, _ = here("predict", run, "new.csv", "--json")
    told = json.loads(output)["predictions"]
    assert (code, len(told)) == (0, 7)
    outputs = model.predict(rows.head(7))[:, 0]
    np.testing.assert_allclose([one["probability"] for one in told], np.maximum(outputs, 1 - outputs), rtol=1e-15)
    assert [one["prediction"] for one in told] == list(model.classify(rows.head(7)))
    lines = here("predict", run, "new.csv")[1].splitlines()
    assert [line.split()[0] for line in lines] == [one["prediction"] for one in told]
    table = pd.read_csv(io.StringIO(here("predict", run, "new.csv", "--csv")[1]))
    assert list(table.columns) == ["prediction", "probability"]
    assert here("export", run, "--out", "model.py")[0] == 0
    by_script = subprocess.run(
        [sys.executable, "model.py", "new.csv"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [line.split()[0] for line in by_script.stdout.splitlines()] == [one["prediction"] for one in told]
    (kept,) = (tmp_path / "runs").rglob("network.npz")
    assert here("predict", kept, "new.csv", "--json")[1].replace(str(kept), run) == output
    for path in (tmp_path / "runs" / "artifacts").rglob("*"):
        if path.is_file():
            assert path.suffix in {".png", ".npz"}
            assert path.suffix != ".npz" or all(not one.endswith(".pkl") for one in zipfile.ZipFile(path).namelist())
    np.load(kept, allow_pickle=False).close()
    for wrong, says in (
        (("predict", "nix", "new.csv"), "run nix is not in"),
        (("predict", "../x", "new.csv"), "the id of a run is needed"),
        (("predict", run, "no.csv"), "no.csv: No such file"),
        (("predict", "none.npz", "new.csv"), "none.npz: No such file"),
        (("export", run, "--as", "onnx"), "unknown kind of export 'onnx'"),
    ):
        code, output, errors = here(*wrong)
        assert (code, output) == (2, "")
        assert says in errors
