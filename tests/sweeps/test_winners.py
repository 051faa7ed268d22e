"""The best run of every arm: which it is, and that it becomes a model once, whoever dies."""

import json
import signal
import sqlite3
import statistics
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sandbox import Config
from sandbox.job import Ended, Job
from sandbox.sweeps import arms
from sandbox.sweeps.outcome import Outcome
from sandbox.sweeps.winners import winners
from sandbox.tracking import Store

ARMS = arms({"plain": {"hidden": ()}, "deep": {"hidden": (3,)}})


def ended(arm, rate, seed, accuracy, cost, **metrics):
    """A run of an arm at a learning rate."""
    metrics = {"validation_accuracy": accuracy, "validation_cost": cost, **metrics}
    tags = {"arm": f"{arm}, rate {rate}", "point": json.dumps({"arm": arm, "learning_rate": rate})}
    return Ended(Job(Config(seed=seed, learning_rate=rate), f"{arm} {rate} {seed}", tags), "FINISHED", metrics)


def test_of_every_arm_it_is_the_best_seed_of_the_best_point(small):
    outcome = Outcome(small("arms", space={"arm": ARMS}))
    for run in (
        ended("plain", 0.1, 0, 0.8, 0.5),
        ended("plain", 0.1, 1, 0.8, 0.4),  # as good by the objective, and cheaper
        ended("plain", 0.1, 2, 0.7, 0.1),
        ended("plain", 1.0, 0, 0.9, 0.2),  # a lucky seed of a point whose median is worse
        ended("plain", 1.0, 1, 0.1, 0.2),
        ended("plain", 1.0, 2, 0.1, 0.2),
        ended("deep", 0.1, 0, 0.6, 0.3),
        ended("deep", 1.0, 0, 0.99, 0.3, diverged=1.0),
    ):
        outcome.note(run)
    best = winners(outcome)
    assert {arm: run.job.name for arm, run in best.items()} == {"plain": "plain 0.1 1", "deep": "deep 0.1 0"}
    assert winners(Outcome(small("none"))) == {}


def test_without_arms_it_is_the_best_of_the_sweep(small, run_here, store, logged, plain):
    sweep = small("one winner", objective="test_cost")
    outcome = run_here(sweep)
    _, children = logged("one winner")
    costs = {}
    for run in children:
        costs.setdefault(run.data.params["learning_rate"], []).append((run.data.metrics["test_cost"], run.info.run_id))
    point = min(costs.values(), key=lambda some: statistics.median(cost for cost, _ in some))
    assert (outcome.models, outcome.left) == ({"": min(point)[1]}, "")
    assert run_here(sweep).models == outcome.models
    (model,) = plain.search_logged_models([children[0].info.experiment_id])
    assert (model.source_run_id, model.status, model.tags["sweep"]) == (min(point)[1], "READY", sweep.id)
    assert {run.info.run_id: len(run.outputs.model_outputs) for run in children if run.outputs.model_outputs} == {
        model.source_run_id: 1
    }


def test_what_is_missing_is_made_by_the_same_command_and_never_fails_the_sweep(small, run_here, store, logged, plain):
    sweep = small("missing models", space={"arm": ARMS})
    outcome = run_here(sweep)
    assert outcome.models.keys() == {"plain", "deep"}
    _, children = logged("missing models")
    experiment = children[0].info.experiment_id
    lost = next(one for one in plain.search_logged_models([experiment]) if one.source_run_id == outcome.models["deep"])
    plain.delete_logged_model(lost.model_id)
    plain.create_logged_model(experiment, "half", source_run_id=lost.source_run_id)  # and its process died
    assert run_here(sweep).models == outcome.models
    models = plain.search_logged_models([experiment])
    assert sorted(one.source_run_id for one in models) == sorted(outcome.models.values())
    assert {one.status for one in models} == {"READY"}
    assert lost.model_id not in {one.model_id for one in models}

    plain.delete_logged_model(next(one.model_id for one in models if one.source_run_id == lost.source_run_id))
    place = Path(next(run.info.artifact_uri for run in children if run.info.run_id == lost.source_run_id))
    content = (place / "network.npz").read_bytes()
    for damaged, says in ((content[:100], "damaged"), (None, "has lost its network.npz")):
        (place / "network.npz").unlink()
        if damaged:
            (place / "network.npz").write_bytes(damaged)
        outcome = run_here(sweep)
        assert (outcome.status, outcome.models, outcome.done) == ("FINISHED", {}, 4)
        assert says in outcome.left
        assert outcome.left.endswith("the same command makes them when it is run again")
    (place / "network.npz").write_bytes(content)
    assert run_here(sweep).left == ""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["begun", "whole"])
def test_whoever_is_killed_while_models_are_made_leaves_one_of_each_in_the_end(start, call, tmp_path, moment):
    words = ("sweep", "--dataset", "moons", "--n-examples", 40, "--epochs", 30, "--hidden", 2)
    words = (*words, "--vary", "learning_rate=0.1|1", "--seeds", 3, "--name", "killed", "--json")
    database = tmp_path / "runs" / "mlflow.db"
    asked = "SELECT count(*) FROM logged_models" + (" WHERE status = 2" if moment == "whole" else "")
    with start(*words, cwd=tmp_path) as process:
        while process.poll() is None:
            try:
                with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
                    if connection.execute(asked).fetchone()[0]:
                        process.send_signal(signal.SIGKILL)
                        break
            except sqlite3.OperationalError:  # not there yet
                pass
            time.sleep(0.002)
        process.wait()
    assert process.returncode == -signal.SIGKILL
    answers = [call(*words, cwd=tmp_path) for _ in range(2)]
    assert [code for code, _, _ in answers] == [0, 0], answers
    (row,), (again,) = (json.loads(output)["sweeps"] for _, output, _ in answers)
    assert (row["new"], row["left"], again["models"]) == (0, "", row["models"])
    client: Any = Store(None, tmp_path / "runs").client
    experiment = client.get_experiment_by_name("killed").experiment_id
    (model,) = client.search_logged_models([experiment])
    assert [model.source_run_id] == [*row["models"].values()]
    runs = client.search_runs([experiment])
    links = Counter(one.model_id for run in runs for one in run.outputs.model_outputs)
    assert links[model.model_id] == 1
    assert {len(run.inputs.dataset_inputs) for run in runs if "config_key" in run.data.tags} == {1}
    assert call("doctor", cwd=tmp_path)[0] == 0
