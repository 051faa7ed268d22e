"""The cost as a landscape: along one weight with the steps of descent, or over a plane with the path of training.

The plane is of two chosen weights, or of two directions through the end of training: the two along which the path is longest
(its principal components), or random ones, each unit's part as long as that unit's own parameters are ("filter
normalization"; both of Li, Xu, Taylor, Studer and Goldstein 2018, "Visualizing the Loss Landscape of Neural Nets").
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from sandbox.errors import RequestError, choose, one_line
from sandbox.nn.gradients import gradients
from sandbox.nn.network import Network, split_layers
from sandbox.result import Result

SIDE, ALONG = 61, 401  # points of a side of a plane, and of a line
TRAINING = "training"  # the path of a result
CHUNK = 500_000  # numbers in a layer's outputs, of many networks at once
DIRECTIONS = {
    "path": ("the path's first component", "its second"),
    "random": ("one random direction", "another"),
}
FAR = 1e8  # where descent has left for good
PLACE = re.compile(r"(?:W([1-9]\d{0,3})\[([1-9]\d{0,5}),([1-9]\d{0,5})\]|b([1-9]\d{0,3})\[([1-9]\d{0,5})\])")

Objective = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Points (R, n) to costs (R,) and slopes (R, n)."""


@dataclass(frozen=True, eq=False)
class Landscape:
    """Costs (N,) along a line, or (N, N) over a plane, at `grid` (N, n), the values of each axis; n is 1 or 2.

    `paths` are points (steps + 1, n), with `heights` (steps + 1,), the costs there, by what they are called. In a plane
    that does not hold the path, it is what the path throws on it, and `heights` are the true ones.
    """

    names: tuple[str, ...]
    grid: np.ndarray
    costs: np.ndarray
    paths: dict[str, np.ndarray]
    heights: dict[str, np.ndarray]
    label: str = "cost"

    @property
    def flat(self) -> bool:
        """Whether it is a plane, and not a line."""
        return len(self.names) == 2

    def ending(self, name: str) -> str:
        """How descent along a line ends: in a word or two."""
        path, heights, (low, high) = self.paths[name][:, 0], self.heights[name], self.grid[[0, -1], 0]
        if not low <= path[-1] <= high and heights[-1] > heights[0]:
            return "leaves"
        steps = np.diff(path)
        if abs(path[-1] - path[0]) < 1e-3 * (high - low):
            return "hardly moves"
        turns = np.diff(np.sign(steps[np.abs(steps) > 1e-9 * (high - low)])).any()
        return "overshoots" if turns or not low <= path[1] <= high else "comes down"


def descend(objective: Objective, start: ArrayLike, rate: float, steps: int) -> np.ndarray:
    """The points (steps + 1, n) of gradient descent from `start`; where it has left for good they end.

    >>> descend(lambda P: ((P**2 / 10).sum(1), P / 5), [4.0], 5, 3).ravel().round(9).tolist()
    [4.0, 0.0, 0.0, 0.0]
    """
    points = [np.array(start, float)]
    with np.errstate(all="ignore"):
        for _ in range(steps):
            _, slope = objective(points[-1][None])
            following = points[-1] - rate * slope[0]
            if not np.isfinite(following).all() or np.abs(following).max() > FAR:
                break
            points.append(following)
    return np.array(points)


def around(
    objective: Objective,
    names: Sequence[str],
    paths: dict[str, np.ndarray],
    *,
    span: float = 0.25,
    label: str = "cost",
    mirrored: bool = True,
) -> Landscape:
    """The landscape in which these paths lie: of one name or two, wide enough for all that does not leave it.

    The margin is the share `span` of that; `mirrored`, it reaches as far beyond the lowest point as it was to there.
    """
    heights = {}
    with np.errstate(all="ignore"):
        for name, path in paths.items():
            heights[name] = objective(path)[0]
        grid = _grid(paths, heights, SIDE if len(names) == 2 else ALONG, span, mirrored)
        points = np.stack([axis.ravel() for axis in np.meshgrid(*grid.T)], axis=-1)
        costs = objective(points)[0].reshape((len(grid),) * len(names))
    return Landscape(tuple(names), grid, costs, paths, heights, label)


