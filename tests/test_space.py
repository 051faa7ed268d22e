"""The search space as it is typed and as it is declared."""

import math

import numpy as np
import pytest
from scipy.stats import kstest

from sandbox import Config, RequestError
from sandbox.space import (
    Choice,
    Range,
    arms,
    choice,
    fields_of,
    grid_points,
    log_grid,
    parse_dimension,
    sampled_points,
    to_config,
)


@pytest.mark.parametrize(
    ("text", "name", "dimension"),
    [
        ("learning_rate=0.001..10:log", "learning_rate", Range(0.001, 10.0, log=True)),
        ("learning-rate=0.1..1", "learning_rate", Range(0.1, 1.0)),
        ("l2=1e-5..1e-1:log", "l2", Range(1e-5, 0.1, log=True)),
        ("epochs=100..1000", "epochs", Range(100, 1000, integer=True)),
        ("batch_size=1..64:log", "batch_size", Range(1, 64, log=True, integer=True)),
        ("learning_rate=1..10:int", "learning_rate", Range(1.0, 10.0, integer=True)),
        ("noise = 0..0.5", "noise", Range(0.0, 0.5)),
        ("initializer=plain,xavier", "initializer", Choice(("plain", "xavier"))),
        ("learning_rate=0.1,1", "learning_rate", Choice((0.1, 1.0))),
        ("learning_rate=0.1|1", "learning_rate", Choice((0.1, 1.0))),
        ("hidden=8|8,8", "hidden", Choice(((8,), (8, 8)))),
        ("hidden=none,8", "hidden", Choice(((), (8,)))),
        ("crosses=none,x1*x2", "crosses", Choice(((), ("x1*x2",)))),
        ("hidden=none|8|8,8", "hidden", Choice(((), (8,), (8, 8)))),
        ("crosses=none|x1*x2|x1*x2,sin(x1)", "crosses", Choice(((), ("x1*x2",), ("x1*x2", "sin(x1)")))),
        ("batch_size=none,16", "batch_size", Choice((None, 16))),
    ],
)
def test_a_dimension_as_people_type_it(text, name, dimension):
    assert parse_dimension(text) == (name, dimension)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("learning_rate", "write FIELD="),
        ("learning_rate=", "write FIELD="),
        ("=1,2", "unknown field of Config ''"),
        ("learning_rat=0.1,1", "did you mean 'learning_rate'"),
        ("learning_rat=0.1..1", "did you mean 'learning_rate'"),
        ("learning_rate=0.1..1:lgo", "did you mean 'log'"),
        ("learning_rate=a..b", "a number is needed"),
        ("learning_rate=1..2..3", "a number is needed"),
        ("learning_rate=1..0.1", "must be below"),
        ("learning_rate=1..1", "must be below"),
        ("learning_rate=0..1:log", "starts above 0"),
        ("learning_rate=0.1..inf", "must be below"),
        ("epochs=10..20.5", "a whole number is needed"),
        ("epochs=ten,twenty", "a whole number is needed"),
        ("initializer=plain..he", "has no range"),
        ("hidden=4..16", "has no range"),
        ("hidden=8,x|4", "whole number"),
        ("hidden=1,2,3", r"is one value of several parts: put bars between values, hidden=1\|2\|3"),
        ("crosses=x1*x2,x1^2", r"put bars between values, crosses=x1\*x2\|x1\^2"),
        ("hidden=8", "is one value: give two or more, or say --hidden 8"),
        ("learning-rate=0.1", "is one value: give two or more, or say --learning-rate 0.1"),
    ],
)
def test_a_dimension_that_makes_no_sense_is_one_line(text, why):
    with pytest.raises(RequestError, match=why) as caught:
        parse_dimension(text)
    assert "\n" not in str(caught.value)


def test_a_range_is_spread_evenly_or_evenly_on_a_log_scale():
    places = (np.arange(1000) + 0.5) / 1000
    even = np.array([Range(2.0, 6.0).pick(u) for u in places])
    assert np.allclose(np.quantile(even, [0.25, 0.5, 0.75]), [3, 4, 5], atol=0.01)
    logarithmic = np.array([Range(0.001, 10.0, log=True).pick(u) for u in places])
    assert np.allclose(np.quantile(np.log10(logarithmic), [0.25, 0.5, 0.75]), [-2, -1, 0], atol=0.01)


