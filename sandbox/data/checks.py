"""What a request for data may ask for: sizes, seeds and noise, refused in one line when senseless."""

import math
from typing import Any

import numpy as np

from sandbox.errors import RequestError, one_line

TASKS = ("binary", "multiclass", "regression")
FILES = (".csv", ".parquet", ".pq")  # how a data set's name ends where it is a file's
SCALINGS = ("standard", "minmax", "none")  # what is done to the features of one's own data
LARGEST_N = 10_000_000
LARGEST_NOISE = 1e300  # beyond that, examples may be infinite
LARGEST_SEED = 2**32 - 1  # what scikit-learn accepts


def whole_number(what: str, value: Any, least: int, most: int) -> int:
    """`value` as an int; RequestError when it is no whole number from `least` to `most` (True is none)."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
        raise RequestError(f"{what} must be a whole number from {least} to {most}, got {one_line(value)}")
    return int(value)


def validation_size(name: str, value: Any, most: int) -> int | None:
    """`value` as an int, or None; RequestError when `name` cannot give so many examples: `most`, 0 for no such part."""
    if value is not None and most == 0:
        raise RequestError(f"n_validation is {one_line(value)}: {name} has no validation part with this n and noise")
    what = f"n_validation (of the {most} examples that {name} can give beside those to train with)"
    return None if value is None else whole_number(what, value, 1, most)


def noise_level(value: Any) -> float:
    """`value` as a float; RequestError when it is negative, no number, or so large that examples would not be finite."""
    numeric = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    try:
        number = float(value) if numeric else math.nan
    except OverflowError:
        number = math.inf
    if not 0 <= number < math.inf:
        raise RequestError(f"noise must be a finite number, 0 or more, got {one_line(value)}")
    if number > LARGEST_NOISE:
        raise RequestError(f"noise is {one_line(value)}: at most {LARGEST_NOISE} leaves examples finite")
    return number
