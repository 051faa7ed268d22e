"""What points are called: in full, and briefly."""

import pytest

from sandbox.space import Range, arms, choice, grid_points, sampled_points
from sandbox.sweeps.points import brief, describe


def test_a_point_in_words():
    point = {"arm": "cross x1*x2", "learning_rate": 0.123456, "hidden": "8,8", "batch_size": 16}
    assert describe(point) == "cross x1*x2, learning_rate=0.1235, hidden=8,8, batch_size=16"


@pytest.mark.parametrize(
    ("space", "names"),
    [
        ({"hidden": choice((), (8,), (8, 8))}, ["no layers", "8", "8,8"]),
        ({"dataset": choice("or", "xor"), "activation": choice("tanh")}, ["or tanh", "xor tanh"]),
        ({"batch_size": choice(None, 16)}, ["full batch", "batch 16"]),
        ({"crosses": choice((), ("x1*x2", "x1^2"))}, ["no crosses", "x1*x2,x1^2"]),
        ({"patience": choice(None, 5)}, ["patience none", "patience 5"]),
        ({"arm": arms({"one": {"hidden": (2,)}, "no crosses, much else": {}})}, ["one", "no crosses, much else"]),
        ({"learning_rate": choice(0.125, 0.1251)}, ["rate 0.125", "rate 0.1251"]),
        ({"learning_rate": choice(1, 10, 100000, 3e-05)}, ["rate 1", "rate 10", "rate 100000", "rate 3e-05"]),
        ({"l2": choice(0.0, 0.3333333)}, ["l2 0", "l2 0.33"]),
        ({"learning_rate": choice(0.12345678901, 0.12345678902)}, ["rate 0.12345678901", "rate 0.12345678902"]),
        ({"activation": choice("mine:bent", "relu")}, ["bent", "relu"]),
        ({"activation": choice("mine:bent", "yours:bent")}, ["mine:bent", "yours:bent"]),
        ({"activation": choice("sigmoid"), "l1": choice(0.1, 1)}, ["l1 0.1 sigmoid", "l1 1 sigmoid"]),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, dict) else None,
)
def test_brief_names_are_what_varies_the_shortest_first(space, names):
    points = grid_points(space)
    assert list(map(brief(space, points), points)) == names


def test_of_a_range_two_digits_are_enough_until_they_are_not():
    space = {"hidden": choice((8,), (8, 8)), "learning_rate": Range(0.005, 0.05, log=True)}
    point = {"hidden": "8,8", "learning_rate": 0.0165512}
    assert brief(space, [point])(point) == "8,8 rate 0.017"
    assert brief(space, [point, {**point, "learning_rate": 0.0174812}])(point) == "8,8 rate 0.0166"
    assert brief(space, [])(point) == "8,8 rate 0.01655"
    for count in (1, 10, 100, 1000):
        points = sampled_points(space, "sobol", count)
        assert len(set(map(brief(space, points), points))) == count
