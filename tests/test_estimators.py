"""SandboxClassifier and SandboxRegressor: scikit-learn's checks, its tools, and the numbers of the trainer."""

import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import DataConversionWarning, FitFailedWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from sandbox import Config, Network, RequestError, SandboxClassifier, SandboxRegressor, fit, train
from sandbox.config import FIELDS, ROLES
from sandbox.data.tables import stratified_order
from sandbox.nn import EarlyStopping

ROOT = Path(__file__).parent.parent
IRIS, WINE, CANCER = (load(return_X_y=True) for load in (load_iris, load_wine, load_breast_cancer))
DIABETES = tuple(map(scale, load_diabetes(return_X_y=True)))
EITHER = pytest.mark.parametrize("kind", [SandboxClassifier, SandboxRegressor])


CHECKS = parametrize_with_checks(
    [
        SandboxClassifier(),
        SandboxRegressor(),
        SandboxClassifier(patience=20, epochs=100),
        SandboxRegressor(patience=20, epochs=100, batch_size=64, learning_rate=0.05),
    ]
).mark


def runs_here(check):
    """All but one, which scikit-learn skips without array API dispatch: `check_estimator`, below, runs it with that."""
    return "array_api" not in str(check)


PAIRS = [pair for pair in CHECKS.args[1] if runs_here(pair[1])]


@pytest.mark.parametrize(CHECKS.args[0], PAIRS, **CHECKS.kwargs)
def test_a_check_of_scikit_learn(estimator, check):
    check(estimator)


CHECK = """
from sklearn.utils.estimator_checks import check_estimator
from sandbox import SandboxClassifier, SandboxRegressor
for estimator in (SandboxClassifier(), SandboxRegressor()):
    checks = check_estimator(estimator) or []
    print(len(checks), {check["status"] for check in checks})
"""


