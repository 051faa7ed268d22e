"""Comparisons from end to end, in a real store: known truths, repetition, resumption, and numbers found in MLflow."""

import json
import signal
import time
from itertools import combinations
from typing import Any

import pandas as pd
import pytest
import scipy.stats

from sandbox import Hook
from sandbox.answers.statistics import EQUIVALENT, LARGER
from sandbox.comparison import parse_arm
from sandbox.comparison.driver import run_comparison
from sandbox.comparison.protocol import EXPERIMENT, Comparison
from sandbox.doctor import examine
from sandbox.tracking import Store
from sandbox.tracking.spool import Spool
from sandbox.tracking.writers import Writers
from tests.comparison.conftest import parent_of

pytestmark = pytest.mark.slow

RAW, PRODUCT = "raw: hidden=none", "product: crosses=x1*x2"


@pytest.fixture(scope="module")
def found(store, publisher):
    """A function: the findings of a comparison of these arms on one data set."""

    def find(dataset, n, *arms, **changes):
        arms = tuple(map(parse_arm, arms))
        settings = {"repetitions": 6, "seeds": 2, "trials": 4, "finalists": 1, "draws": 1, "epochs": 800, **changes}
        return publisher(Comparison(datasets=(dataset,), sizes=(n,), arms=arms, **settings), store).findings

    return find


def test_on_quadrants_the_cross_beats_raw_features(found):
    pair = found("quadrants", 16, RAW, PRODUCT).pair(("quadrants", 16), "product", "raw")
    assert pair.verdict == LARGER
    assert pair.difference.low >= 0.3


def test_on_the_spiral_two_hidden_layers_beat_the_cross(found):
    pair = found("spiral", 128, PRODUCT, "deep: hidden=8,8").pair(("spiral", 128), "deep", "product")
    assert pair.verdict == LARGER
    assert pair.difference.low > 0.1


def test_on_gauss_with_much_data_hidden_layers_are_not_better(found):
    findings = found("gauss", 512, RAW, "one: hidden=8", "two: hidden=8,8", epochs=200, trials=3)
    for arm in ("one", "two"):
        assert findings.pair(("gauss", 512), arm, "raw").verdict != LARGER


def test_identical_arms_are_paired_exactly(found):
    (pair,) = found("circle", 16, "a: hidden=4", "b: hidden=4", epochs=50).pairs["circle", 16]
    assert (pair.difference, pair.p, pair.verdict) == ((0, 0, 0), 1, EQUIVALENT)


def without_times(findings):
    frames = (findings.averages_frame(), findings.pairs_frame(), findings.runs_frame())
    return [frame.drop(columns="seconds", errors="ignore") for frame in frames]


def in_order(frame):
    names = ("dataset", "n", "arm", "role", "repetition", "trial", "seed", "first", "second")
    keys = [name for name in names if name in frame]
    return frame.sort_values(keys, ignore_index=True)


def test_the_same_seeds_give_the_same_numbers_and_verdicts(done, small, publisher, tmp_path):
    again = publisher(small, Store(f"sqlite:///{tmp_path}/mlflow.db"))
    assert again.outcome.before == 0
    assert again.outcome.winners == done.outcome.winners
    for ours, theirs in zip(without_times(done.findings), without_times(again.findings), strict=True):
        pd.testing.assert_frame_equal(in_order(ours), in_order(theirs), check_exact=True)


def test_a_comparison_that_is_done_is_only_read_back(done, small, store, publisher, plain):
    again = publisher(small, store)
    assert again.outcome.before == len(again.outcome.runs) == small.total == 6 * 6 * (3 + 2 + 2)
    assert again.parent.info.run_id == done.parent.info.run_id
    for ours, theirs in zip(without_times(done.findings), without_times(again.findings), strict=True):
        pd.testing.assert_frame_equal(in_order(ours), in_order(theirs), check_exact=True)
    history = plain.get_metric_history(done.parent.info.run_id, "accuracy/circle/raw")
    assert [(point.step) for point in history] == [16, 32]  # no point twice


