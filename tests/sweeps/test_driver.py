"""Whole sweeps, read back from a real store by MLflow's own client and from a real journal by Optuna alone."""

import io
import json
import math
import signal
import statistics
import time
from html import escape

import pytest
from optuna.trial import TrialState
from PIL import Image

from sandbox import Config, RequestError, train
from sandbox.config import FIELDS
from sandbox.sweeps import Range, choice, run_sweep
from sandbox.sweeps.journal import JOURNAL
from sandbox.sweeps.objective import WORST
from sandbox.tracking.spool import Spool
from sandbox.tracking.writers import Writers


def keys(runs):
    return sorted(run.data.tags["config_key"] for run in runs)


def test_the_outcomes_frame_is_what_mlflows_own_table_says(small, run_here, store, runs_frame):
    frame = run_here(small("own table")).frame()
    theirs = runs_frame(store, ["own table"], "tags.config_key != ''")
    assert list(frame)[:3] == ["learning_rate", "seed", "status"]
    assert len(frame) == len(theirs) == 4
    for row in frame.to_dict("records"):
        chosen = theirs["params.learning_rate"].astype(float) == row.pop("learning_rate")
        (same,) = theirs[chosen & (theirs["params.seed"] == str(row.pop("seed")))].to_dict("records")
        assert row.pop("status") == same["status"]
        assert len(row) >= 10
        assert (row.pop("diverged"), row.pop("best_cost")) == (0, row["final_cost"])  # which MLflow is not told again
        assert row == {name: same[f"metrics.{name}"] for name in row}


def test_a_sweep_is_one_parent_and_a_whole_run_for_each_trial(small, run_here, plain, logged, study_of, tmp_path):
    sweep = small("whole sweep", reading="Look at `cost`.")
    outcome = run_here(sweep)
    assert (outcome.status, outcome.done, outcome.before, outcome.diverged) == ("FINISHED", 4, 0, 0)

    found = plain.get_experiment_by_name("whole sweep")
    (sentence,) = outcome.answer.sentences
    assert sentence.startswith("Learning rate ")
    assert found.tags["mlflow.note.content"].startswith(
        f"{sentence}\n\n{sweep.question}\n\nLook at `cost`.\n\nViews: ["
    )
    primary = {name: text for name, text in found.tags.items() if "primaryMetric" in name}
    assert set(primary.values()) == {"validation_accuracy", "True"}
    (parent,), children = logged("whole sweep")
    note = parent.data.tags["mlflow.note.content"]
    assert note.startswith(f"{sentence}\n\n*{sweep.question}*")
    assert f"![the answer](get-artifact?path=answer.png&run_uuid={parent.info.run_id})" in note
    assert "| learning_rate | test_accuracy |" in note
    kept = {file.path for file in plain.list_artifacts(parent.info.run_id)}
    assert kept == {"answer.png", "answer.md", "answer.csv", "diagnosis"}
    assert {path.name for path in outcome.directory.iterdir()} == kept
    assert outcome.directory.name == sweep.id
    html = outcome._repr_html_()  # as a notebook shows it
    assert escape(sentence) in html
    assert html.count('src="data:image/png;base64,') == 1
    assert (parent.info.status, parent.info.run_name) == ("FINISHED", sweep.id)
    assert parent.data.metrics["runs"] == 4
    assert parent.data.params["space.learning_rate"] == "0.1,1.0"
    assert parent.data.params["base.dataset"] == "quadrants"
    assert keys(children) == sorted(trial.config.key for trial in sweep.plan)

    for child in children:
        assert child.info.status == "FINISHED"
        assert set(child.data.params) == set(FIELDS)
        config = Config.from_params(child.data.params)
        alone = train(config)
        costs = plain.get_metric_history(child.info.run_id, "cost")
        assert [point.step for point in costs] == list(range(101))
        assert [point.value for point in costs] == [*alone.costs, alone.cost]
        assert child.data.metrics["final_cost"] == alone.cost
        assert child.data.metrics["train_accuracy"] == alone.train_accuracy
        assert all(math.isfinite(value) and abs(value) < 1.7e308 for value in child.data.metrics.values())
        tags = child.data.tags
        assert (tags["sweep"], tags["config_key"], tags["purpose"]) == (sweep.id, config.key, "test")
        assert tags["arm"] == f"learning_rate={config.learning_rate:g}"
        assert tags["seed"] == str(config.seed)
        steps = {int(file.path.split("+")[2]) for file in plain.list_artifacts(child.info.run_id, "images")}
        assert len(steps) >= 5
        assert (min(steps), max(steps)) == (0, 100)
        for name in ("boundary.png", "cost.png", "confusion.png"):
            with open(plain.download_artifacts(child.info.run_id, name, str(tmp_path)), "rb") as file:
                assert min(Image.open(io.BytesIO(file.read())).size) >= 256
    assert sorted(int(child.data.tags["trial"]) for child in children) == [0, 1, 2, 3]

    values = {run.data.tags["config_key"]: run.data.metrics["validation_accuracy"] for run in children}
    assert {trial.user_attrs["config_key"]: trial.value for trial in study_of(sweep).trials} == values
    medians = {
        arm: statistics.median(
            run.data.metrics["validation_accuracy"] for run in children if run.data.tags["arm"] == arm
        )
        for arm in ("learning_rate=0.1", "learning_rate=1")
    }
    best = max(medians, key=medians.__getitem__)
    assert outcome.best == (best, pytest.approx(medians[best]))
    assert parent.data.tags["best"] == best
    assert parent.data.metrics["best_validation_accuracy"] == pytest.approx(medians[best])


