"""Slopes of one's own, held against finite differences before anything is trained with them."""

from collections.abc import Callable

import numpy as np

from sandbox.errors import RequestError

STEP = 1e-5  # of central differences, whose error is about 1e-10 for a function and its third derivative of about 1
LARGEST_ERROR = 1e-5  # of a slope, relative to it where it is larger than 1


def check_slope(
    what: str,
    function: Callable[..., np.ndarray],
    slope: Callable[..., np.ndarray],
    z: np.ndarray,
    *others: np.ndarray,
    kinks: bool = False,
) -> None:
    """Raises RequestError where `slope` is not the derivative of `function` by the first of its arguments.

    The arguments are arrays (points,) alike. Both have to work entry by entry and to be finite there. With `kinks` the
    points may be such where there is no derivative.
    """
    with np.errstate(all="ignore"):
        _, slopes = (_entry_by_entry(what, one, z, *others) for one in (function, slope))
        if kinks:
            return
        differences = (function(z + STEP, *others) - function(z - STEP, *others)) / (2 * STEP)
    error = np.abs(slopes - differences) / np.maximum(1, np.maximum(np.abs(slopes), np.abs(differences)))
    worst = int(np.nanargmax(error))
    if not error[worst] <= LARGEST_ERROR:
        at = ", ".join(f"{one[worst]:.4g}" for one in (z, *others))
        raise RequestError(
            f"{what} has the slope {slopes[worst]:.6g} at {at}, where finite differences say {differences[worst]:.6g}"
        )


def _entry_by_entry(what: str, function: Callable[..., np.ndarray], *arguments: np.ndarray) -> np.ndarray:
    """What a function gives for arrays. Raises RequestError where that is not a finite number for each entry by itself."""
    given = np.asarray(function(*arguments), float)
    if given.shape != arguments[0].shape:
        raise RequestError(
            f"{what} gives the shape {given.shape} for {arguments[0].shape}: one number for each is needed"
        )
    if not np.isfinite(given).all():
        at = ", ".join(f"{one[~np.isfinite(given)][0]:.4g}" for one in arguments)
        raise RequestError(f"{what} gives {given[~np.isfinite(given)][0]} at {at}: finite numbers are needed")
    some = np.asarray(function(*(one[None, ::2] for one in arguments)), float)
    if not np.allclose(some[0], given[::2], rtol=1e-12, atol=1e-12):
        raise RequestError(f"{what} is not the same for a number beside others: it has to work entry by entry")
    return given
