"""Estimators with scikit-learn's habits, trained as everything else here is. Nobody else knows sklearn.base."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from sandbox.config import FIELDS, OUTPUTS, Config, DtypeName
from sandbox.data import Dataset, add_crosses, parse_crosses
from sandbox.data.checks import LARGEST_SEED
from sandbox.data.tables import SAMPLE_STREAM, stratified_order
from sandbox.errors import RequestError, choose, is_count, is_number, one_line
from sandbox.nn.activations import ActivationName
from sandbox.nn.costs import COSTS, CostName
from sandbox.nn.initializers import InitializerName
from sandbox.nn.optimizers import OptimizerName
from sandbox.nn.penalties import L1Rule
from sandbox.nn.schedules import ScheduleName
from sandbox.nn.workspace import BatchOrder
from sandbox.own import Own, is_own, name_of
from sandbox.result import Problem
from sandbox.train import train_on

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # before scikit-learn 1.6 it is a method

    def validate_data(_estimator: Any, /, X: Any = "no_validation", y: Any = "no_validation", **options: Any) -> Any:
        return _estimator._validate_data(X, y, **options)


USUAL = {"binary": "binary_cross_entropy", "multiclass": "categorical_cross_entropy", "regression": "squared_error"}
STAND_INS = {"binary": "moons", "multiclass": "iris", "regression": "reg_plane"}
"""Task -> the data set that a config names whose examples are given otherwise."""


class SandboxEstimator(BaseEstimator):
    """What classifier and regressor have in common: their parameters, and training."""

    n_features_in_: int
    feature_names_in_: np.ndarray

    def __init__(
        self,
        *,
        crosses: Sequence[str | Own] = (),
        hidden: Sequence[int] = (16,),
        activation: ActivationName | Own = "tanh",
        initializer: InitializerName | Own = "xavier",
        initializer_scale: float = 0.01,
        bias_scale: float = 0.0,
        initial_bias: float = 0.0,
        cost: CostName | Own | None = None,
        l1: float = 0.0,
        l1_rule: L1Rule = "subgradient",
        l2: float = 0.0,
        optimizer: OptimizerName | Own = "adam",
        weight_decay: float = 0.0,
        momentum: float = 0.9,
        learning_rate: float = 0.01,
        schedule: ScheduleName | Own = "constant",
        batch_size: int | None = None,
        batches: BatchOrder = "shuffled",
        epochs: int = 500,
        patience: int | None = None,
        min_delta: float = 0.0,
        validation_fraction: float = 0.1,
        dtype: DtypeName = "float64",
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.crosses = crosses
        self.hidden = hidden
        self.activation = activation
        self.initializer = initializer
        self.initializer_scale = initializer_scale
        self.bias_scale = bias_scale
        self.initial_bias = initial_bias
        self.cost = cost
        self.l1 = l1
        self.l1_rule = l1_rule
        self.l2 = l2
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.momentum = momentum
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.batch_size = batch_size
        self.batches = batches
        self.epochs = epochs
        self.patience = patience
        self.min_delta = min_delta
        self.validation_fraction = validation_fraction
        self.dtype = dtype
        self.random_state = random_state

    def _train(self, X: np.ndarray, Y: np.ndarray, task: str, labels: np.ndarray) -> None:
        """Train a network on X (examples, features) and Y (examples, outputs); `labels` (examples,) are class numbers."""
        config = self._config(task)
        columns = tuple(getattr(self, "feature_names_in_", ())) or X.shape[1]
        crosses = self.crosses if isinstance(self.crosses, str) else [name_of("cross", one) for one in self.crosses]
        self._crosses = parse_crosses(crosses, columns)
        train, validation = Dataset("y", X, Y, tuple(map(str, range(X.shape[1]))), task), None
        if config.monitor == "validation_cost":
            kept, held_out = self._split(labels, config.seed)
            train, validation = train.take(kept), train.take(held_out)
        result = train_on(Problem(train, validation, None, self._crosses), config)
        if result.diverged_at is not None:
            raise RequestError(
                f"learning_rate is {config.learning_rate}: training diverged in epoch {result.diverged_at}; a smaller one "
                "is needed, or features that are standardised"
            )
        self.network_, self.n_iter_ = result.network, result.epochs_run
        self.loss_, self.loss_curve_ = result.cost, result.costs

    def _config(self, task: str) -> Config:
        """The config of these parameters. Raises RequestError for wrong ones."""
        own = {name: value for name, value in self.get_params(deep=False).items() if name in FIELDS}
        costs = {name: cost for name, cost in COSTS.items() if task in cost.tasks}
        costs = {name: name for name, cost in costs.items() if cost.output in (None, OUTPUTS[task])}
        share = self.validation_fraction
        if not (is_number(share) and np.ndim(share) == 0 and 0 <= share < 1):
            raise RequestError(f"validation_fraction is {one_line(share)}: a number from 0 to below 1 is needed")
        own["dataset"], own["crosses"] = STAND_INS[task], ()
        cost = name_of("cost", USUAL[task] if self.cost is None else self.cost)
        own["cost"] = cost if is_own(cost) else choose(f"cost for {task} data", cost, costs)
        own["monitor"] = "validation_cost" if self.patience is not None and share else "cost"
        own["seed"] = _seed(self.random_state)
        return Config(**own)

    def _split(self, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The examples to learn from, and those to stop by, both with each class's share of them."""
        left = len(labels) - math.ceil(self.validation_fraction * len(labels))
        if left <= labels.max():
            raise RequestError(
                f"validation_fraction is {self.validation_fraction}: of {len(labels)} samples it leaves {left} to learn "
                "from; a smaller one is needed, or 0"
            )
        order = stratified_order(labels, np.random.default_rng([seed, SAMPLE_STREAM]))
        return order[:left], order[left:]

    def _outputs(self, X: Any) -> np.ndarray:
        """The network's outputs (examples, outputs) for X (examples, features)."""
        check_is_fitted(self, "network_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self.network_.predict(add_crosses(X, self._crosses))


class SandboxClassifier(ClassifierMixin, SandboxEstimator):
    """A network that tells classes apart, for scikit-learn's pipelines, searches and cross-validation.

    Parameters are the hyperparameters of Config, with the same meaning: on the same examples it becomes the network that
    `train` makes, to the last bit. `cost` None is the cross-entropy of so many classes. `random_state` is Config's seed,
    or as elsewhere in scikit-learn a RandomState, or None. With a `patience`, a share `validation_fraction` of the
    examples is held out, stratified, and their cost is what has to get better; with a share of 0 it is the cost of all.
    Features are taken as they are: put a StandardScaler before it. Crosses call them x1, x2, ..., or as a frame does.

    | attribute | holds |
    |---|---|
    | classes_ | the labels, in the order of `predict_proba` |
    | network_ | the trained Network |
    | loss_curve_, loss_ | the cost before each epoch (epochs,), and that of the trained network |
    | n_iter_ | the epochs that it was trained |
    | n_features_in_, feature_names_in_ | how many features there are, and what a frame calls them |

    >>> from sandbox import SandboxClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["no", "yes", "yes", "no"]
    >>> xor = SandboxClassifier(hidden=(), crosses=["x1*x2"], learning_rate=0.1).fit(X, y)
    >>> xor.predict([[0, 1], [1, 1]]).tolist(), xor.network_
    (['yes', 'no'], Network(3-1, sigmoid))
    """

    def fit(self, X: Any, y: Any) -> "SandboxClassifier":
        """Train on X (examples, features) and y (examples,), labels of any kind.

        Raises RequestError for wrong parameters and where training diverges, and what scikit-learn raises for data.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        count = len(self.classes_)
        if count < 2:
            raise RequestError(f"y has 1 class, {one_line(self.classes_.tolist()[0])}: at least 2 are needed")
        if count == 2:
            self._train(X, labels[:, None].astype(float), "binary", labels)
        else:
            self._train(X, np.eye(count)[labels], "multiclass", labels)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities (examples, classes) of the classes, in the order of `classes_`."""
        outputs = self._outputs(X)
        return outputs if outputs.shape[1] > 1 else np.hstack([1 - outputs, outputs])

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class (examples,) of each example."""
        places = self.predict_proba(X).argmax(1)
        return self.classes_[places]


class SandboxRegressor(RegressorMixin, SandboxEstimator):
    """A network that predicts a number, for scikit-learn's pipelines, searches and cross-validation.

    Parameters and attributes are those of SandboxClassifier, but for `classes_`; `cost` None is the squared error. Of
    more than one number, scikit-learn's MultiOutputRegressor makes a network for each.

    >>> from sandbox import SandboxRegressor
    >>> line = SandboxRegressor(hidden=(), learning_rate=0.1).fit([[1], [2], [3]], [3, 5, 7])
    >>> line.predict([[4]]).round(2)
    array([9.])
    """

    def fit(self, X: Any, y: Any) -> "SandboxRegressor":
        """Train on X (examples, features) and numbers y (examples,). Raises errors as SandboxClassifier does."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._train(X, y[:, None].astype(float), "regression", np.zeros(len(y), int))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The number (examples,) that each example is given."""
        return self._outputs(X)[:, 0]


def _seed(random_state: Any) -> int:
    """The whole number that is given, or one that a RandomState draws (None: NumPy's own)."""
    try:
        drawing = check_random_state(random_state)
    except (ValueError, TypeError):
        wanted = f"a whole number from 0 to {LARGEST_SEED}, a RandomState, or None"
        raise RequestError(f"random_state is {one_line(random_state)}: {wanted} is needed") from None
    return int(random_state) if is_count(random_state) else int(drawing.randint(2**31 - 1))
