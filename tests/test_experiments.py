"""The experiments as scripts, and the answers that everybody knows, from their own plans."""

import ast
import importlib
from pathlib import Path

import numpy as np
import pytest

from sandbox import train_many

ROOT = Path(__file__).parent.parent
SCRIPTS = ("learning_rate", "initializers", "depth", "feature_crosses")


def sweep_of(name):
    return importlib.import_module(f"experiments.{name}").SWEEP


def results_of(name):
    """(config, result) for every trial of an experiment."""
    configs = [trial.config for trial in sweep_of(name).plan]
    return list(zip(configs, train_many(configs, curve_points=200), strict=True))


def accuracy_of(result):
    """On the test part, which all these problems have."""
    assert result.test_accuracy is not None
    return result.test_accuracy


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_opens_with_its_question_and_is_short(name):
    text = (ROOT / "experiments" / f"{name}.py").read_text()
    assert 25 <= len(text.splitlines()) <= 50
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring is not None
    assert docstring.splitlines()[0].endswith("?")
    assert f"make sweep-{name}" in docstring
    assert f"python -m experiments.{name}" in docstring
    sweep = sweep_of(name)
    assert (sweep.name, sweep.question) == (name, docstring.splitlines()[0])
    assert sweep.reading


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_sweep_has_at_least_24_trials_over_at_least_3_seeds(name):
    configs = [trial.config for trial in sweep_of(name).plan]
    assert len({config.key for config in configs}) == len(configs) >= 24
    assert len({config.seed for config in configs}) >= 3


def test_there_are_no_other_scripts():
    assert {path.stem for path in (ROOT / "experiments").glob("[!_]*.py")} == set(SCRIPTS)
    text = (ROOT / "experiments" / "__main__.py").read_text()
    assert all(f"{name}.SWEEP" in text for name in SCRIPTS)


def test_too_small_a_rate_crawls_and_too_large_a_one_diverges():
    results = results_of("learning_rate")
    rates = sorted({config.learning_rate for config, _ in results})
    diverged = {rate: [r.diverged_at is not None for c, r in results if c.learning_rate == rate] for rate in rates}
    costs = {rate: np.median([r.cost for c, r in results if c.learning_rate == rate]) for rate in rates}
    best = min((rate for rate in rates if not any(diverged[rate])), key=costs.__getitem__)
    assert rates[0] < best < rates[-1]
    assert all(diverged[rates[-1]])
    assert costs[rates[0]] > 5 * costs[best]
    accuracies = [accuracy_of(r) for c, r in results if c.learning_rate == best]
    assert min(accuracies) > 0.95


def test_small_initial_weights_leave_a_deeper_sigmoid_network_where_it_started():
    """A network that says 0.5 everywhere has the cost 0.5^2 / 2 = 0.125."""
    results = results_of("initializers")
    sigmoid = {
        name: [r for c, r in results if (c.initializer, c.activation) == (name, "sigmoid")]
        for name in ("zeros", "plain", "xavier", "he")
    }
    for name in ("zeros", "plain"):
        assert [r.cost for r in sigmoid[name]] == pytest.approx([0.125] * 3, abs=0.001)
        assert [r.costs[0] for r in sigmoid[name]] == pytest.approx([0.125] * 3, abs=0.001)
    for name in ("xavier", "he"):
        assert max(r.cost for r in sigmoid[name]) < 0.01
        assert min(accuracy_of(r) for r in sigmoid[name]) > 0.95


def test_depth_helps_where_one_layer_cannot_separate():
    results = results_of("depth")
    best = {
        depth: max(accuracy_of(r) for c, r in results if len(c.hidden) == depth)
        for depth in {len(config.hidden) for config, _ in results}
    }
    assert best[0] < 0.65
    assert best[1] < 0.9
    assert best[2] > 0.98
    assert {config.dataset for config, _ in results} == {"spiral"}


def test_a_cross_makes_the_quadrants_linear_and_not_the_spiral():
    results = results_of("feature_crosses")

    def accuracies(dataset, crosses, hidden):
        wanted = (dataset, crosses, hidden)
        found = [accuracy_of(r) for c, r in results if (c.dataset, c.crosses, c.hidden) == wanted]
        assert len(found) == 3
        return found

    assert max(accuracies("quadrants", (), ())) < 0.6
    assert min(accuracies("quadrants", ("x1*x2",), ())) > 0.98
    assert min(accuracies("quadrants", (), (8, 8))) > 0.98
    assert min(accuracies("circle", ("x1*x2", "x1^2", "x2^2"), ())) > 0.9
    assert max(accuracies("circle", ("x1*x2",), ())) < 0.6
    assert max(accuracies("spiral", ("x1*x2", "x1^2", "x2^2"), ())) < 0.65
    assert np.median(accuracies("spiral", (), (8, 8))) > 0.85
