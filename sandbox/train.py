"""Config in, Result out: the only place where names become objects."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from sandbox.config import Config
from sandbox.data import Cross, Dataset, add_crosses, load_split, parse_crosses
from sandbox.nn.hooks import Hook, StopOnDivergence
from sandbox.nn.initializers import get_initializer, plain
from sandbox.nn.network import Network
from sandbox.nn.training import Run
from sandbox.nn.workspace import Settings


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
        return float(np.min(costs, where=np.isfinite(costs), initial=np.inf)) if len(costs) else np.nan


def prepare(config: Config) -> Problem:
    """The data of a config, train and test parts, with its crosses."""
    train, test = _split(config.dataset, config.n_examples, config.noise, config.data_seed)
    return Problem(train, test, parse_crosses(config.crosses, train.X.shape[1]))


_split = lru_cache(maxsize=64)(lambda name, n, noise, seed: load_split(name, n=n, noise=noise, seed=seed))


def build(config: Config) -> Network:
    """The config's network before its first update, drawn from numpy.random.default_rng(config.seed)."""
    problem = prepare(config)
    sizes = [problem.train.X.shape[1] + len(problem.crosses), *config.hidden, problem.train.Y.shape[1]]
    activations = [config.activation] * len(config.hidden) + [config.output_activation]
    draw = get_initializer(config.initializer)
    if draw is plain:
        return Network.initialize(
            sizes,
            activations,
            lambda rng, shape: plain(rng, shape, config.initializer_scale),
            np.random.default_rng(config.seed),
            config.dtype,
        )
    return Network.initialize(sizes, activations, draw, np.random.default_rng(config.seed), config.dtype)


def train(config: Config, hooks: Iterable[Hook] = (), *, curve_points: int | None = None) -> Result:
    """Train one config. The cost is recorded at every epoch, or at about `curve_points` of them, first and last included.

    >>> result = train(Config(dataset="or", hidden=(), epochs=1000))
    >>> result.train_accuracy, len(result.costs)
    (1.0, 1000)
    """
    return train_many([config], hooks, curve_points=curve_points)[0]


def train_many(
    configs: Sequence[Config], hooks: Iterable[Hook] = (), *, curve_points: int | None = None
) -> list[Result]:
    """Train many configs, those with arrays of the same shapes side by side; one Result each, in the given order.

    The numbers are those of `train`. Hooks see one population after another (`on_start` to `on_end` for each).
    """
    hooks = list(hooks)
    groups: dict[Any, list[int]] = {}
    for index, config in enumerate(configs):
        groups.setdefault(_shape(config), []).append(index)
    results: dict[int, Result] = {}
    for indices in groups.values():
        group = _train_group([configs[index] for index in indices], hooks, curve_points)
        results.update(zip(indices, group, strict=True))
    return [results[index] for index in range(len(configs))]


def _shape(config: Config) -> tuple:
    """What must be alike for two configs to train in the same arrays."""
    problem = prepare(config)
    inputs = problem.train.X.shape[1] + len(problem.crosses)
    return (
        (len(problem.train), inputs, config.hidden, problem.train.Y.shape[1]),
        (config.activation, config.output_activation, config.cost, config.optimizer, config.momentum),
        (config.batch_size, config.epochs, config.dtype),
    )


def _train_group(configs: list[Config], hooks: list[Hook], curve_points: int | None) -> list[Result]:
    started = time.perf_counter()
    first, problems = configs[0], [prepare(config) for config in configs]
    network, settings, X, Y = build(first), first.settings(), _inputs(first), problems[0].train.Y
    rng: Any = [np.random.default_rng([config.seed, 1]) for config in configs]
    if len(configs) > 1:
        parameters = np.stack([build(config).parameters for config in configs])
        network = Network(network.sizes, network.activations, parameters)
        settings = Settings(
            **{
                **vars(settings),
                "learning_rate": np.array([config.learning_rate for config in configs]),
                "schedule": [config.schedule for config in configs],
                "l1": np.array([config.l1 for config in configs]),
                "l2": np.array([config.l2 for config in configs]),
            }
        )
        if len({_data_key(config) for config in configs}) > 1:
            X = np.stack([_inputs(config) for config in configs])
            Y = np.stack([problem.train.Y for problem in problems])
    run = Run(network, X, Y, settings, [StopOnDivergence(), *hooks], spread(first.epochs, curve_points), rng).advance()
    seconds = (time.perf_counter() - started) / len(configs)
    networks = [run.network] if not run.lead else [run.network[row] for row in range(len(configs))]
    return [
        Result(
            config=config,
            **_curves(run, row if run.lead else None),
            train_accuracy=accuracy(networks[row], problems[row].inputs, problems[row].train),
            test_accuracy=accuracy(networks[row], problems[row].inputs, problems[row].test),
            network=networks[row],
            seconds=seconds,
        )
        for row, config in enumerate(configs)
    ]


def _data_key(config: Config) -> tuple:
    return (config.dataset, config.n_examples, config.noise, config.data_seed, config.crosses)


def _inputs(config: Config) -> np.ndarray:
    problem = prepare(config)
    return problem.inputs(problem.train.X)


def _curves(run: Run, row: int | None) -> dict[str, Any]:
    """One replica's numbers of a run."""
    where = ... if row is None else row
    epochs_run = int(np.asarray(run.epochs_run)[where])
    kept = int(np.searchsorted(run.recorded_epochs, epochs_run))
    diverged = run.diverged_at if row is None else int(run.diverged_at[row])
    return {
        "costs": run.recorded[:kept, where].copy() if row is not None else run.recorded[:kept].copy(),
        "cost_epochs": run.recorded_epochs[:kept].copy(),
        "cost": float(np.asarray(run.cost)[where]),
        "penalty": float(np.asarray(run.penalty)[where]),
        "epochs_run": epochs_run,
        "diverged_at": None if diverged in (None, -1) else diverged,
        "curves": {
            name: (
                np.array([epoch for epoch, _ in points if epoch <= epochs_run]),
                np.array([value[where] for epoch, value in points if epoch <= epochs_run], np.float64),
            )
            for name, points in run.curves.items()
        },
        "snapshots": {
            epoch: network if row is None else network[row]
            for epoch, network in run.snapshots.items()
            if epoch <= epochs_run
        },
    }


def spread(epochs: int, points: int | None) -> np.ndarray:
    """About `points` epochs from 0 to `epochs` - 1, evenly spread, first and last included; None: every epoch."""
    if points is None or points >= epochs:
        return np.arange(epochs)
    return np.unique(np.linspace(0, epochs - 1, points).round().astype(int))


def accuracy(network: Network, inputs: Any, data: Dataset | None) -> float | None:
    """The share of examples whose class is right: output above 0.5, or the largest of several. None for regression."""
    if data is None or data.task == "regression":
        return None
    outputs = network.predict(inputs(data.X))
    if data.task == "binary":
        return float(np.mean((outputs > 0.5) == (data.Y > 0.5)))
    return float(np.mean(outputs.argmax(-1) == data.Y.argmax(-1)))
