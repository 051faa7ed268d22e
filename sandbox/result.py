"""What a config comes to: the data that it names, and the result of training on them."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from sandbox.config import Config
from sandbox.data import Cross, Dataset, Parts, Scaling, add_crosses, load_parts, parse_crosses, places_kept
from sandbox.data.features import Features
from sandbox.data.playground import Page
from sandbox.data.tables import Table
from sandbox.fdlibm import sin
from sandbox.model import Model
from sandbox.names import LONGEST
from sandbox.nn.network import Network

FIGURES = (  # that a notebook shows, where there are any
    "cost",
    "train_accuracy",
    "validation_accuracy",
    "test_accuracy",
    "validation_cost",
    "test_cost",
    "diverged_at",
    "epochs_run",
    "seconds",
)
SOLVED = 0.01  # a cost below this counts as converged: it may fall for ever
SETTLED = 0.05  # and so does one that changed by at most this share of itself ...
EXAMPLES = 3  # raw rows that a model shows
SINES = {"sin(x1)": 0, "sin(x2)": 1}  # crosses that the page has, and the columns that they are of
LAST = 0.1  # ... over this last share of the epochs


@dataclass(frozen=True, eq=False)
class Problem:
    """What a config's data come to: examples to train with, to choose by and to test on, and what was done to them.

    `scaling` is None where features are in their own units, `crosses` extend the features, of which those at the places
    `kept` are inputs (None: all). Of two classes that are `signed` the targets are -1 and 1. Those `of_page` are
    Playground's own, with the sines that a browser has.
    """

    train: Dataset
    validation: Dataset | None
    test: Dataset | None
    crosses: tuple[Cross, ...]
    scaling: Scaling | None = None
    kept: tuple[int, ...] | None = None
    signed: bool = False
    of_page: bool = False

    def inputs(self, X: np.ndarray) -> np.ndarray:
        """The network's inputs (examples, features + crosses) for features as `train` has them (examples, features)."""
        inputs = add_crosses(X, self.crosses, self.kept)
        for place, cross in enumerate(reversed(self.crosses), start=1) if self.of_page else ():
            if cross.name in SINES:
                inputs[:, -place] = sin(np.asarray(X, float)[:, SINES[cross.name]])
        return inputs

    def targets(self, Y: np.ndarray) -> np.ndarray:
        """What the network is to say for targets as `train` has them."""
        return 2 * Y - 1 if self.signed else Y

    def unsigned(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs, or targets, of the network with classes at 0 and 1."""
        return (outputs + 1) / 2 if self.signed else outputs

    @property
    def features(self) -> Features:
        """The way from raw rows to the network's inputs."""
        data = self.train
        return Features(data.feature_names, data.columns, self.crosses, self.scaling, data.encoding, self.kept)


@dataclass(frozen=True, eq=False)
class Result:
    """What training a config came to.

    `costs` and `cost_epochs` are arrays alike, cost number e belonging to the parameters before update e; `cost` is
    that after the last update (of a diverged network: where it diverged, and perhaps not finite). The accuracies are
    None where there is no such thing (regression; a gate's test part), as are the costs of validation and test part.
    `scores` are what validation and test part come to beside them, finite ones only, such as "test_recall": precision,
    recall and f1 of class 1, of several classes their macro averages, or r2 and rmse; `confusion` are the test part's counts
    (classes, classes), a row for each true class, a column for each predicted one, or None.
    A `pruned` run was stopped by the sweep that it was part of. `curves` maps the names that hooks recorded to
    (epochs, values), `snapshots` maps epochs to networks.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="linear", hidden=(), learning_rate=0.1, epochs=200))
    >>> result.costs.shape, result.epochs_run, result.diverged_at, result.train_accuracy
    ((200,), 200, None, None)
    >>> result.network.predict([[2.0]]).round(1)
    array([[6.]])
    >>> result = train(Config(dataset="breast_cancer", hidden=(), epochs=100))
    >>> result.confusion.tolist(), round(result.scores["test_recall"], 3)  # of 53 malignant ones 51 are found
    ([[86, 4], [2, 51]], 0.962)
    """

    config: Config
    costs: np.ndarray
    cost_epochs: np.ndarray
    cost: float
    train_accuracy: float | None
    test_accuracy: float | None
    network: Network
    diverged_at: int | None
    epochs_run: int
    seconds: float
    penalty: float = 0.0
    validation_accuracy: float | None = None
    validation_cost: float | None = None
    test_cost: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    confusion: np.ndarray | None = None
    pruned: bool = False
    curves: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    snapshots: dict[int, Network] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What it is in some words: the data, the layers, the crosses, the learning rate and the seed."""
        config = self.config
        crosses = f" with {', '.join(cross.name for cross in self.problem.crosses)}" if config.crosses else ""
        layers = "-".join(map(str, self.network.sizes))
        seed = config.seed if config.playground_seed is None else config.data_stream
        words = f"{config.dataset} {layers}{crosses}, rate {config.learning_rate:g}, seed {seed}"
        return words if len(words) <= LONGEST else f"{words[: LONGEST - 3]}..."

    @property
    def params(self) -> dict[str, str]:
        """What its run in MLflow says of how it was trained, as text."""
        return self.config.params()

    @property
    def tags(self) -> dict[str, str]:
        """What tells its run from others."""
        return {"config_key": self.config.key, "seed": str(self.config.seed)}

    @property
    def problem(self) -> Problem:
        """The data that this was trained and tested on."""
        return prepare(self.config)

    @property
    def best_cost(self) -> float:
        """The lowest finite cost on the way (NaN if there was none)."""
        costs = np.append(self.costs, self.cost)
        finite = costs[np.isfinite(costs)]
        return float(finite.min()) if finite.size else np.nan

    @property
    def converged(self) -> bool:
        """Whether the cost had settled: nearly nought, or changed by at most 5 % in the last tenth of the epochs.

        Where costs are few, the last that was recorded before that tenth counts: never less of the epochs than a tenth.
        """
        if self.diverged_at is not None:
            return False
        start = np.searchsorted(self.cost_epochs, (1 - LAST) * self.epochs_run, side="right") - 1
        before = self.costs[max(start, 0)]
        return bool(self.cost < SOLVED or abs(before - self.cost) <= SETTLED * self.cost)

    @property
    def model(self) -> Model:
        """The network with all that raw rows need."""
        data, features, entry = self.problem.train, self.problem.features, self.config.data
        first = entry.first(EXAMPLES) if isinstance(entry, Table) else data.X[:EXAMPLES]
        return Model(self.network, features, data.task, data.class_names, self.params, features.rows(first))

    def cost_png(self, title: str = "") -> bytes:
        """The picture of its cost curve."""
        from sandbox.plots import cost_png  # and matplotlib with it: not for `import sandbox`

        epochs, costs = np.append(self.cost_epochs, self.epochs_run), np.append(self.costs, self.cost)
        label = self.config.cost.replace("_", " ")
        return cost_png(epochs, costs, title=title, diverged_at=self.diverged_at, label=label)

    def boundary_png(self, title: str = "", plane: tuple[str, str] | None = None) -> bytes:
        """The picture of its decision boundary; `plane` names two features (see sandbox.plots.boundary_figure)."""
        from sandbox.plots import boundary_png

        problem, network = self.problem, self.network
        options = {"test": problem.test, "title": title, "plane": plane}
        return boundary_png(lambda X: problem.unsigned(network.predict(problem.inputs(X))), problem.train, **options)

    def __repr__(self) -> str:
        accuracy = "" if self.train_accuracy is None else f", train_accuracy {self.train_accuracy:.4g}"
        return f"<{self.title}: cost {self.cost:.4g}{accuracy} after {self.epochs_run} epochs>"

    def _repr_html_(self) -> str:
        from sandbox.notebook import beside, picture, table

        figures = {name: value for name in FIGURES if (value := getattr(self, name)) is not None} | self.scores
        figures |= {"parameters": self.network.parameters.size}
        told = table({self.title: list(figures), "": [f"{value:.6g}" for value in figures.values()]})
        return beside(told, picture(self.boundary_png(), "boundary"), picture(self.cost_png(), "cost"))

    def predict(self, X: Any) -> np.ndarray:
        """Outputs (examples, outputs), probabilities or values, for raw features X (examples, features), or a frame.

        Features are scaled and crossed as the training examples were. Raises RequestError where X is no such array.
        """
        return self.model.predict(X)

    def classify(self, X: Any) -> np.ndarray:
        """The class (examples,) of each example of raw features X (examples, features), or a frame.

        Classes are called as the data set calls them, or 0, 1, ... where it has no names. Raises RequestError as
        `predict` does, and for regression.
        """
        return self.model.classify(X)


def prepare(config: Config) -> Problem:
    """The data of a config, in their parts, with its crosses."""
    given = (config.dataset, config.n_examples, config.n_validation, config.noise, config.data_stream)
    parts = _parts(*given, config.mislabelled, config.data_seed if config.mislabelled else 0)
    crosses = parse_crosses(config.crosses, config.data.columns)
    kept = places_kept(config.omit, config.data.columns) if config.omit else None
    return Problem(
        parts.train,
        parts.validation,
        parts.test,
        crosses,
        parts.scaling,
        kept,
        config.signed,
        isinstance(config.data, Page),
    )


@lru_cache(maxsize=64)
def _parts(
    name: str,
    n: int | None,
    n_validation: int | None,
    noise: float,
    seed: int | str,
    mislabelled: float,
    mislabelled_seed: int,
) -> Parts:
    parts = load_parts(name, n=n, n_validation=n_validation, noise=noise, seed=seed)
    return parts.mislabelled(mislabelled, mislabelled_seed) if mislabelled else parts
