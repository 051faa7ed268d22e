"""Crosses: what they compute, how they are named, and that no text whatever gets past the grammar."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.data import add_crosses, parse_cross, parse_crosses
from sandbox.errors import RequestError

POINTS = [(0.5, -2.0), (-1.5, 3.0), (2.0, 0.25), (0.0, 1.0)]

BY_HAND = [
    ("x1*x2", "x1*x2", lambda a, b: a * b),
    ("x2 * x1", "x1*x2", lambda a, b: a * b),
    ("x1^2", "x1^2", lambda a, b: a * a),
    ("x1*x1", "x1^2", lambda a, b: a * a),
    (" x1 ^ 2 * x2 ", "x1^2*x2", lambda a, b: a * a * b),
    ("x1^1", "x1", lambda a, b: a),
    ("x02", "x2", lambda a, b: b),
    ("sin(x1)", "sin(x1)", lambda a, b: math.sin(a)),
    ("sin( x1 )*x2", "sin(x1)*x2", lambda a, b: math.sin(a) * b),
    ("x2*sin(x1)", "sin(x1)*x2", lambda a, b: math.sin(a) * b),
    ("sin(x1)*x1", "x1*sin(x1)", lambda a, b: math.sin(a) * a),
    ("cos(x2)", "cos(x2)", lambda a, b: math.cos(b)),
    ("tanh(x1*x2)^3", "tanh(x1*x2)^3", lambda a, b: math.tanh(a * b) ** 3),
    ("abs(x2)^9", "abs(x2)^9", lambda a, b: abs(b) ** 9),
    ("cos(sin(x2^2*x1)*x1)", "cos(x1*sin(x1*x2^2))", lambda a, b: math.cos(math.sin(b * b * a) * a)),
]


@pytest.mark.parametrize(("text", "name", "formula"), BY_HAND)
def test_value_and_canonical_name(text, name, formula):
    cross = parse_cross(text, 2)
    assert cross.name == name
    assert cross(np.array(POINTS)) == pytest.approx([formula(a, b) for a, b in POINTS])


def test_columns_are_counted_from_one_up_to_the_last():
    X = np.arange(24.0).reshape(2, 12)
    assert parse_cross("x12*x1", 12)(X).tolist() == [0.0, 23.0 * 12.0]


def test_precision_of_the_data_is_kept_and_whole_numbers_become_floats():
    cross = parse_cross("x1^2*x2", 2)
    assert cross(np.ones((3, 2), dtype=np.float32)).dtype == np.float32
    assert cross(np.array([[3, 2]])).dtype == np.float64


def test_a_cross_does_not_touch_the_data():
    X = np.array(POINTS)
    parse_cross("x1", 2)(X)[:] = 9
    add_crosses(X, ())[:] = 9
    assert X.tolist() == [list(point) for point in POINTS]


def test_add_crosses_appends_columns_in_order():
    wide = add_crosses(np.array([[2.0, 3.0], [4.0, 5.0]]), parse_crosses(["x1*x2", "x2^2"], 2))
    assert wide.tolist() == [[2, 3, 6, 9], [4, 5, 20, 25]]
    assert add_crosses(np.ones((4, 2)), ()).shape == (4, 2)


def test_equal_names_make_equal_crosses_which_travel_between_processes():
    cross = parse_cross("sin(x1)*x2^2", 2)
    other = pickle.loads(pickle.dumps(cross))
    assert other == cross
    assert hash(other) == hash(parse_cross("x2^2*sin(x1)", 2))
    assert cross != parse_cross("sin(x1)*x2", 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "found its end"),
        ("   ", "found its end"),
        (
            "x9*x1",
            "expected x1, x2 or one of sin(...), cos(...), tanh(...), abs(...), found 'x9' at character 1",
        ),
        ("x1*x0", "found 'x0' at character 4"),
        ("x1**", "found '*' at character 4"),
        ("x1**2", "found '*' at character 4"),
        ("x1*", "found its end"),
        ("x1 x2", "expected '*', '^' or the end, found 'x2' at character 4"),
        ("x1^10", "expected a power from 1 to 9, found '10'"),
        ("x1^0", "expected a power from 1 to 9"),
        ("x1^-1", "found '-'"),
        ("x1^2^2", "found '^' at character 5"),
        ("x1^9*x1", "x1 has the power 10 in all"),
        ("x1+x2", "found '+'"),
        ("3*x1", "found '3'"),
        ("(x1)", "found '('"),
        ("sin x1", "expected '('"),
        ("sin()", "found ')' at character 5"),
        ("sin(x1", "expected '*', '^' or ')', found its end"),
        ("sqrt(x1)", "found 'sqrt'"),
        ("X1", "found 'X1'"),
        ("__import__('os')", "found '__import__'"),
        ("x1\n*\nx9", "found 'x9' at character 6"),
        ("x\u0661", "found 'x\u0661'"),
        ("x1*" * 500 + "x1", "at most 200"),
        ("sin(" * 20 + "x1" + ")" * 20, "nested more than 10"),
        ("sin(" * 100_000, "at most 200"),
        ("x" + "1" * 150, "expected x1, x2"),
        (None, "a cross is text"),
        (b"x1", "a cross is text"),
    ],
)
def test_wrong_text_gets_one_line_that_says_where(text, says):
    with pytest.raises(RequestError) as caught:
        parse_cross(text, 2)
    message = str(caught.value)
    assert says in message
    assert "\n" not in message
    assert len(message) < 300


def test_many_columns_are_named_by_their_range():
    with pytest.raises(RequestError, match="expected x1 to x64 or one of"):
        parse_cross("x65", 64)


@pytest.mark.parametrize("texts", [["x1*x2", "x2 * x1"], ["x1^2", "x1*x1"], ["sin(x1)", "sin( x1)"]])
def test_the_same_cross_twice_is_refused(texts):
    with pytest.raises(RequestError, match="is there already"):
        parse_crosses(texts, 2)


@pytest.mark.parametrize("texts", ["x1*x2", None, 3])
def test_crosses_are_a_list(texts):
    with pytest.raises(RequestError, match="crosses are a list"):
        parse_crosses(texts, 2)


PIECES = [
    "x1",
    "x2",
    "x3",
    "x",
    "*",
    "^",
    "2",
    "9",
    "10",
    "(",
    ")",
    "sin",
    "cos(",
    "tanh(",
    "abs(",
    " ",
    "\n",
    ".",
]


@settings(deadline=None)
@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_is_a_cross_or_a_clean_error(text):
    try:
        cross = parse_cross(text, 2)
    except RequestError as error:
        message = str(error)
    else:
        message = cross.name
        assert cross(np.array(POINTS)).shape == (4,)
    assert len(message.splitlines()) == 1


ATOMS = st.sampled_from(["x1", "x2", "x3"])
FACTORS = st.recursive(
    st.tuples(ATOMS, st.integers(1, 3)),
    lambda inner: st.tuples(
        st.tuples(st.sampled_from(["sin", "cos", "tanh", "abs"]), st.lists(inner, min_size=1, max_size=2)),
        st.integers(1, 3),
    ),
    max_leaves=4,
)


def written(factor):
    atom, power = factor
    inside = atom if isinstance(atom, str) else f"{atom[0]}( {' * '.join(map(written, atom[1]))} )"
    return f"{inside}^ {power}"


def value(factor, point):
    atom, power = factor
    if isinstance(atom, str):
        return point[int(atom[1]) - 1] ** power
    return getattr(np, atom[0])(math.prod(value(inner, point) for inner in atom[1])) ** power


@settings(deadline=None)
@given(st.lists(FACTORS, min_size=1, max_size=3))
def test_random_expressions_against_a_tree_walk(factors):
    text = "*".join(map(written, factors))
    if len(text) > 200:
        return
    cross = parse_cross(text, 3)
    point = (0.7, -1.1, 0.4)
    expected = math.prod(value(factor, point) for factor in factors)
    assert cross(np.array([point]))[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert parse_cross(cross.name, 3) == cross
    assert " " not in cross.name
