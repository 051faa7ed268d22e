"""Expressions as graphs: values, derivatives by the chain rule, and what is refused."""

import json

import numpy as np
import pytest
from scipy.differentiate import derivative

from sandbox import RequestError
from sandbox.graph.expression import expression_graph, variables
from sandbox.graph.operations import sigmoid

AS_PYTHON = {
    "(x^2+1)^3": lambda x: (x**2 + 1) ** 3,
    "a = x^2; b = 3*x; y = a*b": lambda x: 3 * x**3,
    "x^2^0.5": lambda x: x ** (2**0.5),
    "-x^2 + 2^x - x^x": lambda x: -(x**2) + 2**x - x**x,
    "sin(x)*cos(3*x)/tanh(x) - exp(-x)": lambda x: np.sin(x) * np.cos(3 * x) / np.tanh(x) - np.exp(-x),
    "log(sqrt(x) + abs(-x)) + softplus(x)": lambda x: np.log(np.sqrt(x) + x) + np.log1p(np.exp(x)),
    "u = 2*x; v = u + x; w = u*v + x; p = w/u; p - u": lambda x: ((2 * x) * (3 * x) + x) / (2 * x) - 2 * x,
    "z = 0.1*x + 0.6*x - pi; yhat = sigmoid(z); L = (1 - yhat)^2/2": lambda x: (1 - sigmoid(0.7 * x - np.pi)) ** 2 / 2,
    "relu(x) + e": lambda x: x + np.e,
    "x": lambda x: x,
    "+x": lambda x: x,
}


@pytest.mark.parametrize("text", AS_PYTHON)
def test_values_and_derivatives_are_those_of_finite_differences(text):
    function, points = AS_PYTHON[text], np.array([0.7, 1.0, 2.9])
    graph = expression_graph(text, {"x": points})
    assert np.allclose(np.broadcast_to(graph.loss.value, points.shape), function(points), rtol=1e-14)
    slopes = derivative(function, points).df  # extrapolated differences of many orders
    gradient = np.asarray(graph["x"].gradient)
    assert np.allclose(np.broadcast_to(gradient, points.shape), slopes, rtol=1e-8)
    for point, slope in zip(points, slopes, strict=True):  # number by number it is the same
        assert expression_graph(text, {"x": point})["x"].gradient == pytest.approx(slope, rel=1e-8)


def test_gradients_add_up_where_ways_meet():
    """Three equations of the texts: dy/dx = b da/dx + a db/dx."""
    graph = expression_graph("a = x^2; b = 3*x; y = a*b", {"x": 2})
    assert [(node.name, node.value.item()) for node in graph.nodes] == [("x", 2), ("a", 4), ("b", 6), ("y", 24)]
    flows = [edge.gradient for _, edge in graph.consumers[graph["x"]]]
    assert (flows, graph["x"].gradient) == ([6 * 4, 4 * 3], 36)


def test_each_variable_has_its_derivative():
    graph = expression_graph("x*y^z / (x + y)", {"x": 1.5, "y": 2.0, "z": 3.0})
    function = lambda p: p[0] * p[1] ** p[2] / (p[0] + p[1])  # noqa: E731
    for place, name in enumerate("xyz"):
        point = np.array([1.5, 2.0, 3.0])

        def along(value, place=place, point=point):
            return function([value if at == place else one for at, one in enumerate(point)])

        assert graph[name].gradient == pytest.approx(derivative(along, point[place]).df, rel=1e-9)


def test_names_that_are_taken_are_not_given_to_steps():
    graph = expression_graph("(u + v)^2 + y", {"u": 1, "v": 2, "y": 3})
    assert len({node.name for node in graph.nodes}) == len(graph.nodes)
    assert graph.loss.value == 12
    assert variables("v = u + pi; w = v*t; w + e") == ["t", "u"]


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("x^2", {}, "x has no value: --at x=1"),
        ("x^2", {"x": 1, "z": 2}, "no variable 'z'"),
        ("3 + 4", {}, "has no variable"),
        ("x +", {"x": 1}, "no expression"),
        ("import os", {"x": 1}, "no expression"),
        ("x.real", {"x": 1}, "is not known"),
        ("x[0]", {"x": 1}, "is not known"),
        ("x if x else 1", {"x": 1}, "is not known"),
        ("'x' * x", {"x": 1}, "is not known"),
        ("True * x", {"x": 1}, "is not known"),
        ("1j * x", {"x": 1}, "is not known"),
        ("gamma(x)", {"x": 1}, "unknown function 'gamma'"),
        ("sin(x, x)", {"x": 1}, "is not known"),
        ("__import__('os').system(x)", {"x": 1}, "is not known"),
        ("y = x; y = 2*x", {"x": 1}, "defined twice"),
        ("x; y = 2*x", {"x": 1}, "no equation"),
        ("sin = x", {"x": 1}, "no equation"),
        ("a = x;", {"x": 1}, "no expression"),
        ("+".join("x" * 240), {"x": 1}, "operations are too many"),
        ("x" * 501, {"x": 1}, "too long"),
        ("(" * 240 + "x" + ")" * 240, {"x": 1}, "no expression"),
        ("x\0", {"x": 1}, "no expression"),
    ],
)
def test_what_is_no_expression_is_refused_in_a_line(text, at, words):
    with pytest.raises(RequestError) as refused:
        expression_graph(text, at)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_command_prints_draws_and_tells(here, tmp_path):
    code, output, _ = here("explain", "(x^2+1)^3", "--at", "x=3", "--png", "power.png")
    assert (code, (tmp_path / "power.png").read_bytes()[:4]) == (0, b"\x89PNG")
    rows = [line.split() for line in output.splitlines()]
    assert ["y", "v^3", "1000"] in rows
    assert ["dy/dx", "u", "300", "2*x", "6", "1800"] in rows
    assert "y = 1000, dy/dx = 1800" in output
    told = json.loads(here("explain", "(x^2+1)^3", "--at", "x=3", "--json")[1])
    assert (told["value"], told["gradients"]) == (1000, {"x": 1800})
    nothing = json.loads(here("explain", "log(x)/x", "--at", "x=-1", "--json")[1])
    assert (nothing["value"], nothing["gradients"]) == (None, {"x": None})


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["(x^2+1)^3"], "is an expression: say where, such as --at x=1"),
        (["x^2", "--at", "x=1", "--hidden", "3"], "--hidden is for a network"),
        (["x^2", "--at", "x=1", "--batch"], "--batch is for a network"),
        (["x^2", "--at", "x"], "gives no name a number"),
        (["x^2", "--at", "x=1,x=2"], "x is given twice"),
        (["x^2", "--at", "x=nan"], "gives no name a number"),
        (["xr"], "unknown dataset 'xr'"),
    ],
)
def test_the_command_refuses_in_a_line(here, words, error):
    code, output, errors = here("explain", *words)
    assert (code, output) == (2, "")
    assert error in errors
    assert errors.count("\n") == 1
