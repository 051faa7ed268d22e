"""The cost against the epochs: how a run learnt, and where it ended."""

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from sandbox.errors import RequestError
from sandbox.plots.picture import FAMILY, INK, Box, Picture, encode, number, numbers, steps, warm

LOGARITHMIC_FROM = 20.0  # largest over smallest cost from which a logarithmic axis shows more
CURVE, WARNING = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermilion
_LARGEST, _SMALLEST = 1e300, 1e-300  # beyond these, axes overflow

_THREAD = threading.local()
_KEPT = 40  # frames a thread remembers, of about 600 kB each

Floats = NDArray[np.float64]


def cost_figure(
    epochs: ArrayLike,
    costs: ArrayLike,
    *,
    title: str = "",
    diverged_at: int | None = None,
    label: str = "cost",
) -> Figure:
    """The cost curve as a figure of its own.

    `epochs` and `costs` have shape (points,); points that are not finite are left out. The cost axis is
    logarithmic where all costs are positive and span more than a factor of 20. `diverged_at` is the epoch at
    which training was given up. Raises RequestError when the shapes differ.

    >>> cost_figure([0, 1, 2], [0.5, 0.01, 0.001], title="a run").axes[0].get_yscale()
    'log'
    """
    picture = Picture((480, 320))
    curve = Curve(epochs, costs, diverged_at)
    frame = _frame(picture, curve, label, headline=bool(title) or diverged_at is not None)
    _draw(picture, frame, curve, title)
    return picture.figure


def cost_png(
    epochs: ArrayLike,
    costs: ArrayLike,
    *,
    title: str = "",
    diverged_at: int | None = None,
    label: str = "cost",
    size: tuple[int, int] = (480, 320),
) -> bytes:
    """The picture of `cost_figure` as PNG bytes, `size` (width, height) in pixels.

    >>> cost_png([0, 1, 2], [0.5, 0.4, 0.3], size=(320, 240))[:4]
    b'\\x89PNG'
    """
    curve = Curve(epochs, costs, diverged_at)
    picture = warm("cost", size)
    headline = bool(title) or diverged_at is not None
    frames: OrderedDict[object, tuple[Box, Any]] = _THREAD.__dict__.setdefault("frames", OrderedDict())
    key = (picture.size, label, headline, curve.logarithmic, curve.x_limits, curve.y_limits)
    if key in frames:
        box, pixels = frames[key]
        picture.place_box(box)
        _scale(picture, curve)
        picture.canvas.restore_region(pixels)
    else:
        box = _frame(picture, curve, label, headline)
        picture.canvas.draw()
        frames[key] = box, picture.canvas.copy_from_bbox(picture.figure.bbox)
        if len(frames) > _KEPT:
            frames.popitem(last=False)
    frames.move_to_end(key)
    for artist in _draw(picture, box, curve, title):
        picture.axes.draw_artist(artist)
    return encode(picture.drawn().convert("RGB"))


class Curve:
    """The finite points of a curve, and the limits of axes that show it: round, so that many curves share them."""

    def __init__(self, epochs: ArrayLike, costs: ArrayLike, diverged_at: int | None) -> None:
        self.x, self.y = x, y = _finite(epochs, costs)
        self.diverged_at = diverged_at
        self.logarithmic = bool(y.size and y.min() > 0 and y.max() > LOGARITHMIC_FROM * y.min())
        self.x_limits = _span(x if diverged_at is None else np.append(x, diverged_at))
        self.y_limits = _log_limits(y) if self.logarithmic else _limits(y)


def _scale(picture: Picture, curve: Curve) -> None:
    left, right = curve.x_limits
    if (scale := "log" if curve.logarithmic else "linear") != picture.axes.get_yscale():
        picture.axes.set_yscale(scale)
    picture.axes.set(xlim=(left, right + 0.02 * (right - left)), ylim=curve.y_limits)


def _frame(picture: Picture, curve: Curve, label: str, headline: bool) -> Box:
    """Everything but the curve: axes, ticks, grid, labels; the box of the axes."""
    _scale(picture, curve)
    x_ticks = steps(*curve.x_limits)
    x_ticks = x_ticks[x_ticks == np.round(x_ticks)]
    y_ticks = _log_ticks(*curve.y_limits) if curve.logarithmic else steps(*curve.y_limits)
    y_labels = _powers(y_ticks) if curve.logarithmic else numbers(y_ticks)
    return picture.frame((x_ticks, numbers(x_ticks)), (y_ticks, y_labels), ("epoch", label), headline)


def _draw(picture: Picture, box: Box, curve: Curve, title: str) -> list[Artist]:
    """The curve and what is written about it."""
    axes, font, x, y = picture.axes, picture.font, curve.x, curve.y
    drawn = _headline(picture, box, title, curve.diverged_at)
    if not y.size:
        style = {"fontsize": font, "fontfamily": FAMILY, "color": INK}
        style["bbox"] = {"facecolor": "white", "edgecolor": "none"}
        return [
            *drawn,
            axes.text(0.5, 0.5, "no finite cost", transform=axes.transAxes, ha="center", va="center", **style),
        ]
    drawn += axes.plot(*_thin(x, y, 2 * box[2]), color=CURVE, linewidth=0.13 * font, solid_joinstyle="round")
    marked = slice(None) if y.size <= 20 else slice(-1, None)
    drawn += axes.plot(x[marked], y[marked], "o", color=CURVE, markersize=0.4 * font, clip_on=False)
    return [*drawn, _name_last(picture, box, x, y)]