def test_run_again_it_does_nothing_and_with_more_seeds_only_what_is_missing(small, run_here, logged, study_of):
    sweep = small("again")
    first = run_here(sweep)
    parents, children = logged("again")
    second = run_here(sweep)
    assert (second.status, second.done, second.before, second.best) == ("FINISHED", 4, 4, first.best)
    assert [run.to_dictionary() for run in logged("again")[0]] == [run.to_dictionary() for run in parents]
    assert keys(logged("again")[1]) == keys(children)

    more = run_here(sweep.replace(seeds=3))
    assert (more.done, more.before) == (6, 4)
    (parent,), children = logged("again")
    assert (parent.info.status, parent.data.metrics["runs"]) == ("FINISHED", 6)
    assert len(set(keys(children))) == len(children) == 6
    assert len(study_of(sweep).trials) == 6
    assert sorted(int(child.data.tags["trial"]) for child in children) == list(range(6))


def test_what_is_left_is_the_plan_without_what_is_done_however_many_are_done(small, run_here, logged):
    """Six points with one seed are no substitute for three points with two."""
    space = {"learning_rate": Range(0.1, 1.0)}
    sweep = small("left", space=space, sampler="sobol", trials=6, seeds=1)
    run_here(sweep)
    outcome = run_here(sweep.replace(seeds=2))
    assert (outcome.done, outcome.before) == (9, 6)
    seeds = [run.data.tags["seed"] for run in logged("left")[1]]
    assert (seeds.count("0"), seeds.count("1")) == (6, 3)


@pytest.mark.slow
def test_either_store_can_be_lost(small, store, plain, logged, study_of, tmp_path):
    sweep = small("lost")
    with Writers(Spool(store.uri, tmp_path), 1) as crew:
        options = {"quiet": True, "writers": crew}
        run_sweep(sweep, store, tmp_path, **options)
        (tmp_path / JOURNAL).unlink()
        assert run_sweep(sweep, store, tmp_path, **options).before == 4
        assert {trial.user_attrs["config_key"] for trial in study_of(sweep, tmp_path).trials} == set(
            keys(logged("lost")[1])
        )

        plain.delete_run(logged("lost")[1][0].info.run_id)
        outcome = run_sweep(sweep, store, tmp_path, **options)
        assert (outcome.done, outcome.before) == (4, 3)
        assert len(set(keys(logged("lost")[1]))) == 4
        assert len(study_of(sweep, tmp_path).trials) == 4


def test_a_diverged_trial_is_logged_as_such_and_finite_in_both_stores(small, run_here, logged, study_of):
    base = Config(dataset="moons", n_examples=60, hidden=(4,), activation="relu", output="linear", epochs=100)
    sweep = small("diverged", base=base, space={"learning_rate": choice(0.1, 1e3)})
    outcome = run_here(sweep)
    assert (outcome.status, outcome.done, outcome.diverged) == ("FINISHED", 4, 2)
    assert outcome.best[0] == "learning_rate=0.1"
    (parent,), children = logged("diverged")
    assert parent.data.metrics["diverged_runs"] == 2
    for run in [parent, *children]:
        assert all(math.isfinite(value) and abs(value) < 1.7e308 for value in run.data.metrics.values())
    blown = [run for run in children if run.data.params["learning_rate"] == "1000.0"]
    assert [(run.info.status, run.data.metrics["diverged"]) for run in blown] == [("FINISHED", 1)] * 2
    assert all(0 < run.data.metrics["diverged_at"] <= 100 for run in blown)
    values = sorted(trial.value for trial in study_of(sweep).trials)  # accuracies: the lowest is the worst
    assert values[:2] == [-WORST] * 2
    assert all(0 <= value <= 1 for value in values[2:])
    again = run_here(sweep)
    assert (again.done, again.before, again.diverged, again.best) == (4, 4, 2, outcome.best)


