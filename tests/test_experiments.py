"""The experiments as scripts, and the answers that everybody knows, from their own plans."""

import ast
import importlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sandbox import train_many
from sandbox.answers.statistics import mean
from sandbox.nn import Snapshots, gradients
from sandbox.result import prepare

ROOT = Path(__file__).parent.parent
SEEDS = 4
TOGETHER = ("learning_rate", "initializers", "depth", "feature_crosses")  # what `make sweep` runs
SCRIPTS = (*TOGETHER, "batch_size", "schedules", "neurons", "approximation")


def sweep_of(name):
    return importlib.import_module(f"experiments.{name}").SWEEP


def results_of(name):
    """(config, result) for every trial of an experiment with the first few of its seeds."""
    sweep = sweep_of(name)
    configs = [trial.config for trial in sweep.plan if trial.config.seed < SEEDS]
    return list(zip(configs, train_many(configs, sweep.hooks, curve_points=200), strict=True))


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
def test_a_sweep_has_so_many_seeds_at_each_point_of_weights_and_of_data(name):
    plan = sweep_of(name).plan
    assert len({trial.config.key for trial in plan}) == len(plan)
    points = Counter(json.dumps(trial.point) for trial in plan)
    assert len(points) >= 8
    seeds = 100 if name == "neurons" else 20
    assert set(points.values()) == {seeds}
    drawn = name != "neurons"  # whose four rows are always the same
    found = {(trial.config.seed, trial.config.data_seed) for trial in plan}
    assert found == {(seed, drawn * seed) for seed in range(seeds)}


def test_there_are_no_other_scripts():
    assert {path.stem for path in (ROOT / "experiments").glob("[!_]*.py")} == set(SCRIPTS)
    text = (ROOT / "experiments" / "__main__.py").read_text()
    assert {name for name in SCRIPTS if f"{name}.SWEEP" in text} == set(TOGETHER)


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
    assert np.median(accuracies) > 0.95


def test_small_initial_weights_leave_a_deeper_sigmoid_network_where_it_started():
    """A network that says 0.5 everywhere has the cost 0.5^2 / 2 = 0.125."""
    results = results_of("initializers")
    sigmoid = {
        name: [r for c, r in results if (c.initializer, c.activation) == (name, "sigmoid")]
        for name in ("zeros", "plain", "xavier", "he")
    }
    for name in ("zeros", "plain"):
        assert [r.cost for r in sigmoid[name]] == pytest.approx([0.125] * SEEDS, abs=0.001)
        assert [r.costs[0] for r in sigmoid[name]] == pytest.approx([0.125] * SEEDS, abs=0.001)
    for name in ("xavier", "he"):
        assert max(r.cost for r in sigmoid[name]) < 0.01
        assert min(accuracy_of(r) for r in sigmoid[name]) > 0.95


def test_depth_helps_where_one_layer_cannot_separate():
    results = results_of("depth")
    usual = {
        depth: np.median([accuracy_of(r) for c, r in results if len(c.hidden) == depth])
        for depth in {len(config.hidden) for config, _ in results}
    }
    assert usual[0] < 0.65
    assert usual[1] < 0.9
    assert usual[2] > 0.93
    assert {config.dataset for config, _ in results} == {"spiral"}


def test_a_cross_makes_the_quadrants_linear_and_not_the_spiral():
    results = results_of("feature_crosses")

    def accuracies(dataset, crosses, hidden):
        wanted = (dataset, crosses, hidden)
        found = [accuracy_of(r) for c, r in results if (c.dataset, c.crosses, c.hidden) == wanted]
        assert len(found) == SEEDS
        return found

    assert max(accuracies("quadrants", (), ())) < 0.6
    assert min(accuracies("quadrants", ("x1*x2",), ())) > 0.98
    assert min(accuracies("quadrants", (), (8, 8))) > 0.98
    assert min(accuracies("circle", ("x1*x2", "x1^2", "x2^2"), ())) > 0.9
    assert max(accuracies("circle", ("x1*x2",), ())) < 0.6
    assert max(accuracies("spiral", ("x1*x2", "x1^2", "x2^2"), ())) < 0.65
    assert np.median(accuracies("spiral", (), (8, 8))) > 0.75


