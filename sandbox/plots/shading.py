"""What a network says at every pixel, as indices into a palette: shades for its outputs, lines where it changes its mind.

Fields come as (rows, columns), the top row first, on a grid coarser than the pixels; pictures leave as
(height, width) uint8. Lines are drawn without tracing them: a pixel's distance to the zero of a field is
about the field's value over its slope there, and the distance says how much of the pixel the line covers.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sandbox.plots.colours import CLASS_COLOURS, INK, UNKNOWN, Pixels, rgb
from sandbox.plots.palette import Palette

Floats = NDArray[np.floating]


def shade_probability(P: Floats, shape: tuple[int, int], line: float, palette: Palette) -> Pixels:
    """Blue for 0, orange for 1, and a line of `line` pixels where the probability is one half."""
    field, unknown = _enlarge(np.clip(P, 0, 1) - 0.5, shape)
    picture = _shades(field + np.float32(0.5), palette)
    _rule(picture, field > 0, np.abs(field), field, line, palette)
    return _grey(picture, unknown, palette)


def shade_classes(P: Floats, shape: tuple[int, int], line: float, palette: Palette) -> Pixels:
    """The likeliest class's colour, the paler the less sure; P is (rows, columns, classes)."""
    classes = P.shape[-1]
    best, second = (np.full(shape, -1, np.float32) for _ in range(2))
    winner = np.zeros(shape, np.uint16)
    unknown: NDArray[np.bool_] = np.zeros((), np.bool_)
    for k in range(classes):
        field, holes = _enlarge(np.clip(P[..., k], 0, 1), shape)
        unknown = unknown | holes
        np.maximum(second, np.minimum(field, best), out=second)
        winner[field > best] = k
        np.maximum(best, field, out=best)
    margin = best - second
    distinct = min(classes, len(CLASS_COLOURS))
    levels = palette.shades // distinct
    step = (margin * np.float32(levels - 0.01)).clip(0, levels - 1).astype(np.uint16)
    picture = (palette.first + winner % distinct * levels + step).astype(np.uint8)
    _rule(picture, winner, margin, margin, line, palette)
    return _grey(picture, unknown, palette)


def shade_values(
    V: Floats, shape: tuple[int, int], line: float, limits: tuple[float, float], step: float, palette: Palette
) -> Pixels:
    """From dark blue at the lower limit to yellow at the upper one, with a contour line every `step`."""
    low, high = limits
    field, unknown = _enlarge((np.clip(V, low, high) - low) / (high - low), shape)
    picture = _shades(field, palette)
    steps = (np.clip(field, 0, 1) * np.float32((high - low) / step) + np.float32(low / step)).astype(np.float32)
    _rule(picture, np.floor(steps), np.abs(steps - np.rint(steps)), steps, line, palette, 0.75)
    return _grey(picture, unknown, palette)


def shade_curves(
    Y: Floats, shape: tuple[int, int], line: float, limits: tuple[float, float], colours: list[str], palette: Palette
) -> Pixels:
    """Curves on white: Y is (points, curves) along the width, `limits` those of the vertical axis."""
    height, width = shape
    low, high = limits
    picture = np.zeros((height, width), np.uint8)
    centres = np.arange(height, dtype=np.float32)[:, None] + 0.5
    places = (np.arange(width) + 0.5) * len(Y) / width - 0.5
    span = high - low
    for curve, colour in zip(Y.T, colours, strict=False):
        known = np.isfinite(curve)
        if not known.any():
            continue
        bounded = np.clip(curve, low - span, high + span)
        rows = np.interp(places, np.flatnonzero(known), (high - bounded[known]) * height / span)
        slope = np.abs(np.gradient(rows)) if width > 1 else np.zeros(width)
        distance = np.abs(centres - rows.astype(np.float32)) / np.hypot(1, slope).astype(np.float32)
        covered = np.clip(0.5 * line + 0.5 - distance, 0, 1)
        covered[:, np.interp(places, np.arange(len(Y)), known) < 1] = 0.0
        where = np.flatnonzero(covered)
        palette.blend(picture.reshape(-1), where, rgb(colour), covered.reshape(-1, 1)[where])
    return picture


