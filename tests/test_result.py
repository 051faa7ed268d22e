"""What a config's data come to, and what a result says of raw examples: held against scikit-learn and by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sklearn.datasets
from sklearn.preprocessing import StandardScaler

from sandbox import Config, RequestError, train
from sandbox.result import prepare

IRIS_TABLE: Any = sklearn.datasets.load_iris()
CANCER_TABLE: Any = sklearn.datasets.load_breast_cancer()
IRIS = train(Config(dataset="iris", hidden=(), cost="categorical_cross_entropy", crosses=("x1*x2",), epochs=50))
CANCER = train(Config(dataset="breast_cancer", hidden=(), cost="binary_cross_entropy", epochs=50))
XOR = train(Config(crosses=("x1*x2",), hidden=(), epochs=3000))
LINE = train(Config(dataset="linear", hidden=(), learning_rate=0.1, epochs=500))


def test_raw_inputs_are_scaled_and_then_crossed():
    problem, raw = prepare(IRIS.config), IRIS_TABLE.data
    assert problem.scaling is not None
    scaled = (raw - problem.scaling.mean) / problem.scaling.scale
    np.testing.assert_allclose(problem.features(raw), np.column_stack([scaled, scaled[:, 0] * scaled[:, 1]]))
    np.testing.assert_array_equal(problem.inputs(scaled), problem.features(raw))


def test_without_scaling_raw_features_are_features():
    problem = prepare(XOR.config)
    np.testing.assert_array_equal(problem.features([[2, 3]]), [[2, 3, 6]])


@pytest.mark.parametrize("result", [IRIS, CANCER])
def test_predict_takes_measurements_as_they_are(result):
    """The raw rows of the training part, found by their scaled values, give the network's own outputs."""
    problem = result.problem
    raw = (IRIS_TABLE if result is IRIS else CANCER_TABLE).data
    rows = [int(np.abs(problem.scaling(raw) - x).sum(1).argmin()) for x in problem.train.X]
    np.testing.assert_allclose(np.asarray(StandardScaler().fit_transform(raw[rows])), problem.train.X, atol=1e-9)
    outputs = result.network.predict(problem.inputs(problem.train.X))
    np.testing.assert_allclose(result.predict(raw[rows]), outputs, atol=1e-9)


def test_probabilities_of_a_softmax_sum_to_one():
    outputs = IRIS.predict(IRIS_TABLE.data)
    assert outputs.shape == (150, 3)
    np.testing.assert_allclose(outputs.sum(1), 1)


@pytest.mark.parametrize(("result", "table"), [(IRIS, IRIS_TABLE), (CANCER, CANCER_TABLE)])
def test_classify_gives_the_names_of_classes(result, table):
    found = result.classify(table.data)
    assert found.shape == table.target.shape
    assert np.mean(found == table.target_names[table.target]) > 0.9


def test_classify_gives_numbers_where_classes_have_no_names():
    found = XOR.classify([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert found.dtype.kind == "i"
    assert found.tolist() == [0, 1, 1, 0]


def test_values_of_regression():
    assert LINE.predict([[2.0], [10.0]]).round(1).tolist() == [[6.0], [30.0]]
    with pytest.raises(RequestError, match="linear is for regression"):
        LINE.classify([[2.0]])


@pytest.mark.parametrize(
    ("X", "said"),
    [
        ([1, 2], r"X has shape \(2,\): \(examples, 2\) is needed"),
        ([[1, 2, 3]], r"X has shape \(1, 3\): \(examples, 2\) is needed"),
        (np.zeros((2, 2, 2)), r"X has shape \(2, 2, 2\)"),
        (3, r"X has shape \(\)"),
        ([["a", "b"]], r"numbers of shape \(examples, 2\) are needed"),
        ([[1, 2], [3]], r"numbers of shape \(examples, 2\) are needed"),
        (None, "X "),
        (object(), r"numbers of shape \(examples, 2\) are needed"),
    ],
)
@pytest.mark.parametrize("method", ["predict", "classify"])
def test_a_wrong_shape_is_one_line(X, said, method):
    with pytest.raises(RequestError, match=said) as error:
        getattr(XOR, method)(X)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("costs", "cost", "changes", "converged"),
    [
        ([1.0] * 10, 0.5, {}, False),
        ([0.5] * 8 + [0.105, 0.5], 0.1, {}, False),
        ([0.5] * 9 + [0.105], 0.1, {}, True),  # 5 % over the last tenth
        ([0.5] * 9 + [0.1051], 0.1, {}, False),
        ([1.0] * 10, 0.009, {}, True),
        ([1.0] * 10, 0.009, {"diverged_at": 10}, False),
        ([1.0] * 10, 1.0, {}, True),
        ([0.5, 0.102], 0.1, {"cost_epochs": np.array([0, 9])}, True),
        ([0.102, 0.5], 0.1, {"cost_epochs": np.array([0, 8])}, False),
        ([0.5, 0.2, 0.101], 0.1, {"cost_epochs": np.array([0, 16, 19]), "epochs_run": 20}, False),  # few costs
    ],
)
def test_converged(costs, cost, changes, converged):
    fields = {"costs": np.array(costs), "cost_epochs": np.arange(len(costs)), "cost": cost, "epochs_run": 10}
    assert replace(XOR, **{**fields, **changes}).converged is converged


def test_what_is_not_measured_is_none():
    assert (XOR.validation_accuracy, XOR.validation_cost, XOR.test_cost, XOR.pruned) == (None, None, None, False)
