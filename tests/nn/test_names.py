"""Names as types: what a type checker allows is what the tables have."""

from typing import get_args

import pytest

from sandbox.nn.activations import ACTIVATIONS, ActivationName
from sandbox.nn.costs import COSTS, CostName
from sandbox.nn.initializers import INITIALIZERS, InitializerName
from sandbox.nn.optimizers import OPTIMIZERS, OptimizerName
from sandbox.nn.schedules import SCHEDULES, ScheduleName


@pytest.mark.parametrize(
    ("names", "table"),
    [
        (ActivationName, ACTIVATIONS),
        (CostName, COSTS),
        (InitializerName, INITIALIZERS),
        (OptimizerName, OPTIMIZERS),
        (ScheduleName, SCHEDULES),
    ],
)
def test_names_are_those_of_the_table(names, table):
    assert set(get_args(names)) == set(table)
