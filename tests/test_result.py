"""What a config's data come to, and what a result says of raw examples: held against scikit-learn and by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sklearn.datasets
from sklearn.preprocessing import StandardScaler

from sandbox import Config, Dataset, RequestError, train
from sandbox.export import export
from sandbox.model import Model
from sandbox.result import prepare
from sandbox.train import build

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


def test_features_that_are_omitted_are_no_inputs_and_crosses_may_be_made_of_them():
    """The same as training on a table that has the others alone, in whose place they are told apart by their columns."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(60, 3)), (rng.random((60, 1)) < 0.5) * 1.0
    whole = Dataset("whole", X, y, ("a", "b", "c"), "binary", named=True, scaling="none")
    only = Dataset(
        "only", np.column_stack([X[:, 1], X[:, 0] * X[:, 2]]), y, ("b", "ac"), "binary", named=True, scaling="none"
    )
    options: dict[str, Any] = {"hidden": (3,), "epochs": 30, "learning_rate": 0.5}
    one = train(Config(dataset=whole, omit=("a", "x3"), crosses=("a*c",), **options))
    other = train(Config(dataset=only, **options))
    np.testing.assert_allclose(one.network.parameters, other.network.parameters, rtol=1e-12)
    assert one.network.sizes == (2, 3, 1)
    np.testing.assert_allclose(
        one.predict(X[:5]), other.predict(np.column_stack([X[:5, 1], X[:5, 0] * X[:5, 2]])), rtol=1e-12
    )
    kept = Model.from_bytes(one.model.to_bytes())
    np.testing.assert_array_equal(kept.predict(X[:5]), one.predict(X[:5]))
    scope: dict[str, Any] = {}
    exec(export(one.model, "numpy"), scope)
    np.testing.assert_allclose(scope["predict"](X[:5].tolist()), one.predict(X[:5]), rtol=1e-12)


def test_two_classes_of_a_tanh_output_are_minus_one_and_one():
    """As the textbooks write it: the cost of targets -1 and 1, and a class that changes at 0."""
    config = Config(dataset="xor", hidden=(3,), activation="tanh", output="tanh", learning_rate=0.5, epochs=40)
    result = train(config)
    network = build(config)
    weights, biases = [W.copy() for W in network.weights], [b.copy() for b in network.biases]
    X, targets = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[-1.0], [1], [1], [-1]])
    for epoch in range(41):
        A = [X.T]
        for W, b in zip(weights, biases, strict=True):
            A.append(np.tanh(W @ A[-1] + b))
        cost = ((A[-1] - targets.T) ** 2).sum() / 8
        expected = result.costs[epoch] if epoch < 40 else result.cost
        assert cost == pytest.approx(expected, rel=1e-9)
        dZ = (A[2] - targets.T) / 4 * (1 - A[2] ** 2)
        below = (weights[1].T @ dZ) * (1 - A[1] ** 2)
        slopes = [(below @ A[0].T, below), (dZ @ A[1].T, dZ)]
        for layer, (dW, dz) in enumerate(slopes):
            weights[layer] -= 0.5 * dW
            biases[layer] -= 0.5 * dz.sum(1, keepdims=True)
    outputs = result.predict(X)[:, 0]
    assert result.classify(X).tolist() == (outputs > 0).astype(int).tolist()
    assert result.train_accuracy == np.mean((outputs > 0) == (targets[:, 0] > 0))
    scope: dict[str, Any] = {}
    exec(export(result.model, "numpy"), scope)
    assert scope["THRESHOLD"] == 0.0
    assert result.model.answers(X)["prediction"].tolist() == [str(int(output > 0)) for output in outputs]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"omit": ("x3",)}, "unknown feature to omit 'x3'"),
        ({"omit": ("x3",), "crosses": ("x1*x2",)}, "unknown feature to omit 'x3'"),
        ({"omit": ("x1", "x2")}, "nothing is left for the network to see"),
        ({"initial_bias": -0.5, "l1_rule": "hard"}, "unknown l1_rule 'hard'"),
        ({"batches": "backwards"}, "unknown batches 'backwards'"),
    ],
)
def test_wrong_features_and_rules(fields, why):
    with pytest.raises(RequestError, match=why):
        Config(**fields)


@pytest.mark.parametrize("output", [None, "tanh"])
def test_mislabelled_examples_are_learnt_as_they_are_labelled_and_others_are_right(output):
    config = Config(dataset="gauss", n_examples=20, output=output, hidden=(), mislabelled=1.0, epochs=200)
    result, right = train(config), train(config.replace(mislabelled=0))
    assert np.array_equal(result.problem.train.Y, 1 - right.problem.train.Y)
    assert result.train_accuracy is not None
    assert result.test_accuracy is not None
    assert result.train_accuracy > 0.9
    assert result.test_accuracy < 0.1
    np.testing.assert_allclose(result.problem.train.X, right.problem.train.X)


def test_further_draws_mislabel_others_also_where_nothing_else_is_drawn():
    config = Config(dataset="xor", mislabelled=0.25)
    labels = {tuple(train(config.drawn(seed).replace(epochs=1)).problem.train.Y.ravel()) for seed in range(40)}
    assert len(labels) == 4
    assert config.replace(mislabelled=0).drawn(3).data_seed == 0
