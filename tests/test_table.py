"""Tables as a terminal shows them."""

import math

import pandas as pd

from sandbox.table import render


def test_words_stand_on_the_left_and_numbers_on_the_right():
    frame = pd.DataFrame({"name": ["a", "longer"], "runs": [5, 1000], "cost": [0.123456, math.nan]})
    assert render(frame).splitlines() == [
        "name   runs   cost",
        "a         5 0.1235",
        "longer 1000      -",
    ]