def _headline(picture: Picture, box: Box, title: str, diverged_at: int | None) -> list[Artist]:
    """The title on the left; on the right, where it hides no curve, that the run diverged."""
    across, down = box[2:]
    style = {"fontsize": picture.font, "fontfamily": FAMILY, "va": "bottom", "parse_math": False}
    baseline = 1 + 0.35 * picture.font / down
    room = float(across)
    axes = picture.axes
    drawn: list[Artist] = []
    if diverged_at is not None:
        line = axes.axvline(diverged_at, color=WARNING, linewidth=0.1 * picture.font, linestyle=(0, (4, 3)), zorder=1.5)
        spare = room - picture.width(title) - picture.font
        verdict = picture.fit(
            [f"diverged at epoch {diverged_at}", f"diverged at {diverged_at}"], max(spare, 0.45 * across)
        )
        said = axes.text(1, baseline, verdict, transform=axes.transAxes, ha="right", color=WARNING, **style)
        drawn += [line, said]
        room -= picture.width(verdict) + picture.font
    shown = picture.fit([title], room)
    named = axes.text(0, baseline, shown, transform=axes.transAxes, ha="left", color=INK, **style)
    return [*drawn, named]


def _name_last(picture: Picture, box: Box, x: Floats, y: Floats) -> Artist:
    """Write the last cost just above or below the last stretch of the curve, wherever there is more room."""
    _, _, across, down = box
    axes, font = picture.axes, picture.font
    text = number(y[-1])
    spots = axes.transAxes.inverted().transform(axes.transData.transform(np.column_stack([x, y])))
    right = min(float(spots[-1, 0]), 1 - 0.3 * font / across)
    reach = (picture.width(text) + 0.6 * font) / across
    if spots[-1, 0] < reach:
        right = min(spots[-1, 0] + reach, 1)
    first = max(int(np.searchsorted(spots[:, 0], right - reach)) - 1, 0)
    stretch = np.append(spots[first:, 1], np.interp(right - reach, spots[:, 0], spots[:, 1]))
    stretch = stretch[1:] if stretch.size > 2 else stretch
    above, below = 1 - stretch.max(), stretch.min()
    gap = 0.4 * font / down
    need = 1.1 * font / down
    up = above >= min(below, need + gap)
    return axes.text(
        right,
        min(stretch.max() + gap, 1 - need) if up else max(stretch.min() - gap, need),
        text,
        transform=axes.transAxes,
        ha="right",
        va="bottom" if up else "top",
        fontsize=font,
        fontfamily=FAMILY,
        color=CURVE,
        path_effects=[withStroke(linewidth=0.2 * font, foreground="white")],
    )


def _finite(epochs: ArrayLike, costs: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(epochs, np.float64), np.asarray(costs, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise RequestError(f"a cost curve needs one cost per epoch, got shapes {x.shape} and {y.shape}")
    keep = np.isfinite(x) & np.isfinite(y)
    y = np.clip(y[keep], -_LARGEST, _LARGEST)
    return x[keep], np.where((y > 0) & (y < _SMALLEST), _SMALLEST, y)


def _thin(x: Floats, y: Floats, count: int) -> tuple[Floats, Floats]:
    """At most about `count` points: the lowest and the highest of each stretch, and both ends."""
    stretch = -(-2 * y.size // count)
    if stretch <= 2:
        return x, y
    whole = y[: y.size // stretch * stretch].reshape(-1, stretch)
    starts = np.arange(len(whole)) * stretch
    keep = np.concatenate([[0, y.size - 1], starts + whole.argmin(1), starts + whole.argmax(1)])
    keep = np.unique(keep)
    return x[keep], y[keep]


def _span(values: Floats) -> tuple[float, float]:
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _limits(y: Floats) -> tuple[float, float]:
    """Round limits with a margin around the values."""
    if not y.size:
        return 0.0, 1.0
    low, high = float(y.min()), float(y.max())
    margin = 0.06 * (high - low)
    if high == low:
        margin = 0.1 * abs(high) or 1.0
    margin = max(margin, 1e-4 * abs(high))  # rounding errors are no curve
    low, high = low - margin, high + margin
    unit = 10.0 ** (math.floor(math.log10(high - low)) - 1)
    return math.floor(low / unit) * unit, math.ceil(high / unit) * unit


def _log_limits(y: Floats) -> tuple[float, float]:
    """The same on a logarithmic axis: quarters of a power of ten."""
    low, high = math.log10(y.min()), math.log10(y.max())
    margin = 0.05 * (high - low)
    low, high = math.floor(4 * (low - margin)) / 4, math.ceil(4 * (high + margin)) / 4
    return 10.0 ** max(low, -305.0), 10.0 ** min(high, 305.0)


def _log_ticks(low: float, high: float) -> Floats:
    """Three to five powers of ten, or also twice and five times them where there are fewer."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    stride = max(1, math.ceil((last - first) / 4))
    exponents = [e for e in range(first, last + 1) if e % stride == 0]
    if len(exponents) >= 3:
        return np.array([10.0**e for e in exponents])
    multiples = [m * 10.0**e for e in range(first - 1, last + 1) for m in (1, 2, 5)]
    return np.array([value for value in multiples if low <= value <= high])


def _powers(ticks: Sequence[float] | Floats) -> list[str]:
    """Labels of a logarithmic axis: decimals near one, otherwise powers of ten."""
    if all(1e-3 <= tick < 1e4 for tick in ticks):
        return [number(tick) for tick in ticks]
    superscript = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    labels: list[str] = []
    for tick in ticks:
        mantissa, exponent = f"{tick:.0e}".split("e")
        power = "10" + str(int(exponent)).translate(superscript)
        labels.append(power if mantissa == "1" else f"{mantissa}·{power}")
    return labels
