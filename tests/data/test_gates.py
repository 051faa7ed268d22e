"""The gates, against Python's own logic."""

import numpy as np
import pytest

from sandbox.data import load_dataset, load_parts

LOGIC = {
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "nand": lambda a, b: not (a and b),
    "nor": lambda a, b: not (a or b),
    "xor": lambda a, b: a != b,
    "xnor": lambda a, b: a == b,
}
ROWS = [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize("name", LOGIC)
def test_truth_table_is_all_there_is(name):
    parts = load_parts(name)
    assert (parts.validation, parts.test, parts.scaling) == (None, None, None)
    train = parts.train
    assert [tuple(row) for row in train.X] == ROWS
    assert [bool(y) for y in train.Y.ravel()] == [bool(LOGIC[name](a, b)) for a, b in ROWS]
    assert (train.Y.shape, train.feature_names, train.task) == ((4, 1), ("x1", "x2"), "binary")
    assert train.X.dtype == train.Y.dtype == np.float64


def test_noisy_gate_cycles_through_the_rows():
    parts = load_parts("xor", n=2002, noise=0.3, n_test=400)
    train = parts.train
    assert [part and len(part) for part in (train, parts.validation, parts.test)] == [2002, 400, 400]
    shift = train.X - np.array([ROWS[i % 4] for i in range(2002)])
    assert abs(shift.mean()) < 0.02
    assert abs(shift.std() - 0.3) < 0.015
    assert train.Y.ravel()[:6].tolist() == [0, 1, 1, 0, 0, 1]


def test_sizes_when_only_one_of_n_and_noise_is_given():
    assert len(load_dataset("and", noise=0.1)) == 100
    parts = load_parts("and", n=6)
    assert parts.train.X.tolist() == [*map(list, ROWS), [0, 0], [0, 1]]
    assert [part and len(part) for part in (parts.validation, parts.test)] == [1000, 1000]
