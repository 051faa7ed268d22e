"""What training is given, looked at before it starts: wrong requests are answered in one line."""

from typing import Any

import numpy as np

from sandbox.errors import RequestError, one_line
from sandbox.nn.costs import get_cost
from sandbox.nn.network import Network
from sandbox.nn.workspace import Settings


def check_replicas(lead: tuple[int, ...], settings: Settings, rng: Any) -> None:
    """Raises RequestError where what is given one by one is not one for each replica."""
    names = ("learning_rate", "schedule", "l1", "l2", "weight_decay")
    given = {name: np.shape(getattr(settings, name)) for name in names}
    for name, shape in given.items():
        if shape not in ((), lead):
            raise RequestError(f"{name} has shape {shape} for replicas {lead}: give one for all, or one for each")
    if isinstance(rng, list) and (len(rng),) != (lead or (1,)):
        raise RequestError(f"rng holds {len(rng)} generators for replicas {lead}: give one for each")


def check_numbers(dtype: Any, **numbers: Any) -> None:
    """Raises RequestError for a number, or one of several, that is too large for arrays of this type.

    Data and first weights may be: such a network diverges, and says so. An infinite rate would turn zeros into NaN.
    """
    largest = float(np.finfo(dtype).max)
    for name, value in numbers.items():
        if np.any(np.abs(value) > largest):
            raise RequestError(f"{name} is {one_line(value)}: {np.dtype(dtype)} has numbers up to {largest:.2g}")


def check_data(network: Network, X: Any, Y: Any, cost: str) -> tuple[np.ndarray, np.ndarray]:
    """X and Y with the examples last, in the network's type. Raises RequestError where the shapes do not fit."""
    dtype, (n_in, n_out) = network.parameters.dtype, (network.sizes[0], network.sizes[-1])
    with np.errstate(over="ignore"):  # numbers too large for float32: such a network diverges, and says so
        X, Y = np.asarray(X, dtype), np.atleast_1d(np.asarray(Y, dtype))
    if X.ndim < 2 or X.shape[-1] != n_in:
        raise RequestError(f"X has shape {X.shape}: (examples, {n_in}) is needed")
    wanted = (X.shape[-2], n_out)
    if wanted[0] == 0:
        raise RequestError(f"X has shape {X.shape}: at least one example is needed")
    if Y.ndim == 1 or (Y.shape[-2:] != wanted and (Y.shape[-1], 1) == wanted):  # one output may go without its axis
        Y = Y[..., None]
    if Y.shape[-2:] != wanted:
        raise RequestError(f"Y has shape {Y.shape}: {wanted} is needed")
    for data in (X, Y):
        if data.ndim > 2 and data.shape[:-2] != network.lead:
            raise RequestError(f"data of shape {data.shape} for replicas {network.lead}: the leading axes must agree")
    needed = get_cost(cost).output
    if needed and network.activations[-1] != needed:
        raise RequestError(
            f"cost {cost!r} is computed from the logits of a {needed} output, not {network.activations[-1]}"
        )
    return np.ascontiguousarray(X.mT), np.ascontiguousarray(Y.mT)