def of_result(result: Result, chosen: Sequence[str] = (), directions: str = "path") -> Landscape:
    """The cost of a trained network over a plane, with the path that its snapshots leave.

    `chosen` are two parameters, such as W1[1,2] (of layer 1, unit 1, input 2) and b2[1]; the others stay as they were at the
    end. Without them the plane is that of `directions`: path or random. Raises RequestError where there is no such
    parameter, or no path.

    >>> from sandbox import Config, train
    >>> from sandbox.nn import Snapshots
    >>> result = train(Config(dataset="or", hidden=(), epochs=50), [Snapshots(range(0, 51, 10))])
    >>> plane = of_result(result, ["W1[1,1]", "W1[1,2]"])
    >>> plane.costs.shape, plane.heights["training"].shape
    ((61, 61), (6,))
    """
    networks = [network.parameters.astype(float) for network in result.snapshots.values()]
    path = np.array([one for one in networks if np.isfinite(one).all()])
    if len(path) < 2:
        raise RequestError("there is no path to show: the network did not move, or diverged at once")
    objective, end, label = objective_of(result), path[-1], result.config.cost.replace("_", " ")
    if chosen:
        places = places_of(chosen, result.network)
        if len(places) != 2:
            raise RequestError(f"{len(places)} parameters are chosen: two span a plane")
        axes, names, span = np.eye(len(end))[places], tuple(chosen), 0.25
        origin, inside = end * ~axes.any(0), path[:, places]
    else:
        choose("directions", directions, DIRECTIONS)
        axes = _principal(path - end) if directions == "path" else random_directions(end, result.network.sizes)
        names, span = (
            tuple(f"along {DIRECTIONS[directions][at]}" for at in range(2)),
            0.25 if directions == "path" else 1.0,
        )
        origin, inside = end, (path - end) @ np.linalg.pinv(axes)

    def cost(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        costs, slopes = objective(origin + points @ axes)
        return costs, slopes @ axes.T

    found = around(cost, names, {TRAINING: inside}, span=span, label=label, mirrored=False)
    true = objective(path)[0]
    return Landscape(names, found.grid, found.costs, found.paths, {TRAINING: true}, label)


def of_one(result: Result, chosen: str, rates: Sequence[float], steps: int) -> Landscape:
    """The cost along one parameter, the others as they were at the start, and descent of that one at each rate."""
    first = next(iter(result.snapshots.values()), result.network)
    start, whole = first.parameters.astype(float), objective_of(result)
    (place,) = places_of([chosen], result.network)

    def along(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moved = np.repeat(start[None], len(points), axis=0)
        moved[:, place] = points[:, 0]
        costs, slopes = whole(moved)
        return costs, slopes[:, [place]]

    paths = {f"{rate:g}": descend(along, start[[place]], rate, steps) for rate in rates}
    return around(along, [chosen], paths, label=result.config.cost.replace("_", " "))


def objective_of(result: Result) -> Objective:
    """The cost of the training examples, with its penalty, by all parameters of a network."""
    config, problem, network = result.config, result.problem, result.network
    X, Y = problem.inputs(problem.train.X), problem.targets(problem.train.Y)
    at_once = max(1, CHUNK // (len(X) * max(network.sizes)))

    def some(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        replicas = Network(network.sizes, network.activations, parameters)
        costs, slopes = gradients(replicas, X, Y, config.cost, l1=config.l1, l2=config.l2)
        return costs, slopes.parameters

    def objective(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(all="ignore"):
            parts = [some(parameters[at : at + at_once]) for at in range(0, len(parameters), at_once)]
        return np.concatenate([costs for costs, _ in parts]), np.concatenate([slopes for _, slopes in parts])

    return objective


def places_of(names: Sequence[str], network: Network) -> list[int]:
    """Where the parameters called so are among all: W1[1,2] is layer 1, unit 1, input 2; b2[1] the bias of layer 2, unit 1.

    >>> places_of(["W1[1,2]", "b1[1]"], Network.initialize([2, 1], ["sigmoid"]))
    [1, 2]
    """
    numbers, places = split_layers(np.arange(network.parameters.shape[-1]), network.sizes), []
    for name in names:
        found = PLACE.fullmatch(name)
        if found is None:
            raise RequestError(
                f"{one_line(name)} names no parameter: W1[1,2] is layer 1, unit 1, input 2; b1[1] a bias"
            )
        layer, unit, source = (int(part) for part in (found[1] or found[4], found[2] or found[5], found[3] or 0))
        block = numbers[layer - 1] if layer <= len(numbers) else np.empty((0, 0))
        if unit > len(block) or source > block.shape[1] - 1:
            shape = "-".join(map(str, network.sizes))
            raise RequestError(f"{name} is no parameter of the network {shape} (layer, unit, input)")
        places.append(int(block[unit - 1, source - 1]))  # the bias comes last
    if len(set(places)) < len(places):
        raise RequestError(f"{names[0]} is given twice")
    return places


def _grid(
    paths: dict[str, np.ndarray], heights: dict[str, np.ndarray], count: int, span: float, mirrored: bool
) -> np.ndarray:
    """Values (count, n) of the axes: around start and lowest point, and all that does not go far beyond."""
    points, costs = np.concatenate(list(paths.values())), np.concatenate(list(heights.values()))
    start = points[0]
    best = points[np.nanargmin(costs)] if np.isfinite(costs).any() else start
    reach = 3 * np.maximum(np.abs(best - start), 1e-12)
    near = points[(np.abs(points - best) <= reach).all(-1)] if mirrored else points
    corners = np.concatenate([near, start[None], best[None], *([2 * best[None] - start] if mirrored else [])])
    low, high = corners.min(0), corners.max(0)
    wide = np.where(high - low > 1e-6 * np.maximum(np.abs(low), 1.0), high - low, 1.0)
    margin = np.full_like(wide, span) * (wide if span < 1 else np.maximum(wide, 1.0))
    return np.linspace(low - margin, high + margin, count)


def _principal(path: np.ndarray) -> np.ndarray:
    """The two directions (2, P) along which a path (steps, P) is longest."""
    if path.shape[1] < 2:
        raise RequestError("the network has one parameter: choose it, and see the steps along it")
    _, _, directions = np.linalg.svd(path, full_matrices=path.shape[0] < 2)
    return directions[:2]


def random_directions(end: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Two random directions (2, P), each unit's part as long as the unit's own parameters."""
    directions = np.random.default_rng(0).standard_normal((2, len(end)))
    at = 0
    for n_in, n_out in pairwise(sizes):
        for _ in range(n_out):
            part = slice(at, at := at + n_in + 1)
            directions[:, part] *= np.linalg.norm(end[part]) / np.linalg.norm(
                directions[:, part], axis=1, keepdims=True
            )
    return directions
