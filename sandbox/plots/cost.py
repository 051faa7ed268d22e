"""The cost against the epochs: how a run learnt, and where it ended."""

import math
from collections.abc import Sequence
from copy import copy
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from sandbox.errors import RequestError, choose
from sandbox.plots.colours import GRID_LINE, INK, Pixels, ramp
from sandbox.plots.figure import Figure
from sandbox.plots.page import Axis, Floats, Frame, Page, Word, number, numbers, steps
from sandbox.plots.palette import Palette
from sandbox.plots.picture import Picture
from sandbox.plots.sheet import Sheet

LOGARITHMIC_FROM = 20.0  # largest over smallest cost from which a logarithmic axis shows more
CURVE, WARNING = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermilion
Scale = Literal["auto", "linear", "log"]
SCALES = get_args(Scale)
_LARGEST, _SMALLEST = 1e300, 1e-300  # beyond these, axes overflow


def cost_figure(
    epochs: ArrayLike,
    costs: ArrayLike,
    *,
    title: str = "",
    diverged_at: int | None = None,
    label: str = "cost",
    scale: Scale = "auto",
) -> Figure:
    """The cost curve as a figure of its own.

    `epochs` and `costs` have shape (points,); points that are not finite are left out. The cost axis is
    logarithmic where all costs are positive and span more than a factor of 20, or as `scale` has it: "linear" or "log".
    `diverged_at` is the epoch at which training was given up. Raises RequestError when the shapes differ, and where a
    cost that is not positive is to be on a logarithmic axis.

    >>> cost_figure([0, 1, 2], [0.5, 0.01, 0.001], title="a run").axes[0].get_yscale()
    'log'
    """
    page, curve = Page((480, 320)), Curve(epochs, costs, diverged_at, scale)
    frame = _frame(page, *curve.axes, label, bool(title) or diverged_at is not None)
    picture = Picture(page)
    picture.show(frame)
    for line in _lines(page, frame, curve):
        picture.axes.add_line(Line2D(line.x, line.y, **line.style)).set_clip_on("marker" not in line.style)
    picture.write(_words(page, frame, curve, title))
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
    page, curve = Page(size), Curve(epochs, costs, diverged_at)
    headline = bool(title) or diverged_at is not None
    frame = _frame(page, *curve.axes, label, headline)
    sheet = Sheet(page, curve_palette(), _paper(page, *curve.axes, label, headline))
    left, top, across, down = frame.box
    rim = round(0.5 * page.font)  # the last point may lie on the edge
    lines = []
    for x, y, style in _lines(page, frame, curve):
        lines.append(line := copy(_prototype(**style)))
        line.set_data(*frame.places(x, y))
    sheet.draw(lines, (left - rim, top - rim, across + 2 * rim, down + 2 * rim))
    for word in _words(page, frame, curve, title):
        sheet.write(word)
    return curve_palette().png(sheet.indices)


class Curve:
    """The finite points of a curve, and the limits of axes that show it: round, so that many curves share them."""

    def __init__(self, epochs: ArrayLike, costs: ArrayLike, diverged_at: int | None, scale: Scale = "auto") -> None:
        choose("scale", scale, dict.fromkeys(SCALES))
        self.x, self.y = x, y = _finite(epochs, costs)
        self.diverged_at = diverged_at
        positive = bool(y.size and y.min() > 0)
        self.logarithmic = positive and bool(y.max() > LOGARITHMIC_FROM * y.min())
        if scale != "auto":
            self.logarithmic = scale == "log"
        if self.logarithmic and not positive:
            raise RequestError("a cost that is not positive has no place on a logarithmic axis: scale 'linear' has one")
        self.x_limits = _span(x if diverged_at is None else np.append(x, diverged_at))
        self.y_limits = _log_limits(y) if self.logarithmic else _limits(y)
        self.axes = self.x_limits, self.y_limits, self.logarithmic


class _Line(NamedTuple):
    """A line or marks in the coordinates of the data."""

    x: Any
    y: Any
    style: dict[str, Any]


Limits = tuple[float, float]


@lru_cache(maxsize=64)
def _prototype(**style: Any) -> Line2D:
    """A line of this style without data: to copy it takes a hundredth of the time that another one takes."""
    return Line2D([], [], **style)


@lru_cache(maxsize=1)
def curve_palette() -> Palette:
    """Of curves and points on white paper."""
    return Palette([INK, CURVE, WARNING], ramp([GRID_LINE, "#FFFFFF"], 2))


