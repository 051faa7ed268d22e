"""Config in, Result out: the only place where names become objects."""

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.blas import one_thread
from sandbox.config import ROLES, Config
from sandbox.data.playground import Page, seed_text
from sandbox.effort import check_effort
from sandbox.errors import RequestError, is_count
from sandbox.figures import Figures
from sandbox.nn.hooks import EarlyStopping, Hook, StopOnDivergence
from sandbox.nn.initializers import SCALED, get_initializer
from sandbox.nn.network import Network
from sandbox.nn.penalties import penalty
from sandbox.nn.population import OF_ITS_OWN, Shape, crop, parts, stack, unstack
from sandbox.nn.replicas import NEVER
from sandbox.nn.run import Run
from sandbox.nn.workspace import Settings
from sandbox.result import Problem, Result, prepare

if TYPE_CHECKING:
    from concurrent.futures import Executor

MANY_COSTS = 10_000_000  # costs in all, beyond which curves are thinned unless asked otherwise
MANY_POINTS = 100  # of a curve, among which powers of ten are
LOOKS = 200  # epochs at which a network may be found to have diverged, whatever is recorded


def build(config: Config, problem: Problem | None = None) -> Network:
    """The config's network before its first update, drawn from numpy.random.default_rng(config.seed), or from the stream of
    TensorFlow Playground, where both its data and its initializer are the page's.

    For the inputs and outputs of `problem`, where that is given in the place of the config's own data.
    """
    draw: Any = get_initializer(config.initializer)
    if config.initializer in SCALED:
        draw = partial(draw, scale=config.initializer_scale)
    sizes, activations = layers(config, problem or prepare(config))
    rng: Any = np.random.default_rng(config.seed)
    if config.initializer == "playground" and isinstance(config.data, Page):
        rng = config.data.stream(config.noise, seed_text(config.playground_seed, config.seed))
    return Network.initialize(sizes, activations, draw, rng, config.dtype, config.bias_scale, config.initial_bias)


def layers(config: Config, problem: Problem) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The sizes of a config's layers, inputs first, and their activations."""
    sizes = (problem.features.inputs, *config.hidden, problem.train.Y.shape[1])
    return sizes, (*(config.activation for _ in config.hidden), config.output_activation)


def train(
    config: Config, hooks: Iterable[Hook] = (), *, curve_points: int | None = None, start: Network | None = None
) -> Result:
    """Train one config. The cost is recorded at every epoch, or at about `curve_points` of them, first and last included.

    `start` is the network before the first update, in the place of what initializer and seed draw. Raises RequestError where
    its layers are not the config's.

    >>> result = train(Config(dataset="or", hidden=(), epochs=1000))
    >>> result.train_accuracy, len(result.costs)
    (1.0, 1000)
    """
    if start is None:
        return train_many([config], hooks, curve_points=curve_points)[0]
    check_effort([config])
    return _train_part([config], list(hooks), curve_points, [_fitting(start, config)])[0]


def train_on(problem: Problem, config: Config) -> Result:
    """Train one config on the examples of `problem`, which are of its task, in the place of those that `dataset` names.

    With the same examples these are the numbers of `train`, to the last bit. What the result says of its data
    (`problem`, `model`, `predict`, `classify`) is of those that the config names.
    """
    return _train_part([config], [], None, problems=[problem])[0]


def _fitting(start: Network, config: Config) -> Network:
    """The network to start with, of the config's type of numbers. Raises RequestError where its layers are others."""
    sizes, activations = layers(config, prepare(config))
    if start.lead or (tuple(start.sizes), tuple(start.activations)) != (sizes, activations):
        wanted = f"{'-'.join(map(str, sizes))} ({', '.join(activations)})"
        raise RequestError(f"start is {start!r}: a network of {wanted} is needed")
    return Network(start.sizes, start.activations, start.parameters.astype(config.dtype))


