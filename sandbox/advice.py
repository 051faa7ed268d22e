"""Advice on a network that learned nothing: what is seen, why that happens, and what to try next.

Four things are looked for: it diverged; its cost is still the one that it began with; its units are saturated, which is
where their slope, and so the gradient, is nearly nought; or it says nearly the same for every example.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from sandbox.config import Config
from sandbox.errors import RequestError
from sandbox.fields import format_value
from sandbox.nn.activations import get_activation
from sandbox.nn.gradients import gradients
from sandbox.nn.network import Network
from sandbox.result import SOLVED, Result
from sandbox.train import build

STILL = 0.01  # of the first cost: what a network that learns something surely goes beyond
SMALL = 1e-5  # a gradient's largest number in a layer, below which weights stay where they are
NEAR = 0.01  # of a unit's range: how near to its end it is saturated
MOST = 0.9  # of a layer's outputs
LEFT = 1e-3  # a gradient that still does something
FLAT = 0.05  # of the targets' range: outputs that differ less are nearly the same
FAR = 0.01  # that weights may move in all, without anybody seeing it
ENDS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
FIRST_RATES = {"adam": 0.01, "adamw": 0.01}  # to begin with; others at 1


class Advice(NamedTuple):
    """What is seen and why, in a sentence without its end; and what to change, fields of the config."""

    sentence: str
    changes: dict[str, Any]

    @property
    def words(self) -> list[str]:
        """The changes as options of `sandbox train`."""
        return [
            word
            for name, value in self.changes.items()
            for word in (f"--{name.replace('_', '-')}", format_value(value))
        ]


def advice_on(result: Result) -> Advice | None:
    """The advice on a result, None where there is nothing to say.

    >>> from sandbox import train
    >>> stuck = train(Config(hidden=(3, 3), initializer="plain", epochs=2000))
    >>> found = advice_on(stuck)
    >>> found.sentence
    'the cost did not move from 0.125: with initializer plain the gradient of layer 1 is 1e-09'
    >>> found.words
    ['--initializer', 'xavier']
    """
    if not isinstance(result.config, Config) or result.pruned or result.problem is None:
        return None
    with np.errstate(all="ignore"):
        return next((one for one in _seen(result) if _is_possible(result.config, one)), None)


def _is_possible(config: Config, advice: Advice) -> bool:
    try:
        config.replace(**advice.changes)
    except RequestError:
        return False
    return True


def _seen(result: Result) -> Iterator[Advice]:
    config, rate = result.config, result.config.learning_rate
    if result.diverged_at is not None:
        yield Advice(
            f"it diverged at epoch {result.diverged_at}: steps at the learning rate {rate:g} go too far", _slower(rate)
        )
        return
    first = float(result.costs[0]) if len(result.costs) else np.nan
    if result.cost < SOLVED or result.train_accuracy == 1 or not np.isfinite(first):
        return
    stood = f"the cost did not move from {first:.3g}: " if abs(result.cost - first) <= STILL * first else ""
    yield from _still(result, stood)
    if found := _saturated(result):
        where = f"{100 * found.share:.0f} % of the outputs of layer {found.layer} are at the ends of their range"
        why = f"where slopes are nearly 0 (the gradient of layer 1 is {found.size:.0e})"
        yield Advice(f"{stood}{where}, {why}; steps at the learning rate {rate:g} went too far", _slower(rate))
    outputs = _outputs(result)[-1]
    if np.ptp(outputs, axis=0).max() < FLAT * np.ptp(_given(result)[1]):
        said = f"it says nearly the same for every example, {outputs.mean():.2g}, at a cost of {result.cost:.3g}: "
        if not config.hidden:
            yield Advice(f"{said}without hidden layers it divides them by a straight line", {"hidden": (4,)})
        elif config.data.task == "binary" and "error" in config.cost:
            yield Advice(f"{said}a plateau, on which the slope of the error is small", {"cost": "binary_cross_entropy"})
        else:
            yield Advice(f"{said}a plateau, which longer training may leave", {"epochs": 4 * config.epochs})


def _still(result: Result, stood: str) -> Iterator[Advice]:
    """Why a cost is still the first: no gradient comes to the first layer, or the rate makes nothing of it."""
    if not stood:
        return
    config, size = result.config, _gradient(build(result.config), result)
    if dead := _dead(result):
        yield Advice(
            f"{stood}all units of layer {dead} are 0 on every example, where ReLU has no slope",
            {"activation": "leaky_relu"},
        )
    elif size < SMALL and config.hidden:
        better = "he" if "relu" in config.activation else "xavier"
        said = f"with initializer {config.initializer} the gradient of layer 1 is {size:.0e}"
        yield Advice(f"{stood}{said}", {"initializer": better})
    elif (step := config.learning_rate * size) * result.epochs_run < FAR:
        said = f"at the learning rate {config.learning_rate:g} an update moves no weight by more than {step:.0e}"
        yield Advice(f"{stood}{said}", {"learning_rate": FIRST_RATES.get(config.optimizer, 1.0)})


def _slower(rate: float) -> dict[str, Any]:
    return {"learning_rate": float(f"{rate / 10:.3g}")}


def _given(result: Result) -> tuple[np.ndarray, np.ndarray, str]:
    """What it learnt from: inputs (examples, inputs), targets (examples, outputs), and by which cost."""
    problem = result.problem
    return problem.inputs(problem.train.X), problem.targets(problem.train.Y), result.config.cost


def _gradient(network: Network, result: Result) -> float:
    """The largest derivative by a weight of the first layer."""
    return float(np.abs(gradients(network, *_given(result))[1].weights[0]).max())


def _outputs(result: Result) -> list[np.ndarray]:
    """The outputs of every layer (examples, units)."""
    found, A, network = [], _given(result)[0].T, result.network
    for W, b, name in zip(network.weights, network.biases, network.activations, strict=True):
        A = get_activation(name)(W @ A + b)
        found.append(A.T)
    return found


def _dead(result: Result) -> int | None:
    """The first hidden layer of ReLU whose outputs are all 0."""
    hidden = zip(_outputs(result)[:-1], result.network.activations, strict=False)
    return next((number for number, (A, name) in enumerate(hidden, 1) if name == "relu" and not A.any()), None)


class Saturated(NamedTuple):
    """A layer, the share of its outputs that are at the ends of their range, and the largest derivative in the first."""

    layer: int
    share: float
    size: float


def _saturated(result: Result) -> Saturated | None:
    """The first layer that is, where no gradient is left."""
    size = _gradient(result.network, result)
    for number, (A, name) in enumerate(zip(_outputs(result), result.network.activations, strict=True), 1):
        if name in ENDS and size < LEFT:
            low, high = ENDS[name]
            share = float((np.minimum(A - low, high - A) < NEAR * (high - low)).mean())
            if share >= MOST:
                return Saturated(number, share, size)
    return None