@lru_cache(maxsize=64)
def _paper(page: Page, x: Limits, y: Limits, logarithmic: bool, label: str, headline: bool) -> Pixels:
    """Everything but the curve, for curves that share their limits."""
    sheet = Sheet(page, curve_palette())
    sheet.frame(_frame(page, x, y, logarithmic, label, headline))
    return sheet.indices


@lru_cache(maxsize=64)
def _frame(page: Page, x: Limits, y: Limits, logarithmic: bool, label: str, headline: bool) -> Frame:
    """Axes, ticks, grid, labels."""
    x_ticks = steps(*x)
    x_ticks = x_ticks[x_ticks == np.round(x_ticks)]
    y_ticks = log_ticks(*y) if logarithmic else steps(*y)
    x_labels, y_labels = numbers(x_ticks), powers(y_ticks) if logarithmic else numbers(y_ticks)
    left, right = x
    return Frame(
        page.margins(x_labels, y_labels, headline),
        Axis((left, right + 0.02 * (right - left)), x_ticks, x_labels, "epoch"),
        Axis(y, y_ticks, y_labels, label, logarithmic),
        grid=True,
    )


def _lines(page: Page, frame: Frame, curve: Curve) -> list[_Line]:
    """The curve, its points where they are few, else the last, and where it diverged."""
    font, x, y = page.font, curve.x, curve.y
    lines = []
    if curve.diverged_at is not None:
        style = {"color": WARNING, "linewidth": 0.1 * font, "linestyle": (0, (4, 3)), "zorder": 1.5}
        lines.append(_Line([curve.diverged_at] * 2, frame.y.limits, style))
    if y.size:
        style = {"color": CURVE, "linewidth": 0.13 * font, "solid_joinstyle": "round"}
        lines.append(_Line(*_thin(x, y, 2 * frame.box[2]), style))
        marked = slice(None) if y.size <= 20 else slice(-1, None)
        style = {"color": CURVE, "linestyle": "none", "marker": "o", "markersize": 0.4 * font}
        lines.append(_Line(x[marked], y[marked], style))
    return lines


def _words(page: Page, frame: Frame, curve: Curve, title: str) -> list[Word]:
    """The title on the left; on the right, where it hides no curve, that the run diverged; and the last cost."""
    left, top, across, down = frame.box
    words, baseline, room = [], top - 0.35 * page.font, float(across)
    if curve.diverged_at is not None:
        wordings = [f"diverged at epoch {curve.diverged_at}", f"diverged at {curve.diverged_at}"]
        verdict = page.fit(wordings, max(room - page.width(title) - page.font, 0.45 * across))
        words.append(Word(verdict, left + across, baseline, "rd", ink=WARNING))
        room -= page.width(verdict) + page.font
    words.append(Word(page.fit([title], room), left, baseline, "ld"))
    if not curve.y.size:
        return [*words, Word("no finite cost", left + across / 2, top + down / 2, "mm", halo=True)]
    return [*words, _last(page, frame, curve)]


def _last(page: Page, frame: Frame, curve: Curve) -> Word:
    """The last cost just above or below the last stretch of the curve, wherever there is more room."""
    left, top, across, down = frame.box
    font, text = page.font, number(curve.y[-1])
    x, y = frame.places(curve.x, curve.y)
    width = page.width(text) + 0.6 * font
    right = min(float(x[-1]), left + across - 0.3 * font)
    if x[-1] - left < width:
        right = min(x[-1] + width, left + across)
    first = max(int(np.searchsorted(x, right - width)) - 1, 0)
    stretch = np.append(y[first:], np.interp(right - width, x, y))
    stretch = stretch[1:] if stretch.size > 2 else stretch
    highest, lowest = stretch.min(), stretch.max()  # rows grow downwards
    gap, need = 0.4 * font, 1.1 * font
    above, below = highest - top, top + down - lowest
    if above >= min(below, need + gap):
        return Word(text, right, max(highest - gap, top + need), "rd", ink=CURVE, halo=True)
    return Word(text, right, min(lowest + gap, top + down - need), "ra", ink=CURVE, halo=True)


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


def log_ticks(low: float, high: float) -> Floats:
    """Three to five powers of ten, or also twice and five times them where there are fewer."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    stride = max(1, math.ceil((last - first) / 4))
    exponents = [e for e in range(first, last + 1) if e % stride == 0]
    if len(exponents) >= 3:
        return np.array([10.0**e for e in exponents])
    multiples = [m * 10.0**e for e in range(first - 1, last + 1) for m in (1, 2, 5)]
    return np.array([value for value in multiples if low <= value <= high])


def powers(ticks: Sequence[float] | Floats) -> list[str]:
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