def test_a_sampler_that_learns(small, run_here, logged, study_of):
    space = {"learning_rate": Range(0.01, 10.0, log=True), "hidden": choice((2,), (4,))}
    sweep = small("tpe", space=space, sampler="tpe", trials=15, seeds=3)
    outcome = run_here(sweep)
    assert (outcome.status, outcome.done) == ("FINISHED", 15)
    (parent,), children = logged("tpe")
    assert parent.info.status == "FINISHED"
    assert len(set(keys(children))) == len(children) == 15
    trials = study_of(sweep).trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 15
    assert {trial.user_attrs["config_key"] for trial in trials} == set(keys(children))
    assert all(math.isfinite(trial.value) for trial in trials)
    points = {(run.data.params["learning_rate"], run.data.params["hidden"]) for run in children}
    assert len(points) == 5
    assert run_here(sweep).before == 15
    more = run_here(sweep.replace(trials=18))
    assert (more.done, more.before) == (18, 15)


def test_a_sampler_that_learns_ends_where_a_space_has_no_more_points(small, run_here, logged, study_of):
    sweep = small("tpe exhausted", sampler="tpe", trials=24)  # two points, two seeds
    assert run_here(sweep).done == 4
    assert run_here(sweep).before == 4
    children = logged("tpe exhausted")[1]
    assert len(set(keys(children))) == len(children) == 4  # what is proposed twice in a round is trained once
    states = [trial.state for trial in study_of(sweep).trials]
    assert states.count(TrialState.COMPLETE) == 4
    assert set(states) <= {TrialState.COMPLETE, TrialState.FAIL}


def test_a_combination_that_does_not_fit_leaves_nothing_behind(small, store, plain, tmp_path):
    costs = choice("squared_error", "binary_cross_entropy")
    sweep = small("misfit", space={"output": choice("sigmoid", "linear"), "cost": costs})
    with pytest.raises(RequestError, match="needs a sigmoid output"):
        run_sweep(sweep, store, tmp_path, quiet=True)
    assert plain.get_experiment_by_name("misfit") is None
    assert list(tmp_path.iterdir()) == []


class Interrupted:
    """A `sandbox` command in a process of its own, ended by a real Ctrl-C once `ready` says so."""

    def __init__(self, start, store, directory, *words):
        self.process = start(*words, "--tracking-uri", store.uri, cwd=directory)

    def when(self, ready, times=1):
        deadline = time.monotonic() + 60
        with self.process as process:
            while not ready():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
            for _ in range(times):
                process.send_signal(signal.SIGINT)
                time.sleep(0.5)
            try:
                output, _ = process.communicate(timeout=30)
            finally:
                process.kill()
        return process.returncode, output


HALFWAY = (
    "--dataset circle --n-examples 100 --hidden 4 --epochs 10000 --vary learning_rate=0.1,0.3,1,3 --seeds 3 --batch 2"
)


@pytest.mark.slow
def test_ctrl_c_in_the_middle_keeps_what_is_done_and_the_same_command_goes_on(start, here, store, logged, tmp_path):
    words = ("sweep", "--name", "halfway", *HALFWAY.split())
    run = Interrupted(start, store, tmp_path, *words)
    code, output = run.when(lambda: len(list(tmp_path.glob("runs/spool/*/*.run"))) >= 1)  # before they are logged
    assert (code, "everything done so far is logged" in (tmp_path / ".stderr").read_text()) == (1, True)
    (parent,), children = logged("halfway")
    assert parent.info.status == "KILLED"
    assert {child.info.status for child in children} == {"FINISHED"}
    assert 1 <= len(children) < 12
    assert all("final_cost" in child.data.metrics for child in children)
    assert parent.data.metrics["runs"] == len(children)

    code, output, errors = here(*words, "--tracking-uri", store.uri, "--json")
    assert (code, errors) == (0, "")
    (row,) = json.loads(output)["sweeps"]
    assert (row["runs"], row["new"]) == (12, 12 - len(children))
    (parent,), children = logged("halfway")
    assert parent.info.status == "FINISHED"
    assert {child.info.status for child in children} == {"FINISHED"}
    assert len(set(keys(children))) == len(children) == 12


@pytest.mark.slow
def test_ctrl_c_while_networks_train(start, store, logged, tmp_path):
    words = ("sweep", "--name", "endless", *HALFWAY.split(), "--epochs", 10_000_000)
    run = Interrupted(start, store, tmp_path, *words)
    code, output = run.when(lambda: list(tmp_path.glob("runs/spool/*/scratch-*")), times=2)  # a writer has begun
    assert code == 1
    assert "Traceback" not in output + (tmp_path / ".stderr").read_text()
    deadline = time.monotonic() + 20  # the writer outlives the driver, to log what is in the spool
    while not logged("endless")[0] or logged("endless")[0][0].info.status == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    (parent,), children = logged("endless")
    assert (parent.info.status, children) == ("KILLED", [])