@pytest.mark.parametrize("log", [False, True])
def test_whole_numbers_reach_both_ends(log):
    picked = [Range(1, 4, log=log, integer=True).pick(u) for u in (np.arange(1000) + 0.5) / 1000]
    assert set(picked) == {1, 2, 3, 4}
    assert {type(value) for value in picked} == {int}
    if not log:
        assert [picked.count(value) for value in (1, 2, 3, 4)] == [250] * 4


@pytest.mark.parametrize("log", [False, True])
def test_rounding_stays_within_the_range(log):
    narrow = Range(0.123456789, 0.123457123, log=log)
    for u in (0.0, 0.5, math.nextafter(1, 0)):
        assert 0.123456789 <= narrow.pick(u) <= 0.123457123


def test_a_choice_has_equal_shares_in_its_order():
    picked = [choice("a", "b", "c").pick(u) for u in (np.arange(300) + 0.5) / 300]
    assert picked == ["a"] * 100 + ["b"] * 100 + ["c"] * 100
    assert choice("a", "b").pick(math.nextafter(1, 0)) == "b"
    with pytest.raises(RequestError, match="at least one value"):
        choice()


def test_log_grid():
    assert log_grid(0.001, 10, 5).values == (0.001, 0.01, 0.1, 1.0, 10.0)
    assert log_grid(0.001, 10, 9).values[1] == 0.00316  # three digits of 0.0031622...


def test_a_point_becomes_a_config():
    space = {
        "hidden": choice((), (8, 8)),
        "crosses": choice(("x1*x2", "x1^2"), ()),
        "batch_size": choice(None, 4),
        "learning_rate": Range(0.1, 1.0),
    }
    point = {"hidden": "8,8", "crosses": "x1*x2,x1^2", "batch_size": "none", "learning_rate": 0.25}
    config = to_config(Config(dataset="circle", epochs=10, seed=7), space, point)
    assert config == Config(
        dataset="circle",
        epochs=10,
        hidden=(8, 8),
        crosses=("x1*x2", "x1^2"),
        batch_size=None,
        learning_rate=0.25,
        seed=7,
    )


def test_an_arm_sets_several_fields():
    features = arms({"cross": {"hidden": (), "crosses": ("x1*x2",)}, "hidden": {"hidden": (4,), "crosses": ()}})
    assert grid_points({"arm": features}) == [{"arm": "cross"}, {"arm": "hidden"}]
    assert fields_of("arm", features) == {"hidden", "crosses"}
    cross, hidden = (to_config(Config(), {"arm": features}, {"arm": arm}) for arm in ("cross", "hidden"))
    assert (cross.hidden, cross.crosses) == ((), ("x1*x2",))
    assert (hidden.hidden, hidden.crosses) == ((4,), ())
    with pytest.raises(RequestError, match="unknown arm 'crosss': did you mean 'cross'"):
        features.changes("arm", "crosss")


def test_a_grid_has_every_combination_the_last_dimension_moving_fastest():
    points = grid_points({"hidden": choice((), (8,)), "learning_rate": choice(0.1, 1.0)})
    assert [tuple(point.values()) for point in points] == [
        ("none", 0.1),
        ("none", 1.0),
        ("8", 0.1),
        ("8", 1.0),
    ]
    with pytest.raises(RequestError, match="a grid needs values"):
        grid_points({"learning_rate": Range(0.1, 1.0)})


def test_values_that_are_numbers_stay_numbers_and_others_are_text():
    assert choice(1, 0.5).grid() == [1, 0.5]
    assert choice(None, 16).grid() == ["none", "16"]
    assert choice("plain", "he").grid() == ["plain", "he"]
    assert [choice(None, 16).changes("batch_size", text) for text in ("none", "16")] == [
        {"batch_size": None},
        {"batch_size": 16},
    ]


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_sampled_points_take_an_axis_for_each_dimension(sampler):
    points = sampled_points({"a": choice("x", "y"), "b": Range(0.0, 10.0)}, sampler, 256)
    assert len(points) == 256
    halves = {name: [point["b"] for point in points if point["a"] == name] for name in ("x", "y")}
    for values in halves.values():
        assert 90 < len(values) < 166
        assert kstest(values, "uniform", args=(0, 10)).pvalue > 0.001


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_points_are_drawn_once_and_a_space_of_few_gives_what_it_has(sampler):
    points = sampled_points({"a": choice("x", "y"), "b": choice(1, 2, 3)}, sampler, 40)
    assert sorted((point["a"], point["b"]) for point in points) == [(a, b) for a in "xy" for b in (1, 2, 3)]