def test_check_estimator_passes_whole():
    """With array API dispatch, without which scikit-learn skips one of its checks; before 1.6 it does not tell."""
    command = [sys.executable, "-W", "error", "-c", f"import os; os.environ['SCIPY_ARRAY_API'] = '1'\n{CHECK}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for line in done.stdout.splitlines():
        assert re.fullmatch(r"[1-9]\d+ {'passed'}|0 set\(\)", line)


@EITHER
def test_parameters_are_the_hyperparameters_of_config(kind):
    data = {name for name in FIELDS if ROLES[name] == "data"} - {"crosses"}
    decided = {"output", "monitor", "seed", "arithmetic"}  # by labels, by the patience, called random_state, the page's
    assert kind().get_params().keys() == FIELDS.keys() - data - decided | {"random_state", "validation_fraction"}


class TestNumbers:
    """They are those of the trainer, and of scikit-learn's own networks."""

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"seed": 3, "hidden": (5, 4), "activation": "relu", "initializer": "he", "schedule": "cosine"},
            {"batch_size": 16, "optimizer": "adamw", "weight_decay": 0.01, "seed": 1},
            {"dtype": "float32", "crosses": ("x1*x2", "x2^2"), "l1": 0.01, "l2": 0.02},
            {"initializer": "plain", "initializer_scale": 0.3, "optimizer": "momentum", "momentum": 0.5},
            {"patience": 20, "min_delta": 0.01, "monitor": "cost", "optimizer": "gd", "learning_rate": 1.0},
        ],
        ids=repr,
    )
    @pytest.mark.parametrize(
        ("dataset", "cost"),
        [
            ("breast_cancer", "binary_cross_entropy"),
            ("iris", "categorical_cross_entropy"),
            ("reg_gauss", "squared_error"),
        ],
    )
    def test_of_train_to_the_bit(self, dataset, cost, changes):
        given = {
            "hidden": (6,),
            "activation": "tanh",
            "optimizer": "adam",
            "learning_rate": 0.05,
            "epochs": 60,
        } | changes
        result = train(Config(dataset=dataset, cost=cost, **given))
        given |= {"random_state": given.pop("seed", 0), "validation_fraction": 0}
        given.pop("monitor", None)
        X, Y = result.problem.train.X, result.problem.train.Y
        y = Y[:, 0] if Y.shape[1] == 1 else Y.argmax(1)
        estimator = (SandboxRegressor if dataset == "reg_gauss" else SandboxClassifier)(**given).fit(X, y)
        assert estimator.network_.parameters.tobytes() == result.network.parameters.tobytes()
        assert estimator.loss_curve_.tobytes() == result.costs.tobytes()
        assert (estimator.loss_, estimator.n_iter_) == (result.cost, result.epochs_run)
        if dataset != "reg_gauss":
            assert estimator.score(X, y) == result.train_accuracy

    def test_of_fit_with_a_part_held_out(self):
        """To the bit those of a population, which are alike whatever its size."""
        X, y = scale(IRIS[0]), np.asarray(IRIS[1])
        order, rng = stratified_order(y, np.random.default_rng([4, 2])), np.random.default_rng(4)
        kept, held_out = order[:120], order[120:]
        one = Network.initialize([4, 5, 3], ["tanh", "softmax"], "xavier", rng)
        hook = EarlyStopping(30, X=X[held_out], Y=np.eye(3)[y[held_out]], every=3)
        run = fit(
            Network(one.sizes, one.activations, one.parameters[None]),
            X[kept],
            np.eye(3)[y[kept]],
            cost="categorical_cross_entropy",
            optimizer="adam",
            learning_rate=0.1,
            epochs=1000,
            hooks=[hook],
        )
        given = {"patience": 30, "validation_fraction": 0.2, "learning_rate": 0.1, "epochs": 1000, "random_state": 4}
        model = SandboxClassifier(hidden=(5,), **given).fit(X, y)
        assert model.network_.parameters.tobytes() == run.network.parameters.tobytes()
        assert model.n_iter_ == run.epochs_run[0] == len(model.loss_curve_) < 1000
        assert np.bincount(y[held_out]).tolist() == [10, 10, 10]

    @pytest.mark.parametrize(
        ("ours", "theirs", "data"),
        [
            (SandboxClassifier, MLPClassifier, CANCER),
            (SandboxClassifier, MLPClassifier, WINE),
            (SandboxRegressor, MLPRegressor, DIABETES),
        ],
        ids=["binary", "multiclass", "regression"],
    )
    def test_of_scikit_learn_from_the_same_weights(self, ours, theirs, data):
        X, y = scale(data[0]), data[1]
        model = ours(hidden=(5,), optimizer="gd", learning_rate=0.3, epochs=50, random_state=7).fit(X, y)
        options = {"momentum": 0, "nesterovs_momentum": False, "alpha": 0, "shuffle": False, "batch_size": len(X)}
        options |= {"activation": "tanh", "solver": "sgd", "learning_rate_init": 0.3, "random_state": 0}
        other = theirs(hidden_layer_sizes=(5,), **options)
        classes = {"classes": np.unique(y)} if theirs is MLPClassifier else {}
        other.partial_fit(X, y, **classes)
        rng, widths = np.random.default_rng(7), [one.shape for one in other.coefs_]
        other.coefs_ = [(rng.standard_normal((n_out, n_in)) / np.sqrt(n_in)).T for n_in, n_out in widths]
        other.intercepts_ = [np.zeros(n_out) for _, n_out in widths]
        costs = [other.partial_fit(X, y).loss_ for _ in range(50)]
        assert model.loss_curve_ == pytest.approx(costs, abs=1e-6)
        assert model.score(X, y) == pytest.approx(other.score(X, y), abs=1e-6)
        if theirs is MLPClassifier:
            assert model.predict_proba(X) == pytest.approx(other.predict_proba(X), abs=1e-6)
        else:
            assert model.predict(X) == pytest.approx(other.predict(X), abs=1e-6)


