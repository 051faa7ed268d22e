"""What a wrong request gets: one line with the nearest and all valid names."""

import numpy as np
import pytest

from sandbox import RequestError
from sandbox.errors import choose, is_number, one_line

TABLE = {"plain": 1, "xavier": 2, "he": 3}


def test_choose_finds_the_entry():
    assert choose("initializer", "xavier", TABLE) == 2


def test_choose_names_the_nearest_and_all_valid_names():
    with pytest.raises(RequestError) as error:
        choose("initializer", "xaver", TABLE)
    assert str(error.value) == "unknown initializer 'xaver': did you mean 'xavier'? Valid: plain, xavier, he"


def test_choose_without_anything_near():
    with pytest.raises(RequestError) as error:
        choose("initializer", "quux", TABLE)
    assert str(error.value) == "unknown initializer 'quux': Valid: plain, xavier, he"


@pytest.mark.parametrize("name", [None, 3, ["plain"], {"plain": 1}, "two\nlines", ""])
def test_choose_refuses_what_is_no_name_in_one_line(name):
    with pytest.raises(RequestError, match="Valid: plain, xavier, he") as error:
        choose("initializer", name, TABLE)
    assert "\n" not in str(error.value)
    assert error.value.__suppress_context__


class Hostile:
    def __repr__(self):
        raise OSError("no repr")


@pytest.mark.parametrize(
    "name",
    ["x" * 10**6, list(range(10**5)), np.zeros((100, 100)), {"deep": {"er": ["est"] * 999}}, Hostile(), 10**5000],
    ids=["text", "list", "array", "dict", "no repr", "whole number"],
)
def test_a_huge_name_gets_a_short_line(name):
    with pytest.raises(RequestError, match="Valid: plain, xavier, he") as error:
        choose("initializer", name, TABLE)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("two\nlines", r"'two\nlines'"),
        (np.array([[1, 2], [3, 4]]), "array([[1, 2], [3, 4]])"),
        ("x" * 78, "'" + "x" * 78 + "'"),
        ("x" * 79, "'" + "x" * 76 + "..."),
        (Hostile(), "a value of type Hostile"),
        (10**5000, "a value of type int"),
    ],
    ids=["lines", "array", "fits", "long", "no repr", "whole number"],
)
def test_a_value_is_shown_in_one_line(value, shown):
    assert one_line(value) == shown


@pytest.mark.parametrize("value", [0, -1.5, np.float32(2), np.int8(3), [0.1, 0.2], np.arange(4)])
def test_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", [True, "1", None, np.nan, [1, np.inf], [[1], [1, 2]], 10**400, {1: 2}, object()])
def test_no_numbers(value):
    assert not is_number(value)


def test_request_error_is_a_value_error():
    assert issubclass(RequestError, ValueError)
