"""What a network says at every pixel, as colours: shades for its outputs, lines where it changes its mind.

Fields come as (rows, columns), the top row first, on a grid coarser than the pixels; pictures leave as
(height, width, 3) uint8. Lines are drawn without tracing them: a pixel's distance to the zero of a field is
about the field's value over its slope there, and the distance says how much of the pixel the line covers.
"""

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.floating]
Pixels = NDArray[np.uint8]

# Okabe and Ito's seven colours, then three of Tol's muted ones
CLASS_COLOURS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"),
    *("#882255", "#888888", "#332288"),
)
BINARY_COLOURS = ("#0B4F8A", "#A84300")  # of the examples: darker than the shades they lie on
LINE = np.array([34, 34, 34], np.float32)
UNKNOWN = np.array([170, 170, 170], np.uint8)  # where the output is not a number


def class_colour(k: int) -> str:
    """The colour of class k; an eleventh class shares that of the first."""
    return CLASS_COLOURS[k % len(CLASS_COLOURS)]


def rgb(colour: str) -> NDArray[np.float32]:
    """The three components, from 0 to 255, of "#RRGGBB"."""
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], np.float32)


def _class_shades(k: int) -> Pixels:
    """From unsure to sure of class k; never as strong as the examples."""
    return _ramp(["#FFFFFF", class_colour(k)], 101)[18:79:3]


def edge(colour: str) -> str:
    """White around dark marks, dark around light ones."""
    return "#FFFFFF" if rgb(colour) @ (0.299, 0.587, 0.114) < 140 else "#222222"


def _ramp(colours: list[str], count: int) -> Pixels:
    """`count` colours evenly spaced along a chain of colours."""
    chain = np.array([rgb(colour) for colour in colours])
    places = np.linspace(0, len(colours) - 1, count)
    return np.column_stack([np.interp(places, range(len(colours)), part) for part in chain.T]).round().astype(np.uint8)


# few enough shades to keep the files small, enough to look smooth; the middle is not quite the paper's white
PROBABILITY_SHADES = _ramp(["#3F8BC4", "#A3C9E4", "#EDECEA", "#F6C08A", "#E5852A"], 41)
VALUE_SHADES = (np.asarray(colormaps["cividis"](np.linspace(0.0, 1.0, 41)))[:, :3] * 255).round().astype(np.uint8)


def shade_probability(P: Floats, shape: tuple[int, int], line: float) -> Pixels:
    """Blue for 0, orange for 1, and a line of `line` pixels where the probability is one half."""
    field, unknown = _enlarge(np.clip(P, 0, 1) - 0.5, shape)
    picture = _take(PROBABILITY_SHADES, field + 0.5)
    _ink(picture, _coverage(np.abs(field), field, line))
    return _grey(picture, unknown)


def shade_classes(P: Floats, shape: tuple[int, int], line: float) -> Pixels:
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
    table = np.concatenate([_class_shades(k) for k in range(classes)])
    levels = len(table) // classes
    picture = table.take(winner * levels + (margin * (levels - 0.01)).clip(0, levels - 1).astype(np.uint16), axis=0)
    _ink(picture, _coverage(margin, margin, line))
    return _grey(picture, unknown)


def shade_values(V: Floats, shape: tuple[int, int], line: float, limits: tuple[float, float], step: float) -> Pixels:
    """From dark blue at the lower limit to yellow at the upper one, with a contour line every `step`."""
    low, high = limits
    scaled = (np.clip(V, low, high) - low) / (high - low)
    field, unknown = _enlarge(scaled, shape)
    picture = _take(VALUE_SHADES, field)
    steps = (np.clip(field, 0, 1) * (high - low) + low) / step
    _ink(picture, 0.75 * _coverage(np.abs(steps - np.round(steps)), steps, line))
    return _grey(picture, unknown)


def shade_curves(
    Y: Floats, shape: tuple[int, int], line: float, limits: tuple[float, float], colours: list[str]
) -> Pixels:
    """Curves on white: Y is (points, curves) along the width, `limits` those of the vertical axis."""
    height, width = shape
    low, high = limits
    picture = np.full((height, width, 3), 255, np.uint8)
    centres = np.arange(height, dtype=np.float32)[:, None] + 0.5
    places = (np.arange(width) + 0.5) * len(Y) / width - 0.5
    span = high - low
    for curve, colour in zip(Y.T, colours, strict=False):
        known = np.isfinite(curve)
        if not known.any():
            continue
        bounded = np.clip(curve, low - span, high + span)
        rows = np.interp(places, np.flatnonzero(known), (high - bounded[known]) * height / span).astype(np.float32)
        distance = centres - rows
        covered = _coverage(np.abs(distance), distance, line)
        covered[:, np.interp(places, np.arange(len(Y)), known) < 1] = 0.0
        _ink(picture, covered, rgb(colour))
    return picture


def _enlarge(field: Floats, shape: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A field at every pixel, and where it is not a number (there the field is 0)."""
    known = np.isfinite(field)
    if known.all():
        return _resize(field, shape, Image.Resampling.BICUBIC), np.zeros((), np.bool_)
    whole = _resize(np.where(known, field, 0.0), shape, Image.Resampling.BICUBIC)
    return whole, _resize(~known, shape, Image.Resampling.NEAREST) > 0.5


def _resize(field: Floats | NDArray[np.bool_], shape: tuple[int, int], how: Image.Resampling) -> NDArray[np.float32]:
    image = Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), how))


def _take(table: Pixels, field: NDArray[np.float32]) -> Pixels:
    """The colour of a field from 0 to 1."""
    index = np.clip(field * (len(table) - 1) + 0.5, 0, len(table) - 1).astype(np.uint8)
    return table.take(index, axis=0)


def _coverage(value: NDArray[np.float32], field: NDArray[np.float32], line: float) -> NDArray[np.float32]:
    """How much of each pixel, from 0 to 1, is covered by the line where `value` is 0; `field` has its slope.

    The steeper of the two neighbouring differences counts, so that a kink at the zero itself does no harm.
    The small numbers keep the line away where the field is flat.
    """
    across, down = np.abs(np.diff(field, axis=1)), np.abs(np.diff(field, axis=0))
    slope = np.zeros_like(field)
    np.maximum(slope[:, 1:], across, out=slope[:, 1:])
    np.maximum(slope[:, :-1], across, out=slope[:, :-1])
    squared = np.square(slope, out=slope)
    steepest = np.zeros_like(field)
    np.maximum(steepest[1:], down, out=steepest[1:])
    np.maximum(steepest[:-1], down, out=steepest[:-1])
    squared += np.square(steepest, out=steepest)
    distance = (value + 1e-9) / (np.sqrt(squared) + 1e-10)
    return np.clip(0.5 * line + 0.5 - distance, 0, 1).astype(np.float32, copy=False)


def _ink(picture: Pixels, coverage: NDArray[np.float32], colour: NDArray[np.float32] = LINE) -> None:
    """Draw a line into a picture."""
    rows, columns = np.nonzero(coverage)
    weight = coverage[rows, columns, None]
    under = picture[rows, columns]
    picture[rows, columns] = (under + weight * (colour - under)).round().astype(np.uint8)


def _grey(picture: Pixels, unknown: NDArray[np.bool_]) -> Pixels:
    if unknown.any():
        picture[unknown] = UNKNOWN
    return picture
