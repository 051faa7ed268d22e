"""Data from formulas, and what is no formula."""

import numpy as np
import pytest

from sandbox import Config, RequestError
from sandbox.data import load_dataset, load_parts
from sandbox.data.formula import formula


@pytest.mark.parametrize(
    ("text", "name", "holds"),
    [
        ("y > sin(x1)", "x2>sin(x1)", lambda x, y: y > np.sin(x)),
        ("x2>sin( x )", "x2>sin(x1)", lambda x, y: y > np.sin(x)),
        ("x*y < 3", "x1*x2<3", lambda x, y: x * y < 3),
        ("-1.5 < abs(x1)*y", "-1.5<abs(x1)*x2", lambda x, y: np.abs(x) * y > -1.5),
        ("x^2 > y^2", "x1^2>x2^2", lambda x, y: x**2 > y**2),
    ],
)
def test_a_question_about_points_of_a_square(text, name, holds):
    data = load_dataset(text, n=400, seed=3)
    assert (data.name, data.task, data.X.shape) == (name, "binary", (400, 2))
    np.testing.assert_array_equal(data.Y[:, 0], holds(*data.X.T))
    assert np.abs(data.X).max() <= 6
    assert np.abs(data.X).max() > 5.9
    config = Config(dataset=text)
    assert config.dataset == name
    assert config == Config.from_params(config.params())
    assert config.key != Config(dataset="circle").key


def test_a_target():
    data = load_dataset("y = x1*sin(x2)", n=50)
    assert data.task == "regression"
    np.testing.assert_allclose(data.Y[:, 0], data.X[:, 0] * np.sin(data.X[:, 1]))
    assert load_dataset("y=x^3").X.shape == (500, 1)


def test_noise_moves_the_point_that_is_asked_about():
    parts = load_parts("y > sin(x1)", n=2000, noise=0.1)
    wrong = [
        (part.Y[:, 0] != (part.X[:, 1] > np.sin(part.X[:, 0]))).mean() for part in (parts.train, parts.test) if part
    ]
    assert all(0.01 < share < 0.15 for share in wrong)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x1 > 7", "true nowhere"),
        ("x1^2 > -1", "true everywhere"),
        ("x1 > x1", "true nowhere"),
        ("x1 >", "found its end"),
        ("> x1", "found its end"),
        ("x1 >= 2", "one of >, < and = is needed"),
        ("1 < x1 < 2", "one of >, < and = is needed"),
        ("z > x1", "found 'z'"),
        ("x3 > x1", "found 'x3'"),
        ("x1 = y", "write y = ..."),
        ("y = y", "expected x1, x2"),
        ("y > __import__(x1)", "found '__import__'"),
        ("y > 1e999", "true nowhere"),
        ("y > sin(x1" + ")" * 300, "characters"),
    ],
)
def test_what_is_none_is_one_line(text, says):
    with pytest.raises(RequestError, match=r"^[^\n]*$") as error:
        formula(text)
    assert says in str(error.value)