class TestTools:
    def test_readme(self):
        """The example says what it comes to."""
        blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
        (example,) = [block for block in blocks if "SandboxClassifier" in block]
        names = {}
        exec(example, names)
        assert 0.95 < names["search"].best_score_ < 1

    def test_pipeline(self):
        X, y = CANCER
        model = make_pipeline(StandardScaler(), SandboxClassifier(hidden=(8,))).fit(X[::2], y[::2])
        assert model.score(X[1::2], y[1::2]) > 0.95
        assert model.predict_proba(X).shape == (569, 2)

    def test_grid_search(self):
        X, y = scale(CANCER[0]), CANCER[1]
        grid = {"hidden": [(), (8,), [4, 4]], "learning_rate": [1e-6, 0.03]}
        with parallel_config("threading"):  # processes take long to start
            search = GridSearchCV(SandboxClassifier(epochs=100), grid, cv=3, n_jobs=2).fit(X, y)
        scores = search.cv_results_["mean_test_score"].reshape(3, 2)
        assert (scores[:, 1] > 0.95).all()
        assert (scores[:, 0] < 0.95).all()
        assert search.best_params_["learning_rate"] == 0.03

    def test_cross_validation(self):
        assert cross_val_score(SandboxClassifier(), *IRIS, cv=5).mean() > 0.95
        # as a linear model does (Efron et al. 2004): about half the variance
        assert cross_val_score(SandboxRegressor(hidden=()), *DIABETES, cv=5).mean() == pytest.approx(0.48, abs=0.02)

    def test_a_rate_that_diverges_is_a_failed_fit_for_a_search(self):
        search = GridSearchCV(SandboxRegressor(optimizer="gd"), {"learning_rate": [0.1, 100]}, cv=3)
        told = r"learning_rate is 100.0: training diverged in epoch \d+; a smaller one is needed, or features that are"
        with pytest.warns(UserWarning, match="non-finite"), pytest.warns(FitFailedWarning, match=told):
            search.fit(*DIABETES)
        assert search.best_params_ == {"learning_rate": 0.1}

    def test_an_ensemble_draws_other_weights_for_each(self):
        bag = BaggingClassifier(SandboxClassifier(epochs=20), 3, bootstrap=False, random_state=0).fit(*IRIS)
        assert len({model.network_.parameters.tobytes() for model in bag.estimators_}) == 3

    @EITHER
    def test_clone_and_pickle(self, kind):
        X, y = IRIS
        model = kind(hidden=[4], crosses=("x1*x2",), epochs=50, random_state=2).fit(X, y)
        other: Any = clone(model)
        assert other.get_params() == model.get_params()
        with pytest.raises(NotFittedError):
            other.predict(X)
        for same in (other.fit(X, y), pickle.loads(pickle.dumps(model))):
            assert same.predict(X).tolist() == model.predict(X).tolist()

    def test_two_targets_have_a_network_each(self):
        X, y = DIABETES[0][:, :3], DIABETES[1]
        model = MultiOutputRegressor(SandboxRegressor(hidden=(), epochs=1000)).fit(X, np.column_stack([y, -y]))
        line = X @ np.linalg.lstsq(X, y)[0]
        assert np.asarray(model.predict(X)) == pytest.approx(np.column_stack([line, -line]), abs=1e-3)