def test_the_noise_of_a_batch_falls_with_its_size_and_a_small_one_gets_there_with_fewer_examples():
    """Drawn without replacement from 64: 1 for single examples, 60 / (4 * 63) for four, 48 / (16 * 63) for 16, and 0."""
    results = [(c, r) for c, r in results_of("batch_size") if not c.mislabelled]

    def noise(size):  # of the first weights, which are alike for all batch sizes
        return np.array([r.curves["gradient_noise"][1][0] for c, r in results if c.batch_size == size])

    # About a hundred mini-batches tell a network's noise to some 12 percent, and the mean of four to 6.
    assert np.mean(noise(4) / noise(1)) == pytest.approx(60 / (4 * 63), rel=0.2)
    assert np.mean(noise(16) / noise(1)) == pytest.approx(48 / (16 * 63), rel=0.2)
    assert noise(None).tolist() == [0] * len(noise(1))

    def median(unit, size, rate):  # who never got there comes last
        curves = [r.curves for c, r in results if (c.batch_size, c.learning_rate) == (size, rate)]
        assert len(curves) == SEEDS
        times = [curve[f"time_to_cost/{unit}"][1][0] if f"time_to_cost/{unit}" in curve else np.inf for curve in curves]
        return np.median(times)

    for small, large in ((1, 4), (4, 16)):
        assert median("examples", small, 0.1) < median("examples", large, 0.1) / 2
    assert median("updates", 4, 0.1) == pytest.approx(median("updates", 16, 0.1), rel=0.2)
    assert median("updates", 1, 0.4) > 2 * median("updates", 16, 0.4)  # perhaps never


def test_the_average_smooths_the_cost_curve_and_wrong_labels_make_it_more_jagged():
    results = results_of("batch_size")

    def jaggedness(size, rate, share):
        wanted = (size, rate, share)
        found = [r for c, r in results if (c.batch_size, c.learning_rate, c.mislabelled) == wanted]
        assert len(found) == SEEDS
        return np.array([r.curves["jaggedness"][1][0] if "jaggedness" in r.curves else np.inf for r in found])

    for share in (0, 1 / 32):
        for rate in (0.1, 0.2, 0.4):
            assert jaggedness(None, rate, share) == pytest.approx(1, rel=1e-9)
            medians = [np.median(jaggedness(size, rate, share)) for size in (16, 4, 1)]
            assert 1 < medians[0] < medians[1] / 1.5 < medians[2] / 3
    for size in (16, 4):
        for rate in (0.1, 0.2, 0.4):
            assert (jaggedness(size, rate, 1 / 32) > jaggedness(size, rate, 0)).all()


def test_mislabelled_examples_pull_against_the_others_as_soon_as_these_have_found_a_way():
    """The figures of FINDINGS.md: 20 seeds of the full batch at 0.2, ten epochs."""
    base = sweep_of("batch_size").base.replace(learning_rate=0.2, mislabelled=1 / 32, epochs=11)
    wrong, others, against_others, lengths = [], [], [], []
    for result in train_many([base.drawn(seed) for seed in range(20)], [Snapshots([10])]):
        train = result.problem.train
        X, moved = (
            result.problem.inputs(train.X),
            (train.Y != prepare(result.config.replace(mislabelled=0)).train.Y)[:, 0],
        )
        assert moved.sum() == 2
        each = [gradients(result.snapshots[10], X[[i]], train.Y[[i]], base.cost)[1].parameters for i in range(64)]
        against = each @ np.mean(each, axis=0) < 0
        wrong.append(100 * against[moved].mean())
        others.append(100 * against[~moved].mean())
        against_others.append(100 * (np.array(each)[moved] @ np.mean(np.array(each)[~moved], axis=0) < 0).mean())
        long = np.linalg.norm(each, axis=1)
        lengths.append(long[moved].mean() / long[~moved].mean())
    assert mean(wrong) == pytest.approx((70, 52, 88), abs=0.5)
    assert mean(others) == pytest.approx((21, 18, 24), abs=0.5)
    assert np.mean(against_others) == pytest.approx(95)
    assert np.median(lengths) == pytest.approx(3.4, abs=0.05)


def test_above_two_over_the_sharpness_a_line_diverges_and_a_network_may_find_a_flatter_place():
    results = results_of("schedules")

    def of(hidden, schedule, rate, size=None):
        wanted = (hidden, schedule, rate, size)
        found = [r for c, r in results if (c.hidden, c.schedule, c.learning_rate, c.batch_size) == wanted]
        assert len(found) == SEEDS
        return found

    def products(found, place):
        return np.array([r.curves["sharpness_times_rate"][1][place] for r in found])

    rates = sorted({config.learning_rate for config, _ in results})
    lines = [r for rate in rates for r in of((), "constant", rate)]
    told = [r for r, product in zip(lines, products(lines, 0), strict=True) if abs(product - 2) > 0.02]  # in 400 epochs
    diverged = [r.diverged_at is not None for r in told]
    assert diverged == (products(told, 0) > 2).tolist()
    assert set(diverged) == {True, False}  # 0.3 is far below the threshold, 1.5 above that of most draws

    too_large, edge = of((8,), "constant", rates[-1]), of((8,), "constant", 0.6)
    assert (products(too_large, 0) > 2).all()
    assert all(r.diverged_at is not None for r in too_large)
    assert np.median(products(edge, 0)) < 1.8
    assert (products(edge, -1) > products(edge, 0)).all()  # up to the edge, about which it hovers
    assert 1.7 < np.median(products(edge, -1)) < 2.3
    survived = [r for r in of((8,), "constant", 1.0) if r.diverged_at is None]
    assert products(survived, 0).max() > 2.5
    assert products(survived, -1).max() < 2.5