def repetition_means(client, comparison, arm, dataset, n):
    """The mean score of every repetition, by the query that the report names."""
    (experiment,) = (one for one in client.search_experiments() if one.name == EXPERIMENT)
    where = (
        f"tags.comparison = '{comparison}' AND tags.role = 'final' AND tags.arm = '{arm}'"
        f" AND tags.dataset = '{dataset}' AND tags.n_examples = '{n}'"
    )
    runs = client.search_runs([experiment.experiment_id], where)
    assert len(runs) == 12
    rows = [(int(run.data.tags["repetition"]), run.data.metrics["test_accuracy"]) for run in runs]
    return pd.DataFrame(rows, columns=["repetition", "score"]).groupby("repetition").score.mean()


def test_a_verdict_from_the_mlflow_runs_alone(done, small, plain):
    """Recomputed with scipy and nothing of ours: Student's test over the means of the repetitions, the level that Benjamini
    and Hochberg leave over both families, the interval at that level, and the verdict that it says."""
    arms = ("raw", "squares", "deep")
    means = {(n, arm): repetition_means(plain, small.id, arm, "circle", n) for n in (16, 32) for arm in arms}
    assert all(list(series.index) == list(range(6)) for series in means.values())
    pairs = [(n, first, second) for n in (16, 32) for first, second in combinations(arms, 2)]
    differences = {one: means[one[0], one[1]] - means[one[0], one[2]] for one in pairs}
    tests: dict[Any, Any] = {one: scipy.stats.ttest_1samp(values, 0) for one, values in differences.items()}
    p = {one: test.pvalue for one, test in tests.items()}
    selected = (scipy.stats.false_discovery_control(list(p.values())) <= 0.05).sum()
    level = 1 - 0.05 * max(selected, 1) / len(pairs)
    for (n, first, second), values in differences.items():
        interval = tests[n, first, second].confidence_interval(level)
        word = "larger" if interval.low > 0 else "smaller" if interval.high < 0 else "inconclusive"
        if interval.low > -0.01 and interval.high < 0.01:
            word = "equivalent"
        verdicts = json.loads(done.parent.data.tags[f"verdict.circle.{n}"])
        assert verdicts[f"{first} | {second}"] == word
        pair = done.findings.pair(("circle", n), first, second)
        assert (pair.p, pair.difference.value) == pytest.approx((p[n, first, second], values.mean()))
        assert tuple(pair.difference[1:]) == pytest.approx((interval.low, interval.high))


def test_every_trial_is_a_run_with_its_tags(done, small, plain):
    experiment = plain.get_experiment_by_name(EXPERIMENT)
    runs = plain.search_runs([experiment.experiment_id], f"tags.comparison = '{small.id}' AND tags.role = 'tuning'")
    assert len(runs) == 6 * 6 * (3 + 2)
    for run in runs:
        assert run.info.status == "FINISHED"
        assert run.data.tags["mlflow.parentRunId"] == done.parent.info.run_id
        assert run.data.tags["config_key"]
        assert not [name for name in run.data.metrics if name.startswith("test_")]  # selection never sees it
        assert 0 <= run.data.metrics["validation_accuracy"] <= 1
        assert int(run.data.params["data_seed"]) >= 1_000_000
    parent = done.parent
    assert parent.info.status == "FINISHED"
    paths = {file.path for file in plain.list_artifacts(parent.info.run_id)}
    assert paths == {"report.html", "figures", "csv"}
    shown = plain.search_runs([experiment.experiment_id], f"tags.comparison = '{small.id}' AND tags.seed = '0'")
    assert len(shown) == 6
    for run in shown:
        names = {file.path for file in plain.list_artifacts(run.info.run_id)}
        assert {"boundary.png", "cost.png", "confusion.png"} <= names


def test_the_winner_is_the_best_trial_by_validation(done):
    frame = done.findings.runs_frame()
    for cell, winners in done.outcome.winners.items():
        for place, winner in enumerate(winners):
            which = (
                (frame.arm == cell.arm) & (frame.n == cell.n) & (frame.role == "tuning") & (frame.repetition == place)
            )
            trials, draw = frame[which], 1_000_000 + 2 * 2 * place
            first = trials[trials.seed == draw].sort_values(["score", "loss"], ascending=[False, True])
            again = trials[trials.trial.isin(first.trial[:2])].groupby("trial")[["score", "loss"]].mean()
            best = again.sort_values(["score", "loss"], ascending=[False, True]).index[0]
            assert set(trials[trials.seed == draw + 1].trial) == set(first.trial[:2])
            assert {winner.learning_rate} == set(trials[trials.trial == best].learning_rate)