class TestData:
    @pytest.mark.parametrize("labels", [["a", "b"], ["no", "yes", "perhaps"], [3, -1], [True, False], [2.0, 7.0, 1.0]])
    def test_labels_of_any_kind(self, labels):
        rng = np.random.default_rng(0)
        places = rng.integers(len(labels), size=90)
        X, y = rng.normal(size=(90, 2), scale=0.1) + places[:, None] * [1, -1], np.array(labels)[places]
        model = SandboxClassifier().fit(X, y.tolist())
        assert model.classes_.tolist() == sorted(labels)
        assert model.predict(X).tolist() == y.tolist()
        probabilities = model.predict_proba(X)
        assert probabilities.shape == (90, len(labels))
        assert probabilities.sum(1) == pytest.approx(1)
        assert model.classes_[probabilities.argmax(1)].tolist() == y.tolist()

    def test_the_columns_of_a_frame_are_known_by_name(self):
        frame = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["age", "net income"])
        y = np.where(frame["age"] * frame["net income"] > 0, "buys", "leaves")
        model = SandboxClassifier(hidden=(), crosses=['age*"net income"'], learning_rate=0.1).fit(frame, y)
        assert model.feature_names_in_.tolist() == ["age", "net income"]
        assert model.score(frame, y) > 0.95
        assert SandboxClassifier(hidden=(), learning_rate=0.1).fit(frame, y).score(frame, y) < 0.75
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(frame[["net income", "age"]])
        with pytest.raises(RequestError, match=r"^cross 'age\*income': expected age, \"net income\" or"):
            SandboxClassifier(crosses=["age*income"]).fit(frame, y)

    def test_a_column_of_targets_is_made_flat(self):
        X, y = DIABETES
        for kind, target in ((SandboxRegressor, y), (SandboxClassifier, y > 0)):
            with pytest.warns(DataConversionWarning):
                model = kind(epochs=20).fit(X, target[:, None])
            assert model.predict(X).shape == y.shape
            assert model.predict(X).tolist() == kind(epochs=20).fit(X, target).predict(X).tolist()

    def test_no_random_state_is_numpys_own(self):
        np.random.seed(3)  # noqa: NPY002  what is asked for
        first, second = (SandboxClassifier(random_state=None, epochs=5).fit(*IRIS).loss_ for _ in range(2))
        np.random.seed(3)  # noqa: NPY002
        assert first == SandboxClassifier(random_state=None, epochs=5).fit(*IRIS).loss_ != second
        given = np.random.RandomState(3)
        assert first == SandboxClassifier(random_state=given, epochs=5).fit(*IRIS).loss_


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden": 8}, "hidden is 8: a sequence is needed, such as (8, 8)"),
        ({"hidden": (0,)}, "hidden is (0,): whole numbers of at least 1 are needed, such as (8, 8)"),
        ({"activation": "sigmod"}, "unknown activation 'sigmod': did you mean 'sigmoid'? Valid: "),
        ({"crosses": "x1*x2"}, "crosses are a list of texts such as x1*x2, got 'x1*x2'"),
        ({"crosses": ["x1*x5"]}, "cross 'x1*x5': expected x1, x2, x3, x4 or one of "),
        ({"cost": "crossentropy"}, "unknown cost for multiclass data 'crossentropy': did you mean 'categorical_cross"),
        ({"cost": "binary_cross_entropy"}, "unknown cost for multiclass data 'binary_cross_entropy': "),
        ({"learning_rate": 0}, "learning_rate is 0.0: a number above 0 is needed"),
        ({"epochs": 2.5}, "epochs is 2.5: a whole number is needed"),
        ({"patience": 0}, "patience is 0: a whole number of at least 1 is needed"),
        ({"validation_fraction": 1}, "validation_fraction is 1: a number from 0 to below 1 is needed"),
        (
            {"validation_fraction": 0.99, "patience": 5},
            "validation_fraction is 0.99: of 150 samples it leaves 1 to learn from; a smaller one is needed, or 0",
        ),
        ({"weight_decay": 0.1}, "weight_decay is for adamw: "),
        ({"dtype": "float16"}, "unknown dtype 'float16': "),
        ({"random_state": -1}, "random_state is -1: a whole number from 0 to 4294967295, a RandomState, or None is"),
        ({"random_state": "one"}, "random_state is 'one': a whole number from 0 to 4294967295, "),
    ],
    ids=repr,
)
def test_wrong_parameters_are_refused_in_one_line_by_fit(parameters, message):
    model = SandboxClassifier(**parameters)  # which takes everything
    with pytest.raises(RequestError) as caught:
        model.fit(*IRIS)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    with pytest.raises(NotFittedError):
        model.predict(IRIS[0])


def test_one_class_is_refused():
    with pytest.raises(RequestError, match=r"^y has 1 class, 'a': at least 2 are needed$"):
        SandboxClassifier().fit([[1], [2]], ["a", "a"])
