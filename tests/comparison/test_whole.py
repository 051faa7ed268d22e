"""One small comparison from the command to the report, as `make test` has it: a hook and a picture of the user's own in
every run, everything in MLflow, and the doctor, who knows comparisons too."""

import json

import pytest

from sandbox.comparison.protocol import EXPERIMENT
from sandbox.doctor import examine
from sandbox.host import host_of

MINE = """
from matplotlib.figure import Figure
from sandbox import Hook

class Largest(Hook):
    every = 10

    def on_epoch(self, run):
        run.record("largest", abs(run.network.parameters).max(-1))

def spread(result):
    figure = Figure(figsize=(3, 2))
    figure.add_subplot().hist(result.network.parameters)
    return figure
"""
WORDS = ("compare", "--dataset", "quadrants", "--n", 16, "--arm", "raw: hidden=none", "--arm", "cross: crosses=x1*x2")
WORDS += (
    "--repetitions",
    3,
    "--seeds",
    2,
    "--trials",
    3,
    "--epochs",
    60,
    "--hook",
    "whole:Largest",
    "--picture",
    "whole:spread",
)
TUNING, FINAL = 2 * 3 * (3 + 2), 2 * 3 * 2


@pytest.fixture
def compared(here, own_module, store):
    """What the command answers, in JSON."""
    own_module("whole", MINE)
    code, output, errors = here(*WORDS, "--tracking-uri", store.uri, "--json")
    assert (code, errors) == (0, "")
    return json.loads(output)


def test_a_comparison_from_the_command_to_the_report(compared, here, store, plain, tmp_path):
    assert (compared["finished"], compared["runs"], compared["waiting"]) == (True, TUNING + FINAL, 0)
    (pair,) = compared["pairs"]
    assert {pair["first"], pair["second"]} == {"raw", "cross"}
    assert (tmp_path / compared["report"]).exists()

    experiment = plain.get_experiment_by_name(EXPERIMENT).experiment_id
    (parent,) = plain.search_runs([experiment], f"tags.sweep = '{compared['comparison']}' AND tags.role = 'comparison'")
    assert (parent.info.status, parent.data.metrics["runs"]) == ("FINISHED", TUNING + FINAL)
    assert "report.html" in {file.path for file in plain.list_artifacts(parent.info.run_id)}
    runs = plain.search_runs([experiment], f"tags.comparison = '{compared['comparison']}'")
    assert len({(run.data.tags["arm"], run.data.tags["config_key"]) for run in runs}) == len(runs) == TUNING + FINAL
    final = [run for run in runs if run.data.tags["role"] == "final"]
    assert len(final) == FINAL
    for run in runs:
        assert (run.info.status, run.data.tags["mlflow.parentRunId"]) == ("FINISHED", parent.info.run_id)
        steps = [point.step for point in plain.get_metric_history(run.info.run_id, "largest")]
        assert steps == list(range(0, 60, 10))
        names = {file.path for file in plain.list_artifacts(run.info.run_id)}
        assert "spread.png" in names
        shown = run in final and run.data.tags["seed"] == "0"
        assert ("boundary.png" in names) == shown
        assert ("test_accuracy" in run.data.metrics) == (run in final)
    for row in compared["averages"]:
        scores = [run.data.metrics["test_accuracy"] for run in final if run.data.tags["arm"] == row["arm"]]
        assert row["mean"] == pytest.approx(sum(scores) / len(scores))

    code, output, _ = here(*WORDS, "--tracking-uri", store.uri)
    assert (code, "nothing left to do: every run was logged before" in output) == (0, True)
    assert len(plain.search_runs([experiment], f"tags.comparison = '{compared['comparison']}'")) == TUNING + FINAL


def test_the_doctor_knows_comparisons(compared, here, store, plain, tmp_path):
    """In a root of its own, so that it trains anew only what is missing: nothing, for MLflow has it all."""
    name, root = compared["comparison"], tmp_path / "runs"
    experiment = plain.get_experiment_by_name(EXPERIMENT).experiment_id
    (parent,) = plain.search_runs([experiment], f"tags.sweep = '{name}' AND tags.role = 'comparison'")
    assert examine(store, root).campaigns == [name]
    assert examine(store, root).findings == []

    plain.update_run(parent.info.run_id, status="RUNNING")  # as a process leaves it that is killed outright
    plain.set_tag(parent.info.run_id, "host", host_of(root))  # and that was here, not where all of it was trained
    gone = plain.search_runs([experiment], f"tags.comparison = '{name}' AND tags.role = 'final'")[0].info.run_id
    plain.delete_run(gone)
    found = {finding.what: finding.remedy for finding in examine(store, root).findings}
    assert found == {
        "1 planned trials are not done": "its command, once more",
        "the parent run was left RUNNING": f"sandbox doctor --repair --tracking-uri {store.uri}",
    }
    code, output, _ = here("doctor", "--repair", "--tracking-uri", store.uri)
    assert (code, "1 planned trials are not done" in output, "RUNNING" in output) == (1, True, False)
    assert plain.get_run(parent.info.run_id).info.status == "KILLED"

    code, output, errors = here(*WORDS, "--tracking-uri", store.uri, "--json")
    assert code == 0, errors
    assert plain.get_run(parent.info.run_id).info.status == "FINISHED"
    assert examine(store, root).findings == []
