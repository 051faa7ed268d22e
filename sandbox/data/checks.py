"""What a request for data may ask for: sizes, seeds and noise, refused in one line when senseless."""

import math
from typing import Any

import numpy as np

from sandbox.errors import RequestError, one_line

LARGEST_N = 10_000_000
LARGEST_SEED = 2**32 - 1  # what scikit-learn accepts


def whole_number(what: str, value: Any, least: int, most: int) -> int:
    """`value` as an int; RequestError when it is no whole number from `least` to `most` (True is none)."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
        raise RequestError(f"{what} must be a whole number from {least} to {most}, got {one_line(value)}")
    return int(value)


def noise_level(value: Any) -> float:
    """`value` as a float; RequestError when it is negative, not finite or no number."""
    numeric = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    try:
        number = float(value) if numeric else math.nan
    except OverflowError:
        number = math.inf
    if not 0 <= number < math.inf:
        raise RequestError(f"noise must be a finite number, 0 or more, got {one_line(value)}")
    return number
