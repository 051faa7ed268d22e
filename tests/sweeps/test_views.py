"""The views of real sweeps: MLflow's own search finds in each the runs that it is about."""

import pytest

from sandbox import Config
from sandbox.sweeps import Range, Sweep, arms, choice
from sandbox.sweeps.views import MOST_CURVES, links_of
from sandbox.tracking.views import Known


@pytest.fixture
def views(plain, outcome_runs):
    """A function: name -> (its state, the children that its search finds) of a sweep's views."""

    def read(outcome):
        experiment = plain.get_experiment_by_name(outcome.sweep.name)
        found = {}
        for view in outcome_runs(outcome):
            runs = plain.search_runs([experiment.experiment_id], view.search, max_results=1000)
            found[view.name] = (view, runs)
        known = {one["name"] for one in Known(experiment.tags).views.values()}
        assert known == found.keys()
        note = experiment.tags["mlflow.note.content"]
        assert all(f"[{name}](#/experiments/{experiment.experiment_id}/" in note for name in found)
        return found

    return read


@pytest.fixture
def outcome_runs(store, root):
    from sandbox.sweeps.views import views_of
    from sandbox.tracking.spool import Spool
    from sandbox.tracking.state import whereabouts

    def read(outcome):
        keys = [ended.job.key for ended in outcome.runs]
        logged = whereabouts(outcome.sweep.destination, store, Spool(store.uri, root), keys)
        return views_of(outcome, logged.runs, lambda ids: store.reader.curves(ids, "cost"))

    return read


def varied(runs, *names):
    return sorted({tuple(run.data.params[name] for name in names) for run in runs})


def test_the_views_of_a_grid(small, run_here, views):
    sweep = small(
        "views of a grid", space={"learning_rate": choice(0.1, 1.0, 1e9), "hidden": choice((), (3,))}, seeds=3
    )
    found = views(run_here(sweep.replace(base=sweep.base.replace(activation="relu", output="linear"))))
    assert list(found) == ["1 The answer", "2 Boundaries", "3 Every run", "4 Diverged"]
    view, runs = found["1 The answer"]
    assert view.groups == [("param", "learning_rate"), ("param", "hidden")]
    assert (len(runs), len(varied(runs, "learning_rate", "hidden"))) == (18, 6)
    limits = view.sections[0].charts[0]["range"]
    assert -9 < limits["yMin"] < limits["yMax"] < 6  # exponents of 10, whatever the runs that diverged came to
    _, runs = found["2 Boundaries"]
    assert [run.data.params["learning_rate"] for run in runs].count("0.1") == 1
    assert {run.data.params["seed"] for run in runs} == {"0"}
    assert len(runs) == 3
    assert len(found["3 Every run"][1]) == 18
    assert all(run.data.metrics["diverged"] == 1 for run in found["4 Diverged"][1])
    assert found["4 Diverged"][1]


def test_of_a_range_it_is_the_best_with_each_value_beside_it(small, run_here, views):
    space = {"learning_rate": Range(0.1, 1.0, log=True), "hidden": choice((), (2,), (3,))}
    found = views(run_here(small("views of a range", space=space, sampler="sobol", trials=24, seeds=2)))
    view, runs = found["1 The answer"]
    assert view.groups == [("param", "hidden")]
    assert len(varied(runs, "hidden")) == len(varied(runs, "hidden", "learning_rate")) == len(runs) / 2


def test_arms_are_told_apart_by_a_tag_and_data_sets_have_views_of_their_own(run_here, views):
    alternatives = arms({"raw": {"hidden": ()}, "cross": {"hidden": (), "crosses": ("x1*x2",)}})
    space = {"dataset": choice("quadrants", "circle"), "arm": alternatives}
    base = Config(dataset="quadrants", n_examples=40, epochs=30)
    found = views(run_here(Sweep("views of arms", base, space, seeds=2)))
    assert list(found)[:4] == [
        "1 The answer: quadrants",
        "2 Boundaries: quadrants",
        "1 The answer: circle",
        "2 Boundaries: circle",
    ]
    view, runs = found["1 The answer: circle"]
    assert view.groups == [("tag", "label")]
    assert {run.data.tags["label"] for run in runs} == {"raw", "cross"}
    assert varied(runs, "dataset") == [("circle",)]
    assert len(runs) == 4


def test_of_many_points_the_best_are_shown_and_of_many_seeds_some(run_here, views):
    base = Config(dataset="quadrants", n_examples=20, epochs=5, hidden=(2,))
    rates = {"learning_rate": choice(*(0.1 * number for number in range(1, 14)))}
    found = views(run_here(Sweep("views of many", base, rates, seeds=12)))
    view, runs = found["1 The answer"]
    assert len(varied(runs, "learning_rate")) == MOST_CURVES
    assert len(runs) <= 100
    assert "of 12 seeds" in view.sections[0].name


def test_links_are_known_before_the_runs_have_ids(small, run_here):
    outcome = run_here(small("links before"))
    assert links_of(outcome).count("](#/experiments/THIS_EXPERIMENT/runs?") == 3
