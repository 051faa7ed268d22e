"""What a config comes to: the data that it names, and the result of training on them."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from sandbox.config import Config
from sandbox.data import Cross, Dataset, add_crosses, load_split, parse_crosses
from sandbox.nn.network import Network


@dataclass(frozen=True, eq=False)
class Problem:
    """What a config's data come to: examples to train and to test on, and the crosses that extend them."""

    train: Dataset
    test: Dataset | None
    crosses: tuple[Cross, ...]

    def inputs(self, X: np.ndarray) -> np.ndarray:
        """The network's inputs (examples, features + crosses) for raw features (examples, features)."""
        return add_crosses(X, self.crosses)


@dataclass(frozen=True, eq=False)
class Result:
    """What training a config came to.

    `costs` and `cost_epochs` are arrays alike, cost number e belonging to the parameters before update e; `cost` is
    that after the last update (of a diverged network: where it diverged, and perhaps not finite). The accuracies are
    None where there is no such thing (regression; a gate's test part). `curves` maps the names that hooks recorded to
    (epochs, values), `snapshots` maps epochs to networks.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="linear", hidden=(), learning_rate=0.1, epochs=200))
    >>> result.costs.shape, result.epochs_run, result.diverged_at, result.train_accuracy
    ((200,), 200, None, None)
    >>> result.network.predict([[2.0]]).round(1)
    array([[6.]])
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
    curves: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    snapshots: dict[int, Network] = field(default_factory=dict)

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


def prepare(config: Config) -> Problem:
    """The data of a config, train and test parts, with its crosses."""
    train, test = _split(config.dataset, config.n_examples, config.noise, config.data_seed)
    return Problem(train, test, parse_crosses(config.crosses, train.X.shape[1]))


_split = lru_cache(maxsize=64)(lambda name, n, noise, seed: load_split(name, n=n, noise=noise, seed=seed))