class Interrupted(Hook):
    """Presses Ctrl-C, once, in the training of the final runs; the first of them is then under way."""

    epochs = (0,)

    def on_epoch(self, run):
        if run.configs[0].seed < 1_000_000:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)


def test_what_was_interrupted_goes_on(small, store, plain, tmp_path):
    """Ctrl-C, twice, in the last round: what was tuned stays, the parent is KILLED; the next call trains the others."""
    comparison = small.replace(first_seed=100)
    with pytest.raises(KeyboardInterrupt):
        run_comparison(comparison, store, tmp_path, quiet=True, hooks=[Interrupted()])
    until(lambda: not Spool(store.uri, tmp_path).files())  # the writers outlive it
    parent = parent_of(comparison, plain)
    assert parent.info.status == "KILLED"
    again = run_comparison(comparison, store, tmp_path, quiet=True)
    assert (again.status, again.before) == ("FINISHED", 6 * 6 * (3 + 2))
    assert parent_of(comparison, plain).info.run_id == parent.info.run_id
    assert parent_of(comparison, plain).info.status == "FINISHED"
    runs = runs_of(comparison, plain)
    assert len(runs) == len({(run.data.tags["arm"], run.data.tags["config_key"]) for run in runs}) == comparison.total
    assert examine(store, tmp_path).findings == []


def runs_of(comparison, client):
    experiment = client.get_experiment_by_name(EXPERIMENT)
    return client.search_runs([experiment.experiment_id], f"tags.comparison = '{comparison.id}'", max_results=1000)


def until(ready, seconds=30):
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_stopped_is_named_by_the_doctor_and_goes_on(number, runs_frame, start, call, tmp_path):
    """The process is killed outright, or asked to stop, while it trains; the same command does only what is missing."""
    words = ("compare", "--dataset", "circle", "--n", "16", "--arm", "raw:", "--arm", "deep: hidden=8,8")
    words += (
        *["--repetitions", "3", "--seeds", "2", "--trials", "4", "--epochs", "2500", "--json", "--tracking-uri"],
        f"sqlite:///{tmp_path}/m.db",
    )
    store, ended = Store(f"sqlite:///{tmp_path}/m.db"), False
    store.check()
    with start(*words, cwd=tmp_path) as process:
        deadline = time.monotonic() + 60
        while not ended and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.005)
            ended = any(tmp_path.glob("runs/spool/*/*.run"))  # of the first round's, two are to follow
        process.send_signal(number)
    assert ended
    code, output, _ = call("doctor", "--tracking-uri", store.uri, cwd=tmp_path)
    assert (code, "planned trials are not done. next: its command, once more" in output) == (1, True)
    code, output, errors = call(*words, cwd=tmp_path)
    assert code == 0, errors
    report = json.loads(output)
    assert (report["finished"], report["runs"]) == (True, 2 * 3 * (4 + 2 + 2))
    frame = runs_frame(store, [EXPERIMENT], "tags.config_key IS NOT NULL AND attributes.status = 'FINISHED'")
    assert len(frame) == len(frame[["tags.arm", "tags.config_key"]].drop_duplicates()) == report["runs"]


class Idle(Writers):
    """Writers that log nothing."""

    def start(self):
        return self


def test_what_an_earlier_process_left_in_the_spool_is_logged_and_not_trained_again(runs_frame, small, tmp_path):
    store = Store(f"sqlite:///{tmp_path}/mlflow.db")
    store.check()
    comparison = small.replace(sizes=(16,), repetitions=2, seeds=1, trials=1, epochs=20)
    spool = Spool(store.uri, tmp_path).open()
    left = run_comparison(comparison, store, tmp_path, writers=Idle(spool), quiet=True)
    assert (left.status, left.complete, left.waiting) == ("SPOOLED", True, comparison.total + 1)
    outcome = run_comparison(comparison, store, tmp_path, quiet=True)
    assert (outcome.status, outcome.before) == ("FINISHED", comparison.total)
    frame = runs_frame(store, [EXPERIMENT], f"tags.comparison = '{comparison.id}'")
    assert len(frame) == len(outcome.runs) == comparison.total
    assert len(set(frame["tags.mlflow.parentRunId"])) == 1
