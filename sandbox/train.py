"""Config in, Result out: the only place where names become objects."""

import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from sandbox.config import Config
from sandbox.data import Dataset
from sandbox.errors import RequestError, is_count
from sandbox.nn.hooks import Hook, StopOnDivergence
from sandbox.nn.initializers import get_initializer, plain
from sandbox.nn.layouts import ReplicasLast, choose_layout
from sandbox.nn.network import Network
from sandbox.nn.padding import common_sizes, crop, mask, pad
from sandbox.nn.population import chunk_size, even_chunks
from sandbox.nn.training import NEVER, Run
from sandbox.result import Result, prepare

MANY_COSTS = 10_000_000  # costs in all, beyond which curves are thinned unless asked otherwise
ROUND = 4  # widths of hidden layers that are rounded up to the same multiple of this train together, if few
AT_ONCE = 1_000_000  # values of one layer that are computed at once for accuracies


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
    configs: Sequence[Config],
    hooks: Iterable[Hook] = (),
    *,
    curve_points: int | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    chunk: int | None = None,
) -> list[Result]:
    """Train many configs, those with arrays of the same shapes side by side; one Result each, in the given order.

    The numbers are those of `train`, whatever the order, the size of a `chunk` (replicas trained at a time; default:
    what fits the cache) and the number of `workers` (threads; default: one for each core where that pays). An `executor` of
    concurrent.futures takes their place. Hooks see one population after another, `on_start` to `on_end` for each, in
    one thread unless they are all `stateless`. Costs are recorded at every epoch, or at about `curve_points` of them;
    if not told, at every epoch up to ten million costs in all, and beyond that at 200 epochs each.

    >>> results = train_many([Config(learning_rate=rate, epochs=100) for rate in (0.1, 1.0, 10.0)])
    >>> [len(result.costs) for result in results]
    [100, 100, 100]
    """
    hooks = list(hooks)
    if curve_points is None and sum(config.epochs for config in configs) > MANY_COSTS:
        curve_points = 200
    groups = _groups(configs, mixed=all(hook.stateless for hook in hooks))
    jobs = [
        [indices[place] for place in places]
        for shape, indices in groups.items()
        for places in even_chunks(len(indices), chunk or chunk_size(*shape[0]))
    ]
    work = partial(_train_chunk, hooks=hooks, curve_points=curve_points)
    parts = [[configs[index] for index in indices] for indices in jobs]
    if executor is not None:
        done = list(executor.map(work, parts))
    elif len(jobs) == 1 or not all(hook.stateless for hook in hooks) or (workers or _threads(groups)) == 1:
        done = list(map(work, parts))
    else:
        with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
            done = list(pool.map(work, parts))
    results = dict(zip(chain.from_iterable(jobs), chain.from_iterable(done), strict=True))
    return [results[index] for index in range(len(configs))]


def _threads(groups: Iterable[Any]) -> int:
    """How many threads pay: with tiny networks' short calls they would only wait for the interpreter."""
    tiny = any(
        choose_layout(sizes, examples, batch_size) is ReplicasLast for (sizes, examples, _, batch_size), *_ in groups
    )
    return 1 if tiny else os.cpu_count() or 1


