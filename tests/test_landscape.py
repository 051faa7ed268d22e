"""Landscapes: the costs in them are the trainer's, by formulas of their own; and descent along them."""

import math

import numpy as np
import pytest

from sandbox import Config, RequestError, train
from sandbox.landscape import descend, objective_of, of_one, of_result, places_of, random_directions
from sandbox.nn import Network, Snapshots
from sandbox.plots.landscape import descent_figure, landscape_figure

OR = Config(dataset="or", hidden=(), epochs=300, l2=0.01)
GATE = train(OR, [Snapshots(range(0, 301, 50))])
X, Y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 1])


def by_hand(w1, w2, b, l2=0.01):
    """The cost of the OR gate, from its formula, with the penalty of its weights."""
    yhat = [1 / (1 + math.exp(-(w1 * x1 + w2 * x2 + b))) for x1, x2 in X]
    return sum((y - one) ** 2 for y, one in zip(Y, yhat, strict=True)) / 8 + l2 / 2 * (w1**2 + w2**2)


def test_costs_over_two_weights_are_those_of_the_formula():
    plane = of_result(GATE, ["W1[1,1]", "W1[1,2]"])
    bias = GATE.network.biases[0].item()
    for row, column in [(0, 0), (10, 50), (60, 60), (33, 7)]:
        w1, w2 = plane.grid[column, 0], plane.grid[row, 1]
        assert plane.costs[row, column] == pytest.approx(by_hand(w1, w2, bias), rel=1e-12)
    path = plane.paths["training"]
    assert np.allclose(path, [network.weights[0][0] for network in GATE.snapshots.values()])
    assert (path.min(0) > plane.grid[0]).all()
    assert (path.max(0) < plane.grid[-1]).all()


def test_heights_along_the_path_are_the_costs_of_training():
    free = train(OR.replace(l2=0.0), [Snapshots(range(0, 301, 50))])
    costs = np.append(free.costs, free.cost)[list(free.snapshots)]
    assert np.allclose(of_result(free).heights["training"], costs, rtol=1e-12)
    assert of_result(GATE).heights["training"][-1] == pytest.approx(GATE.cost + GATE.penalty, rel=1e-12)


def test_the_plane_of_the_path_holds_most_of_it_and_its_ends():
    result = train(Config(dataset="xor", hidden=(3,), epochs=2000), [Snapshots(range(0, 2001, 20))])
    plane, objective = of_result(result), objective_of(result)
    path = np.array([network.parameters for network in result.snapshots.values()])
    moved = path - path[-1]
    inside = plane.paths["training"]
    assert inside[-1] == pytest.approx([0, 0], abs=1e-12)
    lengths = np.linalg.svd(moved, compute_uv=False)
    assert (inside**2).sum() == pytest.approx((lengths[:2] ** 2).sum(), rel=1e-9)  # the most that any plane can hold
    assert plane.heights["training"] == pytest.approx(objective(path)[0], rel=1e-12)


def test_random_directions_are_as_long_as_each_unit():
    """Filter normalization: a whole step along one changes each unit's parameters by as much as they are."""
    result = train(Config(dataset="xor", hidden=(3,), epochs=50), [Snapshots([0, 25])])
    end = result.network.parameters
    axes = random_directions(end, result.network.sizes)
    for part in (slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 13)):
        assert np.linalg.norm(axes[:, part], axis=1) == pytest.approx([np.linalg.norm(end[part])] * 2)
    plane, objective = of_result(result, directions="random"), objective_of(result)
    a, b = plane.grid[5, 0], plane.grid[44, 1]
    assert plane.costs[44, 5] == pytest.approx(objective((end + a * axes[0] + b * axes[1])[None])[0][0], rel=1e-12)
    assert (plane.grid[0] <= -0.9).all()
    assert (plane.grid[-1] >= 0.9).all()


def test_slopes_are_those_of_differences():
    objective, P = objective_of(GATE), np.array([[0.3, -0.2, 0.1], [2.0, 1.0, -1.0]])
    costs, slopes = objective(P)
    assert costs == pytest.approx([by_hand(*row) for row in P], rel=1e-13)
    for place in range(3):
        step = 1e-6 * np.eye(3)[place]
        assert slopes[:, place] == pytest.approx((objective(P + step)[0] - objective(P - step)[0]) / 2e-6, rel=1e-6)


def test_descent_on_a_parabola_is_the_formula():
    """w^2 * 0.15: a step takes w to (1 - 0.3 rate) w, so that it comes down below 2 / 0.3 (LeCun 1998)."""

    def objective(points):
        return 0.15 * points[:, 0] ** 2, 0.3 * points

    for rate in (0.5, 5, 5e-10, 6.6, 6.7):
        path = descend(objective, [4.0], rate, 40)
        assert path[:, 0] == pytest.approx(4 * (1 - 0.3 * rate) ** np.arange(41), rel=1e-9, abs=1e-12)
    assert len(descend(objective, [4.0], 50, 40)) < 10  # it has left for good


def test_descent_along_one_weight_leaves_the_others():
    line = of_one(train(OR.replace(l2=0.0, epochs=1), [Snapshots([0])]), "W1[1,2]", [1.0, 100.0], 6)
    first = train(OR.replace(epochs=1), [Snapshots([0])]).snapshots[0]
    (w1, w2), b = first.weights[0][0], first.biases[0].item()
    assert line.paths["1"][0, 0] == w2
    assert line.heights["100"] == pytest.approx([by_hand(w1, w, b, 0) for w in line.paths["100"][:, 0]], rel=1e-12)
    slope = (by_hand(w1, w2 + 1e-6, b, 0) - by_hand(w1, w2 - 1e-6, b, 0)) / 2e-6
    assert line.paths["1"][1, 0] == pytest.approx(w2 - slope, rel=1e-7)


def test_pictures_have_what_they_name():
    line = of_one(GATE, "b1[1]", [0.5, 50.0], 5)
    figure = descent_figure(line)
    assert [axes.get_title() for axes in figure.axes] == [f"rate {name}: {line.ending(name)}" for name in ("0.5", "50")]
    plane = landscape_figure(of_result(GATE, ["W1[1,1]", "b1[1]"]), title="or")
    assert {axes.get_xlabel() for axes in plane.axes} >= {"W1[1,1]"}
    for drawn in (figure, plane):
        assert drawn._repr_png_()[:4] == b"\x89PNG"


def test_parameters_are_found_by_their_names():
    network = Network.from_parameters(
        [[[1, 2], [3, 4], [5, 6]], [[7, 8, 9]]], [[10, 11, 12], [13]], ["tanh", "sigmoid"]
    )
    names = ["W1[1,1]", "W1[3,2]", "W2[1,3]", "b1[2]", "b2[1]"]
    assert network.parameters[places_of(names, network)].tolist() == [1, 6, 9, 11, 13]
    for name in ("W1[4,1]", "W1[1,3]", "W3[1,1]", "b2[2]", "W1", "w1[1,1]", "W0[1,1]", "b1[0]"):
        with pytest.raises(RequestError, match="parameter"):
            places_of([name], network)
    with pytest.raises(RequestError, match="twice"):
        places_of(["b1[1]", "b1[1]"], network)


def test_what_has_no_path_is_refused():
    with pytest.raises(RequestError, match="no path"):
        of_result(train(OR.replace(epochs=1)))
    with pytest.raises(RequestError, match="two span a plane"):
        of_result(GATE, ["b1[1]"])
    with pytest.raises(RequestError, match="unknown directions"):
        of_result(GATE, directions="up")
