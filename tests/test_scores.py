"""Precision, recall, F1, R2, RMSE and confusion tables: held against scikit-learn."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, r2_score, root_mean_squared_error

from sandbox import Config, RequestError, train, train_many
from sandbox.nn import EarlyStopping, Hook
from sandbox.nn.hooks.measures import MORE_IS_BETTER, SCORES
from sandbox.scores import score
from tests.nn.hooks.test_early_stopping import expected

CLOSE = pytest.approx
KINDS = ("precision", "recall", "f1")


def labels(outputs, task):
    return (outputs[:, 0] > 0.5).astype(int) if task == "binary" else outputs.argmax(1)


def by_scikit_learn(outputs, Y, task):
    """The scores of one network, outputs and Y (examples, outputs)."""
    if task == "regression":
        return {"r2": r2_score(Y, outputs), "rmse": root_mean_squared_error(Y, outputs)}
    average = "binary" if task == "binary" else "macro"
    nought: Any = 0.0
    found = precision_recall_fscore_support(
        labels(Y, task), labels(outputs, task), average=average, zero_division=nought
    )
    return dict(zip(KINDS, found[:3], strict=True))


def table_by_scikit_learn(outputs, Y, task):
    classes = max(2, Y.shape[1])
    return confusion_matrix(labels(Y, task), labels(outputs, task), labels=range(classes)).tolist()


def drawn(task, examples, classes, rng):
    """Outputs of seven networks and targets: alike for all, and of each its own."""
    columns = classes if task == "multiclass" else 1
    outputs = rng.random((7, examples, columns))
    if task == "regression":
        return outputs, rng.normal(size=(examples, 1)), rng.normal(size=(7, examples, 1))
    one, each = rng.integers(0, classes, examples), rng.integers(0, classes, (7, examples))
    if task == "binary":
        return outputs, one[:, None].astype(float), each[..., None].astype(float)
    return outputs, np.eye(classes)[one], np.eye(classes)[each]


@pytest.mark.parametrize("examples", [2, 5, 38, 1000])
@pytest.mark.parametrize(
    ("task", "classes"), [("binary", 2), *[("multiclass", c) for c in (2, 3, 10)], ("regression", 0)]
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_of_random_outputs(task, classes, examples, dtype):
    """With few examples some classes are neither there nor predicted, or one of the two."""
    outputs, one, each = drawn(task, examples, classes, np.random.default_rng(examples + classes))
    outputs = outputs.astype(dtype)
    for Y in (one, each):
        scores, tables = score(outputs, Y, task)
        assert (tables is None) == (task == "regression")
        for row, own in enumerate(outputs.astype(float)):
            true = Y if Y.ndim == 2 else Y[row]
            theirs = by_scikit_learn(own, true, task)
            assert {name: values[row] for name, values in scores.items()} == CLOSE(theirs, rel=1e-12, abs=1e-12)
            if tables is not None:
                assert tables[row].tolist() == table_by_scikit_learn(own, true, task)


@pytest.mark.parametrize(
    ("truth", "said"), [((0, 0), (0.1, 0.2)), ((0, 0), (0.9, 0.2)), ((1, 1), (0.1, 0.2)), ((1,), (0.9,))]
)
def test_what_has_nothing_to_be_a_share_of_is_nought(truth, said):
    Y, outputs = np.array(truth, float)[:, None], np.array(said)[:, None]
    scores, _ = score(outputs[None], Y, "binary")
    assert {name: values.item() for name, values in scores.items()} == by_scikit_learn(outputs, Y, "binary")


@pytest.mark.parametrize("said", [(2.0, 2.0, 2.0), (2.0, 2.5, 2.0)])
def test_of_targets_that_do_not_vary(said):
    Y, outputs = np.full((3, 1), 2.0), np.array(said)[:, None]
    assert score(outputs[None], Y, "regression")[0]["r2"].item() == r2_score(Y, outputs)


def test_of_a_single_value_there_is_no_r2():
    scores, _ = score(np.array([[[2.0]]]), np.array([[3.0]]), "regression")
    assert np.isnan(scores["r2"]).all()
    assert scores["rmse"].tolist() == [1.0]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_of_outputs_that_are_not_finite_there_are_none(task, odd):
    outputs, Y, _ = drawn(task, 9, 3 if task == "multiclass" else 2, np.random.default_rng(0))
    outputs[2, 4, 0] = odd
    for values in score(outputs, Y, task)[0].values():
        assert np.isnan(values).tolist() == [row == 2 for row in range(7)]


RUNS = {
    "binary": Config(dataset="moons", n_examples=60, noise=0.3, hidden=(4,), epochs=100),
    "table": Config(dataset="breast_cancer", hidden=(8,), epochs=100),
    "iris": Config(dataset="iris", hidden=(4,), epochs=60),
    "wine": Config(dataset="wine", hidden=(), epochs=60),
    "digits": Config(dataset="digits", hidden=(12,), cost="categorical_cross_entropy", epochs=30, dtype="float32"),
    "regression": Config(dataset="reg_plane", n_examples=60, noise=0.1, hidden=(3,), learning_rate=0.1, epochs=100),
}


@pytest.mark.parametrize("name", RUNS)
def test_of_real_runs(name):
    configs = [
        RUNS[name].replace(seed=seed, data_seed=seed % 2, learning_rate=rate)
        for seed, rate in enumerate((0.01, 0.1, 0.5))
    ]
    results: list[Any] = [*train_many(configs), train(configs[0])]
    for result in results:
        problem = result.problem
        task, scores = problem.train.task, {}
        for part in ("validation", "test"):
            data = getattr(problem, part)
            outputs = result.network.predict(problem.inputs(data.X)).astype(float)
            scores |= {f"{part}_{kind}": value for kind, value in by_scikit_learn(outputs, data.Y, task).items()}
            if part == "test" and task != "regression":
                assert result.confusion.tolist() == table_by_scikit_learn(outputs, data.Y, task)
                assert np.trace(result.confusion) / len(data) == result.test_accuracy
        assert result.scores == CLOSE(scores, rel=1e-6 if result.config.dtype == "float32" else 1e-12)
        assert (result.confusion is None) == (task == "regression")


def test_recall_counts_malignant_ones_that_are_found():
    result: Any = train(RUNS["table"])
    names = result.problem.test.class_names
    (_, false), (missed, found) = result.confusion
    assert names[1] == "malignant"
    assert result.scores["test_recall"] == found / (found + missed)
    assert result.scores["test_precision"] == found / (found + false)
    assert found + missed == result.problem.test.Y.sum()


def test_a_gate_has_none():
    result = train(Config(epochs=9))
    assert (result.scores, result.confusion) == ({}, None)


class Break(Hook):
    """Makes a parameter what no training should."""

    epochs = (3,)

    def on_epoch(self, run):
        run.network.parameters[..., -1] = np.nan


def test_a_network_that_is_not_a_number_has_none():
    for name in ("binary", "iris", "regression"):
        result = train(RUNS[name], [Break()])
        assert (result.scores, result.confusion) == ({}, None)


class Looks(Hook):
    """Keeps every score, and the network, of every epoch."""

    def __init__(self):
        self.values, self.networks = {name: [] for name in SCORES}, []

    def on_epoch(self, run):
        for name, values in self.values.items():
            values.append(run.measure(name))
        self.networks.append(run.network.parameters.copy())

    on_end = on_epoch


@pytest.mark.parametrize("name", ["binary", "regression"])
def test_hooks_can_measure_them(name):
    looks = Looks()
    result = train(RUNS[name], [looks])
    problem: Any = result.problem
    last = {measure: values[-1] for measure, values in looks.values.items() if not np.isnan(values[-1])}
    assert last == result.scores
    network = result.network.copy()
    network.parameters[...] = looks.networks[7]
    theirs = by_scikit_learn(network.predict(problem.inputs(problem.test.X)), problem.test.Y, problem.train.task)
    assert {kind: looks.values[f"test_{kind}"][7] for kind in theirs} == CLOSE(theirs, rel=1e-12)


@pytest.mark.parametrize("monitor", ["validation_recall", "validation_f1", "validation_r2", "validation_rmse"])
def test_early_stopping_goes_back_to_the_best(monitor):
    looks, hook = Looks(), EarlyStopping(15, monitor=monitor)
    config = RUNS["regression" if monitor[-1] in "2e" else "binary"].replace(optimizer="adam", learning_rate=0.3)
    train(config, [looks])
    values = np.array(looks.values[monitor]) * (-1 if monitor in MORE_IS_BETTER else 1)
    stop, best = expected(values, 15)
    result = train(config, [hook])
    assert (result.epochs_run, hook.best_epoch.item()) == (stop, best)
    assert np.array_equal(result.network.parameters, looks.networks[best])
    assert result.scores[monitor] == hook.best


def test_less_is_better_of_costs_and_of_the_rmse_alone():
    assert {name for name in SCORES if name not in MORE_IS_BETTER} == {"validation_rmse", "test_rmse"}
    with pytest.raises(RequestError, match="did you mean 'test_recall'"):
        train(RUNS["binary"], [EarlyStopping(3, monitor="test_recal")])