def train_many(
    configs: Sequence[Config],
    hooks: Iterable[Hook] = (),
    *,
    curve_points: int | None = None,
    workers: int | None = None,
    executor: "Executor | None" = None,
    chunk: int | None = None,
) -> list[Result]:
    """Train many configs, those with arrays of the same shapes side by side; one Result each, in the given order.

    The numbers are those of `train`, to the last bit, whatever the order, the size of a `chunk` (replicas trained at a
    time; default: what fits the cache) and the number of `workers` (threads; default: one for each core where that
    pays). An `executor` of concurrent.futures takes their place. Hooks see one population after another, `on_start` to
    `on_end` for each, in one thread unless they are all `stateless`; a config that trains alone has no replicas' axis.
    Costs are recorded at every epoch, or at about `curve_points` of them; if not told, at every epoch up to ten million
    costs in all, and beyond that at 200 epochs each. Raises RequestError for what this machine cannot hold, or finish
    within a year.

    >>> results = train_many([Config(learning_rate=rate, epochs=100) for rate in (0.1, 1.0, 10.0)])
    >>> [len(result.costs) for result in results]
    [100, 100, 100]
    """
    check_effort(configs)
    hooks = list(hooks)
    if curve_points is None and sum(config.epochs for config in configs) > MANY_COSTS:
        curve_points = 200
    stateless = all(hook.stateless for hook in hooks)
    shapes = [shape(config) for config in configs]
    jobs = parts(shapes, padded=stateless, size=chunk)  # what hooks see of a padded network is not for all of them
    if any(config.arithmetic == "page" for config in configs):  # such a network trains alone
        jobs = [
            one
            for part in jobs
            for one in ([[place] for place in part] if configs[part[0]].arithmetic == "page" else [part])
        ]
    work = partial(_train_part, hooks=hooks, curve_points=curve_points)
    given = [[configs[index] for index in indices] for indices in jobs]
    # with tiny networks' short calls threads would only wait for the interpreter
    threads = workers or (1 if any(shape.tiny for shape in shapes) else os.cpu_count() or 1)
    if executor is not None:
        done = list(executor.map(work, given))
    elif len(jobs) == 1 or not stateless or threads == 1:
        done = list(map(work, given))
    else:
        from concurrent.futures import ThreadPoolExecutor  # and logging with it: not for `import sandbox`

        with ThreadPoolExecutor(threads) as pool:
            done = list(pool.map(work, given))
    results = dict(zip(chain.from_iterable(jobs), chain.from_iterable(done), strict=True))
    return [results[index] for index in range(len(configs))]


def shape(config: Config) -> Shape:
    """What must be alike for configs to train in the same arrays: all but what their fields' roles exempt.

    Of a penalty, and of weight decay, that is whether there is one: for a weight that is infinite, none is not the same
    as zero times it.
    """
    problem = prepare(config)
    alike = tuple(getattr(config, field.name) for field in fields(config) if ROLES.get(field.name, "alike") == "alike")
    rates = (config.l1 > 0, config.l2 > 0, config.weight_decay > 0)
    rest = (alike, problem.train.task, config.monitored, *rates)
    itemsize = np.dtype(config.dtype).itemsize
    sizes, activations = layers(config, problem)
    beside = (config.n_validation or 0) * 8 * 3 * (sizes[0] + sizes[-1])  # as they are drawn, crossed and stacked
    return Shape(sizes, activations, len(problem.train), itemsize, config.batch_size, rest, beside)


def _train_part(
    configs: list[Config],
    hooks: list[Hook],
    curve_points: int | None,
    starts: Sequence[Network] = (),
    problems: Sequence[Problem] = (),
) -> list[Result]:
    """Train configs of one shape in the same arrays.

    `starts` are their first networks, `problems` what they learn from, where these are given.
    """
    with one_thread():
        started = time.perf_counter()
        problems = list(problems) or [prepare(config) for config in configs]
        networks = list(starts) or [build(*each) for each in zip(configs, problems, strict=True)]
        figures = Figures(configs, problems, [network.sizes for network in networks])
        epochs = configs[0].epochs
        wanted, looks = spread(epochs, curve_points), spread(epochs, LOOKS)
        guards: list[Hook] = [StopOnDivergence(looks), *_early_stopping(configs)]
        network, mask = (networks[0], None) if len(configs) == 1 else stack(networks)
        rngs = [np.random.default_rng([config.seed, 1]) for config in configs] if configs[0].batch_size else 0
        run = Run(
            network,
            *figures.data("train", np.arange(len(configs))),
            _settings(configs),
            hooks,
            np.union1d(wanted, looks),
            rngs,
            mask,
            of_populations=True,
            guards=guards,
            configs=configs,
            measure=figures,
        ).advance()
        values = figures.all(run)
        found = outcomes(run, figures.sizes, wanted)
        seconds = (time.perf_counter() - started) / len(configs)
    return [
        Result(config, **own, **outcome, seconds=seconds)
        for config, own, outcome in zip(configs, values, found, strict=True)
    ]


def _settings(configs: list[Config]) -> Settings:
    """What training does to each replica, one for all where they are alike."""
    own = {name: [getattr(config, name) for config in configs] for name in OF_ITS_OWN}
    several = {name: values for name, values in own.items() if len(set(values)) > 1}
    return replace(configs[0].settings(), **several)