def test_a_rate_that_is_too_large_is_better_if_it_falls_and_one_that_is_not_if_it_stays():
    """With all seeds: a few cannot tell at the larger rate, where what is left at the end is chance with each."""
    schedules, rates = ("cosine", "constant"), (1.0, 0.3)
    configs = [trial.config for trial in sweep_of("schedules").plan]
    configs = [c for c in configs if c.hidden and c.batch_size is None]
    configs = [c for c in configs if c.schedule in schedules and c.learning_rate in rates]
    results = list(zip(configs, train_many(configs), strict=True))

    def costs(schedule, rate):
        found = {c.seed: r for c, r in results if (c.schedule, c.learning_rate) == (schedule, rate)}
        assert sorted(found) == list(range(20))
        return np.array([np.inf if found[seed].diverged_at is not None else found[seed].cost for seed in range(20)])

    assert np.median(costs("cosine", 1.0)) < 0.9 * np.median(costs("constant", 1.0))
    assert (costs("cosine", 0.3) > costs("constant", 0.3)).all()  # it goes half as far


def test_the_command_names_every_experiment_and_its_question(here):
    code, output, errors = here("experiment")
    assert (code, errors) == (0, "")
    listed = dict(line.split(maxsplit=1) for line in output.partition("Commands:\n")[2].splitlines())
    assert listed == {name: sweep_of(name).question for name in SCRIPTS}


def test_a_misspelt_experiment_is_answered_with_the_nearest(here, tmp_path):
    code, output, errors = here("experiment", "dpeth", "--trials", 4)
    assert (code, output) == (2, "")
    assert errors == f"error: unknown experiment 'dpeth': did you mean 'depth'? Valid: {', '.join(sorted(SCRIPTS))}\n"
    assert list(tmp_path.iterdir()) == []


def test_the_command_runs_what_the_script_runs(here, store, tmp_path):
    """Whichever of the two is asked second finds that nothing is left to do."""
    words = ("--trials", 4, "--seeds", 1, "--epochs", 20, "--n-examples", 30, "--tracking-uri", store.uri, "--json")
    code, output, errors = here("experiment", "depth", *words)
    (row,) = json.loads(output)["sweeps"]
    assert (code, errors, row["sweep"], row["runs"], row["new"]) == (0, "", "depth", 4, 4)
    assert (tmp_path / "runs").is_dir()
    code, output, errors = here(*words, script="depth")
    (row,) = json.loads(output)["sweeps"]
    assert (code, errors, row["sweep"], row["runs"], row["new"]) == (0, "", "depth", 4, 0)


def test_one_line_never_solves_xor_and_what_helps_two_layers_of_three_helps():
    """With the first twenty seeds, of which 3-3 solves some four in five as it is, and all with either help."""
    sweep = sweep_of("neurons")
    trials = [trial for trial in sweep.plan if trial.config.seed < 20]
    results = train_many([trial.config for trial in trials], sweep.hooks, curve_points=50)
    shares = {}
    for trial, result in zip(trials, results, strict=True):
        ((epoch,), (solved,)) = result.curves["solved"]
        assert (epoch, solved) == (trial.config.epochs, result.train_accuracy == 1)
        shares.setdefault(trial.point["arm"], []).append(solved)
    shares = {arm: np.mean(values) for arm, values in shares.items()}
    assert shares["none"] == 0
    assert 0.5 < shares["3-3"] < 1
    assert shares["4"] == shares["3-3 cross-entropy"] == shares["3-3 for 20000 epochs"] == 1


def test_units_follow_a_curve_and_kinks_that_all_begin_in_one_place_do_not():
    """With the first four seeds; a network that says the mean everywhere is off by the spread of the targets."""
    results = results_of("approximation")

    def rmse(units, activation, bias_scale=0.0):
        wanted = ((units,), activation, bias_scale)
        found = [r for c, r in results if (c.hidden, c.activation, c.bias_scale) == wanted]
        assert len(found) == SEEDS
        return np.median([r.scores["test_rmse"] for r in found])

    test = results[0][1].problem.test
    assert test is not None
    spread = test.Y.std()
    assert spread == pytest.approx(2.4, abs=0.1)
    errors = [rmse(units, "tanh") for units in (1, 4, 16, 64)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.7 * spread
    assert errors[-1] < 0.05 * spread
    assert rmse(64, "relu", 3.0) < rmse(64, "relu") / 2