def _groups(configs: Sequence[Config], mixed: bool) -> dict[Any, list[int]]:
    """The places of configs that train in the same arrays, by shape: tiny networks, if few are alike, with others.

    What hooks see of such a `mixed` group is padded, so that it is for those only that do not mind.
    """
    alike: dict[Any, list[int]] = {}
    for place, config in enumerate(configs):
        alike.setdefault(_shape(config, config.hidden), []).append(place)
    groups: dict[Any, list[int]] = {}
    for shape, places in alike.items():
        hidden = tuple(-(-units // ROUND) * ROUND for units in configs[places[0]].hidden)
        rounded = _shape(configs[places[0]], hidden)
        sizes, examples, _, batch_size = rounded[0]
        tiny = choose_layout(sizes, examples, batch_size) is ReplicasLast and len(places) < ReplicasLast.smallest_chunk
        groups.setdefault(rounded if mixed and tiny else shape, []).extend(places)
    return groups


def _shape(config: Config, hidden: tuple[int, ...]) -> tuple:
    """What must be alike for two configs to train in the same arrays; first what decides how many at a time."""
    problem = prepare(config)
    sizes = (problem.train.X.shape[1] + len(problem.crosses), *hidden, problem.train.Y.shape[1])
    return (
        (sizes, len(problem.train), np.dtype(config.dtype).itemsize, config.batch_size),
        (config.activation, config.output_activation, config.cost, config.optimizer, config.momentum),
        (config.epochs, problem.train.task),
    )


def _train_chunk(configs: list[Config], hooks: list[Hook], curve_points: int | None) -> list[Result]:
    """Train configs of one shape in the same arrays."""
    started = time.perf_counter()
    first = configs[0]
    networks = [build(config) for config in configs]
    settings, network, masks = first.settings(), networks[0], None
    rngs = [np.random.default_rng([config.seed, 1]) for config in configs] if first.batch_size else 0
    if len(configs) > 1:
        sizes = common_sizes(networks)
        if any(one.sizes != sizes for one in networks):
            masks = np.stack([mask(one, sizes) for one in networks])
        network = Network(sizes, network.activations, np.stack([pad(one, sizes).parameters for one in networks]))
        each = {name: [getattr(config, name) for config in configs] for name in ("learning_rate", "l1", "l2")}
        settings = replace(settings, **each, schedule=_one_or_all([config.schedule for config in configs]))
    data = [_data_key(config) for config in configs]
    alike = len(set(data)) == 1
    problems = [prepare(first)] if alike else [prepare(config) for config in configs]
    inputs = [problem.inputs(problem.train.X) for problem in problems]
    X, Y = (inputs[0], problems[0].train.Y) if alike else (np.stack(inputs), np.stack([p.train.Y for p in problems]))
    planned = spread(first.epochs, curve_points)
    run = Run(network, X, Y, settings, [StopOnDivergence(), *hooks], planned, rngs, masks)
    run.configs = configs
    run.advance()
    parts = _split_run(run, [one.sizes for one in networks])
    trained = [part["network"] for part in parts]
    accuracies = {}
    for name in ("train", "test"):
        if alike:
            accuracies[name] = accuracy(run.network, problems[0].inputs, getattr(problems[0], name))
        else:
            pairs = zip(trained, problems, strict=True)
            accuracies[name] = [accuracy(one, problem.inputs, getattr(problem, name))[0] for one, problem in pairs]
    seconds = (time.perf_counter() - started) / len(configs)
    return [
        Result(
            config,
            train_accuracy=accuracies["train"][row],
            test_accuracy=accuracies["test"][row],
            **part,
            seconds=seconds,
        )
        for row, (config, part) in enumerate(zip(configs, parts, strict=True))
    ]


def _one_or_all(values: list) -> Any:
    return values[0] if len(set(values)) == 1 else values


def _data_key(config: Config) -> tuple:
    return (config.dataset, config.n_examples, config.noise, config.data_seed, config.crosses)


def _split_run(run: Run, sizes: list[tuple[int, ...]]) -> list[dict[str, Any]]:
    """What each network's Result takes from a run."""
    count = run.lead[0] if run.lead else 1
    network, epochs_run, diverged_at = run.network, np.atleast_1d(run.epochs_run), np.atleast_1d(run.diverged_at)
    costs = np.ascontiguousarray(run.recorded.reshape(-1, count).T)
    kept = np.searchsorted(run.recorded_epochs, epochs_run)
    final, penalties = np.atleast_1d(run.cost), np.atleast_1d(run.penalty)
    curves = {
        name: (np.array([epoch for epoch, _ in points]), np.array([value for _, value in points]).reshape(-1, count))
        for name, points in run.curves.items()
    }
    return [
        {
            "costs": costs[row, : kept[row]],
            "cost_epochs": run.recorded_epochs[: kept[row]],
            "cost": float(final[row]),
            "penalty": float(penalties[row]),
            "network": crop(network[row] if run.lead else network, sizes[row]),
            "epochs_run": int(epochs_run[row]),
            "diverged_at": None if diverged_at[row] in (None, NEVER) else int(diverged_at[row]),
            "curves": {
                name: (epochs[epochs <= epochs_run[row]], values[epochs <= epochs_run[row], row])
                for name, (epochs, values) in curves.items()
            },
            "snapshots": {
                epoch: crop(snapshot[row] if run.lead else snapshot, sizes[row])
                for epoch, snapshot in run.snapshots.items()
                if epoch <= epochs_run[row]
            },
        }
        for row in range(count)
    ]


def spread(epochs: int, points: int | None) -> np.ndarray:
    """At most `points` epochs from 0 to `epochs` - 1, first and last included; None: every epoch.

    The first fifth of the points are the first epochs, one by one (much happens there, and a network that diverges does
    so soon); the others are evenly spread. Raises RequestError for fewer than 2 points.
    """
    if points is None:
        return np.arange(epochs)
    if not (is_count(points) and points >= 2):
        raise RequestError(f"curve_points is {points!r}: a whole number of at least 2 is needed")
    if points >= epochs:
        return np.arange(epochs)
    first = points // 5
    return np.unique([*range(first), *np.linspace(first, epochs - 1, points - first).round().astype(int)])


def accuracy(network: Network, inputs: Any, data: Dataset | None) -> list[float | None]:
    """The share of examples whose class is right, for each replica: output above 0.5, or the largest of several.

    None for regression, and where there are no data.
    """
    count = network.lead[0] if network.lead else 1
    if data is None or data.task == "regression":
        return [None] * count
    X, right = inputs(data.X), data.Y > 0.5 if data.task == "binary" else data.Y.argmax(-1)
    at_once = max(1, AT_ONCE // (len(X) * max(network.sizes)))
    shares: list[float | None] = []
    for start in range(0, count, at_once):
        some = network[start : start + at_once] if network.lead else network
        outputs = some.predict(X)
        found = outputs > 0.5 if data.task == "binary" else outputs.argmax(-1)
        shares += np.atleast_1d((found == right).mean((-2, -1) if data.task == "binary" else -1)).tolist()
    return shares