def _early_stopping(configs: list[Config]) -> list[Hook]:
    """The hook that stops those which have a patience, each looked at about ten times in that many epochs."""
    if all(config.patience is None for config in configs):
        return []
    patience = [config.patience for config in configs]
    every = [max(1, number // 10) if number else max(1, max(filter(None, patience)) // 10) for number in patience]
    deltas = [config.min_delta for config in configs]
    return [EarlyStopping(patience, deltas, every=every, monitor=configs[0].monitored)]


def outcomes(run: Run, sizes: list[tuple[int, ...]], wanted: np.ndarray) -> list[dict[str, Any]]:
    """What each network's Result takes from a run, networks of these `sizes`; `wanted` are the epochs of its costs."""
    count = len(sizes)
    l1, l2 = (np.broadcast_to(weight, count).tolist() for weight in (run.settings.l1, run.settings.l2))
    parameters = np.array(run.network.parameters, order="C").reshape(count, -1)
    networks = unstack(Network(run.network.sizes, run.network.activations, parameters), sizes)
    epochs_run, pruned = np.atleast_1d(run.epochs_run), np.atleast_1d(run.pruned)
    diverged_at = np.array([NEVER if at is None else at for at in np.atleast_1d(run.diverged_at)])
    chosen = np.isin(run.recorded_epochs, wanted)
    cost_epochs, costs = run.recorded_epochs[chosen], run.recorded[chosen].reshape(-1, count)
    final = np.atleast_1d(run.cost)
    results = []
    for row in range(count):
        trained = networks[row]
        diverged = diverged_at[row] != NEVER
        kept = int(np.searchsorted(cost_epochs, epochs_run[row]))
        mine = np.ascontiguousarray(costs[:kept, row])
        if diverged and not np.isfinite(mine).all():
            mine = mine[: int(np.argmin(np.isfinite(mine)))]
        results.append(
            {
                "costs": mine,
                "cost_epochs": cost_epochs[: len(mine)],
                "cost": float(final[row]),
                "penalty": penalty(trained, l1[row], l2[row]) if l1[row] or l2[row] else 0.0,
                "network": trained,
                "epochs_run": int(epochs_run[row]),
                "diverged_at": int(diverged_at[row]) if diverged else None,
                "pruned": bool(pruned[row]),
                "curves": _curves(run, row, int(epochs_run[row]), diverged),
                "snapshots": _snapshots(run, row, int(epochs_run[row]), diverged, sizes[row]),
            }
        )
    return results


def _curves(run: Run, row: int, end: int, diverged: bool) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The curves of one network up to its own end, wherever that of the run was; what is no number is no point."""
    curves = {}
    for name in {**run.points, **run.last_points}:
        points = {epoch: value.reshape(-1)[row] for epoch, value in run.points.get(name, []) if epoch <= end}
        if name in run.last_points and not diverged:
            points[end] = run.last_points[name].reshape(-1)[row]
        points = {epoch: value for epoch, value in points.items() if not np.isnan(value)}
        if points:
            curves[name] = (np.array(list(points)), np.array(list(points.values())))
    return curves


def _snapshots(run: Run, row: int, end: int, diverged: bool, sizes: tuple[int, ...]) -> dict[int, Network]:
    """The networks kept of one, likewise."""
    kept = {epoch: network for epoch, network in run.kept.items() if epoch <= end}
    if run.last_kept is not None and not diverged:
        kept[end] = run.last_kept
    return {epoch: crop(network[row] if run.lead else network, sizes) for epoch, network in kept.items()}


def spread(epochs: int, points: int | None) -> np.ndarray:
    """At most `points` epochs from 0 to `epochs` - 1, first and last included; None: every epoch.

    The first fifth of the points are the first epochs, one by one (much happens there, and a network that diverges does
    so soon); the others are evenly spread, but of many the nearest is moved to each power of ten. Raises RequestError for
    fewer than 2 points.
    """
    if points is None:
        return np.arange(epochs)
    if not (is_count(points) and points >= 2):
        raise RequestError(f"curve_points is {points!r}: a whole number of at least 2 is needed")
    if points >= epochs:
        return np.arange(epochs)
    first = points // 5
    found = np.unique([*range(first), *np.linspace(first, epochs - 1, points - first).round().astype(int)])
    for power in range(1, 16) if points >= MANY_POINTS else ():
        if first < (ten := 10**power) < epochs - 1 and ten not in found:
            found[np.abs(found - ten).argmin()] = ten
    return found
