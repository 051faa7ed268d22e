"""`sandbox sweep`: a question asked in passing, and what a wrong one gets."""

import json

import pytest

from sandbox import Config
from sandbox.doctor import examine


@pytest.mark.slow
def test_the_question_of_the_manual(call, here, store, plain, tmp_path):
    """In a process of its own, as a user types it; shorter than the issue has it."""
    words = "sweep --dataset spiral --n-examples 60 --hidden 8,8 --epochs 30 --vary learning_rate=0.001..10:log "
    words += "--vary initializer=plain,xavier,he --seeds 2 --trials 10 --name question"
    code, output, errors = call(*words.split(), "--tracking-uri", store.uri, cwd=tmp_path)
    assert code == 0
    assert "Error" not in errors
    lines = output.strip().splitlines()
    assert lines[0] == "question: What do learning_rate and initializer do?"
    (head,) = (place for place, line in enumerate(lines) if line.startswith("sweep "))
    assert lines[head].split()[:4] == ["sweep", "runs", "new", "best"]
    assert lines[head + 1].split()[:3] == ["question", "10", "10"]
    assert lines[2].startswith("Learning rate ")
    assert any(line.startswith("Initializer ") for line in lines)
    where = f"--tracking-uri {store.uri}"
    assert lines[-3:-1] == [f"next: sandbox ui {where}", f"      sandbox compare {where}"]
    assert lines[-1].startswith("      sandbox register ")

    experiment = plain.get_experiment_by_name("question")
    assert experiment.tags["mlflow.note.content"].startswith(f"{lines[2]}\n\n")
    assert "\n\nWhat do learning_rate and initializer do?\n\n" in experiment.tags["mlflow.note.content"]
    (parent,) = plain.search_runs([experiment.experiment_id], "tags.role = 'sweep'")
    assert (parent.data.tags["sampler"], parent.data.tags["objective"]) == ("sobol", "max:validation_accuracy")
    base = {name: text for name, text in parent.data.params.items() if name.startswith("base.")}
    config = Config(dataset="spiral", n_examples=60, hidden=(8, 8), epochs=30)
    assert base == {f"base.{name}": text for name, text in config.params().items()}
    runs = plain.search_runs([experiment.experiment_id], "tags.config_key != ''")
    assert len({run.data.tags["config_key"] for run in runs}) == len(runs) == 10
    assert {run.data.params["dataset"] for run in runs} == {"spiral"}
    assert {run.data.params["initializer"] for run in runs} <= {"plain", "xavier", "he"}
    assert all(0.001 <= float(run.data.params["learning_rate"]) <= 10 for run in runs)
    assert {run.data.tags["seed"] for run in runs} == {"0", "1"}
    assert examine(store, tmp_path / "runs").findings == []

    code, output, errors = here(*words.split(), "--tracking-uri", store.uri, "--json")
    (row,) = json.loads(output)["sweeps"]
    assert (code, errors, row["runs"], row["new"]) == (0, "", 10, 0)


VARY = "--vary learning_rate=0.1..1"
WRONG = {
    "": "nothing varies: say what with --vary",
    "--vary lerning_rate=0.1..1": "learning_rate",
    "--vary learning_rate": "varies nothing: write FIELD=LOW..HIGH",
    "--vary learning_rate=": "varies nothing",
    "--vary learning_rate=1..0.1": "the first number must be below the second",
    "--vary learning_rate=0..1:log": "a log scale starts above 0",
    "--vary learning_rate=0.1..1:lgo": "did you mean 'log'",
    "--vary learning_rate=-1..1": "learning_rate",
    "--vary initializer=plain,xaver": "did you mean 'xavier'",
    "--vary initializer=plain..he": "has no range",
    f"{VARY} --vary learning_rate=1,2": "varied twice",
    f"{VARY} --sampler tpee": "did you mean 'tpe'",
    f"{VARY} --sampler grid": "a grid needs values",
    f"{VARY} --pruner medain": "did you mean 'median'",
    f"{VARY} --objective validation_acuracy": "unknown objective 'validation_acuracy': did you mean 'validation_accuracy'",
    f"{VARY} --objective dead_units": "unknown objective 'dead_units': Valid: final_cost",
    f"{VARY} --objective best:final_cost": "write a metric's name, or min:NAME, or max:NAME",
    "--vary hidden=8,8": "put bars between values, hidden=8|8",
    "--vary hidden=8": "is one value: give two or more, or say --hidden 8",
    f"{VARY} --seeds 0": "seeds is 0",
    f"{VARY} --trials 0": "trials is 0",
    f"{VARY} --trials many": "many",
    f"{VARY} --batch 0": "0",
    f"{VARY} --hidden eight": "hidden",
    "--vary seed=1,2": "seed is an axis of its own",
    "--vary output=sigmoid,linear --vary cost=squared_error,binary_cross_entropy": "needs a sigmoid output",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_request_is_one_line_and_leaves_nothing(words, here, tmp_path):
    code, output, errors = here("sweep", *words.split())
    assert (code, output) == (2, "")
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert WRONG[words] in errors
    assert list(tmp_path.iterdir()) == []