def _enlarge(field: Floats, shape: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A field at every pixel, and where it is not a number (there the field is 0)."""
    field = np.ascontiguousarray(field, np.float32)
    known = np.isfinite(field)
    unknown: NDArray[np.bool_] = np.zeros((), np.bool_)
    if not known.all():
        nearest = [np.arange(there) * here // there for here, there in zip(field.shape, shape, strict=True)]
        field, unknown = np.where(known, field, 0).astype(np.float32), ~known[np.ix_(*nearest)]
    rows, columns = (_weights(*counts) for counts in zip(field.shape, shape, strict=True))
    return np.asarray(rows @ (field @ columns.T), np.float32), unknown


@lru_cache(maxsize=32)
def _weights(here: int, there: int) -> NDArray[np.float32]:
    """How much each of `here` values counts in each of `there` between them: bicubic, (there, here)."""
    each = Image.fromarray(np.eye(here, dtype=np.float32))
    return np.array(each.resize((here, there), Image.Resampling.BICUBIC))


def _shades(field: NDArray[np.float32], palette: Palette) -> Pixels:
    """The shade of a field from 0 to 1."""
    most = palette.shades - 1
    shade = field * np.float32(most)
    shade += np.float32(palette.first + 0.5)
    return np.clip(shade, palette.first, palette.first + most, out=shade).astype(np.uint8)


def _rule(
    picture: Pixels, side: NDArray, value: Floats, field: Floats, line: float, palette: Palette, strength: float = 1.0
) -> None:
    """Draw a line where `value` is 0, within reach of where `side` changes; `field` has the slope of `value`.

    Of the differences to a pixel's neighbours the steeper counts, so that a kink at the zero itself does no harm.
    The small numbers, larger than rounding errors, keep the line away where the field is flat.
    """
    where = _near(side, int(np.ceil(0.5 * line + 0.5)))
    if not len(where):
        return
    height, width = picture.shape
    rows, columns = np.divmod(where, width)
    flat = field.reshape(-1)
    here = flat.take(where)
    squared = np.zeros(len(where), np.float32)
    for place, last, stride in ((columns, width - 1, 1), (rows, height - 1, width)):
        before = np.abs(flat.take(where - stride * (place > 0)) - here)
        after = np.abs(flat.take(where + stride * (place < last)) - here)
        squared += np.square(np.maximum(before, after))
    distance = (value.reshape(-1).take(where) + np.float32(2e-6)) / (np.sqrt(squared) + np.float32(1e-7))
    coverage = np.clip(0.5 * line + 0.5 - distance, 0, 1)
    inked = coverage > 0
    palette.blend(picture.reshape(-1), where[inked], rgb(INK), strength * coverage[inked, None])


def _near(side: NDArray, reach: int) -> NDArray[np.intp]:
    """Flat places of the pixels that are at most about `reach` from a change of `side`."""
    near = np.zeros(side.shape, np.bool_)
    down, across = side[1:] != side[:-1], side[:, 1:] != side[:, :-1]
    near[1:], near[:, 1:] = down, near[:, 1:] | across
    near[:-1] |= down
    near[:, :-1] |= across
    for _ in range(reach - 1):
        wider = near.copy()
        wider[1:] |= near[:-1]
        wider[:-1] |= near[1:]
        near = wider.copy()
        near[:, 1:] |= wider[:, :-1]
        near[:, :-1] |= wider[:, 1:]
    return np.flatnonzero(near)


def _grey(picture: Pixels, unknown: NDArray[np.bool_], palette: Palette) -> Pixels:
    if unknown.any():
        picture[unknown] = palette.nearest(UNKNOWN)
    return picture
